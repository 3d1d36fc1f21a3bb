/* SPDX-License-Identifier: MPL-2.0 */
/* Copyright 2026 The Nereid authors */
#include "vm/payload.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "nrd/cli.h"
#include "nrd/mem.h"
#include "nrd/schema.h"
#include "nrd/str.h"
#include "vm/legacy.h"
#include "vm/props.h"
#include "zone/config-guest.h"

#define SCHEMA (&zone_config_schema)

/* ---- what is wrong ---- */

void
vm_bad_fini(struct vm_bad *bad)
{
	free(bad->bad_brand);
	nrd_strv_free(bad->bad_properties);
	nrd_strv_free(bad->bad_values);
	nrd_strv_free(bad->missing_properties);
	nrd_strv_free(bad->lines);
	*bad = (struct vm_bad){ 0 };
}

void
vm_bad_cleanup(struct vm_bad *bad)
{
	vm_bad_fini(bad);
}

bool
vm_bad_any(const struct vm_bad *bad)
{
	return bad->lines != NULL;
}

void
vm_bad_write(const struct vm_bad *bad, struct nrd_jw *w)
{
	const struct {
		const char *key;
		char **names;
	} lists[] = {
		{ "bad_values", bad->bad_values },
		{ "bad_properties", bad->bad_properties },
		{ "missing_properties", bad->missing_properties },
	};

	nrd_jw_obj_open(w);
	if (bad->bad_brand != NULL)
		nrd_jw_kstr(w, "bad_brand", bad->bad_brand);
	for (size_t i = 0; i < nrd_count(lists); i++) {
		nrd_jw_key(w, lists[i].key);
		nrd_jw_strv(w, NRD_CSTRV(lists[i].names));
	}
	nrd_jw_obj_close(w);
}

int
vm_bad_fail(const struct vm_bad *bad, struct nrd_err *err)
{
	NRD_FREE char *text = NULL;

	if (!vm_bad_any(bad))
		return 0;
	text = nrd_strv_join(NRD_CSTRV(bad->lines), "; ");
	return text == NULL ? nrd_nomem(err) : nrd_fail(err, EINVAL, "BadPayload", "%s", text);
}

__attribute__((format(printf, 2, 3))) static int
note(struct vm_bad *bad, const char *line, ...)
{
	NRD_FREE char *text = NULL;
	va_list ap;

	va_start(ap, line);
	if (vasprintf(&text, line, ap) < 0)
		text = NULL;
	va_end(ap);
	return text == NULL || nrd_strv_add(&bad->lines, text) < 0 ? -ENOMEM : 0;
}

static int
bad_value(struct vm_bad *bad, const char *name, const struct nrd_err *why)
{
	if (nrd_strv_add(&bad->bad_values, name) < 0)
		return -ENOMEM;
	/* The schema's own messages begin with the property's path. */
	if (nrd_starts(why->msg, name) != NULL)
		return note(bad, "%s", why->msg);
	return note(bad, "%s: %s", name, why->msg);
}

static int
bad_property(struct vm_bad *bad, const char *name, const struct vm_prop *prop, int brand, unsigned when)
{
	const char *near = vm_prop_suggest(name, 1u << brand, when);

	if (nrd_strv_add(&bad->bad_properties, name) < 0)
		return -ENOMEM;
	if (prop == NULL && near != NULL)
		return note(bad, "%s: there is no such property; did you mean %s?", name, near);
	if (prop == NULL)
		return note(bad, "%s: there is no such property", name);
	if ((prop->brands & (1u << brand)) == 0)
		return note(bad, "%s: a machine of brand %s has none", name, zone_brand_names[brand]);
	if (prop->when == VM_READ)
		return note(bad, "%s: it is only shown", name);
	if (prop->when == VM_UPDATE)
		return note(bad, "%s: only for update", name);
	if (prop->of != NULL || prop->kind == VM_FIELD) {
		const struct nrd_field *f = nrd_schema_find(SCHEMA, name);

		if (f != NULL && f->type == NRD_TYPE_MAP)
			return note(bad, "%s: it is changed by set_%s and remove_%s", name, name, name);
		if (f != NULL && f->type == NRD_TYPE_ARR)
			return note(bad, "%s: it is changed by add_%s, update_%s and remove_%s", name, name,
				    name, name);
	}
	return note(bad, "%s: it is said when a machine is made, and stays", name);
}

