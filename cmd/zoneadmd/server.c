/* SPDX-License-Identifier: MPL-2.0 */
/* Copyright 2026 The Nereid authors */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "nrd/fault.h"
#include "nrd/json.h"
#include "nrd/mem.h"
#include "nrd/str.h"
#include "zone/config-guest.h"
#include "zoneadmd.h"

#define MESSAGE_MAX ((size_t)65536)
#define SHUTDOWN_S 60
#define GUEST_ANSWER_MAX ((size_t)128 << 10)

static void
sock_path(const struct zoneadmd *z, char *ret_path, size_t size)
{
	(void)snprintf(ret_path, size, ZONE_RUN_DIR "/%.80s/sock", z->name);
}

void
server_unlisten(const struct zoneadmd *z)
{
	char path[128];

	sock_path(z, path, sizeof(path));
	(void)unlink(path);
}

int
server_listen(struct zoneadmd *z, struct nrd_err *err)
{
	struct sockaddr_un addr = { .sun_family = AF_UNIX };
	NRD_CLOSE int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	sock_path(z, addr.sun_path, sizeof(addr.sun_path));
	if (fd < 0)
		return nrd_fail(err, errno, "Zoneadmd", "make a socket: %m");
	(void)unlink(addr.sun_path); /* of one that was killed: we hold the lock */
	if (bind(fd, (const struct sockaddr *)&addr, sizeof(addr)) < 0 ||
	    chmod(addr.sun_path, 0600) < 0 || listen(fd, CLIENTS_MAX) < 0)
		return nrd_fail(err, errno, "Zoneadmd", "listen at %s: %m", addr.sun_path);
	z->listener = nrd_take_fd(&fd);
	return 0;
}

/* The socket is root's alone; who holds a passed descriptor of it is asked all the same. */
static bool
is_root(int fd)
{
	struct ucred who;
	socklen_t len = sizeof(who);

	return getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &who, &len) == 0 && who.uid == 0;
}

void
server_accept(struct zoneadmd *z)
{
	NRD_CLOSE int fd = accept4(z->listener, NULL, NULL, SOCK_CLOEXEC);

	if (fd < 0 || !is_root(fd))
		return;
	for (size_t i = 0; i < CLIENTS_MAX; i++) {
		if (z->clients[i].kind != CLIENT_NONE)
			continue;
		z->clients[i] = (struct client){ .fd = nrd_take_fd(&fd), .kind = CLIENT_REQUESTS };
		return;
	}
}

void
server_drop(struct client *c)
{
	(void)close(c->fd);
	*c = (struct client){ .fd = -1 };
}

void
server_answer(struct client *c, int r, const struct nrd_err *err)
{
	NRD_AUTO(nrd_buf) out = NRD_BUF_INIT(MESSAGE_MAX);
	struct nrd_jw w;

	nrd_jw_init(&w, &out, NRD_JW_COMPACT);
	nrd_jw_obj_open(&w);
	nrd_jw_kbool(&w, "ok", r >= 0);
	if (r < 0) {
		nrd_jw_ku64(&w, "num", (uint64_t)-r);
		nrd_jw_kstr(&w, "code", err->code);
		nrd_jw_kstr(&w, "msg", err->msg);
	}
	nrd_jw_obj_close(&w);
	if (nrd_jw_finish(&w, NULL) >= 0)
		(void)send(c->fd, nrd_buf_str(&out), out.len, MSG_NOSIGNAL | MSG_DONTWAIT);
}

/* As long as QEMU's answer, in one message. */
void
server_answer_with(struct client *c, const char *text)
{
	const struct nrd_err too_long = { .num = EFBIG, .code = "QemuFailed", .msg = "the answer is too long" };
	NRD_AUTO(nrd_buf) out = NRD_BUF_INIT(GUEST_ANSWER_MAX);

	if (nrd_buf_printf(&out, "{\"ok\":true,\"return\":%s}", text) < 0)
		server_answer(c, -EFBIG, &too_long);
	else
		(void)send(c->fd, nrd_buf_str(&out), out.len, MSG_NOSIGNAL | MSG_DONTWAIT);
}

