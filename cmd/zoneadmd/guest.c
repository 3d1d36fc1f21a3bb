/* SPDX-License-Identifier: MPL-2.0 */
/* Copyright 2026 The Nereid authors */

/* QEMU listens at sockets in the zone's directory in RAM, so that a zoneadmd that takes over finds them again. */
#include "guest.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "brand/guest.h"
#include "nrd/clock.h"
#include "nrd/file.h"
#include "nrd/json.h"
#include "nrd/log.h"
#include "nrd/mem.h"
#include "nrd/sock.h"
#include "nrd/str.h"
#include "zone/config-guest.h"
#include "zone/event.h"
#include "zone/room.h"
#include "zoneadmd.h"

#define BEGIN_MS   60000 /* firmware and devices; under emulation it takes seconds */
#define RESUME_MS  10000
#define TELL_MS    60000 /* in which so many events of a guest are told: one that resets itself without end says no more */
#define TELL_MAX   20
#define LOG_BYTES  ((off_t)1 << 20) /* then it begins anew */

int
guest_fits(const struct zoneadmd *z, struct nrd_err *err)
{
	struct zone_room room = { 0 };
	int r = zone_is_guest(&z->config) ? zone_room_read(NULL, &room, err) : 1;

	return r == 0 ? zone_room_check(&z->config, &room, err) : r < 0 ? r : 0;
}

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

int
guest_connect(const struct zoneadmd *z, const char *name, struct nrd_err *err)
{
	char path[sizeof(ZONE_RUN_DIR) + 96];
	int fd = -1, r;

	(void)snprintf(path, sizeof(path), ZONE_RUN_DIR "/%.64s/%s", z->name, name);
	r = nrd_sock_connect(path, SOCK_STREAM | SOCK_NONBLOCK, &fd);
	return r < 0 ? nrd_fail(err, -r, "QemuFailed", "connect to QEMU at %s: %m", path) : fd;
}

