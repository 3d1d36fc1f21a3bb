/* SPDX-License-Identifier: MPL-2.0 */
/* Copyright 2026 The Nereid authors */
#include "fixture.h"

#include <fcntl.h>

#include "nrd/proc.h"

/* Packs f->dir/src with tar(1) and these further arguments; the file is f->dir/NAME. */
static int
tar_open(const struct fixture *f, const char *name, const char *const *more)
{
	NRD_FREE char *path = path_of(f, "%s", name);
	NRD_FREE char *dir = path_of(f, "src");
	NRD_STRV char **argv = NULL;
	struct nrd_err err = { 0 };
	int fd;

	CHECK(nrd_strv_add(&argv, "tar") == 0 && nrd_strv_add(&argv, "-C") == 0 &&
	      nrd_strv_add(&argv, dir) == 0 && nrd_strv_add(&argv, "-cf") == 0 &&
	      nrd_strv_add(&argv, path) == 0);
	for (; *more != NULL; more++)
		CHECK(nrd_strv_add(&argv, *more) == 0);
	CHECK_OK(nrd_run(&(struct nrd_proc){ .argv = NRD_CSTRV(argv), .timeout_ms = 20000 }, NULL,
			 NULL, &err), err);
	fd = open(path, O_RDWR | O_CLOEXEC);
	CHECK(fd >= 0);
	return fd;
}

#define TAR(f, name, ...) tar_open((f), (name), (const char *const[]){ __VA_ARGS__, NULL })

static int
open_file(const struct fixture *f, int fd, struct platform_source *src, struct nrd_err *err)
{
	return platform_source_open_file(fd, f->dir, f->run, src, err);
}

static void
check_source(const struct platform_source *src)
{
	char byte;

	CHECK_STR(src->manifest.stamp, A);
	CHECK_INT(src->len, 2);
	CHECK_STR(src->data[0].name, "kernel");
	CHECK_INT(src->data[0].size, 1000);
	CHECK_STR(src->data[1].name, "boot_archive");
	CHECK_INT(src->data[1].size, 3000);
	CHECK_INT(pread(src->data[1].fd, &byte, 1, (off_t)src->data[1].offset + 2), 1);
	CHECK_INT((unsigned char)byte, (unsigned char)(2 * 31 + 1 + '1' * 7));
}

static void
directory(void)
{
	__attribute__((cleanup(platform_source_cleanup))) struct platform_source src = { 0 };
	__attribute__((cleanup(platform_source_cleanup))) struct platform_source none = { 0 };
	struct fixture f;
	NRD_FREE char *dir = NULL;
	NRD_FREE char *extra = NULL;
	struct nrd_err err = { 0 };

	fixture_init(&f);
	dir = make_platform(&f, A, 1000, 3000);
	CHECK_OK(platform_source_open_dir(dir, &src, &err), err);
	check_source(&src);
	extra = nrd_path_join(dir, "kernel");
	CHECK(unlink(extra) == 0);
	CHECK_FAILS(platform_source_open_dir(dir, &none, &err), err, ENOENT, "FileOpen");
	fixture_fini(&f);
}

static void
media(void)
{
	__attribute__((cleanup(platform_source_cleanup))) struct platform_source src = { 0 };
	__attribute__((cleanup(platform_source_cleanup))) struct platform_source old = { 0 };
	__attribute__((cleanup(platform_source_cleanup))) struct platform_source none = { 0 };
	struct fixture f;
	NRD_FREE char *a = NULL;
	NRD_FREE char *b = NULL;
	NRD_FREE char *from = NULL;
	NRD_FREE char *to = NULL;
	struct nrd_err err = { 0 };

	fixture_init(&f);
	CHECK_FAILS(platform_source_open_media(f.dir, NULL, &none, &err), err, ENOENT,
		    "PlatformNotFound");
	a = make_platform(&f, A, 10, 10);
	b = make_platform(&f, B, 10, 10);
	from = path_of(&f, "src");
	to = path_of(&f, "platform");
	CHECK(rename(from, to) == 0);
	CHECK_OK(platform_source_open_media(f.dir, NULL, &src, &err), err);
	CHECK_STR(src.manifest.stamp, B);
	CHECK_OK(platform_source_open_media(f.dir, A, &old, &err), err);
	CHECK_STR(old.manifest.stamp, A);
	fixture_fini(&f);
}

static void
tar_files(void)
{
	static const struct {
		const char *option;
		const char *name;
	} kinds[] = {
		{ "--format=gnu", "p.tar" },  { "--format=ustar", "p.tar" },
		{ "--format=pax", "p.tar" },  { "--gzip", "p.tgz" },
		{ "--xz", "p.tar.xz" },       { "--zstd", "p.tar.zst" },
	};

	for (size_t i = 0; i < nrd_count(kinds); i++) {
		__attribute__((cleanup(platform_source_cleanup))) struct platform_source src = {
			0 };
		struct fixture f;
		NRD_FREE char *dir = NULL;
		NRD_CLOSE int fd = -1;
		struct nrd_err err = { 0 };

		fixture_init(&f);
		dir = make_platform(&f, A, 1000, 3000);
		fd = TAR(&f, kinds[i].name, kinds[i].option, A);
		CHECK_OK(open_file(&f, fd, &src, &err), err);
		check_source(&src);
		fixture_fini(&f);
	}
}

