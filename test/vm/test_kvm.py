# SPDX-License-Identifier: MPL-2.0
# Copyright 2026 The Nereid authors
"""
Guests: machines of brand kvm, whose QEMU has no privileges. They are one sector (guest.S), which does on its serial port what
it is told in a moment; a Debian needs minutes to its login where all is emulated twice.
"""

import json
import re
import time

import pytest

import linux
from machine import TOP
from riglib.program import boot_sector, compiled
from terminal import Terminal
from vms import NOBODY, get, refused, traces, vmadm
from zones import wait_for

SLOW = 240  # seconds for what a guest does in an emulated guest of an emulated node
HERE_IT_IS = "the guest is here"


@pytest.fixture(scope="module")
def node(module_machine):
    m = module_machine
    # One processor: loading KVM's modules patches the kernel, which emulators with several threads get wrong now and then.
    assert m.up(cold=False, answers="standard", cpus=1) == "ready"
    if m.run("test", "-c", "/dev/kvm")[0] != 0:
        pytest.fail("there is no /dev/kvm in the node: QEMU's emulated processor has SVM")
    m.push(boot_sector("guest", TOP / "test/vm/guest.S"), "/var/tmp/guest.raw")
    m.ok("nictagadm", "add", "-l", "stub0")
    return m


@pytest.fixture(scope="module")
def image(node):
    """Of that sector, and a bit more than it."""
    node.ok("truncate", "-s", "8M", "/var/tmp/guest.raw")
    return import_disk(node, "-f", "raw", "/var/tmp/guest.raw", "name=sector", "version=1")


def import_disk(node, *argv):
    code, out, said = node.run("imgadm", "import-disk", *argv, timeout=SLOW)
    assert (code, said) == (0, ""), said
    return re.fullmatch(r"Imported image ([0-9a-f-]{36}) \(.*\)\n", out).group(1)


def create(node, **payload):
    code, out, said = vmadm(node, "create", payload={"brand": "kvm", "ram": 64, "quota": 1, **payload})
    assert (code, out) == (0, ""), said
    return re.fullmatch(r"(?:WARNING: .*\n)*Successfully created VM ([0-9a-f-]{36})\n", said).group(1)


@pytest.fixture(autouse=True)
def nothing_runs_on(request):
    """What a test that failed has left would slow the others down: a guest that runs keeps a processor busy."""
    yield
    if "node" in request.fixturenames:
        node = request.getfixturevalue("node")
        node.sh("pkill -x zlogin || :; for u in $(vmadm list -Ho uuid brand=kvm); do vmadm delete $u 2>/dev/null || :; done", timeout=SLOW)


@pytest.fixture
def guest(node, image):
    """It runs and has said that it is here; gone afterwards."""
    uuid = create(node, alias="g", disks=[{"image_uuid": image, "boot": True}])
    yield uuid
    node.run("vmadm", "delete", uuid)


def console(node, uuid, name="console"):
    return Terminal(node, f"vmadm console {uuid}", name)


def pid_of(node, uuid):
    return get(node, uuid)["pid"]


def await_state(node, uuid, state, timeout=SLOW):
    wait_for(node, f"[ \"$(vmadm list -Ho state uuid={uuid})\" = {state} ]", timeout=timeout)


def test_life(node, image):
    uuid = create(node, alias="first", vnc_port=-1, disks=[{"image_uuid": image, "boot": True}, {"size": 16, "model": "scsi"}])
    vm = get(node, uuid)
    assert (vm["state"], vm["type"], vm["hvm"], vm["ram"], vm["vcpus"]) == ("running", "KVM", True, 64, 1)
    assert (vm["max_physical_memory"], vm["cpu_type"], vm["bootrom"], vm["tmpfs"]) == (64 + 1024, "host", "bios", 0)
    assert "its VNC is off" in refused(node, "info", uuid, "vnc") and "vnc" not in json.loads(node.ok("vmadm", "info", uuid))
    first, second = vm["disks"]
    assert first["path"] == f"/dev/zvol/zones/{uuid}/disk0" and (first["size"], first["image_size"]) == (8, 8)
    assert (second["zfs_filesystem"], second["model"], second["refreservation"]) == (f"zones/{uuid}/disk1", "scsi", 16)
    assert node.ok("zfs", "get", "-Hpo", "value", "refquota,quota,volsize", f"zones/{uuid}", f"zones/{uuid}/disk1").split("\n") == [
        str(1 << 30), "0", "-", "-", "-", str(16 << 20)]
    line = console(node, uuid)
    line.expect(HERE_IT_IS)
    line.type("abc")
    line.expect("abc")
    # One types at a time; who is asked to leave by Ctrl-] does, in the middle of a line.
    assert "already in use" in node.refused(1, "vmadm", "console", uuid)
    line.type("\x1d")
    assert line.code() == 0
    # A reset is the guest's own business, and QEMU's process stays.
    pid = vm["pid"]
    line = console(node, uuid)
    line.expect("abc")  # is what was said before it looked on
    line.type("r")
    line.expect(HERE_IT_IS)
    assert pid_of(node, uuid) == pid
    line.type("q")
    line.expect("Zone halted")
    await_state(node, uuid, "stopped")
    vm = get(node, uuid)
    assert vm["exit_status"] == 0 and vm["autoboot"]
    # Nobody in there hears the power button: the time runs out.
    assert node.run("vmadm", "start", uuid) == (0, "", f"Successfully started VM {uuid}\n")
    assert node.run("vmadm", "stop", "-t", "1", uuid) == (0, "", f"Successfully completed stop for VM {uuid}\n")
    assert not get(node, uuid)["autoboot"]
    node.ok("vmadm", "delete", uuid)
    assert traces(node, uuid) == ""


def test_the_node_reads_no_guests_disk(node, guest):
    """Its partitions and filesystems are bytes of a stranger's: neither the kernel nor udev looks for any."""
    node.ok("vmadm", "stop", "-F", guest)
    disk = f"/dev/zvol/zones/{guest}/disk0"
    node.sh(f"printf 'LUKS\\272\\276\\000\\001' | dd of={disk} conv=notrunc,fsync 2>/dev/null; udevadm trigger $(realpath {disk}); udevadm settle")
    assert "crypto_LUKS" in node.ok("blkid", "-p", disk), "a node that looked would find this"
    assert not re.search("ID_FS|ID_PART", node.sh(f"udevadm info -q property $(realpath {disk})"))
    assert node.sh(f"ls -d $(realpath {disk})*") == node.ok("realpath", disk)


