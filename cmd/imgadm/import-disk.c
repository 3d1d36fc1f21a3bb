/* SPDX-License-Identifier: MPL-2.0 */
/* Copyright 2026 The Nereid authors */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fields.h"
#include "image/disk.h"
#include "image/ova.h"
#include "imgadm.h"
#include "nrd/mem.h"
#include "nrd/progress.h"
#include "nrd/str.h"

#define MIB ((uint64_t)1 << 20)

struct import_disk_opts {
	bool quiet;
	const char *format;
	const char *pool;
	const char *disk;
};

const struct nrd_opt import_disk_opts[] = {
	NRD_OPT_FLAG('q', NULL, struct import_disk_opts, quiet, "no progress, no notes"),
	NRD_OPT_STR('f', NULL, struct import_disk_opts, format, "FORMAT",
		    "raw, qcow2, vmdk, vdi, vhdx, vpc or ova; found out, unless said"),
	NRD_OPT_STR(0, "disk", struct import_disk_opts, disk, "DISK", "which disk of an OVA: its name, or number (1)"),
	NRD_OPT_STR('P', NULL, struct import_disk_opts, pool, "POOL", "the pool to install it on (zones)"),
	NRD_OPT_END(struct import_disk_opts),
};

/* What is not said: its name is the file's without what is behind the first dot, its version the day. */
static int
fill(struct image_manifest *m, const char *path, const struct image_disk *disk, struct nrd_err *err)
{
	const char *base = strrchr(path, '/');
	NRD_FREE char *name = NULL;
	char mib[24];
	int r;

	base = base != NULL ? base + 1 : path;
	name = nrd_str_dup(nrd_strn(base, strcspn(base, ".")));
	if (name == NULL)
		return nrd_nomem(err);
	(void)snprintf(mib, sizeof(mib), "%llu", (unsigned long long)((disk->bytes + MIB - 1) / MIB));
	r = fields_new(m, err);
	if (r == 0)
		r = fields_set(m, "name", name[0] != '\0' ? name : "disk", err);
	if (r == 0)
		r = nrd_str_set(&m->version, "") < 0 ? nrd_nomem(err) : 0;
	/* "2026-11-27T..." */
	if (r == 0) {
		NRD_FREE char *day = nrd_format("%.4s%.2s%.2s", m->published_at, m->published_at + 5, m->published_at + 8);

		r = day != NULL ? fields_set(m, "version", day, err) : nrd_nomem(err);
	}
	if (r == 0)
		r = fields_set(m, "type", "zvol", err);
	if (r == 0)
		r = fields_set(m, "os", "linux", err);
	if (r == 0)
		r = fields_set(m, "disk_driver", "virtio", err);
	if (r == 0)
		r = fields_set(m, "nic_driver", "virtio", err);
	return r == 0 ? fields_set(m, "image_size", mib, err) : r;
}

/* Who says none of several is told that there are others. */
static void
tell_others(const struct image_ova *ova)
{
	for (size_t i = 1; i < ova->disks.len; i++)
		imgadm_say("%s is another disk of it: --disk %zu", ova->disks.data[i].name, i + 1);
}

static int
probe_ova(const char *path, int fd, const struct import_disk_opts *opts, struct image_disk *disk, struct nrd_err *err)
{
	NRD_AUTO(image_ova) ova = { 0 };
	const struct image_ova_disk *chosen;
	int r = image_ova_read(fd, path, &ova, err);

	if (r == 0)
		r = image_ova_choose(&ova, path, opts->disk, &chosen, err);
	if (r < 0)
		return r;
	disk->offset = chosen->offset;
	disk->length = chosen->bytes;
	r = nrd_wrap(err, image_disk_probe(path, chosen->format, disk, err), "%.100s", chosen->name);
	if (r == 0 && opts->disk == NULL && !opts->quiet)
		tell_others(&ova);
	return r;
}

static int
probe(const char *path, int fd, const struct import_disk_opts *opts, struct image_disk *disk, struct nrd_err *err)
{
	if (opts->format != NULL ? nrd_streq(opts->format, "ova") : image_ova_is(fd))
		return probe_ova(path, fd, opts, disk, err);
	if (opts->disk != NULL)
		return nrd_fail(err, EINVAL, "DiskFormat", "%s: it is one disk, and no OVA of which --disk could choose", path);
	return image_disk_probe(path, opts->format, disk, err);
}

struct writing {
	const char *path;
	const struct image_disk *disk;
};

static int
write_volume(void *arg, const char *device, struct nrd_err *err)
{
	const struct writing *w = arg;

	return image_disk_write(w->path, w->disk, device, err);
}

int
cmd_import_disk(const struct nrd_args *args, struct nrd_err *err)
{
	const struct import_disk_opts *opts = args->opts;
	const struct image_opts how = imgadm_opts(args, opts->pool, opts->quiet);
	NRD_FREE char *path = realpath(args->argv[0], NULL);
	NRD_AUTO(image_manifest) m = { 0 };
	struct image_disk disk = { 0 };
	struct writing writing = { .disk = &disk };
	NRD_CLOSE int fd = -1;
	int r;

	if (path == NULL)
		return nrd_fail(err, errno, "FileOpen", "open %s: %m", args->argv[0]);
	writing.path = path;
	fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (fd < 0)
		return nrd_fail(err, errno, "FileOpen", "open %s: %m", path);
	r = probe(path, fd, opts, &disk, err);
	if (r == 0)
		r = fill(&m, path, &disk, err);
	for (int i = 1; r == 0 && i < args->argc; i++)
		r = fields_word(&m, args->argv[i], err);
	if (r == 0)
		r = fields_check(&m, err);
	if (r < 0)
		return r;
	if (!opts->quiet)
		nrd_busy_begin("importing %s, %s, %llu MiB", path, disk.format, (unsigned long long)m.image_size);
	r = image_install(&how, &m, &(struct image_input){ .fd = fd, .name = path, .checked = true, .fill_volume = write_volume,
							  .arg = &writing }, err);
	if (r < 0)
		return r;
	if (!opts->quiet)
		imgadm_say(r > 0 ? "Image %s (%s@%s) is already installed" : "Imported image %s (%s@%s)", m.uuid, m.name, m.version);
	return 0;
}
