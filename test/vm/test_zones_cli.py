# SPDX-License-Identifier: MPL-2.0
# Copyright 2026 The Nereid authors
"""zlogin, the console, zonecfg, zoneadm list and completion, as an operator's hands use them."""

import json
import re

import pytest

from machine import RUN
from terminal import Terminal
from zones import config, install_tiny, remove, run_state, states, tiny_root, wait_for


@pytest.fixture(scope="module")
def node(module_machine):
    m = module_machine
    assert m.up(cold=False, answers="standard") == "ready"
    install_tiny(m, "t1")
    return m


# ---- zlogin ----

def test_statuses(node):
    for command, want in (("exit 255", 255), ("kill -9 $$", 137), ("no-such-command-here", 127), ("true", 0)):
        assert node.run("zlogin", "t1", command)[0] == want, command
    assert "unknown" in node.refused(1, "zlogin", "nosuch", "true")
    assert "unknown" in node.refused(1, "zlogin", "../etc", "true")
    assert "where you are" in node.refused(1, "zlogin", "global", "true")
    for wrong in (["-C", "-I", "t1"], ["-C", "t1", "ls"], ["-i", "t1"], ["-S", "-l", "root", "t1"], ["-e", "ab", "t1"], [],
                  ["-d", "t1"], ["-N", "t1"]):
        node.refused(2, "zlogin", *wrong)


def test_much_goes_through_whole(node):
    node.sh("head -c 3000000 /dev/urandom >/run/blob")
    assert node.sh("zlogin t1 cat </run/blob | cmp - /run/blob && echo same") == "same"
    assert node.sh("zlogin t1 'head -c 3000000 /dev/zero' | wc -c") == "3000000"
    assert node.sh("timeout 60 zlogin t1 'while :; do echo y; done' | head -n 1") == "y"
    assert node.sh("timeout 60 zlogin t1 'echo out; cat' <&- 2>/dev/null") == "out"
    assert node.sh("zlogin -n t1 'cat; echo done' <<X\nnot read\nX") == "done"
    assert node.run("sh", "-c", "timeout 60 zlogin t1 'echo x' >&-")[0] in (0, 1)


def test_a_terminal(node):
    """Size and its change, the interrupt key, job control; ~. leaves, and the status is 0."""
    t = Terminal(node, "stty rows 33 cols 101; zlogin t1")
    t.expect(r"Connected to zone 't1' pts/\d+")
    t.expect("#")  # the shell forgets what was typed before it asks
    t.type("stty size; echo a''b\r")
    t.expect(r"33 101\s+ab")
    t.resize(44, 99)
    t.type("stty size; echo c''d\r")
    t.expect(r"44 99\s+cd")
    t.type("sleep 1001\r")
    wait_for(node, "pgrep -x -f 'sleep 1001'")
    t.type("\x03")
    t.type("echo after $?\r")
    t.expect(r"after 130")
    t.type("sleep 1002\r")
    wait_for(node, "pgrep -x -f 'sleep 1002'")
    t.type("\x1a")
    t.expect(r"Stopped")
    t.type("kill %1; echo x~.y\r")
    t.expect(r"\nx~\.y")
    t.type("~~.\r")
    t.expect(r"~\.: not found|~\.: ")
    t.type("\r~.")
    t.expect(r"Connection to zone 't1' pts/\d+ closed")
    assert t.code() == 0


def test_other_escapes(node):
    t = Terminal(node, "zlogin -Q -e ^] t1")
    t.expect("#")
    t.type("echo o''k\r~.\r")
    t.expect(r"ok[\s\S]*~\.")
    t.type("\r\x1d.")
    assert t.code() == 0 and "Connected" not in t.text()
    t = Terminal(node, "zlogin -E t1")
    t.expect("#")
    t.type("\r~.\recho go''es on; exit 4\r")
    t.expect("goes on")
    assert t.code() == 0, "an interactive session has no status"


def test_terminal_for_a_command(node):
    t = Terminal(node, "stty rows 33 cols 101; zlogin -i -Q t1 'tty; stty size; exit 3'")
    t.expect(r"/dev/pts/\d+\s+33 101")
    assert t.code() == 0
    assert "/dev/pts" not in node.run("zlogin", "t1", "tty 2>&1; true")[1]