def test_a_guest_that_resets_itself_without_end(node, guest):
    """Says so twenty times a minute, and no more: there is one record of events for all machines."""
    line = console(node, guest)
    line.expect(HERE_IT_IS)
    began = time.monotonic()
    for _ in range(22):
        line.type("r")
        line.expect(HERE_IT_IS)
    log = node.ok("cat", f"/run/zones/{guest}/log")
    minutes = (time.monotonic() - began) / 60
    assert 10 < log.count('"msg":"guest"') <= 20 * (minutes + 2), (log.count('"msg":"guest"'), minutes)


def test_zoneadmd_comes_back(node, guest):
    pid = pid_of(node, guest)
    node.ok("pkill", "-9", "-xf", f"/usr/lib/nereid/zoneadmd {guest}")
    line = console(node, guest)
    line.type("xyz")
    line.expect("xyz")
    assert pid_of(node, guest) == pid
    assert json.loads(node.ok("vmadm", "info", guest, "status"))["status"]["status"] == "running"
    line.type("\x1d")
    # QEMU's death is the machine's end, and is told.
    node.sh(f"kill -9 {pid}")
    await_state(node, guest, "stopped")
    assert get(node, guest)["exit_status"] == -9


def test_qemu_has_no_privileges(node, guest):
    pid = pid_of(node, guest)
    status = dict(line.split(":\t", 1) for line in node.ok("cat", f"/proc/{pid}/status").split("\n") if ":\t" in line)
    base = json.loads(node.ok("cat", f"/etc/zones/{guest}.json"))["id_base"]
    assert status["Uid"].split() == [str(base + 1)] * 4 and status["Gid"].split() == [str(base + 1)] * 4
    assert {status[name] for name in ("CapInh", "CapPrm", "CapEff", "CapAmb")} == {"0" * 16}
    assert status["NoNewPrivs"] == "1" and status["Seccomp"] == "2" and int(status["Seccomp_filters"]) >= 2
    assert node.ok("ls", "-A", f"/proc/{pid}/root/") == ""
    group = node.ok("cat", f"/proc/{pid}/cgroup").removeprefix("0::")
    assert guest in group and node.ok("cat", f"/sys/fs/cgroup{group}/cgroup.procs").split() == [str(pid)]
    for kind in ("user", "mnt", "pid", "net", "ipc", "uts", "cgroup"):
        assert node.ok("readlink", f"/proc/{pid}/ns/{kind}") != node.ok("readlink", f"/proc/self/ns/{kind}"), kind
    assert node.ok("nsenter", "-t", str(pid), "-n", "ls", "/sys/class/net") != ""
    links = node.ok("nsenter", "-t", str(pid), "-n", "ip", "-br", "link").split("\n")
    assert len(links) == 1 and links[0].startswith("lo "), links
    opened = set(node.sh(f"cd /proc/{pid}/fd; for f in *; do readlink $f; done").split("\n"))
    odd = {f for f in opened if not re.match(r"anon_inode:|socket:|/dev/(kvm|null|zd\d+)$|/memfd:|pipe:", f)}
    assert odd == {f"/zones/{guest}/logs/qemu.log", f"/zones/{guest}/seed.img"}, odd


def test_a_queue_for_each_processor(node, image):
    uuid = create(node, vcpus=2, disks=[{"image_uuid": image, "boot": True}], nics=[{"nic_tag": "stub0", "ips": ["10.98.0.8/24"]}])
    console(node, uuid).expect(HERE_IT_IS)
    opened = node.sh(f"cd /proc/{pid_of(node, uuid)}/fd; for f in *; do readlink $f; done").split("\n")
    assert (opened.count("/dev/net/tun"), opened.count("/dev/vhost-net")) == (2, 2), opened
    # The sector knows no queues: it has one of them, and the tap is made for more (IFF_MULTI_QUEUE).
    assert int(node.sh("cat /sys/class/net/v*/tun_flags"), 16) & 0x100
    node.ok("vmadm", "delete", uuid)
    assert node.ok("sh", "-c", "ip -br link | grep -c '^v' || :") == "0"


def test_hostile_code_in_qemus_place(node, image):
    """The same boot, but another program is where QEMU is: what it can do is what a guest that has taken QEMU over can."""
    node.push(compiled("jailed", [TOP / "test/vm/jailed.c"], "-static"), "/run/jailed", 0o755)
    node.sh("""
        base=/run/nereid/platform/base
        mkdir -p /run/over/up/usr/bin /run/over/work
        cp /run/jailed /run/over/up/usr/bin/qemu-system-x86_64
        mount -t overlay -o lowerdir=$base,upperdir=/run/over/up,workdir=/run/over/work over $base
    """)
    try:
        uuid = create(node, autoboot=False, disks=[{"image_uuid": image, "boot": True}],
                      nics=[{"nic_tag": "stub0", "ips": ["10.98.0.9/24"]}])
        assert "QEMU ended" in refused(node, "start", uuid)
        said = node.ok("cat", f"/zones/{uuid}/logs/qemu.log").split("\n")
    finally:
        node.sh("umount /run/nereid/platform/base; rm -rf /run/over")
    node.ok("vmadm", "delete", uuid)
    assert said[-1] == "tried", said
    tried = dict(line.removeprefix("try ").split(": ") for line in said if line.startswith("try "))
    assert len(tried) > 50
    # Its own empty root is all there is to open, signals reach itself alone, and two sockets each other.
    harmless = {"open /": "done", "a pair of unix sockets": "done"}
    assert {what: r for what, r in tried.items() if r == "done"} == harmless
    # kvm, four sockets, the disk, a tap and vhost, the seed.
    assert sorted(line.split()[2] for line in said if line.startswith("handed ")) == sorted(
        ["char", "socket", "socket", "socket", "socket", "block", "char", "char", "file"])


