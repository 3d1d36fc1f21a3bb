# SPDX-License-Identifier: MPL-2.0
# Copyright 2026 The Nereid authors
"""The switch: frames between two machines, beside a Linux bridge with and without rules, macvlan and a bare pair; its links."""
import shutil
import statistics

import zones

NAME = "bench-network"
GOALS = {"rr": ("TCP_RR", "transactions/s", 1.04), "udp": ("60-byte frames", "frames/s", 1.04), "stream": ("a TCP stream", "Mbit/s", 1.0)}


def bench_network(fig, runs, ms=1000, name=NAME, options=(), accel=None):
    rig = str(zones.TOP / "test/rig")
    work = zones.WORK / "network"
    zones.sh("live/build", "platform")
    zones.sh("live/build", "shell", "--", "sh", "-ec", "d=build/bench/meson; [ -e $d/build.ninja ] || meson setup $d >/dev/null; "
             "ninja -C $d test/bench/bench-wire >/dev/null")
    shutil.rmtree(work, ignore_errors=True)
    work.mkdir(parents=True)
    env = {**zones.os.environ, **({"NEREID_ACCEL": accel} if accel else {})}
    zones.sh(rig, "up", "--name", name, "--fresh", *options, env=env)
    try:
        for source, target in ((zones.HERE / "network", "network"), (zones.WORK / "meson/test/bench/bench-wire", "wire")):
            zones.sh(rig, "push", "--name", name, source, f"/var/tmp/{target}")
        out = zones.sh(rig, "run", "--name", name, "--no-stdin", "--timeout", "3600", "--", "sh", "-c",
                       f"chmod 755 /var/tmp/wire; bash /var/tmp/network {runs} {ms}", capture_output=True, text=True).stdout
    finally:
        zones.sh(rig, "remove", "--name", name)
    got = zones.figures(out)
    for test, (what, unit, goal) in GOALS.items():
        mine = got[f"{test}_switch"]
        beside = []
        for path in ("bridge", "filtered", "macvlan", "pair", "loopback"):
            theirs = statistics.median(got[f"{test}_{path}"])
            beside.append(f"{path} {theirs:.0f} ({statistics.median(mine) / theirs:.3f} of it)")
        fig.add(f"{what} between two machines, all protection on", f"{goal} of an unfiltered bridge", mine, unit, "`make bench`", ", ".join(beside))
    add_crowd(fig, "TCP_RR between two machines, 1,000 more VNICs on their etherstub, in parts of the same without them", "`make bench`",
              *((got[f"rr_switch{when}"], got[f"rr_pair{when}"]) for when in ("", "_crowd")))
    for cap in (10, 40):
        for test in ("stream", "flood"):
            fig.add(f"`max_bandwidth` of {cap} Mbit/s, {'TCP' if test == 'stream' else 'UDP'}, two machines of one node", f"{cap} within 1 %",
                    got[f"{test}_{cap}"], "Mbit/s on the wire", "`make bench`")


def add_crowd(fig, what, how, few, many):
    """Each of theirs and of a bare pair's, in turn: the pair tells how fast the machine is at the time."""
    without, crowded = ([a / b for a, b in zip(*both, strict=True)] for both in (few, many))
    fig.add(what, "100 %", [100 * a / statistics.median(without) for a in crowded], "%", how,
            f"{statistics.median(many[0]):.0f} transactions/s, {statistics.median(crowded):.3f} of a bare pair's; without the others "
            f"{statistics.median(few[0]):.0f}, {statistics.median(without):.3f} of a bare pair's")


def bench_links(fig, place, links):
    got = zones.figures(place.run(f"./links {links} 20", 1200))
    how = f"`make bench`, natively, {links} VNICs on one etherstub"
    for when, beside in (("few", "two"), ("many", f"{links}")):
        fig.add(f"`dladm create-vnic -t` and `delete-vnic -t` beside {beside}", "5 ms together", [a / 1000 for a in got[f"us_vnic_{when}"]], "ms", how,
                f"`ip link add` of a bare veth pair, and `ip link delete`: {statistics.median(got[f'us_pair_{when}']) / 1000:.1f}")
    fig.add(f"`dladm show-vnic` of {links}", "30 ms", [a / 1000 for a in got["us_show-vnic"]], "ms", how)
    add_crowd(fig, f"TCP_RR between two VNICs, {links} more on their etherstub, in parts of the same without them", how,
              *((got[f"rr_{when}"], got[f"rr_pair_{when}"]) for when in ("few", "many")))
    fig.add(f"`dladm show-link` of {links}", "none", [a / 1000 for a in got["us_show-link"]], "ms", how)


BENCHES = {
    "links-native": zones.native(lambda fig, place, runs: bench_links(fig, place, 1000)),
    "network": lambda fig, runs: bench_network(fig, max(runs, 5)),
    # One processor, whose time is what it does: what is compared is the length of the path.
    "network-icount": lambda fig, runs: bench_network(fig, max(runs, 3), name="bench-network-icount", options=("--cpus", "1", "--cold"),
                                                      accel="icount"),
}
