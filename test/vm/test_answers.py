# SPDX-License-Identifier: MPL-2.0
# Copyright 2026 The Nereid authors
"""Answers that cannot be: one line says why, and no disk was written to."""

import json

import pytest

from machine import ANSWERS

BAD = {
    "unknown key": ({"hostnmae": "x"}, ["hostnmae", "hostname"]),
    "not JSON": ("{ hostname: ", ["answers"]),
    "wrong type": ({"hostname": 7}, ["hostname"]),
    "bad host name": ({"hostname": "-bad-"}, ["hostname", "-bad-"]),
    "impossible address": ({"admin_ip": "10.0.0.300"}, ["admin_ip", "10.0.0.300"]),
    "network address": ({"admin_ip": "10.0.0.0", "admin_netmask": "255.255.255.0"}, ["admin_ip", "10.0.0.0"]),
    "netmask with a hole": ({"admin_ip": "10.0.0.1", "admin_netmask": "255.0.255.0"}, ["admin_netmask", "255.0.255.0"]),
    "gateway elsewhere": ({"admin_ip": "10.0.0.1", "headnode_default_gateway": "10.9.9.9"}, ["10.9.9.9"]),
    "unknown layout": ({"zpool_layout": "raid5"}, ["raid5"]),
    "layout that needs more disks": ({"zpool_layout": "raidz2"}, ["raidz2"]),
    "missing disk": ({"disks": ["no-such-disk"]}, ["no-such-disk"]),
    "disk in use": ({"disks": ["vdb"]}, ["vdb", "ext4"]),
    "missing NIC": ({"admin_nic": "02:00:00:00:00:99"}, ["02:00:00:00:00:99"]),
    "nobody could log in": ({"root_password": None}, ["root_password"]),
}


@pytest.fixture(scope="module")
def node(module_machine):
    """At its dialogue, with an empty disk and one that holds a filesystem."""
    module_machine.up(disks=[4, 4], wait="setup*")
    module_machine.sh("busybox mke2fs -q /dev/vdb 2>/dev/null || mkfs.ext4 -q /dev/vdb || mkfs.vfat -n DATA /dev/vdb")
    return module_machine


def with_changes(change):
    if isinstance(change, str):
        return change
    answers = {**ANSWERS, "disks": ["vda"], **change}
    return json.dumps({k: v for k, v in answers.items() if v is not None})


@pytest.mark.parametrize("case", BAD)
def test_bad_answers_are_refused(node, case):
    change, words = BAD[case]
    if case == "disk in use":
        words = ["vdb"]
    before = node.sh("for d in vda vdb; do head -c 8M /dev/$d | sha256sum; done")
    node.push(with_changes(change), "/tmp/answers.json")
    code, out, err = node.run("nereid-setup", "-f", "/tmp/answers.json")
    assert code == 1, out + err
    assert err.count("\n") == 1, err
    for word in words:
        assert word in err
    assert node.sh("for d in vda vdb; do head -c 8M /dev/$d | sha256sum; done") == before
    assert node.run("zpool", "list", "-H", "zones")[0] != 0
    assert node.state().startswith("setup")


def test_then_good_answers_are_taken(node):
    node.push(with_changes({"hostname": "at-last"}), "/tmp/answers.json")
    node.ok("nereid-setup", "-f", "/tmp/answers.json", timeout=180)
    assert node.wait() == "ready"
    assert node.ok("hostname") == "at-last"
    assert node.run("blkid", "/dev/vdb")[0] == 0, "the disk that was not named still holds what it held"


def test_setup_of_a_configured_node_is_refused_unattended(node):
    err = node.refused(3, "nereid-setup", "-f", "/tmp/answers.json")
    assert "zones" in err or "set up" in err


def test_bad_answers_at_boot_are_told_on_the_console(machine):
    state = machine.up(answers={**ANSWERS, "hostnmae": "x"}, disks=[4], memory=1024)
    assert state.startswith("setup") and "hostnmae" in state
    machine.said("hostnmae", 30)
    assert machine.run("zpool", "list", "zones")[0] != 0


def test_disk_that_is_named_to_be_overwritten(blank):
    """Says so explicitly: then, and only then, it is taken."""
    blank.sh("mkfs.vfat -n DATA /dev/vda >/dev/null")
    blank.push(json.dumps(ANSWERS), "/tmp/answers.json")
    code, _, err = blank.run("nereid-setup", "-f", "/tmp/answers.json")
    assert code == 1 and "vda" in err
    blank.push(json.dumps({**ANSWERS, "overwrite_disks": ["vda"]}), "/tmp/answers.json")
    blank.ok("nereid-setup", "-f", "/tmp/answers.json", timeout=180)
    assert blank.wait() == "ready"
