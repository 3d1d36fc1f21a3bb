# SPDX-License-Identifier: MPL-2.0
# Copyright 2026 The Nereid authors
"""A terminal of a node, for commands that want one."""

import re
import time


class Terminal:
    """A command on a terminal of the node, typed at and read as a person would."""

    def __init__(self, node, command, name="term"):
        self.node, self.base, self.at = node, f"/run/{name}", 0
        node.sh(f"rm -f {self.base}.*; mkfifo {self.base}.in; : >{self.base}.out")
        node.push(f"trap : INT; tty >{self.base}.tty; {command}; echo $? >{self.base}.code\n", f"{self.base}.sh")
        node.sh(f"(setsid sleep 1800 >{self.base}.in & echo $! >{self.base}.holder); "
                f"(setsid env --default-signal=INT,QUIT script -qfc 'sh {self.base}.sh' {self.base}.out <{self.base}.in >/dev/null 2>&1 &)")

    def text(self):
        return self.node.ok("cat", f"{self.base}.out").replace("\r", "")

    def type(self, text):
        self.node.sh(f"cat >{self.base}.in", stdin=text.encode())

    def expect(self, pattern, timeout=60):
        end = time.monotonic() + timeout
        while True:
            text = self.text()
            found = re.search(pattern, text[self.at:])
            if found:
                self.at += found.end()
                return found
            assert time.monotonic() < end, f"{pattern!r} was not said: {text[self.at:]!r}"
            time.sleep(0.1)

    def code(self):
        """The exit status of the command, when it has ended."""
        self.node.sh(f"until [ -s {self.base}.code ]; do sleep 0.1; done; kill $(cat {self.base}.holder)", timeout=60)
        return int(self.node.ok("cat", f"{self.base}.code"))

    def resize(self, rows, cols):
        self.node.sh(f"stty -F $(cat {self.base}.tty) rows {rows} cols {cols}")
