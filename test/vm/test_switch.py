# SPDX-License-Identifier: MPL-2.0
# Copyright 2026 The Nereid authors
"""
The switch on a node, with namespaces as machines: what reaches whom, what is dropped and counted, wires and VLANs, caps, and
what happens to the traffic when things are killed, deleted and replaced.
"""

import re

import pytest

from machine import TOP
from rates import held
from riglib.program import compiled

pytestmark = pytest.mark.alone

PROBE = "/var/tmp/switch_probe"
LINK = ("bpf", "rtnl", "switch", "switch-dhcp", "switch-domain", "switch-flow", "switch-look", "switch-port", "switch-samples", "switch-set",
        "switch-uplink", "veth")
NRD = ("buf", "clock", "err", "fault", "file", "mac", "mem", "proc", "str", "strv", "vec")
PING = ("ping", "-n", "-W", "2")


@pytest.fixture(scope="module")
def node(module_machine):
    m = module_machine
    assert m.up(cold=False, answers="standard") == "ready"
    sources = [TOP / "test/vm/switch_probe.c", *(TOP / f"lib/link/{f}.c" for f in LINK), *(TOP / f"lib/nrd/{f}.c" for f in NRD)]
    m.push(compiled("switch_probe", sources, "-I/src/lib", "-I/src"), PROBE, 0o755)
    m.sh("mkdir -p /run/netns")
    for n in ("a", "b", "c"):
        machine(m, n, f"02:08:20:00:00:0{n}")
    for n, last in (("a", 1), ("b", 2), ("c", 3)):
        port(m, n, "stub0", last)
    return m


def machine(node, name, mac, mtu=1500, device="veth"):
    """A namespace with a NIC, net0, whose node's end is vNAME; not a port yet."""
    node.sh(f"ip netns add {name}; {PROBE} {device} v{name} net0 /run/netns/{name} {mac} {mtu}")
    node.sh(f"ip -n {name} link set lo up; ip -n {name} link set net0 up")


def mac_of(name):
    return f"02:08:20:00:00:0{name}"


def port(node, name, segment, last, *more):
    """Makes it a port with the addresses 10.9.0.LAST and fd09::LAST, which it has."""
    node.ok(PROBE, "port", f"v{name}", segment, mac_of(name), f"ip=10.9.0.{last}", f"ip=fd09::{last}", *more)
    node.sh(f"ip -n {name} addr replace 10.9.0.{last}/24 dev net0; ip -n {name} addr replace fd09::{last}/64 dev net0 nodad")


def within(name, *argv):
    return ("ip", "netns", "exec", name, *argv)


def counts(node, host):
    return {k: int(v) for k, v in (line.split() for line in node.ok(PROBE, "counts", host).split("\n"))}


def rounds(who, to, file):
    """Shell: one pings the other in the background, 300 at a time, until there is /var/tmp/enough."""
    return f"(until [ -e /var/tmp/enough ]; do ip netns exec {who} ping -n -q -i 0.01 -c 300 {to} || :; done >{file}) &"


def told(text):
    """All sent and all received, of what rounds() wrote."""
    each = re.findall(r"(\d+) packets transmitted, (\d+) received", text)
    return tuple(sum(int(r[i]) for r in each) for i in (0, 1))


def pinging(node, who, to, script):
    """Runs it while one pings the other: (sent, received)."""
    return told(node.sh(f"""
        rm -f /var/tmp/enough
        {rounds(who, to, "/var/tmp/ping")}
        {script}
        touch /var/tmp/enough; wait; cat /var/tmp/ping"""))


def lost(text):
    return [int(n) for n in re.search(r"(\d+) packets transmitted, (\d+) received", text).groups()]


def test_machines_hear_each_other(node):
    for target in ("10.9.0.2", "10.9.0.3", "fd09::2", "fd09::3"):
        node.ok(*within("a", *PING, "-c", "2", target))
    node.ok(*within("b", *PING, "-c", "2", "-s", "4000", "10.9.0.1"))
    before = counts(node, "vb")
    assert before["in_frames"] > 0 and before["out_frames"] > 0
    listed = node.ok(PROBE, "list").split("\n")
    assert [line.split()[4] for line in listed] == [mac_of(n) for n in "abc"]


