# SPDX-License-Identifier: MPL-2.0
# Copyright 2026 The Nereid authors
"""flowadm and flowstat on a node: flows of the node's VNICs and of machines, their caps, and how they come and go with their links."""

import json

import pytest

from nets import inside, machine, pings, prepare, stub
from rates import held
from test_switch import LINK, NRD, PROBE
from machine import TOP
from riglib.program import compiled
from zones import wait_for

pytestmark = pytest.mark.alone

PORT = 9000  # of switch_probe: UDP_PORT


@pytest.fixture(scope="module")
def node(module_machine):
    m = prepare(module_machine)
    sources = [TOP / "test/vm/switch_probe.c", *(TOP / f"lib/link/{f}.c" for f in LINK), *(TOP / f"lib/nrd/{f}.c" for f in NRD)]
    m.push(compiled("switch_probe", sources, "-I/src/lib", "-I/src"), PROBE, 0o755)
    m.sh("dladm create-etherstub -t stub1")
    for n in (1, 2):
        m.sh(f"dladm create-vnic -t -l stub1 -m 2:8:20:0:0:{n} v{n}; ip netns add n{n}; ip link set v{n} netns n{n};"
             f"ip -n n{n} addr add 10.1.0.{n}/24 dev v{n}; ip -n n{n} link set v{n} up")
    wait_for(m, "ip netns exec n1 ping -c 1 -W 1 10.1.0.2 >/dev/null")
    return m


def flowadm(node, *argv):
    return node.ok("flowadm", *argv)


def refused(node, *argv, code=1):
    got, out, said = node.run("flowadm", *argv)
    assert (got, out) == (code, "") and said.count("\n") == 1, (got, out, said)
    return said.rstrip("\n")


def flows(node, *argv):
    return {r["flow"]: r for r in json.loads(flowadm(node, "show-flow", "-j", *argv))}


def counts(node, *argv):
    return {r["flow"]: r for r in json.loads(node.ok("flowstat", "-j", *argv))}


def rate(node):
    """UDP from n1 to n2 as fast as it goes, at its receiver: all of it and the median of its sixteenths, in bits a second."""
    return node.sh(f"ip netns exec n2 {PROBE} drain & drain=$!; sleep 0.3; ip netns exec n1 {PROBE} blast 10.1.0.2 4; wait $drain")


def holds(node, bits):
    why = held(lambda: rate(node), bits)
    assert why is None, why


def test_caps_of_flows(node):
    """Of what is sent and of what is heard; others go free; the lower of a flow's and its link's is what counts; changed live."""
    flowadm(node, "add-flow", "-t", "-l", "v1", "-a", f"transport=udp,remote_port={PORT}", "-p", "maxbw=2M", "out")
    holds(node, 2e6)
    flowadm(node, "set-flowprop", "-t", "-p", "maxbw=1M", "out")
    holds(node, 1e6)
    node.ok("dladm", "set-linkprop", "-t", "-p", "maxbw=500K", "v1")
    holds(node, 0.5e6)
    flowadm(node, "set-flowprop", "-t", "-p", "maxbw=50M", "out")
    holds(node, 0.5e6)
    node.ok("dladm", "set-linkprop", "-t", "-p", "maxbw=10M", "v1")
    flowadm(node, "set-flowprop", "-t", "-p", "maxbw=1M", "out")
    holds(node, 1e6)
    node.ok("dladm", "reset-linkprop", "-t", "-p", "maxbw", "v1")
    flowadm(node, "remove-flow", "-t", "out")
    flowadm(node, "add-flow", "-t", "-l", "v1", "-a", f"transport=udp,remote_port={PORT + 1}", "-p", "maxbw=1M", "another")
    assert int(rate(node).split()[0]) > 4e6
    flowadm(node, "remove-flow", "-t", "-l", "v1")
    flowadm(node, "add-flow", "-t", "-l", "v2", "-a", "remote_ip=10.1.0.0/24", "-p", "maxbw=2M", "in")
    holds(node, 2e6)
    flowadm(node, "reset-flowprop", "-t", "in")
    assert int(rate(node).split()[0]) > 4e6
    flowadm(node, "remove-flow", "-t", "in")


