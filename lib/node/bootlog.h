/* SPDX-License-Identifier: MPL-2.0 */
/* Copyright 2026 The Nereid authors */
#pragma once

#include <stdbool.h>

#include "node/state.h"

#define NODE_BOOT_LOG NODE_RUN_DIR "/boot.log"

/* What was done to bring the node up, with seconds since the kernel started. */
struct node_bootlog {
	int fd;     /* -1: could not be opened; what is said goes to standard error alone */
	bool quiet; /* to the file only */
};

/* Appends to what is there. Never fails: a node without its log still boots. */
struct node_bootlog node_bootlog_open(bool quiet);
void node_bootlog_close(struct node_bootlog *log);

/* One line, also on standard error, where the journal puts its own time before it. */
void node_bootlog_say(const struct node_bootlog *log, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));
