/* SPDX-License-Identifier: MPL-2.0 */
/* Copyright 2026 The Nereid authors */
#pragma once

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "nrd/err.h"
#include "zone/config.h"
#include "zone/filter.h"

/*
 * What a process of a zone may do, the same for its init and for what zlogin brings in: prepared
 * outside, where files can be read, and put on inside as the last thing before exec.
 */
struct zone_jail {
	uint64_t caps;
	uint64_t memlock; /* bytes, UINT64_MAX: no limit */
	uint64_t nproc;
	struct zone_filter filter;
};

int zone_jail_prepare(const struct zone_config *config, struct zone_jail *ret_jail,
		      struct nrd_err *err);
void zone_jail_fini(struct zone_jail *jail);
void zone_jail_cleanup(struct zone_jail *jail);

/*
 * What only the node's root may set, in a process that is still the node's and of which the zone's
 * processes come: limits (those of user namespaces made by it are the zone's as a whole), priority,
 * processors, login id. Whoever starts or enters a zone brings nothing of its own. "ZoneJail".
 */
int zone_jail_outside(const struct zone_jail *jail, struct nrd_err *err);

/*
 * Keyring, signals, system call filter, capabilities, and no descriptor beyond 2 over an
 * exec. The process must be uid 0 of the zone's user namespace. "ZoneJail", "ZoneFilter",
 * "ZoneCaps".
 */
int zone_jail_enter(const struct zone_jail *jail, struct nrd_err *err);

/*
 * Becomes uid and gid of the zone and a member of those groups and no others, after
 * zone_jail_enter: what groups we were in are the node's.
 */
int zone_jail_user(uid_t uid, gid_t gid, const gid_t *groups, size_t n_groups, struct nrd_err *err);

/* Gives a process of a running zone the limits it would be started with. It may be gone meanwhile. */
void zone_jail_relimit(const struct zone_config *config, pid_t pid);
