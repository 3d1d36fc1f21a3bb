# SPDX-License-Identifier: MPL-2.0
# Copyright 2026 The Nereid authors
"""The metadata service: a native zone, and lx zones that have nothing but busybox, ask their node."""

import base64
import json
import time
import zlib

import pytest

from machine import RUN, TOP
from riglib.program import compiled
from zones import await_running, config, install_native, install_tiny, remove, run_state, tiny_root, wait_for

pytestmark = pytest.mark.alone

TOOL = {"nat": "/usr/local/sbin/mdata", "tin": "/native/usr/sbin/mdata", "oth": "/native/usr/sbin/mdata"}
SOCKET = {"nat": "/.zonecontrol/metadata.sock", "tin": "/native/.zonecontrol/metadata.sock",
          "oth": "/native/.zonecontrol/metadata.sock"}
ZONES = ("nat", "tin")
SCRIPT = "#!/bin/sh\nmdata-get sdc:zonename >>/root/user-script.out\n"


def set_config(node, zone, **properties):
    """Edits a zone's file as an operator's command would."""
    node.push(json.dumps({**config(node, zone), **properties}), f"/etc/zones/{zone}.json", 0o600)


def mdata(node, zone, verb, *args, stdin=None, timeout=RUN):
    """mdata-VERB in the zone: exit status, standard output, standard error."""
    words = " ".join("'" + a.replace("'", "'\\''") + "'" for a in args)
    return node.run("zlogin", zone, f"{TOOL[zone]}-{verb} {words}", stdin=stdin, timeout=timeout)


def get(node, zone, key):
    code, out, err = mdata(node, zone, "get", key)
    assert code == 0, err
    return out.removesuffix("\n")


def say(node, zone, text):
    """Raw bytes to the service; what comes back."""
    return node.run("zlogin", zone, f"/root/talk say {SOCKET[zone]}", stdin=text.encode())[1]


def frame(body):
    return f"V2 {len(body)} {zlib.crc32(body.encode()):08x} {body}\n"


def b64(text):
    return base64.b64encode(text.encode()).decode()


def zoneadmd(node, zone):
    return run_state(node, zone)["zoneadmd"]


@pytest.fixture(scope="module")
def node(module_machine):
    m = module_machine
    assert m.up(cold=False, answers="standard") == "ready"
    tiny_root(m)
    for zone in ("nat", "tin", "oth"):
        (install_native if zone == "nat" else install_tiny)(m, zone, boot=False)
        set_config(m, zone, alias=f"alias-{zone}", package_name="small", tags={"role": f"role-{zone}"},
                   customer_metadata={"foo": f"bar-{zone}", "user-script": SCRIPT, "user-data": "some data",
                                      "root_authorized_keys": "ssh-ed25519 AAAA somebody"},
                   internal_metadata={"root_pw": f"secret-{zone}", "ops:key": "theirs", "hidden:key": "nobody's",
                                      "operator-script": "#!/bin/sh\necho operator >>/root/operator.out\n"},
                   internal_metadata_namespaces=["ops"])
        if zone == "nat":
            m.sh("mkdir -p /zones/nat/root/var/svc; touch /zones/nat/root/var/svc/provisioning")
        m.ok("zoneadm", "-z", zone, "boot")
        m.push(compiled("talk", [TOP / "test/vm/talk.c"], "-static"), f"/zones/{zone}/root/root/talk", 0o755)
    await_running(m, "nat")
    return m


@pytest.mark.parametrize("zone", ZONES)
def test_get_put_delete_list(node, zone):
    assert get(node, zone, "foo") == f"bar-{zone}"
    assert mdata(node, zone, "put", "new key", "its value") == (0, "", "")
    assert get(node, zone, "new key") == "its value"
    assert config(node, zone)["customer_metadata"]["new key"] == "its value"
    keys = mdata(node, zone, "list")[1].split("\n")
    assert {"foo", "new key", "root_pw", "ops:key"} <= set(keys) and not {"hidden:key", "operator-script"} & set(keys)
    assert mdata(node, zone, "delete", "new key") == (0, "", "")
    assert mdata(node, zone, "delete", "new key") == (0, "", "")
    code, out, err = mdata(node, zone, "get", "new key")
    assert (code, out) == (1, "") and "No metadata for 'new key'" in err
    assert "new key" not in config(node, zone)["customer_metadata"]


