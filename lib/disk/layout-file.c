/* SPDX-License-Identifier: MPL-2.0 */
/* Copyright 2026 The Nereid authors */

/* Layouts and inventories as text: what disklayout, mkzpool and diskinfo hand to each other. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "layout-priv.h"
#include "layout.h"
#include "nrd/json.h"
#include "nrd/mem.h"
#include "nrd/schema.h"
#include "nrd/str.h"
#include "nrd/vec.h"

#define DISKS_MAX 4096 /* in one file */
#define NAME_LEN_MAX 255

static int
check_name(const char *s, struct nrd_err *err)
{
	size_t len = strlen(s);

	if (len == 0 || len > NAME_LEN_MAX)
		return nrd_fail(err, EINVAL, "BadProperty", "must have 1 to %d characters",
				NAME_LEN_MAX);
	for (const char *c = s; *c != '\0'; c++) {
		if (*c <= ' ' || *c >= 0x7f)
			return nrd_fail(err, EINVAL, "BadProperty",
					"may not have blanks or other than ASCII characters");
	}
	if (*s == '-')
		return nrd_fail(err, EINVAL, "BadProperty", "begins with '-'");
	return 0;
}

static const struct nrd_field member_fields[] = {
	NRD_FIELD_STR(struct disk_member, name, NRD_REQUIRED, check_name),
	NRD_FIELD_STR(struct disk_member, vid, NRD_NULLABLE, NULL),
	NRD_FIELD_STR(struct disk_member, pid, NRD_NULLABLE, NULL),
	NRD_FIELD_U64(struct disk_member, size, NRD_LOOSE, 0, INT64_MAX),
	NRD_FIELD_BOOL(struct disk_member, solid_state, NRD_OPTIONAL),
};
static const struct nrd_schema member_schema =
	NRD_SCHEMA(struct disk_member, present, member_fields, NULL);

void
disk_members_free(struct disk_member *members, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		free(members[i].name);
		free(members[i].vid);
		free(members[i].pid);
	}
	free(members);
}

static void
member_fields_write(const struct disk_member *member, struct nrd_jw *w)
{
	nrd_jw_kstr(w, "name", member->name);
	nrd_jw_kstr(w, "vid", member->vid != NULL ? member->vid : "-");
	nrd_jw_kstr(w, "pid", member->pid != NULL ? member->pid : "-");
	nrd_jw_ku64(w, "size", member->size);
	nrd_jw_kbool(w, "solid_state", member->solid_state);
}

static void
members_write(const char *key, const struct disk_member *members, size_t n, struct nrd_jw *w)
{
	nrd_jw_key(w, key);
	nrd_jw_arr_open(w);
	for (size_t i = 0; i < n; i++) {
		nrd_jw_obj_open(w);
		member_fields_write(&members[i], w);
		nrd_jw_obj_close(w);
	}
	nrd_jw_arr_close(w);
}

void
disk_layout_write(const struct disk_layout *layout, struct nrd_jw *w)
{
	nrd_jw_obj_open(w);
	nrd_jw_key(w, "vdevs");
	nrd_jw_arr_open(w);
	for (size_t i = 0; i < layout->n_vdevs; i++) {
		const struct disk_vdev *vdev = &layout->vdevs[i];

		nrd_jw_obj_open(w);
		if (vdev->type == NULL && vdev->n_devices == 1) {
			member_fields_write(&vdev->devices[0], w);
		} else {
			nrd_jw_kstr(w, "type", vdev->type);
			members_write("devices", vdev->devices, vdev->n_devices, w);
		}
		nrd_jw_obj_close(w);
	}
	nrd_jw_arr_close(w);
	if (layout->n_spares > 0)
		members_write("spares", layout->spares, layout->n_spares, w);
	if (layout->n_logs > 0)
		members_write("logs", layout->logs, layout->n_logs, w);
	if (layout->n_cache > 0)
		members_write("cache", layout->cache, layout->n_cache, w);
	nrd_jw_ku64(w, "capacity", layout->capacity);
	nrd_jw_obj_close(w);
}

/* The array behind key, NULL when there is none or it is null. */
static int
get_array(const struct nrd_val *obj, const char *key, const struct nrd_val **ret,
	  struct nrd_err *err)
{
	const struct nrd_val *val = nrd_val_get(obj, key);
	enum nrd_val_type type = nrd_val_type(val);