void
server_tell_down(struct zoneadmd *z, int r, const struct nrd_err *err)
{
	for (size_t i = 0; i < CLIENTS_MAX; i++) {
		struct client *c = &z->clients[i];

		if (c->kind == CLIENT_REQUESTS && c->waits_for_down) {
			c->waits_for_down = false;
			server_answer(c, r, err);
		}
	}
}

static struct zone_boot_request
how_of(const struct nrd_val *root)
{
	struct zone_boot_request how = {
		.init = nrd_val_str(nrd_val_get(root, "init")),
		.args = nrd_val_str(nrd_val_get(root, "args")),
	};

	(void)nrd_val_bool(nrd_val_get(root, "single"), &how.single_user);
	(void)nrd_val_bool(nrd_val_get(root, "force"), &how.force);
	return how;
}

static int
op_ready(struct zoneadmd *z, struct client *c, const struct nrd_val *root, struct nrd_err *err)
{
	(void)c;
	(void)root;
	nrd_fault_begin();
	return zone_op_ready(z, err);
}

static int
op_boot(struct zoneadmd *z, struct client *c, const struct nrd_val *root, struct nrd_err *err)
{
	const struct zone_boot_request how = how_of(root);

	(void)c;
	nrd_fault_begin();
	return zone_op_boot(z, &how, err);
}

static int
op_halt(struct zoneadmd *z, struct client *c, const struct nrd_val *root, struct nrd_err *err)
{
	(void)c;
	(void)root;
	return zone_op_halt(z, err);
}

static int
op_reboot(struct zoneadmd *z, struct client *c, const struct nrd_val *root, struct nrd_err *err)
{
	const struct zone_boot_request how = how_of(root);

	(void)c;
	nrd_fault_begin();
	return zone_op_reboot(z, &how, err);
}

/* 1: the answer comes later. */
static int
op_shutdown(struct zoneadmd *z, struct client *c, const struct nrd_val *root, struct nrd_err *err)
{
	uint64_t timeout = SHUTDOWN_S;
	bool reboot = false;
	int r;

	(void)nrd_val_u64(nrd_val_get(root, "timeout"), &timeout);
	(void)nrd_val_bool(nrd_val_get(root, "reboot"), &reboot);
	r = zone_op_shutdown(z, reboot, timeout < 86400 ? (unsigned)timeout : 86400, err);
	if (r < 0)
		return r;
	c->waits_for_down = true;
	return 1;
}

static int
op_apply(struct zoneadmd *z, struct client *c, const struct nrd_val *root, struct nrd_err *err)
{
	(void)c;
	(void)root;
	return zone_op_apply(z, err);
}

static int
op_status(struct zoneadmd *z, struct client *c, const struct nrd_val *root, struct nrd_err *err)
{
	(void)z;
	(void)c;
	(void)root;
	(void)err;
	return 0;
}

static const struct {
	const char *name;
	enum client_kind writes, looks_on;
} streams[] = {
	{ "console", CLIENT_CONSOLE, CLIENT_SPECTATOR },
	{ "stdio", CLIENT_STDIO, CLIENT_STDOUT },
	{ "stderr", CLIENT_STDERR, CLIENT_STDERR },
};

/* One types at a time; who is gone makes room though not all it typed was taken. */
static bool
is_taken(struct zoneadmd *z, enum client_kind kind)
{
	for (size_t i = 0; i < CLIENTS_MAX; i++) {
		if (z->clients[i].kind != kind)
			continue;
		if (!z->clients[i].gone)
			return true;
		server_drop(&z->clients[i]);
	}
	return false;
}

static int
op_console(struct zoneadmd *z, struct client *c, const struct nrd_val *root, struct nrd_err *err)
{
	const char *name = nrd_val_str(nrd_val_get(root, "stream"));
	enum client_kind kind = CLIENT_NONE;
	bool write = true;

	(void)nrd_val_bool(nrd_val_get(root, "write"), &write);
	(void)nrd_val_bool(nrd_val_get(root, "keep_input"), &c->keeps_input);
	for (size_t i = 0; i < nrd_count(streams); i++)
		if (nrd_streq(name != NULL ? name : "console", streams[i].name))
			kind = write ? streams[i].writes : streams[i].looks_on;
	if (kind == CLIENT_NONE)
		return nrd_fail(err, EINVAL, "BadRequest", "zoneadmd knows no stream \"%.40s\"", name);
	if ((kind == CLIENT_CONSOLE || kind == CLIENT_STDIO) && is_taken(z, kind))
		return nrd_fail(err, EBUSY, "ConsoleBusy",
				"zone '%s' %s is already in use; -n looks on", z->name,
				kind == CLIENT_CONSOLE ? "console" : "standard input");
	server_answer(c, 0, NULL);
	console_attach(z, c, kind);
	return 1;
}

