# SPDX-License-Identifier: MPL-2.0
# Copyright 2026 The Nereid authors
"""
Zones against Debian's own runtimes, the floor and themselves. The same scripts run in the same root in two places: on this
machine (natively, as emulation punishes large programs) and on a node.
"""
import collections
import json
import os
import shutil
import statistics
import subprocess
import sys
from pathlib import Path

TOP = Path(__file__).resolve().parents[2]
HERE = TOP / "test/bench"
WORK = TOP / "build/bench"
SCRIPTS = ("prepare", "census", "many", "cycles", "machines", "links")
SHELL_INIT = "#!/bin/sh\ntrap 'exit 0' TERM\nwhile :; do sleep 100000 & wait; done\n"
DIRS = ("bin", "sbin", "usr", "dev", "proc", "sys", "run", "tmp", "etc")
NODE_DIR = "/var/tmp/bench"


def sh(*argv, **kwargs):
    done = subprocess.run([str(a) for a in argv], stdin=subprocess.DEVNULL, cwd=TOP, **kwargs)
    if done.returncode != 0:
        if done.stderr:
            print(done.stderr, file=sys.stderr)
        raise SystemExit(f"bench: {argv[0]} ended with status {done.returncode}")
    return done


def same_protection(path):
    """
    What makes crun's container as guarded as a zone is, as members of its configuration: a user namespace, and the filter
    that podman has for one with crun's default capabilities.
    """
    rules = json.loads((TOP / "build/runtimes/seccomp.json").read_text())
    syscalls = [{k: v for k, v in rule.items() if k in ("names", "action", "args", "errnoRet") and v not in (None, [])}
                for rule in rules["syscalls"]
                if not set(rule.get("includes", {}).get("caps", [])) - {"CAP_AUDIT_WRITE", "CAP_KILL", "CAP_NET_BIND_SERVICE"}
                and "amd64" in rule.get("includes", {}).get("arches", ["amd64"])
                and "amd64" not in rule.get("excludes", {}).get("arches", [])]
    ids = [{"containerID": 0, "hostID": 1000000, "size": 65536}]
    seccomp = {"defaultAction": rules["defaultAction"], "defaultErrnoRet": rules.get("defaultErrnoRet", 38),
               "architectures": ["SCMP_ARCH_X86_64", "SCMP_ARCH_X86", "SCMP_ARCH_X32"], "syscalls": syscalls}
    members = {"uidMappings": ids, "gidMappings": ids, "seccomp": seccomp}
    path.write_text("".join(f"{json.dumps(k)}: {json.dumps(v)},\n" for k, v in members.items()))


def make_work(work):
    """What `enter` shows as /bench: two roots for zones, the static programs, the scripts."""
    sh("live/build", "programs", "runtimes")
    sh("live/build", "shell", "--", "sh", "-ec", "d=build/bench/meson; [ -e $d/build.ninja ] || meson setup $d >/dev/null; "
       "ninja -C $d test/bench/bench-floor test/bench/bench-idle test/bench/bench-race test/bench/bench-wire >/dev/null")
    shutil.rmtree(work, ignore_errors=True)
    for root in ("rootfs", "shellfs"):
        for d in DIRS:
            (work / root / d).mkdir(parents=True)
    built = WORK / "meson/test/bench"
    for name in ("floor", "race", "wire"):
        shutil.copy(built / f"bench-{name}", work / name)
    shutil.copy(built / "bench-idle", work / "rootfs/sbin/idle")
    busybox = work / "shellfs/bin/busybox"
    shutil.copy(TOP / "build/runtimes/root/usr/bin/busybox", busybox)
    for name in ("sh", "sleep"):
        (busybox.parent / name).symlink_to("busybox")
    init = work / "shellfs/sbin/init"
    init.write_text(SHELL_INIT)
    init.chmod(0o755)
    same_protection(work / "same.json")
    for name in SCRIPTS:
        shutil.copy(HERE / name, work / name)


class Native:
    """
    This machine. At real-time priority, all contestants alike: on a machine that others use, the differences are otherwise
    lost in the noise.
    """
    name = "natively"

    def __init__(self):
        self.work = WORK / "native"
        make_work(self.work)
        self.programs = next((TOP / "build").glob("programs-*"))

    def run(self, script, timeout):
        done = sh("chrt", "--rr", "10", HERE / "enter", TOP / "build/runtimes", self.programs, self.work, "bash", "-ec", script,
                  capture_output=True, text=True, timeout=timeout)
        return done.stdout

    def close(self):
        shutil.rmtree(self.work, ignore_errors=True)


