/* SPDX-License-Identifier: MPL-2.0 */
/* Copyright 2026 The Nereid authors */

/*
 * floor ROOT PROGRAM [ARGUMENT...]: the least that must be done to run a program as a zone's first
 * process, once: one clone3 into all eight namespaces, its ids, the filesystems every zone has, six
 * device nodes, six masks, pivot_root, exec, wait. No cgroup, no filter, no console, no state: what
 * `make bench` measures a zone's boot against.
 */
#include <err.h>
#include <fcntl.h>
#include <linux/sched.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define NAMESPACES                                                                                 \
	(CLONE_NEWUSER | CLONE_NEWNS | CLONE_NEWPID | CLONE_NEWNET | CLONE_NEWUTS | CLONE_NEWIPC | \
	 CLONE_NEWCGROUP | CLONE_NEWTIME)
#define IDS "0 1000000 65536"

static const struct {
	const char *type;
	const char *target;
	unsigned long flags;
	const char *data;
} filesystems[] = {
	{ "proc", "proc", MS_NOSUID | MS_NODEV | MS_NOEXEC, NULL },
	{ "sysfs", "sys", MS_NOSUID | MS_NODEV | MS_NOEXEC | MS_RDONLY, NULL },
	{ "tmpfs", "dev", MS_NOSUID, "mode=755" },
	{ "devpts", "dev/pts", MS_NOSUID | MS_NOEXEC, "newinstance,ptmxmode=0666" },
	{ "tmpfs", "dev/shm", MS_NOSUID | MS_NODEV, "mode=1777" },
	{ "tmpfs", "run", MS_NOSUID | MS_NODEV, "mode=755" },
};

static const char *const nodes[] = { "null", "zero", "full", "random", "urandom", "tty" };

static const char *const masks[] = {
	"proc/kcore", "proc/keys", "proc/timer_list", "proc/kallsyms", "proc/interrupts",
	"proc/sysrq-trigger",
};

#define count(a) (sizeof(a) / sizeof((a)[0]))

static void
put(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);

	if (fd < 0 || write(fd, text, strlen(text)) < 0)
		err(1, "%s", path);
	(void)close(fd);
}

static void
bind_on(const char *source, const char *target)
{
	if (mount(source, target, NULL, MS_BIND, NULL) < 0)
		err(1, "bind %s on %s", source, target);
}

static void
make_tree(const char *root)
{
	char from[64], to[64];

	if (mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0)
		err(1, "make the mounts private");
	bind_on(root, root);
	if (chdir(root) < 0)
		err(1, "%s", root);
	for (size_t i = 0; i < count(filesystems); i++) {
		(void)mkdir(filesystems[i].target, 0755);
		if (mount(filesystems[i].type, filesystems[i].target, filesystems[i].type,
			  filesystems[i].flags, filesystems[i].data) < 0)
			err(1, "mount %s", filesystems[i].target);
	}
	for (size_t i = 0; i < count(nodes); i++) {
		(void)snprintf(from, sizeof(from), "/dev/%s", nodes[i]);
		(void)snprintf(to, sizeof(to), "dev/%s", nodes[i]);
		if (mknod(to, S_IFREG | 0666, 0) < 0)
			err(1, "%s", to);
		bind_on(from, to);
	}
	for (size_t i = 0; i < count(masks); i++)
		if (access(masks[i], F_OK) == 0)
			bind_on("/dev/null", masks[i]);
	if (syscall(SYS_pivot_root, ".", ".") < 0 || umount2(".", MNT_DETACH) < 0 || chdir("/") < 0)
		err(1, "pivot_root");
}

int
main(int argc, char **argv)
{
	struct clone_args args = { .flags = NAMESPACES, .exit_signal = SIGCHLD };
	char path[64], go = 0;
	int pipefd[2], status = 0;
	pid_t pid;

	if (argc < 3)
		errx(2, "usage: floor ROOT PROGRAM [ARGUMENT...]");
	if (pipe2(pipefd, O_CLOEXEC) < 0)
		err(1, "pipe");
	pid = (pid_t)syscall(SYS_clone3, &args, sizeof(args));
	if (pid < 0)
		err(1, "clone3");
	if (pid == 0) {
		if (read(pipefd[0], &go, 1) != 1 || setresgid(0, 0, 0) < 0 || setresuid(0, 0, 0) < 0)
			err(1, "become root");
		make_tree(argv[1]);
		(void)execv(argv[2], argv + 2);
		err(1, "%s", argv[2]);
	}
	(void)snprintf(path, sizeof(path), "/proc/%d/uid_map", (int)pid);
	put(path, IDS);
	(void)snprintf(path, sizeof(path), "/proc/%d/gid_map", (int)pid);
	put(path, IDS);
	if (write(pipefd[1], &go, 1) != 1 || waitpid(pid, &status, 0) != pid)
		err(1, "wait");
	return WIFEXITED(status) ? WEXITSTATUS(status) : 1;
}