def test_the_host_end_says_nothing(node):
    """The node's end is no interface of the node's: no IPv6, no ARP, and nothing of a machine gets to the node's stack."""
    assert node.ok("cat", "/proc/sys/net/ipv6/conf/va/disable_ipv6") == "1"
    assert "NOARP" in node.ok("ip", "link", "show", "va")
    mac = node.ok("cat", "/sys/class/net/va/address")
    before = node.ok("cat", "/proc/net/snmp")
    frame = mac.replace(":", "") + mac_of("a").replace(":", "") + "0800" + "4500001c000100004001000000000000" + "7f000001" + "0800f7ff00000000"
    node.ok(*within("a", PROBE, "send", "net0", frame))
    assert counts(node, "va")["unknown_destination"] >= 1
    assert [line for line in before.split("\n") if line.startswith("Icmp:")][1].split()[1] == \
        [line for line in node.ok("cat", "/proc/net/snmp").split("\n") if line.startswith("Icmp:")][1].split()[1]


def test_a_spoof_is_dropped_counted_and_sampled(node):
    before = counts(node, "va")
    node.sh("ip -n a addr add 10.9.0.77/24 dev net0")
    node.sh(f"{PROBE} samples 1 >/var/tmp/samples & sleep 1.5; ip netns exec a ping -n -c 2 -W 1 -I 10.9.0.77 10.9.0.2 && exit 1; wait")
    node.sh("ip -n a addr del 10.9.0.77/24 dev net0")
    after = counts(node, "va")
    assert after["ip4_source"] + after["arp_source"] > before["ip4_source"] + before["arp_source"]
    assert re.search(r"^(ip4_source|arp_source) \d+$", node.ok("cat", "/var/tmp/samples"), re.M)
    node.sh("ip -n a link set net0 address 02:08:20:00:00:0f")
    assert node.run(*within("a", *PING, "-c", "1", "10.9.0.2"))[0] != 0
    assert counts(node, "va")["mac_spoofed"] > before["mac_spoofed"]
    node.sh(f"ip -n a link set net0 address {mac_of('a')}")
    node.ok(*within("a", *PING, "-c", "1", "10.9.0.2"))


def test_tags_from_a_machine(node):
    """No VLAN but its own, in whatever depth."""
    before = counts(node, "va")
    to, me = mac_of("b").replace(":", ""), mac_of("a").replace(":", "")
    node.ok(*within("a", PROBE, "send", "net0", f"{to}{me}81000005" + "0800" + "00" * 46))
    node.ok(*within("a", PROBE, "send", "net0", f"{to}{me}88a80005" + "0800" + "00" * 46))
    node.ok(*within("a", PROBE, "send", "net0", f"{to}{me}8100000081000005" + "0800" + "00" * 46))
    after = counts(node, "va")
    assert after["vlan"] == before["vlan"] + 3 and after["ethertype"] + after["vlan"] == before["ethertype"] + before["vlan"] + 3


def test_replaced_under_traffic(node):
    """Programs are loaded anew while frames pass, and tables are kept."""
    sent, received = pinging(node, "a", "10.9.0.2", f"for i in 1 2 3; do {PROBE} stale; {PROBE} upgrade; done")
    assert sent == received >= 300


def test_killed_under_traffic(node):
    """A loader that is killed at any moment leaves all as it was, and the next one is through."""
    got = node.sh(f"""
        ip netns exec a ping -n -q -i 0.01 -c 1000 10.9.0.2 >/var/tmp/ping & ping=$!
        for ms in 000 050 200 500 800 999; do
            {PROBE} stale; /usr/lib/nereid/switch-load & load=$!; sleep 0.$ms; kill -9 $load 2>/dev/null || :; wait $load || :
        done
        {PROBE} upgrade; wait $ping; cat /var/tmp/ping; ls /sys/fs/bpf/nereid/switch-1/programs""")
    sent, received = lost(got)
    assert sent == received == 1000
    assert got.split()[-3:] == ["from_host", "from_port", "from_wire"]


def test_changed_under_traffic(node):
    """A port's properties change without a lost frame, and a refused change changes nothing."""
    got = node.sh(f"""
        ip netns exec a ping -n -q -i 0.005 -c 400 10.9.0.2 >/var/tmp/ping & ping=$!
        while kill -0 $ping 2>/dev/null; do
            {PROBE} port va stub0 {mac_of('a')} ip=10.9.0.1 ip=fd09::1 ip=10.77.0.0/16
            {PROBE} port va stub0 {mac_of('a')} ip=10.9.0.1 ip=fd09::1
            {PROBE} port va stub0 {mac_of('b')} ip=10.9.0.1 2>/dev/null && exit 9 || :
        done
        wait $ping; cat /var/tmp/ping""")
    sent, received = lost(got)
    assert sent == received == 400


