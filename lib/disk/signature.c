/* SPDX-License-Identifier: MPL-2.0 */
/* Copyright 2026 The Nereid authors */
#include "signature.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/types.h>

#include <blkid.h>

#include "nrd/buf.h"
#include "nrd/mem.h"
#include "nrd/str.h"
#include "nrd/vec.h"

/*
 * Partitions are found and probed through the whole disk's descriptor by their offsets, never
 * through /dev/vda1: this sees what is on the disk even where the kernel has not read the table
 * (or holds an old one), and works on image files.
 *
 * Every signature counts, also those that contradict each other or whose checksum is wrong:
 * the question is not what a disk would be mounted as, but what might be lost.
 */

/* Extended partitions only hold other partitions. */
#define DOS_EXTENDED       0x05
#define DOS_EXTENDED_LBA   0x0f
#define DOS_EXTENDED_LINUX 0x85

#define LABEL_BOOT_MEDIUM "NEREID"

/* Partition types people know by name; the rest is shown as it is on the disk. */
static const struct {
	const char *type;
	const char *name;
} partition_types[] = {
	{ "21686148-6449-6e6f-744e-656564454649", "bios boot" },
	{ "c12a7328-f81f-11d2-ba4b-00a0c93ec93b", "efi system" },
	{ "6a898cc3-1dd2-11b2-99a6-080020736631", "zfs" },
	{ "6a945a3b-1dd2-11b2-99a6-080020736631", "zfs reserve" },
	{ "e3c9e316-0b5c-4db8-817d-f92df00215ae", "microsoft reserved" },
	{ "0xee", "gpt protective" },
	{ "0xef", "efi system" },
};

static void
probe_cleanup(blkid_probe *pr)
{
	if (*pr != NULL)
		blkid_free_probe(*pr);
}

#define PROBE_AUTO __attribute__((cleanup(probe_cleanup)))

static void
disk_sig_fini(struct disk_sig *sig)
{
	free(sig->type);
	free(sig->label);
	free(sig->uuid);
}

void
disk_use_fini(struct disk_use *use)
{
	nrd_vec_each(sig, use)
		disk_sig_fini(sig);
	nrd_vec_fini(use);
}

void
disk_use_cleanup(struct disk_use *use)
{
	disk_use_fini(use);
}

static const char *
probe_value(blkid_probe pr, const char *name)
{
	const char *value = NULL;

	if (blkid_probe_lookup_value(pr, name, &value, NULL) != 0 || value == NULL || *value == '\0')
		return NULL;
	return value;
}

static int
use_add(struct disk_use *use, enum disk_sig_kind kind, unsigned part, const char *type,
	const char *label, const char *uuid, struct nrd_err *err)
{
	struct disk_sig sig = { .kind = kind, .part = part };

	if (nrd_str_set(&sig.type, type) < 0 || nrd_str_set(&sig.label, label) < 0 ||
	    nrd_str_set(&sig.uuid, uuid) < 0 || nrd_vec_push(use, sig) < 0) {
		disk_sig_fini(&sig);
		return nrd_nomem(err);
	}
	return 0;
}

static enum disk_sig_kind
sig_kind(const char *type, const char *usage)
{
	if (nrd_streq(type, "zfs_member"))
		return DISK_SIG_ZFS;
	if (nrd_streq(usage, "filesystem"))
		return DISK_SIG_FS;
	if (nrd_streq(usage, "raid"))
		return DISK_SIG_RAID;
	if (nrd_streq(usage, "crypto"))
		return DISK_SIG_CRYPTO;
	return DISK_SIG_OTHER;
}

static int
probe_failed(int r, struct nrd_err *err)
{
	if (r == -2) /* BLKID_PROBE_AMBIGUOUS, which only the safe probe gives */
		return nrd_fail(err, EAGAIN, "DiskChanging", "read signatures: they contradict");
	return nrd_fail(err, errno > 0 ? errno : EIO, "DiskRead", "read signatures: %m");
}

/* Every superblock between offset and offset + size, added as `part`. */
static int
probe_superblocks(int fd, uint64_t offset, uint64_t size, unsigned part, struct disk_use *use,
		  struct nrd_err *err)
{
	PROBE_AUTO blkid_probe pr = blkid_new_probe();
	int r;

