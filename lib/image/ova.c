/* SPDX-License-Identifier: MPL-2.0 */
/* Copyright 2026 The Nereid authors */
#include "image/ova.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "image/tar.h"
#include "nrd/mem.h"
#include "nrd/str.h"
#include "nrd/vec.h"

/*
 * The description's XML is not read. DMTF's DSP0243 wants it to be the archive's first file, and those it refers to behind it in
 * the order in which it does: so the first disk in the archive is the first it names. What else it says (memory, NICs) is for a
 * machine's payload, and not for an image.
 */
#define DESCRIPTION ".ovf"
#define MEMBERS_MAX 256

#define bad(err, ...) nrd_fail((err), EINVAL, "OvaFormat", __VA_ARGS__)

static const struct {
	const char *suffix, *format;
} kinds[] = {
	{ ".vmdk", "vmdk" }, { ".vhd", "vpc" },     { ".vhdx", "vhdx" }, { ".vdi", "vdi" },
	{ ".qcow2", "qcow2" }, { ".img", "raw" }, { ".raw", "raw" },
};

void
image_ova_fini(struct image_ova *ova)
{
	nrd_vec_each(d, &ova->disks)
		free(d->name);
	nrd_vec_fini(&ova->disks);
}

void
image_ova_cleanup(struct image_ova *ova)
{
	image_ova_fini(ova);
}

static bool
ends(const char *name, const char *suffix)
{
	size_t len = strlen(name), n = strlen(suffix);

	return len > n && strcasecmp(name + len - n, suffix) == 0;
}

static const char *
format_of(const char *name)
{
	for (size_t i = 0; i < nrd_count(kinds); i++)
		if (ends(name, kinds[i].suffix))
			return kinds[i].format;
	return NULL;
}

static const char *
plain(const char *name)
{
	return nrd_starts(name, "./") ?: name;
}

bool
image_ova_is(int fd)
{
	NRD_AUTO(image_tar) tar;
	const struct image_tar_entry *e;
	bool is;

	image_tar_init_fd(&tar, &fd);
	do
		is = image_tar_next(&tar, &e, NULL) > 0;
	while (is && e->type == IMAGE_TAR_DIR && plain(e->name)[0] == '\0');
	is = is && e->type == IMAGE_TAR_FILE && ends(e->name, DESCRIPTION);
	return lseek(fd, 0, SEEK_SET) == 0 && is;
}

/* Names are only shown and compared; but who gives others than an OVA may have is up to something. */
static int
check_member(const struct image_tar_entry *e, const char *const *seen, struct nrd_err *err)
{
	const char *name = plain(e->name);

	if (e->type != IMAGE_TAR_FILE)
		return bad(err, "\"%.100s\" in it is no file, and an OVA has nothing else", e->name);
	if (name[0] == '\0' || nrd_streq(name, "..") || strchr(name, '/') != NULL)
		return bad(err, "\"%.100s\" in it is no plain name of a file", e->name);
	if (nrd_strv_has(seen, name))
		return bad(err, "two files in it are called \"%.100s\"", name);
	if (nrd_strv_len(seen) >= MEMBERS_MAX)
		return bad(err, "it has more than %d files", MEMBERS_MAX);
	return 0;
}

static int
add(struct image_ova *ova, const struct image_tar *tar, const struct image_tar_entry *e, char ***seen, struct nrd_err *err)
{
	const char *name = plain(e->name);
	struct image_ova_disk d = { .format = format_of(name), .offset = tar->offset, .bytes = e->size };
	int r;

	if (e->type == IMAGE_TAR_DIR && name[0] == '\0')
		return 0;
	r = check_member(e, NRD_CSTRV(*seen), err);
	if (r < 0)
		return r;
	if (nrd_strv_add(seen, name) < 0)
		return nrd_nomem(err);
	if (d.format == NULL)
		return 0;
	if (e->size == 0)
		return bad(err, "\"%.100s\" in it is empty", name);
	d.name = nrd_format("%s", name);
	if (d.name == NULL || nrd_vec_push(&ova->disks, d) < 0) {
		free(d.name);
		return nrd_nomem(err);
	}
	return 0;
}

static bool
has_description(const char *const *seen)
{
	for (size_t i = 0; seen != NULL && seen[i] != NULL; i++)
		if (ends(seen[i], DESCRIPTION))
			return true;
	return false;
}

int
image_ova_read(int fd, const char *path, struct image_ova *ret_ova, struct nrd_err *err)
{
	NRD_AUTO(image_tar) tar;
	NRD_AUTO(image_ova) ova = { 0 };
	NRD_STRV char **seen = NULL;
	const struct image_tar_entry *e;
	int r;

	image_tar_init_fd(&tar, &fd);
	while ((r = image_tar_next(&tar, &e, err)) > 0 && (r = add(&ova, &tar, e, &seen, err)) == 0)
		;
	if (r == 0 && !has_description(NRD_CSTRV(seen)))
		r = bad(err, "it is no OVA: it has no " DESCRIPTION);
	if (r == 0 && ova.disks.len == 0)
		r = bad(err, "it has no disk that is read here: .vmdk, .vhd, .vhdx, .vdi, .qcow2, .img, .raw");
	if (r < 0)
		return nrd_wrap(err, r, "%s", path);
	*ret_ova = ova;
	ova = (struct image_ova){ 0 };
	return 0;
}

static char *
names_of(const struct image_ova *ova)
{
	NRD_STRV char **names = NULL;

	for (size_t i = 0; i < ova->disks.len; i++)
		if (nrd_strv_addf(&names, "%zu %s", i + 1, ova->disks.data[i].name) < 0)
			return NULL;
	return nrd_strv_join(NRD_CSTRV(names), ", ");
}

int
image_ova_choose(const struct image_ova *ova, const char *path, const char *which, const struct image_ova_disk **ret_disk,
		 struct nrd_err *err)
{
	NRD_FREE char *names = NULL;
	uint64_t number = 1;

	for (size_t i = 0; which != NULL && i < ova->disks.len; i++)
		if (nrd_streq(ova->disks.data[i].name, which)) {
			*ret_disk = &ova->disks.data[i];
			return 0;
		}
	if (which == NULL || nrd_parse_u64(which, 1, ova->disks.len, &number, NULL) == 0) {
		*ret_disk = &ova->disks.data[number - 1];
		return 0;
	}
	names = names_of(ova);
	return names == NULL ? nrd_nomem(err) :
			       nrd_fail(err, ENOENT, "NoDisk", "%s: there is no disk \"%.100s\" in it; it has %s", path, which, names);
}
