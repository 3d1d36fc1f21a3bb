# SPDX-License-Identifier: MPL-2.0
# Copyright 2026 The Nereid authors
"""Machines by vmadm, on one node: made, changed, shown, snapshotted, removed, by payloads good and bad."""

import json
import re

import pytest

from machine import RUN
from vms import NOBODY, create, get, refused, traces, vmadm
from zones import MAKE_TINY, TINY_INIT, await_running, states, wait_for

IMAGE = "0b5c3a3e-1111-4222-8333-444455556666"


@pytest.fixture(scope="module")
def node(module_machine):
    m = module_machine
    assert m.up(cold=False, answers="standard") == "ready"
    return m


@pytest.fixture(scope="module")
def image(node):
    """An image as imgadm leaves one: a dataset with a root, of which there is a snapshot "final"."""
    node.ok("zfs", "create", f"zones/{IMAGE}")
    node.sh(f"set -- /zones/{IMAGE}/root\n{MAKE_TINY}")
    node.push(TINY_INIT, f"/zones/{IMAGE}/root/sbin/init", 0o755)
    node.ok("zfs", "snapshot", f"zones/{IMAGE}@final")
    return IMAGE


@pytest.fixture
def web(node):
    """A native machine, running; gone afterwards."""
    uuid = create(node, alias="web")
    yield uuid
    node.run("vmadm", "delete", uuid)


def test_life(node):
    uuid = create(node, alias="first", tags={"role": "db", "n": 5})
    vm = get(node, uuid)
    assert (vm["state"], vm["zone_state"], vm["type"], vm["brand"], vm["ram"]) == ("running", "running", "OS", "native", 128)
    assert vm["zonename"] == uuid and vm["zonepath"] == f"/zones/{uuid}" and vm["tags"] == {"role": "db", "n": 5}
    assert vm["pid"] > 1 and "exit_status" not in vm and vm["snapshots"] == [] and vm["server_uuid"]
    assert node.ok("zlogin", uuid, "hostname") == uuid
    assert node.ok("zfs", "get", "-Hpo", "value", "quota", f"zones/{uuid}") == str(1 << 30)
    assert node.run("vmadm", "start", uuid) == (0, "", f"VM {uuid} is already running\n")
    assert node.run("vmadm", "stop", uuid) == (0, "", f"Successfully completed stop for VM {uuid}\n")
    assert node.run("vmadm", "stop", uuid) == (0, "", f"VM {uuid} is already stopped\n")
    vm = get(node, uuid)
    assert (vm["state"], vm["autoboot"], vm["exit_status"]) == ("stopped", False, 0) and "pid" not in vm, vm
    assert "must be running" in refused(node, "reboot", uuid)
    assert "only a running machine's console" in refused(node, "console", uuid)
    assert node.run("vmadm", "start", uuid) == (0, "", f"Successfully started VM {uuid}\n")
    first = get(node, uuid)
    assert first["autoboot"]
    assert node.run("vmadm", "reboot", "-F", uuid) == (0, "", f"Successfully completed reboot for VM {uuid}\n")
    assert get(node, uuid)["pid"] != first["pid"]
    assert node.ok("vmadm", "delete", "-n", uuid).split("\n")[0] == "halt it"
    assert node.run("vmadm", "delete", uuid) == (0, "", f"Successfully deleted VM {uuid}\n")
    assert traces(node, uuid) == ""
    for verb in ("get", "start", "stop", "delete", "update"):
        said = node.run("vmadm", verb, uuid, *(["ram=64"] if verb == "update" else []))
        assert said == (1, "", f"zoneadm: {uuid}: No such zone configured\n"), (verb, said)
    actions = [json.loads(line)["action"] for line in node.ok("vmadm", "history", "-j", uuid).split("\n")]
    assert actions == ["create", "delete"]


