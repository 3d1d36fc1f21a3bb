# SPDX-License-Identifier: MPL-2.0
# Copyright 2026 The Nereid authors
"""Update by reboot, on a node that boots from its own disks. The tests are parts of one story."""

import hashlib
import json
import tarfile
import threading
import time

import pytest

from machine import ANSWERS, ANY_END, BUILD, RUN, second_platform, served

BROKEN = "20380120T000000Z"  # its kernel finds no root
DAMAGED = "20380122T000000Z"  # does not have the digest that the server's list gives
LATER = "20380121T000000Z"   # whole, but its installation is cut off
BOOT = 400


def pack(target, stamp, manifest, files):
    """A platform as it is given away: a tar of its directory. files: name -> path."""
    with tarfile.open(target, "w") as tar:
        (target.parent / "manifest.json").write_text(json.dumps(manifest))
        tar.add(target.parent / "manifest.json", f"{stamp}/manifest.json")
        for name, path in files.items():
            tar.add(path.resolve(), f"{stamp}/{name}")
    return target


def entry(name, path):
    return {"name": name, "size": path.stat().st_size, "sha256": hashlib.sha256(path.read_bytes()).hexdigest()}


@pytest.fixture(scope="module")
def server(tmp_path_factory, platform):
    """The current platform, a second one, one that does not come up, and one more, as files by HTTP."""
    top = tmp_path_factory.mktemp("platforms")
    current = BUILD / "platform" / platform
    for stamp in (platform, second_platform()):
        source = BUILD / "platform" / stamp
        pack(top / f"platform-{stamp}.tar", stamp, json.loads((source / "manifest.json").read_text()),
             {n: source / n for n in ("kernel", "boot_archive")})
    hollow = top / "hollow"
    hollow.write_bytes(b"070701" + b"0" * 104 + b"TRAILER!!!" + bytes(4096))
    for stamp, archive in ((BROKEN, hollow), (LATER, current / "boot_archive")):
        files = {"kernel": current / "kernel", "boot_archive": archive}
        manifest = {"stamp": stamp, "version": 1, "files": [entry(n, p) for n, p in files.items()]}
        pack(top / f"platform-{stamp}.tar", stamp, manifest, files)
    tars = sorted(top.glob("platform-*.tar"))
    damaged = top / f"platform-{DAMAGED}.tar"
    whole = (top / f"platform-{LATER}.tar").read_bytes()
    half = len(whole) // 2
    damaged.write_bytes(whole[:half] + bytes(b ^ 0xff for b in whole[half:half + 16]) + whole[half + 16:])
    sums = {p.name: hashlib.sha256(p.read_bytes()).hexdigest() for p in tars}
    sums[damaged.name] = sums[f"platform-{LATER}.tar"]
    (top / "SHA256SUMS").write_text("".join(f"{digest}  {name}\n" for name, digest in sums.items()))
    with served(top) as url:
        yield url


@pytest.fixture(scope="module")
def story(module_machine, server, platform):
    """Installed directly, given its platform, and from then on booted from its own disk."""
    m = module_machine
    assert m.up(answers=ANSWERS, cold=False, disks=[10]) == "ready"
    m.online()
    m.ok("piadm", "install", f"{server}/platform-{platform}.tar", timeout=RUN)
    m.off()
    assert m.up(fresh=False, media="disk", timeout=BOOT).startswith("ready")
    return m


@pytest.fixture
def node(story):
    """Up and on the network, whatever the test before left behind."""
    if not story.node.running():
        story.up(fresh=False, timeout=BOOT)
    story.wait(ANY_END, BOOT)
    story.online()
    return story


def listed(node):
    """piadm list as {stamp: words of its line}."""
    return {line.split()[0]: line.split()[1:] for line in node.ok("piadm", "list", "-H").split("\n")}


def test_boots_from_its_own_disk(node, platform):
    assert node.stamp() == platform
    assert "nereid.bootfs=" in node.ok("cat", "/proc/cmdline")
    node.said(f"Nereid {platform}")
    assert set(listed(node)) == {platform}


