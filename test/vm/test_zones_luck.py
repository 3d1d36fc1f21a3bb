# SPDX-License-Identifier: MPL-2.0
# Copyright 2026 The Nereid authors
"""
Bad luck: what people, machines and tenants do to zones at the wrong moment. Afterwards everything is as it was or as it was
asked for, and who asked for the impossible was told why in one line.
"""

import pytest

from zones import (GUEST, GUEST_ON_NODE, TINY_INIT, TINY_ON_NODE, config, install_tiny, remove, run_state, states, tiny_root,
                   wait_for)

# What there is of zone $1: cgroups, processes in them, zoneadmd's run files but its log and lock, mounts on the node.
TRACES = r"""
for d in /sys/fs/cgroup/zones/$1 /sys/fs/cgroup/zones.mon/$1; do [ ! -e $d ] || echo "cgroup $d"; done
grep -lE "/zones(\.mon)?/$1(/|$)" /proc/[0-9]*/cgroup 2>/dev/null | while read f; do echo "process $f"; done || :
[ ! -e /run/zones/$1/sock ] || echo "socket"
grep -E " /dev/(pts|console)? " /proc/self/mountinfo | grep -vE ' /dev/pts ' | sed 's/^/mount /' || :
"""


@pytest.fixture(scope="module")
def node(module_machine):
    m = module_machine
    assert m.up(cold=False, answers="standard") == "ready"
    tiny_root(m)
    return m


@pytest.fixture
def zone(node, request):
    """An installed zone of this test's own that is gone afterwards, with all that was its."""
    name = request.node.name.removeprefix("test_").replace("_", "-")[:40]
    mounts = node.ok("sh", "-c", "wc -l </proc/self/mountinfo")
    install_tiny(node, name, boot=False)
    yield name
    remove(node, name)
    assert traces(node, name) == ""
    assert node.ok("sh", "-c", "wc -l </proc/self/mountinfo") == mounts
    assert node.run("zfs", "list", f"zones/{name}")[0] != 0


def traces(node, name):
    node.run("sh", "-c", f"for i in 1 2 3 4 5 6 7 8 9 10; do pgrep -f '^/usr/lib/nereid/zoneadmd {name}$' || break; sleep 0.2; done")
    return node.sh(f"set -- {name}\n{TRACES}")


# ---- people ----

def test_two_boots_at_once(node, zone):
    """One wins; the other gets one line and changes nothing."""
    said = node.sh(f"""
        for i in 1 2 3; do zoneadm -z {zone} boot 2>/tmp/said.$i && echo won & done
        wait; cat /tmp/said.?""").split("\n")
    losers = [line for line in said if line != "won"]
    assert said.count("won") == 1 and len(losers) == 2, said
    for line in losers:
        assert line.startswith(f"zoneadm: zone '{zone}': ") and ("another command" in line or "already" in line), line
    assert run_state(node, zone)["boots"] == 1 and states(node)[zone] == "running"


def test_halt_in_the_middle_of_boots(node, zone):
    for _ in range(4):
        node.sh(f"zoneadm -z {zone} boot 2>/dev/null & zoneadm -z {zone} halt 2>/dev/null || :; wait")
        if states(node)[zone] == "running":
            node.ok("zoneadm", "-z", zone, "halt")
        assert states(node)[zone] == "installed" and traces(node, zone) == ""


def test_its_dataset_is_destroyed(node, zone):
    """By hand, while it is down; it can be uninstalled and installed again."""
    node.ok("zfs", "destroy", "-r", f"zones/{zone}")
    for verb in ("boot", "ready", "verify", "detach"):
        said = node.refused(1, "zoneadm", "-z", zone, verb)
        assert zone in said and "dataset" in said, said
    assert states(node)[zone] == "installed" and traces(node, zone) == ""
    node.ok("zoneadm", "-z", zone, "uninstall", "-F")
    node.ok("zoneadm", "-z", zone, "install", "-d", TINY_ON_NODE)
    node.ok("zoneadm", "-z", zone, "boot")


