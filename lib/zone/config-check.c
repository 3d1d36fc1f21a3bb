/* SPDX-License-Identifier: MPL-2.0 */
/* Copyright 2026 The Nereid authors */
#include "config-check.h"

#include <arpa/inet.h>
#include <errno.h>
#include <limits.h>
#include <string.h>

#include "nrd/mem.h"
#include "nrd/mac.h"
#include "nrd/str.h"
#include "zone/config.h"

#define LETTERS "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
#define DIGITS  "0123456789"
#define ALNUM   LETTERS DIGITS

#define NAME_MAX_LEN 63
#define DATASET_MAX_LEN 255
#define RELEASE_MAX_LEN 64

/* All of s, at least one and at most max, is made of these characters. */
static bool
made_of(const char *s, const char *chars, size_t max)
{
	size_t len = strlen(s);

	return len > 0 && len <= max && strspn(s, chars) == len;
}

static bool
has_control(const char *s)
{
	for (; *s != '\0'; s++) {
		if ((unsigned char)*s < 0x20 || *s == 0x7f)
			return true;
	}
	return false;
}

int
zone_name_check(const char *name, struct nrd_err *err)
{
	if (!made_of(name, ALNUM "_-.", NAME_MAX_LEN) || strchr(ALNUM, name[0]) == NULL)
		return nrd_fail(err, EINVAL, "BadName",
				"\"%.80s\" is no name for a zone: 1 to %d letters, digits, \"_\", "
				"\"-\" and \".\", the first a letter or a digit",
				name, NAME_MAX_LEN);
	if (strcmp(name, "global") == 0 || nrd_starts(name, "SUNW") != NULL)
		return nrd_fail(err, EINVAL, "BadName",
				"\"%s\" is reserved: no zone may be called \"global\" or "
				"\"SUNW...\"",
				name);
	return 0;
}

int
zone_check_path(const char *s, struct nrd_err *err)
{
	struct nrd_str rest = nrd_str(s + 1), part;

	if (s[0] != '/' || strlen(s) >= PATH_MAX || has_control(s))
		return nrd_fail(err, EINVAL, "BadPath", "\"%.100s\" is not an absolute path", s);
	while (s[1] != '\0' && nrd_str_split(&rest, '/', &part)) {
		if (part.len == 0 || nrd_str_eq(part, ".") || nrd_str_eq(part, ".."))
			return nrd_fail(err, EINVAL, "BadPath",
					"\"%.100s\": a path without \"//\", \".\", \"..\" and a "
					"slash at the end is wanted",
					s);
	}
	return 0;
}

int
zone_check_line(const char *s, struct nrd_err *err)
{
	if (has_control(s))
		return nrd_fail(err, EINVAL, "BadText", "must not hold control characters");
	return 0;
}

int
zone_check_word(const char *s, struct nrd_err *err)
{
	if (s[0] == '\0' || has_control(s) || strpbrk(s, " ,\"") != NULL)
		return nrd_fail(err, EINVAL, "BadText",
				"\"%.60s\" must be one word without blanks, commas and quotes", s);
	return 0;
}

/* uname(2) has room for 64 bytes. */
int
zone_check_release(const char *s, struct nrd_err *err)
{
	if (s[0] < '0' || s[0] > '9' || !made_of(s, ALNUM "._+~-", RELEASE_MAX_LEN))
		return nrd_fail(err, EINVAL, "BadRelease",
				"\"%.70s\" is no release of a kernel, as 4.3.0: a digit, then letters, digits "
				"and ._+~-, at most %d of them", s, RELEASE_MAX_LEN);
	return 0;
}

int
zone_check_env(const char *s, struct nrd_err *err)
{
	if (s[0] == '=' || strchr(s, '=') == NULL)
		return nrd_fail(err, EINVAL, "BadText", "\"%.60s\" is not NAME=value", s);
	return 0;
}

int
zone_check_dataset(const char *s, struct nrd_err *err)
{
	struct nrd_str rest = nrd_str(s), part;
	bool good = strlen(s) <= DATASET_MAX_LEN && strchr(LETTERS, s[0]) != NULL;

	while (good && nrd_str_split(&rest, '/', &part))
		good = part.len > 0 && !nrd_str_eq(part, ".") && !nrd_str_eq(part, "..");
	if (!good || !made_of(s, ALNUM "_-.: /", DATASET_MAX_LEN))
		return nrd_fail(err, EINVAL, "BadDataset", "\"%.100s\" is no name of a ZFS dataset",
				s);
	return 0;
}

static bool
is_address(const char *s, unsigned *ret_bits)
{
	unsigned char addr[sizeof(struct in6_addr)];

	*ret_bits = 32;
	if (inet_pton(AF_INET, s, addr) == 1)
		return true;
	*ret_bits = 128;
	return inet_pton(AF_INET6, s, addr) == 1;
}

int
zone_check_address(const char *s, struct nrd_err *err)
{
	unsigned bits;

	if (!is_address(s, &bits))
		return nrd_fail(err, EINVAL, "BadAddress", "\"%.60s\" is no IP address", s);
	return 0;
}

int
zone_check_prefix(const char *s, struct nrd_err *err)
{
	NRD_FREE char *addr = nrd_format("%s", s);
	unsigned bits = 0;
	uint64_t prefix;
	char *slash;

	if (addr == NULL)
		return nrd_nomem(err);
	slash = strchr(addr, '/');
	if (slash != NULL)
		*slash++ = '\0';
	if (!is_address(addr, &bits) ||
	    (slash != NULL && nrd_parse_u64(slash, 1, bits, &prefix, NULL) < 0))
		return nrd_fail(err, EINVAL, "BadAddress",
				"\"%.60s\" is no IP address such as 10.0.0.2 or 10.0.0.0/24", s);
	return 0;
}

