/* SPDX-License-Identifier: MPL-2.0 */
/* Copyright 2026 The Nereid authors */

/*
 * Any argument vector (NUL between the arguments): the option parser and the parsers of its
 * values.
 */
#include <assert.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "nrd/cli.h"
#include "nrd/str.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define ARGS_MAX 64

struct opts {
	bool flag;
	uint64_t number, bytes;
	const char *name;
	char **list;
};

static const struct nrd_opt table[] = {
	NRD_OPT_FLAG('f', "flag", struct opts, flag, ""),
	NRD_OPT_U64('n', "number", struct opts, number, 3, 1000, "N", ""),
	NRD_OPT_SIZE('s', "size", struct opts, bytes, 0, UINT64_MAX, "SIZE", ""),
	NRD_OPT_STR('o', "output", struct opts, name, "NAME", ""),
	NRD_OPT_STRV('p', "prop", struct opts, list, "PROP", ""),
	NRD_OPT_END(struct opts),
};

static void
parse(char **argv, int argc, unsigned flags)
{
	struct nrd_err err = { 0 };
	struct opts opts = { 0 };
	uint64_t given = 0;
	int kept = argc;

	if (nrd_opts_parse(table, &opts, &kept, argv, flags, &given, &err) == 0) {
		assert(kept >= 0 && kept <= argc && argv[kept] == NULL);
		assert((given >> 1 & 1) == 0 || (opts.number >= 3 && opts.number <= 1000));
	} else {
		assert(err.num > 0 && err.msg[0] != '\0');
	}
	nrd_opts_fini(table, &opts);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	NRD_FREE char *text = malloc(size + 1);
	char *argv[ARGS_MAX + 1], *again[ARGS_MAX + 1];
	int argc = 0;

	assert(text != NULL);
	if (size > 0)
		memcpy(text, data, size);
	text[size] = '\0';
	for (size_t at = 0; at <= size && argc < ARGS_MAX; at += strlen(text + at) + 1)
		argv[argc++] = text + at;
	argv[argc] = NULL;
	memcpy(again, argv, sizeof(argv));
	parse(argv, argc, 0);
	parse(again, argc, NRD_CMD_STOP_EARLY);
	return 0;
}
