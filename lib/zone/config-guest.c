/* SPDX-License-Identifier: MPL-2.0 */
/* Copyright 2026 The Nereid authors */
#include "zone/config-guest.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "nrd/mem.h"
#include "nrd/str.h"
#include "zone/config-check.h"

#define SCHEMA (&zone_config_schema)

#define NIC_QUEUES 8  /* more serve no guest better */
#define ALL_QUEUES 64 /* of all NICs together, of which there are 32 at most: two descriptors each */

/* ---- single values ---- */

static int
one_of(const char *s, const char *const *names, const char *what, struct nrd_err *err)
{
	NRD_FREE char *all = nrd_strv_join(names, ", ");

	if (nrd_strv_has(names, s))
		return 0;
	return nrd_fail(err, EINVAL, "BadHardware", "\"%.40s\" is no %s: %s", s, what, all != NULL ? all : "");
}

int
zone_check_disk_model(const char *s, struct nrd_err *err)
{
	return one_of(s, (const char *const[]){ "virtio", "nvme", "scsi", "ide", "ahci", NULL }, "model of a disk", err);
}

int
zone_check_nic_model(const char *s, struct nrd_err *err)
{
	return one_of(s, (const char *const[]){ "virtio", "e1000", "e1000e", "rtl8139", "vmxnet3", NULL }, "model of a NIC", err);
}

int
zone_check_media(const char *s, struct nrd_err *err)
{
	return one_of(s, (const char *const[]){ "disk", "cdrom", NULL }, "kind of medium", err);
}

int
zone_check_machine(const char *s, struct nrd_err *err)
{
	return one_of(s, (const char *const[]){ "q35", ZONE_MICROVM, NULL }, "kind of machine", err);
}

int
zone_check_bootrom(const char *s, struct nrd_err *err)
{
	return one_of(s, (const char *const[]){ "bios", "uefi", "uefi-secure", NULL }, "firmware", err);
}

int
zone_check_datasource(const char *s, struct nrd_err *err)
{
	return one_of(s, (const char *const[]){ "nocloud", "smartos", NULL }, "data source of cloud-init", err);
}

