/* SPDX-License-Identifier: MPL-2.0 */
/* Copyright 2026 The Nereid authors */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "nrd/buf.h"
#include "nrd/err.h"
#include "nrd/json.h"

/*
 * QEMU's monitor: one client, lines of JSON (QEMU's "QMP Reference Manual"). What it says is believed no more than what a tenant
 * says, as a guest may have taken QEMU over. A command waits for its answer, and events that come meanwhile are handed on.
 */
struct qmp {
	int fd;            /* -1: not connected */
	int pidfd;         /* of QEMU, borrowed; -1: not known */
	struct nrd_buf in; /* what is no whole line yet */
	void (*on_event)(void *ctx, const struct nrd_val *message);
	void *ctx;
};

#define QMP_ANSWER_MS 10000

/* Takes fd over, a stream that is connected. Errors of all of these: "QemuFailed"; -EPIPE: QEMU has ended. */
int qmp_open(struct qmp *q, int fd, int pidfd, int64_t end_ms, struct nrd_err *err);
void qmp_close(struct qmp *q);

/* arguments: JSON, or NULL. ret_doc: its answer, which the caller frees; NULL when nobody wants it. */
int qmp_ask(struct qmp *q, const char *name, const struct nrd_val *arguments, int64_t end_ms, struct nrd_json **ret_doc,
	    struct nrd_err *err);

/* The same; what it is told is made as by printf, of names and numbers that need no quoting. It waits for QMP_ANSWER_MS. */
int qmp_tell(struct qmp *q, struct nrd_err *err, const char *name, const char *fmt, ...) __attribute__((format(printf, 4, 5)));

/*
 * QEMU gets a copy of a descriptor, as a file that it opens by the name /dev/fdset/SET; the set is new, and found by its own name
 * again: "opaque" in what query-fdsets says. Or by a name that commands take.
 */
int qmp_add_fd(struct qmp *q, const char *name, int fd, unsigned *ret_set, struct nrd_err *err);
int qmp_get_fd(struct qmp *q, const char *name, int fd, struct nrd_err *err);

/* Reads what is there and hands the events on; it is closed when QEMU has gone. */
void qmp_turn(struct qmp *q);