	*ret = type == NRD_VAL_ARR ? val : NULL;
	if (type != NRD_VAL_ARR && type != NRD_VAL_NONE && type != NRD_VAL_NULL)
		return nrd_fail(err, EINVAL, "BadLayout", "%s: must be an array, is %s", key,
				nrd_val_type_name(val));
	if (nrd_val_len(*ret) > DISKS_MAX)
		return nrd_fail(err, EINVAL, "BadLayout", "%s: more than %d", key, DISKS_MAX);
	return 0;
}

static int
member_parse(const struct nrd_val *val, struct disk_member *member, struct nrd_err *err)
{
	return nrd_decode(&member_schema, val, NRD_DECODE_UNKNOWN, member, err);
}

static int
members_parse(const struct nrd_val *obj, const char *key, struct disk_member **ret, size_t *ret_n,
	      struct nrd_err *err)
{
	const struct nrd_val *array;
	int r = get_array(obj, key, &array, err);
	struct nrd_iter it = nrd_iter(array);
	size_t n = nrd_val_len(array);

	if (r < 0 || n == 0)
		return r;
	*ret = calloc(n, sizeof(**ret));
	if (*ret == NULL)
		return nrd_nomem(err);
	*ret_n = n;
	while (nrd_iter_next(&it)) {
		r = member_parse(it.val, &(*ret)[it.index], err);
		if (r < 0)
			return nrd_wrap(err, r, "%s[%zu]", key, it.index);
	}
	return 0;
}

/* Either {type, devices} or one disk by itself. */
static int
vdev_parse(const struct nrd_val *val, struct disk_vdev *vdev, struct nrd_err *err)
{
	const char *type = nrd_get_str(val, "type");
	bool has_devices = nrd_val_get(val, "devices") != NULL;

	if (!has_devices) {
		vdev->devices = calloc(1, sizeof(*vdev->devices));
		if (vdev->devices == NULL)
			return nrd_nomem(err);
		vdev->n_devices = 1;
		return member_parse(val, vdev->devices, err);
	}
	if (type == NULL)
		return nrd_fail(err, EINVAL, "BadLayout", "has devices and no type");
	if (nrd_str_set(&vdev->type, type) < 0)
		return nrd_nomem(err);
	return members_parse(val, "devices", &vdev->devices, &vdev->n_devices, err);
}

static int
vdev_check(const struct disk_vdev *vdev, struct nrd_err *err)
{
	static const struct {
		const char *type;
		size_t min;
	} types[] = {
		{ "mirror", 2 }, { "raidz", 2 }, { "raidz1", 2 }, { "raidz2", 3 }, { "raidz3", 4 },
	};

	if (vdev->type == NULL)
		return 0;
	for (size_t i = 0; i < nrd_count(types); i++) {
		if (!nrd_streq(types[i].type, vdev->type))
			continue;
		if (vdev->n_devices < types[i].min)
			return nrd_fail(err, EINVAL, "BadLayout", "a %s needs %zu disks, has %zu",
					vdev->type, types[i].min, vdev->n_devices);
		return 0;
	}
	return nrd_fail(err, EINVAL, "BadLayout",
			"unknown type %s, known: mirror, raidz, raidz1, raidz2, raidz3", vdev->type);
}

static int
name_compare(const void *va, const void *vb)
{
	const char *const *a = va, *const *b = vb;

	return strcmp(*a, *b);
}

static int
check_once(const struct disk_layout *layout, struct nrd_err *err)
{
	struct {
		const char **data;
		size_t len;
		size_t cap;
	} names = { 0 };
	const struct disk_member *member;
	int r = 0;

	for (size_t i = 0; r == 0 && disk_layout_next(layout, &i, &member);)
		r = nrd_vec_push(&names, member->name);
	if (r == 0 && names.len > 0)
		qsort(names.data, names.len, sizeof(names.data[0]), name_compare);
	for (size_t i = 1; r == 0 && i < names.len; i++) {
		if (nrd_streq(names.data[i - 1], names.data[i]))
			r = nrd_fail(err, EINVAL, "BadLayout", "disk %s is there twice",
				     names.data[i]);
	}
	nrd_vec_fini(&names);
	return r == -ENOMEM ? nrd_nomem(err) : r;
}

static int
vdevs_parse(const struct nrd_val *root, struct disk_layout *layout, struct nrd_err *err)
{
	const struct nrd_val *array;
	int r = get_array(root, "vdevs", &array, err);
	struct nrd_iter it = nrd_iter(array);
	size_t n = nrd_val_len(array);

	if (r < 0)
		return r;
	if (n == 0)
		return nrd_fail(err, EINVAL, "BadLayout", "vdevs: there are none");
	layout->vdevs = calloc(n, sizeof(*layout->vdevs));
	if (layout->vdevs == NULL)
		return nrd_nomem(err);
	layout->n_vdevs = n;
	while (nrd_iter_next(&it)) {
		r = vdev_parse(it.val, &layout->vdevs[it.index], err);
		if (r == 0)
			r = vdev_check(&layout->vdevs[it.index], err);
		if (r < 0)
			return nrd_wrap(err, r, "vdevs[%zu]", it.index);
	}
	return 0;
}

