/* SPDX-License-Identifier: MPL-2.0 */
/* Copyright 2026 The Nereid authors */
#pragma once

#include <stdbool.h>
#include <sys/types.h>

#include "nrd/err.h"
#include "zone/config.h"

/*
 * Changing what runs. While a zone is up, /run/zones/NAME/NAME.json is the configuration that is in
 * force: as it was booted, with what changed since and could be changed at once. What differs from
 * it in the zone's own file waits for the next boot.
 */

/* Written by the zone's zoneadmd alone; -ENOENT when the zone is not up. */
int zone_live_read(const char *name, struct zone_config *ret_config, struct nrd_err *err);
int zone_live_write(const struct zone_config *in_force, struct nrd_err *err);
void zone_live_remove(const char *name);

/*
 * Puts config in force as far as it can be without a boot, and takes that into *in_force. Goes on
 * after a failure, but *in_force stays as it was then; the first failure is told. pidfd: of the
 * zone's init, -1: none runs.
 */
int zone_live_apply(const struct zone_config *config, int pidfd, struct zone_config *in_force,
		    struct nrd_err *err);

/*
 * Keys of the file that differ and wait for the next boot; NULL: none. tried: zone_live_apply was
 * called for it, so that what it can change and did not waits as well. Caller frees.
 */
int zone_live_waiting(const struct zone_config *in_force, const struct zone_config *config, bool tried,
		      char ***ret_keys, struct nrd_err *err);
