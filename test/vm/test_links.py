# SPDX-License-Identifier: MPL-2.0
# Copyright 2026 The Nereid authors
"""
dladm on a node with four NICs: aggregations, VLAN links, changes of VNICs, names, what is kept, and NICs that go and come.
The second and third NIC are on one segment, the fourth on another: the third is the far end of the second.
"""

import json

import pytest

from nets import inside, machine, pings, prepare
from test_dladm import dladm, refused, shown
from zones import wait_for

FAR = "192.168.77.100"


@pytest.fixture(scope="module")
def node(module_machine):
    m = prepare(module_machine, net=[f"{module_machine.name}-{s}" for s in ("a", "a", "b")])
    m.nics = dladm(m, "show-phys", "-p", "-o", "link").split()
    assert len(m.nics) == 4
    return m


def record(node, name, where="/usbkey/links"):
    return json.loads(node.ok("cat", f"{where}/global/{name}.json"))


def test_an_aggregation(node):
    _, a, far, b = node.nics
    dladm(node, "create-aggr", "-l", a, "-l", b, "aggr0")
    assert dladm(node, "show-aggr", "-p", "-o", "link,policy,addrpolicy,lacpactivity,lacptimer,flags") == "aggr0:L4:auto:off:short:-----"
    assert dladm(node, "show-link", "-p", "-o", "class,over", "aggr0") == f"aggr:{a} {b}"
    rows = shown(node, "show-aggr", "-x")
    assert [(r["port"], r["state"], r["portstate"]) for r in rows] == [(None, "up", None), (a, "up", "attached"), (b, "up", "attached")]
    assert rows[0]["address"] == rows[1]["address"] != rows[2]["address"]
    assert node.sh("cat /sys/class/net/aggr0/bonding/mode /sys/class/net/aggr0/bonding/xmit_hash_policy").split() == \
        ["balance-xor", "2", "layer3+4", "1"]
    # Its ports, its policy and its address can change; what it has of VNICs stays.
    dladm(node, "create-vnic", "-t", "-l", "aggr0", "-v", "5", "vnic0")
    node.sh("ip link set vnic0 up; ip addr add 192.168.77.5/24 dev vnic0")
    dladm(node, "modify-aggr", "-L", "passive", "-T", "long", "-P", "l3,L2", "-u", "2:8:20:9:9:9", "aggr0")
    assert dladm(node, "show-aggr", "-p", "-o", "policy,addrpolicy,lacpactivity,lacptimer") == r"L2,L3:fixed (2\:8\:20\:9\:9\:9):passive:long"
    assert node.sh("cd /sys/class/net/aggr0/bonding; cat mode lacp_active lacp_rate xmit_hash_policy").split() == \
        ["802.3ad", "4", "off", "0", "slow", "0", "layer2+3", "2"]
    assert {r["port"]: r["aggregatable"] for r in shown(node, "show-aggr", "-L")} == {a: "yes", b: "yes"}
    dladm(node, "modify-aggr", "-L", "off", "-u", "auto", "aggr0")
    dladm(node, "remove-aggr", "-l", b, "aggr0")
    assert [r["port"] for r in shown(node, "show-aggr", "-x")] == [None, a]
    assert node.sh(f"cat /sys/class/net/{b}/flags") != "" and not node.run("test", "-e", f"/sys/class/net/{b}/master")[0] == 0
    # The far end of what is left hears VLAN 5.
    node.sh(f"ip netns add far; ip link set {far} netns far; ip -n far link set {far} up; ip -n far link add link {far} name v5 type vlan id 5;"
            f"ip -n far link set v5 up; ip -n far addr add {FAR}/24 dev v5")
    node.sh(f"ping -c 3 -i 0.3 -W 3 -I vnic0 {FAR}")
    node.sh("ip netns exec far ping -c 3 -i 0.3 -W 3 192.168.77.5")
    dladm(node, "add-aggr", "-l", b, "aggr0")
    assert record(node, "aggr0")["ports"] == [a, b] and "mac" not in record(node, "aggr0")
    # What went through it is what went through its ports, and their parts are all of it.
    rows = shown(node, "show-aggr", "-s")
    assert [(r["link"], r["port"]) for r in rows] == [("aggr0", None), ("aggr0", a), ("aggr0", b)]
    assert rows[0]["opackets"] == rows[1]["opackets"] + rows[2]["opackets"] and rows[1]["opackets"] >= 6
    assert abs(float(rows[1]["opktdist"]) + float(rows[2]["opktdist"]) - 100) <= 0.1 and rows[0]["opktdist"] is None


