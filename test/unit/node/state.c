/* SPDX-License-Identifier: MPL-2.0 */
/* Copyright 2026 The Nereid authors */
#include "node/state.h"

#include "nrd-test.h"
#include "nrd/file.h"
#include "nrd/mem.h"

static char path[] = "/tmp/nrd-state-XXXXXX";

static void
reads_what_was_written(void)
{
	struct node_state s;

	CHECK(mkstemp(path) >= 0);
	CHECK_INT(unlink(path), 0);
	CHECK_INT(node_state_read(path, &s, NULL), 0);
	CHECK_INT(s.kind, NODE_BOOTING);
	CHECK_INT(node_state_write(path, NODE_READY, NULL, NULL), 0);
	CHECK_INT(node_state_read(path, &s, NULL), 0);
	CHECK_INT(s.kind, NODE_READY);
	CHECK_STR(s.why, "");
	CHECK_INT(node_state_write(path, NODE_DEGRADED, "two\nlines: and more", NULL), 0);
	CHECK_INT(node_state_read(path, &s, NULL), 0);
	CHECK_INT(s.kind, NODE_DEGRADED);
	CHECK_STR(s.why, "two lines: and more");
}

static void
a_long_reason_is_cut(void)
{
	char why[2 * NODE_STATE_WHY_MAX];
	struct node_state s;

	memset(why, 'x', sizeof(why) - 1);
	why[sizeof(why) - 1] = '\0';
	CHECK_INT(node_state_write(path, NODE_SETUP, why, NULL), 0);
	CHECK_INT(node_state_read(path, &s, NULL), 0);
	CHECK_INT(s.kind, NODE_SETUP);
	CHECK_INT(strlen(s.why), NODE_STATE_WHY_MAX - 1);
}

static void
refuses_other_words(void)
{
	struct nrd_err err = { 0 };
	struct node_state s;

	CHECK_INT(nrd_file_write(path, "readyish\n", 9, 0644, NULL), 0);
	CHECK(node_state_read(path, &s, &err) < 0);
	CHECK_STR(err.code, "BadState");
	(void)unlink(path);
}

TEST_MAIN(reads_what_was_written, a_long_reason_is_cut, refuses_other_words)
