/* SPDX-License-Identifier: MPL-2.0 */
/* Copyright 2026 The Nereid authors */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "nrd/buf.h"
#include "nrd/err.h"
#include "nrd/json.h"

/*
 * One question to the agent in a guest (QEMU's "Guest Agent Protocol Reference"), over a connection of its own. The agent is the
 * tenant's: there is a bound on how much it says, and on how long it takes. First it has to say back a number that nobody was
 * told before (guest-sync-delimited): what comes until then is an answer to somebody else.
 *
 * Nothing here waits: the caller polls fd for input, no longer than qga_left_ms(), and takes a turn.
 */
struct qga {
	int fd;              /* -1: nothing is asked */
	const char *command; /* borrowed */
	uint64_t number;
	bool told;           /* it has said the number, and was told the command */
	int64_t end_ms;      /* of what it is to say now */
	int64_t limit_ms;    /* that its answer to the command may take */
	size_t left;         /* bytes it may still say */
	struct nrd_buf in;   /* what is no whole line yet */
};

#define QGA_NONE      { .fd = -1 }
#define QGA_BYTES_MAX ((size_t)256 << 10) /* of all it says to one question */
#define QGA_LINE_MAX  ((size_t)96 << 10)
#define QGA_SYNC_MS   5000

/*
 * Takes fd over, which is connected. Errors of these: "AgentFailed", -ETIMEDOUT when it does not answer, -EIO when it refuses,
 * -EPIPE when it is gone, -EPROTO when it says too much or what is no answer.
 */
int qga_begin(struct qga *a, int fd, const char *command, int64_t limit_ms, struct nrd_err *err);

/* 1: it has answered, and the document is the caller's, what matters its "return"; 0: not yet. Other than with 0 it is ended. */
int qga_turn(struct qga *a, struct nrd_json **ret_answer, struct nrd_err *err);

/* Until a turn is to be taken whether it has said something or not. */
int64_t qga_left_ms(const struct qga *a);
void qga_end(struct qga *a);
