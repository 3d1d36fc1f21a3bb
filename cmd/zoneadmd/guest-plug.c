/* SPDX-License-Identifier: MPL-2.0 */
/* Copyright 2026 The Nereid authors */

/*
 * Disks, NICs and media of a guest that runs. What it has is asked of its QEMU each time, so a zoneadmd that was started in between
 * knows it too. A device goes when the guest lets it go, which may be never: then all stays.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "brand/guest-device.h"
#include "guest.h"
#include "nics/nics.h"
#include "nrd/clock.h"
#include "nrd/log.h"
#include "nrd/mem.h"
#include "nrd/schema.h"
#include "nrd/str.h"
#include "zone/config-guest.h"
#include "zone/hands.h"
#include "zoneadmd.h"

#define SCHEMA (&zone_config_schema)

/* A disk or a NIC. */
struct piece {
	const struct zone_disk *disk; /* NULL: it is a NIC */
	const struct zone_nic *nic;
	char name[GUEST_NAME];
	bool made;    /* what is behind it is QEMU's */
	bool plugged;
};

#define PIECES_MAX 32

struct pieces {
	struct piece list[PIECES_MAX];
	size_t n;
};

/* ---- what QEMU has ---- */

static int
ask(struct zoneadmd *z, const char *command, const char *arguments, struct nrd_json **ret_answer, struct nrd_err *err)
{
	NRD_AUTO(nrd_json) *given = NULL;
	int r = nrd_json_parse(arguments, strlen(arguments), NULL, &given, err);

	return r < 0 ? r : qmp_ask(&z->guest.qmp, command, nrd_json_root(given), nrd_now_ms() + QMP_ANSWER_MS, ret_answer, err);
}

/* The object of an answer's list whose member is that. */
static const struct nrd_val *
listed(const struct nrd_json *answer, const char *member, const char *text)
{
	struct nrd_iter it = nrd_iter(nrd_val_get(nrd_json_root(answer), "return"));

	while (nrd_iter_next(&it))
		if (nrd_streq(nrd_get_str(it.val, member), text))
			return it.val;
	return NULL;
}

/* 1: there is a device of that id. */
static int
has_device(struct zoneadmd *z, const char *name, const char *suffix, struct nrd_err *err)
{
	NRD_AUTO(nrd_json) *answer = NULL;
	char id[GUEST_NAME + 8];
	int r = ask(z, "qom-list", "{\"path\":\"/machine/peripheral\"}", &answer, err);

	(void)snprintf(id, sizeof(id), "%s%s", name, suffix);
	return r < 0 ? r : listed(answer, "name", id) != NULL;
}

/* ---- what is behind a device goes ---- */

static void
drop_set(struct zoneadmd *z, const char *name)
{
	NRD_AUTO(nrd_json) *answer = NULL;
	struct nrd_iter it;

	if (ask(z, "query-fdsets", "{}", &answer, NULL) < 0)
		return;
	it = nrd_iter(nrd_val_get(nrd_json_root(answer), "return"));
	while (nrd_iter_next(&it)) {
		uint64_t set;

		if (nrd_streq(nrd_get_str(nrd_val_at(nrd_val_get(it.val, "fds"), 0), "opaque"), name) &&
		    nrd_val_u64(nrd_val_get(it.val, "fdset-id"), &set))
			(void)qmp_tell(&z->guest.qmp, NULL, "remove-fd", "{\"fdset-id\":%llu}", (unsigned long long)set);
	}
}

/* Also of what was made by halves. 0: QEMU uses it still, for a moment. */
static int
drop_node(struct zoneadmd *z, const char *name, struct nrd_err *err)
{
	NRD_AUTO(nrd_json) *answer = NULL;
	int r = ask(z, "query-named-block-nodes", "{\"flat\":true}", &answer, err);

	if (r == 0 && listed(answer, "node-name", name) != NULL &&
	    qmp_tell(&z->guest.qmp, NULL, "blockdev-del", "{\"node-name\":\"%s\"}", name) < 0)
		return 0;
	if (r < 0)
		return r;
	drop_set(z, name);
	return 1;
}

/* What is not there is none of its failures. */
static int
drop_netdev(struct zoneadmd *z, const char *name, struct nrd_err *err)
{
	int r;

	(void)qmp_tell(&z->guest.qmp, NULL, "netdev_del", "{\"id\":\"%s\"}", name);
	r = nics_remove(z->name, name, err);
	return r < 0 ? r : 1;
}

