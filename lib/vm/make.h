/* SPDX-License-Identifier: MPL-2.0 */
/* Copyright 2026 The Nereid authors */
#pragma once

#include "nrd/err.h"
#include "nrd/json.h"
#include "vm/image.h"
#include "vm/payload.h"

/*
 * Machines made and removed, whole or not at all: what fails on the way is taken back, and what a power
 * cut left half made or half removed is removed by vm_sweep when the node boots.
 */

/* A payload that was looked at, its defaults filled in. */
struct vm_plan {
	struct zone_config config;
	struct vm_wish wish;
	struct vm_image image;
	char *origin; /* DATASET@SNAP of the machine it is cloned from; NULL: it is new */
	bool waits; /* vm_create: it runs, and vm_await says when it is provisioned */
};
void vm_plan_fini(struct vm_plan *plan);
void vm_plan_cleanup(struct vm_plan *plan);

/*
 * "BadPayload", "ImageNotInstalled", "BadImage", "VmExists", and what zone_config_verify says. Nothing is made yet.
 */
int vm_plan_create(const struct nrd_val *payload, struct vm_plan *ret_plan, struct nrd_err *err);

/*
 * A machine as the one with that uuid was at that snapshot, but for what the payload says (NULL: nothing): it has a uuid, MAC
 * addresses and volumes of its own, and no alias unless that is said. Its disks and root are clones of the snapshot's.
 * "SnapshotNotFound" (-ENOENT), "IpInUse" where addresses would be there twice, and what vm_plan_create says.
 */
int vm_plan_clone(const char *uuid, const char *snapshot, const struct nrd_val *payload, struct vm_plan *ret_plan,
		  struct nrd_err *err);

/* The steps in words, one each. Caller frees. */
int vm_plan_describe(const struct vm_plan *plan, char ***ret_steps, struct nrd_err *err);

/* What is odd about it, in words for people; NULL: nothing. Caller frees. */
int vm_plan_warnings(const struct vm_plan *plan, char ***ret_lines, struct nrd_err *err);

/* "VmExists", and what zone_config_clash says. */
int vm_must_be_new(const struct zone_config *config, struct nrd_err *err);

int vm_create(struct vm_plan *plan, struct nrd_err *err);

/* "VmIndestructible". Halts it first. */
int vm_delete(const char *uuid, struct nrd_err *err);
int vm_delete_describe(const char *uuid, char ***ret_steps, struct nrd_err *err);

/* Removes machines whose making or removing was cut off; goes on after a failure, and tells the first. */
int vm_sweep(struct nrd_err *err);
