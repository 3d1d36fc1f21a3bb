/* SPDX-License-Identifier: MPL-2.0 */
/* Copyright 2026 The Nereid authors */
#include "init.h"

#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "brand/root.h"
#include "nrd/mem.h"
#include "nrd/str.h"
#include "zone/passwd.h"

#define HEAD_SIZE    256
#define INTERP_DEPTH 4
#define ACCOUNTS_MAX ((size_t)1 << 20)
#define INITTAB_MAX  ((size_t)64 << 10)
#define ID_MAX       ((uint64_t)UINT32_MAX - 1)

/* What the node's processor runs. */
static const uint16_t machines[] = {
#if defined(__x86_64__)
	EM_X86_64, EM_386,
#elif defined(__aarch64__)
	EM_AARCH64, EM_ARM,
#elif defined(__riscv)
	EM_RISCV,
#endif
};

static const struct {
	uint16_t machine;
	const char *name;
} machine_names[] = {
	{ EM_X86_64, "x86-64" }, { EM_386, "i386" },       { EM_AARCH64, "arm64" },
	{ EM_ARM, "arm" },       { EM_RISCV, "riscv" },    { EM_PPC64, "ppc64" },
	{ EM_S390, "s390x" },    { EM_MIPS, "mips" },      { EM_SPARCV9, "sparc64" },
	{ EM_LOONGARCH, "loongarch" },
};

static const char *
machine_name(uint16_t machine)
{
	for (size_t i = 0; i < nrd_count(machine_names); i++)
		if (machine_names[i].machine == machine)
			return machine_names[i].name;
	return "another";
}

static int
check_elf(const unsigned char *head, size_t len, const char *what, struct nrd_err *err)
{
	uint16_t machine;

	/* e_machine is at the same place in both classes. */
	if (len < sizeof(Elf32_Ehdr))
		return nrd_fail(err, ENOEXEC, "InitBad", "%s is cut off", what);
	if (head[EI_DATA] == ELFDATA2MSB)
		machine = (uint16_t)(head[18] << 8 | head[19]);
	else
		machine = (uint16_t)(head[19] << 8 | head[18]);
	for (size_t i = 0; i < nrd_count(machines); i++)
		if (machine == machines[i] && head[EI_DATA] == ELFDATA2LSB)
			return 0;
	return nrd_fail(err, ENOEXEC, "WrongArchitecture",
			"%s is a program for %s processors, this node has %s", what,
			machine_name(machine), machine_name(machines[0]));
}

/* "#! /bin/sh -e" */
static int
script_interp(const char *head, size_t len, const char *what, char *ret_interp, size_t size,
	      struct nrd_err *err)
{
	struct nrd_str line = nrd_strn(head + 2, len - 2), word;
	const char *end = memchr(line.data, '\n', line.len);

	if (end != NULL)
		line.len = (size_t)(end - line.data);
	line = nrd_str_trim(line);
	if (!nrd_str_word(&line, &word) || word.len >= size || memchr(word.data, 0, word.len) != NULL)
		return nrd_fail(err, ENOEXEC, "InitBad",
				"%s is a script whose first line names no program", what);
	memcpy(ret_interp, word.data, word.len);
	ret_interp[word.len] = '\0';
	return 0;
}

int
brand_init_head(const void *head, size_t len, const char *what, char *ret_interp, size_t size,
		struct nrd_err *err)
{
	ret_interp[0] = '\0';
	if (len >= SELFMAG && memcmp(head, ELFMAG, SELFMAG) == 0)
		return check_elf(head, len, what, err);
	if (len > 2 && memcmp(head, "#!", 2) == 0)
		return script_interp(head, len, what, ret_interp, size, err);
	return nrd_fail(err, ENOEXEC, "InitBad", "%s is neither a program nor a script", what);
}

static const char *
relative(const char *path)
{
	while (*path == '/')
		path++;
	return path;
}

