# SPDX-License-Identifier: MPL-2.0
# Copyright 2026 The Nereid authors
"""Guests on a node, beside a bare QEMU with the same devices."""
import statistics

import linux
import zones
from riglib.program import boot_sector

NAME = "bench-kvm"


def bench_kvm(fig, runs):
    rig = str(zones.TOP / "test/rig")
    zones.sh("live/build", "platform")
    sector = boot_sector("guest", zones.TOP / "test/vm/guest.S")
    zones.sh(rig, "up", "--name", NAME, "--fresh", "--cpus", "1")
    try:
        kernel, initrd = linux.files()
        for source, target in ((zones.HERE / "kvm", "kvm"), (sector, "guest.raw"), (kernel, "vmlinuz"), (initrd, "initrd")):
            zones.sh(rig, "push", "--name", NAME, source, f"/var/tmp/{target}")
        out = zones.sh(rig, "run", "--name", NAME, "--no-stdin", "--timeout", "3600", "--", "bash", "/var/tmp/kvm", str(max(runs, 5)),
                       capture_output=True, text=True).stdout
    finally:
        zones.sh(rig, "remove", "--name", NAME)
    got = zones.figures(out)

    def ms(name):
        return [us / 1000 for us in got["us_" + name]]
    bare = statistics.median(ms("bare"))
    beside = f"`qemu-system-x86_64 -daemonize` by root, same devices: {bare:.0f} ms ({min(ms('bare')):.0f} to {max(ms('bare')):.0f})"
    fig.add("`vmadm create` of a guest, from an installed image to its first instruction, less a bare QEMU's start", "250 ms",
            [v - bare for v in ms("create")], "ms", "`make bench`, on a node", beside)
    fig.add("`vmadm start` to the guest's first instruction, less a bare QEMU's start", "50 ms", [v - bare for v in ms("start")], "ms",
            "`make bench`, on a node", beside)
    micro = statistics.median(got["us_micro_bare"])
    fig.add("microvm: `vmadm start` to what its first program says, in parts of a bare microvm", "130 %", [100 * v / micro for v in got["us_micro_ours"]], "%",
            "`make bench`, on a node", f"bare: {micro / 1e6:.1f} s")
    fig.add("`vmadm stop -F` of a guest", "-", ms("stop"), "ms", "`make bench`, on a node")
    fig.add("resident memory of a guest's QEMU, 64 MiB of RAM, beyond a bare one's", "2 MiB",
            [(v - statistics.median(got["kib_bare"])) / 1024 for v in got["kib_ours"]], "MiB", "`make bench`, smaps_rollup",
            f"bare: {statistics.median(got['kib_bare']) / 1024:.1f} MiB")
    fig.add("`vmadm create-snapshot` of a running guest with a disk of 100 GiB", "200 ms", ms("snapshot"), "ms", "`make bench`, on a node")


BENCHES = {"kvm": bench_kvm}
