# SPDX-License-Identifier: MPL-2.0
# Copyright 2026 The Nereid authors
"""QEMU's control socket. Only one client at a time is heard, so connections are short."""

import json
import time

from .errors import NodeGone, RigError, TimedOut
from .node import connect


class Qmp:
    def __init__(self, directory, timeout=30):
        self.sock = connect(directory, "qmp", timeout)
        self.buf = b""
        self.events = []
        self._read(time.monotonic() + timeout)  # the greeting
        self("qmp_capabilities")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.sock.close()

    def _read(self, deadline):
        while b"\n" not in self.buf:
            left = deadline - time.monotonic()
            if left <= 0:
                raise TimedOut("QEMU does not answer on its control socket")
            self.sock.settimeout(left)
            try:
                data = self.sock.recv(65536)
            except TimeoutError:
                continue
            except ConnectionError:
                data = b""
            if not data:
                raise NodeGone("QEMU ended")
            self.buf += data
        line, self.buf = self.buf.split(b"\n", 1)
        return json.loads(line)

    def __call__(self, command, timeout=60, **arguments):
        request = {"execute": command}
        if arguments:
            request["arguments"] = {k.replace("_", "-"): v for k, v in arguments.items()}
        try:
            self.sock.sendall(json.dumps(request).encode() + b"\n")
        except ConnectionError:
            raise NodeGone("QEMU ended") from None
        deadline = time.monotonic() + timeout
        while True:
            message = self._read(deadline)
            if "event" in message:
                self.events.append(message)
            elif "error" in message:
                raise RigError(f"QEMU: {command}: {message['error']['desc']}")
            elif "return" in message:
                return message["return"]

    def event(self, names, timeout):
        """Waits for one of the named events and returns it."""
        deadline = time.monotonic() + timeout
        while True:
            while self.events:
                event = self.events.pop(0)
                if event["event"] in names:
                    return event
            message = self._read(deadline)
            if "event" in message:
                self.events.append(message)
