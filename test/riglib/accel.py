# SPDX-License-Identifier: MPL-2.0
# Copyright 2026 The Nereid authors
"""
Which QEMU, and KVM or TCG. A /dev/kvm that exists may still run nothing (nested hosts), so a kernel is booted on it once.

Before version 8.1 QEMU translated code without holding the page it is on. A virtual CPU that translated while another
one changed that code could keep the old translation for good, and Linux changes its own code while it runs (static
keys): the kernel then died now and then of a breakpoint that was no longer there (`int3` in __schedule). Where the
host has such a QEMU the platform's is used, out of the root it was unpacked to for the image.
"""

import functools
import json
import os
import re
import subprocess
import tempfile
import time
from pathlib import Path

from .errors import RigError
from .node import BUILD, RIG

HOSTS = "qemu-system-x86_64"
SOUND = (8, 1)
LIBRARIES = "usr/lib/x86_64-linux-gnu"
KVM = ["-accel", "kvm", "-cpu", "host"]
TCG = ["-accel", "tcg,thread=multi", "-cpu", "max"]
# The guest's clock counts its instructions, one a nanosecond: figures that do not depend on who else uses this machine.
ICOUNT = ["-icount", "shift=0", "-accel", "tcg,thread=single", "-cpu", "max"]
PROBE_SECONDS = 15


def version_of(command):
    try:
        out = subprocess.run([*command, "--version"], capture_output=True, text=True, check=True).stdout
    except (OSError, subprocess.CalledProcessError) as e:
        raise RigError(f"{command[0]}: {e}; install qemu-system-x86") from None
    return out.split("\n", 1)[0]


def platforms_qemu():
    """The platform's own QEMU, run with the libraries beside it; None where no platform was built yet."""
    root = (BUILD / "runtime").resolve()
    if not (root / "usr/bin" / HOSTS).exists():
        return None
    libraries = root / LIBRARIES
    return ["/usr/bin/env", f"QEMU_MODULE_DIR={libraries}/qemu", str(libraries / "ld-linux-x86-64.so.2"),
            "--library-path", str(libraries), str(root / "usr/bin" / HOSTS),
            "-L", str(root / "usr/share/qemu"), "-L", str(root / "usr/share/seabios")]


@functools.cache
def qemu():
    """How QEMU is called, as a list. NEREID_QEMU overrides."""
    given = os.environ.get("NEREID_QEMU")
    if given:
        return [given]
    number = re.search(r"version (\d+)\.(\d+)", version_of([HOSTS]))
    if number and tuple(map(int, number.groups())) >= SOUND:
        return [HOSTS]
    return platforms_qemu() or [HOSTS]


@functools.cache
def qemu_version():
    return version_of(qemu())


def kvm_boots(kernel):
    """Boots a kernel without a root on KVM: the panic at its end proves that it ran."""
    with tempfile.TemporaryDirectory() as tmp:
        log = Path(tmp) / "serial"
        proc = subprocess.Popen(
            [*qemu(), "-machine", "q35,sata=off", *KVM, "-m", "256", "-nodefaults", "-display", "none",
             "-no-reboot", "-kernel", str(kernel), "-append", "console=ttyS0 panic=-1",
             "-serial", f"file:{log}"],
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
        os.set_blocking(proc.stderr.fileno(), False)
        deadline = time.monotonic() + PROBE_SECONDS
        try:
            while time.monotonic() < deadline:
                if log.exists() and b"Kernel panic" in log.read_bytes():
                    return True
                if proc.poll() is not None or b"KVM internal error" in (proc.stderr.read() or b""):
                    return False
                time.sleep(0.1)
            return False
        finally:
            proc.kill()
            proc.wait()
            proc.stderr.close()


def choose(kernel):
    """Returns QEMU's options and the name, "kvm" or "tcg". NEREID_ACCEL overrides."""
    forced = os.environ.get("NEREID_ACCEL")
    if forced:
        choices = {"kvm": (KVM, "kvm"), "tcg": (TCG, "tcg"), "icount": (ICOUNT, "tcg")}
        if forced not in choices:
            raise RigError(f"NEREID_ACCEL={forced}: {', '.join(choices)}")
        return choices[forced]
    if not os.access("/dev/kvm", os.R_OK | os.W_OK):
        return TCG, "tcg"
    boot = Path("/proc/sys/kernel/random/boot_id").read_text().strip()
    cache = RIG / ".accel.json"
    key = f"{boot} {qemu_version()}"
    try:
        known = json.loads(cache.read_text())
    except (FileNotFoundError, ValueError):
        known = {}
    if key not in known:
        known = {key: kvm_boots(kernel)}
        RIG.mkdir(parents=True, exist_ok=True)
        cache.write_text(json.dumps(known))
    return (KVM, "kvm") if known[key] else (TCG, "tcg")
