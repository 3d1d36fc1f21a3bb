/* SPDX-License-Identifier: MPL-2.0 */
/* Copyright 2026 The Nereid authors */
/* Device nodes, and what proc, sysfs and cgroups would tell or take. */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "probe.h"

static int
node(mode_t type, unsigned major, unsigned minor, const char *path)
{
	int r = TRY(mknod(path, type | 0600, makedev(major, minor)));

	if (r == 0)
		r = opens(path, O_RDWR);
	(void)unlink(path);
	return r;
}

static int mknod_disk(void) { return node(S_IFBLK, 8, 0, "/tmp/probe-disk"); }
static int mknod_virtio(void) { return node(S_IFBLK, 254, 0, "/tmp/probe-vda"); }
static int mknod_mem(void) { return node(S_IFCHR, 1, 1, "/tmp/probe-mem"); }
static int mknod_in_dev(void) { return node(S_IFCHR, 1, 1, "/dev/probe-mem"); }
static int mknod_kvm(void) { return node(S_IFCHR, 10, 232, "/tmp/probe-kvm"); }
/* Made by the node's root in the zone's dataset, as an image might bring it: the test says where. */
static int node_of_image(void) { return opens(given("PROBE_NODE", "/probe-node"), O_RDWR); }
static int node_of_image_null(void) { return opens(given("PROBE_NULL", "/probe-null"), O_RDWR); }

#define OPENS(name, path, flags) static int name(void) { return opens(path, flags); }
#define REVEALS(name, path) static int name(void) { return reveals(path); }
#define WRITES(name, path, text) static int name(void) { return writes(path, text); }

OPENS(dev_mem, "/dev/mem", O_RDONLY)
OPENS(dev_port, "/dev/port", O_RDONLY)
OPENS(dev_kmsg, "/dev/kmsg", O_RDONLY)
OPENS(dev_vda, "/dev/vda", O_RDONLY)
OPENS(dev_loop, "/dev/loop-control", O_RDWR)
OPENS(dev_mapper, "/dev/mapper/control", O_RDWR)
OPENS(dev_kvm, "/dev/kvm", O_RDWR)
OPENS(dev_fuse, "/dev/fuse", O_RDWR)
OPENS(dev_tun, "/dev/net/tun", O_RDWR)
OPENS(dev_zfs, "/dev/zfs", O_RDWR)
OPENS(dev_vhost, "/dev/vhost-net", O_RDWR)
OPENS(dev_hwrng, "/dev/hwrng", O_RDONLY)

REVEALS(proc_kallsyms, "/proc/kallsyms")
REVEALS(proc_kcore, "/proc/kcore")
REVEALS(proc_kmsg, "/proc/kmsg")
REVEALS(proc_keys, "/proc/keys")
REVEALS(proc_key_users, "/proc/key-users")
REVEALS(proc_interrupts, "/proc/interrupts")
REVEALS(proc_iomem, "/proc/iomem")
REVEALS(proc_ioports, "/proc/ioports")
REVEALS(proc_timer_list, "/proc/timer_list")
REVEALS(proc_schedstat, "/proc/schedstat")
REVEALS(proc_slabinfo, "/proc/slabinfo")
REVEALS(proc_modules, "/proc/modules")
REVEALS(proc_partitions, "/proc/partitions")
REVEALS(proc_cmdline, "/proc/cmdline")
REVEALS(proc_buddyinfo, "/proc/buddyinfo")
REVEALS(proc_pagetypeinfo, "/proc/pagetypeinfo")
REVEALS(proc_zoneinfo, "/proc/zoneinfo")
REVEALS(proc_softirqs, "/proc/softirqs")
REVEALS(proc_devices, "/proc/devices")
REVEALS(proc_misc, "/proc/misc")
REVEALS(proc_vmallocinfo, "/proc/vmallocinfo")
REVEALS(proc_kpageflags, "/proc/kpageflags")
REVEALS(proc_spl, "/proc/spl")
REVEALS(proc_fs, "/proc/fs")
REVEALS(proc_irq, "/proc/irq")
REVEALS(proc_bus, "/proc/bus")
REVEALS(proc_acpi, "/proc/acpi")
REVEALS(proc_driver, "/proc/driver")
REVEALS(proc_pressure, "/proc/pressure")
REVEALS(sys_firmware, "/sys/firmware")
REVEALS(sys_module, "/sys/module")
REVEALS(sys_block, "/sys/block")
REVEALS(sys_bus, "/sys/bus")
REVEALS(sys_power, "/sys/power")
REVEALS(sys_dmi, "/sys/class/dmi/id/product_name")
REVEALS(sys_dmi_device, "/sys/devices/virtual/dmi/id/product_name")
REVEALS(sys_thermal, "/sys/class/thermal")
REVEALS(sys_powercap, "/sys/devices/virtual/powercap")
REVEALS(sys_pci, "/sys/devices/pci0000:00")
REVEALS(sys_acpi, "/sys/devices/LNXSYSTM:00")
REVEALS(sys_class_block, "/sys/class/block")
REVEALS(sys_debug, "/sys/kernel/debug")
REVEALS(sys_tracing, "/sys/kernel/tracing")
REVEALS(sys_security, "/sys/kernel/security")
REVEALS(sys_btf, "/sys/kernel/btf/vmlinux")
REVEALS(sys_slab, "/sys/kernel/slab")
REVEALS(sys_notes, "/sys/kernel/notes")
REVEALS(sys_bpf, "/sys/fs/bpf")
REVEALS(sys_pstore, "/sys/fs/pstore")
REVEALS(sys_edac, "/sys/devices/system/edac")

