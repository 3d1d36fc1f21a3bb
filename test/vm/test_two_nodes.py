# SPDX-License-Identifier: MPL-2.0
# Copyright 2026 The Nereid authors
"""
Two nodes on common segments: VLANs, an aggregation that speaks LACP and overlays from one to the other, and what passes while
the switch's programs are replaced. A node has three NICs here beside the first: one on a segment of both, `wire`, and one on
each of two more, which are as two cables between them.
"""

import json

import pytest

from nets import machine, pings, prepare
from test_dladm import dladm, refused, shown
from rates import held
from test_switch import LINK, NRD, PROBE, rounds, told
from machine import TOP
from riglib.program import compiled
from zones import wait_for

pytestmark = pytest.mark.alone

UNDER = "172.30.0"  # of the nodes, on `wire`


@pytest.fixture(scope="module")
def nodes():
    from conftest import done, new_machine
    both = [new_machine("two-one"), new_machine("two-two")]
    segments = [f"{both[0].name[:24]}-{s}" for s in "xyz"]
    for i, m in enumerate(both):
        prepare(m, net=segments)
        m.nics = dladm(m, "show-phys", "-p", "-o", "link").split()[1:]
        m.number = i + 1
        mac = shown(m, "show-phys", "-m", m.nics[0])[0]["address"]
        m.sh(f"nictagadm add wire {mac}; ip addr add {UNDER}.{i + 1}/24 dev {m.nics[0]}; ip link set {m.nics[0]} up; mkdir -p /run/netns")
    both[0].sh(f"ping -c 1 -W 10 {UNDER}.2")
    yield both
    for m in both:
        done(m)


def far(node, name, over, ip, *more):
    """A VNIC of the node in a namespace of its own, as a machine."""
    dladm(node, "create-vnic", "-t", "-l", over, *more, name)
    node.sh(f"ip netns add {name}; ip link set {name} netns {name}; ip -n {name} link set lo up; ip -n {name} addr add {ip}/24 dev {name};"
            f"ip -n {name} link set {name} up")
    return shown(node, "show-vnic", name)[0]["macaddress"]


def away(node, *names):
    for name in names:
        dladm(node, "delete-vnic", name)
        node.sh(f"ip netns del {name}")


def hears(node, name, ip, more=()):
    return node.run("ip", "netns", "exec", name, "ping", "-n", "-c", "3", "-i", "0.3", "-W", "3", *more, ip)[0] == 0


def test_vlans(nodes):
    """Machines of both nodes on a VLAN hear each other, and nobody of another VLAN."""
    a, b = nodes
    one = machine(a, {"nic_tag": "wire", "vlan_id": 5, "ips": ["10.5.0.1/24"]})
    two = machine(b, {"nic_tag": "wire", "vlan_id": 5, "ips": ["10.5.0.2/24"]})
    other = machine(b, {"nic_tag": "wire", "vlan_id": 6, "ips": ["10.5.0.3/24"]})
    assert pings(a, one, "10.5.0.2") and pings(b, two, "10.5.0.1")
    assert not pings(a, one, "10.5.0.3") and not pings(b, other, "10.5.0.1")
    # The node itself by a VLAN link, and by none.
    dladm(b, "create-vlan", "-t", "-l", b.nics[0], "-v", "5", "vlan0")
    b.sh("ip addr add 10.5.0.9/24 dev vlan0; ip link set vlan0 up")
    assert pings(a, one, "10.5.0.9")
    assert not pings(a, one, f"{UNDER}.2")
    dladm(b, "delete-vlan", "vlan0")
    a.ok("vmadm", "delete", one)
    for vm in (two, other):
        b.ok("vmadm", "delete", vm)


