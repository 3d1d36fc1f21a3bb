/* SPDX-License-Identifier: MPL-2.0 */
/* Copyright 2026 The Nereid authors */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "nrd/err.h"
#include "store/store.h"

/*
 * The datasets a node's system pool has beside its machines and images:
 *
 *	POOL/config   /etc/zones           POOL/cores    /POOL/global/cores (10 GiB)
 *	POOL/usbkey   /usbkey              POOL/archive  /POOL/archive
 *	POOL/opt      /opt                 POOL/boot     /POOL/boot
 *	POOL/var      /var
 *
 * The left ones are "legacy": the node mounts them where the running system has those
 * directories, and the pool can be imported elsewhere without covering anything. There is no
 * POOL/swap: swapping to a zvol can deadlock Linux when memory is short.
 */
#define NODE_POOL "zones"
#define NODE_SYSTEM_POOL_MARK ".system_pool"

/* On the pool's root dataset from its creation until setup is through: value "incomplete". */
#define NODE_SETUP_PROP "org.nereid:setup"
#define NODE_SETUP_INCOMPLETE "incomplete"

/* False for a pool whose setup was cut off. */
int node_pool_complete(struct store *store, const char *pool, bool *ret_complete,
		       struct nrd_err *err);

/*
 * The system pool among the imported ones: the one with the mark, else "zones"; NULL when there
 * is none. Root datasets are mounted for that. Caller frees.
 */
int node_pool_find(struct store *store, char **ret_pool, struct nrd_err *err);

/* True when the pool carries a node's configuration. */
bool node_pool_configured(const char *pool);

/* Makes those that are missing; *ret_made (may be NULL) counts them. */
int node_datasets_make(struct store *store, const char *pool, unsigned *ret_made,
		       struct nrd_err *err);

/*
 * Mounts them. Those that are missing or fail do not keep the others from it: the first is the
 * error, "DatasetMissing" (-ENOENT) or what mounting says.
 */
int node_datasets_mount(struct store *store, const char *pool, struct nrd_err *err);

/* Unmounts them again, lazily: for a setup that failed. */
void node_datasets_unmount(void);
