# SPDX-License-Identifier: MPL-2.0
# Copyright 2026 The Nereid authors
"""zoneadm on a real pool: clones, moves, detached zones and what becomes of ids, snapshots and files."""

import json

import pytest

from zones import await_running, config, install_native, install_tiny, remove, run_state, states, wait_for


@pytest.fixture(scope="module")
def node(module_machine):
    m = module_machine
    assert m.up(cold=False, answers="standard") == "ready"
    install_native(m, "src", boot=False)
    m.sh("echo kept >/zones/src/root/root/file; chown 33:33 /zones/src/root/root/file")
    return m


def get(node, prop, dataset):
    return node.ok("zfs", "get", "-Hpo", "value", prop, dataset)


def exists(node, dataset):
    return node.run("zfs", "list", "-H", dataset)[0] == 0


def configure(node, name, brand="native", more=""):
    node.ok("zonecfg", "-z", name, f"create -b; set brand={brand}; {more}".rstrip("; "))


# ---- clone ----

def test_clone_is_a_clone_and_somebody_else(node):
    configure(node, "c1")
    node.ok("zoneadm", "-z", "c1", "clone", "src")
    assert get(node, "origin", "zones/c1") == "zones/src@clone-c1"
    assert int(get(node, "used", "zones/c1")) < 200 << 10, "it shares what it has not changed"
    a, b = config(node, "src"), config(node, "c1")
    assert a["uuid"] != b["uuid"] and a["id_base"] + a["id_count"] <= b["id_base"]
    ids = {zone: node.ok("cat", f"/zones/{zone}/root/etc/machine-id") for zone in ("src", "c1")}
    assert ids == {"src": a["uuid"].replace("-", ""), "c1": b["uuid"].replace("-", "")}
    assert node.ok("stat", "-c", "%u:%g %a", "/zones/c1/root/root/file") == "33:33 644", "nothing is chowned"
    node.ok("zoneadm", "-z", "c1", "boot")
    assert node.ok("zlogin", "-S", "c1", "hostname; cat /root/file; stat -c %u /root/file").split() == ["c1", "kept", "33"]


def test_a_running_zone_is_no_source(node):
    configure(node, "c2")
    said = node.refused(1, "zoneadm", "-z", "c2", "clone", "c1")
    assert "c1" in said and "halted" in said and "running" in said
    assert states(node)["c2"] == "configured" and not exists(node, "zones/c2")
    node.ok("zoneadm", "-z", "c1", "halt")


def test_clone_of_a_snapshot(node):
    node.ok("zfs", "snapshot", "zones/src@before")
    node.sh("echo changed >/zones/src/root/root/file")
    assert "nosuch" in node.refused(1, "zoneadm", "-z", "c2", "clone", "-s", "nosuch", "src")
    assert states(node)["c2"] == "configured"
    node.ok("zoneadm", "-z", "c2", "clone", "-s", "before", "src")
    assert node.ok("cat", "/zones/c2/root/root/file") == "kept"
    assert get(node, "origin", "zones/c2") == "zones/src@before"


def test_copy_stands_alone(node):
    configure(node, "c3")
    node.ok("zoneadm", "-z", "c3", "clone", "-m", "copy", "src")
    assert get(node, "origin", "zones/c3") == "-"
    assert node.ok("cat", "/zones/c3/root/root/file") == "changed"
    assert node.ok("stat", "-c", "%u:%g", "/zones/c3/root/root/file") == "33:33"
    remove(node, "c3")
    assert not exists(node, "zones/c3") and node.run("test", "-e", "/zones/c3")[0] != 0


def test_clone_of_what_differs_is_refused(node):
    configure(node, "lx1", brand="lx")
    assert "brand" in node.refused(1, "zoneadm", "-z", "lx1", "clone", "src")
    assert "itself" in node.refused(2, "zoneadm", "-z", "src", "clone", "src")
    assert "nosuch" in node.refused(1, "zoneadm", "-z", "lx1", "clone", "nosuch")
    assert "hard" in node.refused(2, "zoneadm", "-z", "lx1", "clone", "-m", "hard", "src")
    remove(node, "lx1")


