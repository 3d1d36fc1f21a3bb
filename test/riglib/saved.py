# SPDX-License-Identifier: MPL-2.0
# Copyright 2026 The Nereid authors
"""
Saved machines: a node that was installed and came up ready once, kept as it stood, so that the next one of the same
kind needs no boot. RAM is a file that every resumed node maps privately, so resuming reads only what is used and
nodes share the rest; the other devices' state is a small migration stream; disks are overlays of the saved ones.
"""

import fcntl
import hashlib
import json
import os
import shutil
import time
from pathlib import Path

from . import accel, agent, control, machine
from .errors import RigError, TimedOut
from .node import RIG, Node, all_nodes
from .qmp import Qmp

SAVED = RIG / "saved"
KEEP = 4  # unused ones beyond that are removed, oldest first
BOOT_SECONDS = 600
FIXED = {"media": "direct", "uefi": False, "append": None, "over": None, "vga": False, "agent": True}


def usable(config):
    """Only the usual machine is kept saved; everything with an effect on booting is there to be booted."""
    return all(config[k] == v for k, v in FIXED.items())


def platform_digest(config):
    """The manifest holds the digests of kernel and boot archive."""
    directory = machine.platform_dir(config)
    try:
        return (directory / "manifest.json").read_text()
    except FileNotFoundError:
        digest = hashlib.sha256()
        for name in ("kernel", "boot_archive"):
            digest.update((directory / name).read_bytes())
        return digest.hexdigest()


def key_of(config):
    here = Path(__file__).parent
    parts = [platform_digest(config), accel.qemu_version(), str(agent.program()),
             accel.choose(machine.platform_dir(config) / "kernel")[1],
             *(hashlib.sha256((here / name).read_bytes()).hexdigest() for name in ("machine.py", "saved.py", "media.py")),
             {k: config[k] for k in ("memory", "cpus", "disks", "nics", "net", "answers_text")},
             config["mac_seed"] if config["net"] else None]
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()[:16]


def have(config, say):
    """Returns the directory of the saved machine, which is made when it is the first of its kind."""
    key = key_of(config)
    directory = SAVED / key
    SAVED.mkdir(parents=True, exist_ok=True)
    if not (directory / "done").exists():
        with open(SAVED / f".lock-{key}", "w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if not (directory / "done").exists():
                prune()
                say("booting a node to keep it saved (once for each platform and kind of machine)")
                make(directory, config)
    os.utime(directory)
    return directory


def make(directory, config):
    partial = Node(f"saved-{directory.name}")
    partial.dir = directory.with_name(directory.name + ".partial")
    partial.remove()
    try:
        machine_config = {**config, "ram": "ram", "ram_shared": True, "forward": []}
        control.prepare(partial, machine_config)
        control.launch(partial)
        state = control.await_state(partial, BOOT_SECONDS)
        want = "ready" if config["answers"] else "setup"
        if state.partition(":")[0] != want:
            raise RigError(f"the node to be saved came up as {state!r}, not {want}{control.state_tail(partial)}")
        # What starts after ready is part of every boot too: not saved half done.
        agent.run(partial, ["sh", "-c", "systemctl is-system-running --wait; udevadm settle; sync"], timeout=300)
        with Qmp(partial.dir) as qmp:
            qmp("stop")
            ignore_shared(qmp)
            qmp("migrate", uri="exec:cat >state")
            migrated(qmp)
            qmp("quit")
        partial.wait_gone(30)
        (partial.dir / "done").write_text("")
        shutil.rmtree(directory, ignore_errors=True)
        partial.dir.rename(directory)
    except BaseException:
        partial.kill()
        raise


def ignore_shared(qmp):
    qmp("migrate-set-capabilities", capabilities=[{"capability": "x-ignore-shared", "state": True}])
    qmp("migrate-set-parameters", max_bandwidth=10 << 30)


def migrated(qmp, timeout=60):
    deadline = time.monotonic() + timeout
    while True:
        info = qmp("query-migrate")
        if info.get("status") == "completed":
            return
        if info.get("status") in ("failed", "cancelled"):
            raise RigError(f"QEMU: migrate: {info.get('error-desc', info['status'])}")
        if time.monotonic() > deadline:
            raise TimedOut(f"QEMU: migrate: still {info.get('status')} after {timeout} s")
        time.sleep(0.01)


def resume(node, config, say):
    directory = have(config, say)
    node.dir.mkdir(parents=True)
    control.put_files(node, config)
    for i in range(len(config["disks"])):
        machine.make_disk(node.dir / machine.disk_path(i), None, directory / machine.disk_path(i))
    shutil.copyfile(directory / "serial.log", node.serial_log)
    kept = {**config, "saved": directory.name}
    node.write_config({**kept, "ram": str(directory / "ram"), "ram_shared": False})
    try:
        control.launch(node, ["-incoming", "defer"])
        with Qmp(node.dir) as qmp:
            ignore_shared(qmp)
            qmp("migrate-incoming", uri=f"exec:cat {directory / 'state'}")
            migrated(qmp)
            qmp("cont")
    finally:
        node.write_config(kept)  # powered on again, it has RAM of its own
    control.set_clock(node)


def prune():
    machine.release_platforms(all_nodes())
    used = {node.config.get("saved") for node in all_nodes()}
    unused = [p for p in SAVED.iterdir() if (p / "done").exists() and p.name not in used]
    for path in sorted(unused, key=lambda p: p.stat().st_mtime, reverse=True)[KEEP - 1:]:
        shutil.rmtree(path, ignore_errors=True)
    for path in SAVED.glob("*.partial"):  # of one that was cut off
        with open(SAVED / f".lock-{path.stem}", "w") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                continue
            shutil.rmtree(path, ignore_errors=True)