@pytest.mark.parametrize("zone", ZONES)
def test_values(node, zone):
    """What a value is, it stays: lines, dots, control characters, 200 KiB."""
    for value in ("a\nb\n\n", ".\n..\n", "\x01\x02\t\x7f\x1b[0m", "naïve ☃", "-5", "x" * 200_000):
        assert mdata(node, zone, "put", "v", stdin=value.encode()) == (0, "", "")
        assert mdata(node, zone, "get", "v") == (0, value + "\n", "")
        assert config(node, zone)["customer_metadata"]["v"] == value
    assert mdata(node, zone, "put", "v", "-dash")[0] == 0 and get(node, zone, "v") == "-dash"
    assert mdata(node, zone, "put", "v", "")[0] == 0
    assert mdata(node, zone, "get", "v")[0] == 1, "an empty value deletes"


def test_what_is_refused(node):
    for stdin, why in ((b"a\0b", "UTF-8 text without NUL"), (b"\xff\xfe", "UTF-8 text without NUL"),
                       (b"x" * 262145, "at most 262144 bytes")):
        code, _, err = mdata(node, "tin", "put", "bad", stdin=stdin)
        assert code == 2 and why in err
    code, _, err = mdata(node, "tin", "put", "two\nlines", "v")
    assert code == 2 and "without control characters" in err
    assert mdata(node, "tin", "get", "k" * 256)[0] == 3
    for args in (("get",), ("get", "a", "b"), ("put",), ("delete",), ("list", "a")):
        assert mdata(node, "tin", *args)[0] == 3, args
    assert "bad" not in config(node, "tin")["customer_metadata"]


@pytest.mark.parametrize("zone", ZONES)
def test_properties(node, zone):
    made = config(node, zone)
    info = json.loads(node.ok("sysinfo"))
    for key, want in {"uuid": made["uuid"], "zonename": zone, "hostname": zone, "alias": f"alias-{zone}", "package_name": "small",
                      "tags.role": f"role-{zone}", "server_uuid": info["UUID"], "autoboot": "false",
                      "resolvers": "[]", "nics": "[]", "routes": "[]"}.items():
        assert get(node, zone, f"sdc:{key}") == want, key
    assert mdata(node, zone, "get", "sdc:internal_metadata")[0] == 1
    code, _, err = mdata(node, zone, "put", "sdc:alias", "mine")
    assert code == 2 and 'Cannot update the "sdc" Namespace.' in err
    assert mdata(node, zone, "delete", "sdc:alias")[0] == 2
    assert config(node, zone)["alias"] == f"alias-{zone}"


@pytest.mark.parametrize("zone", ZONES)
def test_namespaces_and_passwords(node, zone):
    assert get(node, zone, "ops:key") == "theirs"
    assert mdata(node, zone, "get", "hidden:key")[0] == 1
    assert mdata(node, zone, "get", "operator-script")[0] == 1
    code, _, err = mdata(node, zone, "put", "ops:key", "mine")
    assert code == 2 and 'Cannot update the "ops" Namespace.' in err
    assert get(node, zone, "root_pw") == f"secret-{zone}"
    assert mdata(node, zone, "put", "root_pw", "changed")[0] == 0
    made = config(node, zone)
    assert made["internal_metadata"]["root_pw"] == "changed" and "root_pw" not in made["customer_metadata"]
    assert made["internal_metadata"]["ops:key"] == "theirs" and made["package_name"] == "small"


def test_each_zone_has_its_own(node):
    assert mdata(node, "tin", "put", "mine", "tin's")[0] == 0
    assert mdata(node, "oth", "get", "mine")[0] == 1
    assert get(node, "oth", "foo") == "bar-oth" and get(node, "oth", "sdc:uuid") == config(node, "oth")["uuid"]
    assert node.ok("zlogin", "tin", "ls -A /native/.zonecontrol") == "metadata.sock"


def test_only_root_of_the_zone(node):
    code, _, err = node.run("zlogin", "nat", "setpriv --reuid 65534 --regid 65534 --clear-groups /usr/local/sbin/mdata-get foo")
    assert code == 2 and "only root" in err


@pytest.mark.parametrize("zone", ZONES)
def test_nothing_of_it_is_the_zones(node, zone):
    where = SOCKET[zone].rpartition("/")[0]
    for act in (f"touch {where}/x", f"rm {SOCKET[zone]}", f"mv {SOCKET[zone]} {where}/y", f"umount {where}",
                f"chmod 777 {SOCKET[zone]}", f"touch {TOOL[zone]}-x", f"mount -o remount,rw {where}"):
        assert node.run("zlogin", zone, act)[0] != 0, act
    assert get(node, zone, "foo") == f"bar-{zone}"


def test_version_1_by_hand(node):
    assert say(node, "tin", "GET foo\n") == "SUCCESS\nbar-tin\n.\n"
    assert mdata(node, "tin", "put", "dots", stdin=b".\n.x\nz")[0] == 0
    assert say(node, "tin", "GET dots\nGET none\n") == "SUCCESS\n..\n..x\nz\n.\nNOTFOUND\n"
    assert "\nfoo\n" in say(node, "tin", "KEYS\n")
    assert say(node, "tin", "GET\nhello\nNEGOTIATE V3\nNEGOTIATE V2\n") == "invalid command\n" * 3 + "V2_OK\n"
    assert say(node, "tin", "GET foo") == "", "a line that does not end is no request"


