/* SPDX-License-Identifier: MPL-2.0 */
/* Copyright 2026 The Nereid authors */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "nrd/err.h"

/*
 * How far the node has come, one line in /run/nereid/state, replaced atomically. What a degraded
 * or setup line says after the colon is for people: what is wrong and what to do.
 */
#define NODE_RUN_DIR    "/run/nereid"
#define NODE_STATE_PATH NODE_RUN_DIR "/state"

/* Made when the node's own configuration is in force: sshd and chronyd wait for it. */
#define NODE_CONFIGURED_PATH NODE_RUN_DIR "/configured"

/* Made when root's password (or key) is known; without it a console is for rescue. */
#define NODE_LOGIN_PATH NODE_RUN_DIR "/login"

#define NODE_STATES(X)                     \
	X(NODE_BOOTING, "booting")         \
	X(NODE_SETUP, "setup")             \
	X(NODE_NOIMPORT, "noimport")       \
	X(NODE_READY, "ready")             \
	X(NODE_DEGRADED, "degraded")

enum node_state_kind {
#define X(id, name) id,
	NODE_STATES(X)
#undef X
};

#define NODE_STATE_WHY_MAX 480

struct node_state {
	enum node_state_kind kind;
	char why[NODE_STATE_WHY_MAX]; /* "" : nothing to say */
};

const char *node_state_name(enum node_state_kind kind);

/* "booting" when there is no state yet. path NULL: NODE_STATE_PATH. "BadState", "FileRead". */
int node_state_read(const char *path, struct node_state *ret_state, struct nrd_err *err);

/* why may be NULL. Line ends in it become blanks. */
int node_state_write(const char *path, enum node_state_kind kind, const char *why,
		     struct nrd_err *err);

/*
 * A descriptor that becomes readable when the state may have changed; read it empty
 * (node_state_watch_drain), then the state. "StateWatch".
 */
int node_state_watch(int *ret_fd, struct nrd_err *err);
void node_state_watch_drain(int fd);
