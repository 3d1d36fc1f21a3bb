/* SPDX-License-Identifier: MPL-2.0 */
/* Copyright 2026 The Nereid authors */
/* Other processes, namespaces, priorities, keys. Process numbers of the node come from the test. */
#include <fcntl.h>
#include <linux/capability.h>
#include <linux/ioprio.h>
#include <linux/keyctl.h>
#include <linux/sched.h>
#include <linux/nsfs.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/shm.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "probe.h"

/* A number no zone of these tests gets to. */
static pid_t
foreign(void)
{
	long pid = given_number("PROBE_PID");

	return pid > 0 ? (pid_t)pid : 4194000;
}

static int kill_node(void) { return TRY(kill(foreign(), 0)); }
static int ptrace_node(void) { return TRY(ptrace(PTRACE_SEIZE, foreign(), NULL, NULL)); }
static int pidfd_node(void) { return TRY(syscall(SYS_pidfd_open, foreign(), 0)); }

static int
read_node_memory(void)
{
	char byte;
	struct iovec mine = { .iov_base = &byte, .iov_len = 1 };
	struct iovec theirs = { .iov_base = &byte, .iov_len = 1 };

	return TRY(process_vm_readv(foreign(), &mine, 1, &theirs, 1, 0));
}

static int
proc_of_node(void)
{
	char path[64];

	(void)snprintf(path, sizeof(path), "/proc/%d/status", (int)foreign());
	return opens(path, O_RDONLY);
}

static int setprio_node(void) { return TRY(setpriority(PRIO_PROCESS, (id_t)foreign(), 5)); }

static int
prlimit_node(void)
{
	struct rlimit rl;

	return TRY(prlimit(foreign(), RLIMIT_NOFILE, NULL, &rl));
}

static int
parent_of(const char *ns)
{
	int fd = open(ns, O_RDONLY | O_CLOEXEC);

	return fd < 0 ? errno : TRY(ioctl(fd, NS_GET_PARENT));
}

static int parent_userns(void) { return parent_of("/proc/1/ns/user"); }
static int parent_pidns(void) { return parent_of("/proc/1/ns/pid"); }

/* Whoever owns the time namespace may set the clocks of the zone; the node made it. */
static int
owner_of_time(void)
{
	int fd = open("/proc/1/ns/time", O_RDONLY | O_CLOEXEC);

	return fd < 0 ? errno : TRY(ioctl(fd, NS_GET_USERNS));
}

static int
other_time(void)
{
	int fd = open("/proc/1/ns/time", O_RDONLY | O_CLOEXEC);

	return fd < 0 ? errno : TRY(setns(fd, CLONE_NEWTIME));
}

static int unshare_user(void) { return TRY(unshare(CLONE_NEWUSER)); }

static int
clone_user(void)
{
	long pid = syscall(SYS_clone, (long)(CLONE_NEWUSER | SIGCHLD), NULL, NULL, NULL, 0L);

	if (pid == 0)
		_exit(0);
	return TRY(pid);
}

static int
clone3_user(void)
{
	struct clone_args args = { .flags = CLONE_NEWUSER, .exit_signal = SIGCHLD };
	long pid = syscall(SYS_clone3, &args, sizeof(args));

	if (pid == 0)
		_exit(0);
	return TRY(pid);
}

static int unshare_net(void) { return TRY(unshare(CLONE_NEWNET)); }

static int
realtime(int policy)
{
	const struct sched_param p = { .sched_priority = 1 };

	return TRY(sched_setscheduler(0, policy, &p));
}

static int sched_fifo(void) { return realtime(SCHED_FIFO); }
static int sched_rr(void) { return realtime(SCHED_RR); }

static int
sched_deadline(void)
{
	struct {
		uint32_t size, policy;
		uint64_t flags;
		int32_t nice;
		uint32_t priority;
		uint64_t runtime, deadline, period;
	} attr = { .size = 48, .policy = 6, .runtime = 1000000, .deadline = 10000000, .period = 10000000 };

	return TRY(syscall(SYS_sched_setattr, 0, &attr, 0));
}

