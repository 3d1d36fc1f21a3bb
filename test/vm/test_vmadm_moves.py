# SPDX-License-Identifier: MPL-2.0
# Copyright 2026 The Nereid authors
"""Machines at their first boot, given another root, and carried to another node, which is the same one here."""

import json

import pytest

from machine import RUN
from vms import NOBODY, create, get, refused, traces, vmadm
from zones import wait_for

NATIVE, SLOW, DISK = (f"0b5c3a3e-1111-4222-8333-44445555000{n}" for n in range(3))
BUNDLE = "/opt/machine.vmbundle"


def manifest(node, uuid, kind, **more):
    """The record imgadm writes of an image."""
    node.sh("mkdir -p /var/imgadm/images")
    node.push(json.dumps({"manifest": {"v": 2, "uuid": uuid, "name": f"test-{kind}", "version": "1", "type": kind, "os": "other", **more},
                          "zpool": "zones"}), f"/var/imgadm/images/zones-{uuid}.json")


def image_of(node, uuid, image, kind="zone-dataset", **more):
    """What a machine's root is now, as an image."""
    node.sh(f"zfs snapshot zones/{uuid}@x && zfs send zones/{uuid}@x | zfs receive -u -o mountpoint=legacy zones/{image} && "
            f"zfs destroy zones/{uuid}@x && zfs rename zones/{image}@x zones/{image}@final")
    manifest(node, image, kind, **more)


@pytest.fixture(scope="module")
def node(module_machine):
    """With two images of native roots: one that is as the platform makes it, and one that never says that it came up."""
    m = module_machine
    assert m.up(cold=False, answers="standard") == "ready"
    uuid = create(m, autoboot=False)
    m.sh(f"echo image >/zones/{uuid}/root/root/made-of")
    image_of(m, uuid, NATIVE, requirements={"min_ram": 4096})
    m.ok("ln", "-sf", "/dev/null", f"/zones/{uuid}/root/etc/systemd/system/mdata-execute.service")
    image_of(m, uuid, SLOW)
    m.ok("vmadm", "delete", uuid)
    manifest(m, DISK, "zvol", image_size=10, disk_driver="virtio", nic_driver="virtio", cpu_type="host")
    m.ok("zfs", "create", f"zones/{DISK}")
    m.ok("zfs", "snapshot", f"zones/{DISK}@final")
    return m


@pytest.fixture
def data(node):
    """A native machine with a dataset of its own, running; gone afterwards."""
    uuid = create(node, alias="data", delegate_dataset=True, customer_metadata={"k": "v"})
    node.ok("zfs", "set", "nereid:mark=kept", f"zones/{uuid}/data")
    node.ok("zlogin", uuid, "echo old >/root/file")
    yield uuid
    node.run("vmadm", "delete", uuid)


def test_create_waits_until_it_is_provisioned(node):
    script = "#!/bin/sh\nuntil [ -e /root/go ]; do sleep 0.1; done\nmdata-put said done\n"
    uuid = create(node, customer_metadata={"user-script": script})
    # Its scripts are not waited for, and can store what they find out.
    assert get(node, uuid)["state"] == "running"
    assert node.ok("ls", f"/zones/{uuid}/root/var/svc").split("\n").count("provision_success") == 1
    node.ok("touch", f"/zones/{uuid}/root/root/go")
    wait_for(node, f"vmadm get {uuid} | grep -q '\"said\": \"done\"'")
    assert {"transition", "transition_to", "transition_expire"}.isdisjoint(get(node, uuid))
    node.ok("vmadm", "delete", uuid)
    uuid = create(node, nowait=True)
    vm = get(node, uuid)
    assert (vm["state"], vm["zone_state"], vm["transition_to"]) == ("provisioning", "running", "running")
    wait_for(node, f"vmadm get {uuid} | grep -q '\"state\": \"running\"'")
    node.ok("vmadm", "delete", uuid)


def test_a_first_boot_that_does_not_end(node):
    node.push(json.dumps({"brand": "native", "ram": 128, "quota": 1, "uuid": NOBODY, "image_uuid": SLOW}), "/tmp/slow.json")
    # Who does not want to wait any more leaves a machine that boots.
    said = node.sh(f"env --default-signal=INT vmadm create -f /tmp/slow.json 2>/tmp/said & until vmadm list -Ho zone_state uuid={NOBODY} | "
                   "grep -q running; do sleep 0.1; done; sleep 1; kill -INT $!; wait $! || echo status $?; cat /tmp/said", timeout=RUN)
    assert "status 1\n" in said and "not waited for any more" in said, said
    assert get(node, NOBODY)["state"] == "provisioning"
    # Its time runs out, as its zoneadmd finds that is begun anew.
    path = f"/etc/zones/{NOBODY}.json"
    pid = json.loads(node.ok("cat", f"/run/zones/{NOBODY}/state.json"))["zoneadmd"]
    node.sh(f"kill -9 {pid}; sed -i 's/\"transition_expire\": *[0-9]*/\"transition_expire\": '$(( ($(date +%s) + 20) * 1000 ))'/' {path}; "
            f"zlogin {NOBODY} true || :")
    wait_for(node, f"vmadm list -Ho state,zone_state uuid={NOBODY} | grep -q 'failed *installed'")
    assert "must be stopped" in refused(node, "start", NOBODY)
    # Another root mends it.
    assert vmadm(node, "reprovision", NOBODY, payload={"image_uuid": NATIVE})[0] == 0
    vm = get(node, NOBODY)
    assert (vm["state"], vm["image_uuid"]) == ("running", NATIVE) and "failed" not in vm
    node.ok("vmadm", "delete", NOBODY)
    assert traces(node, NOBODY) == ""


