# SPDX-License-Identifier: MPL-2.0
# Copyright 2026 The Nereid authors
"""From a node's settings to QEMU's command line. Everything in it is relative to the node's directory."""

import base64
import hashlib
import os
import shutil
import subprocess
import time

from . import accel, agent, cpio, media, switch
from .errors import RigError
from .node import BUILD, RIG, TOP

# What an emulated CPU need not do: calibrate clocks, defend itself.
CMDLINE_TCG = "mitigations=off no_timer_check tsc=reliable audit=0"

# How the agent gets in: systemd imports credentials from SMBIOS strings, and its debug generator makes units of those
# with these names. Nothing in the image knows of it, and a machine without such strings has no agent.
UNIT = r"""
[Unit]
Description=Test rig's agent
DefaultDependencies=no

[Service]
ExecStart=/bin/sh -c 'modprobe -qa qemu_fw_cfg virtio_console; \
	install -m 755 /sys/firmware/qemu_fw_cfg/by_name/opt/org.nereid.rig/agent/raw /run/rig-agent && exec /run/rig-agent'
Restart=on-failure
KillMode=process
"""
DROPIN = "[Unit]\nWants=nereid-rig.service\n"


def credential(name, text):
    return f"io.systemd.credential.binary:{name}={base64.b64encode(text.encode()).decode()}"


def cmdline():
    """What the boot loaders pass too."""
    lines = (TOP / "live/boot/cmdline").read_text().split("\n")
    return " ".join(line.strip() for line in lines if line.strip() and not line.startswith("#"))


def platform_dir(config):
    """
    Where kernel and boot archive are. One that was asked for by its stamp is kept by hard links: builds remove old
    ones, and a run of tests must not lose the one it is about.
    """
    stamp = config.get("platform")
    path = BUILD / "platform" / (stamp or "current")
    held = RIG / ".platforms" / (stamp or "")
    if stamp and (held / "kernel").exists():
        return held
    if not (path / "kernel").exists():
        raise RigError(f"{path}: no platform there; `live/build platform` makes one")
    if stamp:
        shutil.copytree(path, held, copy_function=os.link, dirs_exist_ok=True)
        return held
    return path.resolve()


def release_platforms(nodes):
    """Lets go of those that no node was made with."""
    used = {node.config.get("platform") for node in nodes}
    for path in (RIG / ".platforms").glob("*"):
        if path.name not in used and time.time() - path.stat().st_mtime > 86400:
            shutil.rmtree(path, ignore_errors=True)


def mac(seed, index):
    """One for each NIC on a shared segment; NICs on a network of their own may all have the same ones."""
    digest = hashlib.sha256(seed.encode()).digest()
    return "52:54:%02x:%02x:%02x:%02x" % (digest[0], digest[1], digest[2], index)


def nics(config):
    """(id, MAC, segment or None) of each NIC: first those on the user network, then the segments' ones."""
    own = [(f"net{i}", f"52:54:00:00:00:{i + 1:02x}", None) for i in range(config["nics"])]
    first = len(own)
    return own + [(f"net{first + i}", mac(config["mac_seed"], first + i), seg) for i, seg in enumerate(config["net"])]


def disk_path(index):
    return f"disk{index}.qcow2"


def make_disk(path, size, backing=None, backing_format="qcow2"):
    command = ["qemu-img", "create", "-q", "-f", "qcow2"]
    if backing is not None:
        command += ["-b", str(backing), "-F", backing_format]
    command.append(str(path))
    if size is not None:
        command.append(str(size))
    try:
        done = subprocess.run(command, capture_output=True, text=True)
    except FileNotFoundError:
        raise RigError("qemu-img is missing: install qemu-utils") from None
    if done.returncode != 0:
        raise RigError(f"make disk {path}: {done.stderr.strip()}")


def boot_archive(node, config, platform):
    """The platform's boot archive, or a copy with --over's files behind it."""
    archive = platform / "boot_archive"
    if not config.get("over"):
        return archive
    out = node.dir / "boot_archive"
    shutil.copyfile(archive, out)
    with open(out, "r+b") as f:
        f.seek(0, os.SEEK_END)
        cpio.write_tree(f, config["over"], "over")
    return out


