/* SPDX-License-Identifier: MPL-2.0 */
/* Copyright 2026 The Nereid authors */
#include "setup.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "disk/partition.h"
#include "disk/pool.h"
#include "disk/signature.h"
#include "node/datasets.h"
#include "node/shadow.h"
#include "nrd/file.h"
#include "nrd/mem.h"
#include "nrd/proc.h"
#include "nrd/str.h"
#include "store/dataset.h"
#include "store/pool.h"

#define CONFIG_INC_DIR "/usbkey/config.inc"
#define KEYS_PATH CONFIG_INC_DIR "/authorized_keys"
#define SSH_SAVED_DIR "/usbkey/ssh"
#define KEYGEN_LIMIT_MS 120000

/* ---- what there is ---- */

/* The partition names of lib/disk, asked of the kernel. */
static bool
named_like_ours(const char *disk)
{
	static const char *const names[] = { "bios", "esp", "zfs" };
	bool first = false;
	bool zfs = false;

	for (unsigned i = 1; i <= 3; i++) {
		NRD_FREE char *part = disk_part_path(disk, i);
		NRD_FREE char *path = part != NULL ?
			nrd_format("/sys/class/block/%s/uevent", part) : NULL;
		NRD_FREE char *text = NULL;
		NRD_FREE char *want = nrd_format("\nPARTNAME=%s\n", names[i - 1]);

		if (path == NULL || want == NULL || nrd_file_read(path, 4096, &text, NULL, NULL) < 0)
			continue;
		if (strstr(text, want) == NULL)
			return false;
		first |= i == 1;
		zfs |= i == 3;
	}
	return first && zfs;
}

/*
 * True when all that is on a disk is what a setup that was cut off writes: our partitions, an
 * empty ESP, and no pool or the unfinished one. Nothing is lost with it.
 */
static bool
is_leftover(const struct disk *disk, uint64_t pool_guid)
{
	NRD_AUTO(disk_use) use = { 0 };
	char guid[24];

	if (disk->blank || !named_like_ours(disk->name) ||
	    disk_use_read(disk->path, &use, NULL) < 0)
		return false;
	(void)snprintf(guid, sizeof(guid), "%llu", (unsigned long long)pool_guid);
	for (size_t i = 0; i < use.len; i++) {
		const struct disk_sig *s = &use.data[i];
		bool ours = s->kind == DISK_SIG_TABLE || s->kind == DISK_SIG_PARTITION ||
			    (s->kind == DISK_SIG_FS && s->part == 2 && nrd_streq(s->type, "vfat") &&
			     s->label != NULL && nrd_starts(s->label, "NEREID") != NULL) ||
			    (s->kind == DISK_SIG_ZFS && s->part == 3 && pool_guid != 0 &&
			     nrd_streq(s->uuid, guid));

		if (!ours)
			return false;
	}
	return true;
}

static int
find_leftovers(struct node_setup *s, uint64_t pool_guid, struct nrd_err *err)
{
	for (size_t i = 0; i < s->disks.len; i++)
		if (is_leftover(&s->disks.data[i], pool_guid) &&
		    nrd_strv_add(&s->unfinished, s->disks.data[i].name) < 0)
			return nrd_nomem(err);
	return 0;
}

static int
look_at_pool(struct node_setup *s, unsigned flags, uint64_t *ret_guid, struct nrd_err *err)
{
	char guid[32] = "0";
	bool complete = true;
	int r = node_pool_find(s->store, &s->system_pool, err);

	*ret_guid = 0;
	if (r < 0 || s->system_pool == NULL)
		return r;
	r = node_pool_complete(s->store, s->system_pool, &complete, err);
	if (r < 0)
		return r;
	if (complete) {
		s->configured = node_pool_configured(s->system_pool);
		s->pool = s->configured ? NODE_PLAN_POOL_NONE : NODE_PLAN_POOL_REUSE;
		return 0;
	}
	s->pool = NODE_PLAN_POOL_UNFINISHED;
	r = store_pool_get(s->store, s->system_pool, "guid", guid, sizeof(guid), err);
	if (r >= 0)
		r = nrd_parse_u64(guid, 0, UINT64_MAX, ret_guid, err);
	/* Let go of it, so that its disks can be looked at and taken; nothing on it changes. */
	if (r >= 0 && (flags & NODE_SETUP_LOOK) == 0) {
		node_datasets_unmount();
		r = store_pool_export(s->store, s->system_pool, err);
	}
	return r;
}

