/* SPDX-License-Identifier: MPL-2.0 */
/* Copyright 2026 The Nereid authors */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "config-priv.h"
#include "nrd/file.h"
#include "nrd/json.h"
#include "nrd/mem.h"
#include "nrd/str.h"
#include "zone/config.h"

#define SUFFIX ".json"

static const char *
dir_of(const char *dir)
{
	return dir != NULL ? dir : ZONE_DIR;
}

static int
file_of(const char *dir, const char *name, char **ret_path, struct nrd_err *err)
{
	int r = zone_name_check(name, err);

	if (r < 0)
		return r;
	*ret_path = nrd_format("%s/%s" SUFFIX, dir_of(dir), name);
	return *ret_path != NULL ? 0 : nrd_nomem(err);
}

static int
not_found(const char *name, struct nrd_err *err)
{
	return nrd_fail(err, ENOENT, "ZoneNotFound", "%s: No such zone configured", name);
}

/* The file as it stands; a zone that is not there is told apart from a file that will not do. */
static int
open_doc(const char *path, const char *name, struct nrd_json **ret_doc, struct nrd_err *err)
{
	struct nrd_err why = { 0 };
	int r = nrd_json_read_file(path, NULL, ret_doc, &why);

	if (r == -ENOENT)
		return not_found(name, err);
	if (r == -ENOMEM)
		return nrd_nomem(err);
	if (r < 0)
		return nrd_fail(err, -r, "BadZoneFile", "zone '%s': %s", name, why.msg);
	return 0;
}

/* An empty list says what no list says. */
static void
drop_empty(struct zone_config *config)
{
	for (size_t i = 0; i < zone_config_schema.n_fields; i++) {
		const struct nrd_field *field = &zone_config_schema.fields[i];
		char **v = NULL;

		if (field->type != NRD_TYPE_STRV)
			continue;
		memcpy(&v, (const char *)config + field->offset, sizeof(v));
		if (v != NULL && v[0] == NULL)
			nrd_field_clear(&zone_config_schema, field, config);
	}
}

static int
read_some(const char *path, const char *const *only, struct zone_config *ret_config, struct nrd_err *err)
{
	NRD_AUTO(zone_config) config = { 0 };
	NRD_AUTO(nrd_json) *doc = NULL;
	struct nrd_err why = { 0 };
	int r = nrd_json_read_file(path, &(struct nrd_json_limits){ .regular = true }, &doc, &why);

	if (r < 0)
		return nrd_fail(err, -r, "BadZoneFile", "%s", why.msg);
	r = nrd_decode_some(&zone_config_schema, nrd_json_root(doc), NRD_DECODE_UNKNOWN | (only != NULL ? NRD_DECODE_PARTIAL : 0),
			    only, &config, &why);
	if (r < 0)
		return nrd_fail(err, -r, "BadZoneFile", "%s: %s", path, why.msg);
	drop_empty(&config);
	r = zone_config_base(&config, err);
	if (r < 0)
		return r;
	*ret_config = config;
	config = (struct zone_config){ 0 };
	return 0;
}

int
zone_config_read_file(const char *path, struct zone_config *ret_config, struct nrd_err *err)
{
	return read_some(path, NULL, ret_config, err);
}

int
zone_config_read(const char *dir, const char *name, struct zone_config *ret_config,
		 struct nrd_err *err)
{
	return zone_config_read_some(dir, name, NULL, ret_config, err);
}

int
zone_config_read_some(const char *dir, const char *name, const char *const *only, struct zone_config *ret_config,
		      struct nrd_err *err)
{
	NRD_AUTO(zone_config) config = { 0 };
	NRD_FREE char *path = NULL;
	struct nrd_err why = { 0 };
	int r = file_of(dir, name, &path, err);

