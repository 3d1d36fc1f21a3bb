# SPDX-License-Identifier: MPL-2.0
# Copyright 2026 The Nereid authors
"""Addresses for machines that ask for one: of a tag's pool, by the switch, with no server behind it."""

import json

import pytest

from nets import inside, machine, pings, prepare, stub
from vms import create, get, refused, vmadm
from zones import wait_for

POOL = "dhcp_pool=10.7.0.100-10.7.0.102/24,dhcp_router=10.7.0.1,dhcp_resolvers=10.7.0.53,9.9.9.9,dhcp_domain=pool.example,dhcp_lease=600"


@pytest.fixture(scope="module")
def node(module_machine):
    m = prepare(module_machine)
    m.ok("nictagadm", "update", "-p", POOL, "stub0")
    return m


@pytest.fixture
def clean(node):
    yield node
    for vm in node.ok("vmadm", "lookup").split():
        node.ok("vmadm", "delete", vm)


def address(node, vm, nic="eth0"):
    shown = inside(node, vm, f"ip -o -4 addr show {nic}").split()
    return shown[shown.index("inet") + 1]


# What udhcpc tells its script, which is all it has been told.
TELL = "#!/bin/sh\n[ $1 = bound ] && set\nexit 0\n"


def ask(node, vm, more=""):
    node.push(TELL, f"/zones/{vm}/root/tell", 0o755)
    said = inside(node, vm, f"udhcpc -i eth0 -n -q -f -t 3 -T 2 -s /tell {more} 2>/dev/null")
    return dict(line.split("=", 1) for line in said.replace("'", "").split("\n") if "=" in line)


def test_a_machine_that_asks_has_an_address(clean):
    node = clean
    a, b = machine(node, stub("dhcp"), hostname="web"), machine(node, stub("dhcp"))
    assert [address(node, vm) for vm in (a, b)] == ["10.7.0.100/24", "10.7.0.101/24"]
    assert "default via 10.7.0.1 dev eth0" in inside(node, a, "ip route")
    assert inside(node, a, "cat /etc/resolv.conf").split("\n")[-3:] == ["search pool.example", "nameserver 10.7.0.53", "nameserver 9.9.9.9"]
    assert pings(node, a, "10.7.0.101") and pings(node, b, "10.7.0.100")
    # Its own, and no other.
    inside(node, a, "ip addr add 10.7.0.99/24 dev eth0")
    assert not pings(node, a, "10.7.0.101", "-I 10.7.0.99")
    assert get(node, a)["nics"][0]["ips"] == ["dhcp"]


def test_a_client_inside_is_told_the_same(clean):
    node = clean
    a = machine(node, stub("dhcp"), hostname="web")
    told = ask(node, a)
    assert (told["ip"], told["subnet"], told["router"], told["dns"]) == ("10.7.0.100", "255.255.255.0", "10.7.0.1", "10.7.0.53 9.9.9.9")
    assert (told["hostname"], told["domain"], told["lease"], told["serverid"]) == ("web", "pool.example", "600", "10.7.0.1")
    assert ask(node, a, "-r 10.7.0.200")["ip"] == "10.7.0.100", "what it asks for is not what it gets"
    # A property of the link set meanwhile takes nothing of it away.
    node.ok("dladm", "set-linkprop", "-t", "-z", a, "-p", "maxbw=50M", "eth0")
    assert ask(node, a)["ip"] == "10.7.0.100"
    # Of its own resolvers, if it has some; while it runs.
    code, _, said = vmadm(node, "update", a, payload={"resolvers": ["10.7.0.54"]})
    assert code == 0, said
    node.ok("vmadm", "reboot", a)
    assert ask(node, a)["dns"] == "10.7.0.54"
    assert "nameserver 10.7.0.54" in inside(node, a, "cat /etc/resolv.conf")


