# SPDX-License-Identifier: MPL-2.0
# Copyright 2026 The Nereid authors
"""Guests when the node's power fails under them: a Linux of the node's own kernel, which writes files to an ext4 and says when each is safe."""

import re
import subprocess

import pytest

import linux
from terminal import Terminal
from vms import vmadm
from zones import wait_for

SLOW = 240  # seconds for what a guest does in an emulated guest of an emulated node
HERE_IT_IS = "the kernel is here"
CUTS = 2


@pytest.fixture(scope="module")
def node(module_machine):
    m = module_machine
    # One processor, for the reason that test_kvm.py has.
    assert m.up(cold=False, answers="standard", cpus=1) == "ready"
    return m


@pytest.fixture(scope="module")
def guest(node, tmp_path_factory):
    """It is booted with the node; its kernel is where a node keeps what is to stay."""
    disk = tmp_path_factory.mktemp("disk") / "ext4.raw"
    small = disk.with_suffix(".qcow2")
    disk.touch()
    for argv in (["truncate", "-s", "128M", disk], ["mke2fs", "-q", "-t", "ext4", disk],
                 ["qemu-img", "convert", "-c", "-O", "qcow2", "-f", "raw", disk, small]):
        subprocess.run(argv, check=True)
    node.push(small, "/var/tmp/disk.qcow2")
    said = node.ok("imgadm", "import-disk", "/var/tmp/disk.qcow2", "name=ext4", "version=1", timeout=SLOW)
    kernel, initrd = linux.push(node, "/opt", linux.modules(node.raw, "virtio_blk", "crc32c_generic", "ext4"))
    code, out, said = vmadm(node, "create", payload={
        "brand": "kvm", "ram": 192, "quota": 1, "machine": "microvm", "kernel": kernel, "initrd": initrd,
        "kernel_args": "console=ttyS0 quiet panic=-1", "disks": [{"image_uuid": re.search(r"image (\S+) ", said).group(1), "boot": True}]})
    assert (code, out) == (0, ""), said
    return re.search(r"created VM (\S+)", said).group(1)


def at_its_console(node, guest, name):
    wait_for(node, f"[ \"$(vmadm list -Ho state uuid={guest})\" = running ]", timeout=SLOW)
    line = Terminal(node, f"vmadm console {guest}", name)
    line.expect(HERE_IT_IS, timeout=SLOW)
    return line


@pytest.mark.parametrize("cut", range(CUTS))
def test_what_was_safe_is_there_after_a_power_cut(node, guest, cut):
    line = at_its_console(node, guest, f"before{cut}")
    line.type("w")
    for _ in range(20):
        line.expect(r"has \d+\r?\n", timeout=SLOW)
    safe = max(int(n) for n in re.findall(r"has (\d+)\r?\n", line.text()))
    node.kill()
    assert node.up(fresh=False, wait="ready") == "ready"
    # It comes up by itself, mounts what it finds, and misses nothing that it was told is safe.
    line = at_its_console(node, guest, f"after{cut}")
    line.type("c")
    told, n = line.expect(r"(held|bad) (\d+)", timeout=SLOW).groups()
    assert told == "held" and int(n) >= safe, (told, n, safe)
    line.type("\x1d")


def test_it_is_deleted(node, guest):
    node.ok("vmadm", "delete", guest)
    assert node.ok("zpool", "status", "-x") == "all pools are healthy"
