# SPDX-License-Identifier: MPL-2.0
# Copyright 2026 The Nereid authors
"""What the tests of machines do on a node, through vmadm."""

import json
import re

NOBODY = "6f0fd2a5-0000-4000-8000-000000000000"
CREATED = r"(?:WARNING: .*\n)*Successfully created VM ([0-9a-f-]{36})\n"


def vmadm(node, *argv, payload=None):
    """(exit status, output, messages)"""
    stdin = payload if isinstance(payload, bytes) else json.dumps(payload).encode() if payload is not None else None
    return node.run("vmadm", *argv, stdin=stdin)


def create(node, **payload):
    code, out, said = vmadm(node, "create", payload={"brand": "native", "ram": 128, "quota": 1, **payload})
    assert (code, out) == (0, ""), said
    return re.fullmatch(CREATED, said).group(1)


def get(node, uuid):
    return json.loads(node.ok("vmadm", "get", uuid))


def refused(node, *argv, payload=None, code=1):
    """The one line that says why."""
    got, out, said = vmadm(node, *argv, payload=payload)
    assert (got, out) == (code, "") and said.count("\n") == 1, (got, out, said)
    return said.rstrip("\n")


def traces(node, uuid):
    """What there is of a machine outside its history."""
    return node.sh(f"zfs list -Ho name | grep {uuid} || :; ls -d /etc/zones/{uuid}* /run/zones/{uuid}/state.json "
                   f"/sys/fs/cgroup/zones/{uuid} /zones/{uuid} 2>/dev/null || :").strip()
