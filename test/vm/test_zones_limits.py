# SPDX-License-Identifier: MPL-2.0
# Copyright 2026 The Nereid authors
"""What zones may use, changed while they run, and what they and the node are told of it: one node, a native zone and two small ones."""

import re

import pytest
from machine import RUN
from zones import install_native, install_tiny, run_state, wait_for

# One of the two CPUs is left for the native zone and the node when "a" has the other one.
NATIVE = ("set tmpfs=32m; set max-shm-memory=64m; set max-shm-ids=10; set max-msg-ids=20; set max-sem-ids=30; set hostid=deadbeef; "
          "set max-lwps=120; set quota=1g; add capped-cpu; set ncpus=1; end; "
          "add capped-memory; set physical=160m; set locked=16m; end")
SMALL = "add capped-memory; set physical=96m; end"
MIB = 1 << 20
CGROUP = "/sys/fs/cgroup/zones"


@pytest.fixture(scope="module")
def node(module_machine):
    m = module_machine
    assert m.up(cold=False, answers="standard") == "ready"
    install_native(m, "nat", NATIVE)
    for name in ("a", "b"):
        install_tiny(m, name, SMALL)
    return m


def zone(node, name, command):
    return node.ok("zlogin", name, command)


def cfg(node, name, commands):
    """What zonecfg says on standard error beside what it does."""
    code, _, err = node.run("zonecfg", "-z", name, commands)
    assert code == 0, err
    return err.strip()


def cgroup(node, name, *files):
    return node.sh(" ".join(["cd", f"{CGROUP}/{name};", "cat", *files])).split("\n")


def test_limits_of_memory_time_and_tasks(node):
    assert cgroup(node, "nat", "memory.max", "cpu.max", "cpu.weight", "pids.max") == [str(160 * MIB), "100000 100000", "100", "120"]
    # The zone sees the caps, and not where they can be changed.
    assert zone(node, "nat", "cd /sys/fs/cgroup; cat memory.max cpu.max pids.max").split("\n") == [str(160 * MIB), "100000 100000", "120"]
    node.refused(1, "zlogin", "nat", "echo max >/sys/fs/cgroup/memory.max")


FORKS = "i=0; while [ $i -lt 40 ]; do sleep 1000 >/dev/null 2>&1 & i=$((i+1)); done"


def test_more_threads_than_it_may_have_are_refused_in_the_zone_only(node):
    cfg(node, "b", "set max-lwps=30")
    out = node.run("zlogin", "b", FORKS)[2]
    assert "fork" in out, out
    assert 20 < int(cgroup(node, "b", "pids.current")[0]) <= 30
    node.ok("true")
    # Nobody can be let in before there is room again.
    cfg(node, "b", "clear max-lwps")
    zone(node, "b", "busybox killall sleep")
    wait_for(node, f"[ $(cat {CGROUP}/b/pids.current) -lt 10 ]")


def test_memory_beyond_the_limit_kills_in_the_zone_only(node):
    before = int(node.ok("cut", "-d.", "-f1", "/proc/uptime"))
    code, _, _ = node.run("zlogin", "a", "dd if=/dev/zero of=/dev/null bs=200M count=1")
    assert code != 0
    over, kills = node.ok("zonememstat", "-z", "a", "-p", "--output", "nover,oom").split(":")
    assert int(over) > 0 and int(kills) >= 1
    assert int(node.ok("cut", "-d.", "-f1", "/proc/uptime")) >= before


IPC = "cd /proc/sys/kernel; for f in shmmax shmall shmmni msgmni sem; do echo $(cat $f); done"


