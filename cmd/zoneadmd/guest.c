/* SPDX-License-Identifier: MPL-2.0 */
/* Copyright 2026 The Nereid authors */

/*
 * QEMU listens at sockets in the zone's directory in RAM, so that a zoneadmd that takes over finds them again. What it says is
 * believed no more than what a tenant says: a guest may have taken it over. A command waits for its answer, and what happens
 * meanwhile (events) is seen to when it is there.
 */
#include "guest.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "brand/guest.h"
#include "nrd/clock.h"
#include "nrd/file.h"
#include "nrd/json.h"
#include "nrd/log.h"
#include "nrd/mem.h"
#include "nrd/str.h"
#include "zone/config-guest.h"
#include "zone/event.h"
#include "zone/fdpass.h"
#include "zoneadmd.h"

#define BEGIN_MS   60000 /* firmware and devices; under emulation it takes seconds */
#define ANSWER_MS  10000
#define RESUME_MS  10000
#define TELL_MS    60000 /* in which so many events of a guest are told: one that resets itself without end says no more */
#define TELL_MAX   20
#define LINE_MAX_BYTES ((size_t)256 << 10)
#define READ_BYTES ((size_t)16 << 10)
#define LOG_BYTES  ((off_t)1 << 20) /* then it begins anew */

/* ---- what QEMU itself says ---- */

static void
log_path(const struct zoneadmd *z, char *ret_path, size_t size)
{
	(void)snprintf(ret_path, size, "%s/" ZONE_LOGS_DIR "/" GUEST_LOG, z->config.zonepath);
}

int
guest_prepare(struct zoneadmd *z, struct nrd_err *err)
{
	char path[1024];
	struct stat st;
	int fd, r;

	if (!zone_is_guest(&z->config))
		return 0;
	(void)snprintf(path, sizeof(path), "%s/" ZONE_LOGS_DIR, z->config.zonepath);
	r = nrd_mkdir_p(path, 0700, err);
	if (r < 0)
		return r;
	log_path(z, path, sizeof(path));
	fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (fd < 0)
		return nrd_fail(err, errno, "Zoneadmd", "open %s: %m", path);
	if (fstat(fd, &st) == 0 && st.st_size > LOG_BYTES && ftruncate(fd, 0) < 0)
		nrd_log(NRD_WARN, "ignoring: its log is long", NRD_S("zone", z->name), NRD_S("path", path));
	z->boot.stdio[1] = fd;
	z->boot.stdio[2] = fcntl(fd, F_DUPFD_CLOEXEC, 3);
	return z->boot.stdio[2] < 0 ? nrd_fail(err, errno, "Zoneadmd", "%s: %m", path) : 0;
}

/* Its last line, without the date before it. */
static void
last_words(const struct zoneadmd *z, char *dst, size_t size)
{
	NRD_FREE char *text = NULL;
	const char *line, *colon;
	char path[1024];
	size_t len = 0;

	log_path(z, path, sizeof(path));
	(void)snprintf(dst, size, "see %.250s", path);
	if (nrd_file_read(path, (size_t)LOG_BYTES * 4, &text, &len, NULL) < 0)
		return;
	while (len > 0 && text[len - 1] == '\n')
		text[--len] = '\0';
	line = strrchr(text, '\n');
	line = line != NULL ? line + 1 : text;
	colon = strstr(line, "qemu-system-x86_64: ");
	if (line[0] != '\0')
		(void)snprintf(dst, size, "%.300s", colon != NULL ? colon + strlen("qemu-system-x86_64: ") : line);
}

/* ---- its sockets ---- */

static int
connect_to(const struct zoneadmd *z, const char *name, struct nrd_err *err)
{
	struct sockaddr_un addr = { .sun_family = AF_UNIX };
	NRD_CLOSE int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	(void)snprintf(addr.sun_path, sizeof(addr.sun_path), ZONE_RUN_DIR "/%.64s/%s", z->name, name);
	if (fd < 0 || connect(fd, (const struct sockaddr *)&addr, sizeof(addr)) < 0)
		return nrd_fail(err, errno, "QemuFailed", "connect to QEMU at %s: %m", addr.sun_path);
	return nrd_take_fd(&fd);
}