def test_counters(node):
    flowadm(node, "add-flow", "-t", "-l", "v1", "-a", "transport=icmp", "ping")
    node.ok("ip", "netns", "exec", "n1", "ping", "-c", "4", "-i", "0.2", "10.1.0.2")
    row = counts(node)["ping"]
    assert (row["opkts"], row["obytes"], row["ipkts"], row["rbytes"], row["ierrs"], row["oerrs"]) == (4, 392, 4, 392, 0, 0)
    # A change of its properties loses no count, and no frame.
    node.sh("ip netns exec n1 ping -q -c 200 -i 0.01 10.1.0.2 >/var/tmp/ping & ping=$!\n"
            "while kill -0 $ping 2>/dev/null; do flowadm set-flowprop -t -p maxbw=100M ping; flowadm reset-flowprop -t ping; done; wait $ping")
    assert "200 received" in node.ok("cat", "/var/tmp/ping")
    assert counts(node, "ping")["ping"]["opkts"] == 204
    node.sh("sleep 1; ip netns exec n1 ping -c 3 -i 0.2 10.1.0.2 >/dev/null & flowstat -o flow,opkts ping 1 4 >/var/tmp/stat; wait")
    lines = [line.split() for line in node.ok("cat", "/var/tmp/stat").split("\n")]
    assert lines[0] == ["FLOW", "OPKTS"] and lines[1] == ["ping", "204"] and sum(int(line[1]) for line in lines[2:]) == 3
    assert node.ok("flowstat", "-r").split("\n")[0].split() == ["FLOW", "IPKTS", "RBYTES", "IERRS"]
    assert node.ok("flowstat", "show-flow", "-t", "-l", "v1", "-p", "-o", "flow,oerrs,zone") == "ping:0:global"
    flowadm(node, "remove-flow", "-t", "ping")
    flowadm(node, "add-flow", "-t", "-l", "v1", "-a", f"transport=udp,remote_port={PORT}", "-p", "maxbw=64K", "slow")
    node.sh(f"ip netns exec n2 {PROBE} drain & drain=$!; sleep 0.3; ip netns exec n1 {PROBE} blast 10.1.0.2 2; wait $drain")
    assert counts(node)["slow"]["opkts"] > 0
    flowadm(node, "remove-flow", "-t", "slow")


def test_lists(node):
    assert flowadm(node).split("\n")[0].split() == ["FLOW", "LINK", "IPADDR", "PROTO", "LPORT", "RPORT", "DSFLD"]
    flowadm(node, "add-flow", "-t", "-l", "v1", "-a", "local_ip=10.1.0.0/16", "-p", "maxbw=1500K,priority=high", "four")
    flowadm(node, "add-flow", "-t", "-l", "v1", "-a", "local_ip=fd00::1", "six")
    flowadm(node, "add-flow", "-t", "-l", "v2", "-a", "dsfield=0x2e:0xfc", "ds")
    assert flows(node)["six"]["ipaddr"] == "LCL:fd00::1/128" and flows(node)["ds"]["dsfld"] == "0x2c:0xfc"
    assert flowadm(node, "show-flow", "-p", "-o", "flow,ipaddr", "four") == r"four:LCL\:10.1.0.0/16"
    assert set(flows(node, "-l", "v1")) == {"four", "six"}
    assert flowadm(node, "show-flowprop", "-c", "-o", "value", "-p", "maxbw", "four") == "1.500"
    props = json.loads(flowadm(node, "show-flowprop", "-j", "four"))
    assert [(p["property"], p["value"]) for p in props] == [("maxbw", "1.500"), ("priority", "high")]
    for link in ("v1", "v2"):
        flowadm(node, "remove-flow", "-t", "-l", link)
    assert flows(node) == {}


def test_refused(node):
    flowadm(node, "add-flow", "-t", "-l", "v1", "-a", "transport=tcp,local_port=80", "web")
    for argv, code, why in (
        (("add-flow", "-t", "-l", "v1", "-a", "transport=tcp", "x"), 1, "told apart by the same attributes, and 'web' has others"),
        (("add-flow", "-t", "-l", "v1", "-a", "transport=tcp,local_port=80", "x"), 1, "'web' is the same"),
        (("add-flow", "-t", "-l", "v2", "-a", "transport=tcp", "web"), 1, "object already exists"),
        (("add-flow", "-t", "-l", "v1", "-a", "local_port=81", "x"), 1, "needs its transport"),
        (("add-flow", "-t", "-l", "v1", "-a", "local_ip=10.0.0", "x"), 1, "no address"),
        (("add-flow", "-t", "-l", "v1", "-a", "transport=tcp,local_port=81", "-p", "maxbw=1K", "x"), 1, "at least 64000"),
        (("add-flow", "-t", "-l", "v1", "-a", "transport=tcp,local_port=81", "-p", "maxbv=1", "x"), 1, "did you mean 'maxbw'"),
        (("add-flow", "-t", "-l", "v1", "-a", "transport=tcp,local_port=81", "1x"), 1, "begins with a letter"),
        (("add-flow", "-t", "-l", "v1", "-a", "transport=tcp,local_port=81", "x" * 40), 1, "at most 31"),
        (("add-flow", "-t", "-l", "enp0s4", "-a", "transport=tcp", "x"), 1, "flows are of VNICs"),
        (("add-flow", "-t", "-l", "nix0", "-a", "transport=tcp", "x"), 3, "object not found"),
        (("add-flow", "-t", "-a", "transport=tcp", "x"), 2, "of which link"), (("add-flow", "-t", "-l", "v1", "x"), 2, "told apart by what"),
        (("remove-flow", "nix"), 3, "object not found"), (("remove-flow",), 2, "which?"), (("set-flowprop", "web"), 2, "which property"),
        (("set-flowprop", "-t", "-p", "priority=best", "web"), 1, "none of low"), (("show-flow", "nix"), 3, "object not found"),
        (("show-flow", "-p"), 2, "needs -o"), (("show-flowprop", "-p", "nix"), 1, "unknown property"),
    ):
        assert why in refused(node, *argv, code=code), argv
    assert set(flows(node)) == {"web"} and flows(node, "-P") == {}
    flowadm(node, "remove-flow", "-t", "web")


