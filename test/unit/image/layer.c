/* SPDX-License-Identifier: MPL-2.0 */
/* Copyright 2026 The Nereid authors */
#include "nrd-test.h"
#include "nrd-tree.h"
#include "test-tar.h"

#include <fcntl.h>
#include <sys/stat.h>

#include "image/layer.h"
#include "image/tar.h"
#include "nrd/buf.h"
#include "nrd/hash.h"
#include "nrd/mem.h"
#include "nrd/str.h"

static ssize_t
read_buf(void *arg, void *data, size_t len, struct nrd_err *err)
{
	struct nrd_buf *b = arg;

	(void)err;
	len = len < b->len ? len : b->len;
	memcpy(data, nrd_buf_str(b), len);
	nrd_buf_drop(b, len);
	return (ssize_t)len;
}

/* The names in it, a blank between them; r is what ends it. */
static int
names_of(struct nrd_buf *from, char *names, size_t size, struct nrd_err *err)
{
	NRD_AUTO(image_tar) tar;
	const struct image_tar_entry *e;
	size_t len = 0;
	int r;

	names[0] = '\0';
	image_tar_init(&tar, read_buf, NULL, from);
	while ((r = image_tar_next(&tar, &e, err)) > 0)
		len += (size_t)snprintf(names + len, size - len, "%s%s", len > 0 ? " " : "", e->name);
	return r;
}

static void
members(void)
{
	NRD_AUTO(nrd_buf) tar = { 0 };
	struct nrd_err err = { 0 };
	char names[600];

	tar_add(&tar, '5', "dir/", NULL, "", 0);
	tar_file(&tar, "dir/a", "hello");
	tar_extra(&tar, 'L', "a-long-name");
	tar_file(&tar, "a-long", "x");
	tar_extra(&tar, 'g', "17 comment=global\n");
	tar_extra(&tar, 'x', "13 path=short\n");
	CHECK_FAILS(names_of(&tar, names, sizeof(names), &err), err, EINVAL, "TarFormat");
	nrd_buf_reset(&tar);
	tar_add(&tar, '5', "dir/", NULL, "", 0);
	tar_file(&tar, "dir/a", "hello");
	tar_extra(&tar, 'L', "a-long-name");
	tar_file(&tar, "a-long", "x");
	tar_extra(&tar, 'g', "18 comment=global\n");
	tar_extra(&tar, 'x', "14 path=short\n");
	tar_file(&tar, "other", "x");
	CHECK_OK(names_of(&tar, names, sizeof(names), &err), err);
	CHECK_STR(names, "dir/ dir/a a-long-name short");
}

static void
broken(void)
{
	static const struct {
		char type;
		const char *text;
	} cases[] = {
		{ 'x', "x" }, { 'x', "5 a=" }, { 'x', "99 a=b\n" }, { 'x', "6 abc\n" }, { 'x', "9 size=a\n" },
		{ 'x', "30 GNU.sparse.major=1.0000000\n" }, { 'x', "12 mtime=1:\n" }, { 'S', "x" }, { 'V', "x" }, { 'M', "x" },
	};
	struct nrd_err err = { 0 };
	char names[600];

	for (size_t i = 0; i < nrd_count(cases); i++) {
		NRD_AUTO(nrd_buf) tar = { 0 };

		tar_extra(&tar, cases[i].type, cases[i].text);
		tar_file(&tar, "a", "x");
		CHECK_FAILS(names_of(&tar, names, sizeof(names), &err), err, EINVAL, "TarFormat");
	}
	for (size_t cut = 1; cut < 1024 + 512; cut += 100) {
		NRD_AUTO(nrd_buf) tar = { 0 };

		tar_file(&tar, "a", "x");
		tar_file(&tar, "b", "x");
		nrd_buf_truncate(&tar, tar.len - cut);
		if (tar.len % 1024 != 0)
			CHECK_FAILS(names_of(&tar, names, sizeof(names), &err), err, EINVAL, "TarFormat");
	}
}

/* ---- layers ---- */

static char dir[] = "/tmp/layer-XXXXXX";
static int root = -1;

static void
begin(void)
{
	CHECK(mkdtemp(dir) != NULL);
	root = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	CHECK(root >= 0);
}