	if (r < 0)
		return r;
	r = read_some(path, only, &config, &why);
	if (r == -ENOENT)
		return not_found(name, err);
	if (r < 0)
		return nrd_fail(err, -r, why.code, "zone '%s': %s", name, why.msg);
	if (!nrd_streq(config.zonename, name))
		return nrd_fail(err, EINVAL, "BadZoneFile",
				"zone '%s': %s: zonename is \"%s\", not the name of the file", name,
				path, config.zonename);
	*ret_config = config;
	config = (struct zone_config){ 0 };
	return 0;
}

/*
 * Writing. What the old file holds and our tables do not know belongs to somebody else and is
 * carried over: at the top, and in elements of arrays, which are found again by their identity.
 */
static void write_object(const struct nrd_schema *schema, const void *obj,
			 const struct nrd_val *old, struct nrd_jw *w);

static bool
same_value(const struct nrd_schema *schema, const struct nrd_field *field, const void *obj,
	   const struct nrd_val *old)
{
	NRD_AUTO(nrd_buf) text = { 0 };
	NRD_AUTO(nrd_json) *doc = NULL;
	const char *then = nrd_val_str(nrd_val_get(old, nrd_field_key(field)));
	struct nrd_jw w;

	if (then == NULL)
		return false;
	nrd_jw_init(&w, &text, NRD_JW_COMPACT);
	nrd_encode_field(schema, field, obj, &w);
	if (nrd_json_parse(nrd_buf_str(&text), text.len, NULL, &doc, NULL) < 0)
		return false;
	const char *now = nrd_val_str(nrd_json_root(doc));

	return now != NULL && strcasecmp(now, then) == 0;
}

static const struct nrd_val *
find_old(const struct nrd_schema *schema, const void *obj, const struct nrd_val *olds)
{
	for (size_t i = 0; i < schema->n_fields; i++) {
		const struct nrd_field *field = &schema->fields[i];
		struct nrd_iter it = nrd_iter(olds);

		if ((field->flags & ZONE_FIELD_IDENTITY) == 0 ||
		    !nrd_field_present(schema, field, obj))
			continue;
		while (nrd_val_type(olds) == NRD_VAL_ARR && nrd_iter_next(&it)) {
			if (same_value(schema, field, obj, it.val))
				return it.val;
		}
	}
	return NULL;
}

static void
write_array(const struct nrd_field *field, const void *obj, const struct nrd_val *olds,
	    struct nrd_jw *w)
{
	const char *items;
	size_t n;

	memcpy(&items, (const char *)obj + field->offset, sizeof(items));
	memcpy(&n, (const char *)obj + field->n_offset, sizeof(n));
	nrd_jw_arr_open(w);
	for (size_t i = 0; i < n; i++) {
		const char *item = items + i * field->schema->size;

		write_object(field->schema, item, find_old(field->schema, item, olds), w);
	}
	nrd_jw_arr_close(w);
}

static void
write_object(const struct nrd_schema *schema, const void *obj, const struct nrd_val *old,
	     struct nrd_jw *w)
{
	struct nrd_iter it = nrd_iter(old);

	nrd_jw_obj_open(w);
	for (size_t i = 0; i < schema->n_fields; i++) {
		const struct nrd_field *field = &schema->fields[i];

		if (!nrd_field_present(schema, field, obj))
			continue;
		nrd_jw_key(w, nrd_field_key(field));
		if (field->type == NRD_TYPE_ARR)
			write_array(field, obj, nrd_val_get(old, nrd_field_key(field)), w);
		else
			nrd_encode_field(schema, field, obj, w);
	}
	while (nrd_val_type(old) == NRD_VAL_OBJ && nrd_iter_next(&it)) {
		if (nrd_schema_find(schema, it.key) == NULL)
			nrd_jw_kval(w, it.key, it.val);
	}
	nrd_jw_obj_close(w);
}

/*
 * The next zonedid, a number no other zone ever had on this node: DIR/.zonedid holds the last one
 * given out; without it the zones' own files say.
 */
