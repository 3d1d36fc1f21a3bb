/* SPDX-License-Identifier: MPL-2.0 */
/* Copyright 2026 The Nereid authors */
#include "auth.h"

#include <errno.h>
#include <string.h>

#include "conf.h"
#include "installed.h"
#include "lock.h"
#include "nrd/base64.h"
#include "nrd/buf.h"
#include "nrd/file.h"
#include "nrd/json.h"
#include "nrd/mem.h"
#include "nrd/str.h"

#define LINE "Authorization: Basic "
#define LOCK "auth"
#define FILE_NAME "auth.json"

char *
image_auth_make(const char *user, const char *password)
{
	NRD_FREE char *both = nrd_format("%s:%s", user, password);
	NRD_AUTO(nrd_buf) text = { 0 };

	if (both == NULL || nrd_buf_adds(&text, LINE) < 0 || nrd_base64_encode(nrd_str(both), &text) < 0)
		return NULL;
	return nrd_buf_take(&text);
}

int
image_auth_find(const char *host, char **ret_line, struct nrd_err *err)
{
	NRD_AUTO(nrd_json) *doc = NULL;
	NRD_AUTO(nrd_buf) plain = { 0 };
	const char *auth;
	int r = image_conf_read(FILE_NAME, "AuthFile", &doc, err);

	*ret_line = NULL;
	if (r < 0 || doc == NULL)
		return r;
	auth = nrd_get_str(nrd_val_get(nrd_val_get(nrd_json_root(doc), "auths"), host), "auth");
	if (auth == NULL)
		return 0;
	/* It becomes part of a header: nothing but base64 does. */
	if (nrd_base64_decode(nrd_str(auth), &plain) < 0)
		return nrd_fail(err, EINVAL, "AuthFile", "%s/" FILE_NAME ": auths.%s.auth is not base64", image_dir(), host);
	*ret_line = nrd_format(LINE "%s", auth);
	return *ret_line != NULL ? 0 : nrd_nomem(err);
}

/* All that was there, and of the host what auth says; NULL: nothing. */
static int
file_write(const struct nrd_json *doc, const char *host, const char *auth, struct nrd_err *err)
{
	const struct nrd_val *root = doc != NULL ? nrd_json_root(doc) : NULL;
	NRD_FREE char *path = nrd_path_join(image_dir(), FILE_NAME);
	NRD_AUTO(nrd_buf) text = { 0 };
	struct nrd_iter it = nrd_iter(nrd_val_get(root, "auths"));
	struct nrd_jw w;
	int r;

	if (path == NULL)
		return nrd_nomem(err);
	nrd_jw_init(&w, &text, NRD_JW_PRETTY);
	nrd_jw_obj_open(&w);
	nrd_jw_key(&w, "auths");
	nrd_jw_obj_open(&w);
	while (nrd_iter_next(&it))
		if (!nrd_streq(it.key, host))
			nrd_jw_kval(&w, it.key, it.val);
	if (auth != NULL) {
		nrd_jw_key(&w, host);
		nrd_jw_obj_open(&w);
		nrd_jw_kstr(&w, "auth", auth);
		nrd_jw_obj_close(&w);
	}
	nrd_jw_obj_close(&w);
	it = nrd_iter(root);
	while (nrd_iter_next(&it))
		if (!nrd_streq(it.key, "auths"))
			nrd_jw_kval(&w, it.key, it.val);
	nrd_jw_obj_close(&w);
	r = nrd_jw_finish(&w, err);
	if (r == 0)
		r = nrd_mkdir_p(image_dir(), 0755, err);
	return r < 0 ? r : nrd_file_write(path, nrd_buf_str(&text), text.len, 0600, err);
}

static int
change(const char *host, const char *auth, struct nrd_err *err)
{
	NRD_AUTO(nrd_json) *doc = NULL;
	int r = image_conf_read(FILE_NAME, "AuthFile", &doc, err);

	if (r < 0)
		return r;
	if (auth == NULL && (doc == NULL || nrd_val_get(nrd_val_get(nrd_json_root(doc), "auths"), host) == NULL))
		return nrd_fail(err, ENOENT, "NotLoggedIn", "%s: no name and password are kept of it", host);
	return file_write(doc, host, auth, err);
}

static int
change_locked(const char *host, const char *auth, struct nrd_err *err)
{
	int lock = -1;
	int r = image_lock(LOCK, true, &lock, err);

	if (r < 0)
		return r;
	r = change(host, auth, err);
	image_unlock(LOCK, &lock);
	return r;
}

int
image_auth_keep(const char *host, const char *line, struct nrd_err *err)
{
	return change_locked(host, line + strlen(LINE), err);
}

int
image_auth_forget(const char *host, struct nrd_err *err)
{
	return change_locked(host, NULL, err);
}