/* "./STAMP/..." is what `tar -cf x.tar .` makes. */
static void
tar_of_dot(void)
{
	__attribute__((cleanup(platform_source_cleanup))) struct platform_source src = { 0 };
	struct fixture f;
	NRD_FREE char *dir = NULL;
	NRD_CLOSE int fd = -1;
	struct nrd_err err = { 0 };

	fixture_init(&f);
	dir = make_platform(&f, A, 1000, 3000);
	fd = TAR(&f, "p.tar", ".");
	CHECK_OK(open_file(&f, fd, &src, &err), err);
	check_source(&src);
	fixture_fini(&f);
}

static void
refuse(const struct fixture *f, int fd, const char *code, const char *says)
{
	__attribute__((cleanup(platform_source_cleanup))) struct platform_source src = { 0 };
	struct nrd_err err = { 0 };

	CHECK_FAILS(open_file(f, fd, &src, &err), err, EBADMSG, code);
	CHECK_HAS(err.msg, says);
	(void)close(fd);
}

static void
tars_that_do_not_belong(void)
{
	struct fixture f;
	NRD_FREE char *a = NULL;
	NRD_FREE char *b = NULL;
	NRD_FREE char *link = NULL;
	NRD_FREE char *sub = NULL;

	fixture_init(&f);
	a = make_platform(&f, A, 1000, 3000);
	b = make_platform(&f, B, 1000, 3000);
	link = nrd_path_join(a, "link");
	sub = nrd_path_join(a, "sub");
	refuse(&f, TAR(&f, "p.tar", A, B), "BadTar", "one version");
	refuse(&f, TAR(&f, "p.tar", "--transform=s,^,../,", A), "BadTar", "one version");
	refuse(&f, TAR(&f, "p.tar", "-P", "--transform=s,^,/etc/,", A), "BadTar", "one version");
	refuse(&f, TAR(&f, "p.tar", A "/kernel"), "BadManifest", "there is no manifest.json");
	refuse(&f, TAR(&f, "p.tar", "--exclude=kernel", A), "PlatformDamaged", "kernel is missing");
	refuse(&f, TAR(&f, "p.tar", A, A "/kernel"), "BadTar", "not a file");
	refuse(&f, TAR(&f, "p.tar", "--hard-dereference", A, A), "BadTar", "twice");
	CHECK(symlink("/etc/passwd", link) == 0);
	refuse(&f, TAR(&f, "p.tar", A), "BadTar", "not a file");
	CHECK(unlink(link) == 0);
	CHECK(mkdir(sub, 0755) == 0);
	refuse(&f, TAR(&f, "p.tar", A), "BadTar", "directory below");
	CHECK(rmdir(sub) == 0);
	put(link, "more");
	refuse(&f, TAR(&f, "p.tar", A), "PlatformDamaged", "link is not in the manifest");
	fixture_fini(&f);
}

static void
torn_tars(void)
{
	struct fixture f;
	NRD_FREE char *a = NULL;
	NRD_CLOSE int whole = -1;
	off_t size;

	fixture_init(&f);
	a = make_platform(&f, A, 1000, 3000);
	whole = TAR(&f, "p.tar", "-b1", A);
	size = lseek(whole, 0, SEEK_END);
	/* Without its two empty blocks it is torn as well: the second half may be missing. */
	for (off_t len = 0; len <= size - 1024; len += 300) {
		NRD_CLOSE int fd = TAR(&f, "p.tar", "-b1", A);

		CHECK(ftruncate(fd, len) == 0);
		refuse(&f, nrd_take_fd(&fd), "BadTar", "");
	}
	for (off_t at = 0; at < 512; at += 37) {
		NRD_CLOSE int fd = TAR(&f, "p.tar", "-b1", A);

		CHECK_INT(pwrite(fd, "\xee", 1, at), 1);
		refuse(&f, nrd_take_fd(&fd), "BadTar", "");
	}
	fixture_fini(&f);
}

static void
garbage(void)
{
	__attribute__((cleanup(platform_source_cleanup))) struct platform_source src = { 0 };
	struct fixture f;
	NRD_FREE char *path = NULL;
	NRD_CLOSE int fd = -1;
	NRD_CLOSE int gz = -1;
	struct nrd_err err = { 0 };

	fixture_init(&f);
	path = path_of(&f, "x");
	put(path, "");
	fd = open(path, O_RDWR | O_CLOEXEC);
	CHECK_FAILS(open_file(&f, fd, &src, &err), err, EBADMSG, "BadTar");
	put(path, "\x1f\x8b this is not gzip");
	gz = open(path, O_RDWR | O_CLOEXEC);
	CHECK_FAILS(open_file(&f, gz, &src, &err), err, EIO, "ChildFailed");
	CHECK_HAS(err.msg, "unpack");
	fixture_fini(&f);
}

TEST_MAIN(directory, media, tar_files, tar_of_dot, tars_that_do_not_belong, torn_tars, garbage)