def test_an_overlay_direct(nodes):
    """All to one other node, broadcasts as well; and never to the nodes themselves."""
    a, b = nodes
    for node, other in ((a, 2), (b, 1)):
        dladm(node, "create-overlay", "-t", "-e", "vxlan", "-s", "direct", "-v", "100", "-p",
              f"vxlan/listen_ip={UNDER}.{node.number},direct/dest_ip={UNDER}.{other}", "ov0")
        far(node, "m0", "ov0", f"10.6.0.{node.number}")
    assert hears(a, "m0", "10.6.0.2") and hears(b, "m0", "10.6.0.1")
    assert a.sh("ip netns exec m0 ip -o link show m0").split(" mtu ")[1].split()[0] == "1400"
    assert hears(a, "m0", "10.6.0.2", ("-s", "1372", "-M", "do")), "as long as its MTU says"
    assert dladm(a, "show-overlay", "-t", "-p", "-o", "target,destination") == rf"*\:*\:*\:*\:*\:*:{UNDER}.2\:4789"
    assert [r["status"] for r in shown(a, "show-overlay", "-f")] == ["ONLINE"]
    assert dladm(a, "show-link", "-p", "-o", "class,mtu", "ov0") == "overlay:1400"
    assert "in use by m0" in refused(a, "delete-overlay", "ov0")
    # What a machine says to a node's address, by the MAC of the overlay's own interface or to all, does not come to it.
    mac = a.ok("cat", "/sys/class/net/overlay100/address")
    before = int(a.sh("cat /proc/net/snmp | grep ^Icmp: | tail -n 1").split()[1])
    a.sh(f"ip -n m0 route add {UNDER}.0/24 via 10.6.0.77 dev m0 onlink; ip -n m0 neigh add 10.6.0.77 lladdr {mac} dev m0 nud permanent")
    assert not hears(a, "m0", f"{UNDER}.1")
    a.sh("ip -n m0 neigh replace 10.6.0.77 lladdr ff:ff:ff:ff:ff:ff dev m0 nud permanent")
    assert not hears(a, "m0", f"{UNDER}.1")
    assert int(a.sh("cat /proc/net/snmp | grep ^Icmp: | tail -n 1").split()[1]) == before
    for node in nodes:
        away(node, "m0")
        dladm(node, "delete-overlay", "ov0")
        assert node.sh("ls /sys/class/net").split().count("overlay100") == 0


def test_an_overlay_by_a_table(nodes):
    """Who has a machine is in a file, and so are the answers to who asks for its MAC; one that is not in it is not found."""
    a, b = nodes
    macs = [f"02:08:20:00:01:0{n.number}" for n in nodes]
    table = {macs[0]: {"ip": f"{UNDER}.1", "arp": "10.7.0.1", "ndp": "fd07::1"}, macs[1]: {"ip": f"{UNDER}.2", "arp": "10.7.0.2", "ndp": "fd07::2"}}
    for node in nodes:
        node.push("{", "/opt/table.json")
        props = ("-e", "vxlan", "-s", "files", "-v", "7", "-p", f"vxlan/listen_ip={UNDER}.{node.number},files/config=/opt/table.json", "ov1")
        assert "/opt/table.json" in refused(node, "create-overlay", "-t", *props)
        node.push(json.dumps(table), "/opt/table.json")
        dladm(node, "create-overlay", "-t", *props)
        far(node, "m1", "ov1", f"10.7.0.{node.number}", "-m", macs[node.number - 1])
        node.sh(f"ip -n m1 addr add fd07::{node.number}/64 dev m1 nodad")
    assert hears(a, "m1", "10.7.0.2") and hears(b, "m1", "10.7.0.1")
    assert hears(a, "m1", "fd07::2")
    assert {r["target"]: r["destination"] for r in shown(a, "show-overlay", "-t")} == {m: f"{UNDER}.{i + 1}:4789" for i, m in enumerate(macs)}
    # It is taken away, by hand and by the file, and comes back.
    dladm(a, "modify-overlay", "-d", macs[1], "ov1")
    assert not hears(a, "m1", "10.7.0.2")
    dladm(a, "modify-overlay", "-s", f"{macs[1]}={UNDER}.2:4789", "ov1")
    assert hears(a, "m1", "10.7.0.2")
    a.push("{}", "/opt/table.json")
    dladm(a, "modify-overlay", "-f", "ov1")
    assert shown(a, "show-overlay", "-t") == [] and not hears(a, "m1", "10.7.0.2")
    a.push('{"x": {}}', "/opt/table.json")
    assert 'row "x"' in refused(a, "modify-overlay", "-f", "ov1")
    assert dladm(a, "show-overlay", "-f", "-p", "-o", "link,status") == "ov1:DEGRADED"
    for node in nodes:
        away(node, "m1")
        dladm(node, "delete-overlay", "ov1")


