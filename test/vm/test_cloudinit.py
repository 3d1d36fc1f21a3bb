# SPDX-License-Identifier: MPL-2.0
# Copyright 2026 The Nereid authors
"""Debian's cloud-init, unchanged, finds the metadata of an lx machine and does what vmadm's payload says; uname, by which it knows."""

import json
import uuid as uuids

import pytest

from machine import BUILD, RUN
from zones import image_of_tar, install_native, install_tiny, remove, tiny_root

CLOUD = BUILD / "debian-13-cloud.tar.zst"
VERSION = "BrandZ virtual linux"
KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJ1nX0y4s6nKkGCB7yQHqE0nq7ySGpzC0aUq5YvS3x2E somebody@example"
USER_DATA = """#cloud-config
disable_root: false
write_files:
- path: /etc/motd
  content: |
    written by cloud-init
  permissions: '0600'
runcmd:
- [sh, -c, 'hostname >/root/runcmd.out']
"""
PARAMETER = "/sys/module/nereid_uts/parameters/zone"


@pytest.fixture(scope="module")
def node(module_machine):
    m = module_machine
    assert m.up(cold=False, answers="standard") == "ready"
    return m


@pytest.fixture(scope="module")
def machine_uuid(node):
    uuid = str(uuids.uuid4())
    payload = {"brand": "lx", "uuid": uuid, "image_uuid": image_of_tar(node, CLOUD), "ram": 512, "quota": 4, "hostname": "cloudy",
               "customer_metadata": {"root_authorized_keys": KEY, "cloud-init:user-data": USER_DATA, "user-data": "for the script",
                                     "user-script": "#!/bin/sh\ncat /var/db/mdata-user-data >>/root/user-script.out\n"}}
    node.ok("vmadm", "create", stdin=json.dumps(payload).encode())
    return uuid


def zone(node, uuid, script):
    return node.ok("zlogin", uuid, script)


def settled(node, uuid):
    """What cloud-init says when it is through."""
    return json.loads(node.run("zlogin", uuid, "cloud-init status --wait --format json", timeout=300)[1])


def test_cloud_init_configures_the_machine(node, machine_uuid):
    said = settled(node, machine_uuid)
    assert (said["status"], said["datasource"], said["errors"]) == ("done", "smartos", []), said
    assert zone(node, machine_uuid, "uname -v; cloud-init query v1.instance_id") == f"{VERSION}\n{machine_uuid}"
    assert zone(node, machine_uuid, "hostname; cat /etc/hostname") == "cloudy\ncloudy"
    assert zone(node, machine_uuid, "cat /root/.ssh/authorized_keys; stat -c %a /root/.ssh/authorized_keys") == f"{KEY}\n600"
    assert zone(node, machine_uuid, "cat /etc/motd; stat -c %a /etc/motd") == "written by cloud-init\n600"
    assert zone(node, machine_uuid, "cat /root/runcmd.out /root/user-script.out") == "cloudy\nfor the script"


def test_the_script_runs_at_every_boot_and_the_rest_once(node, machine_uuid):
    zone(node, machine_uuid, "rm /etc/motd /root/runcmd.out")
    node.ok("vmadm", "reboot", machine_uuid, timeout=RUN)
    assert settled(node, machine_uuid)["errors"] == []
    assert zone(node, machine_uuid, "cat /root/user-script.out") == "for the scriptfor the script"
    assert zone(node, machine_uuid, "ls /etc/motd /root/runcmd.out 2>/dev/null || :") == ""
    node.ok("vmadm", "delete", machine_uuid)


@pytest.fixture
def tiny(node):
    tiny_root(node)
    install_tiny(node, "tin", boot=False)
    yield "tin"
    remove(node, "tin")


def test_uname(node, tiny):
    """An lx zone's says what lx zones say, at every boot what its kernel_version is, and so do namespaces below; others say the node's."""
    ours = node.ok("uname", "-rv")
    for version in (None, "4.3.0", "5.10.0-11+deb11~x_" + "9" * 44 + "."):
        if version:
            node.ok("zonecfg", "-z", tiny, f"set kernel-version={version}")
        node.ok("zoneadm", "-z", tiny, "boot")
        want = f"{version or node.ok('uname', '-r')} {VERSION}"
        assert zone(node, tiny, "uname -rv") == want
        assert zone(node, tiny, "cat /proc/sys/kernel/osrelease /proc/sys/kernel/version").replace("\n", " ") == want
        assert zone(node, tiny, "unshare -u uname -rv") == want
        assert node.ok("uname", "-rv") == ours
        node.ok("zoneadm", "-z", tiny, "halt")
    install_native(node, "nat")
    assert zone(node, "nat", "uname -rv") == ours
    remove(node, "nat")


def test_releases_that_are_refused(node, tiny):
    for bad in ("x", "4.3.0,x", "4." + "3" * 63, "4.3\n0"):
        code, _, said = node.run("vmadm", "create", stdin=json.dumps(
            {"brand": "lx", "image_uuid": str(uuids.uuid4()), "kernel_version": bad}).encode())
        assert code == 1 and "kernel_version: " in said and said.count("\n") == 1, (bad, said)
    assert "release of a kernel" in node.refused(1, "zonecfg", "-z", tiny, "set kernel-version=x")


def test_who_may_say_it(node, tiny):
    """Nobody in a zone; and not even the node's root for the node itself, nor what is no text."""
    ours = node.ok("uname", "-rv")

    def write(text, inside):
        node.push(text, "/var/tmp/text")
        return node.run("sh", "-c", f"{inside} sh -c 'cat /var/tmp/text >{PARAMETER}'")[0]

    good, other = f"4.3.0\n{VERSION}", "unshare --uts"
    assert write(good, "") != 0
    assert write(good, other) == 0 and write(good + "\n", other) == 0
    for bad in ("one line", "a\nb\nc", "a\nb\n\n", "\x01\nb", "a\n\xe4", "a\n" + "b" * 65, "a" * 65 + "\nb", "a" * 5000 + "\nb"):
        assert write(bad, other) != 0, bad
    assert write(good, "setpriv --reuid 65534 --clear-groups --bounding-set -all unshare --uts") != 0
    assert write(good, "unshare --uts --user --map-root-user") != 0
    # A descriptor that was opened by who may does not help one who may not.
    assert node.run("sh", "-c", f"exec 3>{PARAMETER}; unshare --uts --user --map-root-user sh -c 'cat /var/tmp/text >&3'")[0] != 0
    assert node.ok("uname", "-rv") == ours
    node.ok("zoneadm", "-z", tiny, "boot")
    assert node.run("zlogin", tiny, f"echo x >{PARAMETER}")[0] != 0