static int
missing(struct vm_bad *bad, const char *name, const char *why)
{
	if (nrd_strv_add(&bad->missing_properties, name) < 0)
		return -ENOMEM;
	return note(bad, "%s: missing; %s", name, why);
}

/* ---- values ---- */

int
vm_brand_parse(const char *name)
{
	static const char *const native[] = { "native", "joyent", "joyent-minimal", "builder", NULL };

	if (name == NULL)
		return -1;
	if (nrd_strv_has(native, name))
		return ZONE_NATIVE;
	for (int i = 0; zone_brand_names[i] != NULL; i++)
		if (nrd_streq(zone_brand_names[i], name))
			return i;
	return -1;
}

static bool
is_unset(const struct nrd_val *v)
{
	const char *s = nrd_val_str(v);

	return nrd_val_type(v) == NRD_VAL_NULL || (s != NULL && s[0] == '\0');
}

/* Numbers and truth values as text, where text is what is kept. */
static void
write_text(struct nrd_jw *w, const struct nrd_val *v)
{
	NRD_AUTO(nrd_buf) text = { 0 };
	struct nrd_jw inner;

	if (nrd_val_type(v) != NRD_VAL_NUM && nrd_val_type(v) != NRD_VAL_BOOL) {
		nrd_jw_val(w, v);
		return;
	}
	nrd_jw_init(&inner, &text, NRD_JW_COMPACT);
	nrd_jw_val(&inner, v);
	nrd_jw_strn(w, nrd_buf_str(&text), text.len);
}

static void
write_list(struct nrd_jw *w, const struct nrd_val *v)
{
	NRD_STRV char **parts = NULL;
	struct nrd_iter it = nrd_iter(v);

	if (nrd_val_str(v) != NULL && nrd_strv_split(nrd_val_str(v), ',', &parts) == 0) {
		nrd_jw_strv(w, NRD_CSTRV(parts));
		return;
	}
	if (nrd_val_type(v) != NRD_VAL_ARR) {
		nrd_jw_val(w, v);
		return;
	}
	nrd_jw_arr_open(w);
	while (nrd_iter_next(&it))
		write_text(w, it.val);
	nrd_jw_arr_close(w);
}

static void
write_map(struct nrd_jw *w, const struct nrd_val *v)
{
	struct nrd_iter it = nrd_iter(v);

	if (nrd_val_type(v) != NRD_VAL_OBJ) {
		nrd_jw_val(w, v);
		return;
	}
	nrd_jw_obj_open(w);
	while (nrd_iter_next(&it)) {
		nrd_jw_key(w, it.key);
		write_text(w, it.val);
	}
	nrd_jw_obj_close(w);
}

static void
write_value(struct nrd_jw *w, const struct nrd_field *f, const struct nrd_val *v)
{
	int brand = f->type == NRD_TYPE_ENUM ? vm_brand_parse(nrd_val_str(v)) : -1;

	if (brand >= 0)
		nrd_jw_str(w, zone_brand_names[brand]);
	else if (f->type == NRD_TYPE_STRV)
		write_list(w, v);
	else if (f->type == NRD_TYPE_MAP && !f->scalars)
		write_map(w, v);
	else
		nrd_jw_val(w, v);
}

/* The machine may be partly said, but not what is in its lists. */
static int
check_whole(const struct nrd_field *f, const struct nrd_val *array, struct nrd_err *err)
{
	struct nrd_iter it = nrd_iter(array);
	int r = 0;

	while (r == 0 && nrd_iter_next(&it)) {
		NRD_FREE void *scratch = calloc(1, f->schema->size);

		if (scratch == NULL)
			return nrd_nomem(err);
		r = nrd_decode(f->schema, it.val, 0, scratch, err);
		nrd_object_fini(f->schema, scratch);
		if (r < 0)
			return nrd_wrap(err, r, "%s[%zu]", nrd_field_key(f), it.index);
	}
	return r;
}

