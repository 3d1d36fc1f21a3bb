# SPDX-License-Identifier: MPL-2.0
# Copyright 2026 The Nereid authors
"""dladm on a node: etherstubs, VNICs of the node and of machines, their properties, and what is there after a reboot."""

import json
import re

import pytest

from nets import inside, machine, pings, prepare, stub
from zones import wait_for


@pytest.fixture(scope="module")
def node(module_machine):
    return prepare(module_machine)


def dladm(node, *argv):
    return node.ok("dladm", *argv)


def refused(node, *argv, code=1):
    got, out, said = node.run("dladm", *argv)
    assert (got, out) == (code, "") and said.count("\n") == 1, (got, out, said)
    return said.rstrip("\n")


def shown(node, verb, *argv):
    return json.loads(dladm(node, verb, "-j", *argv))


def test_nics(node):
    assert dladm(node, "show-phys", "-p", "-o", "link,media,state") == "enp0s4:Ethernet:up"
    assert dladm(node).split("\n")[0].split() == ["LINK", "CLASS", "MTU", "STATE", "BRIDGE", "OVER"]
    assert dladm(node).split("\n")[1].split() == ["enp0s4", "phys", "1500", "up", "-", "-"]
    assert dladm(node, "show-phys", "-m", "-p", "-o", "address") == "52:54:0:0:0:1"
    assert dladm(node, "show-phys", "-m", "-p", "-o", "link,address") == r"enp0s4:52\:54\:0\:0\:0\:1"
    assert shown(node, "show-phys", "-m")[0]["address"] == "52:54:00:00:00:01"
    assert "needs -o" in node.run("dladm", "show-phys", "-p")[2]


def test_etherstubs_and_vnics(node):
    dladm(node, "create-etherstub", "-t", "stub1")
    dladm(node, "create-vnic", "-t", "-l", "stub1", "vnic0")
    dladm(node, "create-vnic", "-t", "-l", "stub1", "-m", "2:8:20:1:2:3", "-p", "maxbw=10M,protection=mac-nospoof,ip-nospoof,allowed-ips=10.1.0.2",
          "a_long_name.of_a_link1")
    rows = {r["link"]: r for r in shown(node, "show-vnic")}
    assert rows["vnic0"]["over"] == "stub1" and rows["vnic0"]["macaddrtype"] == "random" and rows["vnic0"]["macaddress"].startswith("02:08:20:")
    assert rows["a_long_name.of_a_link1"]["macaddress"] == "02:08:20:01:02:03" and rows["a_long_name.of_a_link1"]["macaddrtype"] == "fixed"
    assert dladm(node, "show-vnic", "-p", "-o", "macaddress", "a_long_name.of_a_link1") == "2:8:20:1:2:3"
    assert dladm(node, "show-etherstub", "-p", "-o", "link").split() == ["stub1"]
    props = {r["property"]: r["value"] for r in shown(node, "show-linkprop", "a_long_name.of_a_link1")}
    assert props == {"allowed-dhcp-cids": None, "allowed-ips": "10.1.0.2", "dynamic-methods": None, "maxbw": "10", "mtu": None,
                     "priority": "high", "protection": "mac-nospoof,ip-nospoof", "secondary-macs": None, "zone": None}
    assert dladm(node, "show-linkprop", "-c", "-o", "value", "-p", "protection", "a_long_name.of_a_link1") == "mac-nospoof,ip-nospoof"
    dladm(node, "set-linkprop", "-p", "maxbw=1500K,priority=low", "a_long_name.of_a_link1")
    dladm(node, "reset-linkprop", "-p", "protection", "a_long_name.of_a_link1")
    props = {r["property"]: r["value"] for r in shown(node, "show-linkprop", "a_long_name.of_a_link1")}
    assert (props["maxbw"], props["priority"], props["protection"]) == ("1.500", "low", None)
    # They are interfaces of the node, on one switch.
    node.sh("ip netns add far; ip link set vnic0 netns far; ip -n far addr add 10.1.0.1/24 dev vnic0; ip -n far link set vnic0 up;"
            "ip addr add 10.1.0.2/24 dev n020820010203; ip link set n020820010203 up; ping -c 2 -i 0.3 -W 2 10.1.0.1; ip netns del far")
    for name in ("vnic0", "a_long_name.of_a_link1"):
        dladm(node, "delete-vnic", name)
    dladm(node, "delete-etherstub", "stub1")
    assert shown(node, "show-vnic") == [] and shown(node, "show-etherstub") == []


