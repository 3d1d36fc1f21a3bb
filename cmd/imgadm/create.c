/* SPDX-License-Identifier: MPL-2.0 */
/* Copyright 2026 The Nereid authors */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "fields.h"
#include "image/create.h"
#include "image/import.h"
#include "imgadm.h"
#include "nrd/buf.h"
#include "nrd/file.h"
#include "nrd/json.h"
#include "nrd/mem.h"
#include "nrd/progress.h"
#include "nrd/str.h"
#include "store/dataset.h"
#include "vm/object.h"
#include "vm/prepare.h"
#include "vm/snapshot.h"
#include "zone/config-guest.h"
#include "zone/config.h"
#include "zone/state.h"

struct create_opts {
	const char *compression, *output, *manifest, *publish, *script;
	bool incremental, quiet;
	uint64_t max_depth;
};

const struct nrd_opt create_opts[] = {
	NRD_OPT_STR('c', NULL, struct create_opts, compression, "COMPRESSION",
		    "none (the default), gzip, bzip2, xz or zstd"),
	NRD_OPT_STR('o', NULL, struct create_opts, output, "PATH",
		    "a directory, or what the names of both files begin with"),
	NRD_OPT_STR('m', NULL, struct create_opts, manifest, "MANIFEST",
		    "a file with fields of the manifest, or - for standard input"),
	NRD_OPT_STR('p', NULL, struct create_opts, publish, "URL",
		    "give the image to this server; its files are not kept"),
	NRD_OPT_FLAG('i', NULL, struct create_opts, incremental,
		     "only what differs from the image the machine was made of"),
	NRD_OPT_U64(0, "max-origin-depth", struct create_opts, max_depth, 2, IMAGE_ORIGINS_MAX,
		    "N", "refuse when the image would have more than N-1 below it"),
	NRD_OPT_STR('s', NULL, struct create_opts, script, "FILE",
		    "boot the machine with this script, which prepares it; it is as it was afterwards"),
	NRD_OPT_FLAG('q', NULL, struct create_opts, quiet, "no progress, no notes"),
	NRD_OPT_END(struct create_opts),
};

/* One image in the making. */
struct making {
	const struct create_opts *opts;
	struct zone_config zone;
	int lock; /* the machine's, -1 */
	struct image_manifest m;
	int compression;
	char *origin;        /* uuid of the image it was cloned from, NULL: none; owned */
	char *origin_pool;   /* owned */
	char *file, *record; /* paths; owned */
	bool runs;           /* a guest: a snapshot of it becomes the image */
	char *snapshot;      /* of its disk; owned, NULL: it is halted */
};

static void
making_cleanup(struct making *k)
{
	zone_config_fini(&k->zone);
	nrd_closep(&k->lock);
	image_manifest_fini(&k->m);
	free(k->origin);
	free(k->origin_pool);
	free(k->file);
	free(k->record);
	free(k->snapshot);
}

/* ---- the machine ---- */

/* What of a guest becomes an image: the disk it boots from, else its first one. NULL: it is no guest, or has none. */
static const struct zone_disk *
disk_of(const struct zone_config *zone)
{
	const struct zone_disk *first = NULL;

	for (size_t i = 0; zone_is_guest(zone) && i < zone->n_disks; i++) {
		const struct zone_disk *d = &zone->disks[i];

		if (!zone_disk_is_volume(d))
			continue;
		if (d->boot)
			return d;
		first = first != NULL ? first : d;
	}
	return first;
}

static const char *
dataset_of(const struct zone_config *zone)
{
	const struct zone_disk *disk = disk_of(zone);

	return disk != NULL ? disk->zfs_filesystem : zone->zfs_filesystem;
}