static int
decode(struct zone_config *c, const struct nrd_field *f, struct nrd_jw *w, struct nrd_buf *text, struct nrd_err *err)
{
	NRD_AUTO(nrd_json) *doc = NULL;
	const struct nrd_val *root;
	int r;

	nrd_jw_obj_close(w);
	r = nrd_jw_finish(w, err);
	if (r >= 0)
		r = nrd_json_parse(nrd_buf_str(text), text->len, NULL, &doc, err);
	if (r < 0)
		return r;
	root = nrd_json_root(doc);
	r = nrd_decode(SCHEMA, root, NRD_DECODE_PARTIAL, c, err);
	return r < 0 || f->type != NRD_TYPE_ARR ? r : check_whole(f, nrd_val_get(root, nrd_field_key(f)), err);
}

static int
set_field(struct zone_config *c, const char *name, const struct nrd_val *v, struct nrd_err *err)
{
	const struct nrd_field *f = nrd_schema_find(SCHEMA, name);
	NRD_AUTO(nrd_buf) text = { 0 };
	struct nrd_jw w;

	if (is_unset(v)) {
		nrd_field_clear(SCHEMA, f, c);
		return 0;
	}
	nrd_jw_init(&w, &text, NRD_JW_COMPACT);
	nrd_jw_obj_open(&w);
	nrd_jw_key(&w, name);
	write_value(&w, f, v);
	return decode(c, f, &w, &text, err);
}

/* ---- changes of maps and arrays ---- */

static int
current(const struct zone_config *c, const struct nrd_field *f, struct nrd_json **ret_doc, struct nrd_err *err)
{
	NRD_AUTO(nrd_buf) text = { 0 };
	struct nrd_jw w;
	int r;

	nrd_jw_init(&w, &text, NRD_JW_COMPACT);
	nrd_encode_field(SCHEMA, f, c, &w);
	r = nrd_jw_finish(&w, err);
	return r < 0 ? r : nrd_json_parse(nrd_buf_str(&text), text.len, NULL, ret_doc, err);
}

static bool
list_has(const struct nrd_val *list, const char *name)
{
	struct nrd_iter it = nrd_iter(list);

	while (nrd_iter_next(&it))
		if (nrd_val_str(it.val) != NULL && strcasecmp(nrd_val_str(it.val), name) == 0)
			return true;
	return false;
}

static const struct nrd_val *
object_of(const struct nrd_val *array, const char *key, const char *name)
{
	struct nrd_iter it = nrd_iter(array);

	while (name != NULL && nrd_iter_next(&it)) {
		const char *have = nrd_get_str(it.val, key);

		if (have != NULL && strcasecmp(have, name) == 0)
			return it.val;
	}
	return NULL;
}

static int
change_map(struct zone_config *c, const struct vm_prop *p, const struct nrd_val *v, struct nrd_err *err)
{
	const struct nrd_field *f = nrd_schema_find(SCHEMA, p->of);
	NRD_AUTO(nrd_json) *doc = NULL;
	NRD_AUTO(nrd_buf) text = { 0 };
	enum nrd_val_type want = p->kind == VM_SET ? NRD_VAL_OBJ : NRD_VAL_ARR;
	struct nrd_iter it;
	struct nrd_jw w;
	int r;

	if (nrd_val_type(v) != want)
		return nrd_fail(err, EINVAL, "BadProperty", "must be an %s, not %s",
				want == NRD_VAL_OBJ ? "object" : "array of names", nrd_val_type_name(v));
	r = current(c, f, &doc, err);
	if (r < 0)
		return r;
	nrd_jw_init(&w, &text, NRD_JW_COMPACT);
	nrd_jw_obj_open(&w);
	nrd_jw_key(&w, p->of);
	nrd_jw_obj_open(&w);
	it = nrd_iter(nrd_json_root(doc));
	while (nrd_iter_next(&it))
		if (p->kind == VM_SET ? nrd_val_get(v, it.key) == NULL : !list_has(v, it.key))
			nrd_jw_kval(&w, it.key, it.val);
	it = nrd_iter(p->kind == VM_SET ? v : NULL);
	while (nrd_iter_next(&it)) {
		nrd_jw_key(&w, it.key);
		if (f->scalars)
			nrd_jw_val(&w, it.val);
		else
			write_text(&w, it.val);
	}
	nrd_jw_obj_close(&w);
	return decode(c, f, &w, &text, err);
}