def test_an_address_stays_its_own(clean):
    node = clean
    a, b = machine(node, stub("dhcp")), machine(node, stub("dhcp"))
    node.ok("vmadm", "stop", "-F", a)
    c = machine(node, stub("dhcp"))
    assert address(node, c) == "10.7.0.102/24", "who is stopped keeps it"
    node.ok("vmadm", "start", a)
    assert (address(node, a), address(node, b)) == ("10.7.0.100/24", "10.7.0.101/24")
    # Full; nothing is left of who came too late, and room when somebody goes.
    said = refused(node, "create", payload={"brand": "lx", "image_uuid": get(node, a)["image_uuid"], "ram": 64, "kernel_version": "6.12.0",
                                            "nics": [stub("dhcp")]})
    assert "all 3 addresses of the DHCP pool of nic tag \"stub0\" are given" in said
    assert len(node.ok("vmadm", "lookup").split()) == 3
    node.ok("vmadm", "delete", b)
    assert address(node, machine(node, stub("dhcp"))) == "10.7.0.101/24"


def test_what_others_have_is_not_given(clean):
    node = clean
    fixed = machine(node, stub("10.7.0.100/24"))
    a = machine(node, stub("dhcp"))
    assert address(node, a) == "10.7.0.101/24" and pings(node, fixed, "10.7.0.101")
    # Live: to an address of its own, and back.
    mac = get(node, a)["nics"][0]["mac"]
    for ips, now in ([["10.7.0.9/24"], "10.7.0.9/24"], [["dhcp"], "10.7.0.101/24"]):
        assert vmadm(node, "update", a, payload={"update_nics": [{"mac": mac, "ips": ips}]})[0] == 0
        assert address(node, a) == now
    assert ask(node, a)["ip"] == "10.7.0.101"


def test_off_where_there_is_no_pool(clean):
    node = clean
    node.ok("nictagadm", "add", "-l", "stub1")
    a = machine(node, {**stub("dhcp"), "nic_tag": "stub1"})
    assert "inet " not in inside(node, a, "ip addr show eth0")
    assert node.run("zlogin", a, "udhcpc -i eth0 -n -q -f -t 2 -T 1 -s /bin/true 2>/dev/null")[0] != 0
    # With one from the next change on.
    node.ok("nictagadm", "update", "-p", "dhcp_pool=10.6.0.5-10.6.0.6/24", "stub1")
    node.ok("vmadm", "reboot", a)
    assert address(node, a) == "10.6.0.5/24"
    assert "serverid=169.254.169.254" in json.dumps(ask(node, a)).replace('": "', "=")
    node.ok("nictagadm", "update", "-p", "dhcp_pool=", "stub1")
    node.ok("vmadm", "delete", a)
    node.ok("nictagadm", "delete", "stub1")
    assert "stub1" not in node.ok("cat", "/usbkey/config")


@pytest.mark.parametrize("props,why", [
    ("dhcp_pool=10.7.0.100", "is not a pool of addresses"),
    ("dhcp_pool=10.7.0.200-10.7.0.100/24", "first to last"),
    ("dhcp_pool=10.7.0.100-10.8.0.100/24", "in one network"),
    ("dhcp_pool=10.7.0.0-10.7.0.9/24", "the network's own address or its broadcast"),
    ("dhcp_router=10.9.0.1", "the router of its DHCP pool is not in the network"),
    ("dhcp_router=10.7.0.101", "is one of the addresses of its DHCP pool"),
    ("dhcp_resolvers=1.1.1.1,2.2.2.2,3.3.3.3,4.4.4.4,5.5.5.5", "at most 4"),
    ("dhcp_lease=3", "60 or more"),
    ("dhcp_lease=600,dhcp_lease=700", "each once"),
    ("dhcp_pol=1", "-p takes"),
    ("mtu=9000", "neither a NIC nor an MTU"),
])
def test_bad_pools(node, props, why):
    before = node.ok("cat", "/usbkey/config")
    code, out, said = node.run("nictagadm", "update", "-p", props, "stub0")
    assert code in (1, 2) and out == "" and why in said and len(said.strip().split("\n")) <= 2, said
    assert node.ok("cat", "/usbkey/config") == before