def test_the_seed(node, guest):
    """What cloud-init's NoCloud source looks for; made anew when what it says has changed."""
    seed = f"/zones/{guest}/seed.img"
    assert "CIDATA" in node.ok("blkid", "-p", seed)
    read = f"DEFAULT_CODEPAGE=367 mtype -i {seed} ::"
    assert json.loads(node.sh(f"{read}meta-data"))["instance-id"] == guest
    assert "seed-dev" in node.ok("vmadm", "info", guest, "block")
    node.ok("vmadm", "stop", "-F", guest)
    assert vmadm(node, "update", guest, payload={"set_customer_metadata": {"cloud-init:user-data": "#cloud-config\n"}})[0] == 0
    node.ok("vmadm", "start", guest)
    assert node.sh(f"{read}user-data") == "#cloud-config"
    assert vmadm(node, "update", guest, payload={"cloudinit_datasource": "smartos"})[0] == 0
    assert "is no data source" in refused(node, "update", guest, payload={"cloudinit_datasource": "floppy"})
    node.ok("vmadm", "stop", "-F", guest)
    node.ok("vmadm", "start", guest)
    assert "seed" not in node.ok("vmadm", "info", guest, "block")


def test_metadata_at_the_second_port(node, guest):
    line = console(node, guest)
    line.expect(HERE_IT_IS)
    code, _, said = vmadm(node, "update", guest, payload={"set_customer_metadata": {"hello": "world"}})
    assert code == 0, said
    line.type("m")
    line.expect("SUCCESS\nworld")


def test_a_guest_that_floods_its_port(node, guest):
    line = console(node, guest)
    line.expect(HERE_IT_IS)
    line.type("f")
    line.expect("f" * 2000)
    assert json.loads(node.ok("vmadm", "info", guest, "status"))["status"]["running"]
    assert node.run("vmadm", "stop", "-F", guest)[0] == 0


def test_info_and_keys(node, guest):
    info = json.loads(node.ok("vmadm", "info", guest))
    assert sorted(info) == ["block", "blockstats", "chardev", "cpus", "kvm", "pci", "status", "version", "vnc"]
    assert info["vnc"] == {"socket": f"/run/zones/{guest}/vnc"}, "nobody asked for a password"
    assert info["kvm"] == {"enabled": True, "present": True}
    assert sorted(json.loads(node.ok("vmadm", "info", guest, "cpus,status"))) == ["cpus", "status"]
    assert "nonsense" in refused(node, "info", guest, "nonsense")
    assert "no agent runs in the guest" in refused(node, "info", guest, "agent")
    path = f"/zones/{guest}/root/tmp/vm.ppm"
    assert node.run("vmadm", "sysrq", guest, "screenshot") == (0, "", f"The screen of VM {guest} is in {path}\n")
    assert node.ok("head", "-c", "2", path) == "P6"
    assert node.run("vmadm", "sysrq", guest, "nmi")[0] == 0
    assert "none of nmi, screenshot" in refused(node, "sysrq", guest, "break", code=2)
    node.ok("vmadm", "stop", "-F", guest)
    assert "only a running machine" in refused(node, "info", guest)


def test_a_microvm(node):
    """No firmware, no disk: the node's own kernel, and one program that reads both serial ports and switches off by ACPI."""
    kernel, initrd = linux.push(node)
    node.ok("chmod", "600", initrd)
    uuid = create(node, autoboot=False, machine="microvm", kernel=kernel, initrd=initrd, kernel_args="console=ttyS0 quiet panic=-1",
                  ram=192, customer_metadata={"hello": "kernel"}, nics=[{"nic_tag": "stub0", "ips": ["10.98.0.7/24"]}], disks=[{"size": 16}])
    assert "chmod a+r" in refused(node, "start", uuid)
    node.ok("chmod", "644", initrd)
    assert node.run("vmadm", "start", uuid)[0] == 0
    line = console(node, uuid)
    line.expect("the kernel is here", timeout=SLOW)
    assert int(line.expect(r"(\d+) devices").group(1)) >= 3
    line.type("m")
    line.expect("SUCCESS\r?\nkernel")
    line.type("q")
    await_state(node, uuid, "stopped")
    node.ok("vmadm", "delete", uuid)
    node.sh(f"rm {kernel} {initrd}")


def tpm_of(node):
    return int(node.ok("pgrep", "-x", "swtpm"))


def test_a_tpm(node, image):
    """Its program is jailed beside QEMU, under an id of its own; what it remembers goes with the machine."""
    uuid = create(node, alias="t", tpm=True, disks=[{"image_uuid": image, "boot": True}])
    line = console(node, uuid, "tpm")
    line.expect(HERE_IT_IS)
    line.type("t")
    line.expect("T")
    pid = tpm_of(node)
    status = dict(line.split(":\t", 1) for line in node.ok("cat", f"/proc/{pid}/status").split("\n") if ":\t" in line)
    base = json.loads(node.ok("cat", f"/etc/zones/{uuid}.json"))["id_base"]
    assert status["Uid"].split() == [str(base + 2)] * 4 and status["Gid"].split() == [str(base + 2)] * 4
    assert {status[name] for name in ("CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb")} == {"0" * 16}
    assert (status["NoNewPrivs"], status["Seccomp"]) == ("1", "2")
    assert node.ok("cat", f"/proc/{pid}/cgroup") == node.ok("cat", f"/proc/{pid_of(node, uuid)}/cgroup")
    for kind in ("mnt", "pid", "net", "ipc", "uts"):
        assert node.ok("readlink", f"/proc/{pid}/ns/{kind}") != node.ok("readlink", f"/proc/self/ns/{kind}"), kind
    state = "/zones/{}/tpm/tpm2-00.permall"
    assert node.ok("stat", "-c", "%u %a", state.format(uuid)) == f"{base + 2} 600"
    # zoneadmd is not needed for it, and it does not outlive QEMU.
    node.ok("pkill", "-9", "-xf", f"/usr/lib/nereid/zoneadmd {uuid}")
    assert tpm_of(node) == pid
    node.sh(f"kill -9 {pid_of(node, uuid)}")
    await_state(node, uuid, "stopped")
    wait_for(node, f"! [ -e /proc/{pid} ]")
    node.ok("vmadm", "create-snapshot", uuid, "then")
    before = node.ok("sha256sum", state.format(uuid)).split()[0]
    node.ok("vmadm", "clone", uuid, "then", f"uuid={NOBODY}")
    assert node.ok("sha256sum", state.format(NOBODY)).split()[0] == before
    node.ok("vmadm", "start", NOBODY)
    line = console(node, NOBODY, "cloned")
    line.expect(HERE_IT_IS)
    line.type("t")
    line.expect("T")
    assert node.ok("stat", "-c", "%u", state.format(NOBODY)) != str(base + 2)
    assert "a microvm has no tpm" in refused(node, "create", payload={"brand": "kvm", "ram": 64, "machine": "microvm", "kernel": "/k", "tpm": True})
    node.ok("vmadm", "delete", NOBODY)
    node.ok("vmadm", "delete", uuid)
    assert node.ok("sh", "-c", "pgrep -c swtpm || :") == "0"


