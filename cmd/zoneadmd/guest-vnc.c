/* SPDX-License-Identifier: MPL-2.0 */
/* Copyright 2026 The Nereid authors */

/*
 * A guest's screen: QEMU listens at a socket that it was given, which a zoneadmd that takes over need not know. A password is for
 * one client and for seconds; between two of them the last one has expired, so nobody gets in.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

#include "brand/guest.h"
#include "guest.h"
#include "nrd/clock.h"
#include "nrd/log.h"
#include "nrd/mem.h"
#include "nrd/str.h"
#include "zone/config-guest.h"
#include "zone/hands.h"
#include "zoneadmd.h"

#define VALID_S      30
#define PASSWORD_LEN 8 /* VNC knows no longer ones */

static int
expire(struct zoneadmd *z, int64_t at_s, struct nrd_err *err)
{
	return qmp_tell(&z->guest.qmp, err, "expire_password", "{\"protocol\":\"vnc\",\"time\":\"%lld\"}", (long long)at_s);
}

int
guest_vnc_open(struct zoneadmd *z, struct nrd_err *err)
{
	NRD_CLOSE int fd = -1;
	char path[128];
	int r;

	if (!zone_guest_has_vnc(&z->config))
		return 0;
	(void)snprintf(path, sizeof(path), ZONE_RUN_DIR "/%.64s/" GUEST_VNC, z->name);
	r = zone_hands_listen(path, &fd, err);
	if (r == 0)
		r = qmp_get_fd(&z->guest.qmp, GUEST_VNC, fd, err);
	if (r == 0)
		r = qmp_tell(&z->guest.qmp, err, "display-update",
			     "{\"type\":\"vnc\",\"addresses\":[{\"type\":\"fd\",\"str\":\"" GUEST_VNC "\"}]}");
	/* One that is set is valid for good, unless it has expired from before. */
	return r == 0 ? expire(z, 0, err) : r;
}

void
guest_vnc_turn(struct zoneadmd *z)
{
	struct nrd_err why = { 0 };

	if (!z->guest.vnc_used)
		return;
	z->guest.vnc_used = false;
	if (expire(z, 0, &why) < 0)
		nrd_log(NRD_WARN, "ignoring: a password that was used is valid for its time", NRD_S("zone", z->name), NRD_ERR(&why));
}

static int
make_password(char ret_password[PASSWORD_LEN + 1], struct nrd_err *err)
{
	static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
	unsigned char random[PASSWORD_LEN];

	if (getrandom(random, sizeof(random), 0) != (ssize_t)sizeof(random))
		return nrd_fail(err, errno, "Zoneadmd", "make a password: %m");
	for (size_t i = 0; i < sizeof(random); i++)
		ret_password[i] = letters[random[i] % 64];
	ret_password[PASSWORD_LEN] = '\0';
	return 0;
}

int
guest_vnc_password(struct zoneadmd *z, char **ret_text, struct nrd_err *err)
{
	int64_t until_ms = (nrd_date_ms() / 1000 + VALID_S) * 1000;
	char password[PASSWORD_LEN + 1], date[NRD_DATE_TEXT];
	int r;

	if (!zone_guest_has_vnc(&z->config))
		return nrd_fail(err, ENOTSUP, "NoVnc", "zone '%s': its VNC is off; a vnc_port of 0 turns it on from its next boot", z->name);
	r = make_password(password, err);
	/* In this order: the one before must not become valid again. */
	if (r == 0)
		r = qmp_tell(&z->guest.qmp, err, "set_password", "{\"protocol\":\"vnc\",\"password\":\"%s\"}", password);
	z->guest.vnc_used = false;
	if (r == 0)
		r = expire(z, until_ms / 1000, err);
	if (r < 0)
		return r;
	nrd_date_format(until_ms, date);
	*ret_text = nrd_format("{\"password\":\"%s\",\"expires\":\"%s\"}", password, date);
	return *ret_text != NULL ? 0 : nrd_nomem(err);
}
