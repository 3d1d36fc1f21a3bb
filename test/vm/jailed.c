/* SPDX-License-Identifier: MPL-2.0 */
/* Copyright 2026 The Nereid authors */

/*
 * In the place of a guest's QEMU: takes QEMU's last steps (an empty root, another user) and then tries what code that has taken
 * QEMU over would. A line each on standard error: what, and "done" or the error's name. The descriptors it was handed come first.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/bpf.h>
#include <linux/io_uring.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/capability.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

static void
tell(const char *what, long r)
{
	(void)dprintf(2, "try %s: %s\n", what, r >= 0 ? "done" : strerrorname_np(errno));
}

#define TRY(what, call) (errno = 0, tell(what, (long)(call)))

static void
tell_handed(void)
{
	for (int fd = 3; fd < 1024; fd++) {
		struct stat st;

		if (fstat(fd, &st) == 0)
			(void)dprintf(2, "handed %d %s\n", fd, S_ISCHR(st.st_mode) ? "char" : S_ISBLK(st.st_mode) ? "block" :
					      S_ISSOCK(st.st_mode) ? "socket" : S_ISREG(st.st_mode) ? "file" : "other");
	}
}

/* As -run-with chroot=/var/empty,user=1:1. */
static void
become_nobody(void)
{
	gid_t group = 1;

	if (chroot("/var/empty") < 0 || chdir("/") < 0 || setgid(1) < 0 || setgroups(1, &group) < 0 || setuid(1) < 0) {
		(void)dprintf(2, "cannot become nobody: %s\n", strerrorname_np(errno));
		_exit(1);
	}
}

static long
capabilities(void)
{
	char line[128];
	FILE *f = fopen("/proc/self/status", "re");

	/* There is no /proc either: the bounding set is asked for one by one. */
	if (f != NULL && fgets(line, sizeof(line), f) != NULL)
		return 0;
	errno = ENOENT;
	return -1;
}

static void
files(void)
{
	TRY("open /", open("/", O_RDONLY));
	TRY("make a file", open("/x", O_WRONLY | O_CREAT, 0600));
	TRY("open /etc/passwd", open("/etc/passwd", O_RDONLY));
	TRY("open ../../../etc/passwd", open("../../../etc/passwd", O_RDONLY));
	TRY("read /proc/self/status", capabilities());
	TRY("open /dev/kvm by name", open("/dev/kvm", O_RDWR));
	TRY("make a device", mknod("/zd0", S_IFBLK | 0600, makedev(230, 0)));
	TRY("make a directory", mkdir("/d", 0700));
	TRY("chroot again", chroot("/"));
	TRY("leave by fchdir", syscall(SYS_fchdir, 0));
	TRY("open by handle", syscall(SYS_open_by_handle_at, AT_FDCWD, NULL, O_RDONLY));
	TRY("link", syscall(SYS_linkat, AT_FDCWD, "/x", AT_FDCWD, "/y", 0));
	TRY("inotify", syscall(SYS_inotify_init1, 0));
}

static void
users(void)
{
	TRY("become root", setuid(0));
	TRY("become group 0", setgid(0));
	TRY("become another user", setresuid(2, 2, 2));
	TRY("set the hostname", syscall(SYS_sethostname, "x", 1UL));
	TRY("a new user namespace", syscall(SYS_unshare, CLONE_NEWUSER));
	TRY("a new mount namespace", syscall(SYS_unshare, CLONE_NEWNS));
	TRY("enter a namespace", syscall(SYS_setns, 0, 0));
	TRY("mount", syscall(SYS_mount, "none", "/", "tmpfs", 0UL, NULL));
	TRY("a new mount", syscall(SYS_fsopen, "tmpfs", 0));
	TRY("keep capabilities", prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, CAP_SYS_CHROOT, 0, 0));
}