int
disk_layout_parse(const char *text, size_t len, struct disk_layout *ret_layout,
		  struct nrd_err *err)
{
	NRD_AUTO(nrd_json) *doc = NULL;
	NRD_AUTO(disk_layout) layout = { 0 };
	const struct nrd_val *root;
	const char *error;
	int r = nrd_json_parse(text, len, NULL, &doc, err);

	if (r < 0)
		return r;
	root = nrd_json_root(doc);
	if (nrd_val_type(root) != NRD_VAL_OBJ)
		return nrd_fail(err, EINVAL, "BadLayout", "must be an object, is %s",
				nrd_val_type_name(root));
	error = nrd_get_str(root, "error");
	if (error != NULL)
		return nrd_fail(err, EINVAL, "BadLayout", "holds an error: %s", error);
	r = vdevs_parse(root, &layout, err);
	if (r == 0)
		r = members_parse(root, "spares", &layout.spares, &layout.n_spares, err);
	if (r == 0)
		r = members_parse(root, "logs", &layout.logs, &layout.n_logs, err);
	if (r == 0)
		r = members_parse(root, "cache", &layout.cache, &layout.n_cache, err);
	if (r == 0)
		r = check_once(&layout, err);
	if (r < 0)
		return r;
	if (!nrd_get_u64(root, "capacity", &layout.capacity))
		layout.capacity = 0;
	*ret_layout = layout;
	layout = (struct disk_layout){ 0 };
	return 0;
}

/* One disk of an inventory in a file, under SmartOS's names and under those of our columns. */
struct file_disk {
	struct nrd_present present;
	char *name;
	char *disk;
	char *type;
	char *vid;
	char *pid;
	char *serial;
	uint64_t size;
	bool removable;
	bool rmv;
	bool solid_state;
	bool ssd;
};

static int
check_file_disk(const void *obj, struct nrd_err *err)
{
	const struct file_disk *disk = obj;

	if (disk->name == NULL && disk->disk == NULL)
		return nrd_fail(err, EINVAL, "MissingProperty", "name: missing");
	return 0;
}

static const struct nrd_field file_disk_fields[] = {
	NRD_FIELD_STR(struct file_disk, name, NRD_OPTIONAL, check_name),
	NRD_FIELD_STR(struct file_disk, disk, NRD_OPTIONAL, check_name),
	NRD_FIELD_STR(struct file_disk, type, NRD_NULLABLE, NULL),
	NRD_FIELD_STR(struct file_disk, vid, NRD_NULLABLE, NULL),
	NRD_FIELD_STR(struct file_disk, pid, NRD_NULLABLE, NULL),
	NRD_FIELD_STR(struct file_disk, serial, NRD_NULLABLE, NULL),
	NRD_FIELD_U64(struct file_disk, size, NRD_REQUIRED | NRD_LOOSE, 0, INT64_MAX),
	NRD_FIELD_BOOL(struct file_disk, removable, NRD_LOOSE),
	NRD_FIELD_BOOL(struct file_disk, rmv, NRD_LOOSE),
	NRD_FIELD_BOOL(struct file_disk, solid_state, NRD_LOOSE),
	NRD_FIELD_BOOL(struct file_disk, ssd, NRD_LOOSE),
};
static const struct nrd_schema file_disk_schema =
	NRD_SCHEMA(struct file_disk, present, file_disk_fields, check_file_disk);

static void
file_disk_cleanup(struct file_disk *disk)
{
	nrd_object_fini(&file_disk_schema, disk);
}

static const char *
known(const char *text)
{
	return text != NULL && *text != '\0' && !nrd_streq(text, "-") ? text : NULL;
}