static int
drop(struct zoneadmd *z, const struct piece *p, struct nrd_err *err)
{
	return p->disk != NULL ? drop_node(z, p->name, err) : drop_netdev(z, p->name, err);
}

/* ---- a device goes ---- */

/* Asked once it takes its time; who asks again meanwhile is told so. */
static int
ask_guest(struct zoneadmd *z, const char *name, struct nrd_err *err)
{
	struct nrd_err why = { 0 };
	int r = qmp_tell(&z->guest.qmp, &why, "device_del", "{\"id\":\"%s-dev\"}", name);

	if (r < 0 && strstr(why.msg, "in the process of unplug") == NULL) {
		*err = why;
		return r;
	}
	return 0;
}

/* 1: QEMU has nothing of it any more. 0: the guest was asked for it, and has it still. */
static int
let_go(struct zoneadmd *z, const struct piece *p, struct nrd_err *err)
{
	int r = has_device(z, p->name, "-dev", err);

	if (r == 1) {
		r = ask_guest(z, p->name, err);
		if (r == 0)
			r = has_device(z, p->name, "-dev", err);
		if (r == 1)
			return 0;
	}
	return r < 0 ? r : drop(z, p, err);
}

static void
forget_disk(struct zone_config *c, size_t i)
{
	nrd_object_fini(nrd_schema_find(SCHEMA, "disks")->schema, &c->disks[i]);
	memmove(&c->disks[i], &c->disks[i + 1], (--c->n_disks - i) * sizeof(*c->disks));
}

static void
forget_nic(struct zone_config *c, size_t i)
{
	nrd_object_fini(nrd_schema_find(SCHEMA, "nics")->schema, &c->nics[i]);
	memmove(&c->nics[i], &c->nics[i + 1], (--c->n_nics - i) * sizeof(*c->nics));
}

static struct piece
disk_piece(const struct zone_config *c, size_t i)
{
	struct piece p = { .disk = &c->disks[i] };

	guest_disk_name(c, i, p.name);
	return p;
}

static struct piece
nic_piece(const struct zone_config *c, size_t i)
{
	struct piece p = { .nic = &c->nics[i] };

	(void)snprintf(p.name, sizeof(p.name), "%.40s", c->nics[i].interface);
	return p;
}

/* What try says 1 of is not in force any more. *ret_left: what it says 0 of. */
typedef int try_fn(struct zoneadmd *z, const struct piece *p, const void *arg, struct nrd_err *err);

static int
forget_each(struct zoneadmd *z, try_fn *try, const void *arg, char ret_left[GUEST_NAME], struct nrd_err *err)
{
	struct zone_config *c = &z->config;
	size_t before = c->n_disks + c->n_nics;
	int r = 0;

	ret_left[0] = '\0';
	for (size_t n = before; r >= 0 && n-- > 0;) {
		size_t disks = c->n_disks;
		struct piece p = n < disks ? disk_piece(c, n) : nic_piece(c, n - disks);

		if (p.disk != NULL && !zone_disk_is_volume(p.disk))
			continue;
		r = try(z, &p, arg, err);
		if (r == 0)
			(void)snprintf(ret_left, GUEST_NAME, "%s", p.name);
		else if (r == 1 && p.disk != NULL)
			forget_disk(c, n);
		else if (r == 1)
			forget_nic(c, n - disks);
	}
	if (c->n_disks + c->n_nics != before)
		zone_record(z);
	return r < 0 ? r : 0;
}

#define KEEP 2 /* of try: it is not asked about */

static bool
has_text(const struct nrd_val *list, const char *text)
{
	struct nrd_iter it = nrd_iter(list);

	while (nrd_iter_next(&it))
		if (nrd_streq(nrd_val_str(it.val), text))
			return true;
	return false;
}

static int
try_named(struct zoneadmd *z, const struct piece *p, const void *arg, struct nrd_err *err)
{
	const struct nrd_val *named = arg;
	int r = KEEP;

	if (p->disk != NULL && has_text(nrd_val_get(named, "disks"), p->disk->path))
		r = guest_disk_plugs(&z->config, p->disk, err);
	else if (p->nic != NULL && has_text(nrd_val_get(named, "nics"), p->nic->interface))
		r = guest_nic_plugs(&z->config, p->nic, err);
	return r == 0 ? let_go(z, p, err) : r;
}

int
guest_unplug(struct zoneadmd *z, const struct nrd_val *named, char ret_left[GUEST_NAME], struct nrd_err *err)
{
	return forget_each(z, try_named, named, ret_left, err);
}

