# SPDX-License-Identifier: MPL-2.0
# Copyright 2026 The Nereid authors
"""What zonestat, zonememstat, vfsstat and prstat say of two zones under load, beside what the kernel counted."""

import json

import pytest
from zones import install_tiny

pytestmark = pytest.mark.alone

COMMANDS = ("zonestat", "zonememstat", "vfsstat -Z", "prstat -Zc")
CGROUP = "/sys/fs/cgroup/zones"


@pytest.fixture(scope="module")
def node(module_machine):
    m = module_machine
    assert m.up(cold=False, answers="standard") == "ready"
    return m


@pytest.fixture(scope="module")
def zones(node):
    install_tiny(node, "a", "add capped-memory; set physical=96m; end; add capped-cpu; set ncpus=0.5; end")
    install_tiny(node, "b", "add capped-memory; set physical=64m; end")
    return node


def rows(text):
    """-j: one object a line."""
    return [json.loads(line) for line in text.split("\n")]


def test_a_node_without_zones(node):
    for command in COMMANDS:
        code, out, err = node.run("sh", "-c", f"{command} 1 1")
        assert code == 0 and err == "" and "global" in out, (command, err)
    assert [row["zone"] for row in rows(node.ok("zonestat", "-j", "1", "1"))] == ["[total]", "global"]


def test_arguments(node):
    for command in COMMANDS:
        for bad in ("0", "1 0", "x", "1.5", "-1", "1 2 3", "99999999999999999999", "-q"):
            said = node.refused(2, "sh", "-c", f"{command} {bad}")
            assert said.startswith(command.split()[0] + ": "), said
    for command in ("zonestat", "zonememstat", "prstat"):
        assert "zone 'nosuch' unknown" in node.refused(3, command, "-z", "nosuch")
    for command in ("zonestat -o", "zonememstat --output", "vfsstat -o"):
        # At once, not after an interval.
        assert "unknown field \"nosuch\"" in node.refused(2, "sh", "-c", f"timeout 30 {command} nosuch 3600")


def test_ends(node):
    """By ^C, when nobody reads any more, when it cannot be written; without a word but for the last."""
    for command in COMMANDS:
        code, out, err = node.run("sh", "-c", f"timeout -s INT 4 {command} 1")
        assert code == 124 and err == "" and out, (command, err)
        code, out, err = node.run("sh", "-c", f"timeout 60 {command} 1 | head -n 1")
        assert code == 0 and err == "" and out, (command, err)
        assert "No space left" in node.refused(1, "sh", "-c", f"{command} 1 1 >/dev/full")


def test_cpu_time(zones):
    out = zones.sh(f"""
        zlogin a 'while :; do :; done' & busy=$!
        sleep 1
        u() {{ sed -n 's/usage_usec //p' {CGROUP}/a/cpu.stat; cut -d' ' -f1 /proc/uptime; }}
        u; zonestat -j -o all 4 1; u; prstat -Zj -n 1,9 2 1
        kill $busy""").split("\n")
    before, after = (int(out[i]) for i in (0, -3))
    seconds = float(out[-2]) - float(out[1])
    lines = {row["zone"]: row for row in rows("\n".join(out[2:-3]))}
    a = lines["a"]
    # The window of zonestat lies within ours, which the start of two programs makes longer.
    assert a["cpu"] * 4 <= (after - before) / 1e6 + 0.05
    assert a["cpu"] >= (after - before) / 1e6 / seconds * 0.6, (a, seconds)
    assert a["cpu"] <= 0.56 and abs(a["cap"] - a["cpu"] / 0.5 * 100) <= 1.1
    assert lines["[total]"]["cpu"] + 0.011 >= sum(row["cpu"] for name, row in lines.items() if name != "[total]")
    assert lines["b"]["cpu"] <= 0.02 and lines["b"]["cap"] is None
    assert a["physcap"] and a["phys"] > 0 and a["lwps"] >= 3 and a["zoneid"] > 0
    report = json.loads(out[-1])
    assert [p["zone"] for p in report["processes"]] == ["a"]
    by_zone = {z["zone"]: z for z in report["zones"]}
    # Of the node's two CPUs together.
    assert 5 <= by_zone["a"]["cpu"] <= 30 and by_zone["a"]["time_us"] >= after
    assert set(by_zone) == {"a", "b", "global"}