def test_uninstall_of_a_source_leaves_its_clones(node):
    """The clones are promoted, files and all; ids are not given to another zone."""
    gone = config(node, "src")["id_base"]
    node.ok("zoneadm", "-z", "src", "uninstall", "-F")
    assert not exists(node, "zones/src") and states(node)["src"] == "configured"
    assert get(node, "origin", "zones/c1") in ("-", "zones/c2@clone-c1", "zones/c2@before")
    for zone in ("c1", "c2"):
        assert node.ok("cat", f"/zones/{zone}/root/root/file") == "kept"
    node.ok("zoneadm", "-z", "c1", "boot")
    assert node.ok("zlogin", "-S", "c1", "cat /root/file") == "kept"
    node.ok("zoneadm", "-z", "c1", "halt")
    node.ok("zonecfg", "-z", "src", "delete", "-F")
    install_native(node, "src", boot=False)
    assert config(node, "src")["id_base"] > max(gone, config(node, "c2")["id_base"])


def test_uninstall_takes_the_snapshot_it_made(node):
    """What clone made for itself goes with the clone, what the operator made stays."""
    remove(node, "c1", "c2")
    left = node.ok("zfs", "list", "-Hrt", "snapshot", "-o", "name", "zones")
    assert "clone-" not in left


# ---- move ----

def test_move(node):
    assert "zoneadm" in node.refused(1, "zoneadm", "-z", "src", "move", "relative")
    node.ok("zoneadm", "-z", "src", "boot")
    assert "halted" in node.refused(1, "zoneadm", "-z", "src", "move", "/zones/else")
    node.ok("zoneadm", "-z", "src", "halt")
    node.sh("mkdir /zones/taken")
    assert "/zones/taken" in node.refused(1, "zoneadm", "-z", "src", "move", "/zones/taken")
    assert config(node, "src")["zonepath"] == "/zones/src"
    node.sh("rmdir /zones/taken")
    node.ok("zoneadm", "-z", "src", "move", "/zones/else")
    assert node.run("test", "-e", "/zones/src")[0] != 0
    assert node.ok("zoneadm", "-z", "src", "list", "-p").split(":")[3] == "/zones/else"
    assert node.ok("stat", "-c", "%a %U", "/zones/else") == "700 root"
    node.ok("zoneadm", "-z", "src", "boot")
    assert node.ok("zlogin", "-S", "src", "hostname") == "src"
    node.ok("zoneadm", "-z", "src", "halt")
    node.ok("zoneadm", "-z", "src", "move", "/zones/src")


# ---- detach and attach ----

def test_detach_and_attach(node):
    before = config(node, "src")
    manifest = json.loads(node.ok("zoneadm", "-z", "src", "detach", "-n"))
    assert manifest["zonename"] == "src" and states(node)["src"] == "installed"
    node.ok("zoneadm", "-z", "src", "detach")
    assert states(node)["src"] == "configured" and exists(node, "zones/src")
    assert "must be" in node.refused(1, "zoneadm", "-z", "src", "boot")
    assert "attach" in node.refused(1, "zoneadm", "-z", "src", "install")
    node.ok("zoneadm", "-z", "src", "attach", "-n", "/zones/src/detached.json")
    node.sh("mv /zones/src/root/etc /zones/src/root/etc.away")
    assert "/etc" in node.refused(1, "zoneadm", "-z", "src", "attach")
    node.ok("zoneadm", "-z", "src", "attach", "-F")
    assert "/etc" in node.refused(1, "zoneadm", "-z", "src", "boot")
    node.sh("mv /zones/src/root/etc.away /zones/src/root/etc")
    node.ok("zoneadm", "-z", "src", "boot")
    after = config(node, "src")
    assert {k: after[k] for k in ("uuid", "id_base")} == {k: before[k] for k in ("uuid", "id_base")}
    assert node.run("test", "-e", "/zones/src/detached.json")[0] != 0
    node.ok("zoneadm", "-z", "src", "halt")


def test_detached_under_another_name(node):
    """What another node, or the same one with its configuration lost, makes of a detached zone: zonecfg create -a."""
    node.ok("zoneadm", "-z", "src", "detach")
    node.ok("zonecfg", "-z", "src", "delete", "-F")
    node.ok("zonecfg", "-z", "src", "create -a /zones/src")
    node.ok("zoneadm", "-z", "src", "attach")
    assert states(node)["src"] == "installed"
    node.ok("zoneadm", "-z", "src", "verify")


# ---- what it is said to be ----

