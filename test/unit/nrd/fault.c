/* SPDX-License-Identifier: MPL-2.0 */
/* Copyright 2026 The Nereid authors */
#include "nrd/fault.h"

#include <stdbool.h>
#include <sys/wait.h>

#include "nrd-test.h"

/* Three points, the second in a child. */
static int
attempt(struct nrd_err *err)
{
	int status = 0;
	int r = nrd_fault(err, "first");
	pid_t pid;

	if (r < 0)
		return r;
	(void)fflush(stdout);
	pid = fork();
	if (pid == 0)
		_exit(nrd_fault(NULL, "second") < 0 ? 1 : 0);
	CHECK(pid > 0 && waitpid(pid, &status, 0) == pid);
	if (status != 0)
		return nrd_fail(err, EIO, "Child", "it failed in the child");
	return nrd_fault(err, "third %d", 3);
}

static void
costs_nothing_by_default(void)
{
	struct nrd_err err = { 0 };

	CHECK_INT(unsetenv("NEREID_FAULT"), 0);
	nrd_fault_init();
	nrd_fault_begin();
	CHECK_INT(attempt(&err), 0);
	CHECK_STR(err.msg, "");
}

static void
each_point_in_turn(void)
{
	static const char *const said[] = { "fault 1: first", "it failed in the child",
					    "fault 3: third 3" };
	struct nrd_err err = { 0 };

	CHECK_INT(setenv("NEREID_FAULT", "1", 1), 0);
	nrd_fault_init();
	for (size_t i = 0; i < 3; i++) {
		nrd_fault_begin();
		CHECK_INT(attempt(&err), -EIO);
		CHECK_STR(err.msg, said[i]);
		/* Once an attempt. */
		CHECK_INT(nrd_fault(&err, "undoing"), 0);
	}
	nrd_fault_begin();
	CHECK_INT(attempt(&err), 0);
}

TEST_MAIN(costs_nothing_by_default, each_point_in_turn)
