/* SPDX-License-Identifier: MPL-2.0 */
/* Copyright 2026 The Nereid authors */
#pragma once

#include <signal.h>

/*
 * From here on SIGINT, SIGHUP and SIGTERM do not end the process: they set the flag that is returned, which what
 * lasts looks at, to undo what it has half done. A system call that can be restarted is.
 */
const volatile sig_atomic_t *nrd_hold_signals(void);
