/* SPDX-License-Identifier: MPL-2.0 */
/* Copyright 2026 The Nereid authors */
#include <stdio.h>

#include "brand/lifecycle-priv.h"
#include "brand/lifecycle.h"
#include "nrd/mem.h"
#include "store/dataset.h"

int
brand_quota_set(const struct zone_config *config, struct nrd_err *err)
{
	NRD_AUTO(store) *store = NULL;
	char quota[32] = "none";
	int r;

	if (config->installed != ZONE_INSTALLED || !brand_has_dataset(config))
		return 0;
	if (config->quota != 0)
		(void)snprintf(quota, sizeof(quota), "%lluG", (unsigned long long)config->quota);
	r = store_open(&store, err);
	return r < 0 ? r : store_dataset_set(store, config->zfs_filesystem, "quota", quota, err);
}