def test_ipc_limits_hold_against_the_zones_root(node):
    want = [str(64 * MIB), str(64 * MIB // 4096), "10", "20", "32000 1024000000 500 30"]
    assert zone(node, "nat", IPC).split("\n") == want
    for file in ("shmmax", "shmall", "shmmni", "msgmni", "sem"):
        node.run("zlogin", "nat", f"echo 30000 >/proc/sys/kernel/{file}")
        # Nothing mounted over it is what holds: another /proc is no way round it.
        node.run("zlogin", "nat", f"mkdir -p /tmp/p; mount -t proc proc /tmp/p && echo 30000 >/tmp/p/sys/kernel/{file}; umount /tmp/p")
    assert zone(node, "nat", IPC).split("\n") == want
    # What is not limited is the zone's own to set.
    assert zone(node, "nat", "echo 12345 >/proc/sys/kernel/msgmax; cat /proc/sys/kernel/msgmax") == "12345"
    assert zone(node, "a", "echo 9 >/proc/sys/kernel/shmmni; cat /proc/sys/kernel/shmmni") == "9"
    out = zone(node, "nat", "for i in 1 2 3 4 5 6 7 8 9 10 11 12; do ipcmk -M 4096; done 2>&1; :")
    assert out.count("Shared memory id") == 10 and "failed" in out, out
    assert node.ok("cat", "/proc/sys/kernel/shmmni") == "4096"


def test_what_a_process_may_lock_and_start(node):
    limits = zone(node, "nat", "cat /proc/self/limits /proc/1/limits")
    assert limits.count("Max locked memory         16777216             16777216") == 2, limits
    node.refused(1, "zlogin", "nat", "ulimit -Hl 99999")
    assert "at its next boot" not in cfg(node, "b", "set max-processes=10")
    assert cgroup(node, "b", "pids.max") == ["100"]
    assert "Max processes             10                   10" in zone(node, "b", "cat /proc/1/limits")
    assert "fork" in node.run("zlogin", "b", FORKS)[2]
    cfg(node, "b", "clear max-processes; clear max-lwps")
    assert cgroup(node, "b", "pids.max") == ["max"]
    assert "Max processes             unlimited            unlimited" in zone(node, "b", "busybox killall sleep; cat /proc/1/limits")


def test_hostid(node):
    assert zone(node, "nat", "hostid") == "deadbeef"
    ids = {name: zone(node, name, "busybox hostid") for name in ("a", "b")}
    assert ids["a"] != ids["b"]
    assert f"hostid: {ids['a']} (of its uuid)" in node.ok("zonecfg", "-z", "a", "info hostid")
    assert "hostid" not in node.ok("zonecfg", "-z", "a", "export")


def test_changes_while_it_runs(node):
    said = cfg(node, "nat", "set cpu-shares=300; set max-shm-memory=32m; set max-lwps=150; set tmpfs=16m; set quota=2g; "
               "set hostname=other; select capped-memory; set physical=128m; set locked=8m; end; select capped-cpu; set ncpus=0.5; end")
    assert said == "zonecfg: zone 'nat': at its next boot: hostname"
    assert node.ok("zonecfg", "-z", "nat", "info").split("\n")[-1] == "at its next boot: hostname"
    assert cgroup(node, "nat", "memory.max", "cpu.max", "cpu.weight", "pids.max") == [str(128 * MIB), "50000 100000", "300", "150"]
    assert zone(node, "nat", "cat /sys/fs/cgroup/memory.max") == str(128 * MIB)
    assert zone(node, "nat", "cat /proc/sys/kernel/shmmax") == str(32 * MIB)
    assert zone(node, "nat", "df -m --output=size /tmp | tail -1").strip() == "16"
    assert "Max locked memory         8388608              8388608" in zone(node, "nat", "cat /proc/1/limits")
    assert node.ok("zfs", "get", "-Hpo", "value", "quota", "zones/nat") == str(2 << 30)
    assert zone(node, "nat", "hostname") == "nat"
    # Back, and it is forgotten; what cannot be is told and stays saved.
    assert cfg(node, "nat", "clear hostname; remove capped-cpu") == ""
    assert cgroup(node, "nat", "cpu.max", "init/cpu.max") == ["max 100000", "max 100000"]
    zone(node, "nat", "head -c 10M /dev/zero >/tmp/x")
    said = cfg(node, "nat", "set tmpfs=5m")
    assert said.startswith("zonecfg: zone 'nat': saved, but not in force: give /tmp in the zone 5M"), said
    assert "tmpfs: 5M" in node.ok("zonecfg", "-z", "nat", "info tmpfs")
    zone(node, "nat", "rm /tmp/x")
    assert cfg(node, "nat", "set tmpfs=0") == "zonecfg: zone 'nat': at its next boot: tmpfs"
    assert cfg(node, "nat", "set tmpfs=16m") == ""
    # Memory that cannot be taken from it is left to it.
    zone(node, "nat", "head -c 30M /dev/zero >/dev/shm/x")
    said = cfg(node, "nat", "select capped-memory; set physical=32m; end")
    assert re.match(r"zonecfg: zone 'nat': saved, but not in force: capped-memory: it uses \d+ MiB that cannot be taken from it; "
                    r"at 32 MiB it would be killed\n.*at its next boot: capped-memory$", said), said
    assert node.ok("zonecfg", "-z", "nat", "info").split("\n")[-1] == "at its next boot: capped-memory"
    assert cgroup(node, "nat", "memory.max") == [str(128 * MIB)] and zone(node, "nat", "echo alive") == "alive"
    zone(node, "nat", "rm /dev/shm/x")
    assert cfg(node, "nat", "select capped-memory; set physical=128m; end") == ""


def test_what_has_no_effect_is_told(node):
    said = cfg(node, "b", "set zfs-io-priority=400")
    assert said.startswith("zonecfg: zone 'b': zfs-io-priority is kept and has no effect"), said
    code, _, err = node.run("zoneadm", "-z", "b", "verify")
    assert code == 0 and "no effect" in err and err.count("\n") == 1
    assert cfg(node, "b", "set zfs-io-priority=100") == ""


def test_changes_survive_the_death_of_zoneadmd(node):
    """What is in force is known to the next one, which compares with it."""
    assert cfg(node, "nat", "set hostname=other") != ""
    node.sh(f"kill -9 {run_state(node, 'nat')['zoneadmd']}")
    node.ok("zoneadm", "adopt")
    assert cfg(node, "nat", "set cpu-shares=200") == "zonecfg: zone 'nat': at its next boot: hostname"
    assert cgroup(node, "nat", "cpu.weight") == ["200"]
    assert cfg(node, "nat", "clear hostname") == ""


def cpus(node):
    return {where: node.ok("cat", f"{CGROUP}{where}/cpuset.cpus.effective") for where in ("", "/a", "/b")}


def test_dedicated_cpus(node):
    assert node.ok("nproc") == "2"
    assert cfg(node, "a", "add dedicated-cpu; set ncpus=1-4; end") == ""
    assert cpus(node) == {"": "0", "/a": "1", "/b": "0"}
    assert node.ok("zonecfg", "-z", "a", "info dedicated-cpu").split("\n") == ["dedicated-cpu:", "\tncpus: 1-4", "\t[cpus: 1]"]
    assert zone(node, "a", "busybox nproc; grep -c ^processor /proc/cpuinfo") == "1\n1"
    assert zone(node, "nat", "nproc") == "1"
    assert node.ok("nproc") == "1"
    # No other zone can have the one that is left for all; it boots again when it wants less.
    assert "saved, but not in force: dedicated-cpu: it wants 1 CPUs, and of the node's only 0 are" in cfg(
        node, "b", "add dedicated-cpu; set ncpus=1; end")
    node.ok("zoneadm", "-z", "b", "halt")
    said = node.refused(1, "zoneadm", "-z", "b", "boot")
    assert "dedicated-cpu: it wants 1 CPUs" in said and node.run("ls", f"{CGROUP}/b")[0] != 0
    # A halt gives them back.
    node.ok("zoneadm", "-z", "a", "halt")
    assert node.ok("nproc") == "2"
    node.ok("zoneadm", "-z", "b", "boot")
    assert cpus_of(node, "b") == "1"
    assert cfg(node, "b", "remove dedicated-cpu") == ""
    assert node.ok("nproc") == "2" and cpus_of(node, "b") == "0-1"
    cfg(node, "a", "remove dedicated-cpu")
    node.ok("zoneadm", "-z", "a", "boot")


def cpus_of(node, name):
    return node.ok("cat", f"{CGROUP}/{name}/cpuset.cpus.effective")


def test_cap_of_cpu_time(node):
    """Half a CPU is half a CPU: by the kernel's own clock, over what the zone could use."""
    cfg(node, "a", "add capped-cpu; set ncpus=0.5; end")
    used = node.sh(f"""
        zlogin a 'while :; do :; done' & busy=$!
        sleep 1
        u() {{ sed -n 's/usage_usec //p' {CGROUP}/a/cpu.stat; }}
        t() {{ cut -d' ' -f1 /proc/uptime | tr -d .; }}
        u0=$(u); t0=$(t); sleep 4; u1=$(u); t1=$(t)
        kill $busy
        echo $(( (u1 - u0) / 100 / (t1 - t0) ))""")
    assert 20 <= int(used) <= 55, f"{used} % of a CPU with a cap of 50"
    # Both CPUs, for as long as one would last.
    assert zone(node, "a", "busybox nproc; grep -c ^processor /proc/cpuinfo") == "2\n1"
    cfg(node, "a", "remove capped-cpu")


TRUTH = {"nat": ("ps -e -o pid=,comm=", "free -m", "uptime -p", "nproc", "dmesg", "findmnt -rno SOURCE,FSROOT", "df -a", "top -bn1"),
         "a": ("busybox ps -o pid,comm", "cat /proc/meminfo", "busybox uptime", "busybox nproc", "busybox dmesg", "cat /proc/self/mountinfo",
               "df", "busybox top -bn1")}


@pytest.mark.parametrize("name", TRUTH)
def test_a_zone_is_told_of_itself(node, name):
    ps, free, uptime, nproc, dmesg, mounts, df, top = TRUTH[name]
    total = {"nat": 128, "a": 96}[name]
    seen = zone(node, name, ps)
    assert not any(word in seen for word in ("zoneadmd", "sshd", "lxcfs", "kthreadd", "rig")), seen
    assert str(total if name == "nat" else total << 10) in zone(node, name, free)
    assert zone(node, name, nproc) == "2"
    assert " 0 min" in zone(node, name, uptime) or "up" in zone(node, name, uptime)
    node_up, zone_up = (float(node.ok(*cmd).split()[0]) for cmd in (("cat", "/proc/uptime"), ("zlogin", name, "cat /proc/uptime")))
    assert zone_up < node_up
    assert zone(node, name, "cat /proc/loadavg").split()[0] != ""
    code, out, err = node.run("zlogin", name, dmesg)
    assert code != 0 and out == "" and "not permitted" in err
    # Of the node's paths nothing: its own dataset, the platform's two layers, and lxcfs.
    for text in (zone(node, name, mounts), zone(node, name, df)):
        for word in ("/var/", "/etc/zones", "devtmpfs", "/dev/vd", "overlay", "zones/b"):
            assert word not in text, text
    listed = {line.split()[-1] for line in zone(node, name, "df").split("\n")[1:]}
    control = {"nat": {"/.zonecontrol"}, "a": {"/native/.zonecontrol", "/native/usr/sbin"}}[name]
    assert listed <= control | {"/", "/dev", "/dev/shm", "/run", "/tmp", "/usr", "/usr/lib/os-release", "/run/nereid/platform/etc"}, listed
    assert "init" in zone(node, name, top) or "systemd" in zone(node, name, top)


def test_lxcfs_may_die(node):
    def views(name):
        return zone(node, name, "for f in cpuinfo diskstats loadavg meminfo stat swaps uptime; do cat /proc/$f >/dev/null && echo $f; done; "
                                "cat /sys/devices/system/cpu/online").split("\n")
    whole = {name: views(name) for name in ("nat", "a")}
    assert len(whole["nat"]) == len(whole["a"]) == 8
    node.sh("kill -9 $(pgrep -x lxcfs)")
    for name in ("nat", "a", "b"):
        wait_for(node, f"zlogin {name} 'cat /proc/meminfo' >/dev/null 2>&1")
        wait_for(node, f"zlogin {name} 'cat /sys/devices/system/cpu/online' >/dev/null 2>&1")
    assert {name: views(name) for name in ("nat", "a")} == whole
    assert zone(node, "nat", "head -1 /proc/meminfo").split()[1] == str(128 << 10)
    # The new ones lie over the dead ones: what a zone has from the node nobody in it can take away.
    assert zone(node, "nat", "grep -c lxcfs /proc/mounts") == "16"
    # A zone that boots while there is none gets it when it comes.
    node.ok("zoneadm", "-z", "b", "halt")
    node.sh("systemctl stop lxcfs nereid-views; zoneadm -z b boot")
    assert zone(node, "b", "grep -c lxcfs /proc/mounts || :") == "0"
    node.ok("systemctl", "start", "lxcfs")
    wait_for(node, "[ $(zlogin b 'grep -c lxcfs /proc/mounts') = 8 ]")
    assert zone(node, "b", "head -1 /proc/meminfo").split()[1] == str(96 << 10)
