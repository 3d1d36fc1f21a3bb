# SPDX-License-Identifier: MPL-2.0
# Copyright 2026 The Nereid authors
"""The command line of test/rig."""

import argparse
import contextlib
import json
import os
import re
import shlex
import signal
import stat
import sys
import threading
import time
from pathlib import Path

from . import agent, control, serial
from .errors import NodeGone, RigError, Usage, WrongState
from .media import KINDS
from .node import RIG, TOP, Node, all_nodes
from .qmp import Qmp

STANDARD_ANSWERS = TOP / "test/riglib/answers.json"
PROG = "rig"


def size(text):
    """GiB, as a number; a fraction is fine for small disks."""
    try:
        value = float(text)
    except ValueError:
        value = 0
    if not 0.01 <= value <= 65536:
        raise argparse.ArgumentTypeError(f"{text!r} is not a size in GiB")
    return int(value) if value == int(value) else value


def number(low, high):
    def check(text):
        if not text.isdigit() or not low <= int(text) <= high:
            raise argparse.ArgumentTypeError(f"{text!r} is not a number from {low} to {high}")
        return int(text)
    return check


def seconds(text):
    try:
        value = float(text)
    except ValueError:
        value = -1
    if value <= 0:
        raise argparse.ArgumentTypeError(f"{text!r} is not a time in seconds")
    return value


def forward(text):
    match = re.fullmatch(r"(?:(tcp|udp):)?(\d+):(\d+)", text)
    if not match:
        raise argparse.ArgumentTypeError(f"{text!r} is not [tcp:|udp:]HOSTPORT:NODEPORT")
    return f"{match[1] or 'tcp'}:127.0.0.1:{match[2]}-:{match[3]}"


DEFAULTS = {
    "media": "direct", "uefi": False, "secure_boot": False, "cert": None, "memory": 2048, "cpus": 2, "disks": [10],
    "nics": 1, "net": [], "forward": [], "answers": "standard", "platform": None, "append": None, "over": None,
    "vga": False, "agent": True, "stick": None,
}


def answers_text(which):
    """The text of the answers, or None."""
    if which == "none":
        return None
    path = STANDARD_ANSWERS if which == "standard" else Path(which)
    try:
        return path.read_text()
    except OSError as e:
        raise RigError(f"answers: {path}: {e.strerror}") from None


def new_config(name, **given):
    """A whole set of settings for a new node out of those that were given."""
    config = {**DEFAULTS, **given, "mac_seed": f"{RIG}/{name}"}
    text = answers_text(config["answers"])
    config.update(answers=text is not None, answers_text=text)
    return checked(config)


def checked(config):
    for key in ("cert", "over"):
        if config[key]:
            config[key] = os.path.abspath(config[key])
    if config["secure_boot"]:
        config["uefi"] = True
    if config["media"] != "direct":
        config["vga"] = True  # without a display SeaBIOS's and iPXE's option ROMs were seen to hang
        for key in ("append", "over"):
            if config[key]:
                raise Usage(f"up: --{key} goes with --media direct only")
    return config


def say(text):
    print(f"rig: {text}", file=sys.stderr, flush=True)


def cmd_up(args):
    node = Node(args.name)
    given = {key: getattr(args, key) for key in DEFAULTS if hasattr(args, key)}
    if given.get("disks") == [0]:
        given["disks"] = []
    if node.exists() and not args.fresh:
        for key in ("disks", "answers"):
            if key in given:
                raise WrongState(f"{node.name}: exists, with its disks; --fresh throws them away and makes a new node")
        config = checked({**node.config, **given})
    else:
        config = new_config(node.name, **given)
    start = time.monotonic()
    how = control.up(node, config, args.fresh, args.cold, say)
    if args.no_wait:
        return 0
    if not config["agent"]:
        say(f"{node.name}: started, without agent; `rig console` shows it")
        return 0
    state = control.await_state(node, args.timeout)
    say(f"{node.name}: {how} in {time.monotonic() - start:.1f} s, {state}")
    return 0


def cmd_run(args):
    node = Node(args.name)
    argv = args.command[1:] if args.command[:1] == ["--"] else args.command
    if not argv:
        raise Usage("run: which command? `rig run -- COMMAND [ARGUMENT...]`")
    with agent.Agent(node, args.connect_timeout) as channel, relayed_stdin(args.no_stdin) as stdin:
        for number_ in (signal.SIGTERM, signal.SIGHUP):
            signal.signal(number_, lambda *_: sys.exit(128 + number_))
        return channel.run(argv, stdin, writer(1), writer(2), args.timeout)


