/* SPDX-License-Identifier: MPL-2.0 */
/* Copyright 2026 The Nereid authors */
#include <errno.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "nrd/mem.h"
#include "nrd/progress.h"
#include "nrd/str.h"
#include "nrd/uuid.h"
#include "vm/change.h"
#include "vm/guest.h"
#include "vm/payload.h"
#include "vmadm.h"

int
told(const struct nrd_args *args, const char *act, int r, struct nrd_err *err)
{
	if (r >= 0 || nrd_err_is(err, "Usage"))
		return r;
	if (err->msg[0] == '\0')
		(void)nrd_fail(err, -r, "Failed", "%m");
	nrd_busy_end();
	(void)fflush(stdout);
	/* Wrappers look for this one, letter by letter. */
	if (nrd_err_is(err, "ZoneNotFound"))
		(void)fprintf(stderr, "zoneadm: %s\n", err->msg);
	else if (act != NULL)
		(void)fprintf(stderr, "%s%s\n", act, err->msg);
	else
		(void)fprintf(stderr, "%s: %s: %s\n", args->prog, args->verb, err->msg);
	*err = (struct nrd_err){ 0 };
	return NRD_EXIT_FAIL;
}

int
done(const char *fmt, ...)
{
	va_list ap;

	nrd_busy_end();
	va_start(ap, fmt);
	(void)vfprintf(stderr, fmt, ap);
	va_end(ap);
	(void)fputc('\n', stderr);
	return 0;
}

void
outlive_reader(void)
{
	const struct sigaction ignore = { .sa_handler = SIG_IGN };

	(void)sigaction(SIGPIPE, &ignore, NULL);
}

int
uuid_of(const struct nrd_args *args, size_t i, const char **ret_uuid, struct nrd_err *err)
{
	static const size_t dashes[] = { 8, 13, 18, 23 };
	const char *text = (size_t)args->argc > i ? args->argv[i] : NULL;
	bool good = text != NULL && strlen(text) == NRD_UUID_LEN;

	for (size_t d = 0; good && d < nrd_count(dashes); d++)
		good = text[dashes[d]] == '-';
	if (text == NULL)
		return nrd_usage(err, "which machine? give its UUID");
	if (!good)
		return nrd_usage(err, "Invalid or missing UUID for %s: \"%.60s\"", args->verb, text);
	*ret_uuid = text;
	return 0;
}

int
payload_of(const char *file, struct nrd_json **ret_doc, struct nrd_err *err)
{
	if (file == NULL && isatty(STDIN_FILENO))
		return nrd_usage(err, "give a payload: -f FILE, or JSON on standard input");
	return vm_payload_read(file != NULL ? file : "-", ret_doc, err);
}

void
say_lines(void *file, const char *before, char *const *lines)
{
	for (size_t i = 0; lines != NULL && lines[i] != NULL; i++)
		(void)fprintf(file, "%s%s\n", before, lines[i]);
}

int
say_warnings(const struct zone_config *config, struct nrd_err *err)
{
	NRD_STRV char **lines = NULL;

	if (vm_guest_warn(config, &lines) < 0)
		return nrd_nomem(err);
	say_lines(stderr, "WARNING: ", lines);
	return 0;
}

void
say_change(const char *uuid, const struct vm_change *change)
{
	NRD_FREE char *waiting = NULL;

	nrd_busy_end();
	if (change->waiting != NULL)
		waiting = nrd_strv_join(NRD_CSTRV(change->waiting), ", ");
	if (change->not_in_force != NULL)
		(void)fprintf(stderr, "VM %s: saved, but not in force: %s\n", uuid, change->not_in_force);
	if (waiting != NULL)
		(void)fprintf(stderr, "VM %s: at its next boot: %s\n", uuid, waiting);
}

int
payload_of_words(const struct nrd_args *args, int first, struct nrd_json **ret_doc, struct nrd_err *err)
{
	NRD_AUTO(nrd_buf) text = { 0 };
	struct nrd_jw w;
	int r;

	nrd_jw_init(&w, &text, NRD_JW_COMPACT);
	nrd_jw_obj_open(&w);
	for (int i = first; i < args->argc; i++) {
		const char *eq = strchr(args->argv[i], '=');
		NRD_FREE char *name = eq != NULL ? nrd_format("%.*s", (int)(eq - args->argv[i]), args->argv[i]) : NULL;

		if (eq == NULL || eq == args->argv[i])
			return nrd_usage(err, "\"%.60s\" is not PROPERTY=VALUE", args->argv[i]);
		if (name == NULL)
			return nrd_nomem(err);
		nrd_jw_kstr(&w, name, eq + 1);
	}
	nrd_jw_obj_close(&w);
	r = nrd_jw_finish(&w, err);
	return r < 0 ? r : nrd_json_parse(nrd_buf_str(&text), text.len, NULL, ret_doc, err);
}
