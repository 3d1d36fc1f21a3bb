# SPDX-License-Identifier: MPL-2.0
# Copyright 2026 The Nereid authors
"""A node as it lies in build/rig/NAME: its settings, disks, process and sockets."""

import contextlib
import fcntl
import json
import os
import re
import shutil
import select
import signal
import socket
import time
from pathlib import Path

from .errors import NodeGone, RigError, TimedOut, WrongState

TOP = Path(__file__).resolve().parents[2]
BUILD = Path(os.environ.get("NEREID_BUILD", TOP / "build"))
RIG = Path(os.environ.get("NEREID_RIG", BUILD / "rig"))
NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,31}")
GONE = 30  # seconds in which a killed QEMU lets go of what it has


def connect(directory, name, timeout=None):
    """Connects to a socket whose path may be longer than the 108 bytes an address holds."""
    fd = os.open(directory, os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
    sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    sock.settimeout(timeout)
    try:
        sock.connect(f"/proc/self/fd/{fd}/{name}")
    except OSError:
        sock.close()
        raise
    finally:
        os.close(fd)
    return sock


def wait_for(what, timeout, probe, interval=0.05, node=None):
    """Calls probe until it returns something true, which is returned. For states without an event."""
    deadline = time.monotonic() + timeout
    while True:
        got = probe()
        if got:
            return got
        if node is not None and not node.running():
            raise NodeGone(f"{node.name}: QEMU ended while waiting for {what}{node.tail()}")
        if time.monotonic() > deadline:
            tail = node.tail() if node is not None else ""
            raise TimedOut(f"{what}: not within {timeout:g} s{tail}")
        time.sleep(interval)


class Node:
    def __init__(self, name):
        if not NAME.fullmatch(name):
            raise RigError(f"{name!r}: a node's name is letters, digits, - and _, 32 at most")
        self.name = name
        self.dir = RIG / name
        self._config = None

    # Settings: what `rig up` was told, so that a later `rig up` powers the same node on.

    @property
    def config(self):
        if self._config is None:
            try:
                self._config = json.loads((self.dir / "config.json").read_text())
            except FileNotFoundError:
                raise WrongState(f"{self.name}: no such node; `rig list` shows them") from None
        return self._config

    def write_config(self, config):
        self._config = config
        temp = self.dir / ".config.json"
        temp.write_text(json.dumps(config, indent=1) + "\n")
        temp.rename(self.dir / "config.json")

    def exists(self):
        return (self.dir / "config.json").exists()

    @contextlib.contextmanager
    def lock(self):
        """One command at a time changes a node; others wait."""
        RIG.mkdir(parents=True, exist_ok=True)
        with open(RIG / f".lock-{self.name}", "w") as f:
            fcntl.flock(f, fcntl.LOCK_EX)
            yield

    # The process. Its start time is kept beside its id: an id alone may belong to another by now.

    def started(self, pid):
        (self.dir / "pid").write_text(f"{pid} {start_time(pid)}\n")

    def pid(self):
        try:
            pid, start = (self.dir / "pid").read_text().split()
        except (FileNotFoundError, ValueError):
            return None
        return int(pid) if start_time(int(pid)) == start else None

    def running(self):
        return self.pid() is not None

    def must_run(self):
        _ = self.config
        if not self.running():
            raise WrongState(f"{self.name}: is off; `rig up --name {self.name}` starts it")

    def kill(self):
        """The power cut. Returns when the process is gone."""
        pid = self.pid()
        if pid is None:
            return False
        try:
            fd = os.pidfd_open(pid)
        except ProcessLookupError:
            return False
        try:
            signal.pidfd_send_signal(fd, signal.SIGKILL)
            # Its first thread is gone before the others are, who hold its disks.
            select.select([fd], [], [], GONE)
        except ProcessLookupError:
            pass
        finally:
            os.close(fd)
        self.wait_gone(GONE)
        return True

    def wait_gone(self, timeout):
        deadline = time.monotonic() + timeout
        while self.running():
            reap(self.pid())
            if time.monotonic() > deadline:
                raise TimedOut(f"{self.name}: still running after {timeout:g} s{self.tail()}")
            time.sleep(0.02)
        self.clean_sockets()

    def clean_sockets(self):
        for name in ("qmp", "monitor", "serial", *(f"agent{i}" for i in range(4))):
            with contextlib.suppress(FileNotFoundError):
                (self.dir / name).unlink()
        for segment in RIG.glob(".net/*"):
            for sock in segment.glob(f"{self.name}.*"):
                with contextlib.suppress(FileNotFoundError):
                    sock.unlink()

    def remove(self):
        self.kill()
        shutil.rmtree(self.dir, ignore_errors=True)

    # What it printed.

    @property
    def serial_log(self):
        return self.dir / "serial.log"

    def tail(self, lines=25):
        """The end of the serial log, to go behind an error message."""
        try:
            data = self.serial_log.read_bytes()[-8192:]
        except FileNotFoundError:
            return ""
        text = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]|\x1b[()][A-Z0-9]|\r", "", data.decode(errors="replace"))
        last = [line for line in text.split("\n") if line.strip()][-lines:]
        return "\n--- end of {}:\n{}\n---".format(self.serial_log, "\n".join(last)) if last else ""


def start_time(pid):
    """Ticks since boot at which a process began, or None when there is none (a zombie counts as none)."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except (FileNotFoundError, ProcessLookupError):
        return None
    return None if fields[0] in "ZX" else fields[19]


def reap(pid):
    """Our own children stay as zombies until they are waited for."""
    if pid is not None:
        with contextlib.suppress(ChildProcessError, OSError):
            os.waitpid(pid, os.WNOHANG)


def all_nodes():
    return [Node(p.parent.name) for p in sorted(RIG.glob("[A-Za-z0-9]*/config.json"))
            if p.parent.name != "saved"]