def test_list(node):
    uuid = config(node, "src")["uuid"]
    assert node.ok("zoneadm", "list") == "global"
    assert node.ok("zoneadm", "list", "-n") == ""
    assert node.ok("zoneadm", "list", "-i").split() == ["global", "src"]
    assert node.ok("zoneadm", "-z", "src", "list", "-p") == f"-:src:installed:/zones/src:{uuid}:native:excl"
    assert node.ok("zoneadm", "-u", uuid, "list", "-p").startswith("-:src:")
    table = node.ok("zoneadm", "list", "-cv").split("\n")
    assert table[0].split() == ["ID", "NAME", "STATUS", "PATH", "BRAND", "IP"]
    assert table[-1].split() == ["-", "src", "installed", "/zones/src", "native", "excl"]
    node.refused(2, "zoneadm", "list", "-pv")


def test_verify_and_mark(node):
    node.ok("zoneadm", "-z", "src", "verify")
    node.sh("chmod 755 /zones/src")
    assert "0700" in node.refused(1, "zoneadm", "-z", "src", "verify")
    node.sh("chmod 700 /zones/src")
    assert "incomplete" in node.refused(2, "zoneadm", "-z", "src", "mark", "wrong")
    node.ok("zoneadm", "-z", "src", "mark", "incomplete")
    assert states(node)["src"] == "incomplete"
    for verb in ("boot", "ready", "move /zones/y", "detach", "mark incomplete"):
        said = node.refused(1, "zoneadm", "-z", "src", *verb.split())
        assert "src" in said and "incomplete" in said, said
    assert "terminal" in node.refused(1, "zoneadm", "-z", "src", "uninstall")
    node.ok("zoneadm", "-z", "src", "uninstall", "-F")
    assert not exists(node, "zones/src")


# ---- delegated datasets ----

def zone_zfs(node, *words):
    """zfs in the zone: code, output, error."""
    return node.run("zlogin", "-S", "dz", *words)


@pytest.fixture(scope="module")
def dz(node):
    """A native zone that a dataset is delegated to."""
    install_native(node, "dz", "set autoboot=false; add dataset; set name=zones/dz/data; end", boot=False)
    node.ok("zfs", "create", "-o", "quota=512M", "zones/dz/data")
    node.ok("zoneadm", "-z", "dz", "boot")
    await_running(node, "dz")  # it mounts its datasets as it comes up
    return "dz"


def test_the_zone_manages_its_dataset(node, dz):
    ok = "set -e; zfs create zones/dz/data/home; echo mine >/zones/dz/data/home/file; zfs snapshot zones/dz/data/home@s; " \
         "zfs clone zones/dz/data/home@s zones/dz/data/twin; cat /zones/dz/data/twin/file; zfs set quota=100M zones/dz/data/twin; " \
         "zfs set compression=off zones/dz/data/home; zfs destroy zones/dz/data/twin; zfs rollback zones/dz/data/home@s; " \
         "zfs list -Hro name zones/dz/data"
    code, out, err = zone_zfs(node, ok)
    assert code == 0, err
    assert out.split() == ["mine", "zones/dz/data", "zones/dz/data/home"]
    assert get(node, "zoned", "zones/dz/data") == "on"
    assert node.run("findmnt", "-n", "zones/dz/data/home")[0] != 0, "it is mounted in the zone alone"


REFUSED = {
    "seeing another's": "zfs list zones/src",
    "seeing the node's": "zfs list zones/config",
    "its own root": "zfs snapshot zones/dz@mine",
    "the quota it was given": "zfs set quota=1T zones/dz/data",
    "reserving more than its quota": "zfs set reservation=1G zones/dz/data",
    "taking it out of the zone": "zfs set zoned=off zones/dz/data",
    "taking a child out of it": "zfs set zoned=off zones/dz/data/home",
    "sharing it from the node": "zfs set sharenfs=on zones/dz/data/home",
    "moving out of it": "zfs rename zones/dz/data/home zones/home",
    "making one beside it": "zfs create zones/mine",
    "destroying the node's": "zfs destroy -r zones/config",
    "destroying the pool": "zpool destroy zones",
    "forcing that": "zpool destroy -f zones",
    "a scrub": "zpool scrub zones",
    "a pool's history": "zpool history zones",
    "a pool of its own": "truncate -s 64M /root/p; zpool create p /root/p",
    "taking a disk away": "zpool offline zones $(zpool status -P zones | grep -o '/dev/[a-z0-9]*' | head -1)",
    "another disk": "truncate -s 64M /root/p; zpool add -f zones /root/p",
    "exporting it": "zpool export zones",
    "the pool's properties": "zpool set comment=mine zones",
    "receiving beside it": "zfs send zones/dz/data/home@s | zfs receive zones/got",
    "injecting faults": "zinject",
}