def test_images_are_looked_at(node):
    for brand, image, why in (("native", DISK, "is of type zvol; a machine of brand native is made of type zone-dataset"),
                              ("lx", NATIVE, "is of type zone-dataset; a machine of brand lx is made of type lx-dataset or docker")):
        assert why in refused(node, "create", payload={"brand": brand, "image_uuid": image, "kernel_version": "6.1"} if brand == "lx" else
                              {"brand": brand, "image_uuid": image})
    code, _, said = vmadm(node, "create", payload={"brand": "native", "ram": 128, "image_uuid": NATIVE, "uuid": NOBODY, "autoboot": False})
    assert code == 0 and said.startswith("WARNING: image test-zone-dataset wants at least 4096 MiB of memory, and it has 128 MiB\n"), said
    node.ok("vmadm", "delete", NOBODY)


def test_reprovision(node, data):
    node.ok("vmadm", "update", data, "hostname=kept")
    before = get(node, data)
    for payload, why in (({"image_uuid": SLOW, "ram": 5}, "ram: only image_uuid"), ({"image_uuid": 7}, "image_uuid: it is no uuid"),
                         ([], "no object"), ({"image_uuid": DISK}, "is of type zvol"), ({"image_uuid": NOBODY}, "is not installed: imgadm import")):
        assert why in refused(node, "reprovision", data, payload=payload)
    node.ok("vmadm", "update", data, "indestructible_zoneroot=true")
    assert "its root is indestructible" in refused(node, "reprovision", data, payload={"image_uuid": NATIVE})
    node.ok("vmadm", "update", data, "indestructible_zoneroot=false")
    assert get(node, data)["pid"] == before["pid"]
    code, out, said = vmadm(node, "reprovision", data, payload={"image_uuid": NATIVE})
    assert (code, out, said) == (0, "", f"Successfully reprovisioned VM {data}\n")
    after = get(node, data)
    kept = ("uuid", "alias", "hostname", "customer_metadata", "datasets", "ram", "quota", "autoboot", "create_timestamp")
    assert [after[k] for k in kept] == [before[k] for k in kept] and after["image_uuid"] == NATIVE and after["state"] == "running"
    assert node.ok("zlogin", data, "cat /root/made-of; ls /root; hostname").split("\n") == ["image", "made-of", "kept"]
    assert node.ok("zfs", "get", "-Ho", "value", "nereid:mark", f"zones/{data}/data") == "kept"
    assert node.ok("zfs", "get", "-Ho", "value", "origin,canmount", f"zones/{data}").split("\n") == [f"zones/{NATIVE}@final", "on"]
    assert node.run("zfs", "list", f"zones/{data}-old")[0] != 0
    assert json.loads(node.ok("vmadm", "history", "-j", data).split("\n")[-1])["action"] == "reprovision"
    # Without an image it has the platform's again: only where it never had one.
    assert "which image" in refused(node, "reprovision", data, payload={})


def test_reprovision_cut_off(node, data):
    """By a failure at every point it keeps its old root; a power cut leaves one or the other."""
    node.ok("vmadm", "stop", data)
    node.push(json.dumps({"image_uuid": NATIVE}), "/tmp/image.json")
    for n in range(1, 200):
        code, _, said = node.run("env", f"NEREID_FAULT={n}", "vmadm", "reprovision", data, "-f", "/tmp/image.json")
        if code == 0:
            break
        assert code == 1 and said.count("\n") == 1, (n, said)
        vm = get(node, data)
        if vm.get("image_uuid") is None:
            assert vm["state"] == "stopped" and node.ok("cat", f"/zones/{data}/root/root/file") == "old", (n, said, vm)
            assert node.run("zfs", "list", f"zones/{data}-old")[0] != 0, (n, said)
        else:
            node.ok("vmadm", "sweep")
        assert node.ok("zfs", "get", "-Ho", "value", "nereid:mark", f"zones/{data}/data") == "kept", n
    assert code == 0 and n > 5, n
    node.sh(f"echo old >/zones/{data}/root/root/file")
    for delay in ("0.1", "0.2", "0.4", "0.8"):
        node.sh(f"timeout -s KILL {delay} vmadm reprovision {data} -f /tmp/image.json 2>/dev/null || :; vmadm sweep 2>/dev/null")
        assert get(node, data)["state"] == "stopped" and node.run("zfs", "list", f"zones/{data}-old")[0] != 0, delay
        assert node.ok("zfs", "get", "-Ho", "value", "nereid:mark", f"zones/{data}/data") == "kept", delay
        assert node.ok("ls", f"/zones/{data}/root/root/made-of")
    node.ok("vmadm", "start", data)
    assert node.ok("zlogin", data, "cat /root/made-of") == "image"


