/* SPDX-License-Identifier: MPL-2.0 */
/* Copyright 2026 The Nereid authors */
#pragma once

#include "nrd/err.h"
#include "store/store.h"

/* What a pool is made of. */
struct store_profile {
	char kind[16];   /* of its data: "mirror", "raidz", "raidz2", "raidz3", "draid", "striped" */
	char **devices;  /* owned: paths of all its devices, log, cache and spares too, as ZFS
			    knows them ("/dev/disk/by-id/..."), each once */
};

/* Of an imported pool. "ZfsNotFound", "ZfsPoolUnavailable". */
int store_pool_profile(struct store *store, const char *pool, struct store_profile *ret_profile,
		       struct nrd_err *err);
void store_profile_fini(struct store_profile *profile);
void store_profile_cleanup(struct store_profile *profile);