int
zone_check_mac(const char *s, struct nrd_err *err)
{
	struct nrd_mac mac;

	return nrd_mac_parse(s, &mac, err);
}

int
zone_check_priority(const char *s, struct nrd_err *err)
{
	if (strcmp(s, "high") != 0 && strcmp(s, "medium") != 0 && strcmp(s, "low") != 0)
		return nrd_fail(err, EINVAL, "BadPriority", "\"%.40s\" is none of high, medium, low", s);
	return 0;
}

int
zone_check_ip(const char *s, struct nrd_err *err)
{
	if (strcmp(s, "dhcp") == 0 || strcmp(s, "addrconf") == 0)
		return 0;
	if (strchr(s, '/') == NULL || zone_check_prefix(s, NULL) < 0)
		return nrd_fail(err, EINVAL, "BadAddress",
				"\"%.60s\" is not \"dhcp\", \"addrconf\" or an address with its "
				"prefix such as 10.0.0.2/24",
				s);
	return 0;
}

int
zone_check_host(const char *s, struct nrd_err *err)
{
	if (!made_of(s, ALNUM "-._", HOST_NAME_MAX) || strchr(ALNUM, s[0]) == NULL)
		return nrd_fail(err, EINVAL, "BadHost",
				"\"%.80s\" is no host name: 1 to %d letters, digits, \"-\", \".\" "
				"and \"_\", the first a letter or a digit",
				s, HOST_NAME_MAX);
	return 0;
}

int
zone_check_cpus(const char *s, struct nrd_err *err)
{
	NRD_FREE char *from = nrd_format("%s", s);
	uint64_t low = 0, high = 0;
	char *dash;

	if (from == NULL)
		return nrd_nomem(err);
	dash = strchr(from, '-');
	if (dash != NULL)
		*dash++ = '\0';
	if (nrd_parse_u64(from, 1, 8192, &low, NULL) < 0 ||
	    (dash != NULL && nrd_parse_u64(dash, low, 8192, &high, NULL) < 0))
		return nrd_fail(err, EINVAL, "BadCpus",
				"\"%.40s\" is no number of CPUs such as 2 or 1-4", s);
	return 0;
}

int
zone_check_interface(const char *s, struct nrd_err *err)
{
	/* The kernel's IFNAMSIZ with its NUL is 16. */
	if (!made_of(s, ALNUM "_-.", 15) || strchr(LETTERS, s[0]) == NULL)
		return nrd_fail(err, EINVAL, "BadInterface",
				"\"%.40s\" is no name of a link such as net0: 1 to 15 letters, "
				"digits, \"_\", \"-\" and \".\", the first a letter",
				s);
	return 0;
}

int
zone_check_nic_tag(const char *s, struct nrd_err *err)
{
	if (!made_of(s, ALNUM "_/", 63))
		return nrd_fail(err, EINVAL, "BadNicTag",
				"\"%.60s\" is no NIC tag: letters, digits, \"_\" and \"/\"", s);
	return 0;
}

int
zone_check_attr(const char *s, struct nrd_err *err)
{
	if (!made_of(s, ALNUM "_-.", 255) || strchr(ALNUM, s[0]) == NULL)
		return nrd_fail(err, EINVAL, "BadName",
				"\"%.60s\" is no name of an attr: letters, digits, \"_\", \"-\" "
				"and \".\", the first a letter or a digit",
				s);
	if (nrd_starts(s, "zone") != NULL)
		return nrd_fail(err, EINVAL, "BadName",
				"\"%.60s\": names that begin with \"zone\" are reserved", s);
	return 0;
}

int
zone_check_namespace(const char *s, struct nrd_err *err)
{
	if (!made_of(s, ALNUM "_-.", 255))
		return nrd_fail(err, EINVAL, "BadName",
				"\"%.60s\" is no namespace of metadata: letters, digits, \"_\", \"-\" "
				"and \".\"",
				s);
	return 0;
}

int
zone_check_device(const char *s, struct nrd_err *err)
{
	if (zone_check_path(s, NULL) < 0 || nrd_starts(s, "/dev/") == NULL)
		return nrd_fail(err, EINVAL, "BadPath",
				"\"%.100s\" is no path or pattern below /dev", s);
	return 0;
}

int
zone_check_fs_type(const char *s, struct nrd_err *err)
{
	static const char *const never[] = { "proc",  "sysfs",	  "cgroup",   "cgroup2", "mntfs",
					     "autofs", "devtmpfs", "devpts",   "debugfs", "tracefs",
					     "bpf",   "securityfs", "configfs", "nfs",	  NULL };

	if (!made_of(s, ALNUM "_-.", 32))
		return nrd_fail(err, EINVAL, "BadFilesystem",
				"\"%.40s\" is no type of a filesystem", s);
	if (nrd_strv_has(never, s))
		return nrd_fail(err, EINVAL, "BadFilesystem",
				"\"%s\" is not given to zones: a zone has its own, or mounts it "
				"itself",
				s);
	return 0;
}

int
zone_check_compression(const char *s, struct nrd_err *err)
{
	static const char *const plain[] = { "on", "off", "gzip", "lz4", "lzjb", "zle", "zstd", NULL };
	const char *level = nrd_starts(s, "gzip-");
	uint64_t most = 9, n;

	if (level == NULL) {
		level = nrd_starts(s, "zstd-");
		most = 19;
	}
	if (nrd_strv_has(plain, s) || (level != NULL && nrd_parse_u64(level, 1, most, &n, NULL) == 0))
		return 0;
	return nrd_fail(err, EINVAL, "BadCompression",
			"\"%.40s\" is none of on, off, gzip, gzip-1 to gzip-9, lz4, lzjb, zle, zstd, "
			"zstd-1 to zstd-19", s);
}