def test_send_and_receive(node, data):
    node.ok("vmadm", "update", data, "cpu_cap=150", "quota=2", "zfs_root_compression=gzip-9")
    before = get(node, data)
    said = node.run("sh", "-c", f"vmadm send {data} >{BUNDLE}")
    assert said == (0, "", f"Successfully sent VM {data}\n")
    assert get(node, data)["state"] == "stopped" and "@sending" not in node.ok("zfs", "list", "-Ho", "name", "-t", "all")
    assert node.ok("head", "-c", "39", BUNDLE).split("\0")[:4] == ["MAGIC-VMBUNDLE", "1", "CHECKSUM", "JSON"]
    receive = f"vmadm receive <{BUNDLE}"
    assert "there is a machine" in node.run("sh", "-c", receive)[2]
    node.ok("vmadm", "delete", data)
    # What is not whole leaves no trace.
    size = int(node.ok("stat", "-c", "%s", BUNDLE))
    for cut in (0, 100, 512, 1000, 4096, size // 2, size - 600):
        code, _, said = node.run("sh", "-c", f"head -c {cut} {BUNDLE} | vmadm receive")
        if "@" in said or code == 0:
            # After the object comes nothing: it is left to somebody else to bring the dataset.
            assert get(node, data)["state"] == "receiving", cut
            node.ok("vmadm", "delete", data)
        else:
            assert code == 1 and said.startswith("vmadm: receive: ") and said.count("\n") == 1, (cut, said)
        assert traces(node, data) == "", (cut, said)
    for junk in ("head -c 4096 /dev/urandom", "yes | head -c 100000", "printf 'MAGIC-VMBUNDLE\\0002\\0'", f"sed 's/zones.{data}/zones\\/var/' {BUNDLE}"):
        code, _, said = node.run("sh", "-c", f"{junk} | vmadm receive")
        assert code == 1 and said.count("\n") == 1 and traces(node, data) == "", (junk, said)
    assert node.run("sh", "-c", receive) == (0, "", f"Successfully received VM {data}\n")
    after = get(node, data)
    kept = ("uuid", "alias", "customer_metadata", "datasets", "ram", "quota", "cpu_cap", "zfs_root_compression", "create_timestamp")
    assert [after[k] for k in kept] == [before[k] for k in kept] and after["state"] == "stopped" and not after["autoboot"]
    assert "@sending" not in node.ok("zfs", "list", "-Ho", "name", "-t", "all")
    assert node.ok("zfs", "get", "-Hpo", "value", "quota,compression", f"zones/{data}").split("\n") == [str(2 << 30), "gzip-9"]
    assert node.ok("zfs", "get", "-Ho", "value", "nereid:mark", f"zones/{data}/data") == "kept"
    node.ok("vmadm", "start", data)
    assert node.ok("zlogin", data, "cat /root/file") == "old"


def test_install_after_a_dataset_was_brought(node, data):
    """As a controller moves machines: the object, the dataset by itself, install."""
    node.sh(f"vmadm send {data} >{BUNDLE}; zfs snapshot -r zones/{data}@moved; zfs send -R zones/{data}@moved >/opt/moved.zfs")
    node.ok("vmadm", "delete", data)
    json_size = int(node.ok("head", "-c", "512", BUNDLE).split("\0")[5])
    node.sh(f"head -c {512 + json_size} {BUNDLE} | vmadm receive")
    assert get(node, data)["state"] == "receiving"
    assert "receive it first" in refused(node, "install", data)
    node.sh("vmadm sweep")
    node.sh(f"zfs receive -u zones/{data} </opt/moved.zfs; rm /opt/moved.zfs")
    assert node.run("vmadm", "install", data) == (0, "", f"Successfully installed VM {data}\n")
    assert "only a machine that is receiving" in refused(node, "install", data)
    node.ok("vmadm", "start", data)
    assert node.ok("zlogin", data, "cat /root/file") == "old"


def test_usage(node, data):
    for argv in (["send"], ["send", "x"], ["receive", "x"], ["reprovision"], ["sysrq", data], ["sysrq", data, "boot"], ["install"]):
        code, _, said = node.run("vmadm", *argv)
        assert code == 2 and said, argv
    assert "has no such key" in refused(node, "sysrq", data, "nmi")
    code, out, said = node.run("script", "-qec", f"vmadm send {data}", "/dev/null")
    assert code == 2 and "not for a terminal" in out + said
