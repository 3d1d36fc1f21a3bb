/* SPDX-License-Identifier: MPL-2.0 */
/* Copyright 2026 The Nereid authors */
#pragma once

#include <stdint.h>

#include "nrd/err.h"

/*
 * Ranges of ids for zones' user namespaces. A range is given out once and never again, so what a
 * deleted zone left anywhere can never belong to another one. The next free id is in
 * DIR/.ids; without that file it is found from the zones' own files.
 */
#define ZONE_IDS_FIRST 1000000u
#define ZONE_IDS_COUNT 65536u

/* dir NULL: ZONE_DIR. On disk before it returns. "NoIds" (-ENOSPC) when 32 bits are used up. */
int zone_ids_take(const char *dir, uint64_t count, uint64_t *ret_base, struct nrd_err *err);
