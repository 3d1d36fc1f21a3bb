/* SPDX-License-Identifier: MPL-2.0 */
/* Copyright 2026 The Nereid authors */

/*
 * What the agent in a guest is asked: to switch it off, to freeze its filesystems for a snapshot, what it is. Nobody waits for it
 * here: a question is begun when there is none, and goes on in the loop's turns.
 *
 * What was frozen is thawed whatever becomes of those who wanted it: the state file says that it is frozen before it is, and
 * the question is asked again until it is answered or the guest is gone.
 */
#include "agent.h"

#include <errno.h>
#include <string.h>

#include "brand/guest.h"
#include "nrd/clock.h"
#include "nrd/log.h"
#include "nrd/mem.h"
#include "nrd/str.h"
#include "zoneadmd.h"

#define FREEZE    "guest-fsfreeze-freeze"
#define THAW      "guest-fsfreeze-thaw"
#define SHUTDOWN  "guest-shutdown" /* unless said otherwise, the power goes with it */
#define FROZEN_MS 10000
#define RETRY_MS  5000

static const struct {
	const char *name;
	int64_t limit_ms;
} commands[] = {
	{ FREEZE, 10000 },
	{ THAW, 10000 },
	{ SHUTDOWN, 3000 }, /* answered only when it fails */
	{ "guest-info", 5000 },
	{ "guest-get-osinfo", 5000 },
	{ "guest-network-get-interfaces", 5000 },
};

static size_t
place_of(const char *command)
{
	size_t i = 0;

	while (i < nrd_count(commands) && !nrd_streq(commands[i].name, command))
		i++;
	return i;
}

bool
agent_knows(const char *command)
{
	return place_of(command) < nrd_count(commands) && !nrd_streq(command, SHUTDOWN);
}

/* Whether something in the guest has opened the port; QEMU knows. */
static bool
is_there(struct zoneadmd *z)
{
	NRD_AUTO(nrd_json) *doc = NULL;
	struct nrd_iter it;

	if (qmp_ask(&z->guest.qmp, "query-chardev", NULL, nrd_now_ms() + QMP_ANSWER_MS, &doc, NULL) < 0)
		return false;
	it = nrd_iter(nrd_val_get(nrd_json_root(doc), "return"));
	while (nrd_iter_next(&it)) {
		bool open = false;

		if (nrd_streq(nrd_get_str(it.val, "label"), GUEST_AGENT))
			return nrd_get_bool(it.val, "frontend-open", &open) && open;
	}
	return false;
}

static void
tell(const struct zoneadmd *z, const char *event)
{
	nrd_log(NRD_INFO, "the guest's agent", NRD_S("zone", z->name), NRD_S("event", event));
}

/* ---- frozen ---- */

static void
set_frozen(struct zoneadmd *z, bool frozen)
{
	struct nrd_err why = { 0 };

	if (z->run.frozen == frozen)
		return;
	z->run.frozen = frozen;
	if (zone_run_write(z->name, &z->run, &why) < 0)
		nrd_log(NRD_WARN, "ignoring: its state was not written", NRD_S("zone", z->name), NRD_ERR(&why));
}

/* For whom it stands still. */
static struct client *
holder(struct zoneadmd *z)
{
	for (size_t i = 0; i < CLIENTS_MAX; i++)
		if (z->clients[i].kind == CLIENT_REQUESTS && z->clients[i].holds)
			return &z->clients[i];
	return NULL;
}

/* When it is thawed; it is frozen. */
static int64_t
thaw_at(struct zoneadmd *z)
{
	bool held = holder(z) != NULL && !z->agent.powerdown;

	return held && z->agent.held_until_ms > z->agent.retry_ms ? z->agent.held_until_ms : z->agent.retry_ms;
}

/* ---- a question's end ---- */

static struct client *
who_asks(struct zoneadmd *z, const char *command)
{
	for (size_t i = 0; i < CLIENTS_MAX; i++)
		if (z->clients[i].kind == CLIENT_REQUESTS && nrd_streq(z->clients[i].asks, command))
			return &z->clients[i];
	return NULL;
}

/* Nobody, when who asked is gone. */
static void
answer(struct client *c, int r, const struct nrd_json *doc, struct nrd_err *err)
{
	NRD_AUTO(nrd_buf) text = { 0 };
	struct nrd_jw w;

	if (c == NULL)
		return;
	c->asks = NULL;
	if (r >= 0) {
		nrd_jw_init(&w, &text, NRD_JW_COMPACT);
		nrd_jw_val(&w, nrd_val_get(nrd_json_root(doc), "return"));
		r = nrd_jw_finish(&w, err);
	}
	if (r < 0)
		server_answer(c, r, err);
	else
		server_answer_with(c, nrd_buf_str(&text));
}

static void
froze(struct zoneadmd *z, int r, bool told)
{
	struct client *c = who_asks(z, FREEZE);

	/* What it does not answer to it may have done, or still do. */
	if (r < 0 && (!told || r == -EIO))
		set_frozen(z, false);
	if (r < 0 || c == NULL)
		return;
	tell(z, "frozen");
	c->holds = true;
	z->agent.held_until_ms = nrd_now_ms() + FROZEN_MS;
}