def test_its_dataset_is_unmounted_while_it_runs(node, zone):
    """The zone holds it: it cannot be destroyed, and a reboot mounts it again."""
    node.ok("zoneadm", "-z", zone, "boot")
    assert "busy" in node.run("zfs", "destroy", "-r", f"zones/{zone}")[2]
    node.run("zfs", "unmount", f"zones/{zone}")
    assert node.ok("zlogin", "-S", zone, "/bin/ls /sbin/init") == "/sbin/init"
    node.ok("zoneadm", "-z", zone, "reboot")
    assert states(node)[zone] == "running"


def test_its_dataset_is_not_mounted(node, zone):
    """As after a boot of the node with canmount=noauto: both verbs mount it."""
    for verb in ("boot", "ready"):
        node.ok("zfs", "unmount", f"zones/{zone}")
        node.ok("zoneadm", "-z", zone, verb)
        assert states(node)[zone] == ("running" if verb == "boot" else "ready")
        node.ok("zoneadm", "-z", zone, "halt")


def test_names(node):
    for name in ("a/b", "../etc", "-x", "global", "", "a b", "x" * 65):
        said = node.refused(1, "zonecfg", "-z", name, "create -b") if name else ""
        assert len(said) < 300
        code, _, said = node.run("zoneadm", "-z", name, "boot")
        assert code in (1, 2) and said.count("\n") == 1, (name, said)
        code, _, said = node.run("zlogin", name, "id")
        assert code in (1, 2) and said.count("\n") == 1, (name, said)
    assert node.ok("sh", "-c", "ls /etc/zones") == ""


def test_wrong_words(node, zone):
    """Each is told in one line, with exit status 2."""
    for words in (["frobnicate"], ["boot", "-x"], ["-z"], ["list", "-pv"], ["clone"], ["move"], ["-R", "rel", "list"],
                  ["boot"], ["install", "-t"], ["shutdown", "-t", "never"]):
        argv = words if words[0].startswith("-") or words in (["boot"], ["list", "-pv"]) else ["-z", zone, *words]
        node.refused(2, "zoneadm", *argv)
    out = node.ok("zoneadm", "help")
    assert all(verb in out for verb in ("attach", "boot", "clone", "halt", "install", "list", "uninstall", "verify"))
    assert "-F" in node.ok("zoneadm", "help", "uninstall")


def test_interrupted_install(node):
    """^C undoes it; so the same command can be given again."""
    if not node.run("test", "-e", GUEST_ON_NODE)[0] == 0:
        node.push(GUEST, GUEST_ON_NODE)
    node.ok("zonecfg", "-z", "cut", "create -b; set brand=lx")
    code, _, said = node.run("timeout", "-s", "INT", "3", "zoneadm", "-z", "cut", "install", "-t", GUEST_ON_NODE)
    assert code == 124 and said == "zoneadm: zone 'cut': it was interrupted, and is undone\n", (code, said)
    assert states(node)["cut"] == "configured"
    assert node.run("zfs", "list", "zones/cut")[0] != 0 and node.run("test", "-e", "/zones/cut")[0] != 0
    assert node.run("pgrep", "-x", "tar")[0] != 0
    remove(node, "cut")


def test_killed_install(node):
    """kill -9: what it had started ends with it; incomplete says that there is something to clear away."""
    node.ok("zonecfg", "-z", "cut", "create -b; set brand=lx")
    node.run("timeout", "-s", "KILL", "3", "zoneadm", "-z", "cut", "install", "-t", GUEST_ON_NODE)
    wait_for(node, "! pgrep -x tar")
    assert states(node)["cut"] == "incomplete"
    assert "incomplete" in node.refused(1, "zoneadm", "-z", "cut", "install", "-t", GUEST_ON_NODE)
    node.ok("zoneadm", "-z", "cut", "uninstall", "-F")
    assert states(node)["cut"] == "configured" and node.run("zfs", "list", "zones/cut")[0] != 0
    remove(node, "cut")


# ---- roots ----

