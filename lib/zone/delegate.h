/* SPDX-License-Identifier: MPL-2.0 */
/* Copyright 2026 The Nereid authors */
#pragma once

#include <sys/types.h>

#include "nrd/err.h"
#include "zone/config.h"

/*
 * Delegated datasets: attached to a zone's user namespace, whose root then manages them with zfs.
 * The kernel forgets it with the namespace, so this is done at every boot, before init runs. It is
 * done by the zfs command, as a child: zoneadmd is not linked with libzfs.
 */

/*
 * Older modules take a zone's root for the node's in some checks: "ZfsTooOld" (-ENOTSUP). A
 * dataset that is not there (a tenant may destroy its own) is no error: *ret_missing names the
 * first one (caller frees; NULL: none). "ZoneDelegate".
 */
int zone_delegate(const struct zone_config *config, pid_t init, char **ret_missing,
		  struct nrd_err *err);

/* Is a module's version ("2.3.9-1") new enough? A pure function. */
bool zone_delegate_version_ok(const char *version);
