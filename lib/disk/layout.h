/* SPDX-License-Identifier: MPL-2.0 */
/* Copyright 2026 The Nereid authors */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "inventory.h"
#include "nrd/buf.h"
#include "nrd/err.h"
#include "nrd/json.h"
#include "nrd/schema.h"

/* Which disks make a pool and how. */

/* A disk in a layout; only the name is always there. */
struct disk_member {
	struct nrd_present present; /* the parser's */
	char *name;
	char *vid;
	char *pid;
	uint64_t size; /* bytes */
	bool solid_state;
};

struct disk_vdev {
	char *type; /* "mirror", "raidz", "raidz2", "raidz3"; NULL: one disk by itself */
	struct disk_member *devices;
	size_t n_devices;
};

/* Owns everything; all-zero is empty. */
struct disk_layout {
	struct disk_vdev *vdevs;
	size_t n_vdevs;
	struct disk_member *spares;
	size_t n_spares;
	struct disk_member *logs;
	size_t n_logs;
	struct disk_member *cache;
	size_t n_cache;
	uint64_t capacity; /* bytes */
};

struct disk_layout_opts {
	const char *layout;  /* "single", "mirror", "raidz1", "raidz2", "raidz3"; NULL: we choose */
	bool no_cache;       /* -c */
	bool spares_given;   /* -s: exactly this many */
	uint64_t spares;
	uint64_t width;      /* -w: disks a vdev; 0: we choose */
	const char *const *exclude; /* -e: names that are not there; NULL terminated or NULL */
	const char *const *only;    /* if given: no other disk than these */
	bool blank_only;     /* leave disks out that hold something (needs DISK_LIST_USE) */
};

/* The words for opts->layout, NULL terminated. */
extern const char *const disk_layout_names[];

/*
 * Lays a pool out over an inventory; a pure function. Never taken: removable, read-only, busy and
 * unreadable disks, boot media, disks below 500 MB. "DiskLayout" (-EINVAL) when it cannot be
 * done: the message is the one of SmartOS's disklayout. "DiskNotFound" (-ENOENT): opts->only or
 * opts->exclude name a disk that is not in the inventory.
 */
int disk_layout_compute(const struct disk_list *disks, const struct disk_layout_opts *opts,
			struct disk_layout *ret_layout, struct nrd_err *err);
void disk_layout_fini(struct disk_layout *layout);
void disk_layout_cleanup(struct disk_layout *layout);

/*
 * As JSON, the object `disklayout` prints and `mkzpool` reads. Reading checks that it makes
 * sense (known vdev types, enough disks in each, no disk twice); unknown keys are ignored. An
 * object with "error" is refused with its text. "BadLayout" or the errors of json.h and
 * schema.h.
 */
void disk_layout_write(const struct disk_layout *layout, struct nrd_jw *w);
int disk_layout_parse(const char *text, size_t len, struct disk_layout *ret_layout,
		      struct nrd_err *err);

/*
 * Every disk of a layout, in the order vdevs, spares, logs, cache. False at the end; start with
 * *i = 0.
 */
bool disk_layout_next(const struct disk_layout *layout, size_t *i,
		      const struct disk_member **ret_member);

/*
 * An inventory from a file: `diskinfo -j` or any JSON array of objects with name (or disk), size
 * and, if known, type, vid, pid, removable (or rmv) and solid_state (or ssd); or the lines of
 * `diskinfo -Hp`. "BadInventory" or the errors of json.h and schema.h.
 */
int disk_list_parse(const char *text, size_t len, struct disk_list *ret_list, struct nrd_err *err);
