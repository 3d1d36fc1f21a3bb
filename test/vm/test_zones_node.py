# SPDX-License-Identifier: MPL-2.0
# Copyright 2026 The Nereid authors
"""Zones come up with the node and go down before it: several at once but not all, and none can hold up the others."""

import pytest

from zones import install_tiny, remove, states, tiny_root, wait_for

# Says when it was started and when it was asked to end.
ORDERLY = "#!/bin/sh\necho up >>/data/log\ntrap 'echo down >>/data/log; exit 0' TERM\nwhile :; do sleep 1000 & wait; done\n"
STUBBORN = "#!/bin/sh\ntrap '' TERM HUP INT PWR\necho up >>/data/log\nwhile :; do sleep 1000 & wait; done\n"
GOOD = ("one", "two", "three")
MANY = tuple(f"many{i}" for i in range(10))


@pytest.fixture(scope="module")
def node(module_machine):
    m = module_machine
    assert m.up(cold=False, answers="standard") == "ready"
    tiny_root(m, "/var/tmp/orderly", ORDERLY)
    tiny_root(m, "/var/tmp/stubborn", STUBBORN)
    return m


def log(node, zone):
    return node.ok("cat", f"/zones/{zone}/root/data/log").split()


def test_a_reboot_of_the_node(node):
    """Whoever is set to comes back; a zone that cannot boot is told, and is nobody else's business."""
    for zone in GOOD:
        install_tiny(node, zone, "set autoboot=true", root="/var/tmp/orderly")
    install_tiny(node, "off", "set autoboot=false", root="/var/tmp/orderly")
    install_tiny(node, "noinit", "set autoboot=true", boot=False, root="/var/tmp/orderly")
    install_tiny(node, "nodata", "set autoboot=true", boot=False, root="/var/tmp/orderly")
    node.sh("rm /zones/noinit/root/sbin/init; zfs destroy -r zones/nodata")
    assert node.reboot() == "ready"
    node.sh("until systemctl is-active -q nereid-zones; do sleep 0.2; done")
    assert states(node) == {"global": "running", "off": "installed", "noinit": "installed", "nodata": "installed",
                            **{zone: "running" for zone in GOOD}}
    for zone in GOOD:
        assert log(node, zone) == ["up", "down", "up"], "it was asked to end, and ended by itself"
    assert log(node, "off") == ["up", "down"]
    told = node.ok("journalctl", "-b", "-u", "nereid-zones", "-o", "cat", "--no-pager").split("\n")
    for zone, why in (("noinit", "/sbin/init"), ("nodata", "zones/nodata")):
        lines = [line for line in told if f"'{zone}'" in line]
        assert len(lines) == 1 and why in lines[0], told
    assert node.ok("systemctl", "is-active", "nereid-zones") == "active"


def test_they_boot_several_at_once_and_not_all(node):
    for zone in ("noinit", "nodata", "off"):
        node.ok("zoneadm", "-z", zone, "uninstall", "-F")
        node.ok("zonecfg", "-z", zone, "delete", "-F")
    for zone in MANY:
        install_tiny(node, zone, "set autoboot=true", boot=False, root="/var/tmp/orderly")
    most = node.sh("""
        zoneadm boot-all & boot=$!; most=0
        while kill -0 $boot 2>/dev/null; do
            n=$(pgrep -cf '^/[^ ]*zoneadm -z many[0-9]+ boot$' || :); [ $n -le $most ] || most=$n
        done
        wait $boot; echo $most""")
    limit = 2 * int(node.ok("nproc"))
    assert 2 <= int(most) <= limit, "two for each processor"
    assert {state for zone, state in states(node).items()} == {"running"}


def test_the_time_of_one_is_not_the_others(node):
    """One that does not mind being asked is halted when its time is over, which is the same for all of them."""
    install_tiny(node, "stubborn", root="/var/tmp/stubborn")
    seconds = node.sh("a=$(date +%s); zoneadm halt-all -t 5; echo $(($(date +%s) - a))")
    assert 5 <= int(seconds) < 30
    assert set(states(node).values()) == {"running", "installed"} and states(node)["stubborn"] == "installed"
    for zone in (*GOOD, *MANY):
        assert states(node)[zone] == "installed" and log(node, zone)[-1] == "down"


def test_a_zoneadmd_that_does_not_answer_does_not_hold_up_the_node(node):
    """It is left when its time and a grace are over, and that is said."""
    for zone in ("one", "two"):
        node.ok("zoneadm", "-z", zone, "boot")
    node.sh("kill -STOP $(pgrep -f '^/usr/lib/nereid/zoneadmd one$')")
    code, _, err = node.run("zoneadm", "halt-all", "-t", "1", timeout=300)
    assert code == 1 and "zone 'one'" in err and "no answer to shutdown" in err, err
    assert states(node)["two"] == "installed" and log(node, "two")[-1] == "down"
    node.sh("kill -CONT $(pgrep -f '^/usr/lib/nereid/zoneadmd one$')")
    wait_for(node, "zoneadm -z one halt 2>/dev/null || zoneadm list -cp | grep -q ':one:installed:'")
    for zone in (*GOOD, *MANY, "stubborn"):
        remove(node, zone)
    assert states(node) == {"global": "running"}