/* One object with what is new of it; a null takes a member away. */
static void
write_merged(struct nrd_jw *w, const struct nrd_val *old, const struct nrd_val *new)
{
	struct nrd_iter it = nrd_iter(old);

	nrd_jw_obj_open(w);
	while (nrd_iter_next(&it))
		if (nrd_val_get(new, it.key) == NULL)
			nrd_jw_kval(w, it.key, it.val);
	it = nrd_iter(new);
	while (nrd_iter_next(&it))
		if (!is_unset(it.val))
			nrd_jw_kval(w, it.key, it.val);
	nrd_jw_obj_close(w);
}

/* Each of the objects or names that are said is of one that is there. */
static int
all_there(const struct vm_prop *p, const struct nrd_val *have, const struct nrd_val *v, struct nrd_err *err)
{
	struct nrd_iter it = nrd_iter(v);

	while (nrd_iter_next(&it)) {
		const char *name = p->kind == VM_CHANGE ? nrd_get_str(it.val, p->key) : nrd_val_str(it.val);

		if (name == NULL)
			return nrd_fail(err, EINVAL, "BadProperty", "element %zu says no %s", it.index, p->key);
		if (object_of(have, p->key, name) == NULL)
			return nrd_fail(err, EINVAL, "BadProperty", "there is none with %s %s", p->key, name);
	}
	return 0;
}

static int
change_array(struct zone_config *c, const struct vm_prop *p, const struct nrd_val *v, struct nrd_err *err)
{
	const struct nrd_field *f = nrd_schema_find(SCHEMA, p->of);
	NRD_AUTO(nrd_json) *doc = NULL;
	NRD_AUTO(nrd_buf) text = { 0 };
	const struct nrd_val *have;
	struct nrd_iter it;
	struct nrd_jw w;
	int r;

	if (nrd_val_type(v) != NRD_VAL_ARR)
		return nrd_fail(err, EINVAL, "BadProperty", "must be an array, not %s", nrd_val_type_name(v));
	r = current(c, f, &doc, err);
	have = r < 0 ? NULL : nrd_json_root(doc);
	if (r >= 0 && p->kind != VM_ADD)
		r = all_there(p, have, v, err);
	if (r < 0)
		return r;
	nrd_jw_init(&w, &text, NRD_JW_COMPACT);
	nrd_jw_obj_open(&w);
	nrd_jw_key(&w, p->of);
	nrd_jw_arr_open(&w);
	it = nrd_iter(have);
	while (nrd_iter_next(&it)) {
		const char *name = nrd_get_str(it.val, p->key);

		if (p->kind == VM_TAKE && list_has(v, name))
			continue;
		write_merged(&w, it.val, p->kind == VM_CHANGE ? object_of(v, p->key, name) : NULL);
	}
	it = nrd_iter(p->kind == VM_ADD ? v : NULL);
	while (nrd_iter_next(&it))
		nrd_jw_val(&w, it.val);
	nrd_jw_arr_close(&w);
	return decode(c, f, &w, &text, err);
}

/* ---- one property ---- */

static int
set_flag(struct vm_wish *wish, const char *name, const struct nrd_val *v, struct nrd_err *err)
{
	bool value = false;

	if (!is_unset(v) && !nrd_val_bool(v, &value) &&
	    (nrd_val_str(v) == NULL || nrd_parse_bool(nrd_val_str(v), &value, NULL) < 0))
		return nrd_fail(err, EINVAL, "BadProperty", "must be true or false, not %s", nrd_val_type_name(v));
	if (nrd_streq(name, "delegate_dataset"))
		wish->delegate_dataset = value;
	else
		wish->nowait = value;
	return 0;
}

static int
set_prop(struct zone_config *c, struct vm_wish *wish, const struct vm_prop *p, const struct nrd_val *said,
	 struct nrd_err *err)
{
	NRD_AUTO(nrd_json) *modern = NULL;
	const struct nrd_val *v = said;

