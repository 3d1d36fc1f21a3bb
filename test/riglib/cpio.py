# SPDX-License-Identifier: MPL-2.0
# Copyright 2026 The Nereid authors
"""Writes cpio archives as the kernel's initramfs wants them (newc), owned by root."""

import os
import stat


def pad(f):
    f.write(bytes(-f.tell() % 4))


def entry(f, number, name, mode, data=b"", rdev=0):
    raw = os.fsencode(name) + b"\0"
    fields = (number, mode, 0, 0, 1, 0, len(data), 0, 0, os.major(rdev), os.minor(rdev), len(raw), 0)
    f.write(b"070701" + b"".join(b"%08X" % v for v in fields) + raw)
    pad(f)
    f.write(data)
    pad(f)


def write_tree(f, directory, prefix):
    """Appends the directory's contents below prefix to the open file f, which may hold archives already."""
    pad(f)
    number = 1
    entry(f, number, prefix, stat.S_IFDIR | 0o755)
    for top, dirs, files in os.walk(directory):
        dirs.sort()
        for name in sorted(dirs + files):
            path = os.path.join(top, name)
            inside = f"{prefix}/{os.path.relpath(path, directory)}"
            st = os.lstat(path)
            number += 1
            if stat.S_ISREG(st.st_mode):
                with open(path, "rb") as source:
                    entry(f, number, inside, st.st_mode, source.read())
            elif stat.S_ISLNK(st.st_mode):
                entry(f, number, inside, st.st_mode, os.fsencode(os.readlink(path)))
            elif stat.S_ISDIR(st.st_mode):
                entry(f, number, inside, st.st_mode)
            elif stat.S_ISCHR(st.st_mode) or stat.S_ISBLK(st.st_mode):
                entry(f, number, inside, st.st_mode, b"", st.st_rdev)
    entry(f, 0, "TRAILER!!!", 0)
    pad(f)
