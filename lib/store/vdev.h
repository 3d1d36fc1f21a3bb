/* SPDX-License-Identifier: MPL-2.0 */
/* Copyright 2026 The Nereid authors */
#pragma once

#include <libnvpair.h>

#include "store/pool.h"

/*
 * Reads the health out of a pool's configuration (of an imported pool or of one found on disk):
 * the worst device names the trouble. imported says how the remedy is worded.
 */
void store_vdev_health(nvlist_t *config, bool imported, struct store_pool_health *ret_health);