/* It must not be started while its dataset is read; a guest that runs may be read by a snapshot. */
static int
open_machine(const char *uuid, struct making *k, struct nrd_err *err)
{
	NRD_FREE char *name = NULL;
	struct nrd_err why = { 0 };
	struct zone_run run;
	int r = zone_config_by_uuid(NULL, uuid, &name, &why);

	if (r < 0 && nrd_err_is(&why, "ZoneNotFound"))
		return nrd_fail(err, ENOENT, "VmNotFound", "there is no machine %s", uuid);
	if (r == 0)
		r = zone_lock(name, false, &k->lock, &why);
	if (r == 0)
		r = zone_config_read(NULL, name, &k->zone, &why);
	if (r == 0)
		r = zone_run_read(name, &run, &why);
	if (r < 0) {
		if (err != NULL)
			*err = why;
		return r;
	}
	k->runs = run.state > ZONE_ST_INSTALLED && zone_is_guest(&k->zone);
	if (run.state > ZONE_ST_INSTALLED && !k->runs && k->opts->script == NULL)
		return nrd_fail(err, EINVAL, "VmNotStopped",
				"machine %s must be stopped: it is %s; with -s it is stopped, prepared and "
				"booted again", uuid, zone_state_name(run.state));
	if (k->zone.installed != ZONE_INSTALLED || k->zone.zfs_filesystem == NULL ||
	    k->zone.zfs_filesystem[0] == '\0')
		return nrd_fail(err, EINVAL, "VmNotStopped",
				"machine %s has no dataset of its own that could become an image",
				uuid);
	if (zone_is_guest(&k->zone) && disk_of(&k->zone) == NULL)
		return nrd_fail(err, EINVAL, "NoDisk", "machine %s has no disk that could become an image", uuid);
	if (zone_is_guest(&k->zone) && k->opts->script != NULL)
		return nrd_fail(err, ENOTSUP, "NoScript", "machine %s is a guest: no script is run in it; prepare it by hand", uuid);
	return 0;
}

/* POOL/UUID@final of an image: that is what it was made of. */
static int
find_origin(struct making *k, struct nrd_err *err)
{
	NRD_AUTO(store) *store = NULL;
	char origin[256] = "";
	const char *slash, *at;
	int r = store_open(&store, err);

	if (r < 0)
		return r;
	/* What is no clone has no such property. */
	(void)store_dataset_get(store, dataset_of(&k->zone), "origin", origin, sizeof(origin),
				NULL);
	slash = strrchr(origin, '/');
	at = strchr(origin, '@');
	if (slash == NULL || at == NULL || !nrd_streq(at, "@" IMAGE_SNAPSHOT))
		return 0;
	k->origin = nrd_str_dup(nrd_strn(slash + 1, (size_t)(at - slash - 1)));
	k->origin_pool = nrd_str_dup(nrd_strn(origin, (size_t)(slash - origin)));
	if (k->origin == NULL || k->origin_pool == NULL)
		return nrd_nomem(err);
	if (!image_uuid_valid(k->origin)) {
		free(k->origin);
		k->origin = NULL;
	}
	return 0;
}

/* ---- its manifest ---- */

#define SCHEMA (&image_manifest_schema)

/* What the image it was made of says holds for this one as well. */
static int
inherit(const struct making *k, struct image_manifest *m, struct nrd_err *err)
{
	static const char *const keys[] = { "type", "os", "requirements", "users",
					    "generate_passwords", "inherited_directories", "tags" };
	NRD_AUTO(image) image = { 0 };
	NRD_AUTO(store) *store = NULL;
	int r = store_open(&store, err);

	if (r == 0)
		r = image_read_in(store, k->origin_pool, k->origin, &image, err);
	for (size_t i = 0; r == 0 && i < nrd_count(keys); i++) {
		const struct nrd_field *field = nrd_schema_find(SCHEMA, keys[i]);
		NRD_AUTO(nrd_buf) text = { 0 };
		struct nrd_jw w;

		if (!nrd_field_present(SCHEMA, field, &image.manifest))
			continue;
		nrd_jw_init(&w, &text, NRD_JW_COMPACT);
		nrd_jw_obj_open(&w);
		nrd_jw_key(&w, keys[i]);
		nrd_encode_field(SCHEMA, field, &image.manifest, &w);
		nrd_jw_obj_close(&w);
		r = nrd_jw_finish(&w, err);
		if (r == 0)
			r = nrd_decode_text(SCHEMA, nrd_buf_str(&text), text.len, NULL,
					    NRD_DECODE_PARTIAL, m, err);
	}
	return r;
}

/* What it is seen as is what its own machines are made with. */
static int
by_disk(const struct zone_config *zone, struct image_manifest *m, struct nrd_err *err)
{
	const struct zone_disk *disk = disk_of(zone);
	const char *nic = zone->n_nics > 0 ? zone->nics[0].model : NULL;
	char mib[24];
	int r = fields_set(m, "type", "zvol", err);

	(void)snprintf(mib, sizeof(mib), "%llu", (unsigned long long)disk->size);
	if (r == 0)
		r = fields_set(m, "os", "other", err);
	if (r == 0)
		r = fields_set(m, "image_size", mib, err);
	if (r == 0)
		r = fields_set(m, "disk_driver", disk->model != NULL ? disk->model : "virtio", err);
	return r == 0 ? fields_set(m, "nic_driver", nic != NULL ? nic : "virtio", err) : r;
}

