# SPDX-License-Identifier: MPL-2.0
# Copyright 2026 The Nereid authors
"""Starting nodes, waiting for them, stopping them."""

import contextlib
import os
import subprocess
import sys
import time

from . import agent, machine, saved, switch
from .errors import NodeGone, RigError, TimedOut, WrongState
from .node import Node, reap, wait_for
from .qmp import Qmp

PRESS_SECONDS = 20

# Prints the node's state as soon as it is one of those asked for. A node without the file is still booting.
AWAIT_STATE = r"""
while :; do
	state=booting
	read -r state 2>/dev/null </run/nereid/state
	case $state in
	@CASES@) printf '%s\n' "$state"; exit 0 ;;
	esac
	sleep 0.2
done
"""


def launch(node, extra=()):
    """Starts QEMU for the node and returns when its control socket answers."""
    config = node.config
    node.clean_sockets()
    args, accel_name = machine.command(node, config)
    args += extra
    (node.dir / "command").write_text("\n".join(args) + "\n")
    with contextlib.ExitStack() as stack:
        for segment in sorted(set(config["net"])):
            stack.enter_context(switch.started(segment))
        with open(node.dir / "qemu.log", "ab") as log:
            log.truncate(0)
            proc = subprocess.Popen(args, cwd=node.dir, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                                    start_new_session=True)
        node.started(proc.pid)

        def answers():
            try:
                return Qmp(node.dir)
            except (FileNotFoundError, ConnectionRefusedError):
                return None
        try:
            wait_for("QEMU's control socket", 60, answers, 0.01, node).sock.close()
        except NodeGone:
            reap(proc.pid)
            text = (node.dir / "qemu.log").read_text(errors="replace").strip()
            raise RigError(f"{node.name}: QEMU does not start: {text or 'no message'}") from None
    return accel_name


def prepare(node, config):
    """A directory with new, empty disks."""
    node.dir.mkdir(parents=True)
    put_files(node, config)
    for i, size in enumerate(config["disks"]):
        machine.make_disk(node.dir / machine.disk_path(i), f"{size}G")
    node.write_config(config)


def put_files(node, config):
    """The answers are kept with the node: a file that is edited later must not change a node that exists."""
    if config["answers"]:
        text = config["answers_text"]
        (node.dir / "answers.json").write_text(text)


def up(node, config, fresh=False, cold=False, say=lambda text: None):
    """
    Makes and starts a node; one that exists is powered on with its disks. Returns "resumed" or "booted".
    """
    with node.lock():
        if node.running():
            raise WrongState(f"{node.name}: is running already; `rig down` or `rig kill` first")
        if node.exists() and not fresh:
            node.write_config(config)
            launch(node)
            return "booted"
        node.remove()
        try:
            if not cold and saved.usable(config):
                saved.resume(node, config, say)
                return "resumed"
            prepare(node, config)
            launch(node)
            return "booted"
        except BaseException:
            node.remove()  # a node that never started leaves nothing behind
            raise


def await_state(node, timeout, cases="ready|degraded*|noimport*|setup*"):
    """Waits, across reboots, until /run/nereid/state matches the shell pattern, and returns it."""
    deadline = time.monotonic() + timeout
    script = AWAIT_STATE.replace("@CASES@", cases)
    while True:
        left = deadline - time.monotonic()
        if left <= 0:
            raise TimedOut(f"{node.name}: state {cases}: not within {timeout:g} s{state_tail(node)}")
        try:
            got = agent.run(node, ["sh", "-c", script], timeout=left, connect_timeout=left)
            return got.stdout.decode().strip()
        except NodeGone:
            if not node.running():
                raise
            time.sleep(0.5)  # it went down; the next agent answers when it is up again
        except TimedOut:
            raise TimedOut(f"{node.name}: state {cases}: not within {timeout:g} s{state_tail(node)}") from None


def state_tail(node):
    """What the node says of itself, when it can still say something, and the end of its serial log."""
    said = ""
    with contextlib.suppress(RigError, OSError):
        got = agent.run(node, ["sh", "-c", "cat /run/nereid/state; tail -n 20 /run/nereid/boot.log; "
                               "systemctl --failed --no-legend --plain"], timeout=10, connect_timeout=5)
        said = "\n--- its state, boot log and failed units:\n" + (got.stdout + got.stderr).decode(errors="replace").strip()
    return said + node.tail()


def await_agent(node, timeout):
    with agent.Agent(node, timeout):
        pass


def down(node, timeout=90):
    """
    An orderly shutdown by the power button, which is pressed again now and then: a node that is still starting does
    not hear it. Returns False when it was off already.
    """
    if not node.running():
        _ = node.config
        return False
    deadline = time.monotonic() + timeout
    while True:
        with contextlib.suppress(NodeGone, ConnectionError, FileNotFoundError), Qmp(node.dir) as qmp:
            qmp("system_powerdown")
        left = deadline - time.monotonic()
        try:
            node.wait_gone(max(0.1, min(left, PRESS_SECONDS)))
            return True
        except TimedOut:
            if left <= PRESS_SECONDS:
                raise TimedOut(f"{node.name}: still on {timeout:g} s after the power button was pressed"
                               f"{state_tail(node)}") from None


def reboot(node, timeout=300):
    """
    An orderly reboot from inside. The machine that comes up again is a new QEMU process: after a reset the old one
    still has the translations of all that ran before, and every write to such memory takes the slow way (GRUB loads
    the platform in 46 seconds then, instead of 13).
    """
    node.must_run()
    with node.lock():
        with Qmp(node.dir) as qmp:
            qmp("set-action", reboot="shutdown", shutdown="pause")
            with contextlib.suppress(NodeGone):
                agent.run(node, ["systemctl", "reboot", "--no-block"], timeout=60)
            try:
                event = qmp.event(["SHUTDOWN"], timeout)
            except TimedOut:
                raise TimedOut(f"{node.name}: did not go down within {timeout:g} s{state_tail(node)}") from None
        node.kill()
        if event["data"]["reason"] != "guest-reset":
            raise RigError(f"{node.name}: was asked to reboot and switched itself off ({event['data']['reason']})")
        launch(node)


def set_clock(node):
    """A resumed node still has the time at which it was saved."""
    now = f"@{time.time():.3f}"
    got = agent.run(node, ["date", "-u", "-s", now], timeout=30)
    if got.code != 0:
        raise RigError(f"{node.name}: set the clock: {got.stderr.decode(errors='replace').strip()}")


def eject(node):
    """Pulls the boot medium."""
    node.must_run()
    kind = node.config["media"]
    with Qmp(node.dir) as qmp:
        if kind == "iso":
            qmp("eject", id="medium-dev", force=True)
        elif kind in ("usb", "usb-virtio"):
            qmp("device_del", id="medium-dev")
            qmp.event(["DEVICE_DELETED"], 30)
        else:
            raise WrongState(f"{node.name}: was booted from {kind}: there is no medium to pull")


def screenshot(node, path):
    node.must_run()
    if not node.config["vga"]:
        raise WrongState(f"{node.name}: has no VGA; `rig up --vga` gives it one")
    with Qmp(node.dir) as qmp:
        qmp("screendump", filename=os.path.abspath(path), format="png")


def complain(error):
    print(f"rig: {error}", file=sys.stderr)
    return error.code


__all__ = ["Node", "await_agent", "await_state", "complain", "down", "eject", "launch", "prepare", "reboot",
           "screenshot", "set_clock", "up"]
