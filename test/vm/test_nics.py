# SPDX-License-Identifier: MPL-2.0
# Copyright 2026 The Nereid authors
"""NICs of machines on the switch: made at boot and live, what they may send, and what is refused."""

import json

import pytest

from nets import IMAGE, inside, links, machine, pings, prepare, stub
from vms import get, refused, vmadm
from zones import wait_for


@pytest.fixture(scope="module")
def node(module_machine):
    return prepare(module_machine)


BOTH = pytest.mark.parametrize("pair", ["veth", "netkit"], indirect=True)


@pytest.fixture
def pair(node, request):
    """Two machines on an etherstub, the first of which is on the node's network as well; BOTH: of either kind of device."""
    device = getattr(request, "param", "veth")
    for tag in ("stub0", "admin"):
        node.ok("nictagadm", "update", "-p", f"device={device}", tag)
    a = machine(node, stub("10.9.0.1/24"), {"nic_tag": "admin", "ips": ["10.0.2.61/24"], "gateways": ["10.0.2.2"], "primary": True},
                resolvers=["10.0.2.3"], dns_domain="example.net", routes={"10.77.0.0/16": "10.9.0.2", "10.78.0.1": "nics[0]"})
    b = machine(node, stub("10.9.0.2/24"))
    assert {line.split()[0] for line in node.sh("ip -o -d link show | grep -o ' veth \\| netkit '").split("\n")} == {device}
    yield a, b
    for vm in (a, b):
        node.run("vmadm", "delete", vm)
    assert links(node) == set() and node.sh("ls /run/nereid/links | grep -v global || :") == ""


@BOTH
def test_two_machines(node, pair):
    a, b = pair
    nics = get(node, a)["nics"]
    assert [(n["interface"], n["nic_tag"], n.get("primary")) for n in nics] == [("eth0", "stub0", None), ("eth1", "admin", True)]
    assert len({n["mac"] for n in nics}) == 2 and all(n["mac"][1] == "2" and "00" not in n["mac"].split(":") for n in nics)
    assert get(node, b)["nics"][0]["primary"] is True, "the first one, when none is said to be"
    shown = inside(node, a, "ip addr show eth0")
    assert nics[0]["mac"] in shown and "10.9.0.1/24" in shown and "UP" in shown
    assert inside(node, a, "ip route").split("\n")[0].startswith("default via 10.0.2.2 dev eth1")
    routes = inside(node, a, "ip route")
    assert "10.77.0.0/16 via 10.9.0.2 dev eth0" in routes and "10.78.0.1 dev eth0 scope link" in routes
    assert inside(node, a, "cat /etc/resolv.conf").split("\n")[-2:] == ["search example.net", "nameserver 10.0.2.3"]
    assert pings(node, a, "10.9.0.2") and pings(node, b, "10.9.0.1")
    assert pings(node, a, "10.0.2.2"), "what is behind the node's own NIC"
    assert node.run("ping", "-c", "3", "-i", "0.3", "-W", "2", "10.0.2.61")[0] == 0, "the node reaches it"
    assert not pings(node, b, "10.0.2.2"), "an etherstub has no wire"
    assert len(links(node)) == 3


@BOTH
def test_what_is_not_its_own_does_not_leave(node, pair):
    a, b = pair
    inside(node, a, "ip addr add 10.9.0.77/24 dev eth0")
    assert not pings(node, a, "10.9.0.2", "-I 10.9.0.77") and pings(node, a, "10.9.0.2")
    mac = get(node, a)["nics"][0]["mac"]
    inside(node, a, "ip link set eth0 down; ip link set eth0 address 02:99:99:99:99:99; ip link set eth0 up")
    assert not pings(node, a, "10.9.0.2")
    inside(node, a, f"ip link set eth0 down; ip link set eth0 address {mac}; ip link set eth0 up")
    wait_for(node, f"zlogin {a} ping -c 1 -W 2 10.9.0.2 >/dev/null")
    # Allowed, it may; and again not.
    assert node.run("vmadm", "update", a, stdin=json.dumps({"update_nics": [{"mac": mac, "allowed_ips": ["10.9.0.77"]}]}).encode())[0] == 0
    assert pings(node, a, "10.9.0.2", "-I 10.9.0.77")
    assert node.run("vmadm", "update", a, stdin=json.dumps({"update_nics": [{"mac": mac, "allowed_ips": []}]}).encode())[0] == 0
    assert not pings(node, a, "10.9.0.2", "-I 10.9.0.77")
    assert node.run("vmadm", "update", a, stdin=json.dumps({"update_nics": [{"mac": mac, "allow_ip_spoofing": True}]}).encode())[0] == 0
    assert pings(node, a, "10.9.0.2", "-I 10.9.0.77")