def test_vnc_lets_one_in_by_a_password(node, guest):
    node.push(compiled("vnc", [TOP / "test/vm/vnc.c"], "-Wno-deprecated-declarations", "-Wl,--no-as-needed", "-lcrypto"), "/run/vnc", 0o755)
    socket = f"/run/zones/{guest}/vnc"

    def password():
        vnc = json.loads(node.ok("vmadm", "info", guest, "vnc"))["vnc"]
        assert vnc["socket"] == socket and re.fullmatch(r"[\w-]{8}", vnc["password"]) and vnc["expires"].endswith("Z")
        return vnc["password"]

    def client(word):
        return node.run("/run/vnc", socket, word)[1].strip()

    assert node.ok("stat", "-c", "%a %U %F", socket) == "600 root socket"
    assert client("none").startswith("refused") and client("password").startswith("refused")
    first, second = password(), password()
    assert client(first).startswith("refused"), "there is a newer one"
    assert re.fullmatch(r"in: \d\d\d+x\d\d\d+", client(second))
    wait_for(node, f"grep -q '\"event\":\"vnc\"' /run/zones/{guest}/log")
    assert client(second).startswith("refused"), "it was used"
    # Who comes after a zoneadmd that was killed finds the socket where it was; the password of before is nobody's.
    third = password()
    node.ok("pkill", "-9", "-xf", f"/usr/lib/nereid/zoneadmd {guest}")
    fourth = password()
    assert client(third).startswith("refused")
    assert client(fourth).startswith("in: ")


def test_one_boot_from_a_cdrom(node, guest):
    """From a disk without a boot sector it does not start; from the same sector as a disk for one boot it does."""
    node.ok("vmadm", "stop", "-F", guest)
    node.sh(f"dd if=/dev/zero of=/dev/zvol/zones/{guest}/disk0 bs=512 count=1 conv=notrunc,fsync; "
            f"cp /var/tmp/guest.raw /zones/{guest}/root/tmp/once.raw")
    assert "none of order=, cdrom=, disk=" in refused(node, "start", guest, "floppy=/x")
    assert "order=cx" in refused(node, "start", guest, "order=cx")
    assert "No such file" in refused(node, "start", guest, "cdrom=/nowhere.iso,ide")
    assert node.run("vmadm", "start", guest, "order=cd", "disk=/tmp/once.raw,virtio")[0] == 0
    line = console(node, guest)
    line.expect(HERE_IT_IS)


def test_snapshots_hold_the_disks(node, guest):
    disk = f"/dev/zvol/zones/{guest}/disk0"
    # It has no agent that could freeze anything.
    assert node.run("vmadm", "create-snapshot", guest, "then") == (
        0, "", f"Created snapshot then for VM {guest}, as a crash would leave it: no agent runs in the guest\n")
    assert [(s["name"], s["quiesced"]) for s in get(node, guest)["snapshots"]] == [("then", False)]
    assert node.ok("zfs", "list", "-Hro", "name", "-t", "snapshot", f"zones/{guest}").split("\n") == [
        f"zones/{guest}@vmsnap-then", f"zones/{guest}/disk0@vmsnap-then"]
    assert json.loads(node.ok("cat", f"/zones/{guest}/config.json"))["uuid"] == guest
    node.ok("vmadm", "stop", "-F", guest)
    node.sh(f"dd if=/dev/zero of={disk} bs=512 count=1 conv=notrunc,fsync")
    node.ok("vmadm", "rollback-snapshot", guest, "then")
    node.ok("vmadm", "start", guest)
    console(node, guest).expect(HERE_IT_IS)
    node.ok("vmadm", "delete-snapshot", guest, "then")
    assert node.ok("zfs", "list", "-Hro", "name", "-t", "snapshot", f"zones/{guest}") == ""


def update(node, uuid, **payload):
    code, out, said = vmadm(node, "update", uuid, payload=payload)
    assert (code, out, said) == (0, "", f"Successfully updated VM {uuid}\n"), said


def update_as_it_lets_go(node, line, uuid, **payload):
    """The guest is asked for a device, and lets it go when it is told to."""
    node.sh(f"rm -f /var/tmp/went; (echo '{json.dumps(payload)}' | setsid vmadm update {uuid}; echo $? >/var/tmp/went) >/dev/null 2>/var/tmp/said &")
    for _ in range(60):
        line.type("e")
        if node.run("sh", "-c", "sleep 0.5; test -e /var/tmp/went")[0] == 0:
            break
    assert node.sh("cat /var/tmp/went").strip() == "0", node.sh("cat /var/tmp/said")


def devices(node, uuid):
    """Names of the disks, drives and NICs that its QEMU has, in a row."""
    text = node.ok("vmadm", "info", uuid, "block,pci")
    return sorted(set(re.findall(r'"(?:/machine/peripheral/)?(disk\d+|net\d+|cdrom\d+)-dev[/"]', text)))


def opened(node, pid):
    """
    What QEMU has open; sockets are zoneadmd's, which comes and goes as well. A zoneadmd that takes over makes the seed of the next
    boot, when that has changed: the one of this boot has no name any more.
    """
    text = node.sh(f"cd /proc/{pid}/fd; for f in *; do readlink $f | grep -v ^socket || :; done")
    return sorted(text.replace("seed.img (deleted)", "seed.img").split("\n"))