	if (pr == NULL)
		return nrd_nomem(err);
	errno = 0;
	if (blkid_probe_set_device(pr, fd, (blkid_loff_t)offset, (blkid_loff_t)size) != 0)
		return nrd_fail(err, errno > 0 ? errno : EIO, "DiskRead", "read: %m");
	(void)blkid_probe_enable_superblocks(pr, 1);
	(void)blkid_probe_set_superblocks_flags(pr, BLKID_SUBLKS_TYPE | BLKID_SUBLKS_LABEL |
							    BLKID_SUBLKS_UUID | BLKID_SUBLKS_USAGE |
							    BLKID_SUBLKS_MAGIC |
							    BLKID_SUBLKS_BADCSUM);
	while (errno = 0, (r = blkid_do_probe(pr)) == 0) {
		const char *type = probe_value(pr, "TYPE");

		if (type == NULL)
			continue;
		r = use_add(use, sig_kind(type, probe_value(pr, "USAGE")), part, type,
			    probe_value(pr, "LABEL"), probe_value(pr, "UUID"), err);
		if (r < 0)
			return r;
	}
	return r < 0 ? probe_failed(r, err) : 0;
}

static bool
is_extended(blkid_partition part)
{
	int type = blkid_partition_get_type(part);

	/* In a GPT types are GUIDs, and the number is 0. */
	return type == DOS_EXTENDED || type == DOS_EXTENDED_LBA || type == DOS_EXTENDED_LINUX;
}

/* One partition: what is on it, or its type when nothing known is. */
static int
probe_partition(int fd, blkid_partition part, struct disk_use *use, struct nrd_err *err)
{
	int number = blkid_partition_get_partno(part);
	blkid_loff_t start = blkid_partition_get_start(part) * 512;
	blkid_loff_t size = blkid_partition_get_size(part) * 512;
	size_t before = use->len;
	const char *guid = blkid_partition_get_type_string(part);
	char code[16];
	int r = 0;

	if (number <= 0 || is_extended(part))
		return 0;
	if (start >= 0 && size > 0) {
		struct nrd_err ignored = { 0 };

		/* A table may lie about its partitions: what cannot be read is still a partition. */
		r = probe_superblocks(fd, (uint64_t)start, (uint64_t)size, (unsigned)number, use,
				      &ignored);
		if (r == -ENOMEM)
			return nrd_nomem(err);
	}
	if (use->len > before)
		return 0;
	if (guid == NULL) {
		(void)snprintf(code, sizeof(code), "0x%02x",
			       (unsigned)blkid_partition_get_type(part));
		guid = code;
	}
	return use_add(use, DISK_SIG_PARTITION, (unsigned)number, guid,
		       blkid_partition_get_name(part), blkid_partition_get_uuid(part), err);
}

static int
probe_partitions(int fd, struct disk_use *use, struct nrd_err *err)
{
	PROBE_AUTO blkid_probe pr = blkid_new_probe();
	blkid_partlist list;
	int r;

	if (pr == NULL)
		return nrd_nomem(err);
	errno = 0;
	if (blkid_probe_set_device(pr, fd, 0, 0) != 0)
		return nrd_fail(err, errno > 0 ? errno : EIO, "DiskRead", "read: %m");
	(void)blkid_probe_enable_superblocks(pr, 0);
	(void)blkid_probe_enable_partitions(pr, 1);
	(void)blkid_probe_set_partitions_flags(pr, BLKID_PARTS_ENTRY_DETAILS | BLKID_PARTS_MAGIC |
							   BLKID_PARTS_FORCE_GPT);
	while (errno = 0, (r = blkid_do_probe(pr)) == 0) {
		const char *type = probe_value(pr, "PTTYPE");

		if (type == NULL)
			continue;
		r = use_add(use, DISK_SIG_TABLE, 0, type, NULL, probe_value(pr, "PTUUID"), err);
		if (r < 0)
			return r;
	}
	if (r < 0)
		return probe_failed(r, err);

	/* The binary interface has its own pass over the same chain. */
	blkid_reset_probe(pr);
	errno = 0;
	list = blkid_probe_get_partitions(pr);
	for (int i = 0; list != NULL && i < blkid_partlist_numof_partitions(list); i++) {
		blkid_partition part = blkid_partlist_get_partition(list, i);

		r = part != NULL ? probe_partition(fd, part, use, err) : 0;
		if (r < 0)
			return r;
	}
	return 0;
}

static int
sig_compare(const void *va, const void *vb)
{
	const struct disk_sig *a = va, *b = vb;

	if (a->part != b->part)
		return a->part < b->part ? -1 : 1;
	return (int)a->kind - (int)b->kind;
}

/*
 * A pool's labels at the end of the last partition may also be seen from the whole disk. Those
 * are the partition's.
 */
