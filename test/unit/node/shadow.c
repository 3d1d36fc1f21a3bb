/* SPDX-License-Identifier: MPL-2.0 */
/* Copyright 2026 The Nereid authors */
#include "node/shadow.h"

#include <sys/stat.h>

#include "nrd-test.h"
#include "nrd/file.h"
#include "nrd/mem.h"
#include "nrd/str.h"

#define IMAGE "root:*:20000:0:99999:7:::\ndaemon:*:20000:0:99999:7:::\nsshd:!*:20000::::::\n"

static void
keeps_passwords_and_new_accounts(void)
{
	NRD_AUTO(nrd_buf) out = { 0 };

	CHECK_INT(node_shadow_merge(IMAGE, "root:$y$hash:20100:0:99999:7:::\nold:!:1::::::\nbroken\n",
				    NULL, &out, NULL), 0);
	CHECK_STR(nrd_buf_str(&out), "root:$y$hash:20100:0:99999:7:::\n"
				     "daemon:*:20000:0:99999:7:::\nsshd:!*:20000::::::\n"
				     "old:!:1::::::\n");
	CHECK(node_shadow_root_set(nrd_buf_str(&out)));
	CHECK(!node_shadow_root_set(IMAGE));
	CHECK(!node_shadow_root_set("root::1:0:99999:7:::\n"));
}

static void
a_given_hash_is_roots(void)
{
	NRD_AUTO(nrd_buf) out = { 0 };
	NRD_AUTO(nrd_buf) alone = { 0 };

	CHECK_INT(node_shadow_merge(IMAGE, NULL, "$6$x", &out, NULL), 0);
	CHECK(strncmp(nrd_buf_str(&out), "root:$6$x:20000:0:", 18) == 0);
	CHECK_INT(node_shadow_merge(NULL, NULL, NULL, &alone, NULL), 0);
	CHECK(strncmp(nrd_buf_str(&alone), "root:*:", 7) == 0);
}

static void
hashes_passwords(void)
{
	char one[NODE_HASH_MAX];
	char two[NODE_HASH_MAX];

	CHECK_INT(node_password_hash("geheim", one, NULL), 0);
	CHECK_INT(node_password_hash("geheim", two, NULL), 0);
	CHECK(strncmp(one, "$y$", 3) == 0);
	CHECK(strcmp(one, two) != 0);
}

static void
saves_only_what_has_root(void)
{
	char dir[] = "/tmp/nrd-shadow-XXXXXX";
	struct nrd_err err = { 0 };
	struct stat st;

	CHECK(mkdtemp(dir) != NULL);

	NRD_FREE char *live = nrd_path_join(dir, "live");
	NRD_FREE char *saved = nrd_path_join(dir, "saved");
	NRD_FREE char *text = NULL;

	CHECK_INT(nrd_file_write(live, IMAGE, strlen(IMAGE), 0600, NULL), 0);
	CHECK_INT(node_shadow_save(live, saved, &err), 0);
	CHECK_INT(stat(saved, &st), 0);
	CHECK_INT(st.st_mode & 07777, 0400);
	CHECK_INT(nrd_file_write(live, "nobody\n", 7, 0600, NULL), 0);
	CHECK(node_shadow_save(live, saved, &err) < 0);
	CHECK_STR(err.code, "BadShadow");
	CHECK_INT(nrd_file_read(saved, 4096, &text, NULL, NULL), 0);
	CHECK_STR(text, IMAGE);
	(void)unlink(live);
	(void)unlink(saved);
	(void)rmdir(dir);
}

TEST_MAIN(keeps_passwords_and_new_accounts, a_given_hash_is_roots, hashes_passwords,
	  saves_only_what_has_root)
