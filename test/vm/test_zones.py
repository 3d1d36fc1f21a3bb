# SPDX-License-Identifier: MPL-2.0
# Copyright 2026 The Nereid authors
"""Zones on a node: a native one and an unmodified Debian in an lx one, through the operator's commands."""

import time

import pytest

from machine import RUN
from zones import await_running, install_lx, install_native, run_state, states, wait_for


@pytest.fixture(scope="module")
def node(module_machine):
    """A node with both zones installed and running."""
    m = module_machine
    assert m.up(cold=False, answers="standard") == "ready"
    install_native(m, "nat")
    install_lx(m, "deb", "add capped-memory; set physical=256m; end; set max-lwps=300")
    for zone in ("nat", "deb"):
        await_running(m, zone)
    return m


def test_list(node):
    assert states(node) == {"global": "running", "nat": "running", "deb": "running"}


def test_what_they_are(node):
    assert node.ok("zlogin", "deb", "cat /etc/debian_version").startswith("13")
    assert node.ok("zlogin", "nat", "hostname") == "nat"
    assert "nereid" in node.ok("zlogin", "nat", "cat /etc/os-release").lower()
    used = int(node.ok("zfs", "get", "-Hpo", "value", "used", "zones/nat"))
    assert used < 1 << 20, "a native zone is a few hundred KiB"


def test_exit_codes_and_streams(node):
    code, out, err = node.run("zlogin", "deb", "echo out; echo err >&2; exit 7")
    assert (code, out, err) == (7, "out\n", "err\n")
    code, out, _ = node.run("zlogin", "deb", "cat", stdin=b"through\n")
    assert (code, out) == (0, "through\n")


def test_a_zone_sees_itself_and_no_other(node):
    seen = node.ok("zlogin", "deb", "ps -e -o comm=").split("\n")
    assert "systemd" in seen and "sshd" not in seen and "zoneadmd" not in seen
    total = int(node.ok("zlogin", "deb", "free -m").split()[7])
    assert total == 256
    assert float(node.ok("zlogin", "deb", "cat /proc/uptime").split()[0]) < float(
        node.ok("cat", "/proc/uptime").split()[0])


def test_files_are_the_zones_inside_and_never_chowned(node):
    node.ok("zlogin", "deb", "touch /root/mine")
    assert node.ok("zlogin", "deb", "stat -c %u:%g /root/mine") == "0:0"
    assert node.ok("stat", "-c", "%u:%g", "/zones/deb/root/root/mine") == "0:0"
    maps = {zone: node.ok("zlogin", zone, "cat /proc/self/uid_map").split() for zone in ("nat", "deb")}
    assert maps["nat"][0] == "0" and maps["nat"][1] != maps["deb"][1] and int(maps["nat"][1]) >= 1_000_000


def test_services_with_sandboxes_of_their_own(node):
    """What made systemd's units fail in other zones: mount namespaces, users and devices within a service."""
    told = node.ok("zlogin", "deb", "systemd-run --quiet --wait --pipe -p DynamicUser=yes -p StateDirectory=mine "
                   "-p PrivateTmp=yes -p PrivateDevices=yes -p ProtectSystem=strict -p ProtectHome=yes -p NoNewPrivileges=yes "
                   "-p PrivateNetwork=yes -p ProtectKernelTunables=yes sh -c 'touch /var/lib/mine/here && ! touch /etc/x && "
                   "! [ -e /dev/console ] && [ -z \"$(ls -A /tmp)\" ] && [ $(id -u) -gt 60000 ] && echo works'", timeout=RUN)
    assert told == "works"
    assert node.ok("zlogin", "deb", "systemctl --failed --no-legend") == ""
    assert "Journal" in node.ok("zlogin", "deb", "journalctl -b -n 200 --no-pager -o cat -u systemd-journald")


