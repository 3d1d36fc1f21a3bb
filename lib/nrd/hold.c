/* SPDX-License-Identifier: MPL-2.0 */
/* Copyright 2026 The Nereid authors */
#include "hold.h"

#include <stddef.h>

#include "mem.h"

static volatile sig_atomic_t held;

static void
on_signal(int sig)
{
	(void)sig;
	held = 1;
}

const volatile sig_atomic_t *
nrd_hold_signals(void)
{
	static const int signals[] = { SIGINT, SIGHUP, SIGTERM };
	const struct sigaction note = { .sa_handler = on_signal, .sa_flags = SA_RESTART };

	for (size_t i = 0; i < nrd_count(signals); i++)
		(void)sigaction(signals[i], &note, NULL);
	return &held;
}
