# SPDX-License-Identifier: MPL-2.0
# Copyright 2026 The Nereid authors
"""
A Debian as a guest, with its own kernel and qemu-guest-agent: what a guest of one sector cannot show. It is booted once, for
all of this, as that takes minutes where all is emulated twice.
"""

import json
import re
import time

import pytest

from machine import BUILD
from terminal import Terminal
from vms import get, vmadm
from zones import wait_for

SLOW = 600  # seconds
DISK = BUILD / "debian-13-kvm.qcow2"


@pytest.fixture(scope="module")
def node(module_machine):
    if not DISK.exists():
        pytest.fail(f"{DISK}: not there; `live/build guest-disk` makes it")
    m = module_machine
    assert m.up(cold=False, answers="standard", cpus=2) == "ready"
    m.push(DISK, "/var/tmp/debian.qcow2")
    m.ok("nictagadm", "add", "-l", "stub0")
    return m


def says(line, text, seconds):
    try:
        line.expect(text, timeout=seconds)
    except AssertionError:
        return False
    return True


@pytest.fixture(scope="module")
def guest(node):
    """It runs, and somebody is logged in at its console."""
    code, out, said = node.run("imgadm", "import-disk", "/var/tmp/debian.qcow2", "name=debian-13-kvm", "version=1", timeout=SLOW)
    assert code == 0, said
    image = re.match(r"Imported image (\S+)", out).group(1)
    code, _, said = vmadm(node, "create", payload={
        "brand": "kvm", "ram": 384, "alias": "debian", "disks": [{"image_uuid": image, "boot": True}],
        "nics": [{"nic_tag": "stub0", "ips": ["10.98.0.2/24"], "gateways": ["10.98.0.1"]}]})
    assert code == 0, said
    uuid = re.search(r"VM (\S+)\n", said).group(1)
    line = Terminal(node, f"vmadm console {uuid}", "console")
    line.expect("login:", timeout=SLOW)
    wait_for(node, f"vmadm info {uuid} agent >/dev/null 2>&1", timeout=SLOW)
    # agetty throws away what is typed while it still sets the line up, after it has said that.
    for _ in range(5):
        line.type("root\r")
        if says(line, "root@guest:~#", 60):
            break
    else:
        pytest.fail(f"nobody is let in: {line.text()[-500:]!r}")
    return uuid, line


def log_of(node, uuid):
    return node.ok("cat", f"/run/zones/{uuid}/log")


def test_what_the_agent_says(node, guest):
    uuid, _ = guest
    wait_for(node, f"vmadm info {uuid} agent | grep -q '10[.]98[.]0[.]2'", timeout=SLOW)
    said = json.loads(node.ok("vmadm", "info", uuid, "agent,status"))
    assert sorted(said) == ["agent", "status"]
    agent = said["agent"]
    assert re.match(r"\d+\.", agent["guest-info"]["version"])
    assert agent["guest-get-osinfo"]["id"] == "debian"
    addresses = [a["ip-address"] for i in agent["guest-network-get-interfaces"] for a in i.get("ip-addresses", [])]
    assert "10.98.0.2" in addresses and "127.0.0.1" in addresses
    assert "agent" in json.loads(node.ok("vmadm", "info", uuid))


def test_a_snapshot_with_frozen_filesystems(node, guest):
    uuid, line = guest
    assert node.run("vmadm", "create-snapshot", uuid, "still") == (
        0, "", f"Created snapshot still for VM {uuid}, its filesystems frozen\n")
    assert [(s["name"], s["quiesced"]) for s in get(node, uuid)["snapshots"]] == [("still", True)]
    assert re.findall(r'"event":"(frozen|thawed)"', log_of(node, uuid)) == ["frozen", "thawed"]
    # What the guest itself has seen of it.
    line.type("journalctl -b | grep -o 'guest-fs[a-z]* called'\r")
    line.expect(r"called'\n")
    line.expect("guest-fsfreeze called", timeout=SLOW)
    line.expect("guest-fsthaw called", timeout=SLOW)


def test_thawed_whoever_dies(node, guest):
    """vmadm and zoneadmd are killed while it is frozen: the zoneadmd that takes over thaws it."""
    uuid, line = guest
    state = f"/run/zones/{uuid}/state.json"
    node.sh(f"vmadm create-snapshot {uuid} cut >/dev/null 2>&1 & p=$!; until grep -q '\"frozen\":true' {state}; do :; done; "
            f"kill -9 $p; pkill -9 -xf '/usr/lib/nereid/zoneadmd {uuid}'", timeout=SLOW)
    node.ok("vmadm", "info", uuid, "status")
    wait_for(node, f"! grep -q frozen {state}", timeout=SLOW)
    line = Terminal(node, f"vmadm console {uuid}", "again")
    line.type("\recho more >/root/more && sync && echo it is wr''itten\r")
    line.expect("it is written", timeout=SLOW)


def test_stopped_by_the_agent(node, guest):
    uuid, _ = guest
    started = time.monotonic()
    assert node.run("vmadm", "stop", uuid, timeout=SLOW) == (0, "", f"Successfully completed stop for VM {uuid}\n")
    assert time.monotonic() - started < 170, "it was halted when its time was over"
    assert get(node, uuid)["exit_status"] == 0
    log = log_of(node, uuid)
    assert '"event":"asked to power down"' in log and "power button" not in log