def test_version_2_by_hand(node):
    reply = say(node, "tin", frame(f"0000abcd GET {b64('foo')}"))
    assert reply == frame(f"0000abcd SUCCESS {b64('bar-tin')}")
    good = frame("00000001 KEYS")
    assert say(node, "tin", good.replace("V2 13", "V2 14") + good.replace("KEYS", "KEYZ") + "V2 x\n") == ""
    assert say(node, "tin", frame(f"00000002 GET {b64('none')}")) == frame("00000002 NOTFOUND")
    assert " FAILURE " in say(node, "tin", frame("00000003 STEAL"))


def test_an_event_says_that_it_changed(node):
    time.sleep(1.1)
    before = node.ok("cat", "/run/zones/.events").count('"zone":"tin","event":"metadata"')
    for i in range(3):
        assert mdata(node, "tin", "put", "event", f"{i}")[0] == 0
    wait_for(node, f"[ $(grep -c '\"zone\":\"tin\",\"event\":\"metadata\"' /run/zones/.events) -gt {before} ]")


def test_a_zoneadmd_that_was_killed(node):
    for zone in ZONES:
        first = zoneadmd(node, zone)
        node.ok("kill", "-9", str(first))
        wait_for(node, f"grep -q '\"zoneadmd\":' /run/zones/{zone}/state.json && ! grep -q '\"zoneadmd\":{first},' /run/zones/{zone}/state.json")
        assert get(node, zone, "foo") == f"bar-{zone}"
        assert mdata(node, zone, "put", "after", "it")[0] == 0 and get(node, zone, "after") == "it"


def test_a_change_waits_for_commands(node):
    """A command may hold the zone while it waits for zoneadmd, which goes on all the same."""
    node.sh("flock /run/zones/.locks/tin sleep 3 >/dev/null 2>&1 & sleep 0.3")
    began = time.monotonic()
    assert mdata(node, "tin", "put", "late", "r")[0] == 0
    assert time.monotonic() - began > 1.5 and get(node, "tin", "late") == "r"
    node.sh("flock /run/zones/.locks/tin sleep 14 >/dev/null 2>&1 & sleep 0.3")
    code, _, err = mdata(node, "tin", "put", "late", "never")
    assert code == 2 and "another command is at work" in err
    assert get(node, "tin", "late") == "r", "reading needs no lock"
    node.sh("flock /run/zones/.locks/tin true")


def ticks(node, pid):
    fields = node.ok("cat", f"/proc/{pid}/stat").rpartition(")")[2].split()
    return int(fields[11]) + int(fields[12])


def test_a_flood_harms_nobody(node):
    """Its zoneadmd takes no more than its share of a processor, and sees to its zone; other zones notice nothing."""
    assert mdata(node, "tin", "put", "big", stdin=b"y" * 200_000)[0] == 0
    pid = zoneadmd(node, "tin")
    node.sh(f"zlogin tin '/root/talk flood {SOCKET['tin']} 20' >/dev/null 2>&1 & sleep 4")
    began, before = time.monotonic(), ticks(node, pid)
    assert get(node, "oth", "foo") == "bar-oth"
    assert node.ok("zlogin", "tin", "echo here") == "here"
    assert "tin" in node.ok("zoneadm", "list")
    time.sleep(max(0, 8 - (time.monotonic() - began)))
    used = (ticks(node, pid) - before) / 100 / (time.monotonic() - began)
    assert used < 0.3, f"{used:.2f} of a processor"
    rss = int(node.sh(f"sed -n 's/^VmRSS:[[:space:]]*\\([0-9]*\\) kB/\\1/p' /proc/{pid}/status"))
    assert rss < 16384, f"{rss} KiB"
    node.sh("zlogin tin 'killall talk' 2>/dev/null || :")
    assert get(node, "tin", "foo") == "bar-tin"
    assert zoneadmd(node, "tin") == pid


def test_who_says_nothing_makes_room(node):
    node.sh(f"zlogin tin '/root/talk hold {SOCKET['tin']} 50' >/tmp/held 2>&1 & until grep -q held /tmp/held; do sleep 0.1; done")
    assert get(node, "tin", "foo") == "bar-tin"
    node.sh("zlogin tin 'killall talk' || :")


def test_a_line_without_end(node):
    assert say(node, "tin", "GET " + "x" * 2_000_000) == ""
    assert get(node, "tin", "foo") == "bar-tin"


