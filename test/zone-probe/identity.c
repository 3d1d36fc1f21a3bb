/* SPDX-License-Identifier: MPL-2.0 */
/* Copyright 2026 The Nereid authors */
/* What makes a process one of the zone, as "field: value" lines. */
#include <fcntl.h>
#include <linux/keyctl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "probe.h"

static const char *const status[] = {
	"Umask:", "Uid:", "Gid:", "Groups:", "Seccomp:", "Seccomp_filters:", "NoNewPrivs:", "CapInh:", "CapPrm:",
	"CapEff:", "CapBnd:", "CapAmb:", "SigBlk:", "SigIgn:", "SigCgt:", "Speculation_Store_Bypass:", "THP_enabled:",
	"Cpus_allowed:", "Mems_allowed:", "CoreDumping:", "TracerPid:",
};
static const char *const namespaces[] = { "cgroup", "ipc", "mnt", "net", "pid", "time", "user", "uts" };
static const char *const links[] = { "root", "cwd" };
static const char *const files[] = {
	"limits", "oom_score_adj", "loginuid", "sessionid", "personality", "coredump_filter", "timerslack_ns", "cgroup",
	"attr/current", "setgroups", "uid_map", "gid_map",
};

static bool
wanted(const char *line)
{
	for (size_t i = 0; i < COUNT(status); i++)
		if (strncmp(line, status[i], strlen(status[i])) == 0)
			return true;
	return false;
}

static void
lines_of(const char *pid, const char *name, bool only_status)
{
	char path[128], line[512];
	FILE *f;

	(void)snprintf(path, sizeof(path), "/proc/%s/%s", pid, name);
	f = fopen(path, "r");
	while (f != NULL && fgets(line, sizeof(line), f) != NULL)
		if (!only_status || wanted(line))
			(void)printf("%s: %s%s", name, line, strchr(line, '\n') != NULL ? "" : "\n");
	if (f != NULL)
		(void)fclose(f);
}

static void
link_of(const char *pid, const char *name)
{
	char path[128], to[256];
	ssize_t n;

	(void)snprintf(path, sizeof(path), "/proc/%s/%s", pid, name);
	n = readlink(path, to, sizeof(to) - 1);
	to[n > 0 ? n : 0] = '\0';
	(void)printf("%s: %s\n", name, to);
}

/* The nineteenth field: nice; the fortieth and next: realtime priority and policy. */
static void
scheduling(const char *pid)
{
	char path[128], text[1024];
	const char *p;
	FILE *f;

	(void)snprintf(path, sizeof(path), "/proc/%s/stat", pid);
	f = fopen(path, "r");
	if (f == NULL || fgets(text, sizeof(text), f) == NULL)
		return;
	(void)fclose(f);
	p = strrchr(text, ')');
	for (int field = 3; p != NULL && (p = strchr(p + 1, ' ')) != NULL; field++)
		if (field == 19 || field == 40 || field == 41)
			(void)printf("stat %d: %ld\n", field, strtol(p, NULL, 10));
	(void)printf("ioprio: %ld\n", syscall(SYS_ioprio_get, 1, strcmp(pid, "self") == 0 ? 0 : strtol(pid, NULL, 10)));
}

/* The keyring of the session belongs to the zone's root, whoever opened the session. */
static void
keyring(void)
{
	char text[256] = "";

	if (syscall(SYS_keyctl, KEYCTL_DESCRIBE, -3L, text, (long)sizeof(text) - 1) < 0)
		(void)snprintf(text, sizeof(text), "%s", strerrorname_np(errno));
	(void)printf("keyring: %s\n", text);
}

int
identity(const char *pid)
{
	lines_of(pid, "status", true);
	for (size_t i = 0; i < COUNT(namespaces); i++) {
		char name[32];

		(void)snprintf(name, sizeof(name), "ns/%s", namespaces[i]);
		link_of(pid, name);
	}
	for (size_t i = 0; i < COUNT(links); i++)
		link_of(pid, links[i]);
	for (size_t i = 0; i < COUNT(files); i++)
		lines_of(pid, files[i], false);
	scheduling(pid);
	if (strcmp(pid, "self") == 0)
		keyring();
	return 0;
}
