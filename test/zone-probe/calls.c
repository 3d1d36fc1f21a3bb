/* SPDX-License-Identifier: MPL-2.0 */
/* Copyright 2026 The Nereid authors */
/* System calls that act on the whole node. Where that is possible with arguments that do no harm. */
#include <fcntl.h>
#include <linux/bpf.h>
#include <linux/io_uring.h>
#include <linux/perf_event.h>
#include <linux/reboot.h>
#include <sched.h>
#include <stdint.h>
#include <sys/io.h>
#include <sys/fanotify.h>
#include <sys/personality.h>
#include <sys/swap.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/timex.h>
#include <time.h>
#include <unistd.h>

#include "probe.h"

#define X32 0x40000000L

static int init_module_(void) { return TRY(syscall(SYS_init_module, NULL, 0L, "")); }
static int finit_module_(void) { return TRY(syscall(SYS_finit_module, -1, "", 0)); }
static int delete_module_(void) { return TRY(syscall(SYS_delete_module, "nosuchmodule", O_NONBLOCK)); }

static int
bpf_map(void)
{
	union bpf_attr attr = { .map_type = BPF_MAP_TYPE_ARRAY, .key_size = 4, .value_size = 4, .max_entries = 1 };

	return TRY(syscall(SYS_bpf, BPF_MAP_CREATE, &attr, sizeof(attr)));
}

/* The ids of what the node has loaded. */
static int
bpf_spy(void)
{
	union bpf_attr attr = { 0 };

	return TRY(syscall(SYS_bpf, BPF_PROG_GET_NEXT_ID, &attr, sizeof(attr)));
}

static int kexec(void) { return TRY(syscall(SYS_kexec_load, 0L, 0L, NULL, 0L)); }
static int kexec_file(void) { return TRY(syscall(SYS_kexec_file_load, -1, -1, 0L, NULL, 0L)); }

/* Microseconds that no second has: whoever may set the time gets as far as EINVAL. */
static int
settimeofday_(void)
{
	const struct timeval never = { .tv_sec = 0, .tv_usec = 2000000 };

	return TRY(syscall(SYS_settimeofday, &never, NULL));
}

static int
clock_settime_(void)
{
	const struct timespec never = { .tv_sec = 0, .tv_nsec = -1 };

	return TRY(syscall(SYS_clock_settime, CLOCK_REALTIME, &never));
}

static int
adjtimex_(void)
{
	struct timex t = { 0 };

	t.modes = ADJ_TICK;
	t.tick = 10000; /* what it is */
	return TRY(syscall(SYS_adjtimex, &t));
}

static int
clock_adjtime_(void)
{
	struct timex t = { .modes = ADJ_TICK, .tick = 10000 };

	return TRY(syscall(SYS_clock_adjtime, CLOCK_REALTIME, &t));
}

static int swapon_(void) { return TRY(swapon("/dev/zero", 0)); }
static int swapoff_(void) { return TRY(swapoff("/dev/zero")); }
static int acct_(void) { return TRY(syscall(SYS_acct, NULL)); }
static int quotactl_(void) { return TRY(syscall(SYS_quotactl, 0x800001, NULL, 0, NULL)); }

static int
perf(void)
{
	struct perf_event_attr attr = { .type = PERF_TYPE_SOFTWARE, .size = sizeof(attr), .config = PERF_COUNT_SW_CPU_CLOCK };

	return TRY(syscall(SYS_perf_event_open, &attr, 0, -1, -1, 0));
}

static int
syslog_(void)
{
	char text[256];

	return TRY(syscall(SYS_syslog, 3, text, (long)sizeof(text)));
}

static int syslog_clear(void) { return TRY(syscall(SYS_syslog, 5, NULL, 0L)); }

static int
reboot_as(unsigned cmd)
{
	return TRY(syscall(SYS_reboot, LINUX_REBOOT_MAGIC1, LINUX_REBOOT_MAGIC2, cmd, ""));
}

static int reboot_cad(void) { return reboot_as(LINUX_REBOOT_CMD_CAD_ON); }
static int reboot_kexec(void) { return reboot_as(LINUX_REBOOT_CMD_KEXEC); }
static int reboot_suspend(void) { return reboot_as(LINUX_REBOOT_CMD_SW_SUSPEND); }

