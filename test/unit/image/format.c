/* SPDX-License-Identifier: MPL-2.0 */
/* Copyright 2026 The Nereid authors */
#include "image/format.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/mman.h>

#include "image/lock.h"
#include "nrd-tree.h"
#include "nrd/mem.h"
#include "nrd/proc.h"
#include "nrd/str.h"

/* The first record of a stream, in either byte order. */
static void
put(unsigned char *at, size_t len, uint64_t v, bool big)
{
	for (size_t i = 0; i < len; i++)
		at[big ? len - 1 - i : i] = (unsigned char)(v >> 8 * i);
}

static void
stream(unsigned char head[IMAGE_FORMAT_HEAD], bool big, uint64_t version, uint64_t type, uint64_t from)
{
	memset(head, 0, IMAGE_FORMAT_HEAD);
	put(head + 8, 8, UINT64_C(0x2f5bacbac), big);
	put(head + 16, 8, version, big);
	put(head + 32, 4, type, big);
	put(head + 48, 8, from, big);
}

static void
streams(void)
{
	unsigned char head[IMAGE_FORMAT_HEAD];

	for (int big = 0; big < 2; big++) {
		struct image_format f = { 0 };

		stream(head, big != 0, 1, 2, 0);
		CHECK(image_format_tell(head, sizeof(head), &f));
		CHECK(f.kind == IMAGE_KIND_STREAM && !f.zvol && !f.incremental && !f.compound);
		stream(head, big != 0, 1, 3, 0x1234567890);
		CHECK(image_format_tell(head, sizeof(head), &f));
		CHECK(f.zvol && f.incremental && !f.compound);
		stream(head, big != 0, 2, 0, 0);
		CHECK(image_format_tell(head, sizeof(head), &f));
		CHECK(f.compound);
		CHECK(!image_format_tell(head, 55, &f));
	}
}

static void
tars(void)
{
	unsigned char head[IMAGE_FORMAT_HEAD] = "some/file";
	struct image_format f = { .kind = IMAGE_KIND_STREAM };
	unsigned sum = 8 * ' ';

	CHECK(!image_format_tell(head, sizeof(head), &f));
	for (size_t i = 0; i < sizeof(head); i++)
		sum += head[i];
	(void)snprintf((char *)head + 148, 8, "%06o", sum);
	CHECK(image_format_tell(head, sizeof(head), &f));
	CHECK_INT(f.kind, IMAGE_KIND_TAR);
	CHECK(!image_format_tell(head, sizeof(head) - 1, &f));
	head[0] = 't';
	CHECK(!image_format_tell(head, sizeof(head), &f));
	memcpy(head + 257, "ustar", 5);
	CHECK(image_format_tell(head, sizeof(head), &f));
}

static void
nothing(void)
{
	unsigned char head[IMAGE_FORMAT_HEAD] = { 0 };
	struct image_format f = { 0 };

	CHECK(!image_format_tell(head, sizeof(head), &f));
	CHECK(!image_format_tell(head, 0, &f));
}

/* A packed file tells what it is packed with and what is in it. */
static void
packed(void)
{
	/* The build root has no bzip2; the system tests have. */
	static const char *const packers[] = { "gzip", "zstd", "xz" };
	char dir[64];

	test_mkdir(dir);
	tree_file(dir, "in/file", "text\n");
	for (size_t i = 0; i < nrd_count(packers); i++) {
		NRD_FREE char *in = nrd_format("%s/in", dir);
		NRD_FREE char *out = nrd_format("%s/%s.tar", dir, packers[i]);
		NRD_FREE char *opt = nrd_format("--%s", packers[i]);
		struct image_format f = { 0 };
		struct nrd_err err = { 0 };
		NRD_CLOSE int fd = -1;

		CHECK_OK(nrd_run_argv(NULL, &err, "tar", "-C", in, opt, "-cf", out, ".", NULL), err);
		fd = open(out, O_RDONLY | O_CLOEXEC);
		CHECK(fd >= 0);
		CHECK_OK(image_format_of(fd, &f, &err), err);
		CHECK_STR(f.packer->name, packers[i]);
		CHECK_INT(f.kind, IMAGE_KIND_TAR);
		CHECK_INT(lseek(fd, 0, SEEK_CUR), 0);
	}
	tree_remove(dir);
}

static void
broken(void)
{
	struct image_format f = { 0 };
	struct nrd_err err = { 0 };
	NRD_CLOSE int fd = memfd_create("broken", MFD_CLOEXEC);

	CHECK_FAILS(image_format_of(fd, &f, &err), err, EINVAL, "ImageFormat");
	CHECK(write(fd, "\x1f\x8b\x08nonsense", 11) == 11);
	CHECK_FAILS(image_format_of(fd, &f, &err), err, EINVAL, "UncompressionError");
	CHECK_HAS(err.msg, "gzip");
}

static void
locks(void)
{
	static const char uuid[] = "01234567-89ab-4def-8123-456789abcdef";
	struct nrd_err err = { 0 };
	int first = -1, second = -1;
	char dir[64];

	test_mkdir(dir);
	image_lock_dir_use(dir);
	CHECK_OK(image_lock(uuid, false, &first, &err), err);
	CHECK_FAILS(image_lock(uuid, false, &second, &err), err, EBUSY, "ImageBusy");
	CHECK_HAS(err.msg, uuid);
	image_unlock(uuid, &first);
	CHECK_INT(first, -1);
	CHECK_OK(image_lock(uuid, true, &second, &err), err);
	image_unlock(uuid, &second);
	CHECK(rmdir(dir) == 0);
	image_lock_dir_use(NULL);
}

TEST_MAIN(streams, tars, nothing, packed, broken, locks)