/* It becomes a part of an option of QEMU's, which ends at a comma. */
int
zone_check_cpu_type(const char *s, struct nrd_err *err)
{
	size_t len = strlen(s);

	if (len == 0 || len > 64 ||
	    strspn(s, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-.") != len)
		return nrd_fail(err, EINVAL, "BadHardware", "\"%.40s\" is no type of a processor such as host or qemu64", s);
	return 0;
}

int
zone_check_boot_order(const char *s, struct nrd_err *err)
{
	const char *order = nrd_starts(s, "order=");
	size_t len = order != NULL ? strlen(order) : 0;

	if (len == 0 || len > 3 || strspn(order, "cdn") != len)
		return nrd_fail(err, EINVAL, "BadHardware",
				"\"%.40s\" is no order such as order=cd: of c (disks), d (cdroms) and n (network)", s);
	return 0;
}

/* ---- together ---- */

bool
zone_is_guest(const struct zone_config *c)
{
	return c->brand == ZONE_KVM;
}

bool
zone_is_microvm(const struct zone_config *c)
{
	return nrd_streq(c->machine, ZONE_MICROVM);
}

bool
zone_disk_is_volume(const struct zone_disk *disk)
{
	return !nrd_streq(disk->media, "cdrom");
}

bool
zone_guest_has_vnc(const struct zone_config *c)
{
	return c->vnc_port >= 0 && !zone_is_microvm(c);
}

static bool
is_virtio(const struct zone_nic *nic)
{
	return nic->model == NULL || nrd_streq(nic->model, "virtio");
}

unsigned
zone_nic_queues(const struct zone_config *c, const struct zone_nic *nic)
{
	uint64_t virtio = 0, share, n = c->vcpus < NIC_QUEUES ? c->vcpus : NIC_QUEUES;

	if (!is_virtio(nic))
		return 1;
	for (size_t i = 0; i < c->n_nics; i++)
		virtio += is_virtio(&c->nics[i]);
	share = ALL_QUEUES / (virtio > 0 ? virtio : 1);
	return n < 1 ? 1 : (unsigned)(n < share ? n : share);
}

const struct zone_disk *
zone_disk_find(const struct zone_config *c, const char *path)
{
	for (size_t i = 0; c != NULL && path != NULL && i < c->n_disks; i++)
		if (nrd_streq(c->disks[i].path, path))
			return &c->disks[i];
	return NULL;
}

static int
text(struct zone_config *c, const struct nrd_field *field, char **member, const char *value)
{
	if (*member != NULL && (*member)[0] != '\0')
		return 0;
	nrd_field_set(SCHEMA, field, c);
	return nrd_str_set(member, value);
}

#define TEXT(c, member, value) text(c, NRD_FIELD_OF(SCHEMA, c, member), &(c)->member, value)

int
zone_guest_fill(struct zone_config *c)
{
	uint64_t least;
	int r;

	if (!zone_is_guest(c))
		return 0;
	if (c->ram == 0)
		c->ram = 256;
	if (c->vcpus == 0)
		c->vcpus = 1;
	NRD_SET(SCHEMA, c, ram);
	NRD_SET(SCHEMA, c, vcpus);
	/* What is below the guest's own memory is left for zone_guest_verify to refuse. */
	least = c->ram + ZONE_GUEST_OVERHEAD_MIN_MIB;
	if (!NRD_HAS(SCHEMA, c, max_physical_memory))
		c->max_physical_memory = c->ram + ZONE_GUEST_OVERHEAD_MIB;
	else if (c->max_physical_memory >= c->ram && c->max_physical_memory < least)
		c->max_physical_memory = least;
	NRD_SET(SCHEMA, c, max_physical_memory);
	r = TEXT(c, cpu_type, "host");
	if (r == 0)
		r = TEXT(c, machine, "q35");
	if (r == 0)
		r = TEXT(c, bootrom, "bios");
	return r == 0 ? TEXT(c, boot, "order=cd") : r;
}

uint64_t
zone_disks_size(const struct zone_config *c)
{
	uint64_t mib = 0;

	for (size_t i = 0; i < c->n_disks; i++)
		mib += zone_disk_is_volume(&c->disks[i]) ? c->disks[i].size : 0;
	return mib;
}

/* What holds it to that is a quota of all it has, of which its root's is a part. */
static int
verify_room(const struct zone_config *c, struct nrd_err *err)
{
	if (c->flexible_disk_size == 0)
		return 0;
	if (c->flexible_disk_size < zone_disks_size(c))
		return nrd_fail(err, EINVAL, "BadConfig", "zone '%s': flexible_disk_size (%" PRIu64 " MiB) is below the sum of its disks' "
				"sizes (%" PRIu64 " MiB)", c->zonename, c->flexible_disk_size, zone_disks_size(c));
	if (c->quota == 0)
		return nrd_fail(err, EINVAL, "BadConfig", "zone '%s': flexible_disk_size goes with a quota of its root", c->zonename);
	return 0;
}

static int
verify_disk(const struct zone_config *c, size_t i, struct nrd_err *err)
{
	const struct zone_disk *d = &c->disks[i];

	if (d->path == NULL)
		return nrd_fail(err, EINVAL, "BadConfig", "zone '%s': disk %zu: it has no path", c->zonename, i);
	if (zone_disk_is_volume(d) && d->size == 0)
		return nrd_fail(err, EINVAL, "BadConfig", "zone '%s': disk %s: it has no size", c->zonename, d->path);
	if (d->block_size != 0 && (d->block_size & (d->block_size - 1)) != 0)
		return nrd_fail(err, EINVAL, "BadConfig", "zone '%s': disk %s: block_size %" PRIu64 " is no power of two",
				c->zonename, d->path, d->block_size);
	if (d->refreservation > d->size)
		return nrd_fail(err, EINVAL, "BadConfig", "zone '%s': disk %s: refreservation (%" PRIu64 " MiB) is above its size (%"
				PRIu64 " MiB)", c->zonename, d->path, d->refreservation, d->size);
	for (size_t j = 0; j < i; j++) {
		if (nrd_streq(c->disks[j].path, d->path))
			return nrd_fail(err, EINVAL, "BadConfig", "zone '%s': disk %s: there are two of them", c->zonename, d->path);
		if (d->boot && c->disks[j].boot)
			return nrd_fail(err, EINVAL, "BadConfig", "zone '%s': disk %s: disk %s is booted from already", c->zonename,
					d->path, c->disks[j].path);
	}
	return 0;
}

/* It has what virtio needs, two serial ports and no more. */
static int
verify_microvm(const struct zone_config *c, struct nrd_err *err)
{
	if (c->kernel == NULL)
		return nrd_fail(err, EINVAL, "BadConfig", "zone '%s': a microvm boots straight into a kernel: say which (kernel)", c->zonename);
	if (!nrd_streq(c->bootrom, "bios"))
		return nrd_fail(err, EINVAL, "BadConfig", "zone '%s': a microvm has no firmware: bootrom %s needs machine q35", c->zonename,
				c->bootrom);
	if (c->tpm)
		return nrd_fail(err, EINVAL, "BadConfig", "zone '%s': a microvm has no tpm: it needs machine q35", c->zonename);
	for (size_t i = 0; i < c->n_disks; i++)
		if (nrd_streq(c->disks[i].model, "ide") || nrd_streq(c->disks[i].model, "ahci"))
			return nrd_fail(err, EINVAL, "BadConfig", "zone '%s': disk %s: a microvm has no %s: take virtio", c->zonename,
					c->disks[i].path, c->disks[i].model);
	return 0;
}

static int
verify_kernel(const struct zone_config *c, struct nrd_err *err)
{
	if (c->kernel == NULL && (c->initrd != NULL || c->kernel_args != NULL))
		return nrd_fail(err, EINVAL, "BadConfig", "zone '%s': %s goes with a kernel, and there is none", c->zonename,
				c->initrd != NULL ? "initrd" : "kernel_args");
	return zone_is_microvm(c) ? verify_microvm(c, err) : 0;
}

int
zone_guest_verify(const struct zone_config *c, struct nrd_err *err)
{
	int r = 0;

	if (!zone_is_guest(c))
		return 0;
	if (c->max_physical_memory != 0 && c->max_physical_memory < c->ram)
		return nrd_fail(err, EINVAL, "BadConfig", "zone '%s': max_physical_memory (%" PRIu64 " MiB) cannot be lower than ram (%"
				PRIu64 " MiB)", c->zonename, c->max_physical_memory, c->ram);
	if (c->vnc_port > 0)
		return nrd_fail(err, EINVAL, "BadConfig", "zone '%s': vnc_port is 0 or -1 (off): a port of the network is made of the socket that "
				"vmadm info tells, by ssh -L or socat", c->zonename);
	for (size_t i = 0; r == 0 && i < c->n_disks; i++)
		r = verify_disk(c, i, err);
	if (r == 0)
		r = verify_room(c, err);
	return r == 0 ? verify_kernel(c, err) : r;
}