def test_no_init(node):
    node.sh("cp -a /var/tmp/tiny /var/tmp/noinit; rm /var/tmp/noinit/sbin/init")
    node.ok("zonecfg", "-z", "noinit", "create -b; set brand=lx")
    said = node.refused(1, "zoneadm", "-z", "noinit", "install", "-d", "/var/tmp/noinit")
    assert "/sbin/init" in said and "noinit" in said
    assert states(node)["noinit"] == "configured" and node.run("zfs", "list", "zones/noinit")[0] != 0
    node.push(TINY_INIT, "/var/tmp/noinit/sbin/init", 0o755)
    node.ok("zoneadm", "-z", "noinit", "install", "-d", "/var/tmp/noinit")
    node.sh("rm /zones/noinit/root/sbin/init")
    assert "/sbin/init" in node.refused(1, "zoneadm", "-z", "noinit", "boot")
    node.push("#!/bin/nothing\n", "/zones/noinit/root/sbin/init", 0o755)
    assert "/bin/nothing" in node.refused(1, "zoneadm", "-z", "noinit", "boot")
    node.push("no program\n", "/zones/noinit/root/sbin/init", 0o755)
    assert "neither" in node.refused(1, "zoneadm", "-z", "noinit", "boot")
    assert traces(node, "noinit") == ""
    remove(node, "noinit")
    node.sh("rm -r /var/tmp/noinit")


def test_another_architecture(node, zone):
    arm = b"\x7fELF\x02\x01\x01" + bytes(9) + b"\x02\x00\xb7\x00\x01\x00\x00\x00" + bytes(100)
    node.ok("sh", "-c", f"cat >/zones/{zone}/root/bin/busybox", stdin=arm)
    said = node.refused(1, "zoneadm", "-z", zone, "boot")
    assert "arm64" in said and "x86-64" in said and zone in said
    assert traces(node, zone) == ""


def test_a_full_pool(node):
    """A small pool of its own that the root does not fit into."""
    node.sh("truncate -s 100M /var/tmp/small; zpool create -m /small small /var/tmp/small")
    node.sh("mkdir /var/tmp/big; cp -a /var/tmp/tiny/. /var/tmp/big; dd if=/dev/urandom of=/var/tmp/big/data/x bs=1M count=100 "
            "status=none")
    node.ok("zonecfg", "-z", "full", "create -b; set brand=lx; set zpool=small; set quota=0")
    before = node.ok("zfs", "list", "-Hro", "name", "small")
    said = node.refused(1, "zoneadm", "-z", "full", "install", "-d", "/var/tmp/big")
    assert "full" in said and "No space left" in said
    assert states(node)["full"] == "configured"
    assert node.ok("zfs", "list", "-Hro", "name", "small") == before
    node.ok("zoneadm", "-z", "full", "install", "-d", TINY_ON_NODE)
    node.ok("zoneadm", "-z", "full", "boot")
    node.run("zlogin", "-S", "full", "/bin/dd if=/dev/urandom of=/data/fill bs=1M count=200")
    # It runs on, and even reboots, halts and goes on a pool without a free block.
    assert "No space" in node.run("zlogin", "-S", "full", "echo more >/data/more; sync")[2]
    node.ok("zoneadm", "-z", "full", "reboot")
    remove(node, "full")
    node.sh("zpool destroy small; rm -r /var/tmp/small /var/tmp/big")


# ---- tenants ----

def test_ten_thousand_processes(node):
    install_tiny(node, "many", "set max-lwps=200")
    out = node.sh("zlogin -S many 'i=0; while [ $i -lt 10000 ]; do sleep 60 & i=$((i+1)); done' 2>&1 || :")
    assert "can't fork" in out or "Cannot fork" in out or "Resource temporarily" in out, out
    assert int(node.ok("cat", "/sys/fs/cgroup/zones/many/pids.current")) <= 200
    assert states(node)["many"] == "running"
    node.ok("zoneadm", "-z", "many", "halt")
    assert traces(node, "many") == ""
    remove(node, "many")


def test_filling_tmp(node):
    """A tmpfs has its size, a dataset its quota; the node has what it had."""
    install_tiny(node, "fill", "add fs; set dir=/tmp; set type=tmpfs; add options size=4m; end")
    free = int(node.ok("zfs", "get", "-Hpo", "value", "available", "zones"))
    node.ok("zfs", "set", "quota=24M", "zones/fill")
    for path in ("/tmp/x", "/data/x"):
        said = node.run("zlogin", "-S", "fill", f"/bin/dd if=/dev/urandom of={path} bs=1M count=64")[2]
        assert "No space" in said or "quota" in said, said
    assert free - int(node.ok("zfs", "get", "-Hpo", "value", "available", "zones")) < 64 << 20
    node.ok("zoneadm", "-z", "fill", "reboot")
    assert node.ok("zlogin", "-S", "fill", "/bin/ls /tmp") == ""
    remove(node, "fill")


