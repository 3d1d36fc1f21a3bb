/* SPDX-License-Identifier: MPL-2.0 */
/* Copyright 2026 The Nereid authors */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "nrd/buf.h"
#include "nrd/err.h"

/*
 * The node's configuration, /usbkey/config: KEY=VALUE lines a shell could source. Nothing is ever
 * executed: a value is bare text, 'single' or "double" quoted; what a shell would expand or run
 * ($, `, ;, &, |, <, >, parentheses) must be quoted so that it does not.
 *
 * Reading never gives up on a bad line: the line becomes a problem (number and reason), its key
 * is as good as absent, and everything else is there. Writing keeps every line that was not
 * changed byte for byte: comments, order, damaged lines too.
 */
#define NODE_CONFIG_PATH "/usbkey/config"
#define NODE_CONFIG_MAX ((size_t)256 << 10)
#define NODE_CONFIG_LINE_MAX 8192
#define NODE_CONFIG_KEY_MAX 64

struct node_config;

struct node_config_problem {
	unsigned line;    /* from 1 */
	const char *key;  /* NULL when the line has none to tell */
	const char *what; /* "admin_ip: \"10.0.0.300\" is not an IPv4 address" */
};

/* An empty one. */
int node_config_new(struct node_config **ret_config, struct nrd_err *err);

/*
 * Fails only without memory ("NoMemory") or for text above NODE_CONFIG_MAX ("ConfigTooBig").
 * Values of known keys that break their rule (node_config_check) are problems.
 */
int node_config_parse(const char *text, size_t len, struct node_config **ret_config,
		      struct nrd_err *err);

/*
 * path NULL: NODE_CONFIG_PATH. "ConfigMissing" (-ENOENT) when there is no such file, otherwise
 * as above or "FileOpen", "FileRead".
 */
int node_config_read(const char *path, struct node_config **ret_config, struct nrd_err *err);
void node_config_free(struct node_config *config);
void node_config_cleanup(struct node_config **config);

/* The value (the last line wins, as in a shell), borrowed until the next change; or NULL. */
const char *node_config_get(const struct node_config *config, const char *key);

/* node_config_get, but an empty value is NULL too. */
const char *node_config_get_filled(const struct node_config *config, const char *key);

/*
 * Every good key once, in the order of the file. Start with *pos = 0.
 *	size_t pos = 0;
 *	while (node_config_next(config, &pos, &key, &value)) ...
 */
bool node_config_next(const struct node_config *config, size_t *pos, const char **ret_key,
		      const char **ret_value);

/* What was wrong with the file; i from 0. NULL after the last. Unaffected by set and unset. */
const struct node_config_problem *node_config_problem_at(const struct node_config *config,
							 size_t i);

/*
 * Sets a key where it stands (a damaged line of that key is replaced), or at the end. Values with
 * line ends or control characters are refused: "ConfigBadKey", "ConfigBadValue" (-EINVAL). Values
 * of known keys must satisfy their rule.
 */
int node_config_set(struct node_config *config, const char *key, const char *value,
		    struct nrd_err *err);

/* Removes all lines of a key; fine when there is none. */
void node_config_unset(struct node_config *config, const char *key);

/* The text as it would be written. */
int node_config_format(const struct node_config *config, struct nrd_buf *out, struct nrd_err *err);

/* Atomically, mode 0600; path NULL: NODE_CONFIG_PATH. "FileWrite", "ConfigTooBig". */
int node_config_write(const struct node_config *config, const char *path, struct nrd_err *err);

/*
 * Keeps other writers out between read and write: an exclusive lock that lasts until the
 * descriptor is closed. "ConfigLock"; -ENOENT when the directory is missing.
 */
int node_config_lock(const char *path, int *ret_fd, struct nrd_err *err);

/*
 * The rule for one key, by its name: 0 for keys nobody knows. "ConfigBadValue" (-EINVAL), the
 * message is `KEY: "VALUE" is not ...`.
 */
int node_config_check(const char *key, const char *value, struct nrd_err *err);