def test_changed_while_it_runs(node, pair):
    a, b = pair
    pid = get(node, b)["pid"]

    def update(payload):
        code, out, said = vmadm(node, "update", b, payload=payload)
        assert (code, out, said) == (0, "", f"Successfully updated VM {b}\n"), said

    update({"add_nics": [stub("10.8.0.2/24")]})
    update({"update_nics": [{"mac": get(node, b)["nics"][0]["mac"], "ips": ["10.9.0.3/24"]}]})
    shown = inside(node, b, "ip addr")
    assert "10.8.0.2/24" in shown and "10.9.0.3/24" in shown and "10.9.0.2/24" not in shown and " eth1" in shown
    assert pings(node, a, "10.9.0.3") and not pings(node, a, "10.9.0.2")
    update({"remove_nics": [get(node, b)["nics"][1]["mac"]]})
    assert "eth1" not in inside(node, b, "ip addr") and len(links(node)) == 3
    # A zoneadmd that was killed knows what is there.
    node.sh(f"kill -9 $(pgrep -xf '.*/zoneadmd {b}')")
    assert pings(node, a, "10.9.0.3")
    update({"add_nics": [stub("10.8.0.2/24")]})
    assert "10.8.0.2/24" in inside(node, b, "ip addr") and get(node, b)["pid"] == pid
    node.ok("vmadm", "reboot", "-F", b)
    wait_for(node, f"zlogin {b} ip addr | grep -q 10.8.0.2/24")
    assert pings(node, a, "10.9.0.3") and len(links(node)) == 4
    # All of them go, and one comes, with no word of a boot.
    update({"remove_nics": [n["mac"] for n in get(node, b)["nics"]]})
    assert not get(node, b).get("nics") and "eth" not in inside(node, b, "ip addr") and len(links(node)) == 2
    update({"add_nics": [stub("10.9.0.3/24")]})
    assert pings(node, a, "10.9.0.3")
    node.ok("vmadm", "stop", "-F", b)
    assert len(links(node)) == 2


def test_refused(node, pair):
    a, _ = pair
    mac = get(node, a)["nics"][0]["mac"]

    def wrong(*nics):
        return refused(node, "create", payload={"brand": "lx", "image_uuid": IMAGE, "ram": 64, "kernel_version": "6.12.0", "nics": list(nics)})

    before = node.ok("zfs", "list", "-Ho", "name")
    assert 'Invalid nic tag "none"' in wrong({"nic_tag": "none"})
    assert "it needs a nic_tag" in wrong({"ips": ["10.9.0.9/24"]})
    assert "has no VLANs" in wrong(stub(vlan_id=5))
    assert "above that of nic tag" in wrong({"nic_tag": "admin", "mtu": 9000})
    assert f"MAC address {mac} is that of a NIC of machine {a}" in wrong(stub(mac=mac))
    assert f"IP address 10.9.0.1/28 is that of machine {a}" in wrong(stub("10.9.0.1/28"))
    assert "is primary already" in wrong(stub(primary=True), stub(primary=True))
    assert "nics[0].ips" in wrong(stub("10.9.0.1"))
    assert "nics[0].priority" in wrong(stub(priority="urgent"))
    assert "nics[0].mac" in wrong(stub(mac="02:08:20"))
    assert "its MAC address is a group address" in wrong(stub(mac="03:08:20:00:00:01"))
    assert node.ok("zfs", "list", "-Ho", "name") == before and len(links(node)) == 3
    assert "update_nics" in refused(node, "update", a, payload={"update_nics": [{"mac": "02:00:00:00:00:09", "mtu": 1400}]})


@BOTH
def test_its_root_may_take_it_away_and_only_that(node, pair):
    a, b = pair
    """What it deletes is made again, the more slowly the more often it does so; nobody else notices."""
    inside(node, a, "ip link del eth0")
    wait_for(node, f"zlogin {a} ping -c 1 -W 2 10.9.0.2 >/dev/null 2>&1")
    assert pings(node, a, "10.0.2.2") and pings(node, b, "10.9.0.1") and len(links(node)) == 3
    took = node.sh(f"""
        for i in 1 2 3; do
            zlogin {a} ip link del eth0
            t0=$(cut -d' ' -f1 /proc/uptime | tr -d .)
            until zlogin {a} ip link show eth0 >/dev/null 2>&1; do sleep 0.1; done
            echo $(( $(cut -d' ' -f1 /proc/uptime | tr -d .) - t0 ))
        done""").split()
    assert int(took[0]) >= 90 and int(took[1]) >= 190 and int(took[2]) >= 390, took
    assert node.ok("grep", "-c", "was made again", f"/run/zones/{a}/log") == "4"
    assert inside(node, a, "ip route").split("\n")[0].startswith("default via 10.0.2.2 dev eth1") and pings(node, a, "10.9.0.2")


def test_a_boot_that_fails_leaves_no_nic(node, pair):
    a, _ = pair
    node.ok("vmadm", "stop", "-F", a)
    node.sh("sed -i s/etherstub=stub0/etherstub=stub9/ /usbkey/config")
    try:
        assert 'Invalid nic tag "stub0"' in refused(node, "start", a)
        assert get(node, a)["state"] == "stopped" and len(links(node)) == 1
    finally:
        node.sh("sed -i s/etherstub=stub9/etherstub=stub0/ /usbkey/config")
    node.ok("vmadm", "start", a)
    assert len(links(node)) == 3
