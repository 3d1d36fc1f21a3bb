/* SPDX-License-Identifier: MPL-2.0 */
/* Copyright 2026 The Nereid authors */
#include "ids.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "nrd/file.h"
#include "nrd/mem.h"
#include "nrd/str.h"
#include "zone/config.h"

#define IDS_END UINT32_MAX /* (uid_t)-1 is nobody's */

/* One past the highest id that any zone's file names. */
static int
from_zones(const char *dir, uint64_t *ret_next, struct nrd_err *err)
{
	NRD_STRV char **names = NULL;
	uint64_t next = ZONE_IDS_FIRST;
	int r = zone_config_list(dir, &names, err);

	for (size_t i = 0; r >= 0 && names != NULL && names[i] != NULL; i++) {
		NRD_AUTO(zone_config) config = { 0 };

		/* A file that cannot be read may hold any range: better none than one twice. */
		r = zone_config_read(dir, names[i], &config, err);
		if (r >= 0 && config.id_base + config.id_count > next)
			next = config.id_base + config.id_count;
	}
	if (r >= 0)
		*ret_next = next;
	return r;
}

int
zone_ids_take(const char *dir, uint64_t count, uint64_t *ret_base, struct nrd_err *err)
{
	NRD_FREE char *path = nrd_path_join(dir != NULL ? dir : ZONE_DIR, ".ids");
	NRD_FREE char *lock = path != NULL ? nrd_format("%s.lock", path) : NULL;
	NRD_CLOSE int fd = -1;
	uint64_t next = 0;
	char text[32];
	int r;

	if (lock == NULL)
		return nrd_nomem(err);
	fd = open(lock, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	if (fd < 0 || flock(fd, LOCK_EX) < 0)
		return nrd_fail(err, errno, "ZoneIds", "lock %s: %m", lock);
	r = nrd_attr_read(AT_FDCWD, path, text, sizeof(text), NULL);
	if (r >= 0)
		r = nrd_parse_u64(text, ZONE_IDS_FIRST, IDS_END, &next, err);
	else if (r == -ENOENT)
		r = from_zones(dir, &next, err);
	if (r < 0)
		return nrd_wrap(err, r, "%s", path);
	if (next + count > IDS_END)
		return nrd_fail(err, ENOSPC, "NoIds", "%s: no range of %llu ids is left", path,
				(unsigned long long)count);
	(void)snprintf(text, sizeof(text), "%llu\n", (unsigned long long)(next + count));
	r = nrd_file_write(path, text, strlen(text), 0600, err);
	if (r >= 0)
		*ret_base = next;
	return r;
}
