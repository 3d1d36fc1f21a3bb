/* SPDX-License-Identifier: MPL-2.0 */
/* Copyright 2026 The Nereid authors */
#include "unpack.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "mem.h"
#include "proc.h"

static const struct {
	const char *magic;
	size_t len;
	struct nrd_packer packer;
} packers[] = {
	{ "\x1f\x8b", 2, { "gzip", "--gzip" } },
	{ "BZh", 3, { "bzip2", "--bzip2" } },
	{ "\xfd" "7zXZ", 6, { "xz", "--xz" } },
	{ "\x28\xb5\x2f\xfd", 4, { "zstd", "--zstd" } },
};

const struct nrd_packer *
nrd_packer_of(const void *head, size_t len)
{
	for (size_t i = 0; i < nrd_count(packers); i++)
		if (len >= packers[i].len && memcmp(head, packers[i].magic, packers[i].len) == 0)
			return &packers[i].packer;
	return NULL;
}

/*
 * The directory is /proc/self/fd/3 in the child: no path of it is looked up twice. tar itself takes
 * leading slashes off, refuses members with "..", and makes links that lead out only when
 * everything else is in place.
 */
int
nrd_untar(int fd, int dir, struct nrd_err *err)
{
	const char *argv[16] = { "tar", "--extract", "--file=-", "--directory=/proc/self/fd/3",
				 "--numeric-owner", "--same-owner", "--preserve-permissions",
				 "--xattrs", "--xattrs-include=*", "--delay-directory-restore",
				 "--warning=no-timestamp" };
	const struct nrd_proc proc = {
		.argv = argv,
		.stdin_fd = fd,
		.fds = &dir,
		.n_fds = 1,
		.flags = NRD_PROC_SAME_GROUP | NRD_PROC_WITH_US,
	};
	const struct nrd_packer *packer = NULL;
	char head[NRD_PACKER_HEAD];
	ssize_t n = pread(fd, head, sizeof(head), 0);

	if ((n < 0 || lseek(fd, 0, SEEK_SET) < 0) && errno != ESPIPE)
		return nrd_fail(err, errno, "FileRead", "read: %m");
	if (n > 0)
		packer = nrd_packer_of(head, (size_t)n);
	argv[11] = packer != NULL ? packer->tar_opt : NULL;
	return nrd_run(&proc, NULL, NULL, err);
}