def files(node, uuid):
    return node.ok("zfs", "list", "-Hro", "name", f"zones/{uuid}").split("\n"), node.ok("cat", f"/etc/zones/{uuid}.json")


def kill_zoneadmd(node, uuid):
    node.ok("pkill", "-9", "-xf", f"/usr/lib/nereid/zoneadmd {uuid}")


def test_devices_come_and_go_while_it_runs(node, guest, image):
    """A disk and a NIC: QEMU, the pool, the switch and the configuration have all of it or nothing."""
    pid, path, mac = pid_of(node, guest), f"/dev/zvol/zones/{guest}/disk1", "02:08:20:00:00:77"
    line = console(node, guest)
    line.expect(HERE_IT_IS)
    before, before_files = opened(node, pid), files(node, guest)
    for disk, words in (({"size": 16, "model": "ide"}, "comes and goes while the machine is stopped"), ({"size": 1 << 30}, "space"),
                        ({"media": "cdrom", "path": "/var/tmp/guest.raw"}, "while the machine is stopped")):
        assert words in refused(node, "update", guest, payload={"add_disks": [disk]})
    assert "places for net0 to net7" in refused(node, "update", guest, payload={"add_nics": [{"nic_tag": "stub0", "interface": "net8"}]})
    assert (files(node, guest), opened(node, pid), devices(node, guest)) == (before_files, before, ["disk0"])
    update(node, guest, add_disks=[{"image_uuid": image, "refreservation": 0}],
           add_nics=[{"nic_tag": "stub0", "ips": ["10.98.0.9/24"], "mac": mac}])
    assert devices(node, guest) == ["disk0", "disk1", "net0"]
    more = opened(node, pid)
    assert more.count("/dev/net/tun") == 1 and more.count("/dev/vhost-net") == 1
    assert "v020820000077" in node.ok("ip", "-br", "link")
    # The BIOS finds the disk as well; a zoneadmd that is new knows what there is.
    kill_zoneadmd(node, guest)
    line = console(node, guest, "again")
    line.expect("leaves it")
    line.type("r")
    line.expect(HERE_IT_IS)
    line.type("d")
    line.expect("3")  # its seed is one
    # It does not let go: all stays. When it does at last, it is asked for no more.
    now, more = files(node, guest), opened(node, pid)  # of the disk more is open since the BIOS has found it
    assert "has not let go of it" in refused(node, "update", guest, payload={"remove_disks": [path]})
    assert (files(node, guest), opened(node, pid)) == (now, more)
    line.type("e")
    wait_for(node, f"! vmadm info {guest} block | grep -q disk1", timeout=SLOW)
    update(node, guest, remove_disks=[path])
    update_as_it_lets_go(node, line, guest, remove_nics=[mac])
    assert (files(node, guest)[0], opened(node, pid), devices(node, guest)) == (before_files[0], before, ["disk0"])
    assert [len(get(node, guest)[what]) for what in ("disks", "nics")] == [1, 0]
    assert "v020820000077" not in node.ok("ip", "-br", "link")
    # One of SCSI goes without a word of the guest's, and is there after a start.
    update(node, guest, add_disks=[{"size": 16, "model": "scsi"}, {"size": 16, "model": "scsi"}])
    update(node, guest, remove_disks=[path])
    assert devices(node, guest) == ["disk0", "disk2"]
    node.ok("vmadm", "reboot", "-F", guest)
    assert devices(node, guest) == ["disk0", "disk2"]


def test_another_medium(node, image):
    node.sh("for n in 1 2; do head -c 1M /dev/urandom >/var/tmp/$n.iso; done")
    uuid = create(node, disks=[{"image_uuid": image, "boot": True}, {"media": "cdrom", "model": "ide", "path": "/var/tmp/1.iso"}])
    console(node, uuid).expect(HERE_IT_IS)  # what QEMU opens for the firmware's drivers is open
    pid = pid_of(node, uuid)
    before = opened(node, pid)
    for old, new in ((1, 2), (2, 1)):
        update(node, uuid, remove_disks=[f"/var/tmp/{old}.iso"], add_disks=[{"media": "cdrom", "path": f"/var/tmp/{new}.iso"}])
        have = opened(node, pid)
        assert f"/var/tmp/{new}.iso" in have and f"/var/tmp/{old}.iso" not in have and len(have) == len(before)
        assert [(d["path"], d["model"]) for d in get(node, uuid)["disks"]][1:] == [(f"/var/tmp/{new}.iso", "ide")]
        kill_zoneadmd(node, uuid)
    assert "/nowhere: No such file" in refused(node, "update", uuid, payload={
        "remove_disks": ["/var/tmp/1.iso"], "add_disks": [{"media": "cdrom", "path": "/nowhere"}]})
    assert "while the machine is stopped" in refused(node, "update", uuid, payload={"remove_disks": ["/var/tmp/1.iso"]})
    assert opened(node, pid) == before and devices(node, uuid) == ["cdrom0", "disk0"]


def test_disks_come_grow_and_go(node, guest):
    path = f"/dev/zvol/zones/{guest}/disk1"
    node.ok("vmadm", "stop", "-F", guest)
    assert vmadm(node, "update", guest, payload={"add_disks": [{"size": 16, "refreservation": 0}]})[0] == 0
    assert [d["size"] for d in get(node, guest)["disks"]] == [8, 16]
    assert "smaller" in refused(node, "update", guest, payload={"update_disks": [{"path": path, "size": 8}]})
    assert "block_size" in refused(node, "update", guest, payload={"update_disks": [{"path": path, "block_size": 4096}]})
    assert vmadm(node, "update", guest, payload={"update_disks": [{"path": path, "size": 32, "compression": "lz4"}]})[0] == 0
    assert node.ok("zfs", "get", "-Hpo", "value", "volsize,compression", f"zones/{guest}/disk1").split("\n") == [str(32 << 20), "lz4"]
    assert vmadm(node, "update", guest, payload={"remove_disks": [path]})[0] == 0
    assert node.ok("zfs", "list", "-Hro", "name", f"zones/{guest}").split("\n") == [f"zones/{guest}", f"zones/{guest}/disk0"]
    node.ok("vmadm", "start", guest)
    console(node, guest).expect(HERE_IT_IS)


