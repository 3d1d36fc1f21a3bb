/* SPDX-License-Identifier: MPL-2.0 */
/* Copyright 2026 The Nereid authors */
#include "zone/filter.h"

#include <fcntl.h>
#include <linux/userfaultfd.h>
#include <sched.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/personality.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "nrd-test.h"

struct call {
	const char *what;
	long nr;
	long args[3];
	int want; /* errno; 0: the filter lets it through, whatever the kernel says then */
};

#define UNTOUCHED 0

static const struct call calls[] = {
	{ "bpf", SYS_bpf, { 0 }, EPERM },
	{ "perf_event_open", SYS_perf_event_open, { 0 }, EPERM },
	{ "kexec_load", SYS_kexec_load, { 0 }, EPERM },
	{ "init_module", SYS_init_module, { 0 }, EPERM },
	{ "open_by_handle_at", SYS_open_by_handle_at, { -1, 0, 0 }, EPERM },
	{ "syslog", SYS_syslog, { 3, 0, 0 }, EPERM },
	{ "settimeofday", SYS_settimeofday, { 0 }, EPERM },
	{ "swapon", SYS_swapon, { 0 }, EPERM },
	{ "io_uring_setup", SYS_io_uring_setup, { 1, 0, 0 }, ENOSYS },
	{ "clone3", SYS_clone3, { 0 }, ENOSYS },
	{ "a call of the future", 999, { 0 }, ENOSYS },
	{ "vsock", SYS_socket, { AF_VSOCK, SOCK_STREAM, 0 }, EAFNOSUPPORT },
	{ "alg", SYS_socket, { AF_ALG, SOCK_SEQPACKET, 0 }, EAFNOSUPPORT },
	{ "kernel faults by userfaultfd", SYS_userfaultfd, { 0 }, ENOSYS },
	{ "a user namespace", SYS_unshare, { CLONE_NEWUSER, 0, 0 }, EPERM },
	{ "pushing input", SYS_ioctl, { 0, TIOCSTI, 0 }, EPERM },
	{ "pushing input, upper half set", SYS_ioctl, { 0, (1L << 32) | TIOCSTI, 0 }, EPERM },
	{ "an odd personality", SYS_personality, { PER_SVR4, 0, 0 }, ENOSYS },
	{ "unix", SYS_socket, { AF_UNIX, SOCK_STREAM, 0 }, UNTOUCHED },
	{ "getpid", SYS_getpid, { 0 }, UNTOUCHED },
	{ "unshare of nothing", SYS_unshare, { 0 }, UNTOUCHED },
};

static struct zone_filter filter;

static int
in_child(const struct call *c)
{
	int status = 0;
	pid_t pid = fork();

	if (pid == 0) {
		struct nrd_err err = { 0 };
		long r;

		/* Not root's way, but it is the same filter. */
		(void)prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
		if (zone_filter_install(&filter, &err) < 0)
			_exit(250);
		r = syscall(c->nr, c->args[0], c->args[1], c->args[2], NULL);
		_exit(r < 0 ? errno : 0);
	}
	CHECK(waitpid(pid, &status, 0) == pid);
	CHECK(WIFEXITED(status));
	return WEXITSTATUS(status);
}

static void
make(bool lx)
{
	const struct zone_config config = { .brand = lx ? ZONE_LX : ZONE_NATIVE };
	struct nrd_err err = { 0 };

	CHECK_OK(zone_filter_make(&config, &filter, &err), err);
	CHECK(filter.n > 50);
}

static void
every_call_as_it_should_be(void)
{
	for (int lx = 0; lx < 2; lx++) {
		make(lx == 1);
		for (size_t i = 0; i < sizeof(calls) / sizeof(calls[0]); i++) {
			int got = in_child(&calls[i]);

			if (got != calls[i].want)
				test_fail(__FILE__, __LINE__, "%s: got %d, want %d", calls[i].what, got,
					  calls[i].want);
		}
		zone_filter_fini(&filter);
	}
}

static void
nesting_allows_namespaces(void)
{
	const struct zone_config config = { .brand = ZONE_LX, .nesting = true };
	const struct call unshare_user = { "", SYS_unshare, { CLONE_NEWUSER, 0, 0 }, 0 };
	struct nrd_err err = { 0 };
	int got;

	CHECK_OK(zone_filter_make(&config, &filter, &err), err);
	got = in_child(&unshare_user);
	/* In a chroot the kernel itself says EPERM; the filter's answer would be the same. */
	CHECK(got == 0 || got == EPERM);
	CHECK_INT(in_child(&(struct call){ "", SYS_clone3, { 0 }, 0 }), EINVAL);
	zone_filter_fini(&filter);
}

/* A guest's QEMU makes threads, and neither processes nor sockets but pairs of them. */
static void
a_guest_can_little(void)
{
	/* The kernel's own answer is EFAULT: there is no place for the pair. */
	static const struct call guests[] = {
		{ "socket", SYS_socket, { AF_UNIX, SOCK_STREAM, 0 }, ENOSYS }, { "connect", SYS_connect, { 0 }, ENOSYS },
		{ "fork", SYS_fork, { 0 }, ENOSYS },			       { "clone", SYS_clone, { SIGCHLD, 0, 0 }, ENOSYS },
		{ "clone3", SYS_clone3, { 0 }, ENOSYS },		       { "ptrace", SYS_ptrace, { 0 }, ENOSYS },
		{ "kill", SYS_kill, { 0, 0, 0 }, ENOSYS },		       { "mount", SYS_mount, { 0 }, ENOSYS },
		{ "unshare", SYS_unshare, { 0 }, ENOSYS },		       { "bpf", SYS_bpf, { 0 }, ENOSYS },
		{ "setns", SYS_setns, { 0 }, ENOSYS },			       { "getpid", SYS_getpid, { 0 }, UNTOUCHED },
		{ "eventfd", SYS_eventfd2, { 0 }, UNTOUCHED },		       { "pair", SYS_socketpair, { AF_UNIX, SOCK_STREAM, 0 }, EFAULT },
		{ "other pair", SYS_socketpair, { AF_INET, SOCK_STREAM, 0 }, ENOSYS },
	};
	const struct zone_config config = { .brand = ZONE_KVM };
	struct nrd_err err = { 0 };

	CHECK_OK(zone_filter_make(&config, &filter, &err), err);
	for (size_t i = 0; i < sizeof(guests) / sizeof(guests[0]); i++) {
		int got = in_child(&guests[i]);

		if (got != guests[i].want)
			test_fail(__FILE__, __LINE__, "%s: got %d, want %d", guests[i].what, got, guests[i].want);
	}
	zone_filter_fini(&filter);
}

TEST_MAIN(every_call_as_it_should_be, nesting_allows_namespaces, a_guest_can_little)
