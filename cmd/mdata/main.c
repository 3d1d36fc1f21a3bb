/* SPDX-License-Identifier: MPL-2.0 */
/* Copyright 2026 The Nereid authors */

/* mdata-get and its like: one program, which is told by its name what to do. */
#include <stdio.h>
#include <string.h>

#include "mdata.h"
#include "nrd/mem.h"
#include "nrd/str.h"

static const struct nrd_cmd cmds[] = {
	{ "get", cmd_get, NULL, "KEY", "print the value of a key", 0, 1, 1 },
	{ "put", cmd_put, NULL, "KEY [VALUE]", "set a key, without VALUE to standard input",
	  NRD_CMD_STOP_EARLY, 1, 2 },
	{ "delete", cmd_delete, NULL, "KEY", "delete a key", 0, 1, 1 },
	{ "list", cmd_list, NULL, "", "print all keys", 0, 0, NRD_ARGS_NONE },
	{ 0 },
};

/* What scripts for SmartOS expect of these programs. */
static int
exit_code(int code)
{
	switch (code) {
	case NRD_EXIT_OK:
		return 0;
	case NRD_EXIT_STATE:
		return 1; /* there is no such key */
	case NRD_EXIT_USAGE:
		return 3;
	default:
		return 2;
	}
}

int
main(int argc, char **argv)
{
	const char *slash = argc > 0 ? strrchr(argv[0], '/') : NULL;
	const char *name = slash != NULL ? slash + 1 : argc > 0 ? argv[0] : "";
	const char *verb = nrd_starts(name, "mdata-");
	const struct nrd_cli all = {
		.prog = "mdata", .summary = "metadata of this machine", .cmds = cmds,
	};

	for (size_t i = 0; verb != NULL && cmds[i].name != NULL; i++) {
		const struct nrd_cli one = {
			.prog = name, .summary = cmds[i].summary, .only = &cmds[i],
		};

		if (strcmp(verb, cmds[i].name) == 0)
			return exit_code(nrd_cli_main(&one, argc, argv));
	}
	return exit_code(nrd_cli_main(&all, argc, argv));
}
