/* SPDX-License-Identifier: MPL-2.0 */
/* Copyright 2026 The Nereid authors */
#include "brand/guest-device.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#include "nrd/json.h"
#include "nrd/mem.h"
#include "nrd/str.h"
#include "zone/config-guest.h"

#define VHOST "/dev/vhost-net"

/* Slots of the root complex, eight functions each. */
#define DISK_SLOT "10"
#define NIC_SLOT  "11"
#define LAST_SLOT "12"

/* Targets of the SCSI controller: where a disk is does not depend on which others there are. */
#define SCSI_CDROMS 100
#define SCSI_OTHERS 200

#define NOWHERE UINT64_MAX

/* N of "diskN"; NOWHERE when it is called otherwise. */
static uint64_t
number_of(const char *name, const char *kind)
{
	const char *text = name != NULL ? nrd_starts(name, kind) : NULL;
	uint64_t n;

	return text != NULL && nrd_parse_u64(text, 0, UINT16_MAX, &n, NULL) >= 0 ? n : NOWHERE;
}

static void
begin(struct nrd_jw *w, struct nrd_buf *out)
{
	nrd_jw_init(w, out, NRD_JW_COMPACT);
	nrd_jw_obj_open(w);
}

static void
end(struct nrd_jw *w, struct nrd_buf *out)
{
	nrd_jw_obj_close(w);
	if (nrd_jw_finish(w, NULL) < 0 && out->failed == 0)
		out->failed = -ENOMEM;
}

__attribute__((format(printf, 3, 4))) static void
ktext(struct nrd_jw *w, const char *key, const char *fmt, ...)
{
	char text[160];
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	nrd_jw_kstr(w, key, text);
}

static void
begin_device(struct nrd_jw *w, struct nrd_buf *out, const char *driver, const char *name)
{
	begin(w, out);
	nrd_jw_kstr(w, "driver", driver);
	ktext(w, "id", "%s-dev", name);
}

static void
order_it(struct nrd_jw *w, unsigned order)
{
	if (order != 0)
		nrd_jw_ku64(w, "bootindex", order);
}

/* ---- disks ---- */

void
guest_disk_name(const struct zone_config *c, size_t i, char ret_name[GUEST_NAME])
{
	const char *last = strrchr(c->disks[i].path, '/');
	size_t n = 0;

	if (zone_disk_is_volume(&c->disks[i])) {
		(void)snprintf(ret_name, GUEST_NAME, "%.40s", last != NULL ? last + 1 : c->disks[i].path);
		return;
	}
	for (size_t j = 0; j < i; j++)
		n += !zone_disk_is_volume(&c->disks[j]);
	(void)snprintf(ret_name, GUEST_NAME, "cdrom%zu", n);
}

enum guest_place
guest_disk_place(const struct zone_config *c, const struct zone_disk *d, const char *name)
{
	bool cdrom = !zone_disk_is_volume(d), virtio = nrd_streq(d->model, "virtio");

	if (nrd_streq(d->model, "scsi") || (cdrom && virtio))
		return GUEST_PLACE_SCSI;
	if (cdrom || (!virtio && !nrd_streq(d->model, "nvme")))
		return GUEST_PLACE_IDE;
	return !zone_is_microvm(c) && number_of(name, "disk") < GUEST_PORTS ? GUEST_PLACE_PORT : GUEST_PLACE_SLOT;
}

static int
check_microvm(const struct zone_config *c, const char *what, struct nrd_err *err)
{
	if (!zone_is_microvm(c))
		return 0;
	return nrd_fail(err, EINVAL, "GuestNoPlace", "%s: disks and NICs of a microvm come and go while it is stopped", what);
}

int
guest_disk_plugs(const struct zone_config *c, const struct zone_disk *d, struct nrd_err *err)
{
	const char *last = d->path != NULL ? strrchr(d->path, '/') : NULL;
	int r = check_microvm(c, d->path, err);

	if (r < 0)
		return r;
	if (!zone_disk_is_volume(d))
		return nrd_fail(err, EINVAL, "GuestNoPlace", "cdrom %s: a drive comes and goes while the machine is stopped; its medium is "
				"changed by an update that removes one and adds the other", d->path);
	switch (guest_disk_place(c, d, last != NULL ? last + 1 : NULL)) {
	case GUEST_PLACE_PORT:
	case GUEST_PLACE_SCSI:
		return 0;
	case GUEST_PLACE_SLOT:
		return nrd_fail(err, EINVAL, "GuestNoPlace", "disk %s: a guest that runs has places for disk0 to disk%d alone: stop it, or "
				"take model scsi", d->path, GUEST_PORTS - 1);
	case GUEST_PLACE_IDE:
		break;
	}
	return nrd_fail(err, EINVAL, "GuestNoPlace", "disk %s: one of model %s comes and goes while the machine is stopped: stop it, or "
			"take virtio, scsi or nvme", d->path, d->model);
}

int
guest_disk_hand(struct zone_spec *spec, const struct zone_disk *d, bool once, int *ret_fd)
{
	int flags = !zone_disk_is_volume(d) ? O_RDONLY : once ? O_RDWR : O_RDWR | O_DIRECT;

	return zone_spec_hand(spec, ZONE_HAND_FILE, d->path, flags, ret_fd);
}

