/* SPDX-License-Identifier: MPL-2.0 */
/* Copyright 2026 The Nereid authors */
#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "link/lease.h"
#include "nrd/file.h"
#include "nrd/mem.h"
#include "nrd/str.h"
#include "zone-dhcp.h"

#define CLIENT "udhcpc"
#define LINE_MAX_ 4096
#define ARGS_MAX 16
#define WAIT_US 20000
#define WAITS 100

extern char **environ;

/* "udhcpc\0-f\0-i\0eth0\0..." */
static bool
is_client_of(const char *pid, const char *nic)
{
	NRD_FREE char *path = nrd_format("/proc/%s/cmdline", pid);
	NRD_FREE char *line = NULL;
	size_t len = 0;
	const char *last = "";

	if (path == NULL || nrd_file_read(path, LINE_MAX_, &line, &len, NULL) < 0 || !nrd_streq(line, CLIENT))
		return false;
	for (const char *at = line; at < line + len; last = at, at += strlen(at) + 1)
		if (nrd_streq(last, "-i"))
			return nrd_streq(at, nic);
	return false;
}

static size_t
signal_clients(const char *nic, int sig)
{
	NRD_CLOSEDIR DIR *dir = opendir("/proc");
	const struct dirent *e;
	size_t n = 0;

	while (dir != NULL && (e = readdir(dir)) != NULL) {
		uint64_t pid;

		if (!isdigit((unsigned char)e->d_name[0]) || !is_client_of(e->d_name, nic) || nrd_parse_u64(e->d_name, 1, INT32_MAX, &pid, NULL) < 0)
			continue;
		n += kill((pid_t)pid, sig) == 0;
	}
	return n;
}

int
client_stop(const char *nic, struct nrd_err *err)
{
	int r;

	for (int i = 0; i < WAITS && signal_clients(nic, i == 0 ? SIGTERM : 0) > 0; i++)
		(void)usleep(WAIT_US);
	(void)signal_clients(nic, SIGKILL);
	r = link_lease_set(nic, NULL, err);
	return nrd_err_is(err, "LeaseNic") ? 0 : r;
}

static int
become(int program, const char *nic, const char *hostname, const char *self)
{
	NRD_FREE char *option = nrd_format("hostname:%s", hostname);
	const char *argv[ARGS_MAX] = { CLIENT, "-f", "-R", "-i", nic, "-s", self };
	size_t n = 7;

	if (option == NULL)
		return -ENOMEM;
	if (hostname[0] != '\0') {
		argv[n++] = "-x";
		argv[n++] = option;
	}
	(void)syscall(SYS_execveat, program, "", argv, environ, AT_EMPTY_PATH);
	return -errno;
}

int
client_start(const char *nic, const char *hostname, struct nrd_err *err)
{
	char self[256];
	ssize_t n = readlink("/proc/self/exe", self, sizeof(self) - 1);
	NRD_CLOSE int program = fcntl(0, F_DUPFD_CLOEXEC, 3);
	NRD_CLOSE int null = open("/dev/null", O_RDWR | O_CLOEXEC);
	int r = client_stop(nic, err);
	pid_t pid;

	if (r < 0)
		return r;
	if (n <= 0 || program < 0 || null < 0)
		return nrd_fail(err, errno, "ZoneDhcp", "%s: prepare its client: %m", nic);
	self[n] = '\0';
	pid = fork();
	if (pid != 0)
		return pid < 0 ? nrd_fail(err, errno, "ZoneDhcp", "%s: start its client: %m", nic) : 0;
	(void)setsid();
	for (int fd = 0; fd < 3; fd++)
		(void)dup2(null, fd);
	(void)become(program, nic, hostname, self);
	_exit(127);
}
