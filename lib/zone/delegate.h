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
 *
 * The zone sees the ids on the disk through its own range, so what the node's root made is
 * nobody's there: the top directory of each is given to the zone's root when it is out of range.
 * Files are left as they are.
 */

/*
 * Older modules take a zone's root for the node's in some checks: "ZfsTooOld" (-ENOTSUP). A
 * dataset that is not there (a tenant may destroy its own) is no error: *ret_missing names the
 * first one (caller frees; NULL: none). "ZoneDelegate".
 */
int zone_delegate(const struct zone_config *config, pid_t init, char **ret_missing,
		  struct nrd_err *err);

/*
 * When the zone is down: what its root said of where to mount must not act on the node, should
 * somebody clear "zoned" one day. Filesystems with a mountpoint of the tenant's are not mounted by
 * themselves from then on (canmount=noauto, the user property org.nereid:canmount remembers it);
 * zone_delegate gives it back. Not being able to is no reason for a zone to stay up: "zoned" holds
 * meanwhile, and the node's next boot tries again. datasets: NULL terminated; those that are not
 * there do not matter.
 */
int zone_delegate_tame(const char *const *datasets, struct nrd_err *err);

enum zone_delegate_what {
	ZONE_DELEGATE_THERE, /* the datasets themselves that are there */
	ZONE_DELEGATE_FILES, /* those of them that are filesystems */
	ZONE_DELEGATE_ZONED, /* those of them that are zoned already */
	ZONE_DELEGATE_WILD,  /* filesystems that would be mounted where a tenant said */
	ZONE_DELEGATE_TAMED, /* filesystems that were kept from it */
};

/*
 * Reads what zfs get says of datasets and all below them. The tenant chose names and values, and
 * may have put line ends into these: nothing outside the datasets is ever named, and nothing wild
 * can be hidden. 0 or -ENOMEM; caller frees.
 */
int zone_delegate_pick(const char *text, const char *const *datasets, enum zone_delegate_what what,
		       char ***ret_names);

/* Is a module's version ("2.3.9-1") new enough? A pure function. */
bool zone_delegate_version_ok(const char *version);
