# SPDX-License-Identifier: MPL-2.0
# Copyright 2026 The Nereid authors
"""Images on a node, beside the programs that do the bare work."""
import statistics

import zones

NAME = "bench-images"


def bench_images(fig, runs, mib=1024):
    rig = str(zones.TOP / "test/rig")
    zones.sh("live/build", "platform")
    zones.sh(rig, "up", "--name", NAME, "--fresh")
    try:
        zones.sh(rig, "push", "--name", NAME, zones.HERE / "images", "/var/tmp/images.sh")
        out = zones.sh(rig, "run", "--name", NAME, "--no-stdin", "--timeout", "3600", "--", "bash", "/var/tmp/images.sh", str(mib),
                       str(min(runs, 5)), capture_output=True, text=True).stdout
    finally:
        zones.sh(rig, "remove", "--name", NAME)
    got = zones.figures(out)
    for what, bare, peer in (("install_stream", "receive", "`zfs receive`"), ("install_tar", "untar", "`tar -x`")):
        mine, theirs = ([mib / us * 1e6 for us in got["us_" + name]] for name in (what, bare))
        share = statistics.median(mine) / statistics.median(theirs)
        fig.add(f"`imgadm install` of {mib} MiB, {what.split('_')[1]}, on a node", f"half of {peer}", mine, "MiB/s", "`make bench`",
                f"{peer} {statistics.median(theirs):.1f} MiB/s ({share:.2f} of it)")
