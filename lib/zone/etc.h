/* SPDX-License-Identifier: MPL-2.0 */
/* Copyright 2026 The Nereid authors */
#pragma once

#include "zone/config.h"

/*
 * What of a zone's configuration is written into its own /etc at each boot: its host id, and its resolvers. Called by the
 * process that is to be its init, in its root and as its root, so nothing in it can lead out of it. What cannot be written
 * is no reason not to boot. names: where the configuration says none.
 */
struct zone_names {
	char **resolvers;
	char *domain;
};
void zone_names_fini(struct zone_names *names);

/*
 * /etc/resolv.conf of the caller's root, of these: nothing when there are no resolvers, or when somebody else wrote the
 * file, unless the node is to maintain it.
 */
void zone_resolvers_write(char *const *resolvers, const char *domain, bool maintain);

void zone_etc_write(const struct zone_config *config, const struct zone_names *names);