def command(node, config):
    """Returns the argument vector and the accelerator's name. Makes what files it needs in the node's directory."""
    platform = platform_dir(config)
    accel_options, accel_name = accel.choose(platform / "kernel")
    kind = config["media"]
    secure = config["secure_boot"]
    machine = f"q35,sata={'on' if kind == 'iso' else 'off'},smbus=off,vmport=off,smm={'on' if secure else 'off'}"
    if config.get("ram"):
        machine += ",memory-backend=ram"
    args = [*accel.qemu(), "-name", f"nereid-{node.name}", "-machine", machine, *accel_options,
            "-smp", str(config["cpus"]), "-m", str(config["memory"]),
            "-nodefaults", "-no-user-config", "-display", "none", "-msg", "timestamp=on",
            "-rtc", "base=utc,clock=host",
            "-chardev", "socket,id=qmp,path=qmp,server=on,wait=off", "-mon", "chardev=qmp,mode=control",
            "-chardev", "socket,id=serial,path=serial,server=on,wait=off,logfile=serial.log,logappend=on",
            "-serial", "chardev:serial",
            "-object", "rng-random,id=rng,filename=/dev/urandom", "-device", "virtio-rng-pci,rng=rng",
            "-device", "vmgenid,guid=auto"]  # a resumed node notices, and does not repeat its random numbers
    if config.get("ram"):
        args += ["-object", "memory-backend-file,id=ram,size={}M,mem-path={},share={}".format(
            config["memory"], config["ram"], "on" if config["ram_shared"] else "off")]
    args += agent_options(config)
    for i in range(len(config["disks"])):
        index = ",bootindex=1" if kind == "disk" and i == 0 else ""
        args += ["-drive", f"if=none,id=disk{i},file={disk_path(i)},format=qcow2,cache=writeback,discard=unmap",
                 "-device", f"virtio-blk-pci,drive=disk{i},serial=rig-disk{i}{index}"]
    args += nic_options(node, config)
    args += media.options(node, config)
    if config["answers"]:
        args += ["-fw_cfg", "name=opt/org.nereid/answers,file=answers.json"]
    if kind == "direct":
        append = [cmdline(), CMDLINE_TCG if accel_name == "tcg" else "", config["append"] or ""]
        args += ["-kernel", str(platform / "kernel"),
                 "-initrd", str(boot_archive(node, config, platform)),
                 "-append", " ".join(a for a in append if a)]
    return args, accel_name


def agent_options(config):
    if not config["agent"]:
        return []
    args = ["-device", "virtio-serial-pci,id=agents,max_ports=8"]
    for i in range(agent.PORTS):
        args += ["-chardev", f"socket,id=agent{i},path=agent{i},server=on,wait=off",
                 "-device", f"virtserialport,bus=agents.0,nr={i + 1},chardev=agent{i},name=org.nereid.rig.{i}"]
    return args + ["-fw_cfg", f"name=opt/org.nereid.rig/agent,file={agent.program()}",
                   "-smbios", "type=11,value=" + credential("systemd.extra-unit.nereid-rig.service", UNIT),
                   "-smbios", "type=11,value=" + credential("systemd.unit-dropin.sysinit.target", DROPIN)]


def nic_options(node, config):
    args = []
    for i, (ident, address, segment) in enumerate(nics(config)):
        device = f"virtio-net-pci,netdev={ident},mac={address}"
        boots = config["media"] == "pxe" and i == 0
        if segment is None:
            back = f"user,id={ident}" + "".join(f",hostfwd={f}" for f in config["forward"] if i == 0)
        else:
            relative = os.path.relpath(switch.directory(segment), node.dir)
            back = (f"dgram,id={ident},local.type=unix,local.path={relative}/{node.name}.{i},"
                    f"remote.type=unix,remote.path={relative}/switch")
        if boots and segment is None:
            served, rom = media.tftp_options(node, config)
            back += served
            device += f",bootindex=1{rom}"
        elif boots:
            device += ",bootindex=1"
        elif config["media"] != "pxe":
            device += ",romfile="
        args += ["-netdev", back, "-device", device]
    return args


