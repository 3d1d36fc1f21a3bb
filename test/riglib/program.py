# SPDX-License-Identifier: MPL-2.0
# Copyright 2026 The Nereid authors
"""Programs of the tests' own, compiled in the build root when their source has changed."""

import hashlib
import os
import subprocess

from .errors import RigError
from .node import RIG, TOP

COMPILE = "out=$0; exec gcc -std=gnu17 -D_GNU_SOURCE -O2 -s \"$@\" -o \"$out\""


def compiled(name, sources, *flags):
    """The path of a program of these C files; headers beside them count as source."""
    files = sorted({f for s in sources for f in (s, *s.parent.glob("*.h"))})
    key = hashlib.sha256(b"\0".join([*(f.read_bytes() for f in files), " ".join(flags).encode()])).hexdigest()[:16]
    out = RIG / f".{name}-{key}"
    if not out.exists():
        RIG.mkdir(parents=True, exist_ok=True)
        temp = f"{out}.{os.getpid()}"
        made = subprocess.run(
            [TOP / "live/build", "shell", "--", "sh", "-c", COMPILE, "/src/" + os.path.relpath(temp, TOP), *flags,
             *(f"/src/{s.relative_to(TOP)}" for s in sorted(sources))],
            capture_output=True, text=True, stdin=subprocess.DEVNULL)
        if made.returncode != 0:
            raise RigError(f"compile {name}: {made.stderr.strip()}")
        os.rename(temp, out)
    return out


def boot_sector(name, source):
    """The same of one assembly file that BIOS starts: 512 bytes, from 0x7c00 on."""
    return compiled(name, [source], "-m32", "-nostdlib", "-static", "-no-pie", "-Wl,--build-id=none", "-Wl,-Ttext,0x7c00",
                    "-Wl,-e,_start", "-Wl,--oformat,binary")