/* A volume past the node's cache, and what the guest does not need any more the pool has again. */
static void
how_it_is_used(struct nrd_jw *w, bool read_only, bool volume)
{
	nrd_jw_kbool(w, "read-only", read_only);
	if (!volume)
		return;
	nrd_jw_kstr(w, "discard", "unmap");
	nrd_jw_key(w, "cache");
	nrd_jw_obj_open(w);
	nrd_jw_kbool(w, "direct", true);
	nrd_jw_obj_close(w);
}

void
guest_disk_blockdev_add(struct nrd_buf *out, const struct zone_disk *d, const char *name, bool once, unsigned set)
{
	bool read_only = !zone_disk_is_volume(d), volume = !read_only && !once;
	struct nrd_jw w;

	begin(&w, out);
	nrd_jw_kstr(&w, "driver", "raw");
	nrd_jw_kstr(&w, "node-name", name);
	how_it_is_used(&w, read_only, volume);
	nrd_jw_key(&w, "file");
	nrd_jw_obj_open(&w);
	nrd_jw_kstr(&w, "driver", volume ? "host_device" : "file");
	ktext(&w, "filename", "/dev/fdset/%u", set);
	if (volume)
		nrd_jw_kstr(&w, "aio", "native");
	how_it_is_used(&w, read_only, volume);
	nrd_jw_obj_close(&w);
	end(&w, out);
}

/* An error of the node's pauses the guest, which then has not seen it: a full pool is no broken disk. */
static void
stop_at_errors(struct nrd_jw *w)
{
	nrd_jw_kstr(w, "werror", "stop");
	nrd_jw_kstr(w, "rerror", "stop");
}

static uint64_t
scsi_target(const char *name)
{
	uint64_t disk = number_of(name, "disk"), cdrom = number_of(name, "cdrom"), once = number_of(name, "once");

	if (disk < SCSI_CDROMS)
		return disk;
	if (cdrom < SCSI_OTHERS - SCSI_CDROMS)
		return SCSI_CDROMS + cdrom;
	return once < UINT8_MAX - SCSI_OTHERS ? SCSI_OTHERS + once : NOWHERE;
}

void
guest_disk_device_add(struct nrd_buf *out, const struct zone_config *c, const struct zone_disk *d, const char *name, unsigned ide,
		      unsigned order)
{
	static const char *const drivers[][2] = { { "ide-hd", "ide-cd" }, { "scsi-hd", "scsi-cd" } };
	enum guest_place place = guest_disk_place(c, d, name);
	bool cdrom = !zone_disk_is_volume(d), nvme = nrd_streq(d->model, "nvme") && !cdrom;
	struct nrd_jw w;

	switch (place) {
	case GUEST_PLACE_PORT:
	case GUEST_PLACE_SLOT:
		begin_device(&w, out, nvme ? "nvme" : "virtio-blk-pci", name);
		if (place == GUEST_PLACE_PORT)
			ktext(&w, "bus", "%s-port", name);
		break;
	case GUEST_PLACE_SCSI:
		begin_device(&w, out, drivers[1][cdrom], name);
		nrd_jw_kstr(&w, "bus", GUEST_SCSI ".0");
		if (scsi_target(name) != NOWHERE)
			nrd_jw_ku64(&w, "scsi-id", scsi_target(name));
		break;
	case GUEST_PLACE_IDE:
		begin_device(&w, out, drivers[0][cdrom], name);
		ktext(&w, "bus", "ide.%u", ide);
		break;
	}
	nrd_jw_kstr(&w, "drive", name);
	nrd_jw_kstr(&w, "serial", name);
	order_it(&w, order);
	if (!nvme)
		stop_at_errors(&w);
	end(&w, out);
}

void
guest_scsi_device_add(struct nrd_buf *out, const struct zone_config *c)
{
	struct nrd_jw w;

	begin(&w, out);
	nrd_jw_kstr(&w, "driver", "virtio-scsi-pci");
	nrd_jw_kstr(&w, "id", GUEST_SCSI);
	if (!zone_is_microvm(c))
		nrd_jw_kstr(&w, "bus", GUEST_SCSI "-port");
	end(&w, out);
}

/* Behind all others: what the guest calls them does not change with it. */
void
guest_seed_device_add(struct nrd_buf *out, const struct zone_config *c)
{
	struct nrd_jw w;

	begin_device(&w, out, "virtio-blk-pci", "seed");
	if (!zone_is_microvm(c))
		nrd_jw_kstr(&w, "bus", "seed-port");
	nrd_jw_kstr(&w, "drive", "seed");
	nrd_jw_kstr(&w, "serial", "seed");
	end(&w, out);
}

