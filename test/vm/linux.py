# SPDX-License-Identifier: MPL-2.0
# Copyright 2026 The Nereid authors
"""A Linux of one program for guests: the node's own kernel, and an initial RAM disk made here."""

import os
import stat

from riglib import cpio
from riglib.node import TOP
from riglib.program import compiled


def files():
    """Where its kernel and its initrd are."""
    init = compiled("guest-init", [TOP / "test/vm/guest-init.c"], "-static")
    initrd = init.with_name(init.name + ".cpio")
    with open(initrd, "wb") as f:
        cpio.entry(f, 1, ".", stat.S_IFDIR | 0o755)
        for number, name in enumerate(("dev", "sys"), 2):
            cpio.entry(f, number, name, stat.S_IFDIR | 0o755)
        cpio.entry(f, 4, "dev/console", stat.S_IFCHR | 0o600, rdev=os.makedev(5, 1))
        cpio.entry(f, 5, "init", stat.S_IFREG | 0o755, init.read_bytes())
        cpio.entry(f, 0, "TRAILER!!!", 0)
    return TOP / "build/platform/current/kernel", initrd


def push(node, directory="/var/tmp"):
    """They are on the node; returns both paths there."""
    there = f"{directory}/vmlinuz", f"{directory}/initrd"
    for source, target in zip(files(), there, strict=True):
        node.push(source, target, 0o644)
    return there
