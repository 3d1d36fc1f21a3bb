/* SPDX-License-Identifier: MPL-2.0 */
/* Copyright 2026 The Nereid authors */

/*
 * A node is ready when others can use it: its admin network has an address, its services run, and
 * the platform that got it there is confirmed. This runs after those services were started.
 */
#include "ready.h"

#include <stdio.h>
#include <string.h>

#include "node/bootlog.h"
#include "node/bootparam.h"
#include "node/netwait.h"
#include "node/state.h"
#include "nrd/buf.h"
#include "nrd/mem.h"
#include "nrd/proc.h"
#include "nrd/str.h"

#define ADDRESS_WAIT_MS 30000
#define CONFIRM_LIMIT_MS 120000 /* waits for other users of the boot volumes */
#define UNITS_MAX ((size_t)16 << 10)

struct ready {
	struct node_bootlog log;
	struct node_state state;
	bool trial;
	bool confirmed;
};

static void
confirm(struct ready *b)
{
	static const char *const argv[] = { "/usr/sbin/piadm", "confirm", NULL };
	const struct nrd_proc proc = {
		.argv = argv,
		.timeout_ms = CONFIRM_LIMIT_MS,
		.flags = NRD_PROC_STDOUT,
	};
	struct nrd_err why = { 0 };

	if (b->confirmed)
		return;
	b->confirmed = true;
	if (nrd_run(&proc, NULL, NULL, &why) < 0)
		node_bootlog_say(&b->log, "problem: %s", why.msg);
}

/* Says it only where nothing worse stands there already; kind and why are what boot left. */
static int
tell(struct ready *b, enum node_state_kind kind, const char *why, struct nrd_err *err)
{
	if (b->state.kind != NODE_BOOTING)
		return 0;
	node_bootlog_say(&b->log, "state: %s%s%s", node_state_name(kind), why != NULL ? ": " : "",
			 why != NULL ? why : "");
	return node_state_write(NULL, kind, why, err);
}

/*
 * A platform on trial that cannot be reached is no good to anybody: it stays unconfirmed, and the
 * node goes back to the one before when its time is over. Any other keeps waiting for the network.
 */
static int
await_network(struct ready *b, struct nrd_err *err)
{
	char text[NODE_STATE_WHY_MAX];
	int r;

	if (node_netwait_address(ADDRESS_WAIT_MS))
		return 0;
	node_netwait_problem(text, sizeof(text));
	node_bootlog_say(&b->log, "problem: %s", text);
	r = tell(b, NODE_DEGRADED, text, err);
	if (r < 0)
		return r;
	if (!b->trial)
		confirm(b);
	(void)node_netwait_address(-1);
	return 0;
}

/* The first unit that failed, "" when none did. */
static void
failed_unit(char *ret_name, size_t size)
{
	NRD_AUTO(nrd_buf) out = NRD_BUF_INIT(UNITS_MAX);

	ret_name[0] = '\0';
	if (nrd_run_argv(&out, NULL, "systemctl", "list-units", "--failed", "--plain",
			 "--no-legend", NULL) < 0 || out.len == 0)
		return;
	(void)snprintf(ret_name, size, "%.*s", (int)strcspn(nrd_buf_str(&out), " \n"),
		       nrd_buf_str(&out));
}

static int
ready(struct ready *b, struct nrd_err *err)
{
	char unit[128];
	char text[NODE_STATE_WHY_MAX];
	int r = await_network(b, err);

	if (r < 0)
		return r;
	node_bootlog_say(&b->log, "admin network is there");
	confirm(b);
	failed_unit(unit, sizeof(unit));
	if (unit[0] == '\0')
		return tell(b, NODE_READY, NULL, err);
	(void)snprintf(text, sizeof(text), "%s failed; see systemctl status %s", unit, unit);
	return tell(b, NODE_DEGRADED, text, err);
}

int
cmd_ready(const struct nrd_args *args, struct nrd_err *err)
{
	struct ready b = { 0 };
	struct node_bootparam param = { 0 };
	int r = node_state_read(NULL, &b.state, err);

	(void)args;
	if (r < 0)
		return r;
	if (node_bootparam_read(NULL, &param, NULL, NULL) >= 0)
		b.trial = param.trial;
	node_bootparam_fini(&param);
	b.log = node_bootlog_open(false);
	r = ready(&b, err);
	node_bootlog_close(&b.log);
	return r;
}
