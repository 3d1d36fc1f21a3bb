/* SPDX-License-Identifier: MPL-2.0 */
/* Copyright 2026 The Nereid authors */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "err.h"

/*
 * One line an event on standard error: bunyan JSON, or text when that is a terminal.
 *
 *	nrd_log(NRD_INFO, "zone booted", NRD_S("zone", name), NRD_U("ms", ms));
 *	nrd_log(NRD_ERROR, "boot failed", NRD_S("zone", name), NRD_ERR(&err));
 *
 * error: the operator must act. warn: degraded, and says "ignoring" or "retrying". info: state
 * changes. debug: the rest. Secrets never. A line is one write(2) of at most 8 KiB, so lines of
 * many processes do not mix. errno is kept.
 */
enum nrd_level {
	NRD_TRACE = 10,
	NRD_DEBUG = 20,
	NRD_INFO = 30,
	NRD_WARN = 40,
	NRD_ERROR = 50,
	NRD_FATAL = 60,
};

enum nrd_log_format {
	NRD_LOG_AUTO, /* text when the descriptor is a terminal */
	NRD_LOG_JSON,
	NRD_LOG_TEXT,
};

enum nrd_kv_type {
	NRD_KV_STR,
	NRD_KV_U64,
	NRD_KV_I64,
	NRD_KV_BOOL,
	NRD_KV_ERR,
};

struct nrd_kv {
	const char *key;
	enum nrd_kv_type type;
	union {
		const char *s;
		uint64_t u;
		int64_t i;
		bool b;
		const struct nrd_err *err;
	};
};

/* NULL strings are written as null. */
#define NRD_S(k, v) { .key = (k), .type = NRD_KV_STR, .s = (v) }
#define NRD_U(k, v) { .key = (k), .type = NRD_KV_U64, .u = (v) }
#define NRD_I(k, v) { .key = (k), .type = NRD_KV_I64, .i = (v) }
#define NRD_B(k, v) { .key = (k), .type = NRD_KV_BOOL, .b = (v) }
#define NRD_ERR(e)  { .key = "err", .type = NRD_KV_ERR, .err = (e) }

#define nrd_log(level, msg, ...)                                                                   \
	nrd_log_write((level), (msg),                                                              \
		      (const struct nrd_kv[]){ __VA_ARGS__ __VA_OPT__(, ) { .key = NULL } })

/* Once at start; name is kept by pointer. Before it the name is "nereid" and the level info. */
void nrd_log_init(const char *name, enum nrd_level level);
void nrd_log_set_level(enum nrd_level level);
void nrd_log_set_output(int fd, enum nrd_log_format format); /* default: 2, NRD_LOG_AUTO */

/* "trace" ... "fatal". "BadLevel" (-EINVAL). */
int nrd_level_parse(const char *s, enum nrd_level *ret_level, struct nrd_err *err);

/* Behind the macro; kv ends with a NULL key. */
void nrd_log_write(enum nrd_level level, const char *msg, const struct nrd_kv *kv);
