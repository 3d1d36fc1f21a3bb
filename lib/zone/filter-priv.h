/* SPDX-License-Identifier: MPL-2.0 */
/* Copyright 2026 The Nereid authors */
#pragma once

#include "zone/filter.h"

/* Names of system calls, of every architecture a zone may use; NULL ends them. */
extern const char *const zone_filter_allowed[];
extern const char *const zone_filter_refused[];

/* What QEMU needs for a guest: no program but itself, no socket of its own, no file of a name but what it reads at its start. */
extern const char *const zone_filter_guest[];

/* A filter out of a file of instructions. */
int zone_filter_take(int fd, struct zone_filter *ret_filter, struct nrd_err *err);

/* Of the file that holds the filter for this kind of zone. */
void zone_filter_name(const struct zone_config *config, char *ret_name, size_t size);