def test_the_only_platform_cannot_be_removed(node, platform):
    assert platform in node.refused(1, "piadm", "remove", platform)


def test_update(node, server, platform):
    node.sh("echo kept >/opt/mine")
    node.ok("piadm", "install", f"{server}/platform-{second_platform()}.tar", timeout=RUN)
    assert node.stamp() == platform, "nothing changes before the reboot"
    assert node.reboot(timeout=BOOT) == "ready"
    assert node.stamp() == second_platform()
    assert node.ok("cat", "/opt/mine") == "kept"
    assert set(listed(node)) == {platform, second_platform()}


def test_the_new_one_stays(node):
    """It was confirmed: a power cut now does not bring the old one back."""
    node.kill()
    assert node.up(fresh=False, timeout=BOOT) == "ready"
    assert node.stamp() == second_platform()


def test_the_menu_offers_the_one_before(node, platform):
    node.said(f"Nereid {platform}, the version before")


def test_going_back_by_choice(node, platform):
    node.ok("piadm", "activate", platform)
    assert node.reboot(timeout=BOOT) == "ready"
    assert node.stamp() == platform


def test_power_cut_while_installing(node, server, platform):
    """Cut off while files are being copied: what ran before runs again, and a second try succeeds."""
    def install():
        try:
            node.run("piadm", "install", f"{server}/platform-{LATER}.tar", timeout=RUN)
        except Exception as e:  # noqa: BLE001 - the cut is meant to end it, whichever way
            cut.append(e)
    cut = []
    thread = threading.Thread(target=install)
    before = node.sh("cat /sys/class/block/vda/vda2/stat").split()[6]
    thread.start()
    deadline = time.monotonic() + RUN
    while int(node.sh("cat /sys/class/block/vda/vda2/stat").split()[6]) - int(before) < 20_000:
        assert time.monotonic() < deadline and thread.is_alive(), "nothing was ever written to the boot volume"
    node.kill()
    thread.join(RUN)
    assert cut, "the installation was over before the power was cut"
    assert node.up(fresh=False, timeout=BOOT) == "ready"
    assert node.stamp() == platform
    assert LATER not in listed(node)
    node.ok("piadm", "install", f"{server}/platform-{LATER}.tar", timeout=RUN)
    assert LATER in listed(node)
    node.ok("piadm", "activate", platform)
    node.ok("piadm", "remove", LATER)


def test_a_platform_that_does_not_come_up_is_given_up(node, server, platform):
    """Two tries, each ending in a panic, then the one before; and the operator is told."""
    boot_id = node.ok("cat", "/proc/sys/kernel/random/boot_id")
    node.ok("piadm", "install", f"{server}/platform-{BROKEN}.tar", timeout=RUN)
    node.run("systemctl", "reboot", "--no-block")
    node.other_boot(boot_id, 2 * BOOT)
    assert node.wait("ready|degraded*").startswith(("ready", "degraded"))
    assert node.stamp() == platform
    node.said(BROKEN)
    assert BROKEN in node.ok("cat", "/run/nereid/notice")


def test_it_is_not_tried_again(node, platform):
    assert node.reboot(wait="ready|degraded*", timeout=BOOT).startswith(("ready", "degraded"))
    assert node.stamp() == platform
    node.ok("piadm", "remove", BROKEN)
    assert BROKEN not in listed(node)


def test_damaged_downloads_are_refused(node, server, tmp_path):
    before = listed(node)
    assert DAMAGED in node.refused(1, "piadm", "install", f"{server}/platform-{DAMAGED}.tar")
    node.sh(f"curl -sf {server}/platform-{LATER}.tar | head -c 20M >/var/tmp/cut.tar")
    node.refused(1, "piadm", "install", "/var/tmp/cut.tar")
    node.push("not a platform\n", "/var/tmp/text")
    node.refused(1, "piadm", "install", "/var/tmp/text")
    node.refused(1, "piadm", "install", f"{server}/no-such.tar")
    assert listed(node) == before
    node.sh("rm /var/tmp/cut.tar /var/tmp/text")
