/* SPDX-License-Identifier: MPL-2.0 */
/* Copyright 2026 The Nereid authors */
#include <stdio.h>
#include <string.h>

#include "brand/lifecycle-priv.h"
#include "brand/lifecycle.h"
#include "nrd/mem.h"
#include "store/dataset.h"
#include "zone/config-guest.h"

static void
format_quota(const struct zone_config *config, char ret_text[BRAND_QUOTA_TEXT])
{
	if (config->quota == 0)
		(void)snprintf(ret_text, BRAND_QUOTA_TEXT, "none");
	else
		(void)snprintf(ret_text, BRAND_QUOTA_TEXT, "%lluG", (unsigned long long)config->quota);
}

/* A guest's disks are below its root's dataset, and have sizes of their own. */
static const char *
quota_of(const struct zone_config *config)
{
	return zone_is_guest(config) ? "refquota" : "quota";
}

/* On the node nothing in it is a device or runs as somebody else: that is for the zone alone. */
void
brand_root_props(const struct zone_config *config, char quota[BRAND_QUOTA_TEXT],
		 const char *ret_props[BRAND_ROOT_PROPS])
{
	const char *const props[BRAND_ROOT_PROPS] = {
		"mountpoint", config->zonepath, "devices", "off", "setuid", "off",
		config->quota != 0 ? quota_of(config) : NULL, quota, NULL,
	};

	format_quota(config, quota);
	memcpy(ret_props, props, sizeof(props));
}

int
brand_quota_set(const struct zone_config *config, struct nrd_err *err)
{
	NRD_AUTO(store) *store = NULL;
	char quota[BRAND_QUOTA_TEXT];
	int r;

	if (config->installed != ZONE_INSTALLED || !brand_has_dataset(config))
		return 0;
	format_quota(config, quota);
	r = store_open(&store, err);
	/* It would be above a smaller quota; who sets the room for disks sets it anew. */
	if (r == 0 && config->flexible_disk_size != 0)
		r = store_dataset_set(store, config->zfs_filesystem, "refreservation", "none", err);
	return r < 0 ? r : store_dataset_set(store, config->zfs_filesystem, quota_of(config), quota, err);
}