def test_sent_and_received(node, guest):
    """Disks, properties and all in one stream; a byte that is wrong, and there is nothing."""
    node.ok("vmadm", "create-snapshot", guest, "old")
    node.ok("vmadm", "stop", "-F", guest)
    before = {k: v for k, v in get(node, guest).items() if k in ("ram", "vcpus", "disks", "snapshots", "alias")}
    node.sh(f"vmadm send {guest} >/var/tmp/bundle", timeout=SLOW)
    node.ok("vmadm", "delete", guest)
    node.sh("head -c $(($(stat -c %s /var/tmp/bundle) - 4000)) /var/tmp/bundle >/var/tmp/short")
    assert node.run("sh", "-c", "vmadm receive </var/tmp/short")[0] == 1
    assert traces(node, guest) == ""
    node.sh("vmadm receive </var/tmp/bundle", timeout=SLOW)
    after = get(node, guest)
    assert {k: after[k] for k in before} == before and after["state"] == "stopped"
    node.ok("vmadm", "start", guest)
    console(node, guest).expect(HERE_IT_IS)
    node.sh("rm /var/tmp/bundle /var/tmp/short")


def test_a_clone_of_a_snapshot(node, image):
    """A machine of its own, as the other was then; neither takes the other's disks with it."""
    one = create(node, alias="one", autoboot=False, disks=[{"image_uuid": image, "boot": True}, {"size": 16}],
                 nics=[{"nic_tag": "stub0", "ips": ["10.7.0.5/24"]}])
    node.ok("vmadm", "create-snapshot", one, "then")
    node.ok("vmadm", "update", one, "ram=96")
    assert "10.7.0.5/24 is that of machine" in refused(node, "clone", one, "then")
    assert "add_disks" in refused(node, "clone", one, "then", "-f", "-", payload={"disks": []})
    assert "No snapshot named" in refused(node, "clone", one, "never")
    before = get(node, one)
    code, _, said = vmadm(node, "clone", one, "then", "-f", "-", payload={"alias": "two", "uuid": NOBODY, "update_nics": [
        {"mac": before["nics"][0]["mac"], "ips": ["10.7.0.6/24"]}]})
    assert (code, said) == (0, f"Successfully created VM {NOBODY}\n"), said
    two = get(node, NOBODY)
    assert (two["ram"], two["alias"], two["nics"][0]["ips"], two["snapshots"]) == (64, "two", ["10.7.0.6/24"], [])
    assert two["nics"][0]["mac"] != before["nics"][0]["mac"] and [d["size"] for d in two["disks"]] == [8, 16]
    assert [d["zfs_filesystem"] for d in two["disks"]] == [f"zones/{NOBODY}/disk{i}" for i in (0, 1)]
    assert NOBODY in refused(node, "delete-snapshot", one, "then")
    node.ok("vmadm", "create-snapshot", NOBODY, "then")
    assert "delete either snapshot" in refused(node, "delete", one)
    node.ok("vmadm", "delete-snapshot", NOBODY, "then")
    node.ok("vmadm", "delete", one)
    assert [s["name"] for s in get(node, NOBODY)["snapshots"]] == ["then"]
    node.ok("vmadm", "start", NOBODY)
    console(node, NOBODY).expect(HERE_IT_IS)
    node.ok("vmadm", "delete", NOBODY)
    assert traces(node, NOBODY) == ""


def test_the_room_disks_and_snapshots_share(node, image):
    payload = {"autoboot": False, "flexible_disk_size": 48, "disks": [{"image_uuid": image, "size": 16, "boot": True}, {"size": 16}]}
    uuid = create(node, **payload)
    assert (get(node, uuid)["flexible_disk_size"], get(node, uuid)["free_space"]) == (48, 16)
    assert node.ok("vmadm", "list", "-Ho", "free_space,flexible_disk_size", f"uuid={uuid}").split() == ["16", "48"]
    node.sh(f"udevadm settle; dd if=/dev/urandom of={get(node, uuid)['disks'][1]['path']} bs=1M count=15 conv=fsync 2>/dev/null")
    node.ok("vmadm", "create-snapshot", uuid, "fits")
    node.sh(f"dd if=/dev/urandom of={get(node, uuid)['disks'][1]['path']} bs=1M count=15 conv=fsync 2>/dev/null")
    wait_for(node, f"[ $(vmadm list -Ho free_space uuid={uuid}) -le 1 ]")
    assert "flexible_disk_size has no room" in refused(node, "create-snapshot", uuid, "does-not")
    assert "below the sum" in refused(node, "update", uuid, "flexible_disk_size=31")
    assert "its disks and their snapshots take 4" in refused(node, "update", uuid, "flexible_disk_size=40")
    assert "goes with a quota" in refused(node, "update", uuid, "quota=0")
    node.ok("vmadm", "update", uuid, "flexible_disk_size=64")
    node.ok("vmadm", "create-snapshot", uuid, "fits-now")
    node.ok("vmadm", "update", uuid, "flexible_disk_size=0")
    assert node.ok("zfs", "get", "-Ho", "value", "quota", f"zones/{uuid}") == "none" and "free_space" not in get(node, uuid)
    node.ok("vmadm", "delete", uuid)


def test_rolling_back_spares_clones(node, image):
    one = create(node, autoboot=False, disks=[{"image_uuid": image, "boot": True}])
    for name in ("old", "new"):
        node.ok("vmadm", "create-snapshot", one, name)
    node.ok("vmadm", "clone", one, "new", f"uuid={NOBODY}", "nics=")
    assert NOBODY in refused(node, "rollback-snapshot", one, "old")
    node.ok("zfs", "list", f"zones/{NOBODY}/disk0")
    node.ok("vmadm", "delete", NOBODY)
    node.ok("vmadm", "rollback-snapshot", one, "old")
    node.ok("vmadm", "delete", one)


