# SPDX-License-Identifier: MPL-2.0
# Copyright 2026 The Nereid authors
"""
An L2 segment: a learning switch over unix datagram sockets, one process a segment. Every NIC on it owns a socket
NODE.N in the segment's directory and sends its frames to the one named `switch`; nodes come and go as they like.
The process is started by the first node and leaves with the last one.
"""

import collections
import contextlib
import fcntl
import os
import select
import socket
import subprocess
import sys
import time

from .errors import RigError
from .node import NAME, RIG

QUEUE = 1000  # frames that wait for a slow node before further ones are dropped
IDLE_SECONDS = 5


def directory(segment):
    if not NAME.fullmatch(segment):
        raise RigError(f"{segment!r}: a segment's name is letters, digits, - and _, 32 at most")
    return RIG / ".net" / segment


@contextlib.contextmanager
def started(segment):
    """Makes sure that the switch runs; while inside it does not leave, so a NIC's socket can be made."""
    path = directory(segment)
    path.mkdir(parents=True, exist_ok=True)
    with open(path / ".door", "w") as door:
        fcntl.flock(door, fcntl.LOCK_EX)
        with open(path / ".alive", "a") as alive:
            try:
                fcntl.flock(alive, fcntl.LOCK_EX | fcntl.LOCK_NB)
                runs = False
            except BlockingIOError:
                runs = True
        if not runs:
            ready, theirs = os.pipe()
            subprocess.Popen(
                [sys.executable, "-c", "import sys; sys.path.insert(0, sys.argv[1]);"
                 "from riglib import switch; switch.main(int(sys.argv[2]))",
                 os.path.dirname(os.path.dirname(os.path.abspath(__file__))), str(theirs)],
                cwd=path, pass_fds=[theirs], start_new_session=True, stdin=subprocess.DEVNULL,
                stdout=open(path / ".log", "a"), stderr=subprocess.STDOUT)
            os.close(theirs)
            got = os.read(ready, 1)
            os.close(ready)
            if got != b"+":
                raise RigError(f"segment {segment}: its switch does not start; see {path / '.log'}")
        yield


class Port:
    """The way to one NIC: a connected socket, and what could not be sent yet."""

    def __init__(self, name):
        self.name = name
        self.queue = collections.deque(maxlen=QUEUE)
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.sock.setblocking(False)
        self.sock.connect(name)
        self.inode = os.stat(name).st_ino

    def flush(self):
        """Returns False when the NIC is gone."""
        while self.queue:
            try:
                self.sock.send(self.queue[0])
            except BlockingIOError:
                return True
            except OSError:
                return False
            self.queue.popleft()
        return True


class Switch:
    def __init__(self):
        with contextlib.suppress(FileNotFoundError):
            os.unlink("switch")
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4 << 20)
        self.sock.bind("switch")
        self.sock.setblocking(False)
        self.ports = {}
        self.stations = {}  # MAC -> name of its port
        self.poll = select.poll()
        self.poll.register(self.sock, select.POLLIN)
        self.by_fd = {}

    def drop(self, port):
        self.poll.unregister(port.sock)
        del self.by_fd[port.sock.fileno()]
        del self.ports[port.name]
        port.sock.close()
        self.stations = {mac: name for mac, name in self.stations.items() if name != port.name}

    def look(self):
        """Takes in what has come and gone in the directory. A file without an owner is removed."""
        names = {n for n in os.listdir(".") if "." in n and not n.startswith(".")}
        for port in list(self.ports.values()):
            try:
                if port.name in names and os.stat(port.name).st_ino == port.inode:
                    names.discard(port.name)
                    continue
            except FileNotFoundError:
                pass
            self.drop(port)
        for name in names:
            try:
                port = Port(name)
            except FileNotFoundError:
                continue
            except ConnectionRefusedError:
                with contextlib.suppress(FileNotFoundError):
                    os.unlink(name)
                continue
            self.ports[name] = port
            self.by_fd[port.sock.fileno()] = port
            self.poll.register(port.sock, 0)

    def send(self, port, frame):
        port.queue.append(frame)
        if not port.flush():
            self.drop(port)
        elif port.queue:
            self.poll.modify(port.sock, select.POLLOUT)

    def forward(self, frame, sender):
        name = os.path.basename(sender)
        if name not in self.ports:
            self.look()
        target, source = frame[:6], frame[6:12]
        if not source[0] & 1:
            self.stations[source] = name
        known = self.ports.get(self.stations.get(target)) if not target[0] & 1 else None
        if known is not None:
            if known.name != name:
                self.send(known, frame)
            return
        for port in list(self.ports.values()):
            if port.name != name:
                self.send(port, frame)

    def run(self):
        looked = 0.0
        used = time.monotonic()
        while True:
            for fd, _ in self.poll.poll(1000):
                port = self.by_fd.get(fd)
                if port is not None:
                    if not port.flush():
                        self.drop(port)
                    elif not port.queue:
                        self.poll.modify(port.sock, 0)
                    continue
                with contextlib.suppress(BlockingIOError):
                    for _ in range(64):
                        frame, sender = self.sock.recvfrom(65536)
                        if len(frame) >= 14 and sender:
                            self.forward(frame, sender)
            now = time.monotonic()
            if now - looked >= 1:
                looked = now
                self.look()
                if self.ports:
                    used = now
                elif now - used > IDLE_SECONDS and self.may_leave():
                    return

    def may_leave(self):
        """Nobody is in the middle of joining, and nobody has joined since the last look."""
        self.door = open(".door", "w")
        try:
            fcntl.flock(self.door, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            self.door.close()
            return False
        self.look()
        if self.ports:
            self.door.close()
        return not self.ports


def main(ready):
    alive = open(".alive", "a")
    fcntl.flock(alive, fcntl.LOCK_EX)
    switch = Switch()
    switch.look()
    os.write(ready, b"+")
    os.close(ready)
    switch.run()
    os.unlink("switch")