def test_a_vlan_link(node):
    """An interface of the node on a VLAN of an aggregation, beside VNICs of that VLAN."""
    assert dladm(node, "create-vlan", "-l", "aggr0", "-v", "5") == ""
    assert shown(node, "show-vlan") == [{"link": "aggr5000", "vid": 5, "over": "aggr0", "flags": "-----"}]
    assert dladm(node, "show-link", "-p", "-o", "class,over", "aggr5000") == "vlan:aggr0"
    dladm(node, "remove-aggr", "-t", "-l", node.nics[3], "aggr0")
    node.sh("ip link set aggr5000 up; ip addr add 192.168.77.6/24 dev aggr5000; ip addr del 192.168.77.5/24 dev vnic0;"
            f"ping -c 3 -i 0.3 -W 3 -I aggr5000 {FAR}; ip netns exec far ping -c 3 -i 0.3 -W 3 192.168.77.6")
    dladm(node, "add-aggr", "-t", "-l", node.nics[3], "aggr0")
    dladm(node, "create-vlan", "-t", "-f", "-l", "aggr0", "-v", "6", "mine0")
    assert dladm(node, "show-vlan", "-p", "-o", "vid,flags", "mine0") == "6:f----"
    assert [r["link"] for r in shown(node, "show-vlan", "-P")] == ["aggr5000"]
    dladm(node, "delete-vlan", "mine0")


def test_refused(node):
    """One line, and nothing is changed."""
    admin, a, _, b = node.nics
    before = (dladm(node, "show-link"), node.sh("ip -br link; find /usbkey/links -type f | sort; nictagadm list"))
    for said, *argv in (
            (f"link '{a}' is a port of 'aggr0'", "create-aggr", "-l", a, "aggr1"),
            (f"link '{admin}': in use by NIC tag 'admin'", "create-aggr", "-l", admin, "aggr1"),
            ("link 'enp9s9' is not there", "create-aggr", "-l", "enp9s9", "aggr1"),
            ("link 'vnic0' is no NIC", "create-aggr", "-l", "vnic0", "aggr1"),
            ("given twice", "create-aggr", "-l", a, "-l", a, "aggr1"),
            ("object already exists", "create-aggr", "-l", a, "aggr0"),
            ("at most 15 characters", "create-aggr", "-l", a, "a_very_long_name1"),
            ("each at most once", "create-aggr", "-l", a, "-P", "L2,L2", "aggr1"),
            ("group address", "create-aggr", "-l", a, "-u", "1:0:0:0:0:1", "aggr1"),
            (f"link '{b}' is given twice", "add-aggr", "-l", b, "aggr0"),
            ("link 'aggr0': in use by aggr5000, vnic0", "delete-aggr", "aggr0"),
            ("in use by aggr5000, vnic0", "rename-link", "aggr0", "aggr7"),
            ("it is of class vnic, not aggr", "delete-aggr", "vnic0"),
            ("it is of class aggr, not vlan", "delete-vlan", "aggr0"),
            ("VLAN 5 of 'aggr0' is 'aggr5000' already", "create-vlan", "-l", "aggr0", "-v", "5", "other0"),
            (f"link '{a}' is a port of an aggregation", "create-vlan", "-l", a, "-v", "5", "other0"),
            ("of class vnic, which has no VLAN links", "create-vlan", "-l", "vnic0", "-v", "5", "other0"),
            ("is a VLAN link: make the VNIC over aggr0 with -v 5", "create-vnic", "-l", "aggr5000", "other0"),
            ("is a VNIC: make this one over aggr0", "create-vnic", "-l", "vnic0", "other0"),
            (f"link '{admin}' has its name of the kernel", "rename-link", admin, "net0"),
            ("object already exists", "rename-link", "vnic0", "aggr5000"),
            ("no accounting logs", "show-usage", "-f", "/var/log/net.log")):
        assert said in refused(node, *argv), argv
    for said, *argv in (
            ("did you mean 'active'", "create-aggr", "-l", a, "-L", "activ", "aggr1"), ("which NICs", "add-aggr", "aggr0"),
            ("what is to change", "modify-aggr", "aggr0"), ("of which NICs", "create-aggr", "aggr1"),
            ("4095", "create-vlan", "-l", "aggr0", "-v", "4095"), ("which VLAN", "create-vlan", "-l", "aggr0"),
            ("-i goes with -s", "show-aggr", "-i", "1"), ("exclude each other", "show-aggr", "-s", "-x"),
            ("what is to change", "modify-vnic", "vnic0"), ("one of them", "create-vnic", "-t", "-R", "/tmp", "-l", "aggr0", "other0")):
        assert said in refused(node, *argv, code=2), argv
    for said, *argv in (
            ("is no port of 'aggr0'", "remove-aggr", "-l", "enp9s9", "aggr0"), ("not found", "delete-aggr", "aggr9"),
            ("not found", "delete-vlan", "vlan9"), ("not found", "rename-link", "link9", "link10"),
            ("not found", "show-aggr", "aggr9"), ("not found", "modify-vnic", "-v", "3", "vnic9")):
        assert said in refused(node, *argv, code=3), argv
    assert (dladm(node, "show-link"), node.sh("ip -br link; find /usbkey/links -type f | sort; nictagadm list")) == before


