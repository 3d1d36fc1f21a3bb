# SPDX-License-Identifier: MPL-2.0
# Copyright 2026 The Nereid authors
"""Many zones at once, and one many times: what that takes and what is left. `make bench zones-many zones-cycles` is the long form."""

import pytest
from zones import TINY_ON_NODE, install_tiny

pytestmark = pytest.mark.alone

ZONES = 40
CYCLES = 30
REBOOTS = 10

# The first one's file and root, for the others with another name, uuid and ids: a root of links costs next to nothing.
LIKE_THE_FIRST = r"""
for i in $(seq 2 %d); do
	mkdir -m 700 /zones/m$i
	cp -al /zones/m1/root /zones/m$i/root
	sed -e 's/"m1"/"m'$i'"/; s,/zones/m1",/zones/m'$i'",' -e 's/"id_base": [0-9]*/"id_base": '$((500000000 + i * 65536))/ \
		-e 's/"zonedid": [0-9]*/"zonedid": '$((1000 + i))/ \
		-e "s/\(\"uuid\": \".\{24\}\)[^\"]*/\1$(printf %%012x $i)/" /etc/zones/m1.json >/etc/zones/m$i.json
done
"""

# Of what a zone takes of the kernel, and what is the node's own and constant.
COUNTS = r"""
for cache in net_namespace mnt_cache; do echo 1 >/sys/kernel/slab/$cache/shrink; done
echo cgroups $(find /sys/fs/cgroup/zones /sys/fs/cgroup/zones.mon -mindepth 1 -type d 2>/dev/null | wc -l)
echo mounts $(wc -l </proc/self/mountinfo)
echo zoneadmds $(pgrep -cx zoneadmd || :)
echo netns $(awk '$1 == "net_namespace" { print $2 }' /proc/slabinfo)
"""


def counts(node):
    return {name: int(n) for name, n in (line.split() for line in node.sh(COUNTS).split("\n"))}


def settled(node, before):
    """Waits until the kernel has taken apart what it takes apart later; returns what there is then."""
    node.sh("for i in $(seq 100); do n=$(awk '$1 == \"net_namespace\" { print $2 }' /proc/slabinfo); [ \"$n\" -gt "
            f"{before['netns']} ] || break; echo 1 >/sys/kernel/slab/net_namespace/shrink; sleep 0.2; done")
    return counts(node)


@pytest.fixture(scope="module")
def node(module_machine):
    m = module_machine
    assert m.up(cold=False, answers="standard") == "ready"
    # The first zone of a boot makes what stays: the top of the tree of cgroups.
    install_tiny(m, "m1", 'set zfs-filesystem=""', boot=False)
    m.ok("zoneadm", "-z", "m1", "boot")
    m.ok("zoneadm", "-z", "m1", "halt")
    m.sh(LIKE_THE_FIRST % ZONES)
    return m


def test_many_zones_at_once(node):
    before = counts(node)
    node.sh(f"for i in $(seq {ZONES}); do zoneadm -z m$i boot; done", timeout=300)
    listed = node.ok("zoneadm", "list", "-n").split("\n")
    assert sorted(listed) == sorted(f"m{i}" for i in range(1, ZONES + 1))
    up = counts(node)
    assert up["zoneadmds"] == ZONES
    assert up["cgroups"] == 2 * ZONES
    assert up["mounts"] == before["mounts"], "what a zone mounts is not in the node's own tree"

    # What they need each: no more than the goals, whatever the machine's speed.
    rollups = node.sh("cat $(pgrep -x zoneadmd | sed 's,.*,/proc/&/smaps_rollup,')").split("\n")
    total = {}
    for name, value in (line.split()[:2] for line in rollups if line.endswith(" kB")):
        total[name] = total.get(name, 0) + int(value)
    assert total["Private_Dirty:"] / ZONES <= 400
    assert total["Rss:"] / ZONES <= 1.2 * 1024

    # A node that is full of zones still does other things.
    assert node.ok("zlogin", f"m{ZONES}", "hostname") == f"m{ZONES}"
    node.sh(f"for i in $(seq {ZONES}); do zoneadm -z m$i halt; done", timeout=300)
    assert settled(node, before) == before


def test_one_zone_many_times(node):
    before = counts(node)
    node.sh(f"for i in $(seq {CYCLES}); do zoneadm -z m1 boot; zoneadm -z m1 halt; done", timeout=300)
    assert settled(node, before) == before


def test_a_zoneadmd_keeps_no_descriptors(node):
    node.ok("zoneadm", "-z", "m1", "boot")
    fds = "ls -l /proc/$(pgrep -x zoneadmd)/fd | awk '{ print $NF }' | sed 's/[0-9]*\\]//' | sort"
    node.ok("zoneadm", "-z", "m1", "reboot")
    before = node.sh(fds)
    node.sh(f"for i in $(seq {REBOOTS}); do zoneadm -z m1 reboot; done", timeout=300)
    for _ in range(3):
        node.ok("zlogin", "m1", "true")
    assert node.sh(fds) == before
    node.ok("zoneadm", "-z", "m1", "halt")


def test_they_are_removed(node):
    node.sh(f"for i in $(seq {ZONES}); do rm -rf /zones/m$i; rm -f /etc/zones/m$i.json; done; rm -rf {TINY_ON_NODE}")
    assert node.ok("zoneadm", "list", "-c") == "global"