static int
last_of_zones(const char *dir, uint64_t *ret_last, struct nrd_err *err)
{
	NRD_STRV char **names = NULL;
	int r = zone_config_list(dir, &names, err);

	*ret_last = 0;
	for (size_t i = 0; r >= 0 && names != NULL && names[i] != NULL; i++) {
		NRD_AUTO(zone_config) config = { 0 };

		/* A file nobody can read has no number to clash with that anybody can see. */
		if (zone_config_read(dir, names[i], &config, NULL) >= 0 &&
		    config.zonedid > *ret_last)
			*ret_last = config.zonedid;
	}
	return r;
}

static int
take_zonedid(const char *dir, uint64_t *ret_id, struct nrd_err *err)
{
	NRD_FREE char *path = nrd_path_join(dir_of(dir), ".zonedid");
	NRD_FREE char *lock = path != NULL ? nrd_format("%s.lock", path) : NULL;
	char text[32];
	uint64_t last;

	if (lock == NULL)
		return nrd_nomem(err);
	NRD_CLOSE int fd = open(lock, O_RDWR | O_CREAT | O_CLOEXEC, 0600);

	if (fd < 0 || flock(fd, LOCK_EX) < 0)
		return nrd_fail(err, errno, "FileWrite", "lock %s: %m", lock);
	int r = nrd_attr_read_u64(AT_FDCWD, path, &last, NULL);

	if (r < 0)
		r = last_of_zones(dir, &last, err);
	if (r < 0)
		return r;
	(void)snprintf(text, sizeof(text), "%llu\n", (unsigned long long)last + 1);
	r = nrd_file_write(path, text, strlen(text), 0600, err);
	if (r >= 0)
		*ret_id = last + 1;
	return r;
}

/* old_name: whose file holds what is carried over. */
static int
write_file(const char *dir, const char *old_name, const struct zone_config *config,
	   struct nrd_err *err)
{
	NRD_AUTO(nrd_json) *old = NULL;
	NRD_AUTO(nrd_buf) out = { 0 };
	NRD_FREE char *path = NULL;
	NRD_FREE char *old_path = NULL;
	struct nrd_jw w;
	int r = file_of(dir, config->zonename, &path, err);

	if (r >= 0)
		r = file_of(dir, old_name, &old_path, err);
	if (r >= 0)
		r = open_doc(old_path, old_name, &old, err);
	if (r < 0 && r != -ENOENT)
		return r;
	nrd_jw_init(&w, &out, NRD_JW_PRETTY);
	write_object(&zone_config_schema, config, nrd_json_root(old), &w);
	r = nrd_jw_finish(&w, err);
	/* Metadata holds passwords. */
	if (r >= 0)
		r = nrd_file_write(path, nrd_buf_str(&out), out.len, 0600, err);
	return nrd_wrap(err, r, "zone '%s'", config->zonename);
}

int
zone_config_number(const char *dir, struct zone_config *config, struct nrd_err *err)
{
	struct nrd_err why = { 0 };
	int r = config->zonedid != 0 ? 0 : take_zonedid(dir, &config->zonedid, &why);

	if (r < 0)
		return nrd_fail(err, -r, why.code, "zone '%s': %s", config->zonename, why.msg);
	NRD_SET(&zone_config_schema, config, zonedid);
	return 0;
}

int
zone_config_write(const char *dir, const struct zone_config *config, struct nrd_err *err)
{
	NRD_AUTO(zone_config) numbered = { 0 };
	int r;

	if (config->zonename == NULL)
		return nrd_fail(err, EINVAL, "MissingProperty", "\"zonename\" is missing");
	r = nrd_mkdir_p(dir_of(dir), 0755, err);
	if (r < 0 || config->zonedid != 0)
		return r < 0 ? r : write_file(dir, config->zonename, config, err);
	r = nrd_object_copy(&zone_config_schema, config, &numbered);
	if (r < 0)
		return nrd_nomem(err);
	r = zone_config_number(dir, &numbered, err);
	return r < 0 ? r : write_file(dir, config->zonename, &numbered, err);
}

int
zone_config_rename(const char *dir, const char *old_name, const struct zone_config *config,
		   struct nrd_err *err)
{
	NRD_FREE char *path = NULL;
	int r = file_of(dir, config->zonename, &path, err);

