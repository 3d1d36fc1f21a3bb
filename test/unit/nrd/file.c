/* SPDX-License-Identifier: MPL-2.0 */
/* Copyright 2026 The Nereid authors */
#include "nrd/file.h"

#include <fcntl.h>
#include <dirent.h>
#include <sys/stat.h>

#include "nrd-test.h"
#include "nrd/mem.h"

static char dir[64];

static char *
in_dir(const char *name)
{
	static char path[160];

	(void)snprintf(path, sizeof(path), "%s/%s", dir, name);
	return path;
}

static size_t
entries(void)
{
	NRD_CLOSEDIR DIR *d = opendir(dir);
	size_t n = 0;

	while (readdir(d) != NULL)
		n++;
	return n - 2;
}

static void
writes_and_reads(void)
{
	struct nrd_err err = { 0 };
	NRD_FREE char *data = NULL;
	size_t len = 0;
	struct stat st;

	test_mkdir(dir);
	(void)umask(077);
	CHECK_OK(nrd_file_write(in_dir("f"), "one\0two", 7, 0644, &err), err);
	CHECK_OK(nrd_file_read(in_dir("f"), 7, &data, &len, &err), err);
	CHECK_INT(len, 7);
	CHECK(memcmp(data, "one\0two", 8) == 0);
	CHECK_INT(stat(in_dir("f"), &st), 0);
	CHECK_INT(st.st_mode & 07777, 0644);
	CHECK_OK(nrd_file_write(in_dir("f"), "new", 3, 0600, &err), err);
	CHECK_INT(entries(), 1);
	NRD_FREE char *again = NULL;

	CHECK_OK(nrd_file_read(in_dir("f"), 3, &again, NULL, &err), err);
	CHECK_STR(again, "new");
	CHECK_FAILS(nrd_file_read(in_dir("f"), 2, &again, NULL, &err), err, EFBIG, "FileTooBig");
	CHECK_HAS(err.msg, "/f: ");
}

static void
failed_write_leaves_nothing(void)
{
	struct nrd_err err = { 0 };

	CHECK_FAILS(nrd_file_write(in_dir("no/f"), "x", 1, 0600, &err), err, ENOENT, "FileWrite");
	CHECK_FAILS(nrd_file_write(in_dir(""), "x", 1, 0600, &err), err, EISDIR, "FileWrite");
	CHECK_INT(mkdir(in_dir("d"), 0700), 0);
	CHECK_FAILS(nrd_file_write(in_dir("d"), "x", 1, 0600, &err), err, EISDIR, "FileWrite");
	CHECK_INT(entries(), 2);
}

static void
makes_directories(void)
{
	struct nrd_err err = { 0 };

	CHECK_OK(nrd_mkdir_p(in_dir("a/b//c"), 0700, &err), err);
	CHECK_OK(nrd_mkdir_p(in_dir("a/b/c/"), 0700, &err), err);
	CHECK(nrd_path_exists(in_dir("a/b/c")));
	CHECK(!nrd_path_exists(in_dir("a/x")));
	CHECK_FAILS(nrd_mkdir_p(in_dir("f"), 0700, &err), err, ENOTDIR, "MakeDirectory");
	CHECK_FAILS(nrd_mkdir_p(in_dir("f/x"), 0700, &err), err, ENOTDIR, "MakeDirectory");
}

static void
joins_paths(void)
{
	const struct { const char *d, *n, *want; } cases[] = {
		{ "/a", "b", "/a/b" }, { "/a/", "/b", "/a/b" }, { "/", "b", "/b" },
		{ "a//", "//b/c", "a/b/c" },
	};

	for (size_t i = 0; i < nrd_count(cases); i++) {
		NRD_FREE char *p = nrd_path_join(cases[i].d, cases[i].n);

		CHECK_STR(p, cases[i].want);
	}
}

static void
attributes(void)
{
	struct nrd_err err = { 0 };
	char text[8];
	uint64_t v = 0;

	CHECK_OK(nrd_file_write(in_dir("attr"), "1234567\n", 8, 0600, &err), err);
	CHECK_OK(nrd_attr_read(AT_FDCWD, in_dir("attr"), text, 8, &err), err);
	CHECK_STR(text, "1234567");
	CHECK_FAILS(nrd_attr_read(AT_FDCWD, in_dir("attr"), text, 7, &err), err, EFBIG,
		    "AttributeTooBig");
	CHECK_OK(nrd_attr_read_u64(AT_FDCWD, in_dir("attr"), &v, &err), err);
	CHECK_INT(v, 1234567);
	NRD_CLOSE int fd = open(dir, O_PATH | O_DIRECTORY | O_CLOEXEC);

	CHECK_OK(nrd_attr_write(fd, "attr", "max\n2345", &err), err);
	CHECK_FAILS(nrd_attr_read_u64(fd, "attr", &v, &err), err, EINVAL, "BadNumber");
	CHECK_FAILS(nrd_attr_write(fd, "none", "1", &err), err, ENOENT, "AttributeWrite");
	CHECK(!nrd_path_exists(in_dir("none")));
	CHECK_FAILS(nrd_attr_read(fd, "none", text, 8, &err), err, ENOENT, "AttributeRead");
}

/* As root a rename over a device node takes it away from everybody. */
static void
special_files_are_written_to(void)
{
	struct nrd_err err = { 0 };
	const char *path = in_dir("fifo");
	char got[8] = "";
	int fd;

	CHECK_INT(mkfifo(path, 0600), 0);
	fd = open(path, O_RDWR | O_NONBLOCK | O_CLOEXEC);
	CHECK(fd >= 0);
	CHECK_OK(nrd_file_write(path, "text", 4, 0600, &err), err);
	CHECK_INT(read(fd, got, sizeof(got)), 4);
	CHECK_STR(got, "text");
	(void)close(fd);
	CHECK_INT(unlink(path), 0);
}

TEST_MAIN(writes_and_reads, special_files_are_written_to, failed_write_leaves_nothing, makes_directories, joins_paths,
	  attributes)
