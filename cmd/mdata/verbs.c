/* SPDX-License-Identifier: MPL-2.0 */
/* Copyright 2026 The Nereid authors */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "mdata.h"
#include "mdata/limits.h"
#include "nrd/buf.h"
#include "nrd/mem.h"

/* An answer that is none of those the caller knows. */
static int
refused(const struct mdata_answer *answer, const char *act, const char *key, struct nrd_err *err)
{
	const char *why = nrd_buf_str(&answer->text);

	return nrd_fail(err, EIO, "MetadataRefused", "%s \"%s\": %s", act, key,
			why[0] != '\0' ? why : "the metadata service refused it");
}

static int
check_key(const char *key, struct nrd_err *err)
{
	if (key[0] == '\0' || strlen(key) > MDATA_KEY_MAX)
		return nrd_usage(err, "a key has 1 to %d bytes", MDATA_KEY_MAX);
	return 0;
}

int
cmd_get(const struct nrd_args *args, struct nrd_err *err)
{
	NRD_AUTO(mdata_answer) answer = { 0 };
	const struct nrd_str key = nrd_str(args->argv[0]);
	int r = check_key(args->argv[0], err);

	if (r >= 0)
		r = client_ask(MDATA_GET, &key, NULL, &answer, err);
	if (r < 0)
		return r;
	if (answer.code == MDATA_NOTFOUND)
		return nrd_fail(err, ENOENT, "KeyNotFound", "No metadata for '%s'", args->argv[0]);
	if (answer.code != MDATA_SUCCESS)
		return refused(&answer, "get", args->argv[0], err);
	(void)fwrite(nrd_buf_str(&answer.text), 1, answer.text.len, stdout);
	(void)fputc('\n', stdout);
	return 0;
}

/* The value of the command line, or all of standard input. */
static int
take_value(const struct nrd_args *args, struct nrd_buf *value, struct nrd_err *err)
{
	int r = args->argc > 1 ? nrd_buf_adds(value, args->argv[1])
			       : nrd_buf_read_fd(value, STDIN_FILENO, err);

	if (r == -EFBIG)
		return nrd_fail(err, EFBIG, "ValueTooBig", "put \"%s\": a value has at most %zu bytes",
				args->argv[0], MDATA_VALUE_MAX);
	return r == -ENOMEM ? nrd_nomem(err) : r;
}

int
cmd_put(const struct nrd_args *args, struct nrd_err *err)
{
	NRD_AUTO(mdata_answer) answer = { 0 };
	NRD_AUTO(nrd_buf) value = NRD_BUF_INIT(MDATA_VALUE_MAX);
	const struct nrd_str key = nrd_str(args->argv[0]);
	int r = check_key(args->argv[0], err);

	if (r >= 0)
		r = take_value(args, &value, err);
	if (r < 0)
		return r;
	const struct nrd_str text = nrd_strn(nrd_buf_str(&value), value.len);

	r = client_ask(MDATA_PUT, &key, &text, &answer, err);
	if (r < 0 || answer.code == MDATA_SUCCESS)
		return r;
	return refused(&answer, "put", args->argv[0], err);
}

int
cmd_delete(const struct nrd_args *args, struct nrd_err *err)
{
	NRD_AUTO(mdata_answer) answer = { 0 };
	const struct nrd_str key = nrd_str(args->argv[0]);
	int r = check_key(args->argv[0], err);

	if (r >= 0)
		r = client_ask(MDATA_DELETE, &key, NULL, &answer, err);
	if (r < 0 || answer.code != MDATA_FAILURE)
		return r;
	return refused(&answer, "delete", args->argv[0], err);
}

int
cmd_list(const struct nrd_args *args, struct nrd_err *err)
{
	NRD_AUTO(mdata_answer) answer = { 0 };
	int r = client_ask(MDATA_KEYS, NULL, NULL, &answer, err);

	(void)args;
	if (r < 0)
		return r;
	if (answer.code != MDATA_SUCCESS)
		return nrd_fail(err, EIO, "MetadataRefused", "list the keys: %s",
				nrd_buf_str(&answer.text));
	if (answer.text.len > 0) {
		(void)fwrite(nrd_buf_str(&answer.text), 1, answer.text.len, stdout);
		(void)fputc('\n', stdout);
	}
	return 0;
}