# What a controller's agent does, in a few words: it says something wrong first.
AGENT = """
rm -f /run/answers /run/asked; mkfifo /run/answers
dladm search-overlay </run/answers 2>/run/agent.err | {
    echo 'no answer'
    while read -r q; do
        echo "$q" >>/run/asked
        for n in 1 2; do
            case $q in
            *'"02:08:20:00:02:0'$n'"'* | *'"10.8.0.'$n'"'*)
                echo '{"overlay":"ov2","mac":"02:08:20:00:02:0'$n'","node":"172.30.0.'$n'","ip":"10.8.0.'$n'"}' ;;
            esac
        done
    done
} >/run/answers
"""


def test_an_overlay_by_an_agent(nodes):
    """The kernel's questions come to a program of the node's, whose answers are in force."""
    a, b = nodes
    macs = [f"02:08:20:00:02:0{n.number}" for n in nodes]
    for node in nodes:
        dladm(node, "create-overlay", "-t", "-e", "vxlan", "-s", "agent", "-v", "8", "-p", f"vxlan/listen_ip={UNDER}.{node.number}", "ov2")
        far(node, "m2", "ov2", f"10.8.0.{node.number}", "-m", macs[node.number - 1])
    assert not hears(a, "m2", "10.8.0.2")
    for node in nodes:
        node.push(AGENT, "/opt/agent")
        node.sh("sh /opt/agent >/dev/null 2>&1 </dev/null & sleep 1")
    wait_for(a, "ip netns exec m2 ping -c 1 -W 2 10.8.0.2 >/dev/null")
    assert hears(a, "m2", "10.8.0.2") and hears(b, "m2", "10.8.0.1")
    asked = [json.loads(line) for line in a.ok("cat", "/run/asked").split("\n")]
    assert {"overlay": "ov2", "vnetid": 8, "ip": "10.8.0.2"} in asked
    said = a.ok("cat", "/run/agent.err")
    assert said.startswith("dladm: search-overlay: answer: ") and "\n" not in said, said
    assert {r["target"] for r in shown(a, "show-overlay", "-t")} >= {macs[1]}
    for node in nodes:
        node.sh("kill $(pidof dladm)")
        away(node, "m2")
        dladm(node, "delete-overlay", "ov2")


def test_machines_on_an_overlay(nodes):
    """A rule of /usbkey/config makes an overlay of each network that machines have."""
    for node, other in ((nodes[0], 2), (nodes[1], 1)):
        node.sh(f"echo \"overlay_rule_fabric='-e vxlan -s direct -p vxlan/listen_ip={UNDER}.{node.number},direct/dest_ip={UNDER}.{other}'\" "
                ">>/usbkey/config")
        node.vms = [machine(node, {"nic_tag": f"fabric/{net}", "ips": [f"10.9.0.{node.number}/24"]}) for net in (31, 32)]
        assert [r["link"] for r in shown(node, "show-overlay") if r["property"] == "vnetid"] == ["fabric_31", "fabric_32"]
    (a1, a2), (b1, _) = nodes[0].vms, nodes[1].vms
    assert pings(nodes[0], a1, "10.9.0.2") and pings(nodes[0], a2, "10.9.0.2") and pings(nodes[1], b1, "10.9.0.1")
    nodes[1].ok("vmadm", "stop", b1, "-F")
    assert not pings(nodes[0], a1, "10.9.0.2") and pings(nodes[0], a2, "10.9.0.2"), "networks are apart"
    assert "needs a network's number" in nodes[0].run("vmadm", "create", stdin=json.dumps(
        {"brand": "lx", "image_uuid": "00000000-0000-0000-0000-000000000005", "kernel_version": "6.12.0", "ram": 64,
         "nics": [{"nic_tag": "fabric", "ips": ["10.9.0.9/24"]}]}).encode())[2]
    for node in nodes:
        for vm in node.vms:
            node.ok("vmadm", "delete", vm)
        for net in (31, 32):
            dladm(node, "delete-overlay", f"fabric_{net}")