def test_tags(node):
    """A NIC tag on an aggregation: machines' NICs go out by it, and it is not removed under them."""
    dladm(node, "remove-aggr", "-t", "-l", node.nics[3], "aggr0")
    node.ok("nictagadm", "add", "trunk", "aggr0")
    assert node.sh("nictagadm list -p | grep ^trunk").split(":")[-2:] == ["aggr0", "aggr"]
    vm = machine(node, {"nic_tag": "trunk", "ips": ["192.168.77.7/24"], "vlan_id": 5})
    assert pings(node, vm, FAR)
    node.vm = vm
    assert f"in use by {vm}/eth0, aggr5000, vnic0" in refused(node, "rename-link", "aggr0", "aggr1")
    assert "in use by NIC tag 'trunk'" in refused(node, "delete-aggr", "aggr0")


def test_a_nic_goes_and_comes(node):
    """A machine that runs over a NIC that is unplugged: it keeps its VNIC, and is on the network when the NIC is back."""
    vm, a = node.vm, node.nics[1]
    device = node.sh(f"basename $(readlink -f /sys/class/net/{a}/device)")
    state = node.sh("cat /run/nereid/state")
    assert state.startswith("ready"), state
    inside(node, vm, "ip link show eth0")
    node.sh(f"echo {device} >/sys/bus/virtio/drivers/virtio_net/unbind; ! test -e /sys/class/net/{a}")
    assert not pings(node, vm, FAR)
    assert "192.168.77.7" in inside(node, vm, "ip addr show eth0")
    node.sh(f"echo {device} >/sys/bus/virtio/drivers/virtio_net/bind; until test -e /sys/class/net/{a}; do sleep 0.2; done")
    wait_for(node, f"test -e /sys/class/net/{a}/master")
    wait_for(node, f"zlogin {vm} 'ping -c 1 -W 2 {FAR}' >/dev/null")
    assert [r["port"] for r in shown(node, "show-aggr", "-x")] == [None, a]
    node.ok("vmadm", "delete", vm)
    node.ok("nictagadm", "delete", "trunk")


def test_a_vnic_moves(node):
    """modify-vnic: another VLAN, MAC and link below; the interface and its address stay."""
    node.sh("ip addr add 192.168.77.5/24 dev vnic0; ip addr del 192.168.77.6/24 dev aggr5000")
    node.sh(f"ping -c 2 -i 0.3 -W 3 -I vnic0 {FAR}")
    index = node.sh("cat /sys/class/net/vnic0/ifindex")
    dladm(node, "modify-vnic", "-t", "-v", "8", "vnic0")
    assert node.run("ping", "-c", "1", "-W", "1", "-I", "vnic0", FAR)[0] != 0
    dladm(node, "modify-vnic", "-t", "-v", "5", "-m", "2:8:20:7:7:7", "vnic0")
    assert dladm(node, "show-vnic", "-p", "-o", "macaddress,macaddrtype,vid", "vnic0") == r"2\:8\:20\:7\:7\:7:fixed:5"
    node.sh(f"ping -c 2 -i 0.3 -W 3 -I vnic0 {FAR}")
    dladm(node, "create-etherstub", "-t", "stub5")
    assert "has no VLANs" in refused(node, "modify-vnic", "-t", "-l", "stub5", "vnic0")
    dladm(node, "modify-vnic", "-t", "-l", "stub5", "-v", "0", "vnic0")
    assert node.run("ping", "-c", "1", "-W", "1", "-I", "vnic0", FAR)[0] != 0
    assert node.sh("cat /sys/class/net/vnic0/ifindex; ip -br addr show dev vnic0").split()[0] == index
    assert "in use by vnic0" in refused(node, "delete-etherstub", "stub5")
    dladm(node, "rename-link", "vnic0", "a_name_that_is_long1")
    assert "192.168.77.5" in node.sh("ip addr show dev n020820070707")
    dladm(node, "rename-link", "a_name_that_is_long1", "short0")
    assert "192.168.77.5" in node.sh("ip addr show dev short0; ! ip link show n020820070707 2>/dev/null")
    assert node.sh("ip link show dev v020820070707 | grep -o 'alias.*'") == "alias global/short0"
    dladm(node, "delete-vnic", "short0")
    dladm(node, "rename-link", "stub5", "other5")
    dladm(node, "delete-etherstub", "other5")