def test_safe_mode_in_a_broken_zone(node):
    tiny_root(node, "/var/tmp/broken")
    install_tiny(node, "broken", root="/var/tmp/broken")
    node.sh("cd /zones/broken/root/bin; rm su; printf '#!/bin/sh\\nsleep 1000\\n' >su; chmod 755 su")
    assert node.ok("zlogin", "-S", "broken", "echo in") == "in"
    node.sh("rm /zones/broken/root/bin/sh /zones/broken/root/etc/passwd")
    assert "a file" in node.ok("zlogin", "-S", "broken", "/bin/busybox", "echo", "a file")
    remove(node, "broken")
    node.sh("rm -rf /var/tmp/broken")


# ---- the console ----

# What is pasted arrives late, whole and in order: nothing is read for a while, then all of it.
READER = "#!/bin/sh\nstty -echo\necho reader\nsleep 4\nhead -c 65534 >/data/pasted\necho all of it\nwhile :; do sleep 1000; done\n"
TALKER = "#!/bin/sh\necho talker\nwhile read line; do echo \"heard $line\"; done\n"


def test_console_outlasts_reboots_and_has_one_writer(node):
    tiny_root(node, "/var/tmp/talker", TALKER)
    install_tiny(node, "con", boot=False, root="/var/tmp/talker")
    t = Terminal(node, "zlogin -C con")
    t.expect("Connected to zone 'con' console")
    node.ok("zoneadm", "-z", "con", "boot")
    t.expect("talker")
    t.type("one\r")
    t.expect("heard one")
    assert "already in use" in node.refused(1, "zlogin", "-C", "con")
    node.sh("(timeout 100 zlogin -C -n -Q -d con </dev/null >/run/con.looks 2>&1 &); sleep 0.5")
    t.type("two\r")
    t.expect("heard two")
    wait_for(node, "grep -q 'heard two' /run/con.looks")
    node.ok("zoneadm", "-z", "con", "reboot")
    t.expect(r"\[NOTICE: Zone rebooting\]\s+talker")
    t.type("three\r")
    t.expect("heard three")
    node.ok("zoneadm", "-z", "con", "halt")
    t.expect(r"\[NOTICE: Zone halted\]")
    wait_for(node, "! pgrep -f '[z]login -C -n -Q -d con'")
    t.type("\r~.")
    t.expect("Connection to zone 'con' console closed")
    assert t.code() == 0
    remove(node, "con")


def test_a_paste_is_not_lost(node):
    tiny_root(node, "/var/tmp/reader", READER)
    install_tiny(node, "paste", boot=False, root="/var/tmp/reader")
    node.sh("i=100000; while [ $i -lt 109362 ]; do echo $i; i=$((i+1)); done >/run/paste")
    node.ok("zoneadm", "-z", "paste", "boot")
    # Who pastes leaves at once; another one watches.
    node.sh("(timeout 100 zlogin -C -n -Q paste </dev/null >/run/paste.said 2>&1 &)")
    wait_for(node, "grep -q reader /run/paste.said")
    node.sh("(cat /run/paste; sleep 60) | timeout 90 zlogin -C -Q paste >/dev/null 2>&1 &")
    wait_for(node, "grep -q 'all of it' /run/paste.said")
    assert node.sh("cmp /zones/paste/root/data/pasted /run/paste && echo same") == "same"
    remove(node, "paste")


# ---- zonecfg ----