static int
by_brand(const struct making *k, struct image_manifest *m, struct nrd_err *err)
{
	bool lx = k->zone.brand == ZONE_LX;
	int r;

	if (zone_is_guest(&k->zone))
		return by_disk(&k->zone, m, err);
	r = fields_set(m, "type", lx ? "lx-dataset" : "zone-dataset", err);

	if (r == 0)
		r = fields_set(m, "os", lx ? "linux" : "other", err);
	if (r == 0 && lx)
		r = fields_set(m, "requirements", "{\"brand\":\"lx\"}", err);
	return r;
}

static int
generated(struct making *k, struct nrd_err *err)
{
	int r = fields_new(&k->m, err);

	if (r == 0)
		r = by_brand(k, &k->m, err);
	if (r == 0 && k->origin != NULL)
		r = inherit(k, &k->m, err);
	if (r == 0 && k->opts->incremental)
		r = fields_set(&k->m, "origin", k->origin, err);
	return r;
}

/* Fields of a file: those a manifest has, none of them needed. */
static int
from_file(const char *path, struct image_manifest *m, struct nrd_err *err)
{
	NRD_AUTO(nrd_buf) text = NRD_BUF_INIT(IMAGE_MANIFEST_MAX);
	int r = nrd_streq(path, "-") ? nrd_buf_read_fd(&text, STDIN_FILENO, err)
				     : nrd_buf_read_file(&text, path, err);

	if (r == 0)
		r = nrd_wrap(err, nrd_decode_text(SCHEMA, nrd_buf_str(&text), text.len, NULL,
						  NRD_DECODE_PARTIAL, m, err), "%s", path);
	return r;
}

static int
make_manifest(const struct nrd_args *args, struct making *k, struct nrd_err *err)
{
	int r = generated(k, err);

	if (r == 0 && k->opts->manifest != NULL)
		r = from_file(k->opts->manifest, &k->m, err);
	for (int i = 1; r == 0 && i < args->argc; i++)
		r = fields_word(&k->m, args->argv[i], err);
	if (r == 0)
		r = fields_check(&k->m, err);
	if (r < 0 && !nrd_err_is(err, "Usage"))
		return nrd_wrap(err, r, "manifest");
	return r;
}

/* ---- where it goes ---- */

static int
choose_names(struct making *k, struct nrd_err *err)
{
	const char *out = k->opts->output != NULL ? k->opts->output : ".";
	NRD_FREE char *name = nrd_format("%s-%s", k->m.name, k->m.version);
	NRD_FREE char *prefix = NULL;
	struct stat st;

	/* Both may have slashes. */
	for (char *c = name; c != NULL && *c != '\0'; c++)
		if (*c == '/')
			*c = '_';
	if (name == NULL)
		return nrd_nomem(err);
	prefix = stat(out, &st) == 0 && S_ISDIR(st.st_mode) ? nrd_path_join(out, name)
							    : nrd_format("%s", out);
	if (prefix == NULL)
		return nrd_nomem(err);
	k->record = nrd_format("%s.imgmanifest", prefix);
	k->file = nrd_format("%s.%s", prefix, image_create_suffix(k->compression));
	if (k->record == NULL || k->file == NULL)
		return nrd_nomem(err);
	if (nrd_path_exists(k->record) || nrd_path_exists(k->file))
		return nrd_fail(err, EEXIST, "FileExists",
				"%s or %s is there already: give another place with -o", k->record,
				k->file);
	return 0;
}

static int
check_depth(const struct making *k, struct nrd_err *err)
{
	NRD_FREE char *uuid = nrd_format("%s", k->origin != NULL ? k->origin : "");
	NRD_AUTO(store) *store = NULL;
	uint64_t depth = 1;
	int r;

	if (uuid == NULL)
		return nrd_nomem(err);
	r = store_open(&store, err);
	while (r == 0 && uuid[0] != '\0' && depth <= IMAGE_ORIGINS_MAX) {
		NRD_AUTO(image) image = { 0 };

		r = image_read_in(store, k->origin_pool, uuid, &image, err);
		if (r < 0)
			return r;
		depth++;
		if (nrd_str_set(&uuid, image.manifest.origin != NULL ? image.manifest.origin : "") < 0)
			return nrd_nomem(err);
	}
	if (r == 0 && depth > k->opts->max_depth)
		return nrd_fail(err, ELOOP, "MaxOriginDepth",
				"the image would be number %llu of its chain, %llu are allowed",
				(unsigned long long)depth, (unsigned long long)k->opts->max_depth);
	return r;
}

