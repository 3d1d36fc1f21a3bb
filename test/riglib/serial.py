# SPDX-License-Identifier: MPL-2.0
# Copyright 2026 The Nereid authors
"""The node's serial console: what it prints is read from its log, what is typed goes to its socket."""

import os
import re
import select
import socket
import sys
import termios
import time
import tty

from .errors import NodeGone, TimedOut
from .node import connect, wait_for
from .qmp import Qmp

ESCAPES = re.compile(rb"\x1b\[[0-9;?]*[ -/]*[@-~]|\x1b[()][A-Z0-9]|\x1b[=>78DEHM]|[\r\x00\x07]")


class Reader:
    """Follows the serial log from where it stands now (or from the beginning)."""

    def __init__(self, node, from_start=False):
        self.node = node
        self.raw = b""
        self.at = 0 if from_start or not node.serial_log.exists() else node.serial_log.stat().st_size

    def _more(self):
        try:
            with open(self.node.serial_log, "rb") as f:
                f.seek(self.at)
                data = f.read()
        except FileNotFoundError:
            data = b""
        self.at += len(data)
        self.raw += data
        return bool(data)

    def expect(self, pattern, timeout):
        """
        Waits for a regular expression in the text that has not been matched yet (without escape sequences and
        carriage returns) and returns the match; the text up to its end counts as read.
        """
        regex = re.compile(pattern if isinstance(pattern, bytes) else pattern.encode(), re.MULTILINE)
        deadline = time.monotonic() + timeout
        while True:
            more = self._more()
            text = ESCAPES.sub(b"", self.raw)
            match = regex.search(text)
            if match:
                self.raw = text[match.end():]
                return match
            if not more:
                if not self.node.running():
                    raise NodeGone(f"{self.node.name}: QEMU ended while {pattern!r} was expected{self.node.tail()}")
                if time.monotonic() > deadline:
                    raise TimedOut(f"{self.node.name}: {pattern!r} not on the serial console within "
                                   f"{timeout:g} s{self.node.tail()}")
                time.sleep(0.05)


class Console(Reader):
    """
    A Reader that also types; it holds the console's only seat until closed. It reads from the socket, because while
    somebody sits there QEMU may write a character to the log twice (when the socket is full for a moment).
    """

    def __init__(self, node, from_start=False):
        node.must_run()
        super().__init__(node, from_start)
        self.sock = connect(node.dir, "serial")
        # With the machine stopped nothing is printed between the end of the log and the start of the socket.
        with Qmp(node.dir) as qmp:
            wait_for("the console's seat", 10, lambda: self._seated(qmp), 0.02, node)
            qmp("stop")
            try:
                super()._more()
                self._drain()
            finally:
                qmp("cont")

    @staticmethod
    def _seated(qmp):
        return any(c["label"] == "serial" and not c["filename"].startswith("disconnected")
                   for c in qmp("query-chardev"))

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.sock.close()

    def _drain(self):
        data = b""
        try:
            while part := self.sock.recv(65536, socket.MSG_DONTWAIT):
                data += part
        except BlockingIOError:
            pass
        return data

    def _more(self):
        data = self._drain()
        self.raw += data
        return bool(data)

    def type(self, text):
        """Types in small parts: a UART's receive queue holds 16 bytes, and a busy node reads late."""
        data = text.encode() if isinstance(text, str) else text
        for i in range(0, len(data), 16):
            self.sock.sendall(data[i:i + 16])
            self._more()
            if i + 16 < len(data):
                time.sleep(0.02)

    def line(self, text=""):
        self.type(text + "\r")


def attach(node):
    """The terminal becomes the node's console until `~.` is typed at the beginning of a line."""
    node.must_run()
    sock = connect(node.dir, "serial", 5)
    sock.settimeout(None)
    stdin = sys.stdin.fileno()
    is_tty = os.isatty(stdin)
    saved = termios.tcgetattr(stdin) if is_tty else None
    if is_tty:
        print(f"{node.name}: connected; ~. at the beginning of a line leaves", file=sys.stderr)
        tty.setraw(stdin)
    try:
        _attach_loop(sock, stdin)
    finally:
        if saved is not None:
            termios.tcsetattr(stdin, termios.TCSADRAIN, saved)
        sock.close()


def _attach_loop(sock, stdin):
    watched = [sock, stdin]
    state = "start"  # of a line; "tilde" when one was typed there; "middle"
    while True:
        for ready in select.select(watched, [], [])[0]:
            if ready is sock:
                data = sock.recv(65536)
                if not data:
                    sys.stderr.write("\r\nthe node is off\r\n")
                    return
                os.write(1, data)
                continue
            data = os.read(stdin, 4096)
            if not data:
                watched.remove(stdin)
                continue
            out = bytearray()
            for byte in data:
                if state == "tilde":
                    if byte == ord("."):
                        sys.stderr.write("\r\n")
                        return
                    if byte != ord("~"):
                        out += b"~"
                    out.append(byte)
                    state = "middle"
                elif state == "start" and byte == ord("~"):
                    state = "tilde"
                else:
                    out.append(byte)
                    state = "start" if byte in b"\r\n" else "middle"
            sock.sendall(out)