WHOLE = """create -b
set brand=lx
set autoboot=true
set bootargs="-v \\"two words\\""
set limitpriv=default,-net_rawaccess
set hostid=1f
set fs-allowed=nfs,fuse
set cpu-shares=50
set max-lwps=400
set max-processes=300
set hostname=other
set resolvers=10.0.0.1,10.0.0.2
set init-name=/app
set init-args=["a b","c,d","e\\"f"]
set init-env=["A=1","B=two words"]
set init-user=web:www
set init-dir=/srv
set restart-init=false
set docker=true
set docker-stdin=true
add fs
set dir=/data
set special=/zones/shared
set type=lofs
add options [ro,nodev]
end
add net
set physical=net0
set global-nic=admin
set mac-addr=02:08:20:0a:0b:0c
set vlan-id=7
set allowed-address=10.0.0.6/32
set defrouter=10.0.0.1
add property (name=ips,value="10.0.0.5/24")
add property (name=primary,value=true)
add property (name=mtu,value=1400)
add property (name=allow_ip_spoofing,value=true)
add property (name=model,value=virtio)
end
add attr
set name=note
set type=string
set value="a; b = \\"c\\""
end
add device
set match=/dev/net/tun
end
add dataset
set name=zones/w1-data
end
add capped-cpu
set ncpus=1.5
end
add capped-memory
set physical=512m
set swap=1g
set locked=128m
end
add rctl
set name=zone.max-sem-ids
set value=(priv=privileged,limit=77,action=deny)
end
"""


def test_export_makes_the_same_zone(node):
    node.sh("cat >/run/w1.cfg; zonecfg -z w1 -f /run/w1.cfg", stdin=WHOLE.encode())
    first = node.ok("zonecfg", "-z", "w1", "export")
    assert "is delegated to zone 'w1'" in node.run("sh", "-c", "zonecfg -z w1 export | zonecfg -z w2 -f -")[2]
    node.sh("zonecfg -z w1 export | sed '/^add dataset/,/^end/d' | zonecfg -z w2 -f -")
    node.ok("zonecfg", "-z", "w1", "remove dataset")
    assert node.ok("zonecfg", "-z", "w2", "export") == node.ok("zonecfg", "-z", "w1", "export") != first
    own = ("zonename", "uuid", "zonedid", "zonepath", "zfs_filesystem", "create_timestamp", "id_base")
    w1, w2 = ({k: v for k, v in config(node, zone).items() if k not in own} for zone in ("w1", "w2"))
    assert w1 == w2
    assert w1["init_args"] == ["a b", "c,d", 'e"f'] and w1["bootargs"] == '-v "two words"'
    assert w1["nics"][0] == {**w1["nics"][0], "nic_tag": "admin", "vlan_id": 7, "mtu": 1400, "primary": True,
                             "ips": ["10.0.0.5/24"], "allow_ip_spoofing": True, "gateways": ["10.0.0.1"]}
    assert (w1["cpu_cap"], w1["max_sem_ids"], w1["max_physical_memory"]) == (150, 77, 512)
    node.ok("zonecfg", "-z", "w2", "delete -F")


def test_verbs(node):
    def cfg(text):
        return node.ok("zonecfg", "-z", "w1", text)
    assert "physical: net0" in cfg("info net physical=net0")
    assert cfg("info net physical=net9") == ""
    cfg("select net physical=net0; set vlan-id=9; end; remove attr name=note; clear hostname")
    assert "vlan-id: 9" in cfg("info net") and "note" not in cfg("info attr")
    cfg("add net; set physical=net1; cancel; select net physical=net0; set vlan-id=3; cancel")
    assert "net1" not in cfg("info") and "vlan-id: 9" in cfg("info net")
    cfg("set autoboot=false; revert -F")
    assert "autoboot: true" in cfg("info autoboot")
    cfg("set autoboot=false; exit -F")
    assert "autoboot: true" in cfg("info autoboot")
    assert "usage:" in node.ok("zonecfg", "help", "remove") and "physical" in node.ok("zonecfg", "help", "net")
    cfg("verify; commit")