def test_refused(node):
    dladm(node, "create-etherstub", "-t", "stub1")
    dladm(node, "create-vnic", "-t", "-l", "stub1", "-m", "2:8:20:1:2:3", "vnic0")
    for name, why in (("1a0", "begins with a letter"), ("vnic", "ends with a number"), ("vnic00", "no leading zero"), ("v-1", "consists of"),
                      ("x" * 31 + "1", "at most 31")):
        assert why in refused(node, "create-vnic", "-t", "-l", "stub1", name)
    assert "object already exists" in refused(node, "create-vnic", "-t", "-l", "stub1", "vnic0")
    assert "object already exists" in refused(node, "create-etherstub", "-t", "enp0s4")
    assert "is not there" in refused(node, "create-vnic", "-t", "-l", "stub9", "vnic1")
    assert "has no VLANs" in refused(node, "create-vnic", "-t", "-l", "stub1", "-v", "5", "vnic1")
    assert "one of these names is taken" in refused(node, "create-vnic", "-t", "-l", "stub1", "-m", "2:8:20:1:2:3", "vnic1")
    assert "group address" in refused(node, "create-vnic", "-t", "-l", "stub1", "-m", "3:8:20:1:2:3", "vnic1")
    assert "did you mean 'maxbw'" in refused(node, "set-linkprop", "-t", "-p", "maxbv=1", "vnic0")
    assert "no bandwidth" in refused(node, "set-linkprop", "-t", "-p", "maxbw=fast", "vnic0")
    assert "there is no" in refused(node, "set-linkprop", "-t", "-p", "protection=all", "vnic0")
    # How to come by a MAC address.
    for name, how, mac, kind in (("mac0", ("-m", "random", "-r", "2:f:9"), "2:f:9:", "random"), ("mac1", ("-r", "6:0:0:0:1"), "6:0:0:0:1:", "random"),
                                 ("mac2", ("-m", "vrrp", "-V", "7", "-A", "inet", "-v", "4", "-f"), "0:0:5e:0:1:7", "vrrp"),
                                 ("mac3", ("-m", "vrrp", "-V", "7", "-A", "inet6"), "0:0:5e:0:2:7", "vrrp")):
        over = "stub1" if name != "mac2" else dladm(node, "show-phys", "-p", "-o", "link").split()[0]
        dladm(node, "create-vnic", "-t", "-l", over, *how, name)
        (row,) = shown(node, "show-vnic", name)
        text = dladm(node, "show-vnic", "-p", "-o", "macaddress", name)
        assert text.startswith(mac) and row["macaddrtype"] == kind, (text, row)
        dladm(node, "delete-vnic", name)
    for said, *how in (("first even", "-r", "3:8:20"), ("first even", "-r", "2:8:20:1:2:3"), ("no factory address", "-m", "factory", "-n", "2")):
        assert said in refused(node, "create-vnic", "-t", "-l", "stub1", *how, "mac4"), how
    for said, *how in (("-r goes with", "-m", "vrrp", "-r", "2"), ("-V VRID", "-m", "vrrp"), ("go with -m vrrp", "-V", "3"), ("-n goes with", "-n", "3"),
                       ("inet or inet6", "-m", "vrrp", "-V", "3", "-A", "ip")):
        assert said in refused(node, "create-vnic", "-t", "-l", "stub1", *how, "mac4", code=2), how
    assert "only shown" in refused(node, "set-linkprop", "-t", "-p", "zone=x", "vnic0")
    assert "object not found" in refused(node, "delete-vnic", "vnic9", code=3)
    assert "it is of class etherstub" in refused(node, "delete-vnic", "stub1")
    assert refused(node, "delete-etherstub", "stub1") == "dladm: delete-etherstub: link 'stub1': in use by vnic0"
    assert [r["link"] for r in shown(node, "show-vnic")] == ["vnic0"] and node.sh("ip -o link | grep -c veth || :") in ("0", "2")
    dladm(node, "delete-vnic", "vnic0")
    dladm(node, "delete-etherstub", "stub1")


