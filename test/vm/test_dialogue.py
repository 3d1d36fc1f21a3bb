# SPDX-License-Identifier: MPL-2.0
# Copyright 2026 The Nereid authors
"""First boot as a person does it: typing on the serial console."""

import json

STEP = 60
SETUP = 180


class Typist:
    """Answers prompts. A prompt is expected whole, up to the colon and blank it waits behind."""

    def __init__(self, console):
        self.console = console

    def answer(self, prompt, text="", timeout=STEP):
        said = self.console.expect(rf"(?s).*?{prompt}[^\n]*: $", timeout).group(0).decode()
        self.console.line(text)
        return said

    def begin(self):
        self.console.expect(r"Press Enter to set it up", STEP)
        self.console.line()


def test_dialogue(blank):
    with blank.console(from_start=True) as console:
        t = Typist(console)
        t.begin()
        t.answer("Hostname", "-wrong-")
        assert "-wrong-" in t.answer("Hostname", "typed")
        assert "52:54:00:00:00:01" in t.answer("NIC of the admin network", "7")
        assert "no interface 7" in t.answer("NIC of the admin network")
        t.answer("IPv4 address", "10.0.2.300")
        t.answer("IPv4 address", "10.0.2.40")
        t.answer("Netmask", "")
        t.answer("gateway", "10.9.9.9")
        t.answer("IPv4 address", "10.0.2.40")
        t.answer("Netmask", "255.255.255.0")
        t.answer("gateway", "10.0.2.2")
        t.answer("First DNS server", "10.0.2.3")
        t.answer("Second DNS server")
        t.answer("Search domain", "example.test")
        t.answer("Time servers", "10.0.2.2")
        assert "rig-disk0" in t.answer("Disks for the pool", "sdz")
        t.answer("Disks for the pool")
        t.answer("Layout", "mirror")
        t.answer("Layout")
        t.answer("Password of root", "first try")
        t.answer("The same again", "other")
        t.answer("Password of root", "correct horse")
        t.answer("The same again", "correct horse")
        t.answer("SSH key", "not a key")
        t.answer("SSH key")
        summary = t.answer("Write this to the disks", "y")
        for word in ("typed", "10.0.2.40", "example.test", "zones"):
            assert word in summary
        assert "correct horse" not in summary
        t.answer("typed login", "root", SETUP)
        t.answer("Password", "correct horse")
        console.expect(r"root@typed", STEP)
        console.line("echo log''ged in")
        console.expect("logged in", STEP)
    assert blank.wait() == "ready"
    info = json.loads(blank.ok("sysinfo"))
    assert info["Admin IP"] == "10.0.2.40" and info["Hostname"] == "typed"
    assert "nameserver 10.0.2.3" in blank.ok("cat", "/etc/resolv.conf")
    assert b"correct horse" not in blank.node.serial_log.read_bytes()


def test_saying_no_writes_nothing_and_begins_again(blank):
    before = blank.sh("head -c 64M /dev/vda | sha256sum")
    with blank.console(from_start=True) as console:
        t = Typist(console)
        t.begin()
        for prompt, text in (("Hostname", "changed-my-mind"), ("NIC of", ""), ("IPv4", "dhcp"), ("First DNS", ""),
                             ("Search", ""), ("Time", ""), ("Disks", ""), ("Layout", ""), ("Password", "abcdefgh"),
                             ("same again", "abcdefgh"), ("SSH", "")):
            t.answer(prompt, text)
        t.answer("Write this", "n")
        assert "changed-my-mind" in t.answer("Hostname"), "answers are the defaults of the second round"
        console.expect("NIC of", STEP)
        console.type("\x03")
        t.answer("Begin again", "y")
        console.expect("Hostname", STEP)
    assert blank.sh("head -c 64M /dev/vda | sha256sum") == before
    assert blank.state().startswith("setup")


def test_only_one_terminal_asks(blank):
    with blank.console(from_start=True) as console:
        t = Typist(console)
        t.begin()
        console.expect("Hostname", STEP)
        code, _, err = blank.run("nereid-setup", stdin=b"")
        assert code in (1, 3) and err.count("\n") == 1, err
