# SPDX-License-Identifier: MPL-2.0
# Copyright 2026 The Nereid authors
"""What a node boots from, and the firmware that does it."""

import shutil
import subprocess
from pathlib import Path

from .errors import RigError
from .node import BUILD

KINDS = ("direct", "iso", "usb", "usb-virtio", "pxe", "disk")
OVMF = Path("/usr/share/OVMF")
CERT_OWNER = "c1b5c1fe-6f3c-4b0e-8a5d-2f6b2d8a7e11"  # who put our certificate into the firmware's list; any GUID


def needed(path, how):
    if not path.exists():
        raise RigError(f"{path} is missing; {how}")
    return path.resolve()


def artefact(config, name):
    """The medium of the platform asked for: build/nereid.iso, or build/nereid-STAMP.iso with --platform."""
    stamp = config.get("platform")
    path = {"iso": f"nereid{'-' + stamp if stamp else ''}.iso",
            "usb": f"nereid{'-' + stamp if stamp else ''}-usb.img",
            "netboot": "netboot"}[name]
    return needed(BUILD / path, f"`live/build {name}` makes it")


def options(node, config):
    """QEMU's options for firmware and medium, which is prepared in the node's directory when it is not there yet."""
    kind = config["media"]
    args = firmware(node, config)
    if kind == "iso":
        args += ["-drive", f"if=none,id=medium,file={artefact(config, 'iso')},format=raw,media=cdrom,readonly=on",
                 "-device", "ide-cd,id=medium-dev,drive=medium,bus=ide.2,bootindex=0"]
    elif kind in ("usb", "usb-virtio"):
        stick(node, config)
        args += ["-drive", "if=none,id=medium,file=stick.qcow2,format=qcow2"]
        if kind == "usb":
            args += ["-device", "qemu-xhci,id=xhci",
                     "-device", "usb-storage,id=medium-dev,bus=xhci.0,drive=medium,removable=on,bootindex=0"]
        else:
            # In a slot of its own: what sits on the root bus cannot be pulled.
            args += ["-device", "pcie-root-port,id=pluggable,chassis=1",
                     "-device", "virtio-blk-pci,id=medium-dev,bus=pluggable,drive=medium,serial=rig-stick,bootindex=0"]
    if config["vga"]:
        args += ["-device", "VGA"]
    return args


def stick(node, config):
    """The stick is written to by the node: an overlay of the image, made once and kept with the disks."""
    path = node.dir / "stick.qcow2"
    if path.exists():
        return
    image = artefact(config, "usb")
    from .machine import make_disk
    make_disk(path, config["stick"], image, "raw")


def tftp_options(node, config):
    """
    The network card's options for booting from build/netboot. For a BIOS the card's ROM is an iPXE, which takes the script. UEFI loads
    snponly.efi itself, as on a real machine. QEMU's DHCP hands out one name and cannot then give the script to iPXE, which therefore is
    told by an autoexec.ipxe beside it.
    """
    directory = artefact(config, "netboot")
    if not (directory / "boot.ipxe").exists():
        raise RigError(f"{directory}: no boot.ipxe in it; `live/build netboot` makes one")
    if not config["uefi"]:
        return f",tftp={directory},bootfile=boot.ipxe", ""
    served = node.dir / "tftp"
    shutil.rmtree(served, ignore_errors=True)
    served.mkdir()
    for path in directory.iterdir():
        (served / path.name).symlink_to(path)
    (served / "autoexec.ipxe").write_text("#!ipxe\ndhcp\nchain boot.ipxe\n")
    return ",tftp=tftp,bootfile=snponly.efi", ",romfile="


def firmware(node, config):
    if not config["uefi"]:
        return []
    secure = config["secure_boot"]
    how = "install the package ovmf"
    code = needed(OVMF / ("OVMF_CODE_4M.secboot.fd" if secure else "OVMF_CODE_4M.fd"), how)
    variables = needed(OVMF / ("OVMF_VARS_4M.ms.fd" if secure else "OVMF_VARS_4M.fd"), how)
    own = node.dir / "vars.fd"
    if not own.exists():
        shutil.copyfile(variables, own)
        if secure and config["cert"]:
            enrol(own, config["cert"])
    args = ["-drive", f"if=pflash,format=raw,unit=0,readonly=on,file={code}",
            "-drive", "if=pflash,format=raw,unit=1,file=vars.fd"]
    if secure:
        args += ["-global", "driver=cfi.pflash01,property=secure,value=on"]
    return args


def enrol(variables, cert):
    """Puts our module certificate where `mokutil --import` would, without the person at the console."""
    if shutil.which("virt-fw-vars") is None:
        raise RigError("virt-fw-vars is missing (package python3-virt-firmware): without it a certificate is enrolled "
                       "by hand only; leave --cert out to see how an unenrolled node behaves")
    done = subprocess.run(["virt-fw-vars", "-i", str(variables), "--add-mok", CERT_OWNER, cert, "-o", str(variables)],
                          capture_output=True, text=True)
    if done.returncode != 0:
        raise RigError(f"enrol {cert}: {done.stderr.strip()}")