def test_of_an_image(node, image):
    code, _, said = vmadm(node, "create", payload={"brand": "lx", "image_uuid": image, "ram": 64, "uuid": NOBODY, "kernel_version": "4.3.0"})
    assert (code, said) == (0, f"Successfully created VM {NOBODY}\n")
    assert node.ok("zfs", "get", "-Ho", "value", "origin", f"zones/{NOBODY}") == f"zones/{image}@final"
    assert node.ok("zlogin", "-S", NOBODY, "/bin/busybox hostname") == NOBODY
    assert get(node, NOBODY)["type"] == "LX"
    assert "there is a machine" in refused(node, "create", payload={"brand": "native", "uuid": NOBODY})
    node.ok("vmadm", "delete", NOBODY)
    assert traces(node, NOBODY) == "" and node.ok("zfs", "list", "-Ho", "name", f"zones/{image}")
    missing = IMAGE.replace("0b5c", "0b5d")
    assert refused(node, "create", payload={"brand": "lx", "image_uuid": missing}).endswith(f"is not installed: imgadm import {missing}")
    assert "image_uuid: missing" in refused(node, "create", payload={"brand": "lx"})


def test_payloads_that_are_refused(node):
    before = node.ok("vmadm", "lookup"), node.ok("zfs", "list", "-Ho", "name")
    for payload, said in (
            ({"brand": "native", "rma": 5, "alais": "x"}, "vmadm: create: rma: there is no such property; did you mean ram?; "
             "alais: there is no such property; did you mean alias?"),
            ({"brand": "zx"}, 'vmadm: create: brand: "zx" is none of native, lx, kvm'),
            ({}, "brand: missing"),
            ({"brand": "native", "ram": "lots"}, "ram: "),
            ({"brand": "native", "docker": True}, "docker: a machine of brand native has none"),
            ({"brand": "native", "state": "running"}, "state: it is only shown"),
            ({"brand": "native", "filesystems": [{"target": "data", "source": "/x", "type": "lofs"}]}, "filesystems[0].target: "),
            ({"brand": "native", "uuid": "NOT-A-UUID"}, "uuid: "),
            ({"brand": "native", "zonename": "a/b"}, "zonename: "),
            (b'{"brand": "native"', "vmadm: create: "),
            (b'{"brand": "native", "ram": 1, "ram": 2}', "vmadm: create: "),
            (b'[1,2]', "must be an object"),
            (b'{"brand": "native", "alias": "' + b"x" * (5 << 20) + b'"}', "vmadm: create: ")):
        line = refused(node, "create", payload=payload)
        assert said in line and len(line) < 600, line
    assert before == (node.ok("vmadm", "lookup"), node.ok("zfs", "list", "-Ho", "name"))


def test_usage(node, web):
    for argv in (["frobnicate"], ["get"], ["get", "x"], ["get", web, web], ["list", "-x"], ["update", web, "ram"], ["update", "x", "ram=5"],
                 ["stop", "-t", "never", web], ["kill", "-s", "NOPE", web], ["lookup", "-o", "uuid"], ["validate", "delete"],
                 ["validate", "update", "zx"], ["create-snapshot", web], ["start", web, "order=cd"]):
        code, _, said = node.run("vmadm", *argv)
        assert code == 2 and said, argv
    assert node.run("vmadm", "help")[0] == 0 and "create-snapshot" in node.ok("vmadm", "help")
    assert 'Invalid filter key: "nope"' in refused(node, "list", "nope=1")
    assert 'invalid order field: "nope"' in refused(node, "list", "-o", "nope")
    assert "-t is for docker" in refused(node, "stop", "-t", "5", web)
    assert "no info types supported" in refused(node, "info", web)


