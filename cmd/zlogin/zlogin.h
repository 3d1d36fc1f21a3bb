/* SPDX-License-Identifier: MPL-2.0 */
/* Copyright 2026 The Nereid authors */
#pragma once

#include <signal.h>
#include <stdbool.h>

#include "nrd/err.h"
#include "zone/config.h"
#include "zone/pump.h"

struct zlogin_opts {
	const char *user;
	const char *escape;
	bool console, stdio, safe, interactive;
	bool no_escape, no_input, no_eof, quiet, disconnect;
};

/* The character of -e and -E; -1: none. */
int zlogin_escape(const struct zlogin_opts *opts, int *ret_ch, struct nrd_err *err);

/* "[...]" for people, unless -Q. */
void zlogin_say(const struct zlogin_opts *opts, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

/* The signals a session waits for arrive through a descriptor. "Signals". Caller closes. */
int signals_open(int *ret_fd, struct nrd_err *err);
int signals_read(int fd); /* the next one, 0: none */

/* Stops our job, as ^Z would; returns when it goes on. */
void signals_suspend(void);

/* The exit status of the command, 0 when it was interactive; -errno. */
int session_run(const struct zone_config *config, const struct zlogin_opts *opts,
		const char *const *command, struct nrd_err *err);

/* 0, 128 + signal, or -errno. */
int console_run(const struct zone_config *config, const struct zlogin_opts *opts,
		struct nrd_err *err);