def test_killing_init(node, zone):
    """It is started again, and how and when it ended is known."""
    node.ok("zoneadm", "-z", zone, "boot")
    before = run_state(node, zone)
    node.sh(f"kill -9 {before['init']}")
    wait_for(node, f"grep -q '\"init_restarts\":1' /run/zones/{zone}/state.json")
    wait_for(node, f"grep -q '\"state\":\"running\"' /run/zones/{zone}/state.json")
    after = run_state(node, zone)
    assert after["init"] != before["init"] and after["exit_status"] == 9 and after["exit_time"] > before["boot_time"]
    assert after["boots"] == before["boots"] + 1
    # Nothing of the first one is left: not even a zombie.
    assert node.sh(f"cat /proc/{after['zoneadmd']}/task/*/children").split() == [str(after["init"])]


def test_killing_every_zoneadmd(node):
    """At once; the zones run on, and each gets another."""
    names = ["k1", "k2", "k3"]
    for name in names:
        install_tiny(node, name)
    before = {name: run_state(node, name) for name in names}
    node.sh("kill -9 " + " ".join(str(b["zoneadmd"]) for b in before.values()))
    for name in names:
        assert node.ok("zlogin", "-S", name, "hostname") == name
        wait_for(node, f"zoneadmd=$(pgrep -f '^/usr/lib/nereid/zoneadmd {name}$') && "
                       f"grep -q '\"zoneadmd\":'$zoneadmd /run/zones/{name}/state.json")
    after = {name: run_state(node, name) for name in names}
    for name in names:
        assert after[name]["init"] == before[name]["init"] and after[name]["zoneadmd"] != before[name]["zoneadmd"]
        node.ok("zoneadm", "-z", name, "halt")
        assert traces(node, name) == ""
    remove(node, *names)


# ---- faults ----

# One zoneadmd, kept alive by somebody at its console, whose boots fail at the first point, the second, and so on. After each
# one line: what zoneadm said | what there is of the zone | its zoneadmd's descriptors, mounts and children, before and after.
# The shell does all that by itself: processes are what costs in a node.
FAULTS = r"""
zone=$1
NEREID_FAULT=1 /usr/lib/nereid/zoneadmd $zone </dev/null >/dev/null 2>&1 &
pid=$!
until [ -S /run/zones/$zone/sock ]; do sleep 0.1; done
zlogin -I -N $zone </dev/null >/dev/null 2>&1 &
hold=$!
has() {
	set -- /proc/$pid/fd/*
	children= mounts=0
	read children </proc/$pid/task/$pid/children || :
	while read line; do mounts=$((mounts + 1)); done </proc/$pid/mountinfo
	now="$# $mounts $children"
}
of_it() {
	left=
	[ ! -e /sys/fs/cgroup/zones/$zone ] || left=cgroup
	read state </run/zones/$zone/state.json || state='"state":"installed"'
	case $state in *'"state":"installed"'*) ;; *) left="$left $state" ;; esac
}
sleep 2
has
before=$now
for n in $(seq 250); do
	said=$(zoneadm -z $zone boot 2>&1) && { echo "done $n"; break; }
	i=0
	has
	while [ "$now" != "$before" ] && [ $i -lt 1000 ]; do i=$((i + 1)); has; done
	of_it
	echo "$said|$left|$before|$now"
	case $said in *"fault $n:"* | *"Input/output error") ;; *) break ;; esac
done
kill $hold
"""

