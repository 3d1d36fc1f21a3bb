/* SPDX-License-Identifier: MPL-2.0 */
/* Copyright 2026 The Nereid authors */
#pragma once

#include <stdbool.h>

#include "nrd/err.h"
#include "zone/client.h"
#include "zone/config.h"
#include "zone/spec.h"

/*
 * What differs between kinds of zones. What is common (datasets, states, ids) is in lifecycle.h;
 * how a zone is started is lib/zone's.
 *
 *	native	the platform's own /usr, read-only; of its own the zone has /etc, /var, /opt,
 *		/root, /home and /srv
 *	lx	any Linux root, from a tar file or a directory
 *	kvm	a guest with hardware of its own: QEMU, and a root in which there is nothing
 */

/* Where a root comes from; one of them. All but a snapshot are for lx zones. */
struct brand_source {
	const char *tar;      /* a file, compressed or not */
	const char *dir;      /* a directory, copied */
	const char *snapshot; /* of an image that is installed, cloned: it holds "root" */
};

/* How init is asked to go down: a program in the zone, else a signal to init. */
struct brand_stop {
	const char *const *argv; /* NULL: the signal */
	int signal;
	bool powerdown;          /* or neither: a guest's power button */
};

struct brand {
	int id;           /* enum zone_brand */
	const char *name;
	bool source;      /* wants a struct brand_source */

	/* Fills the empty directory root, "ZONEPATH/root". */
	int (*install)(const struct zone_config *config, int root,
		       const struct brand_source *source, struct nrd_err *err);

	/*
	 * Makes a root, new or copied from another zone's, this zone's: hostname, machine id, no
	 * host keys of others.
	 */
	int (*identify)(const struct zone_config *config, int root, struct nrd_err *err);

	/* Can this root be booted? "NoInit" (-ENOENT), "WrongArchitecture" (-ENOEXEC), ... */
	int (*verify)(const struct zone_config *config, int root, struct nrd_err *err);

	/*
	 * What is to be started; zone_spec_fini frees it. request NULL: as configured. The root must
	 * be there, see brand_root_ready() in lifecycle.h.
	 */
	int (*spec)(const struct zone_config *config, const struct zone_boot_request *request,
		    struct zone_spec *ret_spec, struct nrd_err *err);

	int (*stop)(const struct zone_config *config, bool reboot, struct brand_stop *ret_stop,
		    struct nrd_err *err);
};

/* "BrandNotHere" (-ENOTSUP) for brands this platform has no table for. */
int brand_of(const struct zone_config *config, const struct brand **ret_brand,
	     struct nrd_err *err);

/*
 * Opens ZONEPATH/root; caller closes. "ZoneRootMissing" (-ENOENT) when it is not there,
 * "ZoneRootBad" when it is not a directory of root's.
 */
int brand_root_open(const struct zone_config *config, int *ret_fd, struct nrd_err *err);

/* A dataset is the root of this zone. */
bool brand_has_dataset(const struct zone_config *config);

/* Nothing is to be mounted before the root is there; else brand_root_ready() in lifecycle.h does. */
bool brand_root_mounted(const struct zone_config *config);

/* Is there a root that can be booted? What brand_root_open() and brand->verify say. */
int brand_root_check(const struct zone_config *config, struct nrd_err *err);

/*
 * Where the platform's layers are, "base" and "nereid": /run/nereid/platform. Tests say otherwise;
 * dir is kept by pointer, NULL: the node's own.
 */
#define BRAND_PLATFORM_DIR "/run/nereid/platform"
void brand_platform_use(const char *dir);