def test_init_is_honoured(node):
    """reboot and poweroff inside are a reboot and a halt of the zone."""
    before = run_state(node, "nat")
    node.run("zlogin", "nat", "systemctl reboot")
    wait_for(node, f"grep -q '\"boots\":{before['boots'] + 1}' /run/zones/nat/state.json && "
                   "grep -q '\"state\":\"running\"' /run/zones/nat/state.json")
    await_running(node, "nat")
    node.run("zlogin", "nat", "systemctl poweroff")
    wait_for(node, "zoneadm list -cp | grep -q ':nat:installed:'")
    node.ok("zoneadm", "-z", "nat", "boot")
    await_running(node, "nat")


def test_reboot_from_outside(node):
    before = run_state(node, "nat")
    node.ok("zoneadm", "-z", "nat", "reboot")
    after = run_state(node, "nat")
    assert after["state"] == "running" and after["init"] != before["init"]
    await_running(node, "nat")


def test_entering_while_it_boots_does_not_disturb(node):
    """Systemd shares its cgroup out once, and cannot while a process is in it."""
    node.sh("zoneadm -z nat reboot; setsid zlogin -S nat 'sleep 1000' >/dev/null 2>&1 </dev/null &")
    await_running(node, "nat")
    assert node.ok("zlogin", "-S", "nat", "cat /sys/fs/cgroup/cgroup.subtree_control") == "memory pids"
    node.ok("zlogin", "-S", "nat", "pkill -x sleep")


def test_killing_zoneadmd_harms_nothing(node):
    before = run_state(node, "deb")
    node.sh(f"kill -9 {before['zoneadmd']}")
    assert node.ok("zlogin", "deb", "echo still here") == "still here"
    node.ok("zoneadm", "adopt")
    after = run_state(node, "deb")
    assert after["init"] == before["init"] and after["zoneadmd"] != before["zoneadmd"]
    assert states(node)["deb"] == "running"


def test_an_adopted_zone_still_reboots_and_halts(node):
    """The new zoneadmd is not the parent of init, whom alone the kernel tells which of the two it was."""
    before = run_state(node, "nat")
    node.sh(f"kill -9 {before['zoneadmd']}")
    node.ok("zoneadm", "adopt")
    node.run("zlogin", "nat", "systemctl reboot")
    wait_for(node, f"grep -q '\"boots\":{before['boots'] + 1}' /run/zones/nat/state.json && "
                   "grep -q '\"state\":\"running\"' /run/zones/nat/state.json")
    await_running(node, "nat")
    after = run_state(node, "nat")
    assert after["init_restarts"] == before["init_restarts"], "it was taken for init's death"
    node.sh(f"kill -9 {after['zoneadmd']}")
    node.ok("zoneadm", "adopt")
    node.run("zlogin", "nat", "systemctl poweroff")
    wait_for(node, "zoneadm list -cp | grep -q ':nat:installed:'")
    node.ok("zoneadm", "-z", "nat", "boot")
    await_running(node, "nat")


def test_refusals(node):
    assert "No such zone" in node.refused(1, "zoneadm", "-z", "nosuch", "boot")
    assert "deb" in node.refused(1, "zoneadm", "-z", "deb", "boot")
    assert "deb" in node.refused(1, "zoneadm", "-z", "deb", "uninstall", "-F")
    assert states(node)["deb"] == "running"


def test_halt_leaves_nothing(node):
    for zone in ("nat", "deb"):
        node.ok("zoneadm", "-z", zone, "halt")
    assert states(node) == {"global": "running", "nat": "installed", "deb": "installed"}
    time.sleep(0.5)
    assert node.run("sh", "-c", "ls -d /sys/fs/cgroup/zones/nat /sys/fs/cgroup/zones/deb 2>/dev/null")[1] == ""
    assert node.run("pgrep", "-x", "zoneadmd")[1] == ""
    node.ok("zoneadm", "-z", "nat", "uninstall", "-F")
    node.ok("zonecfg", "-z", "nat", "delete", "-F")
    assert "nat" not in states(node)
    assert node.run("zfs", "list", "zones/nat")[0] != 0
