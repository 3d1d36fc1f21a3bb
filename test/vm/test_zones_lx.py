# SPDX-License-Identifier: MPL-2.0
# Copyright 2026 The Nereid authors
"""lx zones that are no Debian with systemd: other inits, images of one program, roots that cannot work."""

import io
import json
import tarfile

import pytest

from machine import BUILD, RUN
from zones import app, install_tiny, remove, run_state, states, tiny_root, wait_for

GUEST = BUILD / "guest-openrc.tar.zst"
SIGINT = 2  # how a halt ends init
SIGKILL = 9


@pytest.fixture(scope="module")
def node(module_machine):
    m = module_machine
    assert m.up(cold=False, answers="standard") == "ready"
    if not GUEST.exists():
        pytest.fail(f"{GUEST}: not there; `live/build guest-openrc` makes it")
    m.push(GUEST, "/var/tmp/openrc.tar.zst")
    m.push(app(), "/var/tmp/app", 0o755)
    m.ok("zonecfg", "-z", "oc", "create -b; set brand=lx")
    m.ok("zoneadm", "-z", "oc", "install", "-t", "/var/tmp/openrc.tar.zst")
    return m


def listen(node, zone):
    """What the zone's console says from now on is in /run/ZONE.said."""
    node.sh(f"(timeout 600 zlogin -C -Q -n {zone} </dev/null >/run/{zone}.said 2>&1 &); sleep 0.2")


def said(node, zone):
    return node.ok("cat", f"/run/{zone}.said")


def await_login(node, zone):
    wait_for(node, f"grep -q 'login:' /run/{zone}.said")


def witness(node, zone):
    return node.ok("cat", f"/zones/{zone}/root/var/log/witness").split()


def await_state(node, zone, state):
    wait_for(node, f"zoneadm list -cp | grep -q ':{zone}:{state}:'")


def ended_by_itself(node, zone):
    """Init ended by its own reboot(2), and nobody had to kill anything."""
    run = run_state(node, zone)
    return run["exit_status"] & 0x7F == SIGINT and "killing" not in node.ok("cat", f"/run/zones/{zone}/log")


# ---- busybox and OpenRC, as Alpine ----

def test_busybox_init_boots_to_a_login_on_the_console(node):
    """Its inittab wants logins on tty1 and more; the first one is the zone's console."""
    listen(node, "oc")
    node.ok("zoneadm", "-z", "oc", "boot")
    await_login(node, "oc")
    assert "oc login:" in said(node, "oc")
    assert witness(node, "oc") == ["started"]
    assert "TIOCSCTTY" not in said(node, "oc")


def test_commands_have_the_users_groups_and_none_of_the_nodes(node):
    assert node.ok("zlogin", "oc", "id -G").split() == ["0", "10"]
    assert node.ok("zlogin", "-l", "amy", "oc", "id -G").split() == ["1000", "10", "18"]
    init = run_state(node, "oc")["init"]
    assert node.ok("sed", "-n", "s/^Groups:[[:space:]]*//p", f"/proc/{init}/status") == ""


def test_busybox_reboot_and_poweroff_inside(node):
    boots = run_state(node, "oc")["boots"]
    node.run("zlogin", "oc", "reboot")
    wait_for(node, f"grep -q '\"boots\":{boots + 1}' /run/zones/oc/state.json && [ $(grep -c login: /run/oc.said) = 2 ]")
    assert witness(node, "oc") == ["started", "stopped", "started"]
    node.run("zlogin", "oc", "poweroff")
    await_state(node, "oc", "installed")
    assert witness(node, "oc")[-1] == "stopped"
    assert ended_by_itself(node, "oc")


def test_shutdown_from_outside_stops_busybox_services(node):
    node.sh("rm /zones/oc/root/var/log/witness; : >/run/zones/oc/log")
    node.ok("zoneadm", "-z", "oc", "boot")
    wait_for(node, "grep -q started /zones/oc/root/var/log/witness")
    node.ok("zoneadm", "-z", "oc", "shutdown", "-t", "100")
    assert states(node)["oc"] == "installed"
    assert witness(node, "oc") == ["started", "stopped"]
    assert ended_by_itself(node, "oc")


def other_init(node, zone, script, config=""):
    """A clone of the OpenRC root, changed by a script that runs in it, booted to its login."""
    node.ok("zonecfg", "-z", zone, f"create -b; set brand=lx; {config}".rstrip("; "))
    node.ok("zoneadm", "-z", zone, "clone", "oc")
    node.sh(f"cd /zones/{zone}/root; rm -f var/log/witness; {script}")
    listen(node, zone)
    node.ok("zoneadm", "-z", zone, "boot")
    await_login(node, zone)
    # openrc-init starts the login as one service of many, in any order.
    wait_for(node, f"grep -q started /zones/{zone}/root/var/log/witness")