def test_an_image_of_a_guest(node, guest):
    """It runs, and goes on; the image is what was on its disk at one instant."""
    console(node, guest, "image").expect(HERE_IT_IS)
    node.ok("imgadm", "create", "-q", "-o", "/var/tmp/made", guest, "name=made", "version=1")
    assert get(node, guest)["state"] == "running" and get(node, guest)["snapshots"] == []
    assert node.ok("zfs", "list", "-Hro", "name", "-t", "snapshot", f"zones/{guest}") == ""
    node.ok("vmadm", "stop", "-F", guest)
    node.ok("imgadm", "create", "-q", "-o", "/var/tmp/halted", guest, "name=made", "version=1")
    manifest = json.loads(node.ok("cat", "/var/tmp/made.imgmanifest"))
    assert (manifest["type"], manifest["image_size"], manifest["disk_driver"]) == ("zvol", 8, "virtio")
    node.ok("imgadm", "install", "-q", "-m", "/var/tmp/made.imgmanifest", "-f", "/var/tmp/made.zfs")
    uuid = create(node, disks=[{"image_uuid": manifest["uuid"], "boot": True}])
    console(node, uuid).expect(HERE_IT_IS)
    node.ok("vmadm", "delete", uuid)
    node.ok("imgadm", "delete", manifest["uuid"])
    node.sh("rm /var/tmp/made.* /var/tmp/halted.*")


@pytest.mark.parametrize("payload,words", [
    ({"disks": [{"model": "virtio"}]}, "it needs a size"),
    ({"disks": [{"size": 16, "model": "floppy"}]}, "is no model of a disk"),
    ({"disks": [{"size": 16, "block_size": 5000}]}, "power of two"),
    ({"disks": [{"size": 16, "refreservation": 17}]}, "refreservation"),
    ({"disks": [{"size": 16, "boot": True}, {"size": 16, "boot": True}]}, "booted from already"),
    ({"disks": [{"size": 16, "path": "/dev/sda"}]}, "only a cdrom says its path"),
    ({"disks": [{"media": "cdrom", "path": "/nowhere.iso"}]}, "/nowhere.iso: No such file"),
    ({"disks": [{"image_uuid": NOBODY}]}, f"image {NOBODY} is not installed"),
    ({"disks": [{"image_uuid": "IMAGE", "size": 4}]}, "4 MiB are less than image"),
    ({"disks": [{"image_uuid": "IMAGE", "image_size": 9}]}, "has 8 MiB, not 9"),
    ({"disks": [{"image_uuid": "IMAGE", "block_size": 4096}]}, "it is that of image"),
    ({"disks": [{"size": 1 << 30}]}, "space"),
    ({"ram": 64, "max_physical_memory": 32}, "cannot be lower than ram"),
    ({"vcpus": 0}, "vcpus"), ({"cpu_type": "host,-svm"}, "is no type of a processor"),
    ({"machine": "pc"}, "is no kind of machine"), ({"machine": "microvm"}, "say which (kernel)"),
    ({"bootrom": "coreboot"}, "is no firmware"), ({"boot": "cd"}, "order=cd"),
    ({"vnc_port": 5901}, "ssh -L"), ({"vnc_port": -2}, "vnc_port"),
    ({"init_name": "/sbin/init"}, "a machine of brand kvm has none"),
    ({"nics": [{"nic_tag": "stub0", "model": "ne2k"}]}, "is no model of a NIC"),
])
def test_refused_before_anything_is_made(node, image, payload, words):
    text = json.loads(json.dumps(payload).replace("IMAGE", image))
    said = refused(node, "create", payload={"brand": "kvm", "uuid": NOBODY, "autoboot": False, **text})
    assert words in said, said
    assert traces(node, NOBODY) == ""


def test_more_processors_than_the_node_has_are_warned_of(node):
    words = "WARNING: it has 64 processors, and the node has 1\n"
    code, _, said = vmadm(node, "create", payload={"brand": "kvm", "uuid": NOBODY, "autoboot": False, "vcpus": 64, "ram": 64})
    assert code == 0 and words in said
    assert words in node.run("vmadm", "update", NOBODY, "vcpus=64")[2]
    assert words not in node.run("vmadm", "update", NOBODY, "alias=x")[2]
    node.ok("vmadm", "delete", NOBODY)