/* Where a bare name is; path itself when it has a slash. */
static bool
find_program(int root, const char *name, char *dst, size_t size)
{
	static const char *const dirs[] = { "usr/local/sbin", "usr/local/bin", "usr/sbin",
					    "usr/bin",        "sbin",          "bin" };

	if (strchr(name, '/') != NULL)
		return snprintf(dst, size, "%s", relative(name)) < (int)size &&
		       brand_root_has(root, dst);
	for (size_t i = 0; i < nrd_count(dirs); i++)
		if (snprintf(dst, size, "%s/%s", dirs[i], name) < (int)size &&
		    brand_root_has(root, dst))
			return true;
	return false;
}

static int
check_file(int root, const char *path, const char *what, char *ret_interp, size_t size,
	   struct nrd_err *err)
{
	NRD_CLOSE int fd = brand_root_regular(root, path);
	char head[HEAD_SIZE];
	struct stat st;
	ssize_t n;

	if (fd < 0 && errno != EINVAL)
		return nrd_fail(err, errno, "NoInit", "its init %s: %m", what);
	if (fd < 0 || fstat(fd, &st) < 0 || (st.st_mode & 0111) == 0)
		return nrd_fail(err, EACCES, "InitBad", "its init %s is no executable file", what);
	n = read(fd, head, sizeof(head));
	if (n < 0)
		return nrd_fail(err, errno, "InitBad", "read %s: %m", what);
	return brand_init_head(head, (size_t)n, what, ret_interp, size, err);
}

int
brand_init_check(int root, const char *path, struct nrd_err *err)
{
	char what[HEAD_SIZE], where[HEAD_SIZE + 32], interp[HEAD_SIZE];
	int r;

	if (nrd_strcpy_to(what, sizeof(what), path) < 0)
		return nrd_fail(err, ENAMETOOLONG, "NoInit", "the path of its init is too long");
	for (unsigned i = 0; i < INTERP_DEPTH; i++) {
		bool found = find_program(root, what, where, sizeof(where));

		if (!found && errno == ELOOP)
			return nrd_fail(err, ELOOP, "NoInit", "its init %s: %m", what);
		if (!found)
			return nrd_fail(err, ENOENT, "NoInit",
					i == 0 ? "there is no %s in its root: set init_name, or is it no "
						 "root of a system?"
					       : "there is no %s in its root, which its init needs",
					what);
		r = check_file(root, where, what, interp, sizeof(interp), err);
		if (r < 0 || interp[0] == '\0')
			return r;
		(void)nrd_strcpy_to(what, sizeof(what), interp);
	}
	return nrd_fail(err, ELOOP, "InitBad", "its init %s is a script of scripts", path);
}

enum brand_init_kind
brand_init_kind(int root, const char *path)
{
	NRD_CLOSE int fd = brand_root_file(root, relative(path), O_PATH);
	char proc[64], target[4096];
	const char *name;
	ssize_t n;

	if (fd < 0)
		return BRAND_INIT_OTHER;
	(void)snprintf(proc, sizeof(proc), "/proc/self/fd/%d", fd);
	n = readlink(proc, target, sizeof(target) - 1);
	target[n > 0 ? n : 0] = '\0';
	name = strrchr(target, '/');
	name = name != NULL ? name + 1 : target;
	if (nrd_streq(name, "systemd"))
		return BRAND_INIT_SYSTEMD;
	if (nrd_starts(name, "busybox") != NULL)
		return BRAND_INIT_BUSYBOX;
	return nrd_streq(name, "openrc-init") ? BRAND_INIT_OPENRC : BRAND_INIT_OTHER;
}

/* ---- the terminal ---- */

/* The words of an inittab's line are its fields and what stands in them. */
static bool
line_names(struct nrd_str line, const char *name)
{
	struct nrd_str field, word;

	while (nrd_str_split(&line, ':', &field))
		while (nrd_str_word(&field, &word)) {
			if (word.len > 5 && memcmp(word.data, "/dev/", 5) == 0)
				word = nrd_strn(word.data + 5, word.len - 5);
			if (nrd_str_eq(word, name))
				return true;
		}
	return false;
}