def shut_down(node, zone):
    """Orderly, long before the time is over: its init ended, it was not killed."""
    node.ok("zoneadm", "-z", zone, "shutdown", "-t", "110")
    assert witness(node, zone) == ["started", "stopped"]
    assert ended_by_itself(node, zone), said(node, zone)
    remove(node, zone)


def test_openrc_init(node):
    """It is asked by its own program, which zoneadmd has to reap, or the zone's end would never be seen."""
    other_init(node, "oi", "ln -s /etc/init.d/getty.tty1 etc/runlevels/default/", "set init-name=/sbin/openrc-init")
    shut_down(node, "oi")


def test_sysvinit(node):
    other_init(node, "sv", """
        cp -f --remove-destination usr/lib/sysvinit/* usr/sbin/
        printf '%s\\n' id:2:initdefault: si::sysinit:'/sbin/openrc sysinit' l2:2:wait:'/sbin/openrc default' \
            '1:2:respawn:/sbin/getty 38400 tty1' l0:0:wait:/etc/down >etc/inittab
        printf '%s\\n' '#!/bin/sh' '/sbin/openrc shutdown' 'exec /sbin/halt -d -f -p' >etc/down
        chmod 755 etc/down""")
    shut_down(node, "sv")


# ---- images of one program ----

def image(node, name, files=()):
    """A tar of a root that holds the program and those files, and neither /dev nor /proc nor a shell."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as tar:
        program = tarfile.TarInfo("app")
        data = app().read_bytes()
        program.size, program.mode = len(data), 0o755
        tar.addfile(program, io.BytesIO(data))
        for path, text in dict(files).items():
            info = tarfile.TarInfo(path)
            info.size, info.mode = len(text), 0o644
            tar.addfile(info, io.BytesIO(text.encode()))
    node.push(out.getvalue(), f"/var/tmp/{name}.tar")
    return f"/var/tmp/{name}.tar"


def quoted(words):
    return "[" + ",".join('"' + w.replace("\\", "\\\\").replace('"', '\\"') + '"' for w in words) + "]"


def container(node, name, args, tar, **config):
    """A docker zone as the configuration of an OCI image has it."""
    lines = ["create -b", "set brand=lx", "set docker=true", "set init-name=/app", f"set init-args={quoted(args)}"]
    lines += [f"set {key.replace('_', '-')}={value}" for key, value in config.items()]
    node.run("zonecfg", "-z", name, "-f", "-", stdin="\n".join(lines).encode())
    node.ok("zoneadm", "-z", name, "install", "-t", tar)


def log_of(node, zone):
    """What its process said, by stream."""
    text = {"stdout": "", "stderr": ""}
    for line in node.ok("cat", f"/zones/{zone}/logs/stdio.log").split("\n"):
        record = json.loads(line)
        text[record["stream"]] += record["log"]
    return text


@pytest.fixture(scope="module")
def bare(node):
    return image(node, "bare")


def test_an_image_of_one_program(node, bare):
    """Entrypoint, command, environment, directory and user arrive; its end is the zone's, its status is kept."""
    container(node, "one", ["a b", 'c"d', "err", "exit", "3"], bare, init_env=quoted(["LANG=C.UTF-8", "X=a b"]),
              init_user="1234", init_dir="/")
    listen(node, "one")
    node.ok("zoneadm", "-z", "one", "boot")
    await_state(node, "one", "installed")
    run = run_state(node, "one")
    assert run["exit_status"] == 3 << 8 and run["init_restarts"] == 0
    lines = log_of(node, "one")["stdout"].split("\n")
    assert lines[:6] == ["arg /app", "arg a b", 'arg c"d', "arg err", "arg exit", "arg 3"]
    assert {"env LANG=C.UTF-8", "env X=a b", "env HOSTNAME=one", "dir /", "user 1234:0"} <= set(lines)
    assert not [line for line in lines if line.startswith("group")]
    assert [line for line in lines if line.startswith("fd")] == ["fd 0 stream", "fd 1 stream", "fd 2 stream"]
    assert log_of(node, "one")["stderr"] == "an error\n"
    wait_for(node, "grep -q 'its init ended with status 3' /run/one.said")
    assert "an error" in said(node, "one")
    assert '"event":"exit","to":"status 3"' in node.ok("grep", '"zone":"one"', "/run/zones/.events")
    remove(node, "one")


