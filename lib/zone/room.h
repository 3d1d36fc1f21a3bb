/* SPDX-License-Identifier: MPL-2.0 */
/* Copyright 2026 The Nereid authors */
#pragma once

#include <stdint.h>

#include "nrd/err.h"
#include "zone/config.h"
#include "zone/stat.h"

/*
 * What memory the node can give to a guest that is to be started. A guest has all of its memory some day, however little of it it
 * has touched yet: what others that run were promised is not given twice. All in bytes.
 */
struct zone_room {
	uint64_t available; /* free, or given back by the kernel at once */
	uint64_t cache;     /* ZFS's, above the least that it keeps */
	uint64_t promised;  /* of guests that run: what they have not touched yet */
};

/* env: where it is read, NULL: the node. "ZoneStat". */
int zone_room_read(const struct zone_stat_env *env, struct zone_room *ret_room, struct nrd_err *err);

uint64_t zone_room_bytes(const struct zone_room *room);

/* Whether it holds a guest and the least that its QEMU needs beside. "NoMemory" (-ENOMEM): both numbers. */
int zone_room_check(const struct zone_config *config, const struct zone_room *room, struct nrd_err *err);