@pytest.fixture
def served(node):
    """An etherstub without a pool, on which a machine is the DHCP server."""
    node.ok("nictagadm", "add", "-l", "wild0")
    server = machine(node, {"nic_tag": "wild0", "ips": ["10.5.0.1/24"], "allow_dhcp_spoofing": True})
    node.push("start 10.5.0.50\nend 10.5.0.59\ninterface eth0\nlease_file /tmp/leases\nmax_leases 9\nmin_lease 10\n"
              "opt subnet 255.255.255.0\nopt router 10.5.0.1\nopt dns 10.5.0.1\nopt domain wild.example\nopt lease 120\n",
              f"/zones/{server}/root/etc/udhcpd.conf")
    inside(node, server, "touch /tmp/leases; udhcpd -S /etc/udhcpd.conf")
    yield server
    for vm in node.ok("vmadm", "lookup").split():
        node.ok("vmadm", "delete", vm)
    node.ok("nictagadm", "delete", "wild0")


def clients(node, vm):
    return int(inside(node, vm, "ps | grep -c '[u]dhcpc -f' || :"))


WILD = {"nic_tag": "wild0", "ips": ["dhcp"]}


def test_a_network_with_a_server_of_its_own(node, served):
    a = machine(node, WILD, hostname="web")
    n = create(node, nics=[WILD])
    wait_for(node, f"zlogin {n} grep -q '^nameserver 10.5.0.1$' /etc/resolv.conf")
    for vm, nic in ((a, "eth0"), (n, "net0")):
        wait_for(node, f"zlogin {vm} ip -4 addr show {nic} | grep -q 'inet 10.5.0.5'")
        assert pings(node, vm, "10.5.0.1")
    assert "default via 10.5.0.1 dev eth0 " in inside(node, a, "ip route")
    assert inside(node, a, "cat /etc/resolv.conf").split("\n")[-2:] == ["search wild.example", "nameserver 10.5.0.1"]
    # To an address of its own while it runs, and back.
    mac = get(node, a)["nics"][0]["mac"]
    assert vmadm(node, "update", a, payload={"update_nics": [{"mac": mac, "ips": ["10.5.0.9/24"]}]})[0] == 0
    assert address(node, a) == "10.5.0.9/24" and "10.5.0.5" not in inside(node, a, "ip addr") and clients(node, a) == 0
    assert vmadm(node, "update", a, payload={"update_nics": [{"mac": mac, "ips": ["dhcp"]}]})[0] == 0
    wait_for(node, f"zlogin {a} ip -4 addr show eth0 | grep -q 'inet 10.5.0.5'")
    # What its root deletes comes back, with its address.
    inside(node, a, "ip link delete eth0")
    wait_for(node, f"zlogin {a} ip -4 addr show eth0 2>/dev/null | grep -q 'inet 10.5.0.5'")
    assert clients(node, a) == 1
    # A zoneadmd that was killed leaves it alone; and it goes with the machine, at once.
    node.sh(f"pkill -KILL -f '^/usr/lib/nereid/zoneadmd {a}'; zoneadm -z {a} list >/dev/null")
    assert clients(node, a) == 1
    node.ok("vmadm", "stop", "-F", a)


def test_no_server_is_no_reason_not_to_boot(node):
    node.ok("nictagadm", "add", "-l", "mute0")
    a = machine(node, {"nic_tag": "mute0", "ips": ["dhcp"]})
    assert get(node, a)["state"] == "running"
    assert "inet " not in inside(node, a, "ip addr show eth0")
    node.ok("vmadm", "reboot", a)
    node.ok("vmadm", "delete", a)
    node.ok("nictagadm", "delete", "mute0")