static int
apply_with(struct nrd_buf *tar, const char *diff_id, bool bottom, struct nrd_err *err)
{
	const struct image_opts opts = { 0 };
	NRD_CLOSE int fd = open("/tmp", O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
	struct image_layer layer = { .fd = fd, .name = "layer", .diff_id = diff_id, .bottom = bottom };

	CHECK(fd >= 0 && write(fd, nrd_buf_str(tar), tar->len) == (ssize_t)tar->len);
	nrd_buf_reset(tar);
	return image_layer_apply(&opts, &layer, root, err);
}

static int
apply(struct nrd_buf *tar, struct nrd_err *err)
{
	return apply_with(tar, NULL, false, err);
}

static void
is(const char *name, const char *text)
{
	NRD_AUTO(nrd_buf) have = { 0 };
	struct nrd_err err = { 0 };

	if (text == NULL) {
		CHECK(access(tree_path(dir, name), F_OK) < 0);
		return;
	}
	CHECK_OK(nrd_buf_read_file(&have, tree_path(dir, name), &err), err);
	CHECK_STR(nrd_buf_str(&have), text);
}

static void
laid_over_one_another(void)
{
	NRD_AUTO(nrd_buf) tar = { 0 };
	struct nrd_err err = { 0 };
	struct stat st;

	tar_add(&tar, '5', "d", NULL, "", 0);
	tar_file(&tar, "d/a", "a");
	tar_file(&tar, "d/b", "b");
	tar_file(&tar, "f", "f");
	tar_add(&tar, '5', "o", NULL, "", 0);
	tar_file(&tar, "o/old", "x");
	CHECK_OK(apply_with(&tar, NULL, true, &err), err);
	tar_file(&tar, "d/c", "c");
	tar_file(&tar, "d/.wh.a", "");
	tar_file(&tar, "f/in", "a directory now");
	tar_file(&tar, "o/new", "new");
	tar_file(&tar, "o/.wh..wh..opq", "");
	tar_add(&tar, '1', "d/hard", "d/b", "", 0);
	CHECK_OK(apply(&tar, &err), err);
	is("d/a", NULL);
	is("d/b", "b");
	is("d/c", "c");
	is("d/hard", "b");
	is("f/in", "a directory now");
	is("o/old", NULL);
	is("o/new", "new");
	CHECK(stat(tree_path(dir, "d"), &st) == 0);
	CHECK_INT(st.st_nlink, 2);
	tar_file(&tar, "d", "a file now");
	CHECK_OK(apply(&tar, &err), err);
	is("d", "a file now");
}

static void
out_of_the_root(void)
{
	static const char *const names[] = { "../x", "a/../../x", "..", "", ".wh.", "a/.wh..", ".wh..." };
	NRD_AUTO(nrd_buf) tar = { 0 };
	struct nrd_err err = { 0 };
	char outside[] = "/tmp/outside-XXXXXX";

	CHECK(mkdtemp(outside) != NULL);
	tree_file(outside, "x", "safe");
	for (size_t i = 0; i < nrd_count(names); i++) {
		tar_file(&tar, names[i], "evil");
		CHECK_FAILS(apply(&tar, &err), err, EINVAL, "LayerPath");
	}
	tar_add(&tar, '2', "link", outside, "", 0);
	tar_file(&tar, "link/x", "evil");
	tar_file(&tar, "link/.wh.x", "");
	tar_add(&tar, '2', "up", "../../../../../../tmp", "", 0);
	tar_file(&tar, "up/evil", "evil");
	tar_add(&tar, '2', "x", tree_path(outside, "x"), "", 0);
	tar_file(&tar, "x", "mine");
	CHECK_OK(apply(&tar, &err), err);
	is("x", "mine");
	CHECK(access("/tmp/evil", F_OK) < 0);
	tar_add(&tar, '1', "h", "link/none", "", 0);
	CHECK_FAILS(apply(&tar, &err), err, ENOENT, "LayerWrite");
	CHECK(strcmp(nrd_buf_str(&tar), "") == 0);
	CHECK_OK(nrd_buf_read_file(&tar, tree_path(outside, "x"), &err), err);
	CHECK_STR(nrd_buf_str(&tar), "safe");
	CHECK(unlink(tree_path(outside, "x")) == 0 && rmdir(outside) == 0);
}

static void
compared_with_their_digest(void)
{
	NRD_AUTO(nrd_buf) tar = { 0 };
	struct nrd_err err = { 0 };
	char hex[NRD_HASH_TEXT];
	NRD_FREE char *right = NULL;

	tar_file(&tar, "one", "1");
	CHECK_OK(nrd_hash_bytes(NRD_SHA256, nrd_buf_str(&tar), tar.len, hex, &err), err);
	right = nrd_format("sha256:%s", hex);
	CHECK_OK(apply_with(&tar, right, true, &err), err);
	tar_file(&tar, "one", "2");
	CHECK_FAILS(apply_with(&tar, right, true, &err), err, EBADMSG, "ImageDigest");
	CHECK(nrd_buf_adds(&tar, "this is no tar file") == 0);
	CHECK_FAILS(apply(&tar, &err), err, EINVAL, "TarFormat");
	CHECK(nrd_buf_add(&tar, "\x1f\x8b" "broken", 8) == 0);
	CHECK_FAILS(apply(&tar, &err), err, EINVAL, "UncompressionError");
}

static void
nothing_in_it(void)
{
	NRD_AUTO(nrd_buf) tar = { 0 };
	struct nrd_err err = { 0 };
	static const char zeros[1024];

	CHECK(nrd_buf_add(&tar, zeros, sizeof(zeros)) == 0);
	CHECK_OK(apply(&tar, &err), err);
}

static void
end(void)
{
	(void)close(root);
	tree_remove(dir);
}

TEST_MAIN(members, broken, begin, laid_over_one_another, out_of_the_root, compared_with_their_digest, nothing_in_it, end)
