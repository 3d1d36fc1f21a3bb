/* SPDX-License-Identifier: MPL-2.0 */
/* Copyright 2026 The Nereid authors */
#include "vm/transition.h"

#include <errno.h>

#include "brand/provision.h"
#include "nrd/str.h"

int
vm_transition_set(struct zone_config *config, const char *transition)
{
	brand_provisioning_clear(config);
	if (transition == NULL)
		return 0;
	if (nrd_str_set(&config->transition, transition) < 0)
		return -ENOMEM;
	NRD_SET(&zone_config_schema, config, transition);
	return 0;
}
