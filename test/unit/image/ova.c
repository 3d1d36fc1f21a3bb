/* SPDX-License-Identifier: MPL-2.0 */
/* Copyright 2026 The Nereid authors */
#include "nrd-test.h"
#include "test-tar.h"

#include <sys/mman.h>

#include "image/ova.h"
#include "nrd/mem.h"

/* A file of it. */
static int
file_of(const struct nrd_buf *tar)
{
	int fd = memfd_create("ova", MFD_CLOEXEC);

	CHECK(fd >= 0 && write(fd, tar->data, tar->len) == (ssize_t)tar->len && lseek(fd, 0, SEEK_SET) == 0);
	return fd;
}

static void
disks(void)
{
	NRD_AUTO(nrd_buf) tar = { 0 };
	NRD_AUTO(image_ova) ova = { 0 };
	const struct image_ova_disk *d;
	struct nrd_err err = { 0 };
	NRD_CLOSE int fd = -1;

	tar_add(&tar, '5', "./", NULL, "", 0);
	tar_file(&tar, "./a.ovf", "<Envelope/>");
	tar_file(&tar, "a.mf", "SHA256(a.ovf)= 0");
	tar_file(&tar, "a-disk1.VMDK", "first");
	tar_file(&tar, "./b.img", "second");
	fd = file_of(&tar);
	CHECK(image_ova_is(fd));
	CHECK_OK(image_ova_read(fd, "a.ova", &ova, &err), err);
	CHECK_INT(ova.disks.len, 2);
	CHECK_OK(image_ova_choose(&ova, "a.ova", NULL, &d, &err), err);
	CHECK_STR(d->name, "a-disk1.VMDK");
	CHECK_STR(d->format, "vmdk");
	CHECK_INT(d->bytes, 5);
	CHECK(memcmp(tar.data + d->offset, "first", 5) == 0);
	CHECK_OK(image_ova_choose(&ova, "a.ova", "2", &d, &err), err);
	CHECK_STR(d->name, "b.img");
	CHECK_STR(d->format, "raw");
	CHECK_OK(image_ova_choose(&ova, "a.ova", "b.img", &d, &err), err);
	CHECK(memcmp(tar.data + d->offset, "second", 6) == 0);
	CHECK_FAILS(image_ova_choose(&ova, "a.ova", "3", &d, &err), err, ENOENT, "NoDisk");
	CHECK_STR(err.msg, "a.ova: there is no disk \"3\" in it; it has 1 a-disk1.VMDK, 2 b.img");
	CHECK_FAILS(image_ova_choose(&ova, "a.ova", "0", &d, &err), err, ENOENT, "NoDisk");
}

static void
hostile(void)
{
	static const struct {
		char type;
		const char *name, *words;
	} cases[] = {
		{ '0', "/a.vmdk", "no plain name" },  { '0', "../a.vmdk", "no plain name" }, { '0', "..", "no plain name" },
		{ '0', "d/a.vmdk", "no plain name" }, { '2', "b.vmdk", "is no file" },	     { '1', "b.vmdk", "is no file" },
		{ '3', "b.vmdk", "is no file" },      { '5', "b.vmdk", "is no file" },	     { '0', "./a.vmdk", "two files" },
		{ '0', "c.vmdk", "is empty" },	      { 'S', "b.vmdk", "sparse" },
	};
	struct nrd_err err = { 0 };

	for (size_t i = 0; i < nrd_count(cases); i++) {
		NRD_AUTO(nrd_buf) tar = { 0 };
		NRD_AUTO(image_ova) ova = { 0 };
		NRD_CLOSE int fd = -1;

		tar_file(&tar, "a.ovf", "<Envelope/>");
		tar_file(&tar, "a.vmdk", "x");
		tar_add(&tar, cases[i].type, cases[i].name, "a.vmdk", "", 0);
		fd = file_of(&tar);
		CHECK(image_ova_read(fd, "a.ova", &ova, &err) == -EINVAL);
		CHECK_HAS(err.msg, cases[i].words);
	}
}

static void
none(void)
{
	NRD_AUTO(nrd_buf) tar = { 0 };
	NRD_AUTO(image_ova) ova = { 0 };
	struct nrd_err err = { 0 };
	static const char big[40000];

	for (int i = 0; i < 4; i++) {
		NRD_CLOSE int fd = -1;

		nrd_buf_reset(&tar);
		tar_file(&tar, i == 1 ? "a.txt" : "a.ovf", "<Envelope/>");
		if (i != 0)
			tar_add(&tar, '0', "a.vmdk", NULL, big, sizeof(big));
		if (i == 2)
			nrd_buf_truncate(&tar, 30000);
		if (i == 3)
			nrd_buf_truncate(&tar, 700);
		fd = file_of(&tar);
		CHECK(image_ova_is(fd) == (i != 1));
		CHECK(image_ova_read(fd, "a.ova", &ova, &err) == -EINVAL);
		CHECK_HAS(err.msg, i == 0 ? "no disk" : i == 1 ? "no .ovf" : "ends in the middle");
	}
}

TEST_MAIN(disks, hostile, none)