WRITES(sysrq, "/proc/sysrq-trigger", "h")
WRITES(core_pattern, "/proc/sys/kernel/core_pattern", "core")
WRITES(modprobe_path, "/proc/sys/kernel/modprobe", "/sbin/modprobe")
WRITES(sysrq_mask, "/proc/sys/kernel/sysrq", "1")
WRITES(panic_sysctl, "/proc/sys/kernel/panic", "10")
WRITES(drop_caches, "/proc/sys/vm/drop_caches", "1")
WRITES(overcommit, "/proc/sys/vm/overcommit_memory", "0")
WRITES(file_max, "/proc/sys/fs/file-max", "1000")
WRITES(protected_links, "/proc/sys/fs/protected_symlinks", "0")
WRITES(bpf_jit, "/proc/sys/net/core/bpf_jit_enable", "1")
WRITES(ptrace_scope, "/proc/sys/kernel/yama/ptrace_scope", "0")
WRITES(dmesg_restrict, "/proc/sys/kernel/dmesg_restrict", "0")
WRITES(irq_affinity, "/proc/irq/default_smp_affinity", "1")
WRITES(binfmt, "/proc/sys/fs/binfmt_misc/register", ":x:M::x::/x:")
WRITES(uevent_helper, "/sys/kernel/uevent_helper", "/x")
WRITES(sys_profiling, "/sys/kernel/profiling", "1")
WRITES(sys_mtu, "/sys/class/net/lo/mtu", "1500")
WRITES(sys_cpu_offline, "/sys/devices/system/cpu/cpu1/online", "0")
WRITES(cgroup_memory, "/sys/fs/cgroup/memory.max", "max")
WRITES(cgroup_pids, "/sys/fs/cgroup/pids.max", "max")
WRITES(cgroup_cpu, "/sys/fs/cgroup/cpu.max", "max 100000")
WRITES(cgroup_depth, "/sys/fs/cgroup/cgroup.max.depth", "max")
WRITES(cgroup_freeze, "/sys/fs/cgroup/cgroup.freeze", "0")
WRITES(cgroup_kill, "/sys/fs/cgroup/cgroup.kill", "0")
WRITES(release_agent, "/sys/fs/cgroup/release_agent", "/x")
WRITES(timens_offsets, "/proc/1/timens_offsets", "boottime 100 0\n")
WRITES(uid_map, "/proc/self/uid_map", "0 0 1\n")
REVEALS(node_release, "/proc/1/root/run/zones")
REVEALS(above_root, "/../../../run/zones")

/* Moving a process of the node's here would mean that it is seen. */
static int
cgroup_foreign(void)
{
	return writes("/sys/fs/cgroup/cgroup.procs", given("PROBE_PID", "4194000"));
}

static int
hostname_sysctl(void)
{
	return opens("/proc/sys/kernel/hostname", O_WRONLY);
}

/* Setuid root in the zone; the test looks at it from the node. */
static int
setuid_file(void)
{
	int fd = open("/probe-setuid", O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0755);

	return fd < 0 ? errno : TRY(fchmod(fd, 04755));
}

static int
file_capability(void)
{
	static const unsigned char all[20] = { 1, 0, 0, 2, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
					       0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff };
	return TRY(setxattr("/probe-setuid", "security.capability", all, sizeof(all), 0));
}

static int
shm_of_others(void)
{
	return opens("/dev/shm/nereid-probe", O_RDONLY);
}

