/* SPDX-License-Identifier: MPL-2.0 */
/* Copyright 2026 The Nereid authors */
#include "node/fill.h"

#include <sys/stat.h>

#include "nrd-test.h"
#include "nrd/file.h"
#include "nrd/mem.h"
#include "nrd/str.h"

static char dir[] = "/tmp/nrd-fill-XXXXXX";

static const char *
at(const char *name)
{
	static char path[4][256];
	static unsigned next;
	char *p = path[next++ % 4];

	(void)snprintf(p, 256, "%s/%s", dir, name);
	return p;
}

static void
put(const char *name, const char *text, mode_t mode)
{
	CHECK_INT(nrd_file_write(at(name), text, strlen(text), mode, NULL), 0);
}

static void
has(const char *name, const char *text)
{
	NRD_FREE char *got = NULL;

	CHECK_INT(nrd_file_read(at(name), 4096, &got, NULL, NULL), 0);
	CHECK_STR(got, text);
}

static void
copies_what_is_missing(void)
{
	static const char *const except[] = { "run", NULL };
	struct nrd_err err = { 0 };
	struct stat st;
	char target[64] = "";

	CHECK(mkdtemp(dir) != NULL);
	CHECK_INT(nrd_mkdir_p(at("src/lib/new"), 0755, NULL), 0);
	CHECK_INT(nrd_mkdir_p(at("src/run"), 0755, NULL), 0);
	CHECK_INT(nrd_mkdir_p(at("dst/lib"), 0755, NULL), 0);
	put("src/lib/new/file", "image", 0640);
	put("src/lib/mine", "image", 0644);
	put("src/lib/clash", "image", 0644);
	put("src/run/pid", "1", 0644);
	put("dst/lib/mine", "my own", 0600);
	CHECK_INT(nrd_mkdir_p(at("dst/lib/clash"), 0755, NULL), 0);
	CHECK_INT(symlink("new/file", at("src/lib/link")), 0);
	CHECK_INT(chmod(at("src/lib/new"), 02750), 0);

	CHECK_INT(node_fill(at("src"), at("dst"), except, &err), 0);
	has("dst/lib/new/file", "image");
	has("dst/lib/mine", "my own");
	CHECK(!nrd_path_exists(at("dst/run")));
	CHECK_INT(stat(at("dst/lib/new"), &st), 0);
	CHECK_INT(st.st_mode & 07777, 02750);
	CHECK_INT(stat(at("dst/lib/new/file"), &st), 0);
	CHECK_INT(st.st_mode & 07777, 0640);
	CHECK_INT(stat(at("dst/lib/clash"), &st), 0);
	CHECK(S_ISDIR(st.st_mode));
	CHECK_INT(readlink(at("dst/lib/link"), target, sizeof(target)), 8);
	CHECK_STR(target, "new/file");
}

/* A link in the destination must not lead the copy elsewhere. */
static void
follows_no_links(void)
{
	CHECK_INT(nrd_mkdir_p(at("src/deep/er"), 0755, NULL), 0);
	CHECK_INT(nrd_mkdir_p(at("outside"), 0755, NULL), 0);
	put("src/deep/er/file", "x", 0644);
	CHECK_INT(symlink(at("outside"), at("dst/deep")), 0);
	CHECK_INT(node_fill(at("src"), at("dst"), NULL, NULL), 0);
	CHECK(!nrd_path_exists(at("outside/er")));
}

static void
says_what_is_missing(void)
{
	struct nrd_err err = { 0 };

	CHECK_INT(node_fill(at("nowhere"), at("dst"), NULL, &err), -ENOENT);
	CHECK_STR(err.code, "FillTree");
}

TEST_MAIN(copies_what_is_missing, follows_no_links, says_what_is_missing)