static void
drop_qmp(struct guest *g)
{
	g->resume_ms = 0;
	g->io_error = false;
	if (g->qmp >= 0)
		(void)close(g->qmp);
	g->qmp = -1;
	nrd_buf_fini(&g->in);
}

/* ---- its monitor ---- */

static bool
may_tell(struct guest *g)
{
	int64_t now = nrd_now_ms();

	if (g->told_since_ms == 0 || now - g->told_since_ms >= TELL_MS) {
		g->told_since_ms = now;
		g->told = 0;
	}
	return g->told++ < TELL_MAX;
}

static void
on_event(struct zoneadmd *z, const struct nrd_val *message)
{
	static const struct {
		const char *qmp, *ours;
	} told[] = {
		{ "RESET", "reset" }, { "SHUTDOWN", "shutdown" }, { "GUEST_PANICKED", "panic" }, { "BLOCK_IO_ERROR", "io-error" },
		{ "STOP", "paused" }, { "RESUME", "resumed" },
	};
	const char *name = nrd_get_str(message, "event");
	struct guest *g = &z->guest;
	struct nrd_err why = { 0 };

	/* A pool may have room again, and a disk be back: nothing of what it wrote is lost, so it tries again. */
	if (nrd_streq(name, "BLOCK_IO_ERROR"))
		g->io_error = true;
	if (nrd_streq(name, "STOP") && g->io_error)
		g->resume_ms = nrd_now_ms() + RESUME_MS;
	if (nrd_streq(name, "RESUME"))
		g->io_error = false;

	for (size_t i = 0; name != NULL && i < nrd_count(told); i++) {
		if (!nrd_streq(told[i].qmp, name) || !may_tell(g))
			continue;
		nrd_log(NRD_INFO, "guest", NRD_S("zone", z->name), NRD_S("event", told[i].ours));
		if (zone_event(z->name, "guest", NULL, told[i].ours, &z->run.seq, &why) < 0)
			nrd_log(NRD_WARN, "ignoring: an event was not written", NRD_S("zone", z->name), NRD_ERR(&why));
	}
}

/* The next message, when a whole line is there: 1. */
static int
take_message(struct guest *g, struct nrd_json **ret_doc)
{
	for (;;) {
		const char *end = g->in.len > 0 ? memchr(g->in.data, '\n', g->in.len) : NULL;
		size_t len = end != NULL ? (size_t)(end - g->in.data) : 0;
		int r;

		if (end == NULL)
			return 0;
		r = nrd_json_parse(g->in.data, len, NULL, ret_doc, NULL);
		nrd_buf_drop(&g->in, len + 1);
		if (r == 0)
			return 1;
	}
}

/* 1: something came. -EPIPE: it is gone. */
static int
read_some(struct guest *g)
{
	ssize_t n;

	if (nrd_buf_reserve(&g->in, READ_BYTES) < 0)
		return -EPIPE;
	n = recv(g->qmp, g->in.data + g->in.len, READ_BYTES, MSG_DONTWAIT);
	if (n > 0) {
		g->in.len += (size_t)n;
		return 1;
	}
	return n < 0 && (errno == EAGAIN || errno == EINTR) ? 0 : -EPIPE;
}

static int
gone(const struct zoneadmd *z, struct nrd_err *err)
{
	char words[320];

	last_words(z, words, sizeof(words));
	return nrd_fail(err, EPIPE, "QemuFailed", "QEMU ended: %s", words);
}

/* The next message that is no event; the caller frees it. */
static int
await_message(struct zoneadmd *z, int64_t end_ms, struct nrd_json **ret_doc, struct nrd_err *err)
{
	struct guest *g = &z->guest;

	for (;;) {
		struct pollfd p[2] = {
			{ .fd = g->qmp, .events = POLLIN }, { .fd = z->boot.init.pidfd, .events = POLLIN },
		};
		NRD_AUTO(nrd_json) *doc = NULL;
		int64_t left = end_ms - nrd_now_ms();

		while (take_message(g, &doc) == 1) {
			if (nrd_get_str(nrd_json_root(doc), "event") == NULL) {
				*ret_doc = NRD_TAKE(doc);
				return 0;
			}
			on_event(z, nrd_json_root(doc));
			nrd_json_cleanup(&doc);
			doc = NULL;
		}
		if (left <= 0)
			return nrd_fail(err, ETIMEDOUT, "QemuFailed", "QEMU does not answer");
		if (poll(p, 2, (int)left) > 0 && p[0].revents != 0 && read_some(g) < 0)
			return gone(z, err);
		if (p[1].revents != 0 && p[0].revents == 0)
			return gone(z, err);
	}
}

