# SPDX-License-Identifier: MPL-2.0
# Copyright 2026 The Nereid authors
"""GRUB for BIOS on a GPT disk: its core image in a partition of its own, which begins at 1 MiB."""
import pathlib
import struct
import sys

SECTOR = 512
CORE_LBA = 2048  # 1 MiB
NEXT_LBA = 4096  # of the partition behind it


def embed(image, bootfiles):
    """What grub-bios-setup does for a core image that lies in one piece: GRUB manual, 'BIOS installation'."""
    boot = pathlib.Path(bootfiles, "boot.img").read_bytes()
    core = bytearray(pathlib.Path(bootfiles, "core.img").read_bytes())
    sectors = (len(core) + SECTOR - 1) // SECTOR
    if sectors >= NEXT_LBA - CORE_LBA:
        sys.exit(f"GRUB's core image has {sectors} sectors, its partition {NEXT_LBA - CORE_LBA}")
    # The first sector of the core image lists where the others are: start, count, load segment.
    struct.pack_into("<QHH", core, SECTOR - 12, CORE_LBA + 1, sectors - 1, 0x820)
    image.seek(CORE_LBA * SECTOR)
    image.write(core)
    image.seek(0)
    mbr = bytearray(image.read(SECTOR))
    mbr[0:440] = boot[0:440]
    struct.pack_into("<Q", mbr, 0x5C, CORE_LBA)
    mbr[0x64] = 0xFF  # the drive that the firmware booted from
    mbr[0x66:0x68] = b"\x90\x90"
    image.seek(0)
    image.write(mbr)


def core_partition():
    """Its line for sfdisk."""
    return f"start={CORE_LBA}, size={NEXT_LBA - CORE_LBA}, type=21686148-6449-6E6F-744E-656564454649, name=bios\n"