/* Those the guest has let go though nobody waited any more, or has thrown out itself. */
static int
try_gone(struct zoneadmd *z, const struct piece *p, const void *arg, struct nrd_err *err)
{
	int r;

	(void)arg;
	if (p->disk != NULL ? guest_disk_plugs(&z->config, p->disk, NULL) < 0 : guest_nic_plugs(&z->config, p->nic, NULL) < 0)
		return KEEP;
	r = has_device(z, p->name, "-dev", err);
	if (r != 0)
		return r < 0 ? r : KEEP;
	nrd_log(NRD_WARN, "a device is gone from the guest until it is booted or updated", NRD_S("zone", z->name),
		NRD_S("device", p->name));
	return drop(z, p, err);
}

void
guest_plug_settle(struct zoneadmd *z)
{
	struct nrd_err why = { 0 };
	char left[GUEST_NAME];

	z->guest.device_gone = false;
	if (z->guest.qmp.fd >= 0 && forget_each(z, try_gone, NULL, left, &why) < 0)
		nrd_log(NRD_WARN, "ignoring: what the guest has is not known", NRD_S("zone", z->name), NRD_ERR(&why));
}

static int
try_removed(struct zoneadmd *z, const struct piece *p, const void *arg, struct nrd_err *err)
{
	const struct zone_config *c = arg;

	if (p->disk != NULL && zone_disk_find(c, p->disk->path) != NULL)
		return KEEP;
	for (size_t i = 0; p->nic != NULL && i < c->n_nics; i++)
		if (nrd_mac_equal(&c->nics[i].mac, &p->nic->mac))
			return KEEP;
	return let_go(z, p, err);
}

/* ---- a device comes ---- */

static int
tell(struct zoneadmd *z, const char *command, const struct nrd_buf *arguments, struct nrd_err *err)
{
	return arguments->failed < 0 ? nrd_nomem(err) : qmp_tell(&z->guest.qmp, err, command, "%s", nrd_buf_str(arguments));
}

static int
make_node(struct zoneadmd *z, const struct zone_disk *d, const char *name, struct nrd_err *err)
{
	NRD_AUTO(zone_spec) spec = { 0 };
	NRD_AUTO(nrd_buf) text = { 0 };
	struct zone_hands hands;
	unsigned set = 0;
	int fd, r = guest_disk_hand(&spec, d, false, &fd) < 0 ? nrd_nomem(err) : 0;

	if (r == 0)
		r = zone_hands_open(&z->config, &spec, NULL, &hands, err);
	if (r < 0)
		return r;
	r = qmp_add_fd(&z->guest.qmp, name, hands.fds[0], &set, err);
	zone_hands_close(&spec, &hands);
	guest_disk_blockdev_add(&text, d, name, false, set);
	if (r == 0)
		r = tell(z, "blockdev-add", &text, err);
	if (r < 0)
		drop_set(z, name);
	return r;
}

/* What has such a name already is closed. */
static int
give_fds(struct zoneadmd *z, const struct zone_nic *nic, const struct zone_spec *spec, const struct zone_hands *hands,
	 struct nrd_err *err)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < spec->n_hands; i++) {
		char name[GUEST_NAME];

		guest_nic_fd_name(nic, ZONE_HAND_FIRST + (int)i, name);
		r = qmp_get_fd(&z->guest.qmp, name, hands->fds[i], err);
	}
	return r;
}

static void
take_fds(struct zoneadmd *z, const struct zone_nic *nic, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		char name[GUEST_NAME];

		guest_nic_fd_name(nic, ZONE_HAND_FIRST + (int)i, name);
		(void)qmp_tell(&z->guest.qmp, NULL, "closefd", "{\"fdname\":\"%s\"}", name);
	}
}

static int
make_netdev(struct zoneadmd *z, const struct zone_config *c, const struct piece *p, struct nrd_err *err)
{
	NRD_AUTO(zone_spec) spec = { 0 };
	NRD_AUTO(nrd_buf) text = { 0 };
	struct guest_nic_hands numbers;
	struct zone_hands hands;
	int r = guest_nic_hand(&spec, c, p->nic, &numbers) < 0 ? nrd_nomem(err) : 0;

	if (r == 0)
		r = zone_hands_open(c, &spec, &zone_network, &hands, err);
	if (r < 0)
		return r;
	r = give_fds(z, p->nic, &spec, &hands, err);
	zone_hands_close(&spec, &hands);
	guest_nic_netdev_add(&text, p->nic, &numbers, true);
	if (r == 0)
		r = tell(z, "netdev_add", &text, err);
	if (r < 0) {
		take_fds(z, p->nic, spec.n_hands);
		(void)drop_netdev(z, p->name, NULL);
	}
	return r;
}

