/* SPDX-License-Identifier: MPL-2.0 */
/* Copyright 2026 The Nereid authors */

/*
 * What a tenant tries, as one program, so that a refusal is the kernel's and not that of a tool
 * which is not there. Each attempt runs in a process of its own and prints "NAME done 0" or
 * "NAME refused ERRNO" ("killed SIGNAL" when it was). Inside a zone:
 *	zone-probe            all attempts
 *	zone-probe -n         what is harmless to try on a node, as a control
 *	zone-probe NAME...    these
 *	zone-probe -i PID     what that process is allowed
 *	zone-probe -1 FILE    as a zone's init: writes what it is allowed, and its descriptors, and waits
 *	zone-probe -l NAME    listens on an abstract socket of that name and waits
 *	zone-probe -k TEXT    keeps TEXT in a key of the user's, prints its serial number and waits
 *	zone-probe -o PID     the id that owns that process's user namespace
 */
#include "probe.h"

#include <dirent.h>
#include <fcntl.h>
#include <linux/nsfs.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/shm.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#define LIMIT_S 60
#define SHM_KEY 77 /* the test looks for it */

static const struct attempt *const tables[] = {
	attempts_calls, attempts_files, attempts_mounts, attempts_processes, attempts_sockets,
	attempts_exhaust,
};

const char *
given(const char *name, const char *otherwise)
{
	const char *value = getenv(name);

	return value != NULL && value[0] != '\0' ? value : otherwise;
}

long
given_number(const char *name)
{
	return strtol(given(name, "0"), NULL, 10);
}

int
opens(const char *path, int flags)
{
	int fd = open(path, flags | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);

	if (fd < 0)
		return errno;
	(void)close(fd);
	return 0;
}

static int
lists(int fd)
{
	DIR *dir = fdopendir(fd);
	const struct dirent *e;

	if (dir == NULL)
		return errno;
	while ((e = readdir(dir)) != NULL)
		if (strcmp(e->d_name, ".") != 0 && strcmp(e->d_name, "..") != 0)
			break;
	(void)closedir(dir);
	return e != NULL ? 0 : ENODATA;
}

int
reveals(const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	struct stat st;
	char byte;
	ssize_t n;

	if (fd < 0 || fstat(fd, &st) < 0)
		return errno;
	if (S_ISDIR(st.st_mode))
		return lists(fd);
	n = read(fd, &byte, 1);
	(void)close(fd);
	return n < 0 ? errno : n == 0 ? ENODATA : 0;
}

int
writes(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC | O_NONBLOCK);
	int r;

	if (fd < 0)
		return errno;
	r = TRY(write(fd, text, strlen(text)));
	(void)close(fd);
	return r;
}

static void
attempt(const struct attempt *a)
{
	int result[2];
	int got = -1, status = 0;
	pid_t pid;

	if (pipe2(result, O_CLOEXEC) < 0)
		return;
	(void)fflush(stdout);
	pid = fork();
	if (pid == 0) {
		(void)setpgid(0, 0);
		(void)alarm(LIMIT_S);
		got = a->fn();
		(void)!write(result[1], &got, sizeof(got));
		_exit(0);
	}
	(void)close(result[1]);
	if (pid < 0)
		got = errno;
	else if (read(result[0], &got, sizeof(got)) != sizeof(got))
		got = -1;
	(void)close(result[0]);
	if (pid > 0) {
		(void)kill(-pid, SIGKILL);
		(void)waitpid(pid, &status, 0);
	}
	if (got < 0)
		(void)printf("%s killed %s\n", a->name, WIFSIGNALED(status) ? sigabbrev_np(WTERMSIG(status)) : "?");
	else if (got == 0)
		(void)printf("%s done 0\n", a->name);
	else
		(void)printf("%s refused %s\n", a->name, strerrorname_np(got) != NULL ? strerrorname_np(got) : "?");
	(void)fflush(stdout);
}

static bool
asked_for(const struct attempt *a, char **names, bool node)
{
	if (node)
		return (a->flags & HARMLESS) != 0;
	if (names[0] == NULL)
		return (a->flags & ALONE) == 0;
	for (; *names != NULL; names++)
		if (strcmp(*names, a->name) == 0)
			return true;
	return false;
}

static int
listen_abstract(const char *name)
{
	struct sockaddr_un addr = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	(void)snprintf(addr.sun_path + 1, sizeof(addr.sun_path) - 1, "%s", name);
	if (fd < 0 || bind(fd, (const struct sockaddr *)&addr, sizeof(addr)) < 0 || listen(fd, 1) < 0)
		return 1;
	(void)pause();
	return 0;
}

static int
keep_key(const char *text)
{
	long serial = syscall(SYS_add_key, "user", "nereid-probe", text, strlen(text), -4L);

	if (serial < 0 || shmget(SHM_KEY, 4096, IPC_CREAT | 0666) < 0)
		return 1;
	(void)printf("%ld\n", serial);
	(void)fflush(stdout);
	(void)pause();
	return 0;
}

static int
owner(const char *pid)
{
	char path[64];
	unsigned uid = 0;
	int fd;

	(void)snprintf(path, sizeof(path), "/proc/%s/ns/user", pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0 || ioctl(fd, NS_GET_OWNER_UID, &uid) < 0)
		return 1;
	(void)printf("%u\n", uid);
	return 0;
}

/* The descriptors first: what is opened here must not be taken for something that came along. */
static int
be_init(const char *path)
{
	char fds[256] = "";
	size_t n = 0;

	for (int fd = 0; fd < 65536; fd++)
		if (fcntl(fd, F_GETFD) >= 0 && n < sizeof(fds) - 8)
			n += (size_t)snprintf(fds + n, sizeof(fds) - n, "%d ", fd);
	if (freopen(path, "w", stdout) == NULL)
		return 1;
	(void)printf("descriptors: %s\n", fds);
	(void)identity("self");
	(void)printf("end\n");
	(void)fflush(stdout);
	for (;;)
		if (waitpid(-1, NULL, 0) < 0)
			(void)pause();
}

int
main(int argc, char **argv)
{
	bool node = argc > 1 && strcmp(argv[1], "-n") == 0;

	if (argc > 2 && strcmp(argv[1], "-i") == 0)
		return identity(argv[2]);
	if (argc > 2 && strcmp(argv[1], "-1") == 0)
		return be_init(argv[2]);
	if (argc > 2 && strcmp(argv[1], "-l") == 0)
		return listen_abstract(argv[2]);
	if (argc > 2 && strcmp(argv[1], "-o") == 0)
		return owner(argv[2]);
	if (argc > 2 && strcmp(argv[1], "-k") == 0)
		return keep_key(argv[2]);
	for (size_t t = 0; t < COUNT(tables); t++)
		for (const struct attempt *a = tables[t]; a->name != NULL; a++)
			if (asked_for(a, argv + 1, node))
				attempt(a);
	return 0;
}
