# SPDX-License-Identifier: MPL-2.0
# Copyright 2026 The Nereid authors
"""KVM or TCG. A /dev/kvm that exists may still run nothing (nested hosts), so a kernel is booted on it once."""

import functools
import json
import os
import subprocess
import tempfile
import time
from pathlib import Path

from .errors import RigError
from .node import RIG

QEMU = os.environ.get("NEREID_QEMU", "qemu-system-x86_64")
KVM = ["-accel", "kvm", "-cpu", "host"]
TCG = ["-accel", "tcg,thread=multi", "-cpu", "max"]
PROBE_SECONDS = 15


@functools.cache
def qemu_version():
    try:
        out = subprocess.run([QEMU, "--version"], capture_output=True, text=True, check=True).stdout
    except (OSError, subprocess.CalledProcessError) as e:
        raise RigError(f"{QEMU}: {e}; install qemu-system-x86") from None
    return out.split("\n", 1)[0]


def kvm_boots(kernel):
    """Boots a kernel without a root on KVM: the panic at its end proves that it ran."""
    with tempfile.TemporaryDirectory() as tmp:
        log = Path(tmp) / "serial"
        proc = subprocess.Popen(
            [QEMU, "-machine", "q35,sata=off", *KVM, "-m", "256", "-nodefaults", "-display", "none",
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
        if forced not in ("kvm", "tcg"):
            raise RigError(f"NEREID_ACCEL={forced}: kvm or tcg")
        return (KVM, "kvm") if forced == "kvm" else (TCG, "tcg")
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