static int
make(struct zoneadmd *z, const struct zone_config *c, struct piece *p, struct nrd_err *err)
{
	int r = drop(z, p, err);

	if (r >= 0)
		r = p->disk != NULL ? make_node(z, p->disk, p->name, err) : make_netdev(z, c, p, err);
	p->made = r == 0;
	return r;
}

static int
need_scsi(struct zoneadmd *z, struct nrd_err *err)
{
	NRD_AUTO(nrd_buf) text = { 0 };
	int r = has_device(z, GUEST_SCSI, "", err);

	guest_scsi_device_add(&text, &z->config);
	return r != 0 ? r : tell(z, "device_add", &text, err);
}

static int
plug(struct zoneadmd *z, const struct zone_config *c, struct piece *p, struct nrd_err *err)
{
	NRD_AUTO(nrd_buf) text = { 0 };
	int r = p->disk != NULL && guest_disk_place(c, p->disk, p->name) == GUEST_PLACE_SCSI ? need_scsi(z, err) : 0;

	if (p->disk != NULL)
		guest_disk_device_add(&text, c, p->disk, p->name, 0, 0);
	else
		guest_nic_device_add(&text, c, p->nic, true, 0);
	if (r >= 0)
		r = tell(z, "device_add", &text, err);
	p->plugged = r >= 0;
	return r < 0 ? r : 0;
}

static void
undo(struct zoneadmd *z, const struct pieces *pieces)
{
	for (size_t i = pieces->n; i-- > 0;) {
		const struct piece *p = &pieces->list[i];

		if (p->plugged)
			(void)let_go(z, p, NULL);
		else if (p->made)
			(void)drop(z, p, NULL);
	}
}

static int
collect(struct zoneadmd *z, struct pieces *pieces, const struct piece *p, struct nrd_err *err)
{
	int r = has_device(z, p->name, "-dev", err);

	/* Of a zoneadmd that ended before it could say so. */
	if (r != 0)
		return r < 0 ? r : 0;
	r = p->disk != NULL ? guest_disk_plugs(&z->config, p->disk, err) : guest_nic_plugs(&z->config, p->nic, err);
	if (r == 0 && pieces->n == PIECES_MAX)
		return nrd_fail(err, E2BIG, "GuestPlug", "more than %d disks and NICs at once", PIECES_MAX);
	if (r == 0)
		pieces->list[pieces->n++] = *p;
	return r;
}

static bool
nic_in_force(const struct zoneadmd *z, const struct zone_nic *nic)
{
	for (size_t i = 0; i < z->config.n_nics; i++)
		if (nrd_streq(z->config.nics[i].interface, nic->interface))
			return true;
	return false;
}

static int
collect_new(struct zoneadmd *z, const struct zone_config *c, struct pieces *pieces, struct nrd_err *err)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < c->n_disks; i++) {
		struct piece p = disk_piece(c, i);

		if (zone_disk_is_volume(p.disk) && zone_disk_find(&z->config, p.disk->path) == NULL)
			r = collect(z, pieces, &p, err);
	}
	for (size_t i = 0; r == 0 && i < c->n_nics; i++) {
		struct piece p = nic_piece(c, i);

		if (!nic_in_force(z, p.nic))
			r = collect(z, pieces, &p, err);
	}
	return r;
}

static const char *
label(const struct piece *p)
{
	return p->disk != NULL ? p->disk->path : p->nic->interface;
}

/* What the guest cannot see first: of that all can be taken back. */
static int
plug_new(struct zoneadmd *z, const struct zone_config *c, struct nrd_err *err)
{
	struct pieces pieces = { 0 };
	int r = collect_new(z, c, &pieces, err);

	for (size_t i = 0; r == 0 && i < pieces.n; i++)
		r = nrd_wrap(err, make(z, c, &pieces.list[i], err), "%s", label(&pieces.list[i]));
	for (size_t i = 0; r == 0 && i < pieces.n; i++)
		r = nrd_wrap(err, plug(z, c, &pieces.list[i], err), "%s", label(&pieces.list[i]));
	if (r < 0)
		undo(z, &pieces);
	return r;
}