static void
drop_doubles(struct disk_use *use)
{
	for (size_t i = 0; i < use->len;) {
		struct disk_sig *sig = &use->data[i];
		bool doubled = false;

		for (size_t j = 0; j < use->len && sig->part == 0 && sig->kind != DISK_SIG_TABLE; j++) {
			const struct disk_sig *other = &use->data[j];

			doubled = doubled || (other->part != 0 && other->kind == sig->kind &&
					      nrd_streq(other->type, sig->type) &&
					      nrd_streq(other->uuid, sig->uuid));
		}
		if (doubled) {
			disk_sig_fini(sig);
			nrd_vec_remove(use, i);
		} else {
			i++;
		}
	}
}

int
disk_use_read(const char *path, struct disk_use *ret_use, struct nrd_err *err)
{
	NRD_AUTO(disk_use) use = { 0 };
	NRD_CLOSE int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	int r;

	if (fd < 0)
		return nrd_fail(err, errno, "DiskRead", "open %s: %m", path);
	r = probe_superblocks(fd, 0, 0, 0, &use, err);
	if (r == 0)
		r = probe_partitions(fd, &use, err);
	if (r < 0)
		return nrd_wrap(err, r, "%s", path);
	drop_doubles(&use);
	if (use.len > 0)
		qsort(use.data, use.len, sizeof(use.data[0]), sig_compare);
	*ret_use = use;
	use = (struct disk_use){ 0 };
	return 0;
}

bool
disk_use_is_blank(const struct disk_use *use)
{
	nrd_vec_each(sig, use) {
		if (sig->kind != DISK_SIG_TABLE)
			return false;
	}
	return true;
}

bool
disk_use_is_boot_medium(const struct disk_use *use)
{
	nrd_vec_each(sig, use) {
		if (sig->kind == DISK_SIG_FS && nrd_streq(sig->label, LABEL_BOOT_MEDIUM) &&
		    (nrd_streq(sig->type, "vfat") || nrd_streq(sig->type, "iso9660")))
			return true;
	}
	return false;
}

static const char *
partition_type_name(const char *type)
{
	for (size_t i = 0; i < nrd_count(partition_types); i++) {
		if (strcasecmp(partition_types[i].type, type) == 0)
			return partition_types[i].name;
	}
	return NULL;
}

/* Text from a disk, for a terminal: nobody knows in which encoding, so only ASCII is shown. */
static void
add_quoted(struct nrd_buf *b, const char *text)
{
	for (const char *c = text; *c != '\0'; c++)
		(void)nrd_buf_addc(b, *c >= ' ' && *c < 0x7f ? *c : '?');
}

static void
add_words(struct nrd_buf *b, const struct disk_sig *sig, bool has_partitions)
{
	const char *name;

	switch (sig->kind) {
	case DISK_SIG_TABLE:
		if (!has_partitions)
			(void)nrd_buf_printf(b, "%s, no partitions", sig->type);
		return;
	case DISK_SIG_ZFS:
		/* Only disks of the vdevs carry the pool's name. */
		(void)nrd_buf_adds(b, sig->label != NULL ? "zfs pool " : "zfs spare or cache");
		add_quoted(b, sig->label != NULL ? sig->label : "");
		break;
	case DISK_SIG_PARTITION:
		name = partition_type_name(sig->type);
		if (name != NULL)
			(void)nrd_buf_adds(b, name);
		else
			(void)nrd_buf_printf(b, "unknown (type %s)", sig->type);
		break;
	case DISK_SIG_FS:
	case DISK_SIG_RAID:
	case DISK_SIG_CRYPTO:
	case DISK_SIG_OTHER:
		(void)nrd_buf_adds(b, sig->type);
		if (sig->label != NULL) {
			(void)nrd_buf_adds(b, " '");
			add_quoted(b, sig->label);
			(void)nrd_buf_adds(b, "'");
		}
		break;
	}
	if (sig->part > 0)
		(void)nrd_buf_printf(b, " on part %u", sig->part);
}

char *
disk_use_words(const struct disk_use *use)
{
	NRD_AUTO(nrd_buf) b = NRD_BUF_INIT(64 << 10);
	bool has_partitions = false;

	nrd_vec_each(sig, use)
		has_partitions = has_partitions || sig->part > 0;
	nrd_vec_each(sig, use) {
		if (sig->kind == DISK_SIG_TABLE && has_partitions)
			continue;
		if (b.len > 0)
			(void)nrd_buf_adds(&b, ", ");
		add_words(&b, sig, has_partitions);
	}
	return b.len > 0 || b.failed != 0 ? nrd_buf_take(&b) : strdup("");
}

int
disk_is_blank(const char *path, bool *ret_blank, struct nrd_err *err)
{
	NRD_AUTO(disk_use) use = { 0 };
	int r = disk_use_read(path, &use, err);

	if (r < 0)
		return r;
	*ret_blank = disk_use_is_blank(&use);
	return 0;
}
