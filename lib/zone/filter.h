/* SPDX-License-Identifier: MPL-2.0 */
/* Copyright 2026 The Nereid authors */
#pragma once

#include <linux/filter.h>
#include <stddef.h>

#include "nrd/err.h"
#include "zone/config.h"

/*
 * The system calls a zone's processes may make: an allow-list. What is known and refused is EPERM;
 * what this list has never heard of is ENOSYS, so that programs fall back as on an older kernel.
 */
struct zone_filter {
	struct sock_filter *insns; /* owned */
	size_t n;
};

/* Compiles it: only in zone-filters, when Nereid is built, and in tests. "ZoneFilter". */
int zone_filter_make(const struct zone_config *config, struct zone_filter *ret_filter,
		     struct nrd_err *err);

/* The compiled one for this kind of zone, from /usr/lib/nereid/filters. "ZoneFilter". */
int zone_filter_get(const struct zone_config *config, struct zone_filter *ret_filter,
		    struct nrd_err *err);
void zone_filter_fini(struct zone_filter *filter);
void zone_filter_cleanup(struct zone_filter *filter);

/* For this process, all it becomes and all its children. "ZoneFilter". */
int zone_filter_install(const struct zone_filter *filter, struct nrd_err *err);