static int
list_add(struct disk_list *list, const struct file_disk *from, struct nrd_err *err)
{
	struct disk disk = {
		.size_bytes = from->size,
		.sector_bytes = 512,
		.bus = disk_bus_parse(from->type),
		.removable = from->removable || from->rmv,
		.ssd = from->solid_state || from->ssd,
	};
	const char *name = from->name != NULL ? from->name : from->disk;
	const char *base = nrd_starts(name, "/dev/");

	name = base != NULL ? base : name;
	if (*name == '/' || *name == '\0')
		return nrd_fail(err, EINVAL, "BadInventory", "name: /dev/NAME or NAME, not %s",
				from->name != NULL ? from->name : from->disk);
	nrd_vec_each(other, list) {
		if (nrd_streq(other->name, name))
			return nrd_fail(err, EINVAL, "BadInventory", "disk %s is there twice", name);
	}
	disk.path = nrd_format("/dev/%s", name);
	if (disk.path == NULL || nrd_str_set(&disk.name, name) < 0 ||
	    nrd_str_set(&disk.vid, known(from->vid)) < 0 ||
	    nrd_str_set(&disk.pid, known(from->pid)) < 0 ||
	    nrd_str_set(&disk.serial, known(from->serial)) < 0 || nrd_vec_push(list, disk) < 0) {
		disk_fini(&disk);
		return nrd_nomem(err);
	}
	return 0;
}

static int
list_parse_json(const char *text, size_t len, struct disk_list *list, struct nrd_err *err)
{
	NRD_AUTO(nrd_json) *doc = NULL;
	struct nrd_iter it;
	int r = nrd_json_parse(text, len, NULL, &doc, err);

	if (r < 0)
		return r;
	if (nrd_val_type(nrd_json_root(doc)) != NRD_VAL_ARR)
		return nrd_fail(err, EINVAL, "BadInventory", "must be an array of disks, is %s",
				nrd_val_type_name(nrd_json_root(doc)));
	if (nrd_val_len(nrd_json_root(doc)) > DISKS_MAX)
		return nrd_fail(err, EINVAL, "BadInventory", "more than %d disks", DISKS_MAX);
	it = nrd_iter(nrd_json_root(doc));
	while (nrd_iter_next(&it)) {
		struct file_disk disk __attribute__((cleanup(file_disk_cleanup))) = { 0 };

		r = nrd_decode(&file_disk_schema, it.val, NRD_DECODE_UNKNOWN, &disk, err);
		if (r == 0)
			r = list_add(list, &disk, err);
		if (r < 0)
			return nrd_wrap(err, r, "disk %zu", it.index);
	}
	return 0;
}

/* TYPE DISK VID PID SIZE RMV SSD, parted by tabs, as `diskinfo -Hp` prints them. */
static int
line_parse(struct nrd_str line, struct file_disk *disk, struct nrd_err *err)
{
	static const char *const keys[] = { "type", "name", "vid", "pid", "size", "rmv", "ssd" };
	struct nrd_str field;
	size_t i = 0;

	while (nrd_str_split(&line, '\t', &field)) {
		NRD_FREE char *text = nrd_str_dup(nrd_str_trim(field));
		int r;

		if (text == NULL)
			return nrd_nomem(err);
		if (i == nrd_count(keys))
			break;
		r = nrd_decode_field(&file_disk_schema, keys[i], text, disk, err);
		if (r < 0)
			return r;
		i++;
	}
	if (i < nrd_count(keys))
		return nrd_fail(err, EINVAL, "BadInventory",
				"neither JSON nor a line of diskinfo -Hp: %zu fields of %zu", i,
				nrd_count(keys));
	return 0;
}

static int
list_parse_lines(const char *text, size_t len, struct disk_list *list, struct nrd_err *err)
{
	struct nrd_str rest = nrd_strn(text, len), line;
	size_t number = 0;

	while (nrd_str_split(&rest, '\n', &line)) {
		struct file_disk disk __attribute__((cleanup(file_disk_cleanup))) = { 0 };
		int r = 0;

		number++;
		if (nrd_str_trim(line).len == 0)
			continue;
		if (list->len >= DISKS_MAX)
			return nrd_fail(err, EINVAL, "BadInventory", "more than %d disks",
					DISKS_MAX);
		if (memchr(line.data, '\0', line.len) != NULL)
			r = nrd_fail(err, EINVAL, "BadInventory", "holds a zero byte");
		if (r == 0)
			r = line_parse(line, &disk, err);
		if (r == 0)
			r = list_add(list, &disk, err);
		if (r < 0)
			return nrd_wrap(err, r, "line %zu", number);
	}
	return 0;
}

int
disk_list_parse(const char *text, size_t len, struct disk_list *ret_list, struct nrd_err *err)
{
	NRD_AUTO(disk_list) list = { 0 };
	struct nrd_str trimmed = nrd_str_trim(nrd_strn(text, len));
	bool json = trimmed.len > 0 && strchr("[{\"", trimmed.data[0]) != NULL;
	int r = json ? list_parse_json(text, len, &list, err) :
		       list_parse_lines(text, len, &list, err);

	if (r < 0)
		return r;
	*ret_list = list;
	list = (struct disk_list){ 0 };
	return 0;
}
