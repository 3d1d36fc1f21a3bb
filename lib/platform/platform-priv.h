/* SPDX-License-Identifier: MPL-2.0 */
/* Copyright 2026 The Nereid authors */
#pragma once

#include <stdbool.h>

#include "nrd/err.h"
#include "platform/platform.h"

/*
 * Called before every act that changes a volume. Tests count them, make one fail, or end the
 * process there as a power cut would; a node has none.
 */
typedef int platform_step_fn(const char *step, struct nrd_err *err);
extern platform_step_fn *platform_step_hook;

int platform_step(const char *step, struct nrd_err *err);

/*
 * From now on nobody else sees what this process mounts, and all of it goes with the process.
 * "Mount".
 */
int platform_mounts_private(struct nrd_err *err);

/* Mounts a FAT device at dir (made), after repairing it when it was not unmounted cleanly. */
int platform_mount_fat(const char *device, const char *dir, bool write, bool *ret_repaired,
		       struct nrd_err *err);

/* Mounts an ISO 9660 device, or a file through a loop device, at dir (made), read-only. */
int platform_mount_iso(const char *device, const char *dir, struct nrd_err *err);
int platform_mount_iso_fd(int fd, const char *dir, struct nrd_err *err);

/* To the disk and away; dir is removed. */
int platform_unmount(const char *dir, struct nrd_err *err);

/* Boot volumes were made since p was opened with opts: takes them in. */
int platform_open_more(struct platform *p, const struct platform_opts *opts, struct nrd_err *err);

/* Removes a directory and what is in it, on this file system only. */
int platform_tree_remove(const char *path, struct nrd_err *err);

/* The directory itself, to the disk. */
int platform_dir_sync(const char *path, struct nrd_err *err);

/* Adds a part with a copy of name; owns part.fd from here on, also when failing. */
int platform_source_add(struct platform_source *src, struct platform_part part, const char *name,
			struct nrd_err *err);

/*
 * All parts are known, manifest.json among them: reads that, puts the others in its order and
 * refuses what is missing or too much. stamp is the name of the directory they came from.
 */
int platform_source_finish(struct platform_source *src, const char *stamp, struct nrd_err *err);