def test_refusals(node):
    def refused(*argv):
        return node.refused(1, PROBE, *argv)
    assert refused("port", "va", "stub0", mac_of("b")).startswith("MacInUse: MAC address 02:08:20:00:00:0b: vb has it on 'stub0'")
    assert refused("port", "va", "stub0", "01:00:5e:00:00:01").startswith("PortConf:")
    assert refused("port", "va", "stub1", mac_of("a")).startswith("PortMove:")
    assert refused("port", "va", "s" * 32, mac_of("a")).startswith("SegmentName:")
    assert refused("veth", "va", "net0", "/run/netns/b", mac_of("a"), "1500").startswith("VethName:")
    assert refused("drop-segment", "stub0").startswith("SegmentInUse: remove segment 'stub0': va is a port of it")
    assert refused("uplink", "stub0", "va").startswith("UplinkInUse: attach uplink va: it is a port")
    node.ok(PROBE, "drop-segment", "stub1")


def test_its_root_deletes_its_end(node):
    """The node's end goes with it; what is left of the port is cleaned, and it can be made again."""
    node.sh("ip -n c link del net0")
    assert node.run("ip", "link", "show", "vc")[0] != 0
    assert node.ok(PROBE, "clean") == "1" and node.ok(PROBE, "clean") == "0"
    assert len(node.ok(PROBE, "list").split("\n")) == 2
    assert node.sh("ls /sys/fs/bpf/nereid/switch-1/links | wc -l") == "2"
    node.sh(f"{PROBE} veth vc net0 /run/netns/c {mac_of('c')} 1500; ip -n c link set net0 up")
    port(node, "c", "stub0", 3)
    node.ok(*within("a", *PING, "-c", "2", "10.9.0.3"))


def test_not_a_port_passes_nothing(node):
    """An interface whose port was removed is down, and a program without a row drops all."""
    node.ok(PROBE, "remove", "vc")
    assert "state DOWN" in node.ok("ip", "link", "show", "vc")
    node.sh("ip link set vc up")
    assert node.run(*within("a", *PING, "-c", "1", "10.9.0.3"))[0] != 0
    node.sh("ip link set vc down")
    port(node, "c", "stub0", 3)
    node.ok(*within("a", *PING, "-c", "2", "10.9.0.3"))


def test_groups_are_limited(node):
    """Broadcasts have a rate; what is above it is dropped at the sender."""
    me = mac_of("a").replace(":", "")
    node.ok(PROBE, "port", "va", "stub0", mac_of("a"), "ip=10.9.0.1", "ip=fd09::1", "group=500")
    node.sh("sleep 1")  # a burst of 256 is saved up
    before = counts(node, "va")
    frame = f"ffffffffffff{me}08060001080006040001{me}0a090001" + "00" * 10
    node.ok(*within("a", PROBE, "send", "net0", *[frame] * 600))
    after = counts(node, "va")
    assert 200 <= after["group_rate"] - before["group_rate"] <= 350
    port(node, "a", "stub0", 1)


def rate(node, sender, receiver, addr):
    """UDP as fast as it goes, at its receiver: all of it and the median of its sixteenths, in bits a second."""
    return node.sh(f"""
        ip netns exec {receiver} {PROBE} drain & drain=$!; sleep 0.3
        ip netns exec {sender} {PROBE} blast {addr} 4; wait $drain""")


@pytest.mark.parametrize("mbit", [2, 10, 40])
@pytest.mark.parametrize("capped,last", [("a", 1), ("b", 2)])
def test_caps(node, mbit, capped, last):
    """A cap holds between two machines of one node, whichever of them has it."""
    port(node, capped, "stub0", last, f"maxbw={mbit * 1000000}")
    try:
        why = held(lambda: rate(node, "a", "b", "10.9.0.2"), mbit * 1e6)
    finally:
        port(node, capped, "stub0", last)
    if why is None:
        return
    # Nobody is held to a cap that he does not reach: an emulated node on a busy machine, whose sender in full flood leaves
    # nothing of the processors to who lets frames go.
    free = int(rate(node, "a", "b", "10.9.0.2").split()[0])
    if free < 2 * mbit * 1e6:
        pytest.skip(f"{why}, and without one {free}: this machine is too busy to send that much")
    pytest.fail(f"{why}; without one {free}")


