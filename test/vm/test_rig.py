# SPDX-License-Identifier: MPL-2.0
# Copyright 2026 The Nereid authors
"""The rig itself: what comes back from a node must be what happened there, or every other test lies."""

import os
import signal
import subprocess
import time

import pytest

from riglib import cpio
from riglib.node import TOP

pytestmark = pytest.mark.alone

RIG = TOP / "test/rig"


def rig(*args, **options):
    options.setdefault("timeout", 300)
    return subprocess.run([RIG, *args], capture_output=True, **options)


@pytest.fixture(scope="module")
def name(shared):
    return shared.name


def run(name, *argv, **options):
    return rig("run", "--name", name, "--", *argv, **options)


@pytest.mark.parametrize("script, code", [("exit 0", 0), ("exit 7", 7), ("kill -9 $$", 137), ("kill -15 $$", 143)])
def test_exit_code_of_the_command(name, script, code):
    assert run(name, "sh", "-c", script).returncode == code


def test_command_that_does_not_exist(name):
    got = run(name, "no-such-command")
    assert got.returncode == 127
    assert b"no-such-command" in got.stderr


def test_streams_stay_apart(name):
    got = run(name, "sh", "-c", "echo out; echo err >&2; cat", input=b"in\n")
    assert (got.stdout, got.stderr) == (b"out\nin\n", b"err\n")


def test_arguments_arrive_as_they_are(name):
    args = ["a b", "", "$HOME", "*", "\n", "ü", "-x", "--"]
    got = run(name, "sh", "-c", 'for a; do printf "%s|" "$a"; done', "sh", *args)
    assert got.stdout.decode() == "".join(a + "|" for a in args)


def test_environment_is_clean(name):
    got = run(name, "env", env={**os.environ, "LEAKED": "1"})
    keys = {line.split(b"=")[0] for line in got.stdout.split()}
    assert b"LEAKED" not in keys and {b"PATH", b"HOME", b"TERM"} <= keys


def test_large_input_and_output_are_whole(name):
    data = os.urandom(3 << 20)
    assert run(name, "cat", input=data).stdout == data


def test_command_that_does_not_read_its_input(name):
    assert run(name, "true", input=bytes(1 << 20)).returncode == 0


def test_push_and_pull_keep_content_and_mode(name, tmp_path):
    source = tmp_path / "source"
    source.write_bytes(os.urandom(100_000))
    source.chmod(0o751)
    assert rig("push", "--name", name, source, "/tmp/pushed").returncode == 0
    assert run(name, "stat", "-c", "%a", "/tmp/pushed").stdout == b"751\n"
    assert rig("pull", "--name", name, "/tmp/pushed", tmp_path / "back").returncode == 0
    assert (tmp_path / "back").read_bytes() == source.read_bytes()
    assert (tmp_path / "back").stat().st_mode & 0o777 == 0o751


def test_pull_of_a_missing_file_leaves_nothing(name, tmp_path):
    got = rig("pull", "--name", name, "/nowhere", tmp_path / "back")
    assert got.returncode == 1 and b"/nowhere" in got.stderr
    assert list(tmp_path.iterdir()) == []


def test_timeout_ends_the_command(name):
    got = rig("run", "--name", name, "--timeout", "1", "--", "sleep", "4711")
    assert got.returncode == 124 and b"not done within 1 s" in got.stderr
    assert run(name, "pgrep", "-f", "^sleep 4711").returncode == 1


@pytest.mark.parametrize("script", ["sleep 4712; true", "cat /dev/zero", "cat >/dev/null; sleep 4712"])
def test_killed_client_takes_its_command_along_and_leaves_the_channel_usable(name, script):
    with open("/dev/zero", "rb") as zero:
        client = subprocess.Popen([RIG, "run", "--name", name, "--", "sh", "-c", f": mark4712; {script}"], stdin=zero,
                                  stdout=subprocess.PIPE)
        deadline = time.monotonic() + 60
        while run(name, "pgrep", "-f", "mark4712;").returncode != 0:
            assert time.monotonic() < deadline, "the command never started"
        client.send_signal(signal.SIGKILL)
        client.wait()
        client.stdout.close()
    # All four channels must work, the one that was cut off too.
    clients = [subprocess.Popen([RIG, "run", "--name", name, "--", "sh", "-c", "read x; echo $x"],
                                stdin=subprocess.PIPE, stdout=subprocess.PIPE) for _ in range(4)]
    for i, c in enumerate(clients):
        out, _ = c.communicate(f"{i}\n".encode(), timeout=60)
        assert out == f"{i}\n".encode()
    assert run(name, "pgrep", "-f", "mark4712;").returncode == 1


def test_more_commands_at_once_than_channels(name):
    clients = [subprocess.Popen([RIG, "run", "--name", name, "--", "sh", "-c", f"sleep 0.5; echo {i}"],
                                stdin=subprocess.DEVNULL, stdout=subprocess.PIPE) for i in range(6)]
    assert [c.communicate(timeout=120)[0] for c in clients] == [b"%d\n" % i for i in range(6)]