	if (nrd_streq(p->name, "nics") || p->kind == VM_ADD || p->kind == VM_CHANGE) {
		int r = nrd_streq(p->name, "nics") || nrd_streq(p->of, "nics") ? vm_nics_modern(v, &modern, err) : 0;

		if (r < 0)
			return r;
		v = modern != NULL ? nrd_json_root(modern) : v;
	}
	switch (p->kind) {
	case VM_FLAG:
		return set_flag(wish, p->name, v, err);
	case VM_RAM:
		return set_field(c, "max_physical_memory", v, err);
	case VM_IMAGE:
		return set_field(c, "image_uuid", v, err);
	case VM_SET:
	case VM_REMOVE:
		return change_map(c, p, v, err);
	case VM_ADD:
	case VM_CHANGE:
	case VM_TAKE:
		return change_array(c, p, v, err);
	case VM_FIELD:
	case VM_SHOWN:
		break;
	}
	return set_field(c, p->name, v, err);
}

/* Objects that are added to an array are said by another name than the array itself, or the same. */
static int
check_pairs(const struct nrd_val *payload, int brand, struct vm_bad *bad)
{
	static const char *const pairs[][2] = {
		{ "nics", "add_nics" }, { "filesystems", "add_filesystems" }, { "disks", "add_disks" },
		{ "ram", "max_physical_memory" }, { "image_uuid", "dataset_uuid" },
	};
	int r = 0;

	for (size_t i = 0; r == 0 && i < nrd_count(pairs); i++)
		/* A guest's memory is one thing, and what its zone may use another. */
		if (!(brand == ZONE_KVM && nrd_streq(pairs[i][0], "ram")) && nrd_val_get(payload, pairs[i][0]) != NULL &&
		    nrd_val_get(payload, pairs[i][1]) != NULL) {
			r = nrd_strv_add(&bad->bad_values, pairs[i][1]);
			if (r == 0)
				r = note(bad, "%s and %s: say one of them", pairs[i][0], pairs[i][1]);
		}
	return r;
}

#define CLONE (1u << 7) /* beside enum vm_when */

static bool
may_be_said(const struct vm_prop *p, unsigned when)
{
	if (when != CLONE)
		return (p->when & when) != 0;
	if (nrd_streq(p->name, "uuid") || nrd_streq(p->name, "nics"))
		return true;
	return (p->when & VM_UPDATE) != 0 && !nrd_streq(p->of, "disks");
}

static int
set_all(const struct nrd_val *payload, struct zone_config *c, struct vm_wish *wish, int brand, unsigned when,
	struct vm_bad *bad)
{
	struct nrd_iter it = nrd_iter(payload);
	int r = check_pairs(payload, brand, bad);

	while (r == 0 && nrd_iter_next(&it)) {
		const struct vm_prop *p = vm_prop_find(it.key, 1u << brand);
		struct nrd_err why = { 0 };

		if (p == NULL || (p->brands & (1u << brand)) == 0 || !may_be_said(p, when)) {
			r = bad_property(bad, it.key, p, brand, when);
			continue;
		}
		r = set_prop(c, wish, p, it.val, &why);
		if (r == -ENOMEM)
			break;
		r = r < 0 ? bad_value(bad, it.key, &why) : 0;
	}
	return r;
}

static int
check_object(const struct nrd_val *payload, struct vm_bad *bad)
{
	if (nrd_val_type(payload) == NRD_VAL_OBJ)
		return 0;
	return note(bad, "the payload must be an object, not %s", nrd_val_type_name(payload));
}

/* ---- payloads ---- */

int
vm_payload_read(const char *path, struct nrd_json **ret_doc, struct nrd_err *err)
{
	const struct nrd_json_limits limits = { .max = VM_PAYLOAD_MAX };

	if (nrd_streq(path, "-"))
		return nrd_wrap(err, nrd_json_read_fd(0, &limits, ret_doc, err), "payload");
	return nrd_json_read_file(path, &limits, ret_doc, err);
}

int
vm_payload_create(const struct nrd_val *payload, struct zone_config *ret_config, struct vm_wish *ret_wish,
		  struct vm_bad *bad, struct nrd_err *err)
{
	const struct nrd_val *said = nrd_val_get(payload, "brand");
	int brand = vm_brand_parse(nrd_val_str(said));
	int r = check_object(payload, bad);

