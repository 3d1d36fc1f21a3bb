/* SPDX-License-Identifier: MPL-2.0 */
/* Copyright 2026 The Nereid authors */
#include "brand/provision.h"

#include <errno.h>
#include <time.h>
#include <unistd.h>

#include "brand/brand.h"
#include "brand/root.h"
#include "nrd/clock.h"
#include "nrd/mem.h"
#include "nrd/str.h"

#define SCHEMA (&zone_config_schema)
#define LX_TOOLS "lib/smartdc/mdata-execute" /* of SmartOS's own lx images */

bool
brand_is_provisioning(const struct zone_config *config)
{
	return nrd_streq(config->transition, BRAND_PROVISIONING);
}

int
brand_provisioning_set(struct zone_config *config, unsigned seconds)
{
	if (nrd_str_set(&config->transition, BRAND_PROVISIONING) < 0 ||
	    nrd_str_set(&config->transition_to, "running") < 0)
		return -ENOMEM;
	config->transition_expire = (uint64_t)nrd_date_ms() + (uint64_t)seconds * 1000;
	NRD_SET(SCHEMA, config, transition);
	NRD_SET(SCHEMA, config, transition_to);
	NRD_SET(SCHEMA, config, transition_expire);
	return 0;
}

void
brand_provisioning_clear(struct zone_config *config)
{
	NRD_CLEAR(SCHEMA, config, transition);
	NRD_CLEAR(SCHEMA, config, transition_to);
	NRD_CLEAR(SCHEMA, config, transition_expire);
}

static bool
has_tools(const struct zone_config *config, int root)
{
	if (config->docker || (config->init_name != NULL && config->init_name[0] != '\0'))
		return false;
	return config->brand == ZONE_NATIVE || (config->brand == ZONE_LX && brand_root_has(root, LX_TOOLS));
}

int
brand_marker_make(const struct zone_config *config, struct nrd_err *err)
{
	NRD_CLOSE int root = -1;
	int r = brand_root_open(config, &root, err);

	if (r < 0 || !has_tools(config, root))
		return r;
	r = brand_root_mkdir(root, BRAND_MARKER_DIR, 0755, err);
	if (r >= 0)
		r = brand_root_write(root, BRAND_MARKER, "", 0644, err);
	return r < 0 ? r : 1;
}

bool
brand_marker_there(const struct zone_config *config)
{
	NRD_CLOSE int root = -1;

	return brand_root_open(config, &root, NULL) < 0 || brand_root_has(root, BRAND_MARKER);
}