def test_a_machine(node):
    """Its flows hold both ways, come back when it boots, stay over changes of its NIC, and are gone with it."""
    a, b = machine(node, stub("10.9.0.1/24")), machine(node, stub("10.9.0.2/24"))
    flowadm(node, "add-flow", "-l", f"{a}/eth0", "-a", "remote_ip=10.9.0.2", "-p", "maxbw=30M", "peer")
    flowadm(node, "add-flow", "-t", "-z", a, "-l", "eth0", "-a", "remote_ip=10.9.0.3", "gone")
    assert pings(node, a, "10.9.0.2") and pings(node, b, "10.9.0.1")
    row = counts(node, "-z", a)["peer"]
    assert row["opkts"] >= 6 and row["ipkts"] >= 6
    node.ok("dladm", "set-linkprop", "-t", "-z", a, "-p", "priority=low", "eth0")
    assert set(flows(node, "-z", a)) == {"peer", "gone"} and set(flows(node, "-P", "-z", a)) == {"peer"}
    assert pings(node, a, "10.9.0.2") and counts(node, "-z", a)["peer"]["opkts"] >= 9
    # b may have one of the same name: it is another zone's.
    flowadm(node, "add-flow", "-t", "-l", f"{b}/eth0", "-a", "transport=tcp", "peer")
    node.ok("vmadm", "reboot", a)
    wait_for(node, f"vmadm get {a} | grep -q '\"state\": \"running\"' && flowadm show-flow -z {a} peer")
    assert set(flows(node, "-z", a)) == {"peer"} and counts(node, "-z", a)["peer"]["opkts"] < 9
    inside(node, a, "ip addr show eth0")
    assert pings(node, a, "10.9.0.2") and counts(node, "-z", a)["peer"]["opkts"] >= 3
    node.ok("vmadm", "stop", "-F", a)
    assert flows(node, "-z", a) == {} and set(flows(node, "-P", "-z", a)) == {"peer"}
    flowadm(node, "set-flowprop", "-z", a, "-p", "maxbw=20M", "peer")
    node.ok("vmadm", "start", a)
    assert flowadm(node, "show-flowprop", "-z", a, "-c", "-o", "value", "-p", "maxbw", "peer") == "20"
    for vm in (a, b):
        node.ok("vmadm", "delete", vm)
    assert flows(node) == {} and flows(node, "-P") == {} and node.sh("ls /usbkey/flows") == ""


def test_kept(node):
    node.sh("dladm create-etherstub stub2; dladm create-vnic -l stub2 kept0")
    flowadm(node, "add-flow", "-l", "kept0", "-a", "transport=tcp,local_port=80", "-p", "maxbw=5M,priority=low", "web")
    flowadm(node, "add-flow", "-t", "-l", "kept0", "-a", "transport=tcp,local_port=81", "temporary")
    flowadm(node, "set-flowprop", "-t", "-p", "maxbw=7M", "web")
    node.reboot()
    wait_for(node, "systemctl is-active -q nereid-links")
    assert set(flows(node)) == {"web"} and flows(node)["web"]["lport"] == 80
    assert flowadm(node, "show-flowprop", "-c", "-o", "value", "web").split() == ["5", "low"]
    node.ok("dladm", "delete-vnic", "kept0")
    assert flows(node) == {} and flows(node, "-P") == {}
    node.ok("dladm", "delete-etherstub", "stub2")