@pytest.mark.parametrize("args, code, text", [
    (["run", "--name", "nobody", "--", "true"], 3, "no such node"),
    (["run"], 2, "which command"),
    (["frobnicate"], 2, "invalid choice"),
    (["up", "--name", "../x"], 1, "name"),
    (["up", "--name", "t-x", "--disk", "big"], 2, "GiB"),
    (["up", "--name", "t-x", "--media", "floppy"], 2, "floppy"),
    (["up", "--name", "t-x", "--media", "iso", "--append", "x"], 2, "direct"),
    (["up", "--name", "t-x", "--answers", "/nowhere"], 1, "/nowhere"),
    (["up", "--name", "t-x", "--platform", "19700101T000000Z"], 1, "19700101T000000Z"),
    (["kill", "--name", "nobody"], 3, "no such node"),
    (["console", "--name", "nobody"], 3, "no such node"),
])
def test_errors_are_one_line_with_their_code(args, code, text):
    got = rig(*args)
    assert got.returncode == code
    assert text in got.stderr.decode()
    if code != 2:
        assert got.stderr.count(b"\n") == 1


def test_up_of_a_running_node_is_refused(name):
    got = rig("up", "--name", name)
    assert got.returncode == 3 and b"running already" in got.stderr


def test_resuming_takes_seconds_and_sets_the_clock(shared, machine):
    start = time.monotonic()
    machine.up(cold=False, answers="standard")
    assert time.monotonic() - start < 10, "goal on a quiet machine: 2 s"
    assert abs(float(machine.ok("date", "+%s.%N")) - time.time()) < 2


def test_resumed_nodes_have_disks_and_random_numbers_of_their_own(machine, shared):
    machine.up(cold=False, answers="standard")
    machine.sh("echo mine >/opt/only-here; sync")
    assert shared.run("test", "-e", "/opt/only-here")[0] == 1
    draw = ("head", "-c", "16", "/dev/urandom")
    assert machine.run(*draw)[1] != shared.run(*draw)[1]


def test_reset_under_a_command_is_told(machine):
    machine.up(cold=False, wait=None)
    got = rig("run", "--name", machine.name, "--", "sh", "-c", "echo b >/proc/sysrq-trigger; sleep 1000", timeout=120)
    assert got.returncode == 125 and b"went down" in got.stderr


def test_power_cut_under_a_command_is_told(machine):
    machine.up(cold=False, wait=None)
    client = subprocess.Popen([RIG, "run", "--name", machine.name, "--", "sh", "-c", "echo on; sleep 1000"],
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE, stdin=subprocess.DEVNULL)
    assert client.stdout.readline() == b"on\n"
    assert rig("kill", "--name", machine.name).returncode == 0
    assert client.wait(60) == 125
    assert rig("kill", "--name", machine.name).returncode == 3


def test_nodes_meet_on_a_segment_in_any_order(request):
    """The second joins later, the first is cut off and comes back: no order matters."""
    from conftest import done, new_machine
    one, two = new_machine("seg-one"), new_machine("seg-two")
    segment = f"t{os.getpid()}"
    plumb = """for i in $(seq 300); do
        d=$(ls /sys/class/net | grep -v -e lo -e '^eth' | head -n 1); [ -n "$d" ] && break; sleep 0.2; done
        ip addr add $1/24 dev $d; ip link set $d up"""
    try:
        for m, address in ((one, "192.0.2.1"), (two, "192.0.2.2")):
            m.up(wait=None, memory=768, cpus=1, nics=0, net=[segment], disks=[])
        for m, address in ((one, "192.0.2.1"), (two, "192.0.2.2")):
            m.ok("sh", "-ec", plumb, "plumb", address)
        two.ok("ping", "-c", "1", "-w", "20", "192.0.2.1")
        one.kill()
        one.up(fresh=False, wait=None)
        one.ok("sh", "-ec", plumb, "plumb", "192.0.2.1")
        one.ok("ping", "-c", "1", "-w", "20", "192.0.2.2")
        # The listener ends with its input, so it is given one that lasts.
        one.sh("""sleep 1000 | busybox nc -l -p 5000 >/run/got 2>&1 &
            until grep -q ':1388 .* 0A ' /proc/net/tcp /proc/net/tcp6; do sleep 0.1; done""", timeout=60)
        two.sh("(head -c 3000000 /dev/zero; sleep 60) | busybox nc 192.0.2.1 5000 >/dev/null 2>&1 &")
        one.sh("until [ $(stat -c %s /run/got) = 3000000 ]; do sleep 0.2; done", timeout=60)
    finally:
        done(one)
        done(two)


def test_files_laid_over_the_root(machine, tmp_path):
    (tmp_path / "etc").mkdir()
    (tmp_path / "etc/laid-over").write_text("here\n")
    (tmp_path / "etc/laid-over").chmod(0o640)
    (tmp_path / "etc/link").symlink_to("laid-over")
    machine.up(wait=None, over=str(tmp_path), memory=1024, disks=[])
    assert machine.sh("cat /etc/link; stat -c %a:%u /etc/laid-over") == "here\n640:0"


def test_cpio_entries_are_aligned_and_ended(tmp_path):
    (tmp_path / "in").mkdir()
    (tmp_path / "in/odd").write_bytes(b"12345")
    with open(tmp_path / "out", "w+b") as f:
        f.write(b"x" * 3)
        cpio.write_tree(f, tmp_path / "in", "over")
    data = (tmp_path / "out").read_bytes()
    assert data[4:10] == b"070701" and len(data) % 4 == 0 and b"TRAILER!!!" in data
    assert data.count(b"070701") == 3