static int
check_opts(struct making *k, struct nrd_err *err)
{
	const char *wanted = k->opts->compression;

	if (k->opts->publish != NULL && k->opts->output != NULL)
		return nrd_usage(err, "-o and -p exclude each other");
	if (wanted == NULL)
		return 0;
	for (int i = 0; image_compression_names[i] != NULL; i++)
		if (nrd_streq(wanted, image_compression_names[i])) {
			k->compression = i;
			return 0;
		}
	return nrd_usage(err, "-c %.20s: none, gzip, bzip2, xz and zstd are understood", wanted);
}

static int
write_manifest(const struct making *k, struct nrd_err *err)
{
	NRD_AUTO(nrd_buf) text = { 0 };
	struct nrd_jw w;
	int r;

	nrd_jw_init(&w, &text, NRD_JW_PRETTY);
	image_manifest_encode(&k->m, &w);
	r = nrd_jw_finish(&w, err);
	return r < 0 ? r : nrd_file_write(k->record, nrd_buf_str(&text), text.len, 0644, err);
}

static int
make_file(const struct image_opts *how, struct making *k, struct nrd_err *err)
{
	NRD_FREE char *since = NULL;
	struct image_create create = {
		.dataset = dataset_of(&k->zone),
		.snapshot = k->snapshot,
		.compression = k->compression,
		.path = k->file,
	};
	struct image_file *file;
	int r;

	if (k->opts->incremental) {
		since = nrd_format("%s/%s@" IMAGE_SNAPSHOT, k->origin_pool, k->origin);
		if (since == NULL)
			return nrd_nomem(err);
		create.since = since;
	}
	/* The manifest's own, whatever it said before. */
	NRD_CLEAR(SCHEMA, &k->m, files);
	file = calloc(1, sizeof(*file));
	if (file == NULL)
		return nrd_nomem(err);
	r = image_create_file(how, &create, file, err);
	if (r < 0) {
		free(file);
		return r;
	}
	k->m.files = file;
	k->m.n_files = 1;
	NRD_SET(SCHEMA, &k->m, files);
	return 0;
}

