/* SPDX-License-Identifier: MPL-2.0 */
/* Copyright 2026 The Nereid authors */
#pragma once

#include "zone/spec.h"

/*
 * Files of /proc and /sys that tell of the whole machine where a program asks about its own: lxcfs
 * serves them with what the reader's cgroup may use. A node without lxcfs shows its own.
 * -ENOMEM.
 */
int zone_views_add(struct zone_spec *spec);

#define ZONE_VIEWS 8
extern const char *const zone_view_names[ZONE_VIEWS]; /* "/proc/meminfo" */

/* Detached mounts of them, as a zone that runs gets them; -1 for one lxcfs does not have. "ZoneViews". */
int zone_views_open(int ret_views[ZONE_VIEWS], struct nrd_err *err);
void zone_views_close(int views[ZONE_VIEWS]);