def test_updates(node, web):
    code, out, said = node.run("vmadm", "update", web, "ram=192", "cpu_cap=150", "alias=two words")
    assert (code, out, said) == (0, "", f"Successfully updated VM {web}\n")
    assert node.ok("cat", f"/sys/fs/cgroup/zones/{web}/memory.max", f"/sys/fs/cgroup/zones/{web}/cpu.max").split("\n") == [
        str(192 << 20), "150000 100000"]
    vm = get(node, web)
    assert (vm["ram"], vm["max_locked_memory"], vm["tmpfs"], vm["alias"]) == (192, 192, 192, "two words")
    # What waits is named; the dry run says the same before.
    plan = node.ok("vmadm", "update", "-n", web, "hostname=other", "quota=2", "billing_id=x")
    assert plan.split("\n") == ['billing_id: "00000000-0000-0000-0000-000000000000" -> "x" (a note)', f'hostname: "{web}" -> "other" (at its next boot)',
                                "quota: 1 -> 2 (live)"]
    assert node.run("vmadm", "update", web, "hostname=other", "quota=2")[2] == \
        f"VM {web}: at its next boot: hostname\nSuccessfully updated VM {web}\n"
    assert node.ok("zfs", "get", "-Hpo", "value", "quota", f"zones/{web}") == str(2 << 30)
    assert node.ok("zlogin", web, "hostname") == web
    node.ok("vmadm", "reboot", web)
    await_running(node, web)
    assert node.run("vmadm", "update", web, "alias=x")[2] == f"Successfully updated VM {web}\n"
    # Payloads: maps and lists.
    payload = {"set_tags": {"a": 1}, "set_customer_metadata": {"k": "v"}, "zfs_root_compression": "gzip-9",
               "add_filesystems": [{"target": "/given", "source": "/usr", "type": "lofs", "options": ["ro"]}]}
    code, _, said = vmadm(node, "update", web, payload=payload)
    assert code == 0 and said.startswith(f"VM {web}: at its next boot: filesystems\n"), said
    vm = get(node, web)
    assert vm["tags"] == {"a": 1} and vm["customer_metadata"] == {"k": "v"} and vm["filesystems"][0]["target"] == "/given"
    assert node.ok("zfs", "get", "-Ho", "value", "compression", f"zones/{web}") == "gzip-9"
    before = get(node, web)
    for bad, why in (({"brand": "lx"}, "stays"), ({"set_tags": 3}, "must be an object"), ({"ram": -5}, "ram: "), ({"nics": []}, "add_nics"),
                     ({"remove_filesystems": ["/no"]}, "there is none with target /no"), ({"zfs_root_compression": "lzma"}, "none of on, off")):
        assert why in refused(node, "update", web, payload=bad)
    assert get(node, web) == before


def test_history_and_undo(node, web):
    node.ok("vmadm", "update", web, "alias=b")
    node.ok("vmadm", "update", web, "alias=c", "cpu_shares=7")
    entries = [json.loads(line) for line in node.ok("vmadm", "history", "-j", web).split("\n")]
    assert [(e["seq"], e["action"], e["who"]) for e in entries] == [(1, "create", "root"), (2, "update", "root"), (3, "update", "root")]
    assert {c["property"]: (c["from"], c["to"]) for c in entries[2]["changes"]} == {"alias": ("b", "c"), "cpu_shares": (100, 7)}
    assert '    alias: "web" -> "b"' in node.ok("vmadm", "history", web)
    for want in (("b", 100), ("web", 100)):
        node.ok("vmadm", "undo", web)
        vm = get(node, web)
        assert (vm["alias"], vm["cpu_shares"]) == want
        assert node.ok("cat", f"/sys/fs/cgroup/zones/{web}/cpu.weight") == "100"
    assert "all of it is undone" in refused(node, "undo", web)
    assert "nothing is known of a machine" in refused(node, "history", NOBODY.replace("6f", "7f"))


def test_list_and_lookup(node, web):
    other = create(node, alias="small", ram=64, autoboot=False, tags={"role": "db"})
    lines = node.ok("vmadm", "list").split("\n")
    assert lines[0] == "UUID                                  TYPE  RAM      STATE             ALIAS"
    assert [line.split()[0] for line in lines[1:]] == [other, web]
    assert lines[1] == f"{other}  OS    64       stopped           small"
    assert node.ok("vmadm", "list", "-p", "-o", "alias,ram,tags.role,pid", "-s", "-ram", "state=~^st").split("\n") == ["small:64:db:"]
    assert node.ok("vmadm", "list", "-H", "-o", "alias", "-s", "alias").split("\n") == ["small", "web"]
    assert node.ok("vmadm", "lookup", "tags.role=db") == other
    assert node.run("vmadm", "lookup", "alias=none") == (0, "", "")
    assert node.ok("vmadm", "lookup", "-1", "alias=~^WE") == web
    assert "found 2 results" in refused(node, "lookup", "-1")
    objects = json.loads(node.ok("vmadm", "lookup", "-j", "-o", "uuid,ram"))
    assert sorted(o["ram"] for o in objects) == [64, 128] and set(objects[0]) == {"uuid", "ram"}
    # A reader that has left is no error.
    for verb in ("list", "lookup", f"get {web}"):
        node.sh(f"rm -f /tmp/status; {{ sleep 0.2; vmadm {verb}; echo $? >/tmp/status; }} | true; until [ -s /tmp/status ]; do sleep 0.1; done")
        assert node.ok("cat", "/tmp/status") == "0", verb
    node.ok("vmadm", "delete", other)