def test_memory(zones):
    zones.ok("zlogin", "b", "dd if=/dev/zero of=/run/x bs=1M count=20")
    current = int(zones.ok("cat", f"{CGROUP}/b/memory.current"))
    row = rows(zones.ok("zonememstat", "-j", "-z", "b", "--output", "all"))[0]
    assert abs(row["rss"] - (current >> 20)) <= 1 and row["rss"] >= 20 and row["cap"] == 64 and row["nover"] == 0
    assert row["file"] >= 20 > row["anon"]
    fields = zones.ok("zonestat", "-p", "-z", "b", "-o", "zone,phys,physcap", "1", "1").split(":")
    assert fields[0] == "b" and abs(int(fields[1]) - current) < 1 << 20
    assert abs(float(fields[2]) - current / (64 << 20) * 100) < 2
    assert zones.run("zlogin", "b", "dd if=/dev/zero of=/dev/null bs=100M count=1")[0] != 0
    row = rows(zones.ok("zonememstat", "-jo", "--output", "zone,nover,oom"))
    assert [r["zone"] for r in row] == ["b"] and row[0]["nover"] > 0 and row[0]["oom"] >= 1
    total = rows(zones.ok("zonememstat", "-jt", "-z", "a,b"))
    assert [r["zone"] for r in total] == ["a", "b", "total"] and total[2]["cap"] == 160
    zones.ok("zlogin", "b", "rm /run/x")


KSTAT = "for f in /proc/spl/kstat/zfs/zones/objset-*; do if grep -q ' zones/b$' $f; then cat $f; fi; done"


def kstat(text):
    return {f[0]: int(f[2]) for f in (line.split() for line in text.split("\n")) if len(f) == 3 and f[2].isdigit()}


def test_files(zones):
    """All reports behind the first one add up to what ZFS counted for the zone's dataset."""
    out = zones.sh(f"""
        {KSTAT}; echo ===
        vfsstat -ZIp -o zonename,r,w,kr,kw 1 >/tmp/v & v=$!
        until grep -q ^b: /tmp/v; do sleep 0.1; done
        zlogin b 'dd if=/dev/zero of=/data/f bs=64k count=32; dd if=/data/f of=/dev/null bs=64k' 2>/dev/null
        n=$(grep -c ^b: /tmp/v); until [ $(grep -c ^b: /tmp/v) -ge $((n + 2)) ]; do sleep 0.1; done
        kill $v; wait $v || :
        {KSTAT}; echo ===; grep ^b: /tmp/v""").split("===")
    before, after = kstat(out[0]), kstat(out[1])
    lines = [[float(f) for f in line.split(":")[1:]] for line in out[2].strip().split("\n")][1:]
    r, w, kr, kw = (sum(column) for column in zip(*lines))
    assert (r, w) == (after["reads"] - before["reads"], after["writes"] - before["writes"])
    assert w == 32 and abs(kw - 2048) < 0.1
    assert abs(kr - (after["nread"] - before["nread"]) / 1024) < 0.1 * len(lines) and kr >= 2048


def test_a_zone_that_comes_and_goes(zones):
    """Reports go on, with it and without it, and what it used before counts for nothing afterwards."""
    out = zones.sh("""
        for c in "zonestat -j 1" "vfsstat -ZIj -o zonename,w 1" "prstat -Zj 1" "zonememstat -j 1"; do
            $c >/tmp/$(echo $c | cut -d' ' -f1) 2>&1 & pids="$pids $!"
        done
        here() { until tail -n 3 /tmp/zonestat | grep -q '"b"'; do sleep 0.2; done; sleep 1.2; }
        gone() { until ! tail -n 3 /tmp/zonestat | grep -q '"b"'; do sleep 0.2; done; sleep 1.2; }
        here; zoneadm -z b halt; gone; zoneadm -z b boot; here
        kill $pids; wait || :
        for f in zonestat vfsstat prstat zonememstat; do cat /tmp/$f; echo ===; done""")
    stat, vfs, pr, mem = (rows(part.strip()) for part in out.split("===")[:4])
    for name, lines in (("zone", stat), ("zonename", vfs), ("zone", mem)):
        reports = []
        for row in lines:
            if row[name] == lines[0][name]:  # what comes first does so in every report
                reports.append(set())
            reports[-1].add(row[name])
        has = ["b" in report for report in reports]
        assert True in has and False in has and has[-1], has
    assert all(row["cpu"] <= 2.01 for row in stat)
    has = ["b" in {z["zone"] for z in report["zones"]} for report in pr]
    assert True in has and False in has
