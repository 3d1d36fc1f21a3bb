/* SPDX-License-Identifier: MPL-2.0 */
/* Copyright 2026 The Nereid authors */
#pragma once

#include <stdbool.h>

/*
 * The one error type. It has a fixed size and owns nothing: it lives on the caller's stack,
 * works when memory is gone, and may be written to a pipe as it is. Start it as `struct nrd_err
 * err = { 0 };`.
 */
struct nrd_err {
	int num;        /* errno, 0: no error */
	char code[28];  /* stable name for programs: "ZoneNotFound" */
	char msg[480];  /* for people, outermost context first */
};

_Static_assert(sizeof(struct nrd_err) == 512, "struct nrd_err crosses pipes: 512 bytes");

/*
 * Fills err (which may be NULL) and returns -num. num is a positive errno; %m in fmt is its text,
 * whatever errno was. A message that does not fit is cut at the end, and control characters become
 * '?': a message is one line and safe on a terminal.
 */
int nrd_fail(struct nrd_err *err, int num, const char *code, const char *fmt, ...)
	__attribute__((format(printf, 4, 5)));

/*
 * Puts "context: " before the message and returns r. When both do not fit the cause is kept and
 * the context dropped. Nothing happens when err is NULL or holds no message.
 */
int nrd_wrap(struct nrd_err *err, int r, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

/* -ENOMEM with code "NoMemory". */
int nrd_nomem(struct nrd_err *err);

/* True when err holds this code. */
bool nrd_err_is(const struct nrd_err *err, const char *code);
