/* SPDX-License-Identifier: MPL-2.0 */
/* Copyright 2026 The Nereid authors */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "nrd/buf.h"
#include "nrd/err.h"

/*
 * /etc/shadow of a node. The image brings the system's accounts, all locked; the node's own
 * passwords live in /usbkey/shadow. At boot the two are put together into /etc/shadow, and when
 * passwd(1) changes that it is saved to /usbkey/shadow again. It is a copy and no bind mount
 * because passwd(1) replaces the file, which a mount point refuses.
 */
#define NODE_SHADOW_PATH "/etc/shadow"
#define NODE_SHADOW_SAVED_PATH "/usbkey/shadow"
#define NODE_SHADOW_MAX ((size_t)1 << 20)
#define NODE_HASH_MAX 384

/* yescrypt. "Hash". */
int node_password_hash(const char *password, char ret_hash[NODE_HASH_MAX], struct nrd_err *err);

/*
 * The image's accounts with the saved passwords: an account both know keeps the saved line, one
 * only one of them knows is kept. root_hash, when given, is root's whatever the texts say. Lines
 * that are not shadow(5)'s are dropped.
 */
int node_shadow_merge(const char *image, const char *saved, const char *root_hash,
		      struct nrd_buf *out, struct nrd_err *err);

/* True when root has a password in this text (not locked, not empty). */
bool node_shadow_root_set(const char *text);

/* Copies the live file over the saved one unless it is damaged (has no root). "BadShadow". */
int node_shadow_save(const char *live, const char *saved, struct nrd_err *err);