static void
processes(void)
{
	char *const argv[] = { "/usr/bin/true", NULL };

	TRY("fork", syscall(SYS_fork));
	TRY("clone a process", syscall(SYS_clone, SIGCHLD, NULL, NULL, NULL, NULL));
	TRY("clone into a namespace", syscall(SYS_clone, CLONE_NEWUSER | CLONE_THREAD | CLONE_SIGHAND | CLONE_VM, NULL, NULL, NULL, NULL));
	TRY("run a program", execv("/usr/bin/true", argv));
	TRY("run a program by descriptor", syscall(SYS_execveat, 0, "", argv, NULL, AT_EMPTY_PATH));
	TRY("signal all", syscall(SYS_kill, -1, 0));
	TRY("trace", syscall(SYS_ptrace, PTRACE_ATTACH, 1L, NULL, NULL));
	TRY("read another's memory", syscall(SYS_process_vm_readv, 1, NULL, 0UL, NULL, 0UL, 0UL));
	TRY("take a descriptor of another", syscall(SYS_pidfd_open, 1, 0));
}

static void
kernel(void)
{
	union bpf_attr attr = { .map_type = BPF_MAP_TYPE_ARRAY, .key_size = 4, .value_size = 4, .max_entries = 1 };
	const struct sockaddr_un elsewhere = { .sun_family = AF_UNIX, .sun_path = "/run/systemd/private" };
	struct io_uring_params ring = { 0 };
	int pair[2] = { -1, -1 };

	TRY("a socket of IPv4", syscall(SYS_socket, AF_INET, SOCK_DGRAM, 0));
	TRY("a socket of the kernel", syscall(SYS_socket, AF_NETLINK, SOCK_RAW, 0));
	TRY("a socket of packets", syscall(SYS_socket, AF_PACKET, SOCK_RAW, 0));
	TRY("a unix socket", syscall(SYS_socket, AF_UNIX, SOCK_STREAM, 0));
	TRY("a pair of unix sockets", syscall(SYS_socketpair, AF_UNIX, SOCK_STREAM, 0, pair));
	TRY("a pair of other sockets", syscall(SYS_socketpair, AF_INET, SOCK_STREAM, 0, pair));
	TRY("connect by one of them", connect(pair[0], (const struct sockaddr *)&elsewhere, sizeof(elsewhere)));
	TRY("connect", syscall(SYS_connect, 3, NULL, 0));
	TRY("bpf", syscall(SYS_bpf, BPF_MAP_CREATE, &attr, sizeof(attr)));
	TRY("io_uring", syscall(SYS_io_uring_setup, 1, &ring));
	TRY("perf events", syscall(SYS_perf_event_open, NULL, 0, -1, -1, 0UL));
	TRY("userfaultfd", syscall(SYS_userfaultfd, 0));
	TRY("keys", syscall(SYS_keyctl, 0, 0, 0, 0, 0));
	TRY("load a module", syscall(SYS_init_module, NULL, 0UL, ""));
	TRY("kexec", syscall(SYS_kexec_load, 0UL, 0UL, NULL, 0UL));
	TRY("the kernel's log", syscall(SYS_syslog, 2, NULL, 0));
	TRY("reboot", syscall(SYS_reboot, 0, 0, 0, NULL));
	TRY("ports", syscall(SYS_iopl, 3));
	TRY("the clock", syscall(SYS_clock_settime, 0, NULL));
	TRY("swap", syscall(SYS_swapon, "/x", 0));
	TRY("a 32-bit call's door", syscall(SYS_modify_ldt, 0, NULL, 0UL));
	TRY("messages of System V", syscall(SYS_msgget, 0, 0600 | 01000));
	TRY("another personality", syscall(SYS_personality, 0x0400000UL));
}

int
main(void)
{
	tell_handed();
	become_nobody();
	for (int c = 0; c < 64; c++)
		if (prctl(PR_CAPBSET_READ, c, 0, 0, 0) == 1)
			(void)dprintf(2, "bounded %d\n", c);
	files();
	users();
	processes();
	kernel();
	(void)dprintf(2, "tried\n");
	return 0;
}
