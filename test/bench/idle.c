/* SPDX-License-Identifier: MPL-2.0 */
/* Copyright 2026 The Nereid authors */

/* An init that does nothing, for ever; with an argument, for no time at all. */
#include <unistd.h>

int
main(int argc, char **argv)
{
	(void)argv;
	while (argc < 2)
		(void)pause();
	return 0;
}
