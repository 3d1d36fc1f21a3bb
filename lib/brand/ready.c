/* SPDX-License-Identifier: MPL-2.0 */
/* Copyright 2026 The Nereid authors */
#include <sys/stat.h>

#include "brand/brand.h"
#include "nrd/mem.h"
#include "nrd/str.h"

bool
brand_has_dataset(const struct zone_config *config)
{
	return config->zfs_filesystem != NULL && config->zfs_filesystem[0] != '\0';
}

/* The zonepath of one with a dataset is a filesystem of its own when that is mounted. */
bool
brand_root_mounted(const struct zone_config *config)
{
	NRD_FREE char *above = nrd_format("%s/..", config->zonepath);
	struct stat st, up;

	return !brand_has_dataset(config) ||
	       (above != NULL && stat(config->zonepath, &st) == 0 && stat(above, &up) == 0 &&
		st.st_dev != up.st_dev);
}

int
brand_root_check(const struct zone_config *config, struct nrd_err *err)
{
	const struct brand *brand;
	NRD_CLOSE int root = -1;
	int r = brand_of(config, &brand, err);

	if (r == 0)
		r = brand_root_open(config, &root, err);
	return r < 0 ? r : brand->verify(config, root, err);
}
