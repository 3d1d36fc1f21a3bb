/* SPDX-License-Identifier: MPL-2.0 */
/* Copyright 2026 The Nereid authors */
#pragma once

#include "fetch.h"

/* What a directory has, for the functions of fetch.h. */
int image_dir_list(const struct image_opts *opts, const char *dir,
		   struct image_manifests *ret_manifests, struct nrd_err *err);
int image_dir_manifest(const char *dir, const char *uuid, struct image_manifest *ret_manifest,
		       struct nrd_err *err);
int image_dir_file(const char *dir, const struct image_manifest *manifest, int *ret_fd,
		   struct nrd_err *err);

/* Owns what is in m from then on; *m is empty. */
int image_manifests_push(struct image_manifests *manifests, struct image_manifest *m,
			 struct nrd_err *err);

/* Where downloads are; and a file there that has no name. */
#define IMAGE_DOWNLOADS "/var/tmp/.imgadm-downloads"
int image_download_unnamed(int *ret_fd, struct nrd_err *err);

/* -k, or the environment says so. */
bool image_source_insecure(const struct image_source *source);

void image_note(const struct image_opts *opts, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));