/* A command, with what it is told; its answer, which the caller frees, unless nobody wants it. */
static int
command_with(struct zoneadmd *z, const char *name, const struct nrd_val *arguments, int64_t end_ms, struct nrd_json **ret_doc,
	     struct nrd_err *err)
{
	NRD_AUTO(nrd_json) *doc = NULL;
	NRD_AUTO(nrd_buf) text = NRD_BUF_INIT(LINE_MAX_BYTES);
	const struct nrd_val *error;
	struct nrd_jw w;
	int r;

	if (z->guest.qmp < 0)
		return nrd_fail(err, ENOTCONN, "QemuFailed", "%s: there is no connection to QEMU's monitor", name);
	nrd_jw_init(&w, &text, NRD_JW_COMPACT);
	nrd_jw_obj_open(&w);
	nrd_jw_kstr(&w, "execute", name);
	if (arguments != NULL)
		nrd_jw_kval(&w, "arguments", arguments);
	nrd_jw_obj_close(&w);
	r = nrd_jw_finish(&w, err);
	if (r == 0 && nrd_buf_addc(&text, '\n') < 0)
		r = nrd_nomem(err);
	if (r < 0)
		return r;
	if (send(z->guest.qmp, nrd_buf_str(&text), text.len, MSG_NOSIGNAL) != (ssize_t)text.len)
		return nrd_fail(err, errno, "QemuFailed", "%s: send: %m", name);
	r = await_message(z, end_ms, &doc, err);
	error = r == 0 ? nrd_val_get(nrd_json_root(doc), "error") : NULL;
	if (error != NULL)
		r = nrd_fail(err, EIO, "QemuFailed", "%.200s", nrd_get_str(error, "desc") != NULL ? nrd_get_str(error, "desc") : "?");
	if (r < 0)
		return nrd_wrap(err, r, "%s", name);
	if (ret_doc != NULL)
		*ret_doc = NRD_TAKE(doc);
	return 0;
}

static int
command(struct zoneadmd *z, const char *name, int64_t end_ms, struct nrd_err *err)
{
	return command_with(z, name, NULL, end_ms, NULL, err);
}

static int
open_qmp(struct zoneadmd *z, int64_t end_ms, struct nrd_err *err)
{
	NRD_AUTO(nrd_json) *greeting = NULL;
	int r;

	drop_qmp(&z->guest);
	z->guest.in = (struct nrd_buf)NRD_BUF_INIT(LINE_MAX_BYTES);
	z->guest.qmp = connect_to(z, GUEST_QMP, err);
	r = z->guest.qmp < 0 ? z->guest.qmp : await_message(z, end_ms, &greeting, err);
	if (r == 0)
		r = command(z, "qmp_capabilities", end_ms, err);
	if (r < 0)
		drop_qmp(&z->guest);
	return r;
}

/* ---- the metadata service, at its second serial port ---- */

#define COM2_RETRY_MS 1000

static void
serve_metadata(struct zoneadmd *z)
{
	int com2 = connect_to(z, GUEST_COM2, NULL);

	z->guest.retry_ms = nrd_now_ms() + COM2_RETRY_MS;
	if (com2 >= 0)
		mdata_serve(z, com2);
}

static bool
wants_metadata(const struct zoneadmd *z)
{
	return z->run.state == ZONE_ST_RUNNING && zone_is_guest(&z->config) && !mdata_serves(&z->mdata);
}

/* ---- begin and end ---- */

