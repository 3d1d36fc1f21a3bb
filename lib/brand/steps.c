/* SPDX-License-Identifier: MPL-2.0 */
/* Copyright 2026 The Nereid authors */
#include "steps.h"

#include <errno.h>

#include "nrd/fault.h"
#include "nrd/progress.h"
#include "nrd/str.h"

static const char *fault;

void
brand_steps_fault(const char *name)
{
	fault = name;
}

static const volatile sig_atomic_t *stop;

void
brand_steps_stop_on(const volatile sig_atomic_t *flag)
{
	stop = flag;
}

static bool
stopped(void)
{
	return stop != NULL && *stop != 0;
}

int
brand_steps_run(const struct brand_step *steps, size_t n, void *job, struct nrd_err *err)
{
	for (size_t i = 0; i < n; i++) {
		int r;

		nrd_busy_step(steps[i].name);
		r = steps[i].up(job, err);
		if (r >= 0 && fault != NULL && nrd_streq(fault, steps[i].name))
			r = nrd_fail(err, EIO, "Fault", "fault at step %s", steps[i].name);
		/* After the last one all is done, and nothing of it is taken back. */
		if (r >= 0 && i + 1 < n)
			r = stopped() ? -EINTR : nrd_fault(err, "after step %s", steps[i].name);
		if (r >= 0)
			continue;
		for (size_t j = i + 1; j-- > 0;)
			if (steps[j].down != NULL)
				steps[j].down(job);
		/* ^C reached the step's children as well: what they say of it is no news. */
		return stopped() ? nrd_fail(err, EINTR, "Interrupted",
					    "it was interrupted, and is undone")
				 : nrd_wrap(err, r, "%s", steps[i].name);
	}
	return 0;
}