def test_validate(node):
    code, out, said = vmadm(node, "validate", "create", payload={"brand": "joyent", "ram": 128})
    assert (code, out, said) == (0, "", "VALID 'create' payload for native brand VMs.\n")
    code, out, said = vmadm(node, "validate", "create", payload={"brand": "lx", "rma": 1, "quota": "x"})
    assert code == 1 and json.loads(out) == {"bad_values": ["quota"], "bad_properties": ["rma"], "missing_properties": ["image_uuid"]}
    assert len(said.rstrip("\n").split("\n")) == 3
    code, out, _ = vmadm(node, "validate", "update", "native", payload={"ram": 5, "uuid": NOBODY})
    assert code == 1 and json.loads(out)["bad_properties"] == ["uuid"]
    assert json.loads(vmadm(node, "validate", "create", payload={"brand": "zx"})[1])["bad_brand"] == "zx"


def test_snapshots(node, web):
    node.ok("zlogin", web, "echo one >/root/f")
    assert node.run("vmadm", "create-snapshot", web, "s1")[2] == f"Created snapshot s1 for VM {web}\n"
    node.ok("zlogin", web, "echo two >/root/f")
    node.ok("vmadm", "create-snapshot", web, "s2")
    assert [s["name"] for s in get(node, web)["snapshots"]] == ["s1", "s2"]
    assert 'snapshot with name "s1" already exists.' in refused(node, "create-snapshot", web, "s1")
    assert "Invalid snapshot name" in refused(node, "create-snapshot", web, "a/b")
    assert 'No snapshot named "s3"' in refused(node, "rollback-snapshot", web, "s3")
    assert node.run("vmadm", "rollback-snapshot", web, "s1")[2] == f"Rolled back snapshot s1 for VM {web}\n"
    assert node.ok("zlogin", web, "cat /root/f") == "one"
    assert [s["name"] for s in get(node, web)["snapshots"]] == ["s1"]
    assert node.run("vmadm", "delete-snapshot", web, "s1")[0] == 0 and get(node, web)["snapshots"] == []
    data = create(node, delegate_dataset=True)
    assert get(node, data)["datasets"] == [f"zones/{data}/data"]
    assert "datasets of its own" in refused(node, "create-snapshot", data, "s1")
    node.ok("vmadm", "delete", data)
    assert traces(node, data) == ""


def test_indestructible(node, web):
    node.ok("vmadm", "update", web, "indestructible_zoneroot=true")
    assert refused(node, "delete", web).startswith(f"Failed to delete VM {web}: it is indestructible: ")
    assert get(node, web)["state"] == "running"
    node.ok("vmadm", "update", web, "indestructible_zoneroot=false")


def test_kill(node, web):
    assert node.run("vmadm", "kill", "-s", "SIGUSR1", web)[2] == f'Sent signal "SIGUSR1" to init process for VM {web}\n'
    node.ok("vmadm", "stop", "-F", web)
    assert refused(node, "kill", web) == "vmadm: kill: it does not run"


def test_faults_of_a_create_leave_nothing(node):
    """Every point at which making a machine can fail, in turn."""
    uuid = NOBODY
    for n in range(1, 200):
        code, _, said = node.run("env", f"NEREID_FAULT={n}", "vmadm", "create",
                                 stdin=json.dumps({"brand": "native", "uuid": uuid, "ram": 128, "quota": 1, "autoboot": False}).encode())
        if code == 0:
            break
        assert code == 1 and said.count("\n") == 1, (n, said)
        assert traces(node, uuid) == "", (n, said)
    assert code == 0 and 5 < n, n
    node.ok("vmadm", "delete", uuid)


def test_archive_on_delete(node):
    uuid = create(node, alias="kept", archive_on_delete=True)
    node.ok("vmadm", "delete", uuid)
    assert traces(node, uuid) == ""
    assert json.loads(node.ok("cat", f"/zones/archive/{uuid}/machine.json"))["alias"] == "kept"
    assert '"state":"running"' in node.ok("cat", f"/zones/archive/{uuid}/zoneadmd.log")
    node.ok("rm", "-r", f"/zones/archive/{uuid}")