static int nice_up(void) { return TRY(setpriority(PRIO_PROCESS, 0, -5)); }
static int io_realtime(void) { return TRY(syscall(SYS_ioprio_set, IOPRIO_WHO_PROCESS, 0, IOPRIO_PRIO_VALUE(IOPRIO_CLASS_RT, 0))); }
static int oom_spared(void) { return writes("/proc/self/oom_score_adj", "-1"); }

static int
raise_limit(__rlimit_resource_t what)
{
	struct rlimit rl;

	if (getrlimit(what, &rl) < 0)
		return errno;
	if (rl.rlim_max == RLIM_INFINITY)
		return 0;
	rl.rlim_max++;
	return TRY(setrlimit(what, &rl));
}

static int limit_files(void) { return raise_limit(RLIMIT_NOFILE); }
static int limit_rtprio(void) { return raise_limit(RLIMIT_RTPRIO); }
static int limit_nice(void) { return raise_limit(RLIMIT_NICE); }
static int limit_msgqueue(void) { return raise_limit(RLIMIT_MSGQUEUE); }

/* A capability that no zone has. */
static int
raise_cap(int cap)
{
	struct __user_cap_header_struct head = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct data[2];

	if (syscall(SYS_capget, &head, data) < 0)
		return errno;
	data[cap / 32].permitted |= 1u << (cap % 32);
	data[cap / 32].effective |= 1u << (cap % 32);
	return TRY(syscall(SYS_capset, &head, data));
}

static int cap_module(void) { return raise_cap(CAP_SYS_MODULE); }
static int cap_rawio(void) { return raise_cap(CAP_SYS_RAWIO); }
static int cap_bpf(void) { return raise_cap(CAP_BPF); }
static int cap_syslog(void) { return raise_cap(CAP_SYSLOG); }

/* It would still be in the bounding set. */
static int
cap_bound(void)
{
	static const int never[] = { CAP_SYS_MODULE, CAP_SYS_RAWIO, CAP_SYS_TIME, CAP_MAC_ADMIN, CAP_MAC_OVERRIDE,
				     CAP_AUDIT_CONTROL, CAP_AUDIT_READ, CAP_WAKE_ALARM, CAP_BLOCK_SUSPEND,
				     CAP_BPF, CAP_PERFMON, CAP_CHECKPOINT_RESTORE, CAP_SYSLOG };

	for (size_t i = 0; i < COUNT(never); i++)
		if (prctl(PR_CAPBSET_READ, never[i]) == 1)
			return 0;
	return ENODATA;
}

/* Who enters a zone brings three descriptors and no more. */
static int
descriptors(void)
{
	const int mine = (int)given_number("PROBE_FDS");

	for (int fd = 3; fd < 1024; fd++) {
		char path[64], what[256];
		ssize_t n;

		(void)snprintf(path, sizeof(path), "/proc/%d/fd/%d", (int)getppid(), fd);
		n = readlink(path, what, sizeof(what) - 1);
		if (n < 0)
			continue;
		what[n] = '\0';
		/* The pipe this attempt itself answers on. */
		if (strncmp(what, "pipe:", 5) != 0 || mine > 0)
			return 0;
	}
	return ENODATA;
}

static int
read_key(void)
{
	char text[64];

	return TRY(syscall(SYS_keyctl, KEYCTL_READ, given_number("PROBE_KEY"), text, (long)sizeof(text)));
}

static int
describe_key(void)
{
	char text[256];

	return TRY(syscall(SYS_keyctl, KEYCTL_DESCRIBE, given_number("PROBE_KEY"), text, (long)sizeof(text)));
}