	*ret_wish = (struct vm_wish){ 0 };
	if (r == 0 && !vm_bad_any(bad) && said == NULL)
		r = missing(bad, "brand", "native, lx or kvm");
	else if (r == 0 && !vm_bad_any(bad) && brand < 0) {
		bad->bad_brand = nrd_format("%s", nrd_val_str(said) != NULL ? nrd_val_str(said) : "");
		r = bad->bad_brand == NULL ? -ENOMEM :
					     note(bad, "brand: \"%s\" is none of native, lx, kvm", bad->bad_brand);
	}
	if (r == 0 && !vm_bad_any(bad))
		r = set_all(payload, ret_config, ret_wish, brand, VM_CREATE, bad);
	if (r == 0 && brand == ZONE_LX && nrd_val_get(payload, "image_uuid") == NULL &&
	    nrd_val_get(payload, "dataset_uuid") == NULL)
		r = missing(bad, "image_uuid", "an lx machine is made of an image: see imgadm list");
	return r < 0 ? nrd_nomem(err) : 0;
}

/*
 * What was not said of memory follows what was: locked memory and swap keep their distance from
 * physical memory, /tmp its part of it.
 */
static void
follow_memory(const struct zone_config *old, struct zone_config *c, const struct nrd_val *payload)
{
	uint64_t was = old->max_physical_memory, is;

	if (zone_is_guest(c) && c->ram != old->ram && c->ram != 0 && nrd_val_get(payload, "max_physical_memory") == NULL &&
	    was > old->ram)
		c->max_physical_memory = c->ram + (was - old->ram);
	is = c->max_physical_memory;
	if (was == is || is == 0)
		return;
	if (nrd_val_get(payload, "max_locked_memory") == NULL && c->max_locked_memory != 0)
		c->max_locked_memory = was > c->max_locked_memory && is > was - c->max_locked_memory ?
					       is - (was - c->max_locked_memory) : is;
	if (nrd_val_get(payload, "max_shm_memory") == NULL && c->max_shm_memory == was)
		c->max_shm_memory = is;
	if (nrd_val_get(payload, "max_swap") == NULL && c->max_swap != 0) {
		uint64_t more = c->max_swap > was && !(c->max_swap == 256 && was < 256) ? c->max_swap - was : 0;

		c->max_swap = is + more < 256 ? 256 : is + more;
	}
	if (nrd_val_get(payload, "tmpfs") == NULL && c->tmpfs != 0 && was != 0) {
		c->tmpfs = (uint64_t)((double)c->tmpfs * (double)is / (double)was);
		if (c->tmpfs == 0)
			c->tmpfs = 1;
	}
	if (c->max_locked_memory > is)
		c->max_locked_memory = is;
	if (c->tmpfs > is)
		c->tmpfs = is;
	if (c->max_swap != 0 && c->max_swap < is)
		c->max_swap = is;
}

static int
change(const struct nrd_val *payload, unsigned when, struct zone_config *config, struct vm_bad *bad, struct nrd_err *err)
{
	NRD_AUTO(zone_config) old = { 0 };
	struct vm_wish none = { 0 };
	int r = nrd_object_copy(SCHEMA, config, &old);

	if (r == 0)
		r = check_object(payload, bad);
	if (r == 0 && !vm_bad_any(bad))
		r = set_all(payload, config, &none, config->brand, when, bad);
	if (r < 0)
		return nrd_nomem(err);
	if (!vm_bad_any(bad))
		follow_memory(&old, config, payload);
	return 0;
}

int
vm_payload_update(const struct nrd_val *payload, struct zone_config *config, struct vm_bad *bad,
		  struct nrd_err *err)
{
	return change(payload, VM_UPDATE, config, bad, err);
}

int
vm_payload_clone(const struct nrd_val *payload, struct zone_config *config, struct vm_bad *bad, struct nrd_err *err)
{
	return change(payload, CLONE, config, bad, err);
}

int
vm_payload_check(const struct nrd_val *payload, int brand, struct vm_bad *bad, struct nrd_err *err)
{
	NRD_AUTO(zone_config) scratch = { .brand = brand };

	NRD_SET(SCHEMA, &scratch, brand);
	return vm_payload_update(payload, &scratch, bad, err);
}
