/* SPDX-License-Identifier: MPL-2.0 */
/* Copyright 2026 The Nereid authors */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "nrd/buf.h"
#include "nrd/err.h"
#include "nrd/json.h"

/*
 * What this node is: one JSON object with SmartOS's field names, cached in RAM because asking the
 * pool and the disks takes a while. The cache is renewed by itself when /usbkey/config, networkd's
 * state or the node's state changed; whoever changes the pool or the disks calls
 * node_sysinfo_update or node_sysinfo_forget.
 */
#define NODE_SYSINFO_DIR "/run/nereid"
#define NODE_SYSINFO_PATH NODE_SYSINFO_DIR "/sysinfo.json"
#define NODE_SYSINFO_SHELL_PATH NODE_SYSINFO_DIR "/sysinfo.parsable"
#define NODE_SERVER_UUID_PROP "org.nereid:server_uuid"

/* Where things are; members left out are those of a real node. */
struct node_sysinfo_env {
	const char *root; /* before /proc, /sys, /etc, /usbkey, /dev; NULL: "" */
	const char *run;  /* directory of the cache, NULL: NODE_SYSINFO_DIR */
	const char *tmp;  /* where the links of the old names go, NULL: "/tmp" */
	bool no_pool;     /* do not ask zpool and zfs */
};

/*
 * Asks the node and appends the JSON text. A fact nobody tells is left out, not invented; what
 * firmware has no text for is "".
 */
int node_sysinfo_collect(const struct node_sysinfo_env *env, struct nrd_buf *out,
			 struct nrd_err *err);

/* Collects and replaces both cache files. "SysinfoCache" and what writing says. */
int node_sysinfo_update(const struct node_sysinfo_env *env, struct nrd_err *err);

/* Removes the cache: what it holds has changed, the next one to ask collects anew. */
void node_sysinfo_forget(const struct node_sysinfo_env *env);

/*
 * Collects, and caches when it may (nobody but root can); caller frees. Unlike
 * node_sysinfo_update it does not mind a cache that cannot be written.
 */
int node_sysinfo_fresh(const struct node_sysinfo_env *env, struct nrd_json **ret_info,
		       struct nrd_err *err);

/* The cached object, collected first when there is none; caller frees. */
int node_sysinfo_get(const struct node_sysinfo_env *env, struct nrd_json **ret_info,
		     struct nrd_err *err);

/*
 * As shell assignments, one a line: the key with every character that is not a letter or a digit
 * made "_", the value in single quotes; members of objects as KEY_MEMBER.
 */
int node_sysinfo_shell(const struct nrd_val *info, struct nrd_buf *out, struct nrd_err *err);