def writer(fd):
    def write(data):
        view = memoryview(data)
        while view:
            view = view[os.write(fd, view):]
    return write


@contextlib.contextmanager
def relayed_stdin(nothing):
    """Our standard input as something a selector can watch: a regular file goes through a pipe."""
    if nothing:
        yield None
        return
    try:
        mode = os.fstat(0).st_mode
    except OSError:
        yield None
        return
    if not stat.S_ISREG(mode) and not (stat.S_ISCHR(mode) and not os.isatty(0)):
        yield 0
        return
    read_end, write_end = os.pipe()

    def copy():
        with contextlib.suppress(OSError):
            while data := os.read(0, 65536):
                view = memoryview(data)
                while view:
                    view = view[os.write(write_end, view):]
        os.close(write_end)
    threading.Thread(target=copy, daemon=True).start()
    yield read_end


def cmd_push(args):
    node = Node(args.name)
    source = Path(args.source)
    try:
        mode = stat.S_IMODE(source.stat().st_mode)
        fd = os.open(source, os.O_RDONLY)
    except OSError as e:
        raise RigError(f"push {source}: {e.strerror}") from None
    if source.is_dir():
        raise RigError(f"push {source}: is a directory; `tar c ... | rig run -- tar x` moves trees")
    # Into a temporary name first: a push that is cut off leaves what was there.
    script = ('d=$1; [ -d "$d" ] && d=$d/$3; t=$d.rig-push; cat >"$t" && chmod "$2" "$t" && mv -fT "$t" "$d" || '
              '{ rm -f "$t"; exit 1; }')
    os.dup2(fd, 0)
    with agent.Agent(node) as channel, relayed_stdin(False) as stdin:
        return channel.run(["sh", "-c", script, "push", args.destination, f"{mode:o}", source.name], stdin,
                           writer(1), writer(2), args.timeout)


def cmd_pull(args):
    node = Node(args.name)
    target = Path(args.destination)
    if target.is_dir():
        target = target / Path(args.source).name
    temp = target.with_name(target.name + ".rig-pull")
    head = bytearray()
    done = []
    try:
        with open(temp, "wb") as out, agent.Agent(node) as channel:
            def take(data):
                if not done:  # the first line is the mode
                    head.extend(data)
                    if b"\n" not in head:
                        return
                    first, _, data = bytes(head).partition(b"\n")
                    done.append(int(first, 8))
                out.write(data)
            code = channel.run(["sh", "-c", 'stat -L -c %a "$1" && exec cat "$1"', "pull", args.source], None, take,
                               writer(2), args.timeout)
            if code == 0:
                out.flush()
                os.chmod(temp, done[0])
                os.replace(temp, target)
        return code
    except OSError as e:
        raise RigError(f"pull to {target}: {e.strerror}") from None
    finally:
        with contextlib.suppress(FileNotFoundError):
            temp.unlink()


def cmd_console(args):
    node = Node(args.name)
    try:
        serial.attach(node)
    except TimeoutError:
        raise WrongState(f"{node.name}: its console is in use by another `rig console`") from None
    return 0


def cmd_type(args):
    node = Node(args.name)
    text = " ".join(args.text).encode().decode("unicode_escape")
    with serial.Console(node) as console:
        console.type(text if args.no_return else text + "\r")
    return 0


def cmd_log(args):
    node = Node(args.name)
    _ = node.config
    try:
        sys.stdout.buffer.write(node.serial_log.read_bytes())
    except FileNotFoundError:
        pass
    return 0


def cmd_wait(args):
    node = Node(args.name)
    node.must_run()
    if args.serial is not None:
        match = serial.Reader(node, from_start=True).expect(args.serial, args.timeout)
        print(match.group(0).decode(errors="replace"))
    elif args.off:
        node.wait_gone(args.timeout)
    elif args.agent:
        control.await_agent(node, args.timeout)
    else:
        pattern = args.state or ("ready" if args.ready else "ready|degraded*|noimport*|setup*")
        print(control.await_state(node, args.timeout, pattern))
    return 0


def selected(args):
    return all_nodes() if args.all else [Node(args.name)]