def test_named_users_and_their_groups(node):
    tar = image(node, "named", {"etc/passwd": "root:x:0:0::/:/app\nweb:x:70:71::/:/app\n",
                                "etc/group": "www:x:71:\naudio:x:18:bob,web\nlog:x:19:web\n"})
    for user, want in (("web", ["user 70:71", "group 18", "group 19"]), ("web:log", ["user 70:19"]),
                       ("70:9", ["user 70:9"])):
        container(node, "who", [], tar, init_user=user)
        node.ok("zoneadm", "-z", "who", "boot")
        await_state(node, "who", "installed")
        got = [line for line in log_of(node, "who")["stdout"].split("\n") if line.startswith(("user", "group"))]
        assert got == want, user
        remove(node, "who")
    container(node, "who", [], tar, init_user="web")
    node.ok("zonecfg", "-z", "who", "set init-user=nobody-here")
    assert "nobody-here" in node.refused(1, "zoneadm", "-z", "who", "boot")
    remove(node, "who")


def test_input_and_output_of_the_process(node, bare):
    """zlogin -I: streams that stay apart, and the end of input is passed on."""
    container(node, "io", ["err", "echo", "exit", "5"], bare, docker_stdin="true")
    code, out, err = node.run("sh", "-c", "(sleep 1; zoneadm -z io boot) & printf 'one\\ntwo' | zlogin -I -d -Q io; wait")
    assert code == 0
    assert "one\ntwoend of input\n" in out, out
    assert err == "an error\n"
    await_state(node, "io", "installed")
    assert run_state(node, "io")["exit_status"] == 5 << 8
    remove(node, "io")


def test_input_stays_open_and_others_look_on(node, bare):
    container(node, "io", ["echo"], bare, docker_stdin="true")
    node.ok("zoneadm", "-z", "io", "boot")
    node.sh("(timeout 100 zlogin -I -n -Q io >/run/io.looks 2>&1 &); sleep 0.5")
    node.sh("(printf first | timeout 3 zlogin -I -N -Q io >/run/io.out || :)")
    wait_for(node, "grep -q first /run/io.looks")
    assert states(node)["io"] == "running"
    node.sh("zlogin -I -d -Q io </dev/null >/run/io.out")
    wait_for(node, "grep -q 'end of input' /run/io.looks")
    await_state(node, "io", "installed")
    remove(node, "io")


def test_a_docker_zone_outlives_its_zoneadmd(node, bare):
    """Its output is no broken pipe, and who takes over goes on reading it."""
    container(node, "dk", ["serve", "flood", "3"], bare)
    node.ok("zoneadm", "-z", "dk", "boot")
    wait_for(node, "grep -q ready /zones/dk/logs/stdio.log")
    before = run_state(node, "dk")
    node.sh(f"kill -9 {before['zoneadmd']}; zoneadm adopt")
    assert run_state(node, "dk")["init"] == before["init"]
    node.ok("zoneadm", "-z", "dk", "shutdown")
    assert states(node)["dk"] == "installed"
    assert log_of(node, "dk")["stdout"].endswith("got signal 15\nline 0\nline 1\nline 2\n")
    remove(node, "dk")


def test_who_does_not_mind_sigterm_is_killed_in_time(node, bare):
    container(node, "st", ["stubborn"], bare)
    node.ok("zoneadm", "-z", "st", "boot")
    wait_for(node, "grep -q ready /zones/st/logs/stdio.log")
    node.ok("zoneadm", "-z", "st", "shutdown", "-t", "2")
    assert states(node)["st"] == "installed"
    assert "killing it" in node.ok("cat", "/run/zones/st/log")
    remove(node, "st")


def test_a_terminal_where_one_is_wanted(node, bare):
    container(node, "tt", ["serve"], bare, docker_tty="true")
    node.ok("zoneadm", "-z", "tt", "boot")
    wait_for(node, "grep -q ready /zones/tt/logs/stdio.log")
    assert "fd 0 terminal" in log_of(node, "tt")["stdout"]
    code, _, err = node.run("zlogin", "tt", "/nothing")
    assert code == 1 and "there is no /nothing in the zone" in err
    assert "arg a b" in node.ok("zlogin", "-S", "tt", "/app", "a b"), "a program where there is no shell"
    node.ok("zoneadm", "-z", "tt", "halt")
    remove(node, "tt")


