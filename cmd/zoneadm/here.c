/* SPDX-License-Identifier: MPL-2.0 */
/* Copyright 2026 The Nereid authors */
#include "zoneadm.h"

/* In the program that can load libzfs. */
int
root_ready(const struct nrd_args *args, const struct zone_config *config, struct nrd_err *err)
{
	(void)args;
	return brand_root_ready(config, err);
}