int
guest_begin(struct zoneadmd *z, struct nrd_err *err)
{
	int64_t end_ms = nrd_now_ms() + BEGIN_MS;
	int r, com1;

	if (!zone_is_guest(&z->config))
		return 0;
	/* It answers from its main loop, before which it has become nobody. */
	r = open_qmp(z, end_ms, err);
	if (r < 0)
		return r;
	com1 = connect_to(z, GUEST_COM1, err);
	if (com1 < 0)
		return com1;
	console_set(z, com1);
	serve_metadata(z);
	return command(z, "cont", end_ms, err);
}

void
guest_adopt(struct zoneadmd *z)
{
	struct nrd_err why = { 0 };
	int com1 = connect_to(z, GUEST_COM1, &why);

	if (com1 < 0)
		nrd_log(NRD_WARN, "ignoring: no console", NRD_S("zone", z->name), NRD_ERR(&why));
	console_set(z, com1);
	serve_metadata(z);
	if (open_qmp(z, nrd_now_ms() + ANSWER_MS, &why) < 0)
		nrd_log(NRD_WARN, "ignoring: no monitor", NRD_S("zone", z->name), NRD_ERR(&why));
}

void
guest_end(struct zoneadmd *z)
{
	drop_qmp(&z->guest);
}

int
guest_powerdown(struct zoneadmd *z, struct nrd_err *err)
{
	return command(z, "system_powerdown", nrd_now_ms() + ANSWER_MS, err);
}

static int
grow(struct zoneadmd *z, const struct zone_disk *d, struct nrd_err *err)
{
	const char *name = strrchr(d->path, '/');
	NRD_AUTO(nrd_json) *args = NULL;
	char text[160];
	int n = snprintf(text, sizeof(text), "{\"node-name\":\"%.60s\",\"size\":%llu}", name + 1, (unsigned long long)d->size << 20);
	int r = nrd_json_parse(text, (size_t)n, NULL, &args, err);

	if (r == 0)
		r = command_with(z, "block_resize", nrd_json_root(args), nrd_now_ms() + ANSWER_MS, NULL, err);
	return nrd_wrap(err, r, "disk %s", d->path);
}

int
guest_apply(struct zoneadmd *z, const struct zone_config *config, struct nrd_err *err)
{
	int r = 0;

	if (!zone_is_guest(config) || z->run.state != ZONE_ST_RUNNING)
		return 0;
	for (size_t i = 0; r == 0 && i < config->n_disks; i++)
		for (size_t j = 0; r == 0 && j < z->config.n_disks; j++) {
			struct zone_disk *now = &z->config.disks[j];

			if (!nrd_streq(now->path, config->disks[i].path) || now->size >= config->disks[i].size)
				continue;
			r = grow(z, &config->disks[i], err);
			if (r == 0)
				now->size = config->disks[i].size;
		}
	return r;
}

#define SCREEN_SET "99"

/* A message with a descriptor, and its answer. */
static int
send_fd(struct zoneadmd *z, const char *text, int fd, struct nrd_err *err)
{
	NRD_AUTO(nrd_json) *doc = NULL;
	int r = zone_fd_send_with(z->guest.qmp, text, strlen(text), fd, err);

	if (r == 0)
		r = await_message(z, nrd_now_ms() + ANSWER_MS, &doc, err);
	if (r == 0 && nrd_val_get(nrd_json_root(doc), "error") != NULL)
		r = nrd_fail(err, EIO, "QemuFailed", "it does not take a descriptor");
	return r;
}

/* QEMU writes it into a file that is open already: it has no place of its own. */
static int
screenshot(struct zoneadmd *z, struct nrd_err *err)
{
	static const char add[] = "{\"execute\":\"add-fd\",\"arguments\":{\"fdset-id\":" SCREEN_SET "}}\n";
	static const char dump[] = "{\"filename\":\"/dev/fdset/" SCREEN_SET "\"}", set[] = "{\"fdset-id\":" SCREEN_SET "}";
	NRD_AUTO(nrd_json) *dump_args = NULL, *set_args = NULL;
	NRD_FREE char *path = nrd_format("%s/root/tmp/vm.ppm", z->config.zonepath);
	NRD_CLOSE int fd = -1;
	int r;

	if (path == NULL)
		return nrd_nomem(err);
	if (z->guest.qmp < 0)
		return nrd_fail(err, ENOTCONN, "QemuFailed", "there is no connection to QEMU's monitor");
	(void)unlink(path);
	fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (fd < 0)
		return nrd_fail(err, errno, "Zoneadmd", "open %s: %m", path);
	r = nrd_json_parse(dump, strlen(dump), NULL, &dump_args, err);
	if (r == 0)
		r = nrd_json_parse(set, strlen(set), NULL, &set_args, err);
	if (r == 0)
		r = send_fd(z, add, fd, err);
	if (r < 0)
		return r;
	r = command_with(z, "screendump", nrd_json_root(dump_args), nrd_now_ms() + ANSWER_MS, NULL, err);
	(void)command_with(z, "remove-fd", nrd_json_root(set_args), nrd_now_ms() + ANSWER_MS, NULL, NULL);
	return r;
}

