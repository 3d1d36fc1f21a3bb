/* SPDX-License-Identifier: MPL-2.0 */
/* Copyright 2026 The Nereid authors */
#include <errno.h>
#include <stddef.h>

#include "manifest-priv.h"
#include "nrd/mem.h"
#include "nrd/str.h"

bool
image_v1_is(const struct nrd_val *val)
{
	uint64_t v;

	if (nrd_val_get(val, "v") == NULL)
		return nrd_get_str(val, "creator_uuid") != NULL;
	return nrd_get_u64(val, "v", &v) && v == 1;
}

/* Compression was told by the file's name alone. */
static void
file_upgrade(const struct nrd_val *file, struct nrd_jw *w)
{
	const char *path = nrd_get_str(file, "path");

	nrd_jw_obj_open(w);
	if (nrd_val_get(file, "sha1") != NULL)
		nrd_jw_kval(w, "sha1", nrd_val_get(file, "sha1"));
	if (nrd_val_get(file, "size") != NULL)
		nrd_jw_kval(w, "size", nrd_val_get(file, "size"));
	if (path != NULL && nrd_ends(path, ".gz"))
		nrd_jw_kstr(w, "compression", "gzip");
	else if (path != NULL && nrd_ends(path, ".bz2"))
		nrd_jw_kstr(w, "compression", "bzip2");
	nrd_jw_obj_close(w);
}

/* Who may use it: everybody, or the one it was restricted to. */
static void
access_upgrade(const struct nrd_val *only, struct nrd_jw *w)
{
	bool restricted = nrd_val_str(only) != NULL;

	nrd_jw_kbool(w, "public", !restricted);
	if (!restricted)
		return;
	nrd_jw_key(w, "acl");
	nrd_jw_arr_open(w);
	nrd_jw_val(w, only);
	nrd_jw_arr_close(w);
}

int
image_v1_upgrade(const struct nrd_val *val, struct nrd_buf *out, struct nrd_err *err)
{
	static const char *const kept[] = {
		"uuid", "name", "version", "description", "os", "type", "published_at", "urn",
		"disk_driver", "nic_driver", "cpu_type", "image_size", "users",
		"generate_passwords", "requirements", "inherited_directories", "billing_tags",
		"traits", "tags", "origin",
	};
	const struct nrd_val *files = nrd_val_get(val, "files");
	struct nrd_jw w;

	if (nrd_val_len(files) > 1)
		return nrd_fail(err, EINVAL, "ManifestValidation",
				"files: has %zu members; of a manifest of version 1 only those with "
				"one file are understood", nrd_val_len(files));
	nrd_jw_init(&w, out, NRD_JW_COMPACT);
	nrd_jw_obj_open(&w);
	nrd_jw_ku64(&w, "v", 2);
	nrd_jw_kval(&w, "owner", nrd_val_get(val, "creator_uuid"));
	for (size_t i = 0; i < nrd_count(kept); i++)
		if (nrd_val_get(val, kept[i]) != NULL)
			nrd_jw_kval(&w, kept[i], nrd_val_get(val, kept[i]));
	nrd_jw_kstr(&w, "state", "active");
	nrd_jw_kbool(&w, "disabled", false);
	access_upgrade(nrd_val_get(val, "restricted_to_uuid"), &w);
	if (nrd_val_len(files) == 1) {
		nrd_jw_key(&w, "files");
		nrd_jw_arr_open(&w);
		file_upgrade(nrd_val_at(files, 0), &w);
		nrd_jw_arr_close(&w);
	}
	nrd_jw_obj_close(&w);
	return nrd_jw_finish(&w, err);
}