static int link_key(void) { return TRY(syscall(SYS_keyctl, KEYCTL_LINK, given_number("PROBE_KEY"), -3L)); }
static int search_key(void) { return TRY(syscall(SYS_keyctl, KEYCTL_SEARCH, -4L, "user", "nereid-probe", 0L)); }
static int revoke_key(void) { return TRY(syscall(SYS_keyctl, KEYCTL_REVOKE, given_number("PROBE_KEY"))); }
/* Would run a program on the node. */
static int key_upcall(void) { return TRY(syscall(SYS_request_key, "user", "nereid-nosuch", "x", -4L)); }

static int
shm_of_node(void)
{
	return TRY(shmget((key_t)given_number("PROBE_SHM"), 0, 0));
}

/* Pushing characters into the terminal one was let in by. */
static int
tiocsti(void)
{
	return TRY(ioctl(0, TIOCSTI, "x"));
}

static int
tioclinux(void)
{
	char cmd = 3; /* paste the selection */

	return TRY(ioctl(0, TIOCLINUX, &cmd));
}

static int
own_core(void)
{
	const struct rlimit rl = { .rlim_cur = RLIM_INFINITY, .rlim_max = RLIM_INFINITY };
	int status = 0;
	pid_t pid;

	if (chdir("/tmp") < 0 || setrlimit(RLIMIT_CORE, &rl) < 0)
		return errno;
	pid = fork();
	if (pid == 0) {
		(void)signal(SIGSEGV, SIG_DFL);
		(void)raise(SIGSEGV);
	}
	(void)waitpid(pid, &status, 0);
	return WIFSIGNALED(status) && WCOREDUMP(status) ? 0 : ENODATA;
}

const struct attempt attempts_processes[] = {
	{ "kill_node", kill_node, 0 }, { "ptrace_node", ptrace_node, 0 }, { "pidfd_node", pidfd_node, 0 },
	{ "read_node_memory", read_node_memory, 0 }, { "proc_of_node", proc_of_node, 0 },
	{ "setpriority_node", setprio_node, 0 }, { "prlimit_node", prlimit_node, 0 },
	{ "parent_userns", parent_userns, 0 }, { "parent_pidns", parent_pidns, 0 },
	{ "owner_of_time", owner_of_time, 0 }, { "other_time", other_time, 0 },
	{ "unshare_user", unshare_user, HARMLESS }, { "clone_user", clone_user, HARMLESS },
	{ "clone3_user", clone3_user, HARMLESS }, { "unshare_net", unshare_net, HARMLESS },
	{ "sched_fifo", sched_fifo, HARMLESS }, { "sched_rr", sched_rr, HARMLESS },
	{ "sched_deadline", sched_deadline, HARMLESS }, { "nice_up", nice_up, HARMLESS },
	{ "io_realtime", io_realtime, HARMLESS }, { "oom_spared", oom_spared, HARMLESS },
	{ "limit_files", limit_files, HARMLESS }, { "limit_rtprio", limit_rtprio, HARMLESS },
	{ "limit_nice", limit_nice, HARMLESS }, { "limit_msgqueue", limit_msgqueue, HARMLESS },
	{ "cap_module", cap_module, HARMLESS }, { "cap_rawio", cap_rawio, HARMLESS },
	{ "cap_bpf", cap_bpf, HARMLESS }, { "cap_syslog", cap_syslog, HARMLESS },
	{ "cap_bound", cap_bound, HARMLESS }, { "descriptors", descriptors, 0 },
	{ "read_key", read_key, 0 }, { "describe_key", describe_key, 0 }, { "link_key", link_key, 0 },
	{ "search_key", search_key, 0 }, { "revoke_key", revoke_key, 0 }, { "key_upcall", key_upcall, 0 },
	{ "shm_of_node", shm_of_node, 0 }, { "tiocsti", tiocsti, 0 }, { "tioclinux", tioclinux, 0 },
	{ "own_core", own_core, 0 },
	{ NULL },
};