int
guest_ask(struct zoneadmd *z, const char *name, const struct nrd_val *arguments, char **ret_text, struct nrd_err *err)
{
	static const char *const known[] = {
		"query-block", "query-blockstats", "query-chardev", "query-cpus-fast", "query-kvm", "query-pci", "query-status",
		"query-version", "inject-nmi", "screendump", NULL,
	};
	NRD_AUTO(nrd_json) *doc = NULL;
	NRD_AUTO(nrd_buf) text = NRD_BUF_INIT(LINE_MAX_BYTES);
	struct nrd_jw w;
	int r;

	if (name == NULL || !nrd_strv_has(known, name))
		return nrd_fail(err, EINVAL, "BadRequest", "zoneadmd does not ask QEMU for \"%.40s\"", name != NULL ? name : "");
	if (nrd_streq(name, "screendump")) {
		*ret_text = strdup("{}");
		return *ret_text != NULL ? screenshot(z, err) : nrd_nomem(err);
	}
	r = command_with(z, name, arguments, nrd_now_ms() + ANSWER_MS, &doc, err);
	if (r < 0)
		return r;
	nrd_jw_init(&w, &text, NRD_JW_COMPACT);
	nrd_jw_val(&w, nrd_val_get(nrd_json_root(doc), "return"));
	r = nrd_jw_finish(&w, err);
	if (r < 0)
		return r;
	*ret_text = nrd_buf_take(&text);
	return *ret_text != NULL ? 0 : nrd_nomem(err);
}

static void
wake_at(int64_t at_ms, int *timeout_ms)
{
	int64_t left = at_ms - nrd_now_ms();

	left = left < 0 ? 0 : left;
	if (*timeout_ms < 0 || left < *timeout_ms)
		*timeout_ms = (int)left;
}

static void
resume(struct zoneadmd *z)
{
	struct nrd_err why = { 0 };

	z->guest.resume_ms = 0;
	if (z->guest.qmp >= 0 && command(z, "cont", nrd_now_ms() + ANSWER_MS, &why) < 0)
		nrd_log(NRD_WARN, "a guest that waited for its disk does not go on", NRD_S("zone", z->name), NRD_ERR(&why));
}

void
guest_poll(const struct zoneadmd *z, struct pollfd *p, int *timeout_ms)
{
	*p = (struct pollfd){ .fd = z->guest.qmp, .events = POLLIN };
	if (wants_metadata(z))
		wake_at(z->guest.retry_ms, timeout_ms);
	if (z->guest.resume_ms != 0)
		wake_at(z->guest.resume_ms, timeout_ms);
}

void
guest_turn(struct zoneadmd *z, const struct pollfd *p)
{
	NRD_AUTO(nrd_json) *doc = NULL;
	int r;

	if (wants_metadata(z) && nrd_now_ms() >= z->guest.retry_ms)
		serve_metadata(z);
	if (z->guest.resume_ms != 0 && nrd_now_ms() >= z->guest.resume_ms)
		resume(z);
	if (p->revents == 0 || z->guest.qmp < 0)
		return;
	r = read_some(&z->guest);
	while (take_message(&z->guest, &doc) == 1) {
		on_event(z, nrd_json_root(doc));
		nrd_json_cleanup(&doc);
		doc = NULL;
	}
	/* It goes away, or says without end what is no line. */
	if (r < 0)
		drop_qmp(&z->guest);
}