/* ---- media ---- */

/* The block node that is in the drive. */
static int
node_in(struct zoneadmd *z, const char *drive, char ret_node[GUEST_NAME], struct nrd_err *err)
{
	NRD_AUTO(nrd_json) *answer = NULL;
	struct nrd_iter it;
	const char *node = NULL;
	int r = ask(z, "query-block", "{}", &answer, err);

	it = nrd_iter(r == 0 ? nrd_val_get(nrd_json_root(answer), "return") : NULL);
	while (nrd_iter_next(&it)) {
		const char *device = nrd_get_str(it.val, "qdev");

		if (device != NULL && nrd_ends(device, drive))
			node = nrd_get_str(nrd_val_get(it.val, "inserted"), "node-name");
	}
	(void)snprintf(ret_node, GUEST_NAME, "%.40s", node != NULL ? node : "");
	return r;
}

static int
insert(struct zoneadmd *z, const char *drive, const char *node, struct nrd_err *err)
{
	int r = qmp_tell(&z->guest.qmp, err, "blockdev-insert-medium", "{\"id\":\"%s\",\"node-name\":\"%s\"}", drive, node);

	return r < 0 ? r : qmp_tell(&z->guest.qmp, err, "blockdev-close-tray", "{\"id\":\"%s\"}", drive);
}

/* Also one that the guest has locked, as with the pin beside the drive's door. */
static int
take_out(struct zoneadmd *z, const char *drive, struct nrd_err *err)
{
	int r = qmp_tell(&z->guest.qmp, err, "blockdev-open-tray", "{\"id\":\"%s\",\"force\":true}", drive);

	return r < 0 ? r : qmp_tell(&z->guest.qmp, err, "blockdev-remove-medium", "{\"id\":\"%s\"}", drive);
}

/* The new one is open before the old one is taken out. */
static int
change_medium(struct zoneadmd *z, const struct zone_disk *d, const char *name, struct nrd_err *err)
{
	char drive[GUEST_NAME + 8], old[GUEST_NAME], new[GUEST_NAME + 8];
	int r;

	(void)snprintf(drive, sizeof(drive), "%s-dev", name);
	r = node_in(z, drive, old, err);
	(void)snprintf(new, sizeof(new), "%s%s", name, nrd_streq(old, name) ? "-other" : "");
	if (r == 0)
		r = drop_node(z, new, err);
	if (r >= 0)
		r = make_node(z, d, new, err);
	if (r < 0)
		return r;
	r = take_out(z, drive, err);
	if (r == 0)
		r = insert(z, drive, new, err);
	if (r < 0 && old[0] != '\0')
		(void)insert(z, drive, old, NULL);
	(void)drop_node(z, r < 0 ? new : old, NULL);
	return r;
}

static size_t
next_cdrom(const struct zone_config *c, size_t i)
{
	while (i < c->n_disks && zone_disk_is_volume(&c->disks[i]))
		i++;
	return i;
}

/* Drives are told apart by their order alone, and are as many as before. */
static int
change_media(struct zoneadmd *z, const struct zone_config *c, struct nrd_err *err)
{
	size_t now = next_cdrom(&z->config, 0), then = next_cdrom(c, 0);
	int r = 0;

	for (; r == 0 && now < z->config.n_disks && then < c->n_disks;
	     now = next_cdrom(&z->config, now + 1), then = next_cdrom(c, then + 1)) {
		struct zone_disk *d = &z->config.disks[now];
		struct piece p = disk_piece(c, then);

		if (nrd_streq(d->path, p.disk->path))
			continue;
		r = nrd_wrap(err, change_medium(z, p.disk, p.name, err), "%s", p.disk->path);
		if (r == 0 && nrd_str_set(&d->path, p.disk->path) < 0)
			r = nrd_nomem(err);
	}
	return r;
}

/* ---- all of it ---- */

int
guest_plug(struct zoneadmd *z, const struct zone_config *config, struct nrd_err *err)
{
	struct nrd_err why = { 0 };
	char left[GUEST_NAME];
	int r = forget_each(z, try_removed, config, left, &why);

	if (r == 0 && left[0] != '\0')
		r = nrd_fail(&why, EBUSY, "GuestPlug", "%s: the guest does not let go of it", left);
	if (r == 0)
		r = change_media(z, config, &why);
	if (r == 0)
		r = plug_new(z, config, &why);
	return r < 0 ? nrd_fail(err, -r, "GuestPlug", "%s", why.msg) : 0;
}
