# SPDX-License-Identifier: MPL-2.0
# Copyright 2026 The Nereid authors
"""Every medium and both firmwares: it boots, says its version in the menu, and lives without the medium."""

import json
import struct
import subprocess
import uuid

import pytest

from machine import ANSWERS, ANY_END, BUILD, TOP
from riglib import cli, control
from riglib.machine import make_disk

BOOT = 500
ESP = uuid.UUID("c12a7328-f81f-11d2-ba4b-00a0c93ec93b")


def made(name, platform):
    path = BUILD / {"iso": "nereid.iso", "usb": "nereid-usb.img", "netboot": "netboot"}[name]
    if not path.exists():
        pytest.fail(f"{path}: not there; `make image` makes it")
    named = {"iso": f"nereid-{platform}.iso", "usb": f"nereid-{platform}-usb.img", "netboot": f"netboot/{platform}"}[name]
    of_it = (BUILD / named).is_dir() if name == "netboot" else (BUILD / named).resolve() == path.resolve()
    assert of_it, f"{path}: is of another version; `make image` is due"
    return path


def lives_without_its_medium(m):
    """Reads what was not read before: all programs and modules, after caches were dropped."""
    m.sh("sync; echo 3 >/proc/sys/vm/drop_caches; cat /usr/bin/* /usr/lib/modules/*/kernel/fs/*/*.ko >/dev/null; sysinfo")


@pytest.mark.parametrize("uefi", [False, True], ids=["bios", "uefi"])
def test_iso(machine, platform, uefi):
    made("iso", platform)
    state = machine.up(media="iso", uefi=uefi, timeout=BOOT, disks=[4])
    assert state.startswith("setup")
    machine.said(f"Nereid {platform}")
    assert machine.stamp() == platform
    assert machine.run("test", "-d", "/sys/firmware/efi")[0] == (0 if uefi else 1)
    control.eject(machine.node)
    lives_without_its_medium(machine)


@pytest.mark.parametrize("media, uefi", [("usb", False), ("usb-virtio", True)], ids=["xhci-bios", "virtio-uefi"])
def test_usb(machine, platform, media, uefi):
    """The stick carries answers.json: the node sets itself up, and the stick can be pulled."""
    image = made("usb", platform)
    machine.node.remove()
    control.prepare(machine.node, cli.new_config(machine.name, media=media, uefi=uefi, disks=[10], answers="none"))
    stick = machine.node.dir / "stick.img"
    subprocess.run(["cp", "--sparse=always", image.resolve(), stick], check=True)
    put_answers(stick, {**ANSWERS, "hostname": "from-stick"})
    make_disk(machine.node.dir / "stick.qcow2", None, stick, "raw")
    control.launch(machine.node)
    assert machine.wait(ANY_END, BOOT) == "ready"
    assert machine.ok("hostname") == "from-stick"
    machine.said(f"Nereid {platform}")
    assert machine.stamp() == platform
    assert platform in machine.ok("piadm", "list", "-H")
    control.eject(machine.node)
    lives_without_its_medium(machine)


def put_answers(stick, answers):
    """Onto the stick's FAT volume, as an operator on any system could; mtools is in the build root."""
    path = stick.with_name("on-stick.json")
    path.write_text(json.dumps(answers))
    inside = {p: f"/src/{p.resolve().relative_to(TOP)}" for p in (stick, path)}
    subprocess.run([TOP / "live/build", "shell", "--", "mcopy", "-o", "-i", f"{inside[stick]}@@{esp_offset(stick)}",
                    inside[path], "::/answers.json"], check=True, stdin=subprocess.DEVNULL, capture_output=True)


def esp_offset(image):
    """Where the EFI system partition of a GPT disk begins, in bytes."""
    with open(image, "rb") as f:
        f.seek(512)
        header = f.read(92)
        assert header[:8] == b"EFI PART"
        first, count, size = struct.unpack_from("<QII", header, 72)
        f.seek(first * 512)
        for _ in range(count):
            entry = f.read(size)
            if uuid.UUID(bytes_le=entry[:16]) == ESP:
                return struct.unpack_from("<Q", entry, 32)[0] * 512
    raise AssertionError(f"{image}: no EFI system partition")


@pytest.mark.parametrize("uefi", [False, True], ids=["bios", "uefi"])
def test_pxe(machine, platform, uefi):
    made("netboot", platform)
    state = machine.up(media="pxe", uefi=uefi, answers={**ANSWERS, "hostname": "by-pxe"}, timeout=BOOT, disks=[4])
    assert state == "ready"
    assert machine.ok("hostname") == "by-pxe"
    assert machine.stamp() == platform


def test_secure_boot_without_our_key_is_told(machine, platform):
    made("usb", platform)
    state = machine.up(media="usb", uefi=True, secure_boot=True, timeout=BOOT, disks=[4])
    assert state.startswith("degraded: Secure Boot") and "mokutil" in state
    assert "[integrity]" in machine.ok("cat", "/sys/kernel/security/lockdown")
    assert machine.run("modprobe", "zfs")[0] != 0