int
node_setup_open(unsigned flags, struct node_setup *ret_setup, struct nrd_err *err)
{
	NRD_AUTO(node_setup) s = { 0 };
	uint64_t guid = 0;
	int r = store_open(&s.store, err);

	if (r >= 0)
		r = look_at_pool(&s, flags, &guid, err);
	if (r >= 0)
		r = disk_list_read(NULL, DISK_LIST_USE, &s.disks, err);
	if (r >= 0)
		r = link_nics_read(NULL, 0, &s.nics, err);
	if (r >= 0)
		r = find_leftovers(&s, guid, err);
	if (r < 0)
		return r;
	*ret_setup = s;
	s = (struct node_setup){ 0 };
	return 0;
}

void
node_setup_fini(struct node_setup *s)
{
	disk_list_fini(&s->disks);
	link_nics_fini(&s->nics);
	nrd_strv_free(s->unfinished);
	free(s->system_pool);
	store_close(s->store);
	*s = (struct node_setup){ 0 };
}

void
node_setup_cleanup(struct node_setup *s)
{
	node_setup_fini(s);
}

struct node_plan_env
node_setup_env(const struct node_setup *s)
{
	return (struct node_plan_env){
		.disks = &s->disks,
		.nics = &s->nics,
		.pool = s->pool,
		.unfinished = NRD_CSTRV(s->unfinished),
	};
}

/* ---- the steps ---- */

struct setup_run {
	struct node_setup *setup;
	const struct node_plan *plan;
};

static int
pool_up(struct setup_run *run, struct nrd_err *err)
{
	static const char *const properties[] = { "ashift=12", "autotrim=on", NULL };
	static const char *const fs_properties[] = {
		"atime=off", "compression=lz4", "xattr=sa", "acltype=posixacl", "dnodesize=auto",
		"mountpoint=/" NODE_POOL, NODE_SETUP_PROP "=" NODE_SETUP_INCOMPLETE, NULL,
	};
	const struct disk_pool_opts opts = {
		.bootable = true,
		.force = NRD_CSTRV(run->plan->force),
		.properties = properties,
		.fs_properties = fs_properties,
	};

	return disk_pool_create(NODE_POOL, &run->plan->layout, &run->setup->disks, &opts, err);
}

static void
pool_down(struct setup_run *run)
{
	if (store_pool_exists(run->setup->store, NODE_POOL))
		(void)store_pool_destroy(run->setup->store, NODE_POOL, NULL);
}

static int
datasets_up(struct setup_run *run, struct nrd_err *err)
{
	int r = node_datasets_make(run->setup->store, NODE_POOL, NULL, err);

	return r < 0 ? r : node_datasets_mount(run->setup->store, NODE_POOL, err);
}

static void
datasets_down(struct setup_run *run)
{
	(void)run;
	node_datasets_unmount();
}

static int
write_keys(const struct node_plan *plan, struct nrd_err *err)
{
	NRD_FREE char *text = NULL;
	int r = nrd_mkdir_p(CONFIG_INC_DIR, 0700, err);

	if (r < 0 || plan->keys == NULL)
		return r;
	text = nrd_format("%s\n", plan->keys);
	return text == NULL ? nrd_nomem(err)
			    : nrd_file_write(KEYS_PATH, text, strlen(text), 0600, err);
}

static int
config_up(struct setup_run *run, struct nrd_err *err)
{
	int r = write_keys(run->plan, err);

	return r < 0 ? r : node_config_write(run->plan->config, NULL, err);
}

static int
write_shadow(const struct node_plan *plan, const char *saved, struct nrd_err *err)
{
	NRD_AUTO(nrd_buf) out = NRD_BUF_INIT(NODE_SHADOW_MAX);
	NRD_FREE char *live = NULL;
	int r = nrd_file_read(NODE_SHADOW_PATH, NODE_SHADOW_MAX, &live, NULL, err);

	/* Without a password root stays locked: keys only. */
	if (r >= 0)
		r = node_shadow_merge(live, saved, plan->hash != NULL ? plan->hash :
						   saved != NULL ? NULL : "*", &out, err);
	if (r >= 0)
		r = nrd_file_write(NODE_SHADOW_SAVED_PATH, nrd_buf_str(&out), out.len, 0400, err);
	return r;
}

static int
shadow_up(struct setup_run *run, struct nrd_err *err)
{
	return write_shadow(run->plan, NULL, err);
}