def cmd_kill(args):
    for node in selected(args):
        _ = node.config
        if not node.kill() and not args.all:
            raise WrongState(f"{node.name}: is off already")
    return 0


def cmd_down(args):
    for node in selected(args):
        if not control.down(node, args.timeout) and not args.all:
            raise WrongState(f"{node.name}: is off already")
    return 0


def cmd_reboot(args):
    node = Node(args.name)
    control.reboot(node, args.timeout)
    if not args.no_wait:
        print(control.await_state(node, args.timeout))
    return 0


def cmd_remove(args):
    for node in selected(args):
        _ = node.config
        with node.lock():
            node.remove()
    return 0


def cmd_list(args):
    rows = []
    for node in all_nodes():
        config = node.config
        disks = "+".join(f"{d}" for d in config["disks"]) or "-"
        rows.append({"name": node.name, "state": "running" if node.running() else "off", "pid": node.pid(),
                     "media": config["media"], "memory": config["memory"], "cpus": config["cpus"],
                     "disks": disks, "segments": ",".join(config["net"]) or "-"})
    if args.names:
        print("".join(row["name"] + "\n" for row in rows), end="")
        return 0
    if args.json:
        print(json.dumps(rows, indent=1))
        return 0
    columns = [("NAME", "name", 16), ("STATE", "state", 8), ("PID", "pid", 8), ("MEDIA", "media", 11),
               ("MEMORY", "memory", 7), ("CPUS", "cpus", 5), ("DISKS", "disks", 12), ("SEGMENTS", "segments", 0)]
    print("".join(f"{title:<{width}}" for title, _, width in columns).rstrip())
    for row in rows:
        print("".join(f"{'-' if row[key] is None else row[key]!s:<{width}}" for _, key, width in columns).rstrip())
    return 0


def cmd_eject(args):
    control.eject(Node(args.name))
    return 0


def cmd_screenshot(args):
    control.screenshot(Node(args.name), args.file)
    return 0


def cmd_monitor(args):
    node = Node(args.name)
    node.must_run()
    with Qmp(node.dir) as qmp:
        sys.stdout.write(qmp("human-monitor-command", command_line=shlex.join(args.command)).replace("\r", ""))
    return 0


def build_parser():
    parser = argparse.ArgumentParser(
        prog=PROG, description="Nodes in QEMU: starts them, runs commands in them, cuts their power.",
        epilog="Every verb takes --name NODE (default n0). `rig VERB -h` explains one; rig(1) all of them.")
    verbs = parser.add_subparsers(dest="verb", metavar="VERB", required=True)

    def verb(name, function, text, timeout=None, named=True):
        p = verbs.add_parser(name, help=text, description=text[0].upper() + text[1:] + ".")
        if named:
            p.add_argument("--name", "-n", default=os.environ.get("RIG_NODE", "n0"), metavar="NODE", help="which node")
        if timeout is not None:
            p.add_argument("--timeout", type=seconds, default=timeout or None, metavar="S",
                           help="give up after this many seconds" + (f" (default {timeout})" if timeout else ""))
        p.set_defaults(function=function)
        return p

    add_up(verb("up", cmd_up, "make and start a node, or power on one that exists", 300))

    p = verb("run", cmd_run, "run a command as root in the node; its output and exit code are rig's", 0)
    p.add_argument("--connect-timeout", type=seconds, default=60, metavar="S",
                   help="how long the node may take to answer (default 60)")
    p.add_argument("--no-stdin", action="store_true", help="give the command no input")
    p.add_argument("command", nargs=argparse.REMAINDER, metavar="-- COMMAND [ARGUMENT...]")

    p = verb("push", cmd_push, "copy a file into the node, with its mode", 0)
    p.add_argument("source", metavar="FILE")
    p.add_argument("destination", metavar="PATH-IN-NODE")
    p = verb("pull", cmd_pull, "copy a file out of the node, with its mode", 0)
    p.add_argument("source", metavar="PATH-IN-NODE")
    p.add_argument("destination", metavar="FILE")

    verb("console", cmd_console, "be at the node's serial console; ~. at the beginning of a line leaves")
    p = verb("type", cmd_type, "type a line on the serial console")
    p.add_argument("--no-return", action="store_true", help="do not press Return after it")
    p.add_argument("text", nargs="*", metavar="TEXT", help=r"what to type; \n, \t, \x03 are understood")
    verb("log", cmd_log, "print what the node said on its serial console")

    p = verb("wait", cmd_wait, "wait until the node has come so far; prints its state", 300)
    what = p.add_mutually_exclusive_group()
    what.add_argument("--ready", action="store_true", help="until its state is ready")
    what.add_argument("--state", metavar="PATTERN", help="until its state matches a shell pattern, such as 'degraded*'")
    what.add_argument("--agent", action="store_true", help="until commands can be run")
    what.add_argument("--serial", metavar="REGEX", help="until its console has said this (since it was first started)")
    what.add_argument("--off", action="store_true", help="until it has switched itself off")

    for name, function, text, timeout in (
            ("kill", cmd_kill, "cut the node's power", None),
            ("down", cmd_down, "press the power button and wait until it is off; the disks are kept", 90),
            ("remove", cmd_remove, "cut the power and throw the node's disks away", None)):
        p = verb(name, function, text, timeout)
        p.add_argument("--all", action="store_true", help="all nodes")

    p = verb("reboot", cmd_reboot, "reboot it in an orderly way, wait until it is up and print its state", 300)
    p.add_argument("--no-wait", action="store_true", help="return when it begins to boot")

    p = verb("list", cmd_list, "list the nodes", named=False)
    p.add_argument("--json", "-j", action="store_true", help="as JSON")
    p.add_argument("--names", action="store_true", help="names alone, one a line")
    verb("eject", cmd_eject, "pull the medium the node was booted from")
    p = verb("screenshot", cmd_screenshot, "write the VGA screen as a PNG file")
    p.add_argument("file", metavar="FILE")
    p = verb("monitor", cmd_monitor, "give QEMU's monitor a command (`rig monitor info network`)")
    p.add_argument("command", nargs="+", metavar="COMMAND")
    return parser


