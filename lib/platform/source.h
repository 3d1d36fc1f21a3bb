/* SPDX-License-Identifier: MPL-2.0 */
/* Copyright 2026 The Nereid authors */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "nrd/err.h"
#include "platform/manifest.h"

/* One file of a version: a stretch of an open file. */
struct platform_part {
	char *name;
	int fd; /* owned */
	uint64_t offset;
	uint64_t size;
};

/*
 * A version to install, opened: from a directory, from a tar file, from an ISO, whichever way it
 * came. Parts follow the manifest's list; sizes agree, digests are checked when copying.
 */
struct platform_source {
	struct platform_manifest manifest;
	char *text;        /* manifest.json as it is */
	size_t text_len;
	struct platform_part *data;
	size_t len;
	size_t cap;
	char *mount;       /* an ISO mounted for it, to be unmounted; NULL: none */
};

void platform_source_fini(struct platform_source *src);
void platform_source_cleanup(struct platform_source *src);

/* DIR holds manifest.json and the files. "BadManifest", "PlatformDamaged", "FileOpen". */
int platform_source_open_dir(const char *dir, struct platform_source *ret_src,
			     struct nrd_err *err);

/*
 * An uncompressed tar file holding exactly one directory STAMP/ with a manifest and its files;
 * fd stays the caller's. "BadTar" (-EBADMSG) for anything else in it.
 */
int platform_source_open_tar(int fd, struct platform_source *ret_src, struct nrd_err *err);

/*
 * A version below ROOT/platform or ROOT/nereid/platform: `prefer` when it is there (may be NULL),
 * else the newest. "PlatformNotFound" (-ENOENT).
 */
int platform_source_open_media(const char *root, const char *prefer,
			       struct platform_source *ret_src, struct nrd_err *err);

/*
 * A file of any kind: tar, tar.gz, tar.xz, tar.zst (told by content) or ISO. staging is a
 * directory with room for the uncompressed tar; mount_dir is where an ISO may be mounted.
 * "BadSource" (-EBADMSG).
 */
int platform_source_open_file(int fd, const char *staging, const char *mount_dir,
			      struct platform_source *ret_src, struct nrd_err *err);

/* An unnamed file in dir that is gone when closed. "Staging" (errno of the cause). */
int platform_staging_open(const char *dir, int *ret_fd, struct nrd_err *err);