class OnNode:
    """A node of its own, from the saved machine."""

    def __init__(self, name="on a node", options=(), accel=None):
        self.name = name
        self.rig = str(TOP / "test/rig")
        work = WORK / "node"
        make_work(work)
        env = {**os.environ, **({"NEREID_ACCEL": accel} if accel else {})}
        sh(self.rig, "up", "--name", "bench-zones", "--fresh", *options, env=env)
        self.sh(f"mkdir -p {NODE_DIR}/runtimes/root {NODE_DIR}/programs/usr/lib {NODE_DIR}/programs/usr/sbin {NODE_DIR}/work")
        sh(self.rig, "push", "--name", "bench-zones", TOP / "build/runtimes/root.tar.zst", "/var/tmp/root.tar.zst")
        tar = WORK / "node.tar"
        sh("tar", "-C", work, "-cf", tar, ".")
        sh(self.rig, "push", "--name", "bench-zones", tar, "/var/tmp/work.tar")
        sh(self.rig, "push", "--name", "bench-zones", HERE / "enter", f"{NODE_DIR}/enter")
        self.sh(f"cd {NODE_DIR}; tar -C runtimes/root -xf /var/tmp/root.tar.zst; tar -C work -xf /var/tmp/work.tar; "
                "rm /var/tmp/root.tar.zst /var/tmp/work.tar; mkdir runtimes/root/dev; "
                "cp -a /usr/lib/nereid programs/usr/lib/; cp -a /usr/sbin/vmadm /usr/sbin/zoneadm /usr/sbin/zonecfg programs/usr/sbin/")

    def sh(self, script, timeout=600):
        return sh(self.rig, "run", "--name", "bench-zones", "--no-stdin", "--timeout", str(timeout), "--", "bash", "-ec", script,
                  capture_output=True, text=True).stdout

    def run(self, script, timeout):
        return self.sh(f"cd {NODE_DIR}; exec ./enter $PWD/runtimes $PWD/programs $PWD/work bash -ec '{script}'", timeout)

    def close(self):
        sh(self.rig, "remove", "--name", "bench-zones")


# ---- the race ----

def race(place, rounds, timeout):
    """{case: [[milliseconds of each command] of each round]}"""
    out = place.run(f"./prepare >&2; ./race 1 <cases >&2; ./race {rounds} <cases || {{ cat race.log >&2; exit 1; }}", timeout)
    steps = collections.defaultdict(lambda: collections.defaultdict(list))
    for line in out.splitlines():
        name, step, us = line.split("\t")
        steps[name][int(step)].append(float(us) / 1000)
    return {name: list(zip(*(by[i] for i in sorted(by)))) for name, by in steps.items()}


def first(rounds):
    return [r[0] for r in rounds]


def whole(rounds):
    return [sum(r) for r in rounds]


def beside(mine, peers):
    """Each peer's median and how much of it ours is."""
    ours = statistics.median(mine)
    return ", ".join(f"{name} {statistics.median(v):.1f} ({ours / statistics.median(v):.2f} of it)" for name, v in peers)


def bench_race(fig, place, rounds, timeout):
    times = race(place, rounds, timeout)
    for name, rounds_of in times.items():
        each = "; ".join(f"{statistics.median(v):.1f} ({min(v):.1f} to {max(v):.1f})" for v in zip(*rounds_of))
        print(f"    {name}: {each}", flush=True)
    boot = first(times["zone"])
    how = f"`make bench`, {place.name}: `zoneadm boot`, lx zone with an init that does nothing, plain directory as root, interleaved"
    fig.add(f"zone boot {place.name}", "2.5 x floor, 0.5 x crun, 0.2 x lxc-start", boot, "ms", how, beside(boot, [
        ("floor", whole(times["floor"])), ("`crun run -d`", first(times["crun run -d"])),
        ("`crun run -d` with user namespace and podman's filter", first(times["crun, guarded alike"])),
        ("`runc run -d`", first(times["runc run -d"])), ("`lxc-start`", first(times["lxc-start"]))]))
    cycle = whole(times["zone"])
    fig.add(f"zone boot and halt {place.name}", "-", cycle, "ms", "the same run", beside(cycle, [
        ("floor, once", whole(times["floor"])), ("crun run -d, delete", whole(times["crun run -d"])),
        ("crun create, start, delete", whole(times["crun create"])),
        ("crun run -d, delete, with user namespace and podman's filter", whole(times["crun, guarded alike"])),
        ("crun run, once", whole(times["crun run"])),
        ("runc run -d, delete", whole(times["runc run -d"])), ("runc create, start, delete", whole(times["runc create"])),
        ("lxc-start, lxc-stop", whole(times["lxc-start"])), ("systemd-nspawn, once", whole(times["nspawn"]))]))
    by_ready = whole(times["zone, by ready"])
    fig.add(f"zone ready, boot and halt {place.name}", "-", by_ready, "ms", "the same run", "-")