def test_what_is_wrong_is_said(node):
    before = config(node, "w1")
    for text, code, words in (
            ("set colour=red", 2, "colour"), ("set brnad=lx", 2, "did you mean brand"), ("add nets", 2, "did you mean net"),
            ("set pool=x", 1, "dedicated-cpu"), ("add admin", 1, "roles"), ("add net; set address=10.0.0.1", 1, "ips"),
            ("set autoboot=maybe", 1, "maybe"), ("set ip-type=shared", 1, "exclusive"), ("set zonepath=/etc/x; verify", 1, "/etc"),
            ("add fs; set type=nfs", 1, "nfs"), ("add fs; set dir=/x; end", 1, "special|type"), ("delete", 1, "-F"),
            ("set hostid=xyz", 1, "hexadecimal"), ("add attr; set name=zonex", 1, "reserved"), ("end", 2, "end"), ("frobnicate", 2, "verb"),
            ("set max-lwps=10; set max-processes=20; verify", 1, "max-lwps"), ("select capped-cpu; set ncpus=0", 1, "ncpus"),
            ("add rctl; set name=zone.max-lwps; set value=(priv=basic,limit=1,action=deny)", 1, "privileged"),
            ("select net physical=net9", 1, "net9|net"), ('set alias="never closed', 2, "quote"), ("create", 1, "-F")):
        got, _, err = node.run("zonecfg", "-z", "w1", text)
        assert got == code and re.search(words, err), (text, got, err)
        assert len(err.strip().split("\n")) == 1, err
    assert config(node, "w1") == before, "nothing was changed"
    node.refused(1, "zonecfg", "-z", "a/b", "create")
    node.refused(1, "zonecfg", "-z", "nosuch", "info")
    node.refused(2, "zonecfg", "info")
    code, _, err = node.run("zonecfg", "-z", "w3", "-f", "-", stdin=b"create -b\nset brand=lx\n# a comment\nset colour=red\n")
    assert code == 2 and "line 4" in err and "w3" not in states(node)


def test_zonecfg_by_hand(node):
    t = Terminal(node, "zonecfg -z hand")
    t.expect(r"hand: No such zone configured\s+Use \"create\"[\s\S]*zonecfg:hand>")
    t.type("create -b\r")
    t.expect("zonecfg:hand>")
    t.type("add net\r")
    t.expect("zonecfg:hand:net>")
    t.type("end\r")
    t.expect("physical")
    t.type("set physical=net0\rend\r")
    t.expect("zonecfg:hand>")
    t.type("\x04")
    assert t.code() == 0, "the end of the input commits"
    assert config(node, "hand")["nics"][0]["interface"] == "net0"
    t = Terminal(node, "zonecfg -z hand")
    t.expect("zonecfg:hand>")
    t.type("set autoboot=true\r")
    t.expect(r"autoboot=true\s+zonecfg:hand>")
    t.type("\x03")
    assert t.code() == 130
    assert not config(node, "hand").get("autoboot")
    t = Terminal(node, "zonecfg -z hand delete")
    t.expect(r"\(y/\[n\]\)\?")
    t.type("n\r")
    assert t.code() == 1
    node.ok("zonecfg", "-z", "hand", "delete", "-F")
    node.ok("zonecfg", "-z", "w1", "delete", "-F")


# ---- zoneadm ----

def test_list(node):
    node.ok("zonecfg", "-z", "col", "create -b; set brand=lx; set zonepath=/zones/a:b; set zfs-filesystem=\"\"")
    lines = {line.split(":")[1]: line for line in node.ok("zoneadm", "list", "-cp").split("\n")}
    assert lines["global"].startswith("0:global:running:/:")
    assert lines["col"].startswith("-:col:configured:/zones/a\\:b:") and lines["col"].endswith(":lx:excl")
    fields = re.split(r"(?<!\\):", lines["t1"])
    assert fields[1:4] == ["t1", "running", "/zones/t1"] and fields[5:7] == ["lx", "excl"]
    assert fields[0] == str(run_state(node, "t1")["zoneid"])
    assert node.ok("zoneadm", "list").split("\n") == ["global", "t1"]
    assert node.ok("zoneadm", "list", "-n").split("\n") == ["t1"]
    assert "col" in node.ok("zoneadm", "list", "-c").split("\n") and "col" not in node.ok("zoneadm", "list", "-i").split("\n")
    assert node.ok("zoneadm", "-z", "col", "list", "-p").startswith("-:col:configured:")
    head, *rows = node.ok("zoneadm", "list", "-cv").split("\n")
    assert head.split() == ["ID", "NAME", "STATUS", "PATH", "BRAND", "IP"] and len(rows) == 3
    assert {z["zonename"] for z in json.loads(node.ok("zoneadm", "list", "-cj"))} == {"global", "t1", "col"}
    assert node.ok("zoneadm", "list", "-c", "-H", "-o", "zonename,state").split("\n")[0].split() == ["global", "running"]
    node.refused(2, "zoneadm", "list", "-v", "-p")
    node.refused(1, "zoneadm", "-z", "nosuch", "list")
    node.ok("zonecfg", "-z", "col", "delete", "-F")