@pytest.fixture(scope="module")
def wire(node):
    """An uplink of the node, w0, behind which is a far machine: untagged 10.9.0.100, and 10.9.5.100 on VLAN 5."""
    node.sh("""
        ip netns add far; ip link add w0 type veth peer name w1 netns far
        ip link set w0 up; ip addr add 10.9.0.50/24 dev w0
        ip -n far link set w1 up; ip -n far addr add 10.9.0.100/24 dev w1
        ip -n far link add link w1 name w1.5 type vlan id 5; ip -n far link set w1.5 up; ip -n far addr add 10.9.5.100/24 dev w1.5""")
    node.ok(PROBE, "uplink", "wire", "w0")
    machine(node, "d", mac_of("d"))
    machine(node, "e", mac_of("e"))
    port(node, "d", "wire", 4)
    node.ok(PROBE, "port", "ve", "wire", mac_of("e"), "ip=10.9.5.5", "vid=5")
    node.sh("ip -n e addr add 10.9.5.5/24 dev net0")
    return node


def test_a_wire(wire):
    """Machines, the node itself and the network beyond hear each other on one NIC."""
    wire.ok(*within("d", *PING, "-c", "2", "10.9.0.100"))
    wire.ok(*within("far", *PING, "-c", "2", "10.9.0.4"))
    wire.ok(*within("d", *PING, "-c", "2", "10.9.0.50"))
    wire.ok(*PING, "-c", "2", "-I", "w0", "10.9.0.4")
    wire.ok(*PING, "-c", "2", "-I", "w0", "10.9.0.100")
    wire.ok(*within("far", *PING, "-c", "2", "10.9.0.50"))
    assert counts(wire, "-")["loop"] == 0


def test_a_vlan(wire):
    """Tagged beyond, untagged in the machine, and no way from one VLAN to another."""
    wire.ok(*within("e", *PING, "-c", "2", "10.9.5.100"))
    wire.ok(*within("far", *PING, "-c", "2", "10.9.5.5"))
    wire.sh("ip -n d addr add 10.9.5.4/24 dev net0")
    assert wire.run(*within("far", *PING, "-c", "1", "-I", "w1.5", "10.9.5.4"))[0] != 0
    wire.sh("ip -n d addr del 10.9.5.4/24 dev net0")


def test_a_cap_on_a_wire(wire):
    port(wire, "d", "wire", 4, "maxbw=10000000")
    try:
        assert held(lambda: rate(wire, "d", "far", "10.9.0.100"), 10e6) is None
    finally:
        port(wire, "d", "wire", 4)


def test_a_wire_that_goes_and_comes_back(wire):
    """Ports stay; the segment has its wire again when it is attached anew."""
    wire.ok(PROBE, "detach", "wire")
    assert wire.run(*within("d", *PING, "-c", "1", "10.9.0.100"))[0] != 0
    wire.ok(*PING, "-c", "2", "-I", "w0", "10.9.0.100")
    wire.ok(PROBE, "uplink", "wire", "w0")
    wire.ok(*within("d", *PING, "-c", "2", "10.9.0.100"))
    wire.ok(*within("e", *PING, "-c", "2", "10.9.5.100"))


@pytest.fixture(scope="module")
def kit(wire):
    """Two machines with netkit devices, the one on the etherstub of the others, the other on the wire."""
    for n, segment, last in (("f", "stub0", 6), ("7", "wire", 7)):
        machine(wire, n, mac_of(n), device="netkit")
        assert "netkit mode l2 type primary policy forward peer policy blackhole" in " ".join(wire.ok("ip", "-d", "link", "show", f"v{n}").split())
        wire.sh(f"ip -n {n} addr add 10.9.0.{last}/24 dev net0; ip link set dev v{n} up")
        frame = "ff" * 6 + mac_of(n).replace(":", "") + "9000" + "00" * 46
        before = wire.ok("cat", f"/sys/class/net/v{n}/statistics/rx_packets")
        wire.ok(*within(n, PROBE, "send", "net0", frame))
        assert wire.ok("cat", f"/sys/class/net/v{n}/statistics/rx_packets") == before, "nothing leaves it before it is a port"
        wire.sh(f"ip link set dev v{n} down")
        port(wire, n, segment, last, "netkit")
    return wire


