/* SPDX-License-Identifier: MPL-2.0 */
/* Copyright 2026 The Nereid authors */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "imgadm.h"
#include "nrd/buf.h"
#include "nrd/hold.h"
#include "nrd/json.h"
#include "nrd/mem.h"
#include "nrd/progress.h"
#include "nrd/str.h"

static bool error_json;

void
imgadm_tell_json(char *const *argv)
{
	/* None of the options before the verb has an argument. */
	for (argv += argv[0] != NULL; *argv != NULL && **argv == '-'; argv++)
		if ((*argv)[1] != '-' && strchr(*argv, 'E') != NULL)
			error_json = true;
}

static int
exit_of(const struct nrd_err *err, int code)
{
	if (code == NRD_EXIT_USAGE || nrd_err_is(err, "InvalidUUID") ||
	    nrd_err_is(err, "InvalidName"))
		return NRD_EXIT_USAGE;
	if (nrd_err_is(err, "ImageNotInstalled") || nrd_err_is(err, "OriginNotInstalled"))
		return NRD_EXIT_STATE;
	return NRD_EXIT_FAIL;
}

int
imgadm_tell(const struct nrd_args *args, const struct nrd_err *err, int code)
{
	NRD_AUTO(nrd_buf) b = { 0 };
	struct nrd_jw w;

	code = exit_of(err, code);
	nrd_busy_end();
	(void)fflush(stdout);
	(void)nrd_buf_printf(&b, "%s%s%s: error (%s): %s\n", args->prog,
			     args->verb != NULL ? " " : "", args->verb != NULL ? args->verb : "",
			     err->code[0] != '\0' ? err->code : "InternalError", err->msg);
	if (error_json) {
		nrd_jw_init(&w, &b, NRD_JW_COMPACT);
		nrd_jw_obj_open(&w);
		nrd_jw_kstr(&w, "message", err->msg);
		nrd_jw_kstr(&w, "code", err->code[0] != '\0' ? err->code : "InternalError");
		nrd_jw_ki64(&w, "exitStatus", code);
		nrd_jw_obj_close(&w);
		(void)nrd_jw_finish(&w, NULL);
		(void)nrd_buf_addc(&b, '\n');
	}
	(void)fputs(nrd_buf_str(&b), stderr);
	return code;
}

void
imgadm_say(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	(void)vfprintf(stdout, fmt, ap);
	va_end(ap);
	(void)putc('\n', stdout);
	(void)fflush(stdout);
}

static void
note(void *arg, const char *text)
{
	const struct nrd_args *args = arg;

	(void)fprintf(stderr, "%s %s: %s\n", args->prog, args->verb, text);
}

static void
progress(void *arg, const char *what, uint64_t done, uint64_t total)
{
	(void)arg;
	nrd_progress_bytes(what, done, total);
}

static bool
wants_trace(const struct global_opts *global)
{
	const char *level = getenv("IMGADM_LOG_LEVEL");

	return global->verbose || nrd_streq(level, "trace") || nrd_streq(level, "debug");
}

struct image_opts
imgadm_opts(const struct nrd_args *args, const char *pool, bool quiet)
{
	return (struct image_opts){
		.pool = pool,
		.note = quiet ? NULL : note,
		.trace = wants_trace(args->global) ? note : NULL,
		.progress = quiet ? NULL : progress,
		/* Only read back as what it is, by note(). */
		.arg = (void *)(uintptr_t)args,
		.stop = nrd_hold_signals(),
	};
}