def test_another_root(node):
    """-R: what is kept below another directory, and nothing here."""
    node.sh("mkdir -p /tmp/root/usbkey; touch /tmp/root/usbkey/config")
    links = dladm(node, "show-link")
    root = ("-R", "/tmp/root")
    dladm(node, "create-etherstub", *root, "there0")
    dladm(node, "create-vnic", *root, "-l", "there0", "-p", "maxbw=3M", "vnic7")
    dladm(node, "create-vlan", *root, "-l", "net0", "-v", "4", "vlan7")
    dladm(node, "set-linkprop", *root, "-p", "priority=low", "vnic7")
    assert "in use by vnic7" in refused(node, "delete-etherstub", *root, "there0")
    dladm(node, "rename-link", *root, "vnic7", "vnic8")
    d = record(node, "vnic8", "/tmp/root/usbkey/links")
    assert (d["over"], d["maxbw"], d["priority"], d["name"]) == ("there0", 3000000, "low", "vnic8")
    assert node.sh("ls /tmp/root/usbkey/links/global").split() == ["there0.json", "vlan7.json", "vnic8.json"]
    assert dladm(node, "show-link") == links
    dladm(node, "delete-vnic", *root, "vnic8")
    dladm(node, "delete-etherstub", *root, "there0")
    assert "no persistent configuration" in refused(node, "create-etherstub", "-R", "/nowhere", "there0")


def test_usage(node):
    rows = {r["link"]: r for r in shown(node, "show-usage")}
    assert rows["aggr0"]["ipackets"] > 0 and rows["aggr0"]["duration"] > 0 and rows["aggr0"]["bandwidth"].endswith(" Mbps")
    assert int(dladm(node, "show-usage", "-p", "-o", "obytes", "aggr5000")) > 0
    assert int(dladm(node, "show-link", "-s", "-p", "-o", "obytes", "aggr5000")) > 0


def test_kept(node):
    """The aggregation, with its VLAN link and a VNIC over it, is there after a reboot; what was temporary is not."""
    _, a, far, b = node.nics
    dladm(node, "create-vnic", "-l", "aggr0", "-v", "5", "vnic1")
    dladm(node, "create-etherstub", "-t", "gone0")
    dladm(node, "modify-aggr", "-T", "long", "-L", "active", "aggr0")
    node.ok("nictagadm", "add", "trunk", "aggr0")
    assert [r["link"] for r in shown(node, "show-vnic", "-P")] == ["vnic1"]
    kept = [(r["link"], r["class"], r["over"]) for r in shown(node, "show-link", "-P")]
    assert ("aggr0", "aggr", f"{a} {b}") in kept and ("aggr5000", "vlan", "aggr0") in kept and "gone0" not in [k[0] for k in kept]
    vnic = shown(node, "show-vnic", "vnic1")
    node.reboot()
    wait_for(node, "systemctl is-active -q nereid-links")
    assert shown(node, "show-vnic") == vnic
    assert dladm(node, "show-aggr", "-p", "-o", "link,policy,lacpactivity,lacptimer") == "aggr0:L2,L3:active:long"
    assert [r["port"] for r in shown(node, "show-aggr", "-x")] == [None, a, b]
    assert [r["link"] for r in shown(node, "show-vlan")] == ["aggr5000"]
    assert node.sh("nictagadm list -p | grep ^trunk").split(":")[-2:] == ["aggr0", "aggr"]
    assert "missing" not in node.sh("cat /run/nereid/state")
    node.ok("nictagadm", "delete", "trunk")
    for verb, name in (("delete-vnic", "vnic1"), ("delete-vlan", "aggr5000"), ("delete-aggr", "aggr0")):
        dladm(node, verb, name)
    assert node.sh("find /usbkey/links -name '*.json'") == ""
    assert {"aggr0", "aggr5000", "vnic1"} & set(node.sh("ls /sys/class/net").split()) == set()
    assert {a, far, b} <= set(dladm(node, "show-phys", "-p", "-o", "link").split()), "the NICs are the node's again"
    assert not any(node.run("test", "-e", f"/sys/class/net/{nic}/master")[0] == 0 for nic in (a, b))