# A point of each kind that must have been among those that failed.
POINTS = [
    "create /sys/fs/cgroup/zones/", "write pids.max", "write memory.max", "attach the device filter", "give the cgroup",
    "after step root", "after step cgroup", "take a zone id", "write the state ready", "prepare the jail",
    "make a time namespace", "start its first process", "write uid_map", "write gid_map", "open its user namespace",
    "show the root with the zone's ids", "make the nodes of /dev", "wake its first process", "become root of the zone",
    "attach the root", "mount dev", "mount proc", "mount sys", "mount fs/cgroup", "mount pts", "mount shm",
    "hide what tells of the node", "copy the mask of /proc/", "mount /mnt", "make the console's terminal", "mount dev/console", "change to the zone's root",
    "leave the node's root", "hand a descriptor over", "set the hostname", "bring up the loopback interface",
    "take the console as terminal", "set resource limits", "install the system call filter", "drop capabilities",
    "run /sbin/init", "after step init", "write the state running",
]


def test_a_fault_at_each_step_of_a_boot(node):
    install_tiny(node, "fault", "add fs; set dir=/mnt; set special=/opt; set type=lofs; end; set max-lwps=100", boot=False)
    mounts = node.ok("sh", "-c", "wc -l </proc/self/mountinfo")
    lines = node.sh(f"set -- fault\n{FAULTS}", timeout=600).split("\n")
    assert lines[-1].startswith("done "), lines[-3:]
    points = []
    for n, line in enumerate(lines[:-1], 1):
        said, left, before, after = line.split("|")
        assert said.startswith("zoneadm: zone 'fault': "), line
        assert left == "" and after == before, line
        # Where the kernel's word is all there is: "take /opt for /mnt: Input/output error".
        points.append(said.split(f"fault {n}: ")[1] if f"fault {n}: " in said else said.split("boot zone 'fault': ")[1])
    for point in POINTS:
        assert any(p.startswith(point) for p in points), f"{point}: not among {points}"
    assert states(node)["fault"] == "running" and run_state(node, "fault")["boots"] == 1
    assert node.ok("zlogin", "-S", "fault", "hostname") == "fault"
    node.ok("zoneadm", "-z", "fault", "halt")
    assert traces(node, "fault") == "" and node.ok("sh", "-c", "wc -l </proc/self/mountinfo") == mounts


def test_a_fault_at_each_step_of_a_life(node):
    """install, clone, move and uninstall: what fails leaves the zone as it was, or incomplete where there is no way back."""
    node.ok("zonecfg", "-z", "step", "create -b; set brand=lx")
    each_fault(node, "step", f"zoneadm -z step install -d {TINY_ON_NODE}", "configured", ["zones/fault"])
    node.ok("zonecfg", "-z", "step2", "create -b; set brand=lx")
    each_fault(node, "step2", "zoneadm -z step2 clone step", "configured", ["zones/fault", "zones/step"])
    each_fault(node, "step2", "zoneadm -z step2 move /zones/moved", "installed", None)
    assert config(node, "step2")["zonepath"] == "/zones/moved"
    node.ok("zoneadm", "-z", "step2", "boot")
    node.ok("zoneadm", "-z", "step2", "halt")
    each_fault(node, "step", "zoneadm -z step uninstall -F", "incomplete", None)
    assert states(node)["step"] == "configured"
    node.ok("zoneadm", "-z", "step2", "boot")
    remove(node, "step2")
    node.ok("zonecfg", "-z", "step", "delete", "-F")
    remove(node, "fault")
    left = node.ok("zfs", "list", "-Hrt", "all", "-o", "name", "zones")
    assert "step" not in left and "fault" not in left


def each_fault(node, zone, command, state, datasets):
    """Until the command succeeds: after each failure the zone is in that state, and of the zones there are those datasets."""
    there = node.ok("zfs", "list", "-Hro", "name", "zones").split()
    for n in range(1, 40):
        code, _, said = node.run("sh", "-c", f"NEREID_FAULT={n} {command}")
        if code == 0:
            assert n > 3
            return
        assert said.count("\n") == 1 and f"fault {n}: " in said, said
        assert states(node)[zone] == state, said
        if datasets is not None:
            now = node.ok("zfs", "list", "-Hrt", "all", "-o", "name", "zones").split()
            assert [d for d in now if d not in there] == [], said
            assert node.run("test", "-e", f"/zones/{zone}")[0] != 0, said
        elif state == "installed":
            node.ok("zoneadm", "-z", zone, "verify")
    raise AssertionError(f"{command} does not succeed")
