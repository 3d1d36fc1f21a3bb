/* SPDX-License-Identifier: MPL-2.0 */
/* Copyright 2026 The Nereid authors */
#pragma once

#include <signal.h>
#include <stddef.h>

#include "nrd/err.h"

/* Work in steps, walked back when one of them fails. */
struct brand_step {
	const char *name;
	int (*up)(void *job, struct nrd_err *err);
	void (*down)(void *job); /* NULL: nothing to undo; copes with a half-done up */
};

/*
 * Steps are walked back, too, when *flag is set while they run: "Interrupted". NULL: not any more.
 */
void brand_steps_stop_on(const volatile sig_atomic_t *flag);

/* The error is the failing step's own, with its name before it. */
int brand_steps_run(const struct brand_step *steps, size_t n, void *job, struct nrd_err *err);

/*
 * Tests: the step of that name fails after it has done its work ("Fault", -EIO), until it is
 * called with NULL.
 */
void brand_steps_fault(const char *name);