def test_wrong_words(node):
    for wrong in (["-z", "t1"], ["-z", "t1", "bot"], ["boot"], ["-z", "t1", "halt", "now"], ["-z", "t1", "boot", "-x"],
                  ["-z", "t1", "install", "-t"], ["-R", "/x", "-z", "t1", "boot"],
                  ["-z", "t1", "clone", "t1"]):
        node.refused(2, "zoneadm", *wrong)
    for act, words in (("boot", "already running"), ("install", "already installed"), ("uninstall -F", "running"),
                       ("ready", "running"), ("move /zones/x", "running"), ("detach", "running")):
        line = node.refused(1, "zoneadm", "-z", "t1", *act.split())
        assert "'t1'" in line and words in line, line


def test_two_at_once(node):
    node.ok("zoneadm", "-z", "t1", "halt")
    out = node.sh("for i in 1 2 3; do (zoneadm -z t1 boot 2>&1 && echo code 0 || echo code $?) & done; wait")
    assert out.count("code 0") == 1 and out.count("code 1") == 2, out
    assert states(node)["t1"] == "running"


def test_events_are_numbered(node):
    events = [json.loads(line) for line in node.ok("cat", "/run/zones/.events").split("\n")]
    numbers = [e["seq"] for e in events]
    assert numbers == list(range(numbers[0], numbers[0] + len(numbers)))
    assert [(e["from"], e["to"]) for e in events if e["zone"] == "t1"][:2] == [("installed", "ready"), ("ready", "running")]


# ---- completion ----

def complete(node, *words):
    script = ("w=$1; shift; . /usr/share/bash-completion/completions/$w; COMP_WORDS=($w \"$@\"); COMP_CWORD=$#; "
              "compopt() { :; }; _$w; printf '%s\\n' \"${COMPREPLY[@]}\"")
    return set(node.ok("bash", "-c", script, "complete", *words, timeout=RUN).split())


def test_completion(node):
    node.ok("zonecfg", "-z", "off", "create -b; set brand=lx")
    assert complete(node, "zlogin", "") == {"t1"}, "zones that run"
    assert complete(node, "zlogin", "-C", "") == {"off", "t1"}
    assert {"-C", "-S", "-l"} <= complete(node, "zlogin", "-")
    assert complete(node, "zoneadm", "-z", "") == {"off", "t1"}
    assert complete(node, "zoneadm", "-z", "t1", "") == {"halt", "list", "reboot", "shutdown"}, "what a running zone can do"
    assert "install" in complete(node, "zoneadm", "-z", "off", "")
    assert complete(node, "zoneadm", "-z", "off", "clone", "") == set(), "none is installed and halted"
    assert {"-r", "-t"} <= complete(node, "zoneadm", "-z", "t1", "shutdown", "-")
    assert complete(node, "zoneadm", "mark", "") == {"incomplete"}
    assert complete(node, "zonecfg", "-z", "o") == {"off"}
    assert complete(node, "zonecfg", "-z", "off", "ver") == {"verify"}
    assert {"net", "fs", "attr"} <= complete(node, "zonecfg", "-z", "off", "add", "")
    assert {"lx", "native"} <= complete(node, "zonecfg", "-z", "off", "set", "brand", "=")
    assert "docker=" in complete(node, "zonecfg", "-z", "off", "set", "dock")
    assert {"type=", "dir="} <= complete(node, "zonecfg", "-z", "off", "add", "fs", ";", "set", "")
    node.ok("zonecfg", "-z", "off", "delete", "-F")


def test_nothing_is_left(node):
    remove(node, "t1")
    assert states(node) == {"global": "running"}
    wait_for(node, "! pgrep -x zoneadmd")
