# SPDX-License-Identifier: MPL-2.0
# Copyright 2026 The Nereid authors
"""snoop and dlstat on a node: frames of machines, etherstubs and NICs, those that are dropped and why, files, and counters."""

import json
import re

import pytest

from nets import inside, machine, pings, prepare, stub

CAUGHT = "/var/tmp/snoop.out"


@pytest.fixture(scope="module")
def node(module_machine):
    return prepare(module_machine)


@pytest.fixture(scope="module")
def machines(node):
    a, b = machine(node, stub("10.9.0.1/24")), machine(node, stub("10.9.0.2/24"))
    assert pings(node, a, "10.9.0.2")
    return a, b


def watched(node, options, during, expression="", seconds=6):
    """What snoop prints while something is done."""
    node.sh(f"timeout {seconds} snoop {options} {expression} >{CAUGHT} 2>{CAUGHT}.err & sleep 2; ({during}) >/dev/null 2>&1 || :; wait")
    assert node.sh(f"grep -v '^Using device\\|^Using frames\\|packets captured' {CAUGHT}.err || :") == ""
    return node.ok("cat", CAUGHT)


def refused(node, *argv, code=1):
    got, out, said = node.run(*argv)
    assert (got, out) == (code, "") and said.count("\n") == 1, (got, out, said)
    return said.rstrip("\n")


def ping(vm, where, n=3, more=""):
    return f"zlogin {vm} ping -c {n} -i 0.3 -W 2 {more} {where}"


def test_a_machine(node, machines):
    """What it sends and what it gets, at the node's end; and its traffic takes the short way again afterwards."""
    a, b = machines
    out = watched(node, f"-d {a}/eth0", ping(a, "10.9.0.2"), "icmp")
    assert len(re.findall(r"10\.9\.0\.1 -> 10\.9\.0\.2 +ICMP Echo request", out)) == 3
    assert len(re.findall(r"10\.9\.0\.2 -> 10\.9\.0\.1 +ICMP Echo reply", out)) == 3
    out = watched(node, f"-z {b} -d eth0", ping(a, "10.9.0.2"), "icmp")
    assert out.count("Echo request") == 3 and out.count("Echo reply") == 3
    host = node.sh(f"ip -o link | sed -n 's/^[0-9]*: \\(v[0-9a-f]*\\)@.*/\\1/p' | while read v; do grep -qx '{b}/eth0' /sys/class/net/$v/ifalias && echo $v; done")
    # On the short way a packet socket at the node's end sees requests to b no more, while b's answers are seen.
    seen = node.sh(f"timeout 5 tcpdump -n -i {host} icmp >{CAUGHT} 2>/dev/null & sleep 2; {ping(a, '10.9.0.2')} >/dev/null; wait; cat {CAUGHT}")
    assert "echo reply" in seen and "echo request" not in seen, seen


def test_killed(node, machines):
    """Nothing is lost by a snoop that could not clean up, and the next one does."""
    a, b = machines
    node.sh(f"snoop -q -d {b}/eth0 >/dev/null & sleep 2; kill -9 $!; wait $! || :")
    assert pings(node, a, "10.9.0.2")
    assert watched(node, f"-q -d {b}/eth0", ping(a, "10.9.0.2"), "icmp").count("Echo request") == 3


def test_two_at_once(node, machines):
    """One that ends takes nothing from the other."""
    a, b = machines
    node.sh(f"timeout 9 snoop -q -d {b}/eth0 icmp >{CAUGHT}.2 2>&1 & other=$!; sleep 1; timeout 2 snoop -q -d {b}/eth0 icmp >/dev/null || :;"
            f"{ping(a, '10.9.0.2')} >/dev/null; wait $other || :")
    assert node.ok("cat", CAUGHT + ".2").count("Echo request") == 3


def test_an_etherstub(node, machines):
    """Each frame once, whoever sent it."""
    a, b = machines
    out = watched(node, "-d stub0", ping(a, "10.9.0.2") + "; " + ping(b, "10.9.0.1", 2), "icmp")
    assert out.count("Echo request") == 5 and out.count("Echo reply") == 5
    node.ok("dladm", "create-etherstub", "-t", "empty0")
    assert "no VNIC is over this etherstub" in refused(node, "snoop", "-d", "empty0", code=3)
    node.ok("dladm", "delete-etherstub", "empty0")


def test_a_nic(node):
    out = watched(node, "-d enp0s4 -c 4 -t r -S", "ping -c 2 -i 0.3 10.0.2.2", "icmp")
    assert re.fullmatch(r"0\.\d{5} length: +98 +10\.0\.2\.15 -> 10\.0\.2\.2 +ICMP Echo request .*", out.split("\n")[0])
    assert len(out.split("\n")) == 4


def test_dropped(node, machines):
    """Why a machine gets no answer: a frame and its reason, and its counters."""
    a, _ = machines
    inside(node, a, "ip addr add 10.9.0.77/24 dev eth0")
    out = watched(node, f"-D {a}/eth0", ping(a, "10.9.0.2", 3, "-I 10.9.0.77"), "icmp")
    assert re.search(r"^ip4_source \(ipspoofed\): +10\.9\.0\.77 -> 10\.9\.0\.2 +ICMP Echo request", out, re.M)
    assert watched(node, f"-D {a}/eth0", ping(a, "10.9.0.2", 3, "-I 10.9.0.77"), "arp", 5) == ""
    got = json.loads(watched(node, "-j -c 1 -D stub0", ping(a, "10.9.0.2", 3, "-I 10.9.0.77"), "icmp"))
    assert got["reason"] == "ip4_source" and "10.9.0.77 -> 10.9.0.2" in got["lines"][0]
    rows = json.loads(node.ok("dlstat", "-D", "-j", f"{a}/eth0"))
    assert {(r["reason"], r["counter"]) for r in rows} >= {("ip4_source", "ipspoofed")}
    assert next(r["drops"] for r in rows if r["reason"] == "ip4_source") >= 9
    assert re.search(r"ip4_source=\d+", node.ok("dladm", "show-link", "-s", "-z", a, "-p", "-o", "drops"))
    node.sh(f"snoop -q -D {a}/eth0 >/dev/null 2>&1 & sleep 1.5; snoop -q -D stub0 2>{CAUGHT} && exit 9 || :; kill $!; wait $! || :")
    assert "another reader" in node.ok("cat", CAUGHT)
    inside(node, a, "ip addr del 10.9.0.77/24 dev eth0")