static int
op_guest(struct zoneadmd *z, struct client *c, const struct nrd_val *root, struct nrd_err *err)
{
	const char *command = nrd_get_str(root, "execute");
	NRD_FREE char *text = NULL;
	int r;

	if (z->run.state != ZONE_ST_RUNNING)
		return nrd_fail(err, EINVAL, "ZoneWrongState", "zone '%s': it is %s", z->name, zone_state_name(z->run.state));
	if (agent_knows(command))
		return agent_ask(z, c, command, err);
	r = guest_ask(z, command, nrd_val_get(root, "arguments"), &text, err);
	if (r < 0)
		return r;
	server_answer_with(c, text);
	return 1;
}

/* "left" is one that the guest has still: then it is asked again. */
static int
op_unplug(struct zoneadmd *z, struct client *c, const struct nrd_val *root, struct nrd_err *err)
{
	NRD_AUTO(nrd_buf) out = NRD_BUF_INIT(MESSAGE_MAX);
	char left[GUEST_NAME];
	struct nrd_jw w;
	int r;

	if (z->run.state != ZONE_ST_RUNNING || !zone_is_guest(&z->config))
		return nrd_fail(err, EINVAL, "ZoneWrongState", "zone '%s': it is no guest that runs", z->name);
	r = guest_unplug(z, root, left, err);
	if (r < 0)
		return r;
	nrd_jw_init(&w, &out, NRD_JW_COMPACT);
	nrd_jw_obj_open(&w);
	nrd_jw_kbool(&w, "ok", true);
	nrd_jw_kstr(&w, "left", left);
	nrd_jw_obj_close(&w);
	r = nrd_jw_finish(&w, err);
	if (r == 0)
		(void)send(c->fd, nrd_buf_str(&out), out.len, MSG_NOSIGNAL | MSG_DONTWAIT);
	return r == 0 ? 1 : r;
}

static const struct {
	const char *name;
	int (*fn)(struct zoneadmd *z, struct client *c, const struct nrd_val *root,
		  struct nrd_err *err);
} ops[] = {
	{ "ready", op_ready },       { "boot", op_boot },     { "halt", op_halt },
	{ "reboot", op_reboot },     { "shutdown", op_shutdown }, { "apply", op_apply },
	{ "status", op_status },     { "console", op_console },
	{ "guest", op_guest },       { "unplug", op_unplug },
};

static int
run(struct zoneadmd *z, struct client *c, const char *text, size_t len, struct nrd_err *err)
{
	const struct nrd_json_limits limits = { .max = MESSAGE_MAX, .depth = 4 };
	NRD_AUTO(nrd_json) *doc = NULL;
	const char *op;
	int r = nrd_json_parse(text, len, &limits, &doc, err);

	if (r < 0)
		return r;
	op = nrd_val_str(nrd_val_get(nrd_json_root(doc), "op"));
	for (size_t i = 0; i < nrd_count(ops); i++)
		if (nrd_streq(op, ops[i].name))
			return ops[i].fn(z, c, nrd_json_root(doc), err);
	return nrd_fail(err, EINVAL, "BadRequest", "zoneadmd does not know \"%.40s\"",
			op != NULL ? op : "");
}

void
server_ready(struct zoneadmd *z, struct client *c, short revents)
{
	static char message[MESSAGE_MAX];
	struct nrd_err err = { 0 };
	ssize_t n;
	int r;

	if (c->kind != CLIENT_REQUESTS) {
		console_client_ready(z, c, revents);
		return;
	}
	n = recv(c->fd, message, sizeof(message), MSG_DONTWAIT);
	if (n == 0 || (n < 0 && errno != EAGAIN && errno != EINTR)) {
		server_drop(c);
		return;
	}
	if (n < 0)
		return;
	r = run(z, c, message, (size_t)n, &err);
	if (r != 1)
		server_answer(c, r, &err);
}
