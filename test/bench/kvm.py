# SPDX-License-Identifier: MPL-2.0
# Copyright 2026 The Nereid authors
"""Guests on a node, beside a bare QEMU with the same devices."""
import statistics

import linux
import zones
from riglib.program import boot_sector

NAME = "bench-kvm"


def on_node(script, *argv, more=None):
    """What a script says on a node of one processor, with the guests' kernel beside it and what more(node) makes: (FILE, NAME)s."""
    def rig(*words, **options):
        return zones.sh(str(zones.TOP / "test/rig"), words[0], "--name", NAME, *words[1:], **options)
    zones.sh("live/build", "platform")
    rig("up", "--fresh", "--cpus", "1")
    try:
        files = [(zones.HERE / script, script), *more(rig)]
        for source, target in files:
            rig("push", source, f"/var/tmp/{target}")
        return rig("run", "--no-stdin", "--timeout", "3600", "--", "bash", f"/var/tmp/{script}", *argv, capture_output=True, text=True).stdout
    finally:
        rig("remove")


def guests_of_a_sector(rig):
    kernel, initrd = linux.files()
    zones.sh("live/build", "libvirt")
    return [(boot_sector("guest", zones.TOP / "test/vm/guest.S"), "guest.raw"), (kernel, "vmlinuz"), (initrd, "initrd"),
            (zones.HERE / "enter", "enter"), (zones.TOP / "build/libvirt.tar.zst", "libvirt.tar.zst")]


def guests_that_serve(rig):
    """Their initial RAM disk has the node's drivers for a NIC, and the server."""
    zones.sh("live/build", "shell", "--", "sh", "-ec", "d=build/bench/meson; [ -e $d/build.ninja ] || meson setup $d >/dev/null; "
             "ninja -C $d test/bench/bench-wire >/dev/null")
    wire = zones.WORK / "meson/test/bench/bench-wire"
    modules = linux.modules(lambda *argv: rig("run", "--no-stdin", "--", *argv, capture_output=True).stdout, "virtio_net")
    more = [("wire", wire.read_bytes()), *modules]
    kernel, initrd = linux.files("guest-net", more)
    return [(wire, "wire"), (kernel, "vmlinuz"), (initrd, "initrd")]


def bench_network(fig, runs):
    got = zones.figures(on_node("kvm-network", str(max(runs, 5)), "1000", more=guests_that_serve))
    for test, (what, unit) in {"rr": ("TCP_RR", "transactions/s"), "stream": ("a TCP stream", "Mbit/s")}.items():
        mine, theirs = got[f"{test}_ours"], got[f"{test}_bare"]
        fig.add(f"{what} from a zone to a guest, all protection on", "1.0 of a bridge", mine, unit, "`make bench`, on a node",
                f"a bare QEMU's tap on a bridge: {statistics.median(theirs):.0f} ({min(theirs):.0f} to {max(theirs):.0f}; "
                f"{statistics.median(mine) / statistics.median(theirs):.3f} of it)")


def bench_kvm(fig, runs):
    got = zones.figures(on_node("kvm", str(max(runs, 5)), more=guests_of_a_sector))

    def ms(name):
        return [us / 1000 for us in got["us_" + name]]
    bare = statistics.median(ms("bare"))
    beside = (f"`qemu-system-x86_64 -daemonize` by root, same devices: {bare:.0f} ms ({min(ms('bare')):.0f} to {max(ms('bare')):.0f}); "
              f"libvirt's `virsh create`, less the same: {statistics.median(ms('libvirt')) - bare:.0f} ms")
    fig.add("`vmadm create` of a guest, from an installed image to its first instruction, less a bare QEMU's start", "250 ms",
            [v - bare for v in ms("create")], "ms", "`make bench`, on a node", beside)
    fig.add("`vmadm start` to the guest's first instruction, less a bare QEMU's start", "50 ms", [v - bare for v in ms("start")], "ms",
            "`make bench`, on a node", beside)
    micro = statistics.median(got["us_micro_bare"])
    fig.add("microvm: `vmadm start` to what its first program says, in parts of a bare microvm", "130 %", [100 * v / micro for v in got["us_micro_ours"]], "%",
            "`make bench`, on a node", f"bare: {micro / 1e6:.1f} s")
    fig.add("`vmadm stop -F` of a guest", "-", ms("stop"), "ms", "`make bench`, on a node",
            f"`virsh destroy`: {statistics.median(ms('libvirt_stop')):.0f} ms")
    fig.add("memory of QEMU's own (anonymous) beside a guest's RAM of 64 MiB, beyond a bare one's", "2 MiB",
            [(v - statistics.median(got["kib_bare"])) / 1024 for v in got["kib_ours"]], "MiB", "`make bench`, smaps",
            f"bare: {statistics.median(got['kib_bare']) / 1024:.1f} MiB")
    fig.add("`vmadm create-snapshot` of a running guest with a disk of 100 GiB", "200 ms", ms("snapshot"), "ms", "`make bench`, on a node",
            f"`zfs snapshot -r` of the same: {statistics.median(ms('zfs_snapshot')):.0f} ms")


BENCHES = {"kvm": bench_kvm, "kvm-network": bench_network}