const struct attempt attempts_files[] = {
	{ "mknod_disk", mknod_disk, HARMLESS }, { "mknod_virtio", mknod_virtio, 0 },
	{ "mknod_mem", mknod_mem, HARMLESS }, { "mknod_in_dev", mknod_in_dev, HARMLESS },
	{ "mknod_kvm", mknod_kvm, 0 }, { "node_of_image", node_of_image, 0 },
	{ "node_of_image_null", node_of_image_null, 0 },
	{ "dev_mem", dev_mem, HARMLESS }, { "dev_port", dev_port, HARMLESS },
	{ "dev_kmsg", dev_kmsg, HARMLESS }, { "dev_vda", dev_vda, HARMLESS },
	{ "dev_loop", dev_loop, HARMLESS }, { "dev_mapper", dev_mapper, 0 }, { "dev_kvm", dev_kvm, 0 },
	{ "dev_fuse", dev_fuse, HARMLESS }, { "dev_tun", dev_tun, 0 }, { "dev_zfs", dev_zfs, HARMLESS },
	{ "dev_vhost", dev_vhost, 0 }, { "dev_hwrng", dev_hwrng, 0 },
	{ "proc_kallsyms", proc_kallsyms, HARMLESS }, { "proc_kcore", proc_kcore, HARMLESS },
	{ "proc_kmsg", proc_kmsg, 0 }, { "proc_keys", proc_keys, HARMLESS },
	{ "proc_key_users", proc_key_users, HARMLESS }, { "proc_interrupts", proc_interrupts, HARMLESS },
	{ "proc_iomem", proc_iomem, HARMLESS }, { "proc_ioports", proc_ioports, HARMLESS },
	{ "proc_timer_list", proc_timer_list, HARMLESS }, { "proc_schedstat", proc_schedstat, HARMLESS },
	{ "proc_slabinfo", proc_slabinfo, HARMLESS }, { "proc_modules", proc_modules, HARMLESS },
	{ "proc_partitions", proc_partitions, HARMLESS }, { "proc_cmdline", proc_cmdline, HARMLESS },
	{ "proc_buddyinfo", proc_buddyinfo, HARMLESS },
	{ "proc_pagetypeinfo", proc_pagetypeinfo, HARMLESS },
	{ "proc_zoneinfo", proc_zoneinfo, HARMLESS }, { "proc_softirqs", proc_softirqs, HARMLESS },
	{ "proc_devices", proc_devices, HARMLESS }, { "proc_misc", proc_misc, HARMLESS },
	{ "proc_vmallocinfo", proc_vmallocinfo, HARMLESS },
	{ "proc_kpageflags", proc_kpageflags, HARMLESS }, { "proc_spl", proc_spl, HARMLESS },
	{ "proc_fs", proc_fs, HARMLESS }, { "proc_irq", proc_irq, HARMLESS },
	{ "proc_bus", proc_bus, HARMLESS }, { "proc_acpi", proc_acpi, 0 },
	{ "proc_driver", proc_driver, 0 }, { "proc_pressure", proc_pressure, HARMLESS },
	{ "sys_firmware", sys_firmware, HARMLESS }, { "sys_module", sys_module, HARMLESS },
	{ "sys_block", sys_block, HARMLESS }, { "sys_bus", sys_bus, HARMLESS },
	{ "sys_power", sys_power, HARMLESS }, { "sys_dmi", sys_dmi, HARMLESS },
	{ "sys_dmi_device", sys_dmi_device, HARMLESS }, { "sys_thermal", sys_thermal, 0 },
	{ "sys_powercap", sys_powercap, 0 }, { "sys_pci", sys_pci, HARMLESS },
	{ "sys_acpi", sys_acpi, HARMLESS }, { "sys_class_block", sys_class_block, HARMLESS },
	{ "sys_debug", sys_debug, 0 }, { "sys_tracing", sys_tracing, 0 },
	{ "sys_security", sys_security, 0 }, { "sys_btf", sys_btf, HARMLESS },
	{ "sys_slab", sys_slab, HARMLESS }, { "sys_notes", sys_notes, HARMLESS },
	{ "sys_bpf", sys_bpf, 0 }, { "sys_pstore", sys_pstore, 0 }, { "sys_edac", sys_edac, HARMLESS },
	{ "sysrq", sysrq, 0 }, { "core_pattern", core_pattern, HARMLESS },
	{ "modprobe_path", modprobe_path, 0 }, { "sysrq_mask", sysrq_mask, 0 },
	{ "panic_sysctl", panic_sysctl, 0 }, { "drop_caches", drop_caches, HARMLESS },
	{ "overcommit", overcommit, HARMLESS }, { "file_max", file_max, 0 },
	{ "protected_links", protected_links, 0 }, { "bpf_jit", bpf_jit, 0 },
	{ "ptrace_scope", ptrace_scope, 0 }, { "dmesg_restrict", dmesg_restrict, 0 },
	{ "irq_affinity", irq_affinity, 0 }, { "binfmt", binfmt, 0 },
	{ "uevent_helper", uevent_helper, 0 }, { "sys_profiling", sys_profiling, 0 },
	{ "sys_mtu", sys_mtu, 0 }, { "sys_cpu_offline", sys_cpu_offline, 0 },
	{ "cgroup_memory", cgroup_memory, 0 }, { "cgroup_pids", cgroup_pids, 0 },
	{ "cgroup_cpu", cgroup_cpu, 0 }, { "cgroup_depth", cgroup_depth, 0 },
	{ "cgroup_freeze", cgroup_freeze, 0 }, { "cgroup_kill", cgroup_kill, 0 },
	{ "release_agent", release_agent, 0 }, { "timens_offsets", timens_offsets, 0 },
	{ "uid_map", uid_map, 0 }, { "node_release", node_release, HARMLESS },
	{ "above_root", above_root, HARMLESS }, { "cgroup_foreign", cgroup_foreign, 0 },
	{ "hostname_sysctl", hostname_sysctl, HARMLESS }, { "setuid_file", setuid_file, 0 },
	{ "file_capability", file_capability, 0 }, { "shm_of_others", shm_of_others, HARMLESS },
	{ NULL },
};
