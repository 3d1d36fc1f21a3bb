# SPDX-License-Identifier: MPL-2.0
# Copyright 2026 The Nereid authors
"""What the tests of machines on the switch do on a node."""

import uuid as uuids

from vms import create
from zones import MAKE_TINY, TINY_INIT

IMAGE = str(uuids.UUID(int=0x5))


def prepare(m, **given):
    """An image of one small root, and an etherstub."""
    assert m.up(cold=False, answers="standard", **given) == "ready"
    m.sh(f"zfs create zones/{IMAGE}; set -- /zones/{IMAGE}/root\n{MAKE_TINY}")
    m.push(TINY_INIT, f"/zones/{IMAGE}/root/sbin/init", 0o755)
    m.sh(f"zfs snapshot zones/{IMAGE}@final; nictagadm add -l stub0")
    return m


def machine(node, *nics, **more):
    return create(node, brand="lx", image_uuid=IMAGE, ram=64, kernel_version="6.12.0", nics=list(nics), **more)


def stub(ip=None, **more):
    return {"nic_tag": "stub0", **({"ips": [ip]} if ip else {}), **more}


def inside(node, vm, script, timeout=60):
    return node.ok("zlogin", vm, script, timeout=timeout)


def pings(node, vm, where, more=""):
    """Whether an answer comes."""
    return node.run("zlogin", vm, f"ping -c 3 -i 0.3 -W 2 {more} {where} >/dev/null")[0] == 0


def links(node):
    """The node's ends of machines' NICs."""
    return {line.split("@")[0] for line in node.sh("ip -o -br link show type veth; ip -o -br link show type netkit").split("\n") if line}