def test_machines(node):
    a, b = machine(node, stub("10.9.0.1/24")), machine(node, stub("10.9.0.2/24", max_bandwidth=50000000))
    rows = {r["zone"]: r for r in shown(node, "show-vnic", "-l", "stub0")}
    assert set(rows) == {a, b} and rows[a]["link"] == "eth0" and rows[a]["macaddrtype"] == "fixed"
    assert len(shown(node, "show-vnic", "-s", "-l", "stub0")) == 2 and shown(node, "show-vnic", "-s", "-l", "none0") == []
    assert f"in use by {min(a, b)}/eth0, {max(a, b)}/eth0" in refused(node, "delete-etherstub", "stub0")
    assert f"is a NIC of zone '{a}'" in refused(node, "delete-vnic", "-z", a, "eth0")
    assert dladm(node, "show-linkprop", "-z", b, "-c", "-o", "value", "-p", "maxbw", "eth0") == "50"
    assert pings(node, a, "10.9.0.2")

    def sent(vm):
        (row,) = shown(node, "show-link", "-s", "-z", vm)
        return row["opackets"], row["oerrors"]
    frames, errors = sent(a)
    assert frames >= 4
    inside(node, a, "ip addr add 10.9.0.77/24 dev eth0")
    assert not pings(node, a, "10.9.0.2", "-I 10.9.0.77")
    assert sent(a)[1] >= errors + 3, "what it may not send is counted"
    dladm(node, "set-linkprop", "-t", "-z", a, "-p", "allowed-ips=10.9.0.1,10.9.0.77", "eth0")
    assert pings(node, a, "10.9.0.2", "-I 10.9.0.77")
    out = node.sh("timeout 4 dladm show-link -s -i 1 || :")
    assert out.count("IPACKETS") >= 2 and re.search(r"eth0 +\d+", out)
    for vm in (a, b):
        node.ok("vmadm", "delete", vm)


def test_kept(node):
    dladm(node, "create-etherstub", "stub2")
    dladm(node, "create-vnic", "-l", "stub2", "-m", "2:8:20:0:0:9", "-p", "maxbw=5M", "kept0")
    dladm(node, "create-vnic", "-l", "enp0s4", "-v", "7", "wire0")
    dladm(node, "create-vnic", "-t", "-l", "stub2", "gone0")
    dladm(node, "set-linkprop", "-p", "priority=low", "kept0")
    dladm(node, "set-linkprop", "-t", "-p", "maxbw=7M", "kept0")
    before = shown(node, "show-vnic", "kept0") + shown(node, "show-vnic", "wire0")
    node.reboot()
    wait_for(node, "systemctl is-active -q nereid-links")
    assert shown(node, "show-vnic", "kept0") + shown(node, "show-vnic", "wire0") == before
    assert [r["link"] for r in shown(node, "show-vnic")] == ["kept0", "wire0"]
    props = {r["property"]: r["value"] for r in shown(node, "show-linkprop", "kept0")}
    assert (props["priority"], props["maxbw"]) == ("low", "5")
    assert node.run("ping", "-c", "2", "-W", "3", "10.0.2.2")[0] == 0
    for name in ("kept0", "wire0"):
        dladm(node, "delete-vnic", name)
    dladm(node, "delete-etherstub", "stub2")
    assert node.sh("ls -R /usbkey/links | grep json || :") == ""
    wait_for(node, "! ip -o link | grep -q veth")