def test_memory_is_given_back(node):
    """When nobody asks, a zoneadmd is what it was."""
    assert mdata(node, "oth", "put", "big", stdin=b"z" * 200_000)[0] == 0
    assert len(get(node, "oth", "big")) == 200_000
    assert mdata(node, "oth", "delete", "big")[0] == 0
    pid = zoneadmd(node, "oth")
    wait_for(node, f"[ $(sed -n 's/^Private_Dirty: *\\([0-9]*\\) kB/\\1/p' /proc/{pid}/smaps_rollup) -lt 400 ]")


def test_most_there_can_be(node):
    """The file stays one that can be read, whatever its zone does."""
    i = 0
    while mdata(node, "oth", "put", f"fill{i}", stdin=b"\1" * 40_000)[0] == 0:
        i += 1
        assert i < 10
    assert i >= 3
    code, _, err = mdata(node, "oth", "put", "more", stdin=b"m" * 200_000)
    assert code == 2 and "no room" in err
    assert int(node.ok("stat", "-c", "%s", "/etc/zones/oth.json")) < 2 << 20
    for n in range(i):
        assert mdata(node, "oth", "delete", f"fill{n}")[0] == 0
    assert mdata(node, "oth", "put", "more", "m")[0] == 0


def test_scripts_at_boot(node):
    """A native zone says that it came up, and runs its operator's script and its user's, at every boot."""
    assert node.ok("zlogin", "nat", "ls /var/svc | grep -v mdata") == "provision_success"
    assert node.ok("zlogin", "nat", "cat /var/db/mdata-user-data") == "some data"
    assert node.ok("zlogin", "nat", "cat /root/.ssh/authorized_keys") == "ssh-ed25519 AAAA somebody"
    assert node.ok("zlogin", "nat", "stat -c %a /root/.ssh/authorized_keys /var/svc/mdata-user-script") == "600\n700"
    assert node.ok("zlogin", "nat", "cat /root/user-script.out /root/operator.out") == "nat\noperator"
    node.ok("zlogin", "nat", "rm /root/.ssh/authorized_keys")
    assert mdata(node, "nat", "delete", "user-data")[0] == 0
    node.ok("zoneadm", "-z", "nat", "reboot")
    await_running(node, "nat")
    assert node.ok("zlogin", "nat", "cat /root/user-script.out /root/operator.out") == "nat\nnat\noperator\noperator"
    assert node.run("zlogin", "nat", "test -e /root/.ssh/authorized_keys -o -e /var/db/mdata-user-data")[0] == 1


def test_a_user_script_that_fails_or_hangs(node):
    set_config(node, "nat", mdata_exec_timeout=2)
    assert mdata(node, "nat", "put", "user-script", "#!/bin/sh\nsleep 100\n")[0] == 0
    code, _, _ = node.run("zlogin", "nat", "systemctl restart mdata-fetch mdata-execute", timeout=RUN)
    assert code != 0
    assert "did not end within 2 s" in node.ok("zlogin", "nat", "journalctl -b --no-pager -o cat -u mdata-execute")
    assert mdata(node, "nat", "put", "user-script", "exit 7\n")[0] == 0
    assert node.run("zlogin", "nat", "systemctl restart mdata-fetch mdata-execute", timeout=RUN)[0] != 0
    assert "user-script ended with status 7" in node.ok("zlogin", "nat", "journalctl -b --no-pager -o cat -u mdata-execute")
    assert mdata(node, "nat", "delete", "user-script")[0] == 0
    node.ok("zlogin", "nat", "systemctl restart mdata-fetch mdata-execute", timeout=RUN)


def test_roots_without_a_place_for_it(node):
    """A root that is read-only, or has a link or a file there, boots all the same, without the service."""
    for name, prepare in (("ro", "cd /zones/ro/root; mkdir -p dev proc sys tmp; cd /; zfs set readonly=on zones/ro"), ("lnk", "ln -s /etc /zones/lnk/root/native"),
                          ("fil", "touch /zones/fil/root/native")):
        install_tiny(node, name, "set docker=true" if name == "ro" else "", boot=False)
        node.sh(prepare)
        node.ok("zoneadm", "-z", name, "boot")
        assert node.ok("zlogin", name, "echo up") == "up", name
        assert node.run("zlogin", name, "test -e /native/.zonecontrol/metadata.sock")[0] != 0
        if name == "lnk":
            assert node.run("zlogin", name, "test -e /etc/.zonecontrol")[0] != 0
        node.run("zfs", "set", "readonly=off", f"zones/{name}")
        remove(node, name)


def test_a_docker_zone(node):
    install_tiny(node, "doc", "set docker=true")
    assert node.ok("zlogin", "doc", "/native/usr/sbin/mdata-get sdc:zonename") == "doc"
    remove(node, "doc")