def test_restart_policies(node, image):
    """A program that ends is started again as its policy has it: {boots} when nothing happens any more."""
    def machine(policy, script):
        code, _, said = vmadm(node, "create", payload={
            "brand": "lx", "docker": True, "image_uuid": image, "ram": 64, "quota": 1, "uuid": NOBODY, "kernel_version": "6.1.0",
            "init_name": "/bin/sh", "init_args": ["-c", script], "internal_metadata": {"docker:restartpolicy": policy}})
        assert code == 0, said

    def boots():
        return json.loads(node.ok("cat", f"/run/zones/{NOBODY}/state.json"))["boots"]

    for policy, script, want in (("on-failure:3", "exit 1", 4), ("on-failure", "exit 0", 1), ("", "exit 1", 1), ("no", "exit 1", 1),
                                 ("on-failure:x", "exit 1", 1)):
        machine(policy, script)
        wait_for(node, f"grep -q '\"boots\": *{want}\\b' /run/zones/{NOBODY}/state.json && [ $(vmadm list -Ho zone_state uuid={NOBODY}) = installed ]")
        node.sh("sleep 2")
        assert boots() == want, (policy, script)
        node.ok("vmadm", "delete", NOBODY)
        assert traces(node, NOBODY) == ""
    machine("always", "sleep 0.2")
    wait_for(node, f"grep -q '\"boots\": *3\\b' /run/zones/{NOBODY}/state.json")
    node.ok("vmadm", "stop", NOBODY)
    stopped = boots()
    node.sh("sleep 3")
    assert boots() == stopped and get(node, NOBODY)["state"] == "stopped"
    # While it waits for its next start it can be deleted.
    node.ok("vmadm", "start", NOBODY)
    wait_for(node, f"grep -q '\"boots\": *{stopped + 2}\\b' /run/zones/{NOBODY}/state.json")
    node.ok("vmadm", "delete", NOBODY)
    node.sh("sleep 1")
    assert traces(node, NOBODY) == ""


def test_a_full_pool(node, web):
    """As others fill it: nothing half made, and what is there can be used and deleted."""
    fill = "zfs set reservation=none zones/full; zfs set reservation=$(($(zfs get -Hpo value available zones) - %d)) zones/full"
    node.ok("zfs", "create", "zones/full")
    try:
        for left in (0, 100 << 10, 400 << 10, 1 << 20):
            node.sh(fill % left)
            code, _, said = vmadm(node, "create", payload={"brand": "native", "uuid": NOBODY, "ram": 128, "quota": 1})
            assert code in (0, 1) and (left > 0 or code == 1) and said.count("\n") == 1, (left, said)
            if code == 0:
                node.ok("vmadm", "delete", NOBODY)
            else:
                assert "space" in said, said
            assert traces(node, NOBODY) == "", (left, said)
        node.sh(fill % 0)
        assert "space" in refused(node, "create-snapshot", web, "s1")
        assert "space" in refused(node, "reprovision", web, payload={})
        for argv in (["update", web, "ram=96"], ["stop", web], ["start", web], ["delete", web]):
            node.ok("vmadm", *argv)
        assert traces(node, web) == ""
    finally:
        node.sh("zfs destroy zones/full")


def test_odd_sizes_are_told(node):
    ram = int(node.sh("awk '/MemTotal/ { print int($2 / 1024) }' /proc/meminfo"))
    code, _, said = vmadm(node, "create", payload={"brand": "native", "uuid": NOBODY, "ram": ram * 3, "quota": 1, "autoboot": False})
    assert code == 0 and re.match(rf"WARNING: it may use {ram * 3} MiB of memory, and the node has {ram} MiB\n", said), said
    node.ok("vmadm", "delete", NOBODY)
    # An image of more than the quota: what it holds does not count.
    big = IMAGE.replace("0b5c", "0b5e")
    node.sh(f"zfs create -o compression=off zones/{big}; mkdir /zones/{big}/root; head -c 1100M /dev/zero >/zones/{big}/root/zeros; "
            f"zfs snapshot zones/{big}@final", timeout=RUN)
    code, _, said = vmadm(node, "create", "-n", payload={"brand": "native", "image_uuid": big, "quota": 1})
    assert code == 0 and "WARNING: its quota is 1 GiB, and its image holds more, 110" in said, said
    node.sh(f"zfs destroy -r zones/{big}; head -c 100M /dev/zero >/tmp/payload")
    assert "longer than" in node.run("vmadm", "create", "-f", "/tmp/payload")[2]
    node.sh("rm /tmp/payload")