static int
io_uring(void)
{
	struct io_uring_params p = { 0 };

	return TRY(syscall(SYS_io_uring_setup, 1, &p));
}

static int userfaultfd_kernel(void) { return TRY(syscall(SYS_userfaultfd, O_CLOEXEC)); }
static int userfaultfd_user(void) { return TRY(syscall(SYS_userfaultfd, O_CLOEXEC | 1)); }
static int iopl_(void) { return TRY(syscall(SYS_iopl, 3)); }
static int ioperm_(void) { return TRY(syscall(SYS_ioperm, 0x80L, 1L, 1)); }

static int
by_handle(void)
{
	struct {
		struct file_handle head;
		char room[128];
	} h = { .head = { .handle_bytes = 128 } };
	int mount_id, dir;

	if (name_to_handle_at(AT_FDCWD, given("PROBE_HANDLE", "/"), &h.head, &mount_id, 0) < 0)
		return errno;
	dir = open(given("PROBE_HANDLE", "/"), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return TRY(open_by_handle_at(dir, &h.head, O_RDONLY | O_CLOEXEC));
}

static int lookup_dcookie(void) { return TRY(syscall(SYS_lookup_dcookie, 0L, NULL, 0L)); }
static int fanotify_permission(void) { return TRY(fanotify_init(FAN_CLASS_CONTENT, O_RDONLY)); }
static int odd_personality(void) { return TRY(syscall(SYS_personality, (long)PER_SVR4)); }
static int x32_getpid(void) { return TRY(syscall(X32 | SYS_getpid)); }
static int x32_ioctl(void) { return TRY(syscall(X32 | 514, 0, 0x5412L, "x")); }
static int future_call(void) { return TRY(syscall(999)); }
static int sysfs_call(void) { return TRY(syscall(SYS_sysfs, 3)); }

/* As a 32-bit program calls, which 64-bit ones can as well. */
static int
i386_getpid(void)
{
	long r = 20;

	__asm__ volatile("int $0x80" : "+a"(r) : : "memory", "cc", "r8", "r9", "r10", "r11");
	return r < 0 ? (int)-r : 0;
}

const struct attempt attempts_calls[] = {
	{ "init_module", init_module_, HARMLESS },
	{ "finit_module", finit_module_, HARMLESS },
	{ "delete_module", delete_module_, HARMLESS },
	{ "bpf_map", bpf_map, HARMLESS },
	{ "bpf_spy", bpf_spy, HARMLESS },
	{ "kexec_load", kexec, HARMLESS },
	{ "kexec_file_load", kexec_file, HARMLESS },
	{ "settimeofday", settimeofday_, HARMLESS },
	{ "clock_settime", clock_settime_, HARMLESS },
	{ "adjtimex", adjtimex_, HARMLESS },
	{ "clock_adjtime", clock_adjtime_, HARMLESS },
	{ "swapon", swapon_, HARMLESS },
	{ "swapoff", swapoff_, HARMLESS },
	{ "acct", acct_, HARMLESS },
	{ "quotactl", quotactl_, HARMLESS },
	{ "perf_event_open", perf, HARMLESS },
	{ "syslog", syslog_, HARMLESS },
	{ "syslog_clear", syslog_clear, 0 },
	{ "reboot_ctrl_alt_del", reboot_cad, 0 },
	{ "reboot_kexec", reboot_kexec, 0 },
	{ "reboot_suspend", reboot_suspend, 0 },
	{ "io_uring", io_uring, HARMLESS },
	{ "userfaultfd_kernel", userfaultfd_kernel, HARMLESS },
	{ "userfaultfd_user", userfaultfd_user, HARMLESS },
	{ "iopl", iopl_, HARMLESS },
	{ "ioperm", ioperm_, HARMLESS },
	{ "open_by_handle_at", by_handle, HARMLESS },
	{ "lookup_dcookie", lookup_dcookie, 0 },
	{ "fanotify_permission", fanotify_permission, HARMLESS },
	{ "odd_personality", odd_personality, HARMLESS },
	{ "x32_getpid", x32_getpid, 0 },
	{ "x32_ioctl", x32_ioctl, 0 },
	{ "i386_getpid", i386_getpid, 0 },
	{ "future_call", future_call, 0 },
	{ "sysfs_call", sysfs_call, HARMLESS },
	{ NULL },
};
