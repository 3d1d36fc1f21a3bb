/* SPDX-License-Identifier: MPL-2.0 */
/* Copyright 2026 The Nereid authors */
#include "image/disk.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "nrd/jail.h"
#include "nrd/json.h"
#include "nrd/mem.h"
#include "nrd/proc.h"
#include "nrd/str.h"

#define INFO_MAX     ((size_t)1 << 20)
#define PROBE_MS     60000

static const char *const formats[] = { "raw", "qcow2", "vmdk", "vdi", "vhdx", "vpc", NULL };

/* A program that a header has taken over may write to the device what it likes. */
static int
jail(char ***argv, const char *path, const char *device)
{
	const struct nrd_jail_path paths[] = { { path, "read-file" }, { device, "read-file,write-file" } };
	int r = nrd_jail_add(&(const struct nrd_jail){ .paths = paths, .n_paths = device != NULL ? 2 : 1 }, argv);

	return r == 0 ? nrd_strv_add(argv, "qemu-img") : r;
}

static int
add(char ***argv, const char *const *words)
{
	int r = 0;

	for (size_t i = 0; r == 0 && words[i] != NULL; i++)
		r = nrd_strv_add(argv, words[i]);
	return r;
}

#define SECTOR 512

/* What QEMU calls it: the file, or a part of it. Each file in an OVA begins with a sector, and is padded to the last one's end. */
static int
add_source(char ***argv, const char *path, const struct image_disk *disk)
{
	NRD_AUTO(nrd_buf) text = { 0 };
	struct nrd_jw w;

	if (disk->length == 0)
		return nrd_strv_add(argv, path);
	if (nrd_buf_adds(&text, "json:") < 0)
		return -ENOMEM;
	nrd_jw_init(&w, &text, NRD_JW_COMPACT);
	nrd_jw_obj_open(&w);
	nrd_jw_key(&w, "file");
	nrd_jw_obj_open(&w);
	nrd_jw_kstr(&w, "driver", "raw");
	nrd_jw_ku64(&w, "offset", disk->offset);
	nrd_jw_ku64(&w, "size", (disk->length + SECTOR - 1) / SECTOR * SECTOR);
	nrd_jw_key(&w, "file");
	nrd_jw_obj_open(&w);
	nrd_jw_kstr(&w, "driver", "file");
	nrd_jw_kstr(&w, "filename", path);
	nrd_jw_obj_close(&w);
	nrd_jw_obj_close(&w);
	nrd_jw_obj_close(&w);
	return nrd_jw_finish(&w, NULL) < 0 ? -ENOMEM : nrd_strv_add(argv, nrd_buf_str(&text));
}

/* A name with a colon would be one of a protocol. */
static int
check_path(const char *path, struct nrd_err *err)
{
	if (path[0] != '/')
		return nrd_fail(err, EINVAL, "DiskFormat", "%s: give its absolute path", path);
	return 0;
}

static bool
names_file(const struct nrd_val *info)
{
	const struct nrd_val *data = nrd_val_get(nrd_val_get(nrd_val_get(info, "format-specific"), "data"), "data-file");

	return nrd_val_get(info, "backing-filename") != NULL || data != NULL;
}

int
image_disk_probe(const char *path, const char *format, struct image_disk *disk, struct nrd_err *err)
{
	NRD_STRV char **argv = NULL;
	NRD_AUTO(nrd_buf) out = NRD_BUF_INIT(INFO_MAX);
	NRD_AUTO(nrd_json) *doc = NULL;
	const struct nrd_val *info;
	const char *said;
	int r = check_path(path, err);

	if (r < 0)
		return r;
	if (format != NULL && !nrd_strv_has(formats, format))
		return nrd_fail(err, EINVAL, "DiskFormat", "\"%.20s\" is none of raw, qcow2, vmdk, vdi, vhdx, vpc, ova", format);
	if (format == NULL && nrd_ends(path, ".ovf"))
		return nrd_fail(err, EINVAL, "DiskFormat", "%s: it only describes disks: give one of those beside it", path);
	r = jail(&argv, path, NULL);
	if (r == 0)
		r = add(&argv, (const char *const[]){ "info", "--output=json", NULL });
	if (r == 0 && format != NULL)
		r = add(&argv, (const char *const[]){ "-f", format, NULL });
	if (r == 0)
		r = add_source(&argv, path, disk);
	if (r < 0)
		return nrd_nomem(err);
	r = nrd_run(&(const struct nrd_proc){ .argv = NRD_CSTRV(argv), .timeout_ms = PROBE_MS,
					      .flags = NRD_PROC_SAME_GROUP | NRD_PROC_WITH_US }, &out, NULL, err);
	if (r == 0)
		r = nrd_json_parse(nrd_buf_str(&out), out.len, NULL, &doc, err);
	if (r < 0)
		return nrd_fail(err, EINVAL, "DiskFormat", "%s: qemu-img cannot read it: %.200s", path, err != NULL ? err->msg : "");
	info = nrd_json_root(doc);
	said = nrd_get_str(info, "format");
	if (said == NULL || !nrd_strv_has(formats, said) || !nrd_get_u64(info, "virtual-size", &disk->bytes) ||
	    disk->bytes == 0)
		return nrd_fail(err, EINVAL, "DiskFormat", "%s: it is no disk image of a kind that is read here: raw, qcow2, vmdk, vdi, "
				"vhdx, vpc", path);
	if (names_file(info))
		return nrd_fail(err, EINVAL, "DiskFormat", "%s: it is only a part of a disk, and refers to another file", path);
	return nrd_strcpy_to(disk->format, sizeof(disk->format), said);
}

int
image_disk_write(const char *path, const struct image_disk *disk, const char *device, struct nrd_err *err)
{
	NRD_STRV char **argv = NULL;
	int r = jail(&argv, path, device);

	if (r == 0)
		r = add(&argv, (const char *const[]){ "convert", "-n", "--target-is-zero", "-t", "none", "-f", disk->format, "-O", "raw", NULL });
	if (r == 0)
		r = add_source(&argv, path, disk);
	if (r == 0)
		r = nrd_strv_add(&argv, device);
	if (r < 0)
		return nrd_nomem(err);
	r = nrd_run(&(const struct nrd_proc){ .argv = NRD_CSTRV(argv), .flags = NRD_PROC_SAME_GROUP | NRD_PROC_WITH_US }, NULL, NULL, err);
	return r < 0 ? nrd_fail(err, EIO, "DiskConvert", "%s: %.300s", path, err != NULL ? err->msg : "") : 0;
}