def test_restart_init_starts_it_again_until_it_dies_too_often(node, bare):
    container(node, "re", ["exit", "1"], bare, restart_init="true")
    listen(node, "re")
    node.ok("zoneadm", "-z", "re", "boot")
    await_state(node, "re", "installed")
    assert run_state(node, "re")["init_restarts"] == 2
    wait_for(node, "grep -q 'status 1, 3 times within seconds' /run/re.said")
    remove(node, "re")


# ---- roots that cannot work ----

WRONG = {
    "no init at all": ("rm sbin/init", "no /sbin/init"),
    "an init that may not be run": ("chmod 644 sbin/init", "no executable file"),
    "an init for other processors": (r"printf '\177ELF\002\001\001\000\000\000\000\000\000\000\000\000\002\000\267\000' "
                                     "| cat - /dev/zero | head -c 4096 >sbin/init", "arm64"),
    "an init that is a directory": ("rm sbin/init; mkdir sbin/init", "no executable file"),
    "an init that is a pipe": ("rm sbin/init; mkfifo -m 755 sbin/init", "no executable file"),
    "an init that leads out of the root": ("ln -sf ../../../../../../usr/bin/true sbin/init", "no /sbin/init"),
    "an init that is a loop": ("ln -sf init sbin/init", "symbolic links"),
    "a script without its shell": ("rm bin/sh", "no /bin/sh"),
    "text": ("echo hello >sbin/init", "neither a program nor a script"),
}


@pytest.mark.parametrize("what", WRONG)
def test_refused_before_anything_is_made(node, what):
    script, words = WRONG[what]
    node.sh("rm -rf /var/tmp/wrong")
    tiny_root(node, "/var/tmp/wrong")
    node.sh(f"cd /var/tmp/wrong; {script}")
    node.ok("zonecfg", "-z", "wrong", "create -b; set brand=lx")
    line = node.refused(1, "zoneadm", "-z", "wrong", "install", "-d", "/var/tmp/wrong")
    assert "'wrong'" in line and words in line, line
    assert states(node)["wrong"] == "configured"
    assert node.run("zfs", "list", "zones/wrong")[0] != 0
    node.sh("rm -rf /var/tmp/wrong; zonecfg -z wrong delete -F")


def test_hostile_accounts(node):
    """A zone's passwd that is a pipe or endless holds nobody up where the node reads it: there is no su in the zone."""
    install_tiny(node, "host")
    root = "/zones/host/root"
    node.sh(f"rm {root}/bin/su {root}/bin/login {root}/etc/passwd; mkfifo {root}/etc/passwd")
    assert node.ok("zlogin", "host", "echo still here") == "still here"
    assert "nobody" in node.refused(1, "zlogin", "-l", "nobody", "host", "id")
    node.sh(f"rm {root}/etc/passwd; yes root:x:0:0:root:/root:/bin/sh | head -c 8000000 >{root}/etc/passwd")
    assert node.ok("zlogin", "host", "echo still here") == "still here"
    node.sh(f"rm {root}/etc/passwd; ln -s /proc/kmsg {root}/etc/passwd")
    assert node.ok("zlogin", "host", "echo still here") == "still here"
    remove(node, "host")


def test_directories_that_are_links_stay_inside(node):
    """/proc, /dev and /run of the root lead out of it; what is mounted there is mounted in the zone."""
    tiny_root(node, "/var/tmp/links")
    node.sh("cd /var/tmp/links; rm -rf proc dev run; mkdir elsewhere; ln -s ../../../../etc proc; ln -s /elsewhere dev; "
            "ln -s ../../../../../../tmp run")
    node.ok("zonecfg", "-z", "links", "create -b; set brand=lx")
    node.ok("zoneadm", "-z", "links", "install", "-d", "/var/tmp/links")
    before = node.ok("sh", "-c", "ls -A /etc /tmp /dev | md5sum; wc -l </proc/self/mountinfo")
    node.run("zoneadm", "-z", "links", "boot")
    after = node.ok("sh", "-c", "ls -A /etc /tmp /dev | md5sum; wc -l </proc/self/mountinfo")
    assert before == after
    remove(node, "links")
    node.sh("rm -rf /var/tmp/links")


def test_nothing_is_left(node):
    remove(node, "oc")
    node.sh("pkill -x zlogin || :")  # who looks at a console keeps its zoneadmd
    assert states(node) == {"global": "running"}
    wait_for(node, "! pgrep -x zoneadmd", RUN)
    assert node.ok("sh", "-c", "find /run/zones -type p -o -name sock") == ""