def test_netkit(kit):
    """The other kind of device: the same switch, from and to veths, each other's, and the wire."""
    for who, to in (("f", "10.9.0.1"), ("f", "fd09::2"), ("a", "10.9.0.6"), ("b", "fd09::6"), ("7", "10.9.0.100"), ("far", "10.9.0.7"),
                    ("7", "10.9.0.50"), ("7", "10.9.0.4"), ("d", "10.9.0.7"), ("d", "fd09::7")):
        kit.ok(*within(who, *PING, "-c", "2", to))
    kit.ok(*within("f", *PING, "-c", "2", "-s", "4000", "10.9.0.1"))
    kit.ok(*PING, "-c", "2", "-I", "w0", "10.9.0.7")
    before = counts(kit, "vf")
    assert before["in_frames"] > 0 and before["out_frames"] > 0
    to, me = mac_of("a").replace(":", ""), mac_of("f").replace(":", "")
    kit.ok(*within("f", PROBE, "send", "net0", f"{to}{me}81000005" + "0800" + "00" * 46, f"{to}0208200000ff0800" + "00" * 46))
    kit.sh("ip -n f addr add 10.9.0.77/24 dev net0")
    assert kit.run(*within("f", *PING, "-c", "1", "-I", "10.9.0.77", "10.9.0.1"))[0] != 0
    kit.sh("ip -n f addr del 10.9.0.77/24 dev net0")
    after = counts(kit, "vf")
    assert after["vlan"] == before["vlan"] + 1 and after["mac_spoofed"] == before["mac_spoofed"] + 1
    assert after["ip4_source"] + after["arp_source"] > before["ip4_source"] + before["arp_source"]


def test_netkit_under_traffic(kit):
    """Its program is replaced and its properties change without a lost frame."""
    sent, received = pinging(kit, "f", "10.9.0.1", f"""
        for i in 1 2; do
            {PROBE} port vf stub0 {mac_of('f')} netkit ip=10.9.0.6 ip=fd09::6 ip=10.77.0.0/16
            {PROBE} port vf stub0 {mac_of('f')} netkit ip=10.9.0.6 ip=fd09::6
            {PROBE} stale; {PROBE} upgrade
        done""")
    assert sent == received >= 300
    port(kit, "f", "stub0", 6, "netkit", "maxbw=10000000")
    try:
        for way in (("f", "a", "10.9.0.1"), ("a", "f", "10.9.0.6")):
            assert held(lambda: rate(kit, *way), 10e6) is None
    finally:
        port(kit, "f", "stub0", 6, "netkit")
    assert kit.refused(1, PROBE, "port", "vf", "stub0", mac_of("f")).startswith("PortMove:")


def test_netkit_goes_with_its_end(kit):
    kit.sh("ip -n f link del net0")
    assert kit.run("ip", "link", "show", "vf")[0] != 0
    # The next of that MAC is no other's: what is left of the one that was does not count.
    kit.sh(f"{PROBE} netkit vf net0 /run/netns/f {mac_of('f')} 1500; ip -n f link set net0 up")
    port(kit, "f", "stub0", 6, "netkit")
    kit.ok(*within("a", *PING, "-c", "2", "10.9.0.6"))
    assert kit.ok(PROBE, "clean") == "0"


def test_frames_of_every_kind(node):
    """The unit test of what may be sent, on this kernel: each frame under each setting, by veth, tap and netkit."""
    sources = [TOP / "test/unit/link/switch-guard.c", *(TOP / f"lib/link/{f}.c" for f in (*LINK, "switch-load")), *(TOP / f"lib/nrd/{f}.c" for f in NRD)]
    program = compiled("switch_guard", sources, "-I/src/lib", "-I/src", "-I/src/test", "-I/src/build/meson/bpf", "-Wl,--no-as-needed", "-lbpf")
    node.push(program, "/var/tmp/switch_guard", 0o755)
    told = node.sh("/var/tmp/switch_guard", timeout=300).split("\n")
    assert told[0] == "1..12" and [line for line in told if line.startswith("ok ")][-1].startswith("ok 12 ")
    assert not [line for line in told if line.startswith("not ok") or "not here" in line]
    frames = [int(line.split()[3]) for line in told if line.startswith("# setting ")]
    assert len(frames) == 20 and min(frames) >= 60, told


def test_several_at_once(node):
    """Commands at the same moment: one after the other, and all of them right."""
    node.sh(f"""
        for i in 1 2 3 4 5 6 7 8; do
            ip netns add m$i; {PROBE} veth vm$i net0 /run/netns/m$i 02:08:20:00:01:0$i 1500
            {PROBE} port vm$i many 02:08:20:00:01:0$i &
        done
        wait""")
    listed = [line.split() for line in node.ok(PROBE, "list").split("\n")]
    mine = [line for line in listed if line[4].startswith("02:08:20:00:01")]
    assert len(mine) == 8 and len({line[1] for line in mine}) == 8
    node.sh(f"for i in 1 2 3 4 5 6 7 8; do {PROBE} remove vm$i & done; wait; for i in 1 2 3 4 5 6 7 8; do ip link del vm$i; done")
    assert not [line for line in node.ok(PROBE, "list").split("\n") if "02:08:20:00:01" in line]
