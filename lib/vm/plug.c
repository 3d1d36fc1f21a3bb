/* SPDX-License-Identifier: MPL-2.0 */
/* Copyright 2026 The Nereid authors */
#include "vm/plug.h"

#include <errno.h>
#include <time.h>

#include "brand/guest-device.h"
#include "nrd/clock.h"
#include "nrd/mem.h"
#include "nrd/str.h"
#include "vm/disks.h"
#include "zone/client.h"
#include "zone/config-guest.h"

#define LET_GO_MS 20000
#define AGAIN_NS  200000000

static bool
has_nic(const struct zone_config *c, const struct zone_nic *nic)
{
	for (size_t i = 0; i < c->n_nics; i++)
		if (nrd_mac_equal(&c->nics[i].mac, &nic->mac))
			return true;
	return false;
}

/* ---- looked at ---- */

static const struct zone_disk *
drive(const struct zone_config *c, size_t n)
{
	for (size_t i = 0; i < c->n_disks; i++)
		if (!zone_disk_is_volume(&c->disks[i]) && n-- == 0)
			return &c->disks[i];
	return NULL;
}

static int
check_drives(const struct zone_config *old, const struct zone_config *c, struct nrd_err *err)
{
	for (size_t n = 0;; n++) {
		const struct zone_disk *before = drive(old, n), *now = drive(c, n);

		if (before == NULL && now == NULL)
			return 0;
		if (before == NULL || now == NULL || !nrd_streq(before->model, now->model))
			return guest_disk_plugs(c, now != NULL ? now : before, err);
	}
}

/* Those of one that the other has not. */
static int
check_others(const struct zone_config *a, const struct zone_config *b, struct nrd_err *err)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < a->n_disks; i++)
		if (zone_disk_is_volume(&a->disks[i]) && zone_disk_find(b, a->disks[i].path) == NULL)
			r = guest_disk_plugs(a, &a->disks[i], err);
	for (size_t i = 0; r == 0 && i < a->n_nics; i++)
		if (!has_nic(b, &a->nics[i]))
			r = guest_nic_plugs(a, &a->nics[i], err);
	return r;
}

int
vm_plug_check(const struct zone_config *old, const struct zone_config *c, struct nrd_err *err)
{
	int r;

	if (!zone_is_guest(c))
		return 0;
	r = check_drives(old, c, err);
	if (r == 0)
		r = check_others(old, c, err);
	return r == 0 ? check_others(c, old, err) : r;
}

/* ---- done ---- */

struct going {
	char **disks, **nics;
};

static void
going_cleanup(struct going *g)
{
	nrd_strv_free(g->disks);
	nrd_strv_free(g->nics);
}

static int
find_going(const struct zone_config *old, const struct zone_config *c, struct going *g)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < old->n_disks; i++)
		if (zone_disk_is_volume(&old->disks[i]) && zone_disk_find(c, old->disks[i].path) == NULL)
			r = nrd_strv_add(&g->disks, old->disks[i].path);
	for (size_t i = 0; r == 0 && i < old->n_nics; i++)
		if (!has_nic(c, &old->nics[i]))
			r = nrd_strv_add(&g->nics, old->nics[i].interface);
	return r;
}

static int
await(int fd, const struct going *g, struct nrd_err *err)
{
	const struct timespec pause = { .tv_nsec = AGAIN_NS };
	int64_t end_ms = nrd_now_ms() + LET_GO_MS;

	for (;;) {
		NRD_FREE char *left = NULL;
		int r = zone_client_unplug(fd, NRD_CSTRV(g->disks), NRD_CSTRV(g->nics), &left, err);

		if (r < 0 || left == NULL)
			return r;
		if (nrd_now_ms() >= end_ms)
			return nrd_fail(err, EBUSY, "GuestBusy", "%s: the guest has not let go of it within %d s: unmount it in there, or "
					"stop the machine; nothing was changed", left, LET_GO_MS / 1000);
		(void)nanosleep(&pause, NULL);
	}
}

int
vm_plug_remove(const struct zone_config *old, const struct zone_config *c, struct nrd_err *err)
{
	__attribute__((cleanup(going_cleanup))) struct going g = { 0 };
	NRD_CLOSE int fd = -1;
	int r = zone_is_guest(c) && find_going(old, c, &g) < 0 ? nrd_nomem(err) : 0;

	if (r < 0 || (g.disks == NULL && g.nics == NULL))
		return r;
	r = zone_client_open(c->zonename, &fd, err);
	if (r == 0)
		r = await(fd, &g, err);
	if (r < 0)
		vm_plug_again(c->zonename);
	return r;
}

void
vm_plug_again(const char *zonename)
{
	NRD_CLOSE int fd = -1;

	if (zone_client_open(zonename, &fd, NULL) == 0)
		(void)zone_client_apply(fd, NULL);
}
