# SPDX-License-Identifier: MPL-2.0
# Copyright 2026 The Nereid authors
"""Commands in the node, through the agent on its virtio-serial ports (test/rig-agent/agent.c has the protocol)."""

import collections
import fcntl
import os
import secrets
import selectors
import signal
import struct
import time

from .errors import NodeGone, RigError, TimedOut
from .node import TOP, connect
from .program import compiled

PORTS = 4
HEAD = struct.Struct("<BI")
FRAME_MAX = 16 << 10
STDIN_MAX = 64 << 10  # how much may be on its way before the agent says that it was used
PING_SECONDS = 5
SOURCE = TOP / "test/rig-agent/agent.c"

Result = collections.namedtuple("Result", "code stdout stderr")


def program():
    """The agent's program."""
    return os.environ.get("NEREID_RIG_AGENT") or compiled("agent", [SOURCE])


class Agent:
    """One command channel of a node; a free port is found by lock."""

    def __init__(self, node, timeout=60):
        node.must_run()
        self.node = node
        self.buf = bytearray()
        self.eof = False
        deadline = time.monotonic() + timeout
        self.lock, port = self._free_port(deadline)
        self.sock = None
        try:
            self._connect(port, deadline)
        except (ConnectionError, FileNotFoundError) as e:
            self.close()
            raise NodeGone(f"{node.name}: QEMU ended ({e}){node.tail()}") from None
        except BaseException:
            self.close()
            raise

    def _connect(self, port, deadline):
        """QEMU drops who is connected when the node's firmware resets the device, as it does once when it starts."""
        while True:
            try:
                self.sock = connect(self.node.dir, f"agent{port}", 10)
                self._hello(deadline)
                return
            except ConnectionError:
                time.sleep(0.2)  # one that is ending has ended by then
                if not self.node.running() or time.monotonic() > deadline:
                    raise
                if self.sock is not None:
                    self.sock.close()
                    self.sock = None

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        if self.sock is not None:
            self.sock.close()
        self.lock.close()

    def _free_port(self, deadline):
        while True:
            for i in range(PORTS):
                f = open(self.node.dir / f".port{i}", "w")
                try:
                    fcntl.flock(f, fcntl.LOCK_EX | fcntl.LOCK_NB)
                    return f, i
                except BlockingIOError:
                    f.close()
            if time.monotonic() > deadline:
                raise TimedOut(f"{self.node.name}: all {PORTS} command channels are in use")
            time.sleep(0.1)

    def _hello(self, deadline):
        """
        Asks until our nonce comes back: the node may still be starting, and what an earlier client left on the way
        (half a frame, answers to it) is padded through and read over.
        """
        hello = b""
        seen = b""
        pause = 0.25
        again = 0.0
        while True:
            now = time.monotonic()
            if now > deadline:
                raise TimedOut(f"{self.node.name}: no answer from the node{self.node.tail()}")
            if now >= again:
                # After the first try whatever may be half-read is filled up with zeros, but once the node has not
                # read what is queued already there is no point in queueing more.
                pad = bytes(FRAME_MAX + HEAD.size) if hello and pause < 2 else b""
                nonce = secrets.token_bytes(16)
                hello = HEAD.pack(ord("H"), len(nonce)) + nonce
                self.sock.settimeout(max(0.1, deadline - now))
                try:
                    self.sock.sendall(pad + hello)
                except TimeoutError:
                    continue
                again = now + pause
                pause = min(2 * pause, 5)
            self.sock.settimeout(max(0.05, min(again, deadline) - now))
            try:
                data = self.sock.recv(65536)
            except TimeoutError:
                continue
            if not data:
                raise NodeGone(f"{self.node.name}: QEMU ended{self.node.tail()}")
            seen = (seen + data)[-2 * 65536:]
            at = seen.find(hello)
            if at >= 0:
                self.buf = bytearray(seen[at + len(hello):])
                self.sock.settimeout(None)
                return

    def _send(self, kind, payload=b""):
        self.sock.settimeout(60)
        self.sock.sendall(HEAD.pack(ord(kind), len(payload)) + payload)

    def _frames(self):
        """The frames that have come, without waiting."""
        while len(self.buf) >= HEAD.size:
            kind, length = HEAD.unpack_from(self.buf)
            if len(self.buf) < HEAD.size + length:
                return
            payload = bytes(self.buf[HEAD.size:HEAD.size + length])
            del self.buf[:HEAD.size + length]
            yield chr(kind), payload

    def run(self, argv, stdin=None, stdout=None, stderr=None, timeout=None):
        """
        Runs a command as root and returns its exit code (128 + n when signal n ended it). stdin is a file
        descriptor, bytes or None; stdout and stderr are called with what comes.
        """
        for arg in argv:
            data = os.fsencode(arg)
            if len(data) > FRAME_MAX or b"\0" in data:
                raise RigError(f"argument of {len(data)} bytes: {FRAME_MAX} at most, no NUL")
            self._send("A", data)
        self._send("X")
        with selectors.DefaultSelector() as sel:
            return self._loop(sel, argv, stdin, {"O": stdout, "R": stderr}, timeout)

    def _loop(self, sel, argv, stdin, outputs, timeout):
        window = STDIN_MAX
        deadline = None if timeout is None else time.monotonic() + timeout
        heard = pinged = time.monotonic()
        pending = memoryview(stdin if isinstance(stdin, bytes) else b"")  # whose slices are no copies
        fd = stdin if isinstance(stdin, int) else None
        ended = False
        sel.register(self.sock, selectors.EVENT_READ)
        while True:
            if fd is not None:
                want = not pending and window > 0
                self._watch(sel, fd, want)
            while pending and window > 0:
                part = pending[:min(FRAME_MAX, window)]
                self._send("I", bytes(part))
                window -= len(part)
                pending = pending[len(part):]
            if fd is None and not pending and not ended:
                self._send("E")
                ended = True

            now = time.monotonic()
            if deadline is not None and now > deadline:
                self._send("S", bytes([signal.SIGTERM]))
                raise TimedOut(f"{self.node.name}: {argv[0]}: not done within {timeout:g} s{self.node.tail()}")
            if now - max(heard, pinged) > PING_SECONDS:
                self._send("P")
                pinged = now
            events = sel.select(min(1.0, PING_SECONDS if deadline is None else max(0.01, deadline - now)))
            for key, _ in events:
                if key.fileobj is not self.sock:
                    pending = os.read(fd, min(FRAME_MAX, window))
                    if not pending:
                        sel.unregister(fd)
                        fd = None
                    continue
                data = self.sock.recv(65536)
                if not data:
                    raise NodeGone(f"{self.node.name}: was switched off while running {argv[0]}")
                heard = now
                self.buf += data
            for kind, payload in self._frames():
                if kind in outputs:
                    if outputs[kind] is not None:
                        outputs[kind](payload)
                elif kind == "C":
                    window += int.from_bytes(payload, "little")
                elif kind == "Q":
                    status = int.from_bytes(payload, "little")
                    return os.waitstatus_to_exitcode(status) if os.WIFEXITED(status) else 128 + os.WTERMSIG(status)
                elif kind == "F":
                    number = int.from_bytes(payload, "little")
                    raise RigError(f"{self.node.name}: run {argv[0]}: {os.strerror(number)}")
                elif kind in "nB":
                    raise NodeGone(f"{self.node.name}: went down while running {argv[0]}")

    @staticmethod
    def _watch(sel, fd, want):
        registered = fd in sel.get_map()
        if want and not registered:
            try:
                sel.register(fd, selectors.EVENT_READ)
            except PermissionError:  # a regular file: always ready, and epoll refuses it
                raise RigError("stdin must be a pipe or terminal") from None
        elif registered and not want:
            sel.unregister(fd)

    def signal(self, number):
        self._send("S", bytes([number]))


def run(node, argv, stdin=None, timeout=None, connect_timeout=60):
    """Runs a command and returns its code, standard output and standard error (bytes)."""
    out, err = [], []
    with Agent(node, connect_timeout) as agent:
        code = agent.run(argv, stdin, out.append, err.append, timeout)
    return Result(code, b"".join(out), b"".join(err))