def test_more_memory_than_the_node_can_give_is_refused(node, image):
    """By create, of which nothing is left, and by start; -F starts it all the same."""
    payload = {"brand": "kvm", "uuid": NOBODY, "quota": 1, "disks": [{"image_uuid": image, "boot": True}]}
    code, _, said = vmadm(node, "create", payload={**payload, "ram": 1 << 16})
    found = re.search(r"it needs 65792 MiB of memory with QEMU's own, and the node can give (\d+) MiB: .*vmadm start -F\n", said)
    assert code == 1 and found, said
    assert traces(node, NOBODY) == ""
    ram = int(found.group(1))
    assert vmadm(node, "create", payload={**payload, "ram": ram, "autoboot": False})[0] == 0
    assert f"it needs {ram + 256} MiB of memory" in refused(node, "start", NOBODY)
    assert get(node, NOBODY)["state"] == "stopped"
    # QEMU takes what the guest touches, not what it might.
    node.ok("vmadm", "start", "-F", NOBODY)
    console(node, NOBODY).expect(HERE_IT_IS)
    # What this one was promised is not given to another, though it is there still.
    assert "the node can give" in refused(node, "create", payload={"brand": "kvm", "ram": ram // 2, "disks": [{"size": 1}]})
    node.ok("vmadm", "delete", NOBODY)


def test_no_room_pauses_it(node, image):
    """A disk for which no room is kept, where there is none: the guest waits, and goes on when there is some."""
    uuid = create(node, disks=[{"image_uuid": image, "size": 64, "refreservation": 0, "boot": True}])
    line = console(node, uuid)
    line.expect(HERE_IT_IS)
    used = int(node.ok("zfs", "get", "-Hpo", "value", "used", f"zones/{uuid}"))
    node.ok("zfs", "set", f"quota={used + (1 << 20)}", f"zones/{uuid}")
    line.type("w")
    wait_for(node, f"vmadm info {uuid} status | grep -q io-error", timeout=SLOW)
    at = len(line.text())
    node.ok("zfs", "set", "quota=none", f"zones/{uuid}")
    wait_for(node, f"vmadm info {uuid} status | grep -q '\"running\": true'", timeout=SLOW)
    wait_for(node, f"[ $(wc -c <{line.base}.out) -gt {at + 20} ]", timeout=SLOW)
    assert "!" not in line.text(), "the guest has seen the error"
    node.ok("vmadm", "delete", uuid)


def imported_as_made(node, *argv):
    """The image of a.raw, whose contents are looked at."""
    uuid = import_disk(node, *argv, "name=x", "version=1")
    manifest = json.loads(node.ok("imgadm", "get", uuid))["manifest"]
    assert (manifest["type"], manifest["image_size"], manifest["disk_driver"]) == ("zvol", 5, "virtio")
    node.ok("zfs", "clone", "-o", "volmode=dev", f"zones/{uuid}@final", "zones/look")
    wait_for(node, "[ -e /dev/zvol/zones/look ]")
    assert node.sh("dd if=/dev/zvol/zones/look bs=64k skip=16 count=1 2>/dev/null | od -An -tx1 | head -n 1").split() == ["07"] * 16
    node.sh("udevadm settle; zfs destroy zones/look")
    node.ok("imgadm", "delete", uuid)


def test_import_of_disks(node, tmp_path):
    node.sh("truncate -s 5M /var/tmp/a.raw; tr '\\0' '\\7' </dev/zero | dd of=/var/tmp/a.raw bs=64k seek=16 count=1 iflag=fullblock "
            "conv=notrunc 2>/dev/null; qemu-img convert -f raw -O qcow2 /var/tmp/a.raw /var/tmp/a.qcow2; "
            "qemu-img convert -O vmdk /var/tmp/a.qcow2 /var/tmp/a.vmdk; "
            "qemu-img create -q -f qcow2 -b /etc/shadow -F raw /var/tmp/backed.qcow2; "
            "qemu-img create -q -f qcow2 -o data_file=/var/tmp/data,data_file_raw=on /var/tmp/data.qcow2 5M; : >/var/tmp/empty")
    for kind in ("qcow2", "vmdk"):
        imported_as_made(node, f"/var/tmp/a.{kind}")
    for path, words in (("/var/tmp/backed.qcow2", "refers to another file"), ("/var/tmp/data.qcow2", "DiskFormat"),
                        ("/var/tmp/empty", "DiskFormat"), ("/nowhere", "No such file")):
        code, _, said = node.run("imgadm", "import-disk", path)
        assert code == 1 and words in said and said.count("\n") == 1, said
    assert "DiskFormat" in node.run("imgadm", "import-disk", "-f", "qcow2", "/var/tmp/guest.raw")[2]
    assert node.ok("sh", "-c", "zfs list -Ho name | grep partial || :") == ""


def test_import_of_an_ova(node):
    """As VMware writes them: the disk is a stream-optimized vmdk, which is read where it is in the archive."""
    node.sh("mkdir -p /var/tmp/ova && cd /var/tmp/ova && truncate -s 5M a.raw && tr '\\0' '\\7' </dev/zero | "
            "dd of=a.raw bs=64k seek=16 count=1 iflag=fullblock conv=notrunc 2>/dev/null; echo '<Envelope/>' >a.ovf; "
            "qemu-img convert -O vmdk -o subformat=streamOptimized -f raw a.raw a-disk1.vmdk; truncate -s 8M other.raw; "
            "qemu-img convert -O vmdk -f raw other.raw a-disk2.vmdk; "
            "tar -cf a.ova a.ovf a-disk2.vmdk a-disk1.vmdk; tar -cf named a.ovf a-disk1.vmdk; head -c 40000 named >cut.ova; "
            "ln -s /etc/shadow link.vmdk; tar -cf link.ova a.ovf link.vmdk; tar -cPf path.ova a.ovf /var/tmp/ova/a-disk1.vmdk; "
            "echo no >fake.vmdk; tar -cf fake.ova a.ovf fake.vmdk; tar -cf none.ova a.ovf; "
            "printf '# Disk DescriptorFile\\nversion=1\\nCID=fffffffe\\nparentCID=ffffffff\\ncreateType=\"monolithicFlat\"\\n"
            "RW 8 FLAT \"/etc/shadow\" 0\\n' >refers.vmdk; tar -cf refers.ova a.ovf refers.vmdk")
    imported_as_made(node, "/var/tmp/ova/named")
    imported_as_made(node, "--disk", "2", "/var/tmp/ova/a.ova")
    imported_as_made(node, "-f", "ova", "--disk", "a-disk1.vmdk", "/var/tmp/ova/a.ova")
    code, out, _ = node.run("imgadm", "import-disk", "/var/tmp/ova/a.ova", "version=1", timeout=SLOW)
    assert code == 0 and out.startswith("a-disk1.vmdk is another disk of it: --disk 2\n"), out
    node.ok("imgadm", "delete", re.search(r"Imported image (\S+) \(a@1\)", out).group(1))
    for argv, words in ((["cut.ova"], "it ends in the middle"), (["link.ova"], "is no file"), (["path.ova"], "is no plain name"),
                        (["fake.ova"], "fake.vmdk: "), (["none.ova"], "it has no disk"), (["a.ovf"], "only describes disks"),
                        (["refers.ova"], "refers.vmdk: "), (["-f", "ova", "a.raw"], "it is no OVA"),
                        (["--disk", "3", "a.ova"], "it has 1 a-disk2.vmdk, 2 a-disk1.vmdk"),
                        (["--disk", "1", "a-disk2.vmdk"], "it is one disk")):
        code, _, said = node.run("imgadm", "import-disk", *argv[:-1], f"/var/tmp/ova/{argv[-1]}")
        assert code == 1 and words in said and said.count("\n") == 1, said
    assert node.ok("sh", "-c", "zfs list -Ho name | grep partial || :") == ""


def test_nothing_is_left(node, image):
    node.sh("pkill -x zlogin || :")
    assert node.ok("sh", "-c", "zfs list -Ho name | grep -c /disk || :") == "0"
    assert node.ok("sh", "-c", "pgrep -c qemu-system || :") == "0"
    node.ok("imgadm", "delete", image)
    assert node.ok("sh", "-c", "ip -br link | grep -c '^v' || :") == "0"