@pytest.mark.parametrize("what", REFUSED)
def test_the_zone_manages_nothing_else(node, dz, what):
    code, out, err = zone_zfs(node, REFUSED[what])
    assert code != 0, f"{what} was possible: {out}{err}"
    assert exists(node, "zones/config") and not exists(node, "zones/got") and not exists(node, "zones/mine")


def mounted_in_zone(node):
    wait_for(node, "zlogin -S dz 'grep -q zones/dz/data/home /proc/mounts'")
    assert zone_zfs(node, "cat /zones/dz/data/home/file")[1] == "mine\n"


def test_it_is_the_zones_again_after_each_boot(node, dz):
    before = run_state(node, "dz")
    zone_zfs(node, "systemctl reboot")
    wait_for(node, f"grep -q '\"boots\":{before['boots'] + 1}' /run/zones/dz/state.json && "
                   "grep -q '\"state\":\"running\"' /run/zones/dz/state.json")
    mounted_in_zone(node)
    assert zone_zfs(node, "zfs create zones/dz/data/evil")[0] == 0
    node.ok("zoneadm", "-z", "dz", "halt")
    node.ok("zoneadm", "-z", "dz", "boot")
    mounted_in_zone(node)
    assert zone_zfs(node, "zfs list -Hro name zones/dz/data")[1].split()[-1] == "zones/dz/data/home"


def on_the_node(node):
    """What the node has mounted of the tenant's."""
    return node.ok("sh", "-c", "grep -E '^zones/dz/data' /proc/self/mounts || :")


def test_its_mountpoints_never_act_on_the_node(node, dz):
    """Also when somebody takes the dataset back one day and mounts all there is."""
    assert zone_zfs(node, "zfs set mountpoint=/etc zones/dz/data/evil && touch /etc/evil")[0] == 0
    assert node.run("test", "-e", "/etc/evil")[0] != 0 and on_the_node(node) == ""
    node.ok("zoneadm", "-z", "dz", "halt")
    assert get(node, "canmount", "zones/dz/data/evil") == "noauto"
    assert get(node, "canmount", "zones/dz/data/home") == "on"
    node.run("zfs", "mount", "-a")
    assert on_the_node(node) == ""
    node.ok("zfs", "set", "zoned=off", "zones/dz/data")
    node.run("zfs", "mount", "-a")
    assert "evil" not in on_the_node(node) and node.run("test", "-e", "/etc/evil")[0] != 0
    assert node.ok("cat", "/zones/dz/data/home/file") == "mine"
    # It is delegated again by the next boot, and mounted in the zone as the tenant wished.
    node.ok("zoneadm", "-z", "dz", "boot")
    assert get(node, "canmount", "zones/dz/data/evil") == "on"
    assert on_the_node(node) == ""
    wait_for(node, "zlogin -S dz 'test -e /etc/evil'")


def test_nor_after_a_power_cut(node, dz):
    """In the middle of an install, too: what was half made is cleared away."""
    node.ok("zonecfg", "-z", "cut", "create -b; set brand=lx; set autoboot=true")
    node.sh("mkdir -p /var/tmp/large; for i in 1 2 3 4 5 6 7 8; do cp -a /usr/share/zoneinfo /var/tmp/large/$i; done; zpool sync; "
            "zoneadm -z cut install -d /var/tmp/large >/dev/null 2>&1 & until pgrep -x cp >/dev/null; do :; done; "
            "until grep -q incomplete /etc/zones/cut.json; do :; done; zpool sync")
    assert states(node)["cut"] == "incomplete"
    node.kill()
    assert node.up(fresh=False) == "ready"
    node.sh("until systemctl is-active -q nereid-zones; do sleep 0.2; done")
    assert get(node, "canmount", "zones/dz/data/evil") == "noauto"
    node.run("zfs", "mount", "-a")
    assert on_the_node(node) == "" and node.run("test", "-e", "/etc/evil")[0] != 0
    assert states(node) == {"global": "running", "src": "configured", "dz": "installed", "cut": "incomplete"}
    assert "incomplete" in node.refused(1, "zoneadm", "-z", "cut", "boot")
    node.ok("zoneadm", "-z", "cut", "uninstall", "-F")
    assert not exists(node, "zones/cut")
    install = node.run("zoneadm", "-z", "cut", "install", "-d", "/var/tmp/large")
    assert install[0] == 1 and "/sbin/init" in install[2], "it is no root of a system, but it is copied"
    remove(node, "cut")
    node.ok("zoneadm", "-z", "dz", "boot")
    mounted_in_zone(node)