def test_files(node, machines):
    """Written as others read it, and read back."""
    a, _ = machines
    watched(node, f"-d {a}/eth0 -o /var/tmp/caught.pcap -s 60", ping(a, "10.9.0.2"), "icmp")
    assert "6 packets captured" in node.ok("cat", CAUGHT + ".err")
    assert node.sh("tcpdump -n -r /var/tmp/caught.pcap 2>/dev/null").count("ICMP echo") == 6
    assert node.ok("snoop", "-i", "/var/tmp/caught.pcap", "-r").count("Echo") == 6
    assert len(node.ok("snoop", "-i", "/var/tmp/caught.pcap", "-p", "2,3").split("\n")) == 2
    out = node.ok("snoop", "-i", "/var/tmp/caught.pcap", "-v", "-x", "14,4", "-c", "1")
    assert "IP:  Source address = 10.9.0.1" in out and re.search(r"^\t +0: 4500 0054 ", out, re.M)
    assert [line.split()[-1] for line in node.ok("snoop", "-V", "-c", "1", "-i", "/var/tmp/caught.pcap").split("\n")][0] == "bytes"
    node.ok("snoop", "-i", "/var/tmp/caught.pcap", "-o", "/var/tmp/half.pcap", "src", "10.9.0.2")
    assert node.ok("snoop", "-i", "/var/tmp/half.pcap").count("Echo reply") == 3
    assert node.sh("snoop -q -i - </var/tmp/half.pcap | wc -l") == "3"


def test_refused(node, machines):
    a, _ = machines
    for argv, code, why in (
        ([], 2, "frames of what"), (["-d", "nix0"], 3, "object not found"), (["-d", "eth0"], 1, "say which, ZONE/eth0"),
        (["-d", f"{a}/eth9"], 3, "object not found"), (["-d", "enp0s4", "ip", "and", "and"], 2, "syntax error"),
        (["-i", "/nix"], 1, "No such file"), (["-i", "/etc/passwd"], 1, "unknown file format"), (["-d", "enp0s4", "-t", "x"], 2, "none of r, a, d"),
        (["-d", "enp0s4", "-v", "-V"], 2, "not both"), (["-d", "enp0s4", "-p", "1"], 2, "goes with -i"),
        (["-i", "/nix", "-p", "3,1"], 2, "before the first"), (["-d", "enp0s4", "-x", "a"], 2, "no number"),
        (["-q", "-d", "enp0s4", "-o", "/nix/x"], 1, "No such file"), (["-d", "../../etc/eth0"], 3, "object not found"),
    ):
        assert why in refused(node, "snoop", *argv, code=code), argv
    refused(node, "snoop", "-q", "-d", "enp0s4", "-o", "/var/tmp/never.pcap", "ip", "and", code=2)
    assert node.run("ls", "/var/tmp/never.pcap")[0] != 0


def test_counters(node, machines):
    a, b = machines
    assert node.ok("dlstat").split("\n")[0].split() == ["LINK", "IPKTS", "RBYTES", "OPKTS", "OBYTES"]

    def counts(vm):
        (row,) = json.loads(node.ok("dlstat", "-j", "-z", vm))
        return row
    before = counts(a), counts(b)
    assert pings(node, a, "10.9.0.2")
    after = counts(a), counts(b)
    for n in (0, 1):
        assert after[n]["opkts"] >= before[n]["opkts"] + 3 and after[n]["ipkts"] >= before[n]["ipkts"] + 3
        assert after[n]["obytes"] >= before[n]["obytes"] + 3 * 98
    node.sh(f"sleep 1; {ping(a, '10.9.0.2', 5)} >/dev/null & dlstat -o link,opkts -u R {a}/eth0 1 5 >{CAUGHT}; wait")
    lines = [line.split() for line in node.ok("cat", CAUGHT).split("\n")]
    assert lines[0] == ["LINK", "OPKTS"] and len(lines) == 6 and all(line[0] == "eth0" for line in lines[1:])
    assert 5 <= sum(int(line[1]) for line in lines[2:]) <= 20 and int(lines[1][1]) >= after[0]["opkts"]
    assert node.ok("dlstat", "show-link", "-t").split("\n")[0].split() == ["LINK", "TYPE", "ID", "INDEX", "OPKTS", "OBYTES", "SDROPS"]
    assert [r["link"] for r in json.loads(node.ok("dlstat", "show-phys", "-r", "-j"))] == ["enp0s4"]
    assert node.ok("dlstat", "-p", "-o", "link,zone", f"{a}/eth0") == f"eth0:{a}"
    for argv, code, why in ((["nix0"], 3, "object not found"), (["stub0"], 1, "has no counters"), (["-r", "-t"], 2, "one of"), (["-p"], 2, "needs -o"),
                            (["-u", "X"], 2, "none of"), (["enp0s4", "x"], 2, "interval"), (["show-aggr"], 2, "neither"), (["show-phys", "-D"], 2, "has no -D")):
        assert why in refused(node, "dlstat", *argv, code=code), argv