def test_cut_off(node):
    """vmadm killed while it makes a machine: what is left goes when the node boots (vmadm sweep does it)."""
    payload = json.dumps({"brand": "native", "uuid": NOBODY, "ram": 128}).encode()
    node.push(payload, "/tmp/p.json")
    for delay in ("0.05", "0.15", "0.3", "0.6"):
        node.sh(f"timeout -s KILL {delay} vmadm create -f /tmp/p.json 2>/dev/null || :; vmadm sweep 2>/dev/null")
        if node.run("vmadm", "lookup", f"uuid={NOBODY}")[1]:
            node.ok("vmadm", "delete", NOBODY)
        assert traces(node, NOBODY) == "", delay
    # ^C is walked back by vmadm itself.
    node.sh("env --default-signal=INT timeout -s INT 0.3 vmadm create -f /tmp/p.json 2>/dev/null || :")
    if node.run("vmadm", "lookup", f"uuid={NOBODY}")[1]:
        node.ok("vmadm", "delete", NOBODY)
    assert traces(node, NOBODY) == ""


def test_at_once(node):
    """Four machines at once; then one uuid twice at once."""
    node.push(json.dumps({"brand": "native", "ram": 64, "autoboot": False, "quota": 1}), "/tmp/four.json")
    node.push(json.dumps({"brand": "native", "ram": 64, "autoboot": False, "quota": 1, "uuid": NOBODY}), "/tmp/one.json")
    node.sh("for i in 1 2 3 4; do vmadm create -f /tmp/four.json 2>/tmp/said$i & done; wait; cat /tmp/said?", timeout=RUN)
    uuids = node.ok("vmadm", "lookup", "ram=64").split("\n")
    assert len(uuids) == 4
    said = node.sh("for i in 1 2; do vmadm create -f /tmp/one.json 2>/tmp/said$i & done; wait; cat /tmp/said1 /tmp/said2", timeout=RUN)
    assert said.count("Successfully created") == 1 and said.count("there is a machine") == 1, said
    for uuid in [*uuids, NOBODY]:
        node.ok("vmadm", "delete", uuid)
    assert states(node) == {"global": "running"}


def test_the_page_has_every_property(node):
    page = re.sub(r".\x08", "", node.sh("man vmadm 2>/dev/null | cat"))
    for line in node.ok("vmadm", "properties").split("\n"):
        assert re.search(rf"^\s+{line.split()[0]}\b", page, re.M), line


def test_events(node):
    """One who watches while a machine is made, changed, stopped and deleted."""
    node.sh("vmadm events -r >/tmp/events 2>&1 & echo $! >/tmp/events.pid; vmadm events -jr >/tmp/events.json 2>&1 & echo $! >>/tmp/events.pid")
    wait_for(node, "grep -q ready /tmp/events && grep -q ready /tmp/events.json")
    uuid = create(node, alias="watched" + "x" * 30)
    node.ok("vmadm", "update", uuid, "ram=64")
    node.ok("vmadm", "delete", uuid)
    wait_for(node, "grep -q ' delete$' /tmp/events && grep -q '\"type\":\"delete\"' /tmp/events.json")
    node.sh("kill $(cat /tmp/events.pid)")
    lines = [line for line in node.ok("cat", "/tmp/events").split("\n") if uuid[:8] in line]
    head = rf"\[\d\d:\d\d:\d\d\.\d{{3}}Z\] {uuid[:8]} watched{'x' * 20}\.\.\. "
    assert all(re.match(head, line) for line in lines), lines
    said = [re.sub(head, "", line) for line in lines]
    assert said[0] == "create" and said[-1] == "delete", said
    assert "modify: ram changed :: 128 -> 64" in said and "modify: zone_state changed :: \"installed\" -> \"ready\"" in said, said
    assert 'modify: state changed :: "provisioning" -> "running"' in said, said
    events = [json.loads(line) for line in node.ok("cat", "/tmp/events.json").split("\n")]
    assert events[0]["type"] == "ready"
    mine = [e for e in events if e.get("uuid") == uuid]
    assert [mine[0]["type"], mine[-1]["type"]] == ["create", "delete"] and mine[0]["vm"]["alias"].startswith("watched")
    changes = [c for e in mine if e["type"] == "modify" for c in e["changes"]]
    assert {"prettyPath": "ram", "path": ["ram"], "action": "changed", "oldValue": 128, "newValue": 64} in changes