def test_a_tenant_destroys_its_dataset(node, dz):
    """The zone boots without it, and says so."""
    assert zone_zfs(node, "umount -l /etc; zfs destroy -rf zones/dz/data")[0] == 0
    node.ok("zoneadm", "-z", "dz", "halt")
    code, _, said = node.run("zoneadm", "-z", "dz", "boot")
    assert code == 0 and said.count("\n") == 1 and "zones/dz/data" in said and "WARNING" in said
    assert run_state(node, "dz")["missing_dataset"] == "zones/dz/data"
    assert "zones/dz/data" in node.refused(1, "zoneadm", "-z", "dz", "verify")
    node.ok("zoneadm", "-z", "dz", "halt")
    node.ok("zfs", "create", "zones/dz/data")
    assert node.run("zoneadm", "-z", "dz", "boot")[2] == ""
    assert zone_zfs(node, "zfs list -Hro name zones/dz/data")[1].split() == ["zones/dz/data"]


def test_a_dataset_is_one_zones(node, dz):
    node.ok("zfs", "create", "-o", "mountpoint=/shared", "zones/shared")
    node.ok("zonecfg", "-z", "dz", "add dataset; set name=zones/shared; end")
    for name in ("zones/shared", "zones/dz", "zones/dz/data/x", "zones"):
        said = node.run("zonecfg", "-z", "src", f"add dataset; set name={name}; end")
        assert said[0] == 1 and name in said[2], said


def test_uninstall_leaves_what_is_not_below_it(node, dz):
    """And leaves it harmless."""
    node.ok("zoneadm", "-z", "dz", "reboot")
    await_running(node, "dz")
    code, _, err = zone_zfs(node, "zfs create -o mountpoint=/root/x zones/shared/x")
    assert code == 0, err
    node.ok("zoneadm", "-z", "dz", "halt")
    node.ok("zoneadm", "-z", "dz", "uninstall", "-F")
    assert not exists(node, "zones/dz") and exists(node, "zones/shared/x")
    assert get(node, "canmount", "zones/shared/x") == "noauto"
    node.ok("zfs", "set", "zoned=off", "zones/shared")
    node.run("zfs", "mount", "-a")
    assert "/x " not in node.ok("cat", "/proc/self/mounts")
    node.ok("zfs", "destroy", "-r", "zones/shared")
    node.ok("zonecfg", "-z", "dz", "delete", "-F")


# ---- add fs ----

def test_filesystems_of_the_node(node):
    node.sh("mkdir -p /opt/given; echo hello >/opt/given/file")
    fs = "; ".join(f"add fs; set dir={d}; set special=/opt/given; set type=lofs{o}; end"
                   for d, o in (("/ro", "; add options ro"), ("/rw", ""))) + "; add fs; set dir=/mem; set type=tmpfs; add options size=1m; end"
    install_tiny(node, "fs1", fs)

    def inside(script):
        return node.run("zlogin", "-S", "fs1", script)

    assert inside("cat /ro/file /rw/file")[1] == "hello\nhello\n"
    assert "Read-only" in inside("echo x >/ro/file")[2] and inside("mount -o remount,rw /ro; echo x >/ro/file")[0] != 0
    assert inside("echo new >/rw/new; stat -c %u:%g /rw/new")[1] == "0:0\n"
    assert node.ok("stat", "-c", "%u:%g", "/opt/given/new") == "0:0", "the zone's root is the node's here: it was given it"
    assert "No space" in inside("dd if=/dev/zero of=/mem/x bs=1M count=2")[2]
    remove(node, "fs1")
    assert node.ok("cat", "/opt/given/file") == "hello"