/* Ed25519 is what people have used for ten years; ECDSA is for the rest. No RSA: slow to make. */
static int
make_host_key(const char *type, struct nrd_err *err)
{
	NRD_FREE char *path = nrd_format(SSH_SAVED_DIR "/ssh_host_%s_key", type);
	const char *const argv[] = { "ssh-keygen", "-q", "-t", type, "-N", "", "-C", "", "-f", path,
				     NULL };
	const struct nrd_proc proc = { .argv = argv, .timeout_ms = KEYGEN_LIMIT_MS };

	if (path == NULL)
		return nrd_nomem(err);
	if (nrd_path_exists(path))
		return 0;
	return nrd_run(&proc, NULL, NULL, err);
}

static int
ssh_up(struct setup_run *run, struct nrd_err *err)
{
	int r = nrd_mkdir_p(SSH_SAVED_DIR, 0755, err);

	(void)run;
	if (r >= 0)
		r = make_host_key("ed25519", err);
	return r < 0 ? r : make_host_key("ecdsa", err);
}

/* Last: from here on the node is set up. */
static int
mark_up(struct setup_run *run, struct nrd_err *err)
{
	int r = nrd_file_write("/" NODE_POOL "/" NODE_SYSTEM_POOL_MARK, "", 0, 0644, err);

	if (r >= 0 && run->plan->pool != NODE_PLAN_POOL_REUSE)
		r = store_dataset_inherit(run->setup->store, NODE_POOL, NODE_SETUP_PROP, err);
	/* The mark is a file and the property another transaction: have both on disk. */
	sync();
	return r;
}

struct setup_step {
	const char *name;
	int (*up)(struct setup_run *run, struct nrd_err *err);
	void (*down)(struct setup_run *run); /* NULL: goes with the pool */
	bool own_pool;                       /* only when the pool is made by us */
};

static const struct setup_step steps[] = {
	{ "partition the disks and make pool " NODE_POOL, pool_up, pool_down, true },
	{ "make the datasets", datasets_up, datasets_down, false },
	{ "write the configuration", config_up, NULL, false },
	{ "set root's password", shadow_up, NULL, false },
	{ "make SSH host keys", ssh_up, NULL, false },
	{ "mark the node as set up", mark_up, NULL, false },
};

static bool
takes(const struct node_plan *plan, const struct setup_step *step)
{
	return !step->own_pool || plan->pool != NODE_PLAN_POOL_REUSE;
}

const char *
node_setup_step(const struct node_plan *plan, size_t i)
{
	for (size_t j = 0; j < nrd_count(steps); j++)
		if (takes(plan, &steps[j]) && i-- == 0)
			return steps[j].name;
	return NULL;
}

int
node_setup_run(struct node_setup *setup, const struct node_plan *plan,
	       node_setup_progress *progress, void *arg, struct nrd_err *err)
{
	struct setup_run run = { .setup = setup, .plan = plan };

	if (setup->configured)
		return nrd_fail(err, EEXIST, "WrongState",
				"this node is set up already, on pool %s", setup->system_pool);
	for (size_t i = 0; i < nrd_count(steps); i++) {
		int r;

		if (!takes(plan, &steps[i]))
			continue;
		if (progress != NULL)
			progress(arg, steps[i].name);
		r = steps[i].up(&run, err);
		if (r >= 0)
			continue;
		for (size_t j = i + 1; j-- > 0;)
			if (takes(plan, &steps[j]) && steps[j].down != NULL)
				steps[j].down(&run);
		return nrd_wrap(err, r, "%s", steps[i].name);
	}
	if (progress != NULL)
		progress(arg, NULL);
	return 0;
}

int
node_setup_change(struct node_setup *setup, const struct node_plan *plan, struct nrd_err *err)
{
	struct setup_run run = { .setup = setup, .plan = plan };
	NRD_FREE char *saved = NULL;
	int r = node_datasets_make(setup->store, setup->system_pool, NULL, err);

	if (r >= 0)
		r = node_datasets_mount(setup->store, setup->system_pool, err);
	if (r >= 0)
		r = config_up(&run, err);
	if (r >= 0 && plan->hash != NULL) {
		(void)nrd_file_read(NODE_SHADOW_SAVED_PATH, NODE_SHADOW_MAX, &saved, NULL, NULL);
		r = write_shadow(plan, saved, err);
	}
	return r < 0 ? r : ssh_up(&run, err);
}
