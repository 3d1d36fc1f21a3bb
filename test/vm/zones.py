# SPDX-License-Identifier: MPL-2.0
# Copyright 2026 The Nereid authors
"""What the tests of zones do on a node, through the operator's commands."""

import hashlib
import json
import uuid

import pytest

from machine import BUILD, RUN, TOP
from riglib.program import compiled

GUEST = BUILD / "debian-13.tar.zst"
GUEST_ON_NODE = "/var/tmp/guest.tar.zst"


def install_native(node, name, config="", boot=True):
    """A native zone; config is more of zonecfg: "set max-lwps=300; add fs; ... end"."""
    node.ok("zonecfg", "-z", name, f"create -b; set brand=native; {config}".rstrip("; "))
    node.ok("zoneadm", "-z", name, "install")
    if boot:
        node.ok("zoneadm", "-z", name, "boot")


def install_lx(node, name, config="", boot=True):
    """An lx zone that is an unmodified Debian, whose tar is brought to the node once."""
    if not GUEST.exists():
        pytest.fail(f"{GUEST}: not there; `live/build guest` makes it")
    if node.run("test", "-e", GUEST_ON_NODE)[0] != 0:
        node.push(GUEST, GUEST_ON_NODE)
    node.ok("zonecfg", "-z", name, f"create -b; set brand=lx; {config}".rstrip("; "))
    node.ok("zoneadm", "-z", name, "install", "-t", GUEST_ON_NODE, timeout=300)
    if boot:
        node.ok("zoneadm", "-z", name, "boot")


# A root of one program: `install -d` of it makes an lx zone in a second. This init runs until it is asked to end; a test that
# wants another one brings it.
TINY_ON_NODE = "/var/tmp/tiny"
TINY_INIT = "#!/bin/sh\ntrap 'exit 0' TERM\nwhile :; do sleep 1000 & wait; done\n"
MAKE_TINY = r"""
mkdir -p $1/bin $1/sbin $1/etc $1/tmp $1/root $1/data
cp /usr/bin/busybox $1/bin/busybox
$1/bin/busybox --install $1/bin
printf 'root:x:0:0:root:/root:/bin/sh\n' >$1/etc/passwd
printf 'root:x:0:\n' >$1/etc/group
"""


def tiny_root(node, path=TINY_ON_NODE, init=TINY_INIT):
    """Makes a root of busybox on the node, with that script as its /sbin/init (None: without one)."""
    node.sh(f"set -- {path}\n{MAKE_TINY}")
    if init is not None:
        node.push(init, f"{path}/sbin/init", 0o755)


def install_tiny(node, name, config="", boot=True, root=TINY_ON_NODE):
    """An lx zone of such a root."""
    if root == TINY_ON_NODE and node.run("test", "-e", root)[0] != 0:
        tiny_root(node)
    node.ok("zonecfg", "-z", name, f"create -b; set brand=lx; {config}".rstrip("; "))
    node.ok("zoneadm", "-z", name, "install", "-d", root)
    if boot:
        node.ok("zoneadm", "-z", name, "boot")


def remove(node, *names):
    """Halts, uninstalls and forgets them, in whatever state they are."""
    for name in names:
        node.run("zoneadm", "-z", name, "halt")
        node.run("zoneadm", "-z", name, "uninstall", "-F")
        node.ok("zonecfg", "-z", name, "delete", "-F")


def await_running(node, zone):
    """Until systemd in the zone has started all it wants."""
    state = node.sh("while :; do s=$(zlogin $0 'systemctl is-system-running' 2>/dev/null || :); case $s in "
                    "running|degraded) echo $s; exit 0; esac; sleep 0.2; done".replace("$0", zone), timeout=RUN)
    assert state == "running", node.sh(f"zlogin {zone} 'systemctl --failed --no-legend'")


def states(node):
    """Name and state of all zones."""
    return {f[1]: f[2] for f in (line.split(":") for line in node.ok("zoneadm", "list", "-cp").split("\n"))}


def run_state(node, zone):
    """What runs of it: /run/zones/NAME/state.json."""
    return json.loads(node.ok("cat", f"/run/zones/{zone}/state.json"))


def config(node, zone):
    """/etc/zones/NAME.json."""
    return json.loads(node.ok("cat", f"/etc/zones/{zone}.json"))


def wait_for(node, script, timeout=RUN):
    node.sh(f"until {script}; do sleep 0.1; done", timeout=timeout)


def app():
    """The static program that images of one program hold."""
    return compiled("app", [TOP / "test/vm/app.c"], "-static")


def image_of_tar(node, tar):
    """Installs an image of that tar, which is brought to the node, with a manifest; gives its uuid."""
    if not tar.exists():
        pytest.fail(f"{tar}: not there; `live/build image guest-cloud` makes what the tests install")
    data = tar.read_bytes()
    manifest = {"v": 2, "uuid": str(uuid.uuid4()), "name": tar.name.split(".")[0], "version": "1", "type": "lx-dataset", "os": "linux",
                "published_at": "2026-01-31T12:00:00Z", "files": [{"sha1": hashlib.sha1(data).hexdigest(), "size": len(data)}]}
    node.push(json.dumps(manifest), "/var/tmp/of-tar.json")
    node.push(data, "/var/tmp/of-tar")
    node.ok("imgadm", "install", "-m", "/var/tmp/of-tar.json", "-f", "/var/tmp/of-tar", timeout=300)
    node.ok("rm", "/var/tmp/of-tar.json", "/var/tmp/of-tar")
    return manifest["uuid"]
