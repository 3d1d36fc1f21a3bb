/* SPDX-License-Identifier: MPL-2.0 */
/* Copyright 2026 The Nereid authors */
#pragma once

#include <stdint.h>

/*
 * What lasts is shown on standard error, only where that is a terminal: one line that changes in place and is gone
 * when the work is done. One at a time.
 */

/* So many bytes of so many are done; total 0: nobody knows. No oftener than it shows. */
void nrd_progress_bytes(const char *what, uint64_t done, uint64_t total);

/* The line is gone, wherever it stood. */
void nrd_progress_clear(void);

/*
 * Work of which only the time is known: after its first second the line shows what is done and for how long, until
 * nrd_busy_end. A child shows it, so that nothing of the work has to look at a clock; it dies with us.
 */
void nrd_busy_begin(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/* What is at hand within it. Does nothing when nothing is begun. */
void nrd_busy_step(const char *step);

/* Before anything else is printed. Does nothing when nothing is begun. */
void nrd_busy_end(void);