# ---- figures by name ----

def figures(text):
    """Lines of "name value": {name: [values]}"""
    got = collections.defaultdict(list)
    for line in text.splitlines():
        name, _, value = line.partition(" ")
        got[name].append(float(value))
    return got


def changes(got):
    """What a census counted after and before."""
    names = [n.removeprefix("before_") for n in got if n.startswith("before_") and "after_" + n.removeprefix("before_") in got]
    return ", ".join(f"{n} {got['before_' + n][0]:.0f} -> {got['after_' + n][0]:.0f}" for n in names)


def bench_many(fig, place, n, timeout, rounds=11):
    got = figures(place.run(f"./many {n} {rounds}", timeout))
    blocks = {name: v[0] for name, v in got.items() if name.startswith("boot_ms_to_")}
    fig.add(f"boot of each of {n} lx zones with a shell, in blocks of 50, {place.name}", "flat", list(blocks.values()), "ms",
            f"`make bench`, {place.name}: one after the other", "first block {:.0f}, last {:.0f}".format(
                *list(blocks.values())[::len(blocks) - 1][:2]) if len(blocks) > 1 else "-")
    assert got["running"] == [n], got
    for name, goal in (("list", "50 ms"), ("list_-cv", "-"), ("list_-p", "-")):
        fig.add(f"`zoneadm {name.replace('_', ' ')}` of {n} zones {place.name}", goal, [v / 1000 for v in got["us_" + name]], "ms",
                "the same run", f"`date`, the least a program takes: {statistics.median(got['us_date']) / 1000:.1f} ms")
    sizes = [1, *([50] if n >= 50 else []), n]
    for what, goal, text in (("rss", "1.2 MiB", "resident memory"), ("private_dirty", "400 KiB", "memory of its own (private dirty)"),
                             ("private", "400 KiB", "private memory, its text too where it alone uses it"), ("pss", "-", "Pss")):
        fig.add(f"`zoneadmd`, {text}, {place.name}", goal, got[f"{what}_{n}"], "KiB", f"`smaps_rollup`, mean of {n}",
                "of " + ", ".join(f"{s}: {got[f'{what}_{s}'][0]:.0f}" for s in sizes))
    fig.add(f"memory a zone, all of it, {place.name}", "-", got["memory_a_zone_KiB"], "KiB", "MemAvailable before and after")
    fig.add(f"halt of each of {n} zones {place.name}", "-", got["halt_ms"], "ms", "the same run", changes(got))


def bench_cycles(fig, place, n, seconds):
    got = figures(place.run(f"./prepare >&2; ./cycles {n} {seconds}", seconds * 3 + 600))
    fig.add(f"boot/halt cycles {place.name}, and what is left", "all as before", got["cycles"], "cycles",
            f"`make bench`, {place.name}; then {got['reboots'][0]:.0f} reboots of one zoneadmd", changes(got))


def bench_machines(fig, place, n, rounds=11):
    got = figures(place.run(f"./machines {n} {rounds}", 1200))
    for name, goal in (("list", "20 ms"), ("list_-p_-o_uuid,state", "-"), ("lookup_state=running", "-"), ("lookup_-j", "-")):
        fig.add(f"`vmadm {name.replace('_', ' ')}` of {n} machines {place.name}", goal, [v / 1000 for v in got["us_" + name]], "ms",
                "`make bench`", f"`date`, the least a program takes: {statistics.median(got['us_date']) / 1000:.1f} ms")


PEERS_DIR = "/var/tmp/peers"