static void
drop_qmp(struct guest *g)
{
	g->resume_ms = 0;
	g->io_error = false;
	g->vnc_used = false;
	g->device_gone = false;
	qmp_close(&g->qmp);
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
on_event(void *ctx, const struct nrd_val *message)
{
	struct zoneadmd *z = ctx;
	static const struct {
		const char *qmp, *ours;
	} told[] = {
		{ "RESET", "reset" }, { "SHUTDOWN", "shutdown" }, { "GUEST_PANICKED", "panic" }, { "BLOCK_IO_ERROR", "io-error" },
		{ "STOP", "paused" }, { "RESUME", "resumed" }, { "VNC_INITIALIZED", "vnc" },
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
	if (nrd_streq(name, "RESET"))
		agent_reset(z);
	if (nrd_streq(name, "VNC_INITIALIZED"))
		g->vnc_used = true;
	if (nrd_streq(name, "DEVICE_DELETED"))
		g->device_gone = true;

	for (size_t i = 0; name != NULL && i < nrd_count(told); i++) {
		if (!nrd_streq(told[i].qmp, name) || !may_tell(g))
			continue;
		nrd_log(NRD_INFO, "guest", NRD_S("zone", z->name), NRD_S("event", told[i].ours));
		if (zone_event(z->name, "guest", NULL, told[i].ours, &z->run.seq, &why) < 0)
			nrd_log(NRD_WARN, "ignoring: an event was not written", NRD_S("zone", z->name), NRD_ERR(&why));
	}
}

static int
gone(const struct zoneadmd *z, struct nrd_err *err)
{
	char words[320];

	last_words(z, words, sizeof(words));
	return nrd_fail(err, EPIPE, "QemuFailed", "QEMU ended: %s", words);
}

static int
open_qmp(struct zoneadmd *z, int64_t end_ms, struct nrd_err *err)
{
	int fd, r;

	drop_qmp(&z->guest);
	fd = guest_connect(z, GUEST_QMP, err);
	if (fd < 0)
		return fd;
	z->guest.qmp.on_event = on_event;
	z->guest.qmp.ctx = z;
	r = qmp_open(&z->guest.qmp, fd, z->boot.init.pidfd, end_ms, err);
	return r == -EPIPE ? gone(z, err) : r;
}

static int
go_on(struct zoneadmd *z, int64_t end_ms, struct nrd_err *err)
{
	return qmp_ask(&z->guest.qmp, "cont", NULL, end_ms, NULL, err);
}

/* ---- the metadata service, at its second serial port ---- */

#define COM2_RETRY_MS 1000

static void
serve_metadata(struct zoneadmd *z)
{
	int com2 = guest_connect(z, GUEST_COM2, NULL);

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
	agent_reset(z);
	/* It answers from its main loop, before which it has become nobody. */
	r = open_qmp(z, end_ms, err);
	if (r < 0)
		return r;
	com1 = guest_connect(z, GUEST_COM1, err);
	if (com1 < 0)
		return com1;
	console_set(z, com1);
	serve_metadata(z);
	r = guest_vnc_open(z, err);
	return r < 0 ? r : go_on(z, end_ms, err);
}

void
guest_adopt(struct zoneadmd *z)
{
	struct nrd_err why = { 0 };
	int com1 = guest_connect(z, GUEST_COM1, &why);

	if (com1 < 0)
		nrd_log(NRD_WARN, "ignoring: no console", NRD_S("zone", z->name), NRD_ERR(&why));
	console_set(z, com1);
	serve_metadata(z);
	if (open_qmp(z, nrd_now_ms() + QMP_ANSWER_MS, &why) < 0)
		nrd_log(NRD_WARN, "ignoring: no monitor", NRD_S("zone", z->name), NRD_ERR(&why));
	/* Whether the last password was used nobody has heard. */
	z->guest.vnc_used = z->guest.qmp.fd >= 0 && zone_guest_has_vnc(&z->config);
	guest_plug_settle(z);
}

void
guest_end(struct zoneadmd *z)
{
	agent_reset(z);
	drop_qmp(&z->guest);
}

int
guest_powerdown(struct zoneadmd *z, struct nrd_err *err)
{
	return qmp_ask(&z->guest.qmp, "system_powerdown", NULL, nrd_now_ms() + QMP_ANSWER_MS, NULL, err);
}

static int
grow(struct zoneadmd *z, const struct zone_disk *d, struct nrd_err *err)
{
	const char *name = strrchr(d->path, '/');
	int r = qmp_tell(&z->guest.qmp, err, "block_resize", "{\"node-name\":\"%.60s\",\"size\":%llu}", name + 1,
			 (unsigned long long)d->size << 20);

	return nrd_wrap(err, r, "disk %s", d->path);
}

static void
take_disks(struct zone_config *in_force, struct zone_config *config)
{
	struct zone_disk *disks = in_force->disks;
	size_t n = in_force->n_disks;

	in_force->disks = config->disks;
	in_force->n_disks = config->n_disks;
	config->disks = disks;
	config->n_disks = n;
	if (NRD_HAS(&zone_config_schema, config, disks))
		NRD_SET(&zone_config_schema, in_force, disks);
	else
		NRD_CLEAR(&zone_config_schema, in_force, disks);
}

int
guest_apply(struct zoneadmd *z, struct zone_config *config, struct nrd_err *err)
{
	int r;

	if (!zone_is_guest(config) || z->run.state != ZONE_ST_RUNNING)
		return 0;
	r = guest_plug(z, config, err);
	for (size_t i = 0; r == 0 && i < config->n_disks; i++)
		for (size_t j = 0; r == 0 && j < z->config.n_disks; j++) {
			struct zone_disk *now = &z->config.disks[j];

			if (!nrd_streq(now->path, config->disks[i].path) || now->size >= config->disks[i].size)
				continue;
			r = grow(z, &config->disks[i], err);
			if (r == 0)
				now->size = config->disks[i].size;
		}
	if (r == 0)
		take_disks(&z->config, config);
	return r;
}

void
guest_wake_at(int64_t at_ms, int *timeout_ms)
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
	if (z->guest.qmp.fd >= 0 && go_on(z, nrd_now_ms() + QMP_ANSWER_MS, &why) < 0)
		nrd_log(NRD_WARN, "a guest that waited for its disk does not go on", NRD_S("zone", z->name), NRD_ERR(&why));
}

void
guest_poll(const struct zoneadmd *z, struct pollfd *p, int *timeout_ms)
{
	*p = (struct pollfd){ .fd = z->guest.qmp.fd, .events = POLLIN };
	if (wants_metadata(z))
		guest_wake_at(z->guest.retry_ms, timeout_ms);
	if (z->guest.resume_ms != 0)
		guest_wake_at(z->guest.resume_ms, timeout_ms);
	if (z->guest.vnc_used)
		*timeout_ms = 0;
}

void
guest_turn(struct zoneadmd *z, const struct pollfd *p)
{
	if (wants_metadata(z) && nrd_now_ms() >= z->guest.retry_ms)
		serve_metadata(z);
	if (z->guest.resume_ms != 0 && nrd_now_ms() >= z->guest.resume_ms)
		resume(z);
	if (p->revents != 0)
		qmp_turn(&z->guest.qmp);
	guest_vnc_turn(z);
	if (z->guest.device_gone)
		guest_plug_settle(z);
}