	if (r < 0)
		return r;
	if (nrd_path_exists(path))
		return nrd_fail(err, EEXIST, "ZoneExists", "zone '%s': is configured already",
				config->zonename);
	/* Cut off between these two, there are both, and neither is installed. */
	r = write_file(dir, old_name, config, err);
	return r < 0 ? r : zone_config_delete(dir, old_name, err);
}

int
zone_config_delete(const char *dir, const char *name, struct nrd_err *err)
{
	NRD_FREE char *path = NULL;
	int r = file_of(dir, name, &path, err);

	if (r < 0)
		return r;
	NRD_CLOSE int fd = open(dir_of(dir), O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (fd < 0 && errno == ENOENT)
		return not_found(name, err);
	if (fd < 0)
		return nrd_fail(err, errno, "FileWrite", "zone '%s': open %s: %m", name,
				dir_of(dir));
	if (unlink(path) < 0)
		return errno == ENOENT ? not_found(name, err)
				       : nrd_fail(err, errno, "FileWrite",
						  "zone '%s': remove %s: %m", name, path);
	if (fsync(fd) < 0)
		return nrd_fail(err, errno, "FileWrite", "zone '%s': sync %s: %m", name,
				dir_of(dir));
	return 0;
}

static int
by_name(const void *a, const void *b)
{
	const char *const *x = a, *const *y = b;

	return strcmp(*x, *y);
}

static int
add_name(const char *file, const char *suffix, char ***names)
{
	NRD_FREE char *name = NULL;

	if (file[0] == '.' || !nrd_ends(file, suffix))
		return 0;
	name = nrd_format("%.*s", (int)(strlen(file) - strlen(suffix)), file);
	if (name == NULL)
		return -ENOMEM;
	return zone_name_check(name, NULL) < 0 ? 0 : nrd_strv_take(names, NRD_TAKE(name));
}

int
zone_names_in(const char *dir, const char *suffix, char ***ret_names, struct nrd_err *err)
{
	NRD_CLOSEDIR DIR *d = opendir(dir);
	NRD_STRV char **names = NULL;
	const struct dirent *e;
	int r = 0;

	if (d == NULL && errno != ENOENT)
		return nrd_fail(err, errno, "FileRead", "read %s: %m", dir);
	while (r == 0 && d != NULL) {
		errno = 0;
		e = readdir(d);
		if (e == NULL && errno != 0)
			return nrd_fail(err, errno, "FileRead", "read %s: %m", dir);
		if (e == NULL)
			break;
		r = add_name(e->d_name, suffix, &names);
	}
	if (r < 0)
		return nrd_nomem(err);
	if (names != NULL)
		qsort(names, nrd_strv_len(NRD_CSTRV(names)), sizeof(*names), by_name);
	*ret_names = NRD_TAKE(names);
	return 0;
}

int
zone_config_list(const char *dir, char ***ret_names, struct nrd_err *err)
{
	return zone_names_in(dir_of(dir), SUFFIX, ret_names, err);
}

int
zone_config_by_uuid(const char *dir, const char *uuid, char **ret_name, struct nrd_err *err)
{
	NRD_STRV char **names = NULL;
	struct nrd_uuid wanted;
	int r = nrd_uuid_parse(uuid, &wanted, err);

	if (r >= 0)
		r = zone_config_list(dir, &names, err);
	if (r < 0)
		return r;
	for (size_t i = 0; names != NULL && names[i] != NULL; i++) {
		NRD_AUTO(zone_config) config = { 0 };

		/* A file that cannot be read is in nobody's way but its own zone's. */
		if (zone_config_read(dir, names[i], &config, NULL) < 0 ||
		    !nrd_uuid_equal(&config.uuid, &wanted))
			continue;
		*ret_name = NRD_TAKE(names[i]);
		for (size_t j = i; (names[j] = names[j + 1]) != NULL; j++)
			;
		return *ret_name != NULL ? 0 : nrd_nomem(err);
	}
	return not_found(uuid, err);
}