def add_up(p):
    def add(*names, **options):
        return p.add_argument(*names, default=argparse.SUPPRESS, **options)
    p.add_argument("--fresh", action="store_true", help="throw away a node of this name first")
    p.add_argument("--cold", action="store_true", help="really boot, instead of resuming a saved machine")
    p.add_argument("--no-wait", action="store_true", help="return at once, do not wait until it is up")
    add("--media", choices=KINDS, help="what it boots from (default direct: QEMU loads the platform)")
    add("--uefi", action="store_true", help="OVMF instead of SeaBIOS")
    add("--secure-boot", action="store_true", help="with Secure Boot (and Microsoft's keys); implies --uefi")
    add("--cert", metavar="PEM", help="enrol this certificate as machine owner key (needs virt-fw-vars)")
    add("--memory", type=number(256, 1 << 20), metavar="MiB", help="default 2048")
    add("--cpus", type=number(1, 255), metavar="N", help="default 2")
    add("--disk", dest="disks", type=lambda t: 0 if t == "none" else size(t), action="append", metavar="GiB",
        help="a disk; repeat it for more; `none` for none (default one of 10)")
    add("--nics", type=number(0, 8), metavar="N",
        help="NICs on the user network, which has DHCP and a way out (default 1)")
    add("--net", action="append", metavar="SEGMENT",
        help="a further NIC, on a segment shared by all nodes that name it; may be repeated")
    add("--forward", type=forward, action="append", metavar="[tcp:|udp:]HOST:NODE",
        help="forward a port of 127.0.0.1 to the first NIC")
    add("--answers", metavar="FILE", help="answers for the first boot; `none` for the dialogue (default: the rig's own)")
    add("--platform", metavar="STAMP", help="which platform (default the current one)")
    add("--append", metavar="ARGS", help="further boot parameters (direct only)")
    add("--over", metavar="DIR", help="files to lay over the root (direct only)")
    add("--stick", metavar="SIZE", help="size of the USB stick (default that of the image)")
    add("--vga", action="store_true", help="with a VGA display, for screenshots (always so unless direct)")
    add("--no-agent", dest="agent", action="store_false", help="without the agent: `rig run` cannot be used")


def main(argv=None):
    args = build_parser().parse_args(argv)
    RIG.mkdir(parents=True, exist_ok=True)
    try:
        return args.function(args)
    except RigError as e:
        print(f"{PROG}: {e}", file=sys.stderr)
        return e.code
    except (NodeGone, BrokenPipeError):
        return 125
    except KeyboardInterrupt:
        return 130
