# SPDX-License-Identifier: MPL-2.0
# Copyright 2026 The Nereid authors
"""What the system tests do with nodes, on top of the rig's own modules."""

import contextlib
import functools
import http.server
import json
import os
import shutil
import subprocess
import threading
from pathlib import Path

from riglib import agent, cli, control, serial
from riglib.node import BUILD, TOP, Node

BOOT = 300  # seconds a boot may take on a busy machine
RUN = 120   # seconds a command may take unless a test says more
READY = "ready"
ANY_END = "ready|degraded*|noimport*|setup*"

ANSWERS = {
    "hostname": "tested", "admin_ip": "dhcp", "ntp_host": "10.0.2.2", "zpool_layout": "default",
    "zpool_confirm_layout": "yes", "root_password": "test pass",
}


class CommandFailed(AssertionError):
    pass


class Machine:
    """A node under test. Whatever it is asked has a time limit, and a failure shows what the node said."""

    def __init__(self, name):
        self.node = Node(name)
        self.name = name

    def up(self, fresh=True, cold=True, wait=ANY_END, timeout=BOOT, answers=None, **given):
        """
        Starts it; answers is a dict, text, None for the dialogue or "standard". Returns the state it came up with
        (None with wait=None).
        """
        if fresh:
            self.node.remove()
            config = cli.new_config(self.name, **given, answers="standard" if answers == "standard" else "none")
            if answers is not None and answers != "standard":
                text = answers if isinstance(answers, str) else json.dumps(answers)
                config.update(answers=True, answers_text=text)
        else:
            config = cli.checked({**self.node.config, **given})
        control.up(self.node, config, fresh, cold)
        return self.wait(wait, timeout) if wait else None

    def wait(self, cases=READY, timeout=BOOT):
        return control.await_state(self.node, timeout, cases)

    def run(self, *argv, stdin=None, timeout=RUN, connect_timeout=BOOT):
        """Runs a command and returns (code, stdout, stderr), as text."""
        got = agent.run(self.node, list(argv), stdin, timeout, connect_timeout)
        return got.code, got.stdout.decode(errors="replace"), got.stderr.decode(errors="replace")

    def raw(self, *argv):
        """What a command that must succeed prints, as bytes."""
        got = agent.run(self.node, list(argv), None, RUN, BOOT)
        assert got.code == 0, f"{self.name}: {argv}: exit {got.code}"
        return got.stdout

    def ok(self, *argv, **options):
        """Runs a command that must succeed; returns what it printed, stripped."""
        code, out, err = self.run(*argv, **options)
        if code != 0:
            raise CommandFailed(f"{self.name}: {argv}: exit {code}\nstdout: {out}\nstderr: {err}{self.node.tail()}")
        return out.strip()

    def sh(self, script, **options):
        """Runs a shell script that must succeed, each line of it."""
        return self.ok("sh", "-ec", script, **options)

    def refused(self, code, *argv, **options):
        """Runs a command that must fail with that exit code and one line of explanation, which is returned."""
        got, out, err = self.run(*argv, **options)
        assert got == code, f"{argv}: exit {got}, not {code}\nstdout: {out}\nstderr: {err}"
        lines = err.strip().split("\n")
        assert len(lines) == 1 and lines[0], f"{argv}: one line was expected on standard error: {err!r}"
        return lines[0]

    def reboot(self, wait=READY, timeout=BOOT):
        """An orderly reboot; returns the state after it."""
        control.reboot(self.node, timeout)
        return self.wait(wait, timeout) if wait else None

    def other_boot(self, boot_id, timeout=BOOT):
        """Waits until another boot than that one answers."""
        def probe():
            try:
                code, now, _ = self.run("cat", "/proc/sys/kernel/random/boot_id", timeout=20, connect_timeout=20)
            except (control.NodeGone, control.TimedOut):
                return None  # in the middle of going down, or not up yet
            return code == 0 and now.strip() != boot_id
        control.wait_for(f"{self.name}: another boot", timeout, probe, 0.5, self.node)

    def push(self, source, target, mode=0o644):
        """Puts a file there: bytes, text, or the Path of a file."""
        data = source.read_bytes() if isinstance(source, Path) else source
        data = data.encode() if isinstance(data, str) else data
        self.ok("sh", "-ec", 'cat >"$1"; chmod "$2" "$1"', "push", target, f"{mode:o}", stdin=data, timeout=300)

    def console(self, from_start=False):
        return serial.Console(self.node, from_start)

    def said(self, pattern, timeout=5):
        """Waits for something in all that was ever printed on the serial console."""
        return serial.Reader(self.node, from_start=True).expect(pattern, timeout)

    def kill(self):
        self.node.kill()

    def off(self, timeout=BOOT):
        control.down(self.node, timeout)

    def settle(self):
        """Waits until all that starts at boot has started or failed: ready is when machines can run, not that."""
        self.run("systemctl", "is-system-running", "--wait", timeout=BOOT)

    def online(self):
        """Waits for the admin network: DHCP may answer after the node is ready."""
        self.sh("until ip -4 route get 10.0.2.2 >/dev/null 2>&1; do sleep 0.2; done")

    def state(self):
        code, out, _ = self.run("cat", "/run/nereid/state")
        return out.strip() if code == 0 else "booting"

    def stamp(self):
        """The version that runs, from uname."""
        return self.ok("uname", "-v").split("nereid_")[1].split()[0]


@functools.cache
def second_platform():
    """The stamp of a second version of the same tree, built on first use."""
    stamp = "20380119T031407Z"
    if not (BUILD / "platform" / stamp / "manifest.json").exists():
        done = subprocess.run([TOP / "live/build", "platform"], env={**os.environ, "NEREID_STAMP": stamp},
                              capture_output=True, text=True, stdin=subprocess.DEVNULL)
        assert done.returncode == 0, done.stderr
    return stamp


@contextlib.contextmanager
def served(directory):
    """Serves a directory by HTTP to nodes; gives the URL as they see it."""
    handler = functools.partial(QuietHandler, directory=str(directory))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        try:
            yield f"http://10.0.2.2:{server.server_port}"
        finally:
            server.shutdown()


class QuietHandler(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *_):
        pass


def need_tool(name):
    """Skips, saying why, where the host lacks a tool that no other test needs."""
    import pytest
    if shutil.which(name) is None:
        pytest.skip(f"{name} is not installed on this host")