def bench_peers(fig, runs):
    """vmadm beside Incus and LXC, on a node and its pool; what is compared is from an installed image to init running."""
    sh("live/build", "platform", "incus")
    rig = str(TOP / "test/rig")
    files = {TOP / "build/incus.tar.zst": "incus.tar.zst", HERE / "enter": "enter", HERE / "peers": "peers"}

    def run(script, timeout=600):
        return sh(rig, "run", "--name", "bench-peers", "--no-stdin", "--timeout", str(timeout), "--", "bash", "-ec", script,
                  stdout=subprocess.PIPE, text=True).stdout
    sh(rig, "up", "--name", "bench-peers", "--fresh", "--memory", "3072", "--cold")
    try:
        run(f"mkdir -p {PEERS_DIR}/runtimes/root")
        for path, name in files.items():
            sh(rig, "push", "--name", "bench-peers", path, f"{PEERS_DIR}/{name}")
        run(f"cd {PEERS_DIR}; tar -C runtimes/root -xf incus.tar.zst --exclude=./dev/*")
        got = figures(run(f"cd {PEERS_DIR}; ./peers {runs}", 3600))
    finally:
        sh(rig, "remove", "--name", "bench-peers")
    how = "`make bench`, on a node: lx machine of an image of busybox, no NIC; peers on the same pool, interleaved"
    names = {"create": ("0.1 x incus launch", "`incus launch`", "`lxc-copy -s`, `lxc-start`, without user namespace"), "stop": ("0.2 x Incus", "`incus stop --force`", "`lxc-stop -k`"),
             "delete": ("0.2 x Incus", "`incus delete`", "`lxc-destroy`")}
    for verb, (goal, incus, lxc) in names.items():
        fig.add(f"`vmadm {verb}{' -F' if verb == 'stop' else ''}` of an lx machine", goal, got[f"vmadm_{verb}"], "ms", how,
                beside(got[f"vmadm_{verb}"], [(incus, got[f"incus_{verb}"]), (lxc, got[f"lxc_{verb}"])]))


    for verb, goal in (("create", "0.1 x incus launch"), ("stop", "0.2 x Incus"), ("delete", "0.2 x Incus")):
        mine, theirs = got[f"vmadm_nic_{verb}"], got[f"incus_nic_{verb}"]
        fig.add(f"`vmadm {verb}{' -F' if verb == 'stop' else ''}` of an lx machine with a NIC", goal, mine, "ms",
                "the same run; a NIC of the switch, a NIC of a plain bridge", beside(mine, [(f"Incus, {verb}", theirs)]))
    for name, what in (("", "no NIC"), ("_nic", "a NIC each")):
        mine, theirs = ([a + b for a, b in zip(got[f"{who}{name}_stop"], got[f"{who}{name}_delete"])] for who in ("vmadm", "incus"))
        fig.add(f"stop and delete together, {what}", "0.2 x Incus", mine, "ms", "the same run", beside(mine, [("Incus", theirs)]))


def native(bench):
    def run(fig, runs):
        place = Native()
        try:
            bench(fig, place, runs)
        finally:
            place.close()
    return run


def node(bench, **how):
    def run(fig, runs):
        place = OnNode(**how)
        try:
            bench(fig, place, runs)
        finally:
            place.close()
    return run


BENCHES = {
    "zones-native": native(lambda fig, place, runs: bench_race(fig, place, max(runs, 20), 1200)),
    "zones": node(lambda fig, place, runs: bench_race(fig, place, max(runs, 5), 3600)),
    # One processor, whose time is what it does: milliseconds are millions of instructions, kernel's and waiting included.
    "zones-icount": node(lambda fig, place, runs: bench_race(fig, place, max(runs, 5), 3600), name="by instructions",
                         options=("--cpus", "1", "--cold"), accel="icount"),
    "zones-many-native": native(lambda fig, place, runs: bench_many(fig, place, 500, 1200)),
    "zones-many": node(lambda fig, place, runs: bench_many(fig, place, 500, 7200), options=("--memory", "16384", "--cold"),
                       name="on a node of 16 GiB"),
    "zones-many-2g": node(lambda fig, place, runs: bench_many(fig, place, 500, 7200), name="on a node of 2 GiB"),
    "machines-native": native(lambda fig, place, runs: bench_machines(fig, place, 1000)),
    "machines": node(lambda fig, place, runs: bench_machines(fig, place, 1000)),
    "machines-peers": lambda fig, runs: bench_peers(fig, runs),
    "zones-cycles-native": native(lambda fig, place, runs: bench_cycles(fig, place, 1000, 900)),
    "zones-cycles": node(lambda fig, place, runs: bench_cycles(fig, place, 1000, 600)),
}
