# SPDX-License-Identifier: MPL-2.0
# Copyright 2026 The Nereid authors
"""One node's life: set up unattended, rebooted, cut off, booted without its pool. The tests are parts of one story."""

import json

import pytest

from machine import ANSWERS, ANY_END, served
from riglib.qmp import Qmp

KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJ6bR7ZbVx9mHj3oQx2l1rF0d5f1QmWb0u0bF4mZq3nV tester@example"


@pytest.fixture(scope="module")
def story(module_machine):
    answers = {**ANSWERS, "root_authorized_keys": [KEY], "dns_search": "example.test"}
    state = module_machine.up(answers=answers, disks=[6, 6])
    assert state == "ready"
    module_machine.settle()
    return module_machine


@pytest.fixture
def node(story):
    """Up, whatever the test before left behind."""
    if not story.node.running():
        story.up(fresh=False)
    story.wait(ANY_END)
    return story


def facts(node):
    return {
        "guid": node.ok("zpool", "get", "-H", "-o", "value", "guid", "zones"),
        "hostname": node.ok("hostname"),
        "keys": node.sh("cat /etc/ssh/ssh_host_*_key.pub"),
        "uuid": json.loads(node.ok("sysinfo"))["UUID"],
        "shadow": node.sh("grep ^root: /etc/shadow"),
        "file": node.sh("cat /opt/mine /var/mine /etc/zones/mine /usbkey/mine"),
    }


def test_pool_and_datasets(node):
    assert node.ok("zpool", "get", "-H", "-o", "value", "health", "zones") == "ONLINE"
    assert "mirror-0" in node.ok("zpool", "status", "zones")
    have = set(node.ok("zfs", "list", "-H", "-o", "name").split("\n"))
    assert {f"zones/{d}" for d in ("config", "usbkey", "opt", "var", "cores", "archive", "boot")} <= have
    got = node.ok("zfs", "get", "-H", "-o", "property,value", "atime,compression", "zones").split()
    assert got == ["atime", "off", "compression", "lz4"]


@pytest.mark.parametrize("where, dataset", [
    ("/var", "var"), ("/opt", "opt"), ("/usbkey", "usbkey"), ("/etc/zones", "config")])
def test_what_lies_on_the_pool(node, where, dataset):
    assert node.ok("findmnt", "-n", "-o", "SOURCE,FSTYPE", where).split() == [f"zones/{dataset}", "zfs"]


def test_configuration_is_in_force(node):
    assert node.ok("hostname") == "tested"
    config = node.ok("cat", "/usbkey/config")
    assert "hostname=tested" in config and "admin_ip=dhcp" in config
    assert node.ok("stat", "-c", "%a", "/usbkey/config") == "600"
    assert KEY in node.ok("cat", "/root/.ssh/authorized_keys")
    assert "example.test" in node.ok("cat", "/etc/resolv.conf")
    assert node.ok("systemctl", "is-active", "ssh.service", "chrony.service") == "active\nactive"


def test_admin_network_is_up(node):
    info = json.loads(node.ok("sysinfo"))
    assert info["Admin IP"].startswith("10.0.2.")
    nics = [n for n in info["Network Interfaces"].values() if "admin" in n["NIC Names"]]
    assert [n["ip4addr"] for n in nics] == [info["Admin IP"]]
    node.ok("ping", "-c", "1", "-w", "10", "10.0.2.2")


def test_sshd_lets_the_key_in_and_no_empty_password(node):
    settings = node.ok("sshd", "-T").lower()
    assert "permitemptypasswords no" in settings
    assert "SSH-2.0" in node.sh("busybox nc -w 5 127.0.0.1 22 </dev/null | head -n 1")


def test_reboot_keeps_state(node):
    node.sh("for d in /opt /var /etc/zones /usbkey; do echo kept >$d/mine; done")
    before = facts(node)
    assert node.reboot() == "ready"
    assert facts(node) == before
    assert node.ok("zpool", "get", "-H", "-o", "value", "health", "zones") == "ONLINE"


def test_power_cut_keeps_state(node):
    before = facts(node)
    node.kill()
    assert node.up(fresh=False) == "ready"
    assert facts(node) == before


def test_damaged_config_line_is_told_and_the_node_boots(node):
    node.sh("cp /usbkey/config /usbkey/config.good; echo 'admin_ip=10.0.0.300' >>/usbkey/config")
    state = node.reboot(wait="ready|degraded*")
    assert state.startswith("degraded") and "admin_ip" in state and "10.0.0.300" in state
    node.sh("mv /usbkey/config.good /usbkey/config")


def test_missing_nic_is_told_and_the_node_boots(node):
    node.sh("cp /usbkey/config /usbkey/config.good; sed -i 's/^admin_nic=.*/admin_nic=02:00:00:00:00:99/' /usbkey/config")
    state = node.reboot(wait="ready|degraded*")
    assert state.startswith("degraded") and "02:00:00:00:00:99" in state
    node.sh("mv /usbkey/config.good /usbkey/config")


def test_noimport_leaves_the_pool_alone(node):
    node.off()
    state = node.up(fresh=False, append="noimport=true")
    assert state.startswith("noimport")
    assert node.run("zpool", "list", "zones")[0] != 0
    assert node.run("test", "-e", "/usbkey/config")[0] != 0


def test_degraded_pool_is_told(node):
    node.off()
    (node.node.dir / "disk1.qcow2").rename(node.node.dir / "gone.qcow2")
    kept = node.node.config
    state = node.up(fresh=False, append=None, disks=[6])
    assert state.startswith("degraded") and "zones" in state
    assert node.ok("hostname") == "tested"
    node.kill()
    (node.node.dir / "gone.qcow2").rename(node.node.dir / "disk1.qcow2")
    assert node.up(fresh=False, disks=kept["disks"]).startswith(("ready", "degraded"))


def test_missing_pool_is_told(node):
    """Disks that hold nothing any more: the node comes up and asks to be set up, or says what it misses."""
    node.off()
    state = node.up(fresh=False, disks=[])
    assert state.startswith(("setup", "degraded"))


def test_without_a_network_it_is_degraded_until_there_is_one(resumed):
    def link(up):
        with Qmp(resumed.node.dir) as qmp:
            qmp("set_link", name="net0", up=up)
    link(False)
    resumed.ok("/usr/lib/nereid/nereid-boot", "boot", "-l")
    state = resumed.wait("ready|degraded*")
    assert state.startswith("degraded") and "no link" in state
    assert resumed.ok("systemctl", "is-active", "ssh.service") == "active"
    link(True)
    assert resumed.wait("ready") == "ready"


def test_answers_from_a_url(machine, tmp_path):
    (tmp_path / "answers.json").write_text(json.dumps({**ANSWERS, "hostname": "by-url"}))
    with served(tmp_path) as url:
        assert machine.up(append=f"answers={url}/answers.json", disks=[4]) == "ready"
    assert machine.ok("hostname") == "by-url"
