/* SPDX-License-Identifier: MPL-2.0 */
/* Copyright 2026 The Nereid authors */
#include "filter.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/seccomp.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "nrd/mem.h"
#include "zone/filter-priv.h"
#include "zone/sys.h"

#define FILTERS_DIR "/usr/lib/nereid/filters"
#define FILTER_MAX ((size_t)256 << 10)

int
zone_filter_take(int fd, struct zone_filter *ret_filter, struct nrd_err *err)
{
	struct stat st;
	struct zone_filter f = { 0 };

	if (fstat(fd, &st) < 0 || st.st_size <= 0 || (size_t)st.st_size > FILTER_MAX ||
	    (size_t)st.st_size % sizeof(struct sock_filter) != 0)
		return nrd_fail(err, EINVAL, "ZoneFilter", "the system call filter has an odd size");
	f.n = (size_t)st.st_size / sizeof(struct sock_filter);
	f.insns = malloc((size_t)st.st_size);
	if (f.insns == NULL)
		return nrd_nomem(err);
	if (pread(fd, f.insns, (size_t)st.st_size, 0) != st.st_size) {
		zone_filter_fini(&f);
		return nrd_fail(err, EIO, "ZoneFilter", "read the system call filter: %m");
	}
	*ret_filter = f;
	return 0;
}

void
zone_filter_name(const struct zone_config *config, char *ret_name, size_t size)
{
	(void)snprintf(ret_name, size, "%s%s", zone_brand_names[config->brand],
		       config->nesting ? "-nesting" : "");
}

int
zone_filter_get(const struct zone_config *config, struct zone_filter *ret_filter,
		struct nrd_err *err)
{
	char name[32];
	char path[128];

	zone_filter_name(config, name, sizeof(name));
	(void)snprintf(path, sizeof(path), FILTERS_DIR "/%s", name);
	NRD_CLOSE int fd = open(path, O_RDONLY | O_CLOEXEC);

	return fd < 0 ? nrd_fail(err, errno, "ZoneFilter", "open its system call filter %s: %m", path)
		      : zone_filter_take(fd, ret_filter, err);
}

void
zone_filter_fini(struct zone_filter *filter)
{
	free(filter->insns);
	*filter = (struct zone_filter){ 0 };
}

void
zone_filter_cleanup(struct zone_filter *filter)
{
	zone_filter_fini(filter);
}

int
zone_filter_install(const struct zone_filter *filter, struct nrd_err *err)
{
	struct sock_fprog prog = { .len = (unsigned short)filter->n, .filter = filter->insns };

	if (zone_sys_seccomp(SECCOMP_SET_MODE_FILTER, 0, &prog) < 0)
		return nrd_fail(err, errno, "ZoneFilter", "install the system call filter: %m");
	return 0;
}
