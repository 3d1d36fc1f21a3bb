/* SPDX-License-Identifier: MPL-2.0 */
/* Copyright 2026 The Nereid authors */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "nrd/err.h"
#include "platform/manifest.h"
#include "platform/source.h"
#include "platform/volume.h"

/*
 * The platform versions of a node and the boot volumes they are on. A handle is opened for one
 * command, on the volumes it is to work on: mounted where only this process sees them, unmounted
 * when it is closed or the process ends, locked against a second one when it may change them.
 *
 * A change that was made on some volumes only is "PlatformPartial" (-EIO) and its message says
 * where; after any other error nothing is different. "VolumeCorrupt" (-EBADMSG): a volume is so
 * damaged that it needs the operator.
 */

/* Where things are; NULL members are the node's own. Tests give others. */
struct platform_node {
	const char *os_release; /* "/etc/os-release" */
	const char *cmdline;    /* "/proc/cmdline" */
	const char *sys;        /* "/sys" */
	const char *run;        /* "/run/nereid": lock, mount points, the notice */
	const char *files;      /* "/usr/lib/nereid/boot": GRUB's and shim's files */
	const char *staging;    /* "/var/tmp": downloads */
};

/* How a long act tells what it does; all may be NULL. */
struct platform_ui {
	void (*progress)(void *arg, const char *what, uint64_t done, uint64_t total);
	void (*note)(void *arg, const char *text); /* one line the operator should know */
	void *arg;
};

enum platform_open_flags {
	PLATFORM_WRITE = 1u << 0, /* volumes will be changed */
	PLATFORM_ALL = 1u << 1,   /* without `where`: all volumes, not those the node boots from */
	PLATFORM_EMPTY = 1u << 2, /* no volume at all is fine */
	PLATFORM_WAIT = 1u << 3,  /* wait for another process that changes volumes */
};

struct platform_opts {
	struct platform_node node;
	struct platform_ui ui;
	const char *where;       /* the pool's name or a volume's label, NULL: see the flags */
	const char *const *dirs; /* "LABEL=DIRECTORY": work on these only; NULL: the node's own */
	unsigned flags;
};

struct platform {
	struct platform_node node;
	struct platform_ui ui;
	char running[PLATFORM_STAMP_TEXT]; /* "": this is not a Nereid */
	char booted[16];                   /* FAT uuid of the volume it was started from, or "" */
	bool by_hand;                      /* volumes were given as directories */
	struct platform_volume *data;
	size_t len;
	size_t cap;
	size_t broken;                     /* volumes that should be here and cannot be used */
	struct nrd_err broken_err;         /* ... and why the last one of them cannot */
	int lock_fd;
};

/*
 * "PlatformBusy" (-EBUSY): another process changes volumes. "VolumeNotFound" (-ENOENT): no such
 * volume, or none at all. "VolumeAmbiguous" (-EINVAL): there are several sets, say which.
 */
int platform_open(const struct platform_opts *opts, struct platform **ret_p, struct nrd_err *err);

/* Unmounts; what the disks refuse only now is an error still. */
int platform_close(struct platform *p, struct nrd_err *err);
void platform_cleanup(struct platform **p); /* closes, errors are lost; NULL is fine */

/* Versions that can be had from PIADM_URL_PREFIX, newer than what runs and not on all volumes. */
struct platform_remote {
	const char *prefix; /* URL of a directory with index.json */
	const char *sums;   /* URL of a list as sha256sum makes it; NULL: SHA256SUMS if any */
	bool no_sums;
};
int platform_remote_index(const struct platform_remote *remote, struct platform_index *ret_index,
			  struct nrd_err *err);

/*
 * Opens what `spec` says: a stamp (found on a volume, else at the remote), "latest", "media", a
 * URL, a directory or a file. "PlatformNotFound" (-ENOENT) and what source.h and http/client.h
 * list.
 */
int platform_source_open(struct platform *p, const struct platform_remote *remote,
			 const char *spec, struct platform_source *ret_src, struct nrd_err *err);

/*
 * A medium in the node that is not one of p's volumes: the first that has a platform; on it the
 * version `prefer` (may be NULL), else the newest. "PlatformNotFound".
 */
int platform_source_open_any_media(struct platform *p, const char *prefer,
				   struct platform_source *ret_src, struct nrd_err *err);

/* Says what became of it. */
struct platform_change {
	char stamp[PLATFORM_STAMP_TEXT];
	bool changed;   /* something was written */
	bool activated; /* it is what boots next */
};

enum platform_install_flags {
	PLATFORM_NO_ACTIVATE = 1u << 0,
};

/*
 * Puts a version on every volume and, when it is newer than what would boot next, makes it next.
 * Where room is short, versions nobody needs are removed, oldest first: never the running one,
 * the current, the next, the one before.
 */
int platform_install(struct platform *p, const struct platform_source *src, unsigned flags,
		     struct platform_change *ret_change, struct nrd_err *err);

/* Makes it the next one to boot: tried twice, kept when it comes up. "PlatformNotFound". */
int platform_activate(struct platform *p, const char *stamp, struct platform_change *ret_change,
		      struct nrd_err *err);

/*
 * Removes it from all volumes. "PlatformNotFound" when it is on none; "PlatformInUse" (-EBUSY)
 * for the running, current or next one and for the last that boots.
 */
int platform_remove(struct platform *p, const char *stamp, struct nrd_err *err);

/* In the run directory, while there is something to say: one line for the console's banner. */
#define PLATFORM_NOTICE "notice"

enum platform_outcome {
	PLATFORM_SAME,      /* nothing to note */
	PLATFORM_CONFIRMED, /* a new version came up and stays */
	PLATFORM_FAILED,    /* a new version did not come up */
	PLATFORM_REPAIRED,  /* the environment of a volume was damaged and is good again */
	PLATFORM_FALLBACK,  /* the version that should have started is missing or damaged */
};

/*
 * The node is up: draws the conclusions about what was tried. ret_text is one line for the
 * operator, "" for nothing.
 */
int platform_confirm(struct platform *p, enum platform_outcome *ret_outcome, char *ret_text,
		     size_t size, struct nrd_err *err);