bool
guest_port_device_add(struct nrd_buf *out, unsigned n)
{
	static const char *const kinds[] = { "disk", "net" }, *const slots[] = { DISK_SLOT, NIC_SLOT, LAST_SLOT };
	static const char *const last[] = { GUEST_SCSI, "seed" };
	unsigned kind = n / GUEST_PORTS, function = n % GUEST_PORTS;
	struct nrd_jw w;

	if (n >= 2 * GUEST_PORTS + nrd_count(last))
		return false;
	begin(&w, out);
	nrd_jw_kstr(&w, "driver", "pcie-root-port");
	if (kind < nrd_count(kinds))
		ktext(&w, "id", "%s%u-port", kinds[kind], function);
	else
		ktext(&w, "id", "%s-port", last[function]);
	nrd_jw_ku64(&w, "chassis", n + 1);
	ktext(&w, "addr", "%s.%u", slots[kind], function);
	nrd_jw_kbool(&w, "multifunction", true);
	end(&w, out);
	return true;
}

/* ---- NICs ---- */

static bool
has_port(const struct zone_config *c, const struct zone_nic *nic)
{
	return !zone_is_microvm(c) && number_of(nic->interface, "net") < GUEST_PORTS;
}

int
guest_nic_plugs(const struct zone_config *c, const struct zone_nic *nic, struct nrd_err *err)
{
	int r = check_microvm(c, nic->interface, err);

	if (r < 0 || has_port(c, nic))
		return r;
	return nrd_fail(err, EINVAL, "GuestNoPlace", "NIC %s: a guest that runs has places for net0 to net%d alone: stop it", nic->interface,
			GUEST_PORTS - 1);
}

static const char *
nic_driver(const struct zone_nic *nic)
{
	static const char *const same[] = { "e1000", "e1000e", "rtl8139", "vmxnet3", NULL };

	return nic->model != NULL && nrd_strv_has(same, nic->model) ? nic->model : "virtio-net-pci";
}

int
guest_nic_hand(struct zone_spec *spec, const struct zone_config *c, const struct zone_nic *nic, struct guest_nic_hands *ret_hands)
{
	unsigned queues = zone_nic_queues(c, nic);
	struct guest_nic_hands h = { .queues = queues, .tap = -1, .vhost = -1 };
	int r = 0, fd;

	for (unsigned i = 0; r == 0 && i < queues; i++)
		r = zone_spec_hand(spec, ZONE_HAND_NIC, nic->interface, (int)i, i == 0 ? &h.tap : &fd);
	for (unsigned i = 0; r == 0 && i < queues && nrd_streq(nic_driver(nic), "virtio-net-pci"); i++)
		r = zone_spec_hand(spec, ZONE_HAND_FILE, VHOST, O_RDWR, i == 0 ? &h.vhost : &fd);
	*ret_hands = h;
	return r;
}

void
guest_nic_fd_name(const struct zone_nic *nic, int fd, char ret_name[GUEST_NAME])
{
	(void)snprintf(ret_name, GUEST_NAME, "%.40s-%d", nic->interface, fd);
}

/* "fd" of one, "fds" of several. */
static void
fds_text(struct nrd_jw *w, const char *what, const struct zone_nic *nic, int first, unsigned queues, bool named)
{
	NRD_AUTO(nrd_buf) text = { 0 };
	char key[16], name[GUEST_NAME];

	for (unsigned i = 0; i < queues; i++) {
		guest_nic_fd_name(nic, first + (int)i, name);
		if (named)
			(void)nrd_buf_printf(&text, "%s%s", i > 0 ? ":" : "", name);
		else
			(void)nrd_buf_printf(&text, "%s%d", i > 0 ? ":" : "", first + (int)i);
	}
	(void)snprintf(key, sizeof(key), "%s%s", what, queues > 1 ? "s" : "");
	nrd_jw_kstr(w, key, nrd_buf_str(&text));
}

void
guest_nic_netdev_add(struct nrd_buf *out, const struct zone_nic *nic, const struct guest_nic_hands *h, bool named)
{
	struct nrd_jw w;

	begin(&w, out);
	nrd_jw_kstr(&w, "type", "tap");
	nrd_jw_kstr(&w, "id", nic->interface);
	fds_text(&w, "fd", nic, h->tap, h->queues, named);
	if (h->vhost >= 0) {
		nrd_jw_kbool(&w, "vhost", true);
		fds_text(&w, "vhostfd", nic, h->vhost, h->queues, named);
	}
	end(&w, out);
}

void
guest_nic_device_add(struct nrd_buf *out, const struct zone_config *c, const struct zone_nic *nic, bool runs, unsigned order)
{
	unsigned queues = zone_nic_queues(c, nic);
	char mac[NRD_MAC_TEXT];
	struct nrd_jw w;

	nrd_mac_format(&nic->mac, mac);
	begin_device(&w, out, nic_driver(nic), nic->interface);
	if (has_port(c, nic))
		ktext(&w, "bus", "%s-port", nic->interface);
	nrd_jw_kstr(&w, "netdev", nic->interface);
	nrd_jw_kstr(&w, "mac", mac);
	/* An interrupt for each queue either way, for what changes, and for what the guest asks. */
	if (queues > 1) {
		nrd_jw_kbool(&w, "mq", true);
		nrd_jw_ku64(&w, "vectors", 2 * queues + 2);
	}
	if (runs)
		nrd_jw_kstr(&w, "romfile", "");
	order_it(&w, order);
	end(&w, out);
}