static int
publish(const struct image_opts *how, const struct making *k, struct nrd_err *err)
{
	NRD_CLOSE int fd = open(k->file, O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		return nrd_fail(err, errno, "FileOpen", "open %s: %m", k->file);
	return image_publish(how, k->opts->publish, &k->m, fd, k->m.name, err);
}

static int
finish(const struct image_opts *how, const struct making *k, struct nrd_err *err)
{
	int r;

	if (k->opts->publish != NULL) {
		r = publish(how, k, err);
		(void)unlink(k->file);
		if (r == 0)
			imgadm_say("Published image %s (%s@%s) to %s", k->m.uuid, k->m.name,
				   k->m.version, k->opts->publish);
		return r;
	}
	r = write_manifest(k, err);
	if (r < 0) {
		(void)unlink(k->file);
		return r;
	}
	imgadm_say("Manifest:\n  %s\nFile:\n  %s", k->record, k->file);
	return 0;
}

/* What is published needs a file meanwhile, out of everybody's way. */
static int
temporary_name(struct making *k, struct nrd_err *err)
{
	k->file = nrd_format("/var/tmp/.imgadm-%s.%s", k->m.uuid, image_create_suffix(k->compression));
	return k->file != NULL ? 0 : nrd_nomem(err);
}

/* ---- prepared by a script ---- */

static int
read_script(const char *path, struct nrd_buf *script, struct nrd_err *err)
{
	int r = nrd_buf_read_file(script, path, err);

	if (r < 0)
		return r;
	if (nrd_starts(nrd_buf_str(script), "#!") == NULL || strlen(nrd_buf_str(script)) != script->len)
		return nrd_fail(err, EINVAL, "BadScript", "%s is no script: it begins with #! and is text", path);
	return 0;
}

static int
prepare(const char *uuid, const struct create_opts *opts, const char *script, const volatile sig_atomic_t *stop, bool *ret_ran,
	struct nrd_err *err)
{
	int r;

	if (!opts->quiet)
		nrd_busy_begin("preparing machine %s", uuid);
	r = vm_prepare(uuid, script, stop, ret_ran, err);
	nrd_busy_end();
	return r;
}

/* The image is there, or not, whatever becomes of the machine: that is told apart. */
static void
bring_back(const struct nrd_args *args, bool ran)
{
	struct nrd_err why = { 0 };

	if (vm_prepare_undo(args->argv[0], ran, &why) < 0)
		(void)fprintf(stderr, "%s %s: machine %s is not as it was: %s; vmadm rollback-snapshot %s " VM_PREPARE_SNAPSHOT
			      " brings it back\n", args->prog, args->verb, args->argv[0], why.msg, args->argv[0]);
}

/* ---- of a guest that runs ---- */

#define RUNNING_SNAPSHOT "imgadm-create" /* of all of it, as vmadm create-snapshot makes them */

/* Not longer than for that: the machine may be stopped meanwhile, and what else. */
static int
begin_running(const char *uuid, struct making *k, struct nrd_err *err)
{
	NRD_AUTO(vm) vm = { 0 };
	struct vm_snapshot_how how = { 0 };
	int r = vm_read(uuid, &vm, err);

	k->snapshot = nrd_format("%s@" VM_SNAPSHOT_PREFIX RUNNING_SNAPSHOT, dataset_of(&k->zone));
	if (k->snapshot == NULL)
		return nrd_nomem(err);
	if (r == 0)
		r = vm_snapshot_create(&vm, RUNNING_SNAPSHOT, &how, err);
	if (r == -EEXIST)
		r = nrd_fail(err, EEXIST, "SnapshotExists", "an image of machine %s is being made, or that was cut off: then vmadm "
			     "delete-snapshot %s " RUNNING_SNAPSHOT, uuid, uuid);
	nrd_closep(&k->lock);
	k->lock = -1;
	if (r == 0 && !how.quiesced && !k->opts->quiet)
		imgadm_say("Its disk is as a crash would leave it: %s", how.why.msg);
	return r;
}

static int
end_running(const char *uuid, struct nrd_err *err)
{
	NRD_AUTO(vm) vm = { 0 };
	NRD_CLOSE int lock = -1;
	int r = vm_open(uuid, &vm, &lock, err);

	return r == 0 ? vm_snapshot_delete(&vm, RUNNING_SNAPSHOT, err) : r;
}

static int
make_running(const char *uuid, const struct image_opts *how, struct making *k, struct nrd_err *err)
{
	int r = begin_running(uuid, k, err), ended;

	if (r < 0)
		return r;
	r = make_file(how, k, err);
	ended = end_running(uuid, r == 0 ? err : NULL);
	if (r == 0 && ended < 0)
		(void)unlink(k->file);
	return r < 0 ? r : ended;
}

/* ---- the verb ---- */

static int
plan(const struct nrd_args *args, struct making *k, struct nrd_err *err)
{
	const struct create_opts *opts = k->opts;
	int r = open_machine(args->argv[0], k, err);

	if (r == 0)
		r = find_origin(k, err);
	if (r == 0 && opts->incremental && k->origin == NULL)
		r = nrd_fail(err, EINVAL, "VmHasNoOrigin",
			     "machine %s was not made of an image: without -i all of it becomes one",
			     args->argv[0]);
	if (r == 0 && opts->incremental && opts->max_depth > 0)
		r = check_depth(k, err);
	if (r == 0)
		r = make_manifest(args, k, err);
	if (r == 0)
		r = opts->publish != NULL ? temporary_name(k, err) : choose_names(k, err);
	return r;
}

/* The script's boot takes the machine's lock itself. */
static int
make_prepared(const struct nrd_args *args, const struct image_opts *how, struct making *k, const char *script, struct nrd_err *err)
{
	bool ran = false;
	int r;

	nrd_closep(&k->lock);
	k->lock = -1;
	r = prepare(args->argv[0], k->opts, script, how->stop, &ran, err);
	if (r < 0)
		return r;
	r = zone_lock(k->zone.zonename, false, &k->lock, err);
	if (r == 0)
		r = make_file(how, k, err);
	nrd_closep(&k->lock);
	k->lock = -1;
	bring_back(args, ran);
	return r;
}

int
cmd_create(const struct nrd_args *args, struct nrd_err *err)
{
	const struct create_opts *opts = args->opts;
	const struct image_opts how = imgadm_opts(args, NULL, opts->quiet);
	__attribute__((cleanup(making_cleanup))) struct making k = { .opts = opts, .lock = -1 };
	NRD_AUTO(nrd_buf) script = NRD_BUF_INIT(VM_PREPARE_SCRIPT_MAX);
	int r = check_opts(&k, err);

	if (r == 0)
		r = image_uuid_check(args->argv[0], err);
	if (r == 0 && opts->script != NULL)
		r = read_script(opts->script, &script, err);
	if (r == 0)
		r = plan(args, &k, err);
	if (r == 0 && opts->script != NULL)
		r = make_prepared(args, &how, &k, nrd_buf_str(&script), err);
	else if (r == 0)
		r = k.runs ? make_running(args->argv[0], &how, &k, err) : make_file(&how, &k, err);
	return r < 0 ? r : finish(&how, &k, err);
}