def test_lacp(nodes):
    """Two cables as one link, of which one is cut."""
    a, b = nodes
    for node, mode in ((a, "active"), (b, "passive")):
        node.sh(f"for n in {node.nics[1]} {node.nics[2]}; do ethtool -s $n speed 1000 duplex full; done")
        dladm(node, "create-aggr", "-t", "-L", mode, "-T", "short", "-l", node.nics[1], "-l", node.nics[2], "aggr0")
        far(node, "m3", "aggr0", f"10.3.0.{node.number}", "-v", "3")
    for node in nodes:
        wait_for(node, "[ $(dladm show-aggr -L -p -o dist aggr0 | grep -c yes) = 2 ]")
        assert [r["portstate"] for r in shown(node, "show-aggr", "-x")] == [None, "attached", "attached"]
        assert all((r["sync"], r["coll"], r["defaulted"], r["expired"]) == ("yes", "yes", "no", "no") for r in shown(node, "show-aggr", "-L"))
    assert hears(a, "m3", "10.3.0.2") and hears(b, "m3", "10.3.0.1")
    for node in nodes:
        dladm(node, "remove-aggr", "-t", "-l", node.nics[1], "aggr0")
    wait_for(a, "ip netns exec m3 ping -c 1 -W 2 10.3.0.2 >/dev/null")
    assert hears(b, "m3", "10.3.0.1")
    for node in nodes:
        away(node, "m3")
        dladm(node, "delete-aggr", "aggr0")


def test_replaced_under_traffic(nodes):
    """The switch's programs are replaced on both nodes while frames pass between them, on a VLAN and on an overlay: none is lost."""
    a, b = nodes
    sources = [TOP / "test/vm/switch_probe.c", *(TOP / f"lib/link/{f}.c" for f in LINK), *(TOP / f"lib/nrd/{f}.c" for f in NRD)]
    for node, other in ((a, 2), (b, 1)):
        node.push(compiled("switch_probe", sources, "-I/src/lib", "-I/src"), PROBE, 0o755)
        dladm(node, "create-overlay", "-t", "-e", "vxlan", "-s", "direct", "-v", "9", "-p",
              f"vxlan/listen_ip={UNDER}.{node.number},direct/dest_ip={UNDER}.{other}", "ov3")
        far(node, "m4", node.nics[0], f"10.4.0.{node.number}", "-v", "4")
        far(node, "m5", "ov3", f"10.10.0.{node.number}")
    assert hears(a, "m4", "10.4.0.2") and hears(a, "m5", "10.10.0.2")
    for node in nodes:
        node.sh("rm -f /var/tmp/enough")
    b.sh(f"(for i in 1 2; do {PROBE} stale; {PROBE} upgrade; done; touch /var/tmp/enough) </dev/null >/run/replaced.log 2>&1 &")
    got = a.sh(f"""
        {rounds("m4", "10.4.0.2", "/run/ping4")}
        {rounds("m5", "10.10.0.2", "/run/ping5")}
        for i in 1 2; do {PROBE} stale; {PROBE} upgrade; done
        touch /var/tmp/enough; wait; cat /run/ping4; echo and; cat /run/ping5""", timeout=300)
    wait_for(b, "[ -e /var/tmp/enough ]")
    for text in got.split("\nand\n"):
        sent, received = told(text)
        assert sent == received >= 300, got
    for node in nodes:
        away(node, "m4", "m5")
        dladm(node, "delete-overlay", "ov3")


def test_a_cap_across_nodes(nodes):
    """A cap of a VNIC holds for what goes to the other node, and for what comes from there."""
    a, b = nodes
    for node in nodes:
        far(node, "m6", node.nics[0], f"10.11.0.{node.number}")
    assert hears(a, "m6", "10.11.0.2")

    def rate():
        b.sh(f"rm -f /run/rate; (ip netns exec m6 {PROBE} drain >/run/rate.new; mv /run/rate.new /run/rate) </dev/null >/dev/null 2>&1 & sleep 1")
        a.sh(f"ip netns exec m6 {PROBE} blast 10.11.0.2 5")
        wait_for(b, "[ -e /run/rate ]")
        return b.ok("cat", "/run/rate")

    free = rate()
    for node in nodes:
        dladm(node, "set-linkprop", "-t", "-p", "maxbw=5", "m6")
        why = held(rate, 5e6)
        assert why is None, f"{why}; without a cap {free}"
        dladm(node, "reset-linkprop", "-t", "-p", "maxbw", "m6")
    for node in nodes:
        away(node, "m6")
