# SPDX-License-Identifier: MPL-2.0
# Copyright 2026 The Nereid authors
"""What every node is, whatever it booted from: looked at on one shared node."""

import json
import re

STAMP = re.compile(r"\d{8}T\d{6}Z")


def test_all_tell_the_same_version(shared, platform):
    """The boot menu's part is in test_media.py, where there is a boot menu."""
    sysinfo = json.loads(shared.ok("sysinfo"))
    release = dict(line.split("=", 1) for line in shared.ok("cat", "/etc/os-release").split("\n") if "=" in line)
    told = {"uname": shared.stamp(), "os-release": release["VERSION_ID"].strip('"'), "sysinfo": sysinfo["Live Image"]}
    assert set(told.values()) == {platform}, told
    assert release["ID"] == "nereid"


def test_pivot_root_works(shared):
    """A root that cannot be pivoted away from (the kernel's own initramfs) would make zones impossible."""
    assert shared.sh("""
        unshare -m sh -ec '
            mount --make-rprivate /
            mkdir -p /run/pivot && mount -t tmpfs pivot /run/pivot && cd /run/pivot
            mkdir old bin && cp /bin/busybox bin/
            pivot_root . old
            exec bin/busybox sh -ec "bin/busybox 2>/dev/null >&2 || true; cd /; /bin/busybox umount -l old; echo alone"'
    """) == "alone"


def test_switched_to_a_real_root(shared):
    kind = shared.ok("findmnt", "-n", "-o", "FSTYPE", "/")
    assert kind == "overlay"


def test_nobody_has_a_default_password(shared, machine):
    """Before setup root is locked; after it root has what the answers said and nobody else has any."""
    machine.up(cold=False, wait="setup*")
    for m, allowed in ((machine, set()), (shared, {"root"})):
        lines = [line.split(":") for line in m.ok("cat", "/etc/shadow").split("\n")]
        assert {name for name, hashed, *_ in lines if not hashed.startswith(("!", "*"))} == allowed


def test_no_unit_failed(shared):
    assert shared.ok("systemctl", "--failed", "--no-legend", "--plain") == ""


def test_packages_are_listed_with_versions_and_licences(shared):
    document = json.loads(shared.ok("cat", "/usr/share/nereid/packages.spdx.json"))
    assert document["spdxVersion"] == "SPDX-2.3"
    packages = {p["name"]: p for p in document["packages"]}
    for name in ("systemd", "zfsutils-linux", "qemu-system-x86", "bash"):
        assert packages[name]["versionInfo"]
    unknown = [p["name"] for p in packages.values() if p["licenseDeclared"] in ("", "NOASSERTION")]
    assert len(unknown) < len(packages) / 10, unknown
    kernel = [p for n, p in packages.items() if n.startswith("linux-image-")]
    assert kernel and shared.ok("uname", "-r") in kernel[0]["name"]


def test_zfs_modules_and_tools_are_one_version(shared):
    lines = shared.ok("zfs", "version").split("\n")
    assert lines[0].removeprefix("zfs-") == lines[1].removeprefix("zfs-kmod-")


def test_what_hypervisors_need_is_there(shared):
    shared.sh("modprobe -a kvm tun veth vhost_net netkit; test -c /dev/net/tun; stat -f -c %T /sys/fs/cgroup | grep cgroup2")
    assert "[madvise]" in shared.ok("cat", "/sys/kernel/mm/transparent_hugepage/enabled")


def test_clean_log(shared):
    """Errors in the journal of a normal boot are noise that hides real ones."""
    assert shared.ok("journalctl", "-b", "-p", "err", "-q", "--no-pager", "-o", "cat") == ""


def test_every_command_has_help_and_refuses_nonsense_in_one_line(shared):
    for command in ("sysinfo", "nictagadm", "diskinfo", "disklayout", "piadm", "nereid-setup"):
        code, out, err = shared.run(command, "--help")
        assert (code, err) == (0, "") and "usage" in out.lower(), command
        # piadm keeps SmartOS's codes, where 2 says that a change was made in part.
        shared.refused(1 if command == "piadm" else 2, command, "--no-such-option")


def test_commands_refuse_what_is_not_there(shared):
    assert "nosuchtag" in shared.refused(1, "nictagadm", "delete", "nosuchtag")
    assert shared.run("nictagadm", "exists", "nosuchtag")[0] == 1
    assert "19990101T000000Z" in shared.refused(1, "piadm", "activate", "19990101T000000Z")
    assert "19990101T000000Z" in shared.refused(1, "piadm", "remove", "19990101T000000Z")
    assert "/nowhere.tar" in shared.refused(1, "piadm", "install", "/nowhere.tar")


def test_manual_pages_are_readable_on_the_node(shared):
    for page in ("sysinfo", "piadm", "nictagadm", "nereid-setup"):
        text = re.sub(".\b", "", shared.ok("man", page))  # bold is struck over
        assert "NAME" in text and "EXIT STATUS" in text, page