static void
thawed(struct zoneadmd *z, int r, const struct nrd_err *err)
{
	if (r == -EIO)
		nrd_log(NRD_ERROR, "a guest is not thawed", NRD_S("zone", z->name), NRD_ERR(err));
	else if (r < 0)
		nrd_log(NRD_WARN, "a guest is not thawed: retrying", NRD_S("zone", z->name), NRD_ERR(err));
	else
		tell(z, "thawed");
	/* What it refuses it refuses the next time, too. */
	if (r >= 0 || r == -EIO)
		set_frozen(z, false);
	z->agent.retry_ms = r >= 0 || r == -EIO ? 0 : nrd_now_ms() + RETRY_MS;
}

/* It says nothing when it does it; -EPIPE is QEMU's end. */
static void
switched_off(struct zoneadmd *z, int r, bool told, struct nrd_err *err)
{
	if (r > 0 || r == -EPIPE || (r == -ETIMEDOUT && told))
		return;
	nrd_log(NRD_WARN, "the guest's agent does not switch it off: pressing its power button", NRD_S("zone", z->name), NRD_ERR(err));
	if (guest_powerdown(z, err) < 0)
		nrd_log(NRD_WARN, "its power button cannot be pressed", NRD_S("zone", z->name), NRD_ERR(err));
}

static void
ended(struct zoneadmd *z, const char *command, int r, bool told, const struct nrd_json *doc, struct nrd_err *err)
{
	if (nrd_streq(command, FREEZE))
		froze(z, r, told);
	else if (nrd_streq(command, THAW))
		thawed(z, r, err);
	else if (nrd_streq(command, SHUTDOWN))
		switched_off(z, r, told, err);
	answer(who_asks(z, command), r, doc, err);
}

/* ---- the next question ---- */

/* What is to be asked now; NULL: nothing. */
static const char *
next(struct zoneadmd *z)
{
	if (z->run.state != ZONE_ST_RUNNING)
		return NULL;
	if (z->run.frozen && nrd_now_ms() >= thaw_at(z))
		return THAW;
	if (z->agent.powerdown)
		return SHUTDOWN;
	for (size_t i = 0; i < nrd_count(commands); i++)
		if (!nrd_streq(commands[i].name, THAW) && who_asks(z, commands[i].name) != NULL)
			return commands[i].name;
	return NULL;
}

static void
begin(struct zoneadmd *z, const char *command)
{
	struct nrd_err err = { 0 };
	struct client *held = holder(z);
	int fd, r;

	if (nrd_streq(command, FREEZE))
		set_frozen(z, true);
	if (nrd_streq(command, THAW) && held != NULL)
		held->holds = false;
	if (nrd_streq(command, SHUTDOWN)) {
		z->agent.powerdown = false;
		tell(z, "asked to power down");
	}
	fd = guest_connect(z, GUEST_AGENT, &err);
	r = fd < 0 ? fd : qga_begin(&z->agent.qga, fd, command, commands[place_of(command)].limit_ms, &err);
	if (r < 0)
		ended(z, command, r, false, NULL, &err);
}

int
agent_powerdown(struct zoneadmd *z, struct nrd_err *err)
{
	if (!is_there(z))
		return guest_powerdown(z, err);
	z->agent.powerdown = true;
	return 0;
}

int
agent_ask(struct zoneadmd *z, struct client *c, const char *command, struct nrd_err *err)
{
	bool thaw = nrd_streq(command, THAW);

	if (thaw && !c->holds)
		return nrd_fail(err, EINVAL, "NotFrozen", "the guest is not frozen any more: that ends after %d s", FROZEN_MS / 1000);
	if (nrd_streq(command, FREEZE) && (z->run.frozen || who_asks(z, FREEZE) != NULL))
		return nrd_fail(err, EBUSY, "AgentFailed", "the guest is frozen already");
	if (!is_there(z))
		return nrd_fail(err, ENOENT, "NoAgent", "no agent runs in the guest");
	if (thaw)
		c->holds = false;
	c->asks = commands[place_of(command)].name;
	return 1;
}

void
agent_reset(struct zoneadmd *z)
{
	struct nrd_err gone = { 0 };
	struct client *c;

	(void)nrd_fail(&gone, EPIPE, "AgentFailed", "the guest begins anew, or has ended");
	qga_end(&z->agent.qga);
	z->agent = (struct agent){ .qga = QGA_NONE };
	set_frozen(z, false);
	while ((c = holder(z)) != NULL)
		c->holds = false;
	for (size_t i = 0; i < nrd_count(commands); i++)
		while ((c = who_asks(z, commands[i].name)) != NULL)
			answer(c, -EPIPE, NULL, &gone);
}

void
agent_poll(struct zoneadmd *z, struct pollfd *p, int *timeout_ms)
{
	*p = (struct pollfd){ .fd = z->agent.qga.fd, .events = POLLIN };
	if (p->fd >= 0)
		guest_wake_at(z->agent.qga.end_ms, timeout_ms);
	else if (next(z) != NULL)
		*timeout_ms = 0;
	else if (z->run.frozen && z->run.state == ZONE_ST_RUNNING)
		guest_wake_at(thaw_at(z), timeout_ms);
}

void
agent_turn(struct zoneadmd *z, const struct pollfd *p)
{
	struct qga *q = &z->agent.qga;
	NRD_AUTO(nrd_json) *doc = NULL;
	struct nrd_err err = { 0 };
	const char *command = q->command;
	bool told = q->told;
	int r = 0;

	if (q->fd >= 0 && (p->revents != 0 || qga_left_ms(q) == 0))
		r = qga_turn(q, &doc, &err);
	if (r != 0)
		ended(z, command, r, told, doc, &err);
	command = q->fd < 0 ? next(z) : NULL;
	if (command != NULL)
		begin(z, command);
}
