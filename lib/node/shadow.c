/* SPDX-License-Identifier: MPL-2.0 */
/* Copyright 2026 The Nereid authors */
#include "shadow.h"

#include <crypt.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "nrd/file.h"
#include "nrd/mem.h"
#include "nrd/str.h"

int
node_password_hash(const char *password, char ret_hash[NODE_HASH_MAX], struct nrd_err *err)
{
	NRD_FREE char *salt = crypt_gensalt_ra("$y$", 0, NULL, 0);
	void *data = NULL;
	int size = 0;
	const char *hash = salt != NULL ? crypt_ra(password, salt, &data, &size) : NULL;
	int r = 0;

	if (hash == NULL || hash[0] == '*')
		r = nrd_fail(err, errno ? errno : EIO, "Hash", "hash the password: %m");
	else if (nrd_strcpy_to(ret_hash, NODE_HASH_MAX, hash) < 0)
		r = nrd_fail(err, EOVERFLOW, "Hash", "hash the password: its hash is too long");
	if (data != NULL)
		explicit_bzero(data, (size_t)size);
	free(data);
	return r;
}

/* The account's name, empty for what is no line of shadow(5): nine fields. */
static struct nrd_str
account_of(struct nrd_str line)
{
	const char *colon = line.len > 0 ? memchr(line.data, ':', line.len) : NULL;
	size_t colons = 0;

	for (size_t i = 0; i < line.len; i++)
		colons += line.data[i] == ':';
	if (colon == NULL || colons != 8 || colon == line.data)
		return nrd_strn("", 0);
	return nrd_strn(line.data, (size_t)(colon - line.data));
}

static bool
same(struct nrd_str a, struct nrd_str b)
{
	return a.len == b.len && memcmp(a.data, b.data, a.len) == 0;
}

/* The line of an account, empty when there is none. */
static struct nrd_str
line_of(const char *text, struct nrd_str account)
{
	struct nrd_str rest = nrd_str(text);
	struct nrd_str line;

	while (text != NULL && nrd_str_split(&rest, '\n', &line))
		if (account.len > 0 && same(account_of(line), account))
			return line;
	return nrd_strn("", 0);
}

static void
add_line(struct nrd_buf *out, struct nrd_str line, const char *root_hash)
{
	struct nrd_str after;
	const char *second;

	if (root_hash == NULL || !nrd_str_eq(account_of(line), "root")) {
		(void)nrd_buf_printf(out, "%.*s\n", NRD_STR_ARG(line));
		return;
	}
	second = memchr(line.data + 5, ':', line.len - 5);
	after = nrd_strn(second, line.len - (size_t)(second - line.data));
	(void)nrd_buf_printf(out, "root:%s%.*s\n", root_hash, NRD_STR_ARG(after));
}

int
node_shadow_merge(const char *image, const char *saved, const char *root_hash,
		  struct nrd_buf *out, struct nrd_err *err)
{
	struct nrd_str rest = nrd_str(image);
	struct nrd_str line;
	bool root = false;

	while (image != NULL && nrd_str_split(&rest, '\n', &line)) {
		struct nrd_str account = account_of(line);
		struct nrd_str own = line_of(saved, account);

		if (account.len == 0)
			continue;
		root |= nrd_str_eq(account, "root");
		add_line(out, own.len > 0 ? own : line, root_hash);
	}
	rest = nrd_str(saved);
	while (saved != NULL && nrd_str_split(&rest, '\n', &line)) {
		struct nrd_str account = account_of(line);

		if (account.len == 0 || line_of(image, account).len > 0)
			continue;
		root |= nrd_str_eq(account, "root");
		add_line(out, line, root_hash);
	}
	if (!root)
		(void)nrd_buf_printf(out, "root:%s:%lld:0:99999:7:::\n",
				     root_hash != NULL ? root_hash : "*",
				     (long long)time(NULL) / 86400);
	return out->failed < 0 ? nrd_nomem(err) : 0;
}

bool
node_shadow_root_set(const char *text)
{
	struct nrd_str line = line_of(text, nrd_str("root"));

	return line.len > 5 && line.data[5] != ':' && line.data[5] != '*' && line.data[5] != '!';
}

int
node_shadow_save(const char *live, const char *saved, struct nrd_err *err)
{
	NRD_FREE char *text = NULL;
	NRD_FREE char *before = NULL;
	size_t len;
	int r = nrd_file_read(live, NODE_SHADOW_MAX, &text, &len, err);

	if (r < 0)
		return r;
	if (line_of(text, nrd_str("root")).len == 0)
		return nrd_fail(err, EINVAL, "BadShadow",
				"%s has no account root; %s is left as it was", live, saved);
	if (nrd_file_read(saved, NODE_SHADOW_MAX, &before, NULL, NULL) >= 0 &&
	    nrd_streq(text, before))
		return 0;
	return nrd_file_write(saved, text, len, 0400, err);
}