bool
brand_inittab_tty1(const char *text)
{
	struct nrd_str rest = nrd_str(text), line;
	bool tty1 = false;

	while (nrd_str_split(&rest, '\n', &line)) {
		line = nrd_str_trim(line);
		if (line.len == 0 || line.data[0] == '#')
			continue;
		if (line_names(line, "console"))
			return false;
		tty1 |= line_names(line, "tty1");
	}
	return tty1;
}

bool
brand_init_tty1(int root)
{
	static const char *const services[] = { "agetty", "getty" };
	NRD_FREE char *text = NULL;
	char path[64];

	for (size_t i = 0; i < nrd_count(services); i++) {
		(void)snprintf(path, sizeof(path), "etc/runlevels/default/%s.console", services[i]);
		if (brand_root_has(root, path))
			return false;
		(void)snprintf(path, sizeof(path), "etc/runlevels/default/%s.tty1", services[i]);
		if (brand_root_has(root, path))
			return true;
	}
	return brand_root_read(root, "etc/inittab", INITTAB_MAX, &text, NULL, NULL) == 0 &&
	       brand_inittab_tty1(text);
}

/* ---- users ---- */

bool
brand_group_find(const char *text, const char *name, uint64_t *ret_gid)
{
	struct nrd_str rest = nrd_str(text), line;

	while (nrd_str_split(&rest, '\n', &line)) {
		struct nrd_str group, password, id;
		char number[16];

		if (!nrd_str_split(&line, ':', &group) || !nrd_str_split(&line, ':', &password) ||
		    !nrd_str_split(&line, ':', &id) || id.len >= sizeof(number) ||
		    !nrd_str_eq(group, name))
			continue;
		memcpy(number, id.data, id.len);
		number[id.len] = '\0';
		if (nrd_parse_u64(number, 0, ID_MAX, ret_gid, NULL) == 0)
			return true;
	}
	return false;
}

static int
find_group(const char *groups, const char *name, gid_t *ret_gid, struct nrd_err *err)
{
	uint64_t gid;

	if (nrd_parse_u64(name, 0, ID_MAX, &gid, NULL) < 0 && !brand_group_find(groups, name, &gid))
		return nrd_fail(err, ENOENT, "NoSuchUser", "there is no group %.60s in the zone", name);
	*ret_gid = (gid_t)gid;
	return 0;
}

int
brand_init_user(int root, const char *text, struct brand_user *ret_user, struct nrd_err *err)
{
	const char *colon = strchr(text, ':');
	NRD_FREE char *name = nrd_format("%.*s", colon != NULL ? (int)(colon - text) : -1, text);
	NRD_FREE char *passwd = NULL;
	NRD_FREE char *groups = NULL;
	struct brand_user user = { 0 };
	struct zone_passwd who;
	int r;

	if (name == NULL)
		return nrd_nomem(err);
	/* A root without the files still has its numbers. */
	(void)brand_root_read(root, "etc/passwd", ACCOUNTS_MAX, &passwd, NULL, NULL);
	(void)brand_root_read(root, "etc/group", ACCOUNTS_MAX, &groups, NULL, NULL);
	r = zone_passwd_parse(passwd != NULL ? passwd : "", name, &who, err);
	if (r == 0 && colon != NULL && colon[1] != '\0')
		r = find_group(groups != NULL ? groups : "", colon + 1, &who.gid, err);
	else if (r == 0 && who.name[0] == '\0')
		who.gid = 0; /* as the makers of images expect of a number that has no line */
	else if (r == 0 && groups != NULL)
		user.n_groups = zone_passwd_groups(groups, who.name, user.groups);
	if (r < 0)
		return nrd_wrap(err, r, "init_user");
	user.uid = who.uid;
	user.gid = who.gid;
	*ret_user = user;
	return 0;
}
