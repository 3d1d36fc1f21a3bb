# SPDX-License-Identifier: MPL-2.0
# Copyright 2026 The Nereid authors
"""The power fails where it hurts most."""

import json

import pytest

from machine import ANSWERS, RUN

MOMENTS = {
    "the partitions are there": "[ -e /sys/class/block/vda/vda3 ]",
    "the pool is there": "zpool list zones >/dev/null 2>&1",
    "some datasets are there": "zfs list zones/opt >/dev/null 2>&1",
    "the configuration is being written": "ls /usbkey/* >/dev/null 2>&1",
}


@pytest.mark.parametrize("moment", MOMENTS)
def test_in_the_middle_of_first_boot(blank, moment):
    """Unattended setup is cut off; the next boot, with the answers still there, finishes what was begun."""
    blank.push(json.dumps(ANSWERS), "/tmp/answers.json")
    blank.sh("nohup nereid-setup -f /tmp/answers.json >/tmp/out 2>&1 </dev/null &")
    blank.sh(f"until {MOMENTS[moment]}; do sleep 0.02; done", timeout=RUN)
    blank.kill()
    blank.node.config.update(answers=True, answers_text=json.dumps(ANSWERS))
    (blank.node.dir / "answers.json").write_text(json.dumps(ANSWERS))
    assert blank.up(fresh=False) == "ready"
    assert blank.ok("hostname") == "tested"
    assert blank.ok("zpool", "get", "-H", "-o", "value", "health", "zones") == "ONLINE"
