# SPDX-License-Identifier: MPL-2.0
# Copyright 2026 The Nereid authors
"""A Linux of one program for guests: the node's own kernel, and an initial RAM disk made here."""

import os
import stat

from riglib import cpio
from riglib.node import RIG, TOP
from riglib.program import compiled


def files(name="guest-init", more=()):
    """Where its kernel and its initrd are; more is (NAME, BYTES) of programs and modules in there."""
    init = compiled("guest-init", [TOP / "test/vm/guest-init.c", TOP / "test/vm/guest-files.c"], "-static")
    initrd = RIG / f".{name}.cpio"
    with open(initrd, "wb") as f:
        cpio.entry(f, 1, ".", stat.S_IFDIR | 0o755)
        for number, name in enumerate(("dev", "proc", "sys"), 2):
            cpio.entry(f, number, name, stat.S_IFDIR | 0o755)
        cpio.entry(f, 5, "dev/console", stat.S_IFCHR | 0o600, rdev=os.makedev(5, 1))
        for number, (path, data) in enumerate([("init", init.read_bytes()), *more], 6):
            cpio.entry(f, number, path, stat.S_IFREG | 0o755, data)
        cpio.entry(f, 0, "TRAILER!!!", 0)
    return TOP / "build/platform/current/kernel", initrd


def modules(said, *names):
    """(NAME, BYTES) of the node's modules of these names and what they stand on, in the order they are loaded in; said(*argv) is what
    a program on the node says, as bytes."""
    lines = said("modprobe", "--show-depends", "-a", *names).decode().split("\n")
    paths = dict.fromkeys(line.split()[1] for line in lines if line.startswith("insmod "))
    return [(f"mod{i}.ko", said("cat", path)) for i, path in enumerate(paths)]


def push(node, directory="/var/tmp", more=()):
    """They are on the node; returns both paths there."""
    there = f"{directory}/vmlinuz", f"{directory}/initrd"
    for source, target in zip(files(more=more), there, strict=True):
        node.push(source, target, 0o644)
    return there
