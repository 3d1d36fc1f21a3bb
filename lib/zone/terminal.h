/* SPDX-License-Identifier: MPL-2.0 */
/* Copyright 2026 The Nereid authors */
#pragma once

#include <stdbool.h>
#include <termios.h>

#include "nrd/err.h"

/*
 * The operator's terminal while a session has it:
 *
 *	NRD_AUTO(zone_terminal) terminal = ZONE_TERMINAL_INIT;
 *
 * gives it back as it was, whichever way the function is left.
 */
struct zone_terminal {
	int fd;              /* borrowed; -1: none was taken */
	bool raw;
	struct termios modes; /* as they were */
};

#define ZONE_TERMINAL_INIT { .fd = -1 }

/* Every key as it is, no echo, no signals. Fine when fd is no terminal: nothing happens. "Terminal". */
int zone_terminal_raw(struct zone_terminal *terminal, int fd, struct nrd_err *err);

/* Raw again, after zone_terminal_restore or a stop; not while others have the terminal. */
void zone_terminal_again(struct zone_terminal *terminal);

/* As it was; also from the background. */
void zone_terminal_restore(struct zone_terminal *terminal);
void zone_terminal_cleanup(struct zone_terminal *terminal);

/* Gives a new pty the keys and the size of a terminal. What from does not have stays as it is. */
void zone_terminal_copy_modes(int from, int pty);
void zone_terminal_copy_size(int from, int pty);
