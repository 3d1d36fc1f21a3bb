/* SPDX-License-Identifier: MPL-2.0 */
/* Copyright 2026 The Nereid authors */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "brand/lifecycle.h"
#include "brand/steps.h"
#include "nrd/mem.h"
#include "nrd/proc.h"
#include "nrd/str.h"
#include "store/dataset.h"
#include "vm/bundle.h"
#include "vm/history.h"
#include "vm/make.h"
#include "vm/object.h"
#include "vm/sending.h"
#include "vm/transfer.h"
#include "vm/transition.h"
#include "zone/ids.h"

#define SCHEMA (&zone_config_schema)
#define DAY_S  (24 * 60 * 60)

static const struct brand_place node = { .dir = NULL };

/* ---- read ---- */

/* 0: the end, before the first byte. */
static int
read_all(int fd, void *data, size_t len, struct nrd_err *err)
{
	size_t at = 0;

	while (at < len) {
		ssize_t n = read(fd, (char *)data + at, len - at);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return nrd_fail(err, errno, "ReceiveError", "read: %m");
		if (n == 0 && at == 0)
			return 0;
		if (n == 0)
			return nrd_fail(err, EINVAL, "BadBundle", "what is received is cut off");
		at += (size_t)n;
	}
	return 1;
}

/* 0: the end. */
static int
read_header(int fd, struct vm_bundle_header *ret_header, struct nrd_err *err)
{
	char data[VM_BUNDLE_HEADER];
	int r = read_all(fd, data, sizeof(data), err);

	if (r <= 0)
		return r;
	r = vm_bundle_header_parse(data, ret_header, err);
	return r < 0 ? r : 1;
}

/*
 * What the other node says of where things are must be so here; of what it has done with ids, nothing
 * is so here.
 */
static int
decode(const struct nrd_val *object, struct zone_config *c, struct nrd_err *err)
{
	NRD_FREE char *dataset = NULL;
	NRD_FREE char *zonepath = NULL;
	int r = nrd_wrap(err, nrd_decode(SCHEMA, object, NRD_DECODE_UNKNOWN, c, err), "the machine's object");

	if (r < 0)
		return r;
	if (c->zonename == NULL || c->zpool == NULL || c->zfs_filesystem == NULL || c->zonepath == NULL)
		return nrd_fail(err, EINVAL, "BadBundle", "the machine's object does not say zonename, zpool, zonepath and "
				"zfs_filesystem");
	dataset = nrd_format("%s/%s", c->zpool, c->zonename);
	zonepath = nrd_format("/%s", dataset != NULL ? dataset : "");
	if (dataset == NULL || zonepath == NULL)
		return nrd_nomem(err);
	if (!nrd_streq(c->zfs_filesystem, dataset) || !nrd_streq(c->zonepath, zonepath))
		return nrd_fail(err, EINVAL, "BadBundle", "the machine is not at %s and %s, where machines are", dataset,
				zonepath);
	NRD_CLEAR(SCHEMA, c, id_base);
	c->id_count = ZONE_IDS_COUNT;
	NRD_SET(SCHEMA, c, id_count);
	NRD_CLEAR(SCHEMA, c, zonedid);
	NRD_CLEAR(SCHEMA, c, failed);
	c->autoboot = false;
	NRD_SET(SCHEMA, c, autoboot);
	c->installed = ZONE_INCOMPLETE;
	NRD_SET(SCHEMA, c, installed);
	if (vm_transition_set(c, VM_RECEIVING) < 0)
		return nrd_nomem(err);
	return zone_config_verify(c, err);
}

static int
read_object(int fd, struct zone_config *ret_config, struct nrd_err *err)
{
	NRD_AUTO(nrd_json) *doc = NULL;
	NRD_FREE char *text = NULL;
	struct vm_bundle_header h;
	int r = read_header(fd, &h, err);

	if (r == 0)
		return nrd_fail(err, EINVAL, "BadBundle", "nothing to receive");
	if (r > 0 && (!nrd_streq(h.name, VM_BUNDLE_JSON) || h.padded > VM_BUNDLE_JSON_MAX || h.size == 0))
		return nrd_fail(err, EINVAL, "BadBundle", "its first part is not the machine's object");
	if (r < 0)
		return r;
	text = malloc(h.padded);
	if (text == NULL)
		return nrd_nomem(err);
	r = read_all(fd, text, h.padded, err);
	if (r == 0)
		return nrd_fail(err, EINVAL, "BadBundle", "what is received is cut off");
	if (r > 0)
		r = nrd_json_parse(text, h.size, NULL, &doc, err);
	return r < 0 ? r : decode(nrd_json_root(doc), ret_config, err);
}

/* ---- received ---- */

struct receiving {
	struct zone_config *config;
	const struct vm_transfer *transfer;
	bool written, whole;
};

static int
up_file(void *arg, struct nrd_err *err)
{
	struct receiving *g = arg;
	int r = zone_config_number(NULL, g->config, err);

	if (r == 0)
		r = zone_config_write(NULL, g->config, err);
	g->written = r == 0;
	return r;
}

static void
down_file(void *arg)
{
	struct receiving *g = arg;

	if (!g->written)
		return;
	(void)zone_config_delete(NULL, g->config->zonename, NULL);
	zone_run_remove(g->config->zonename);
}

/* Datasets that are not the machine's are not for it to bring. */
static int
up_datasets(void *arg, struct nrd_err *err)
{
	struct receiving *g = arg;
	const char *dataset = g->config->zfs_filesystem;
	const char *const argv[] = { "zfs", "receive", "-u", dataset, NULL };
	const struct nrd_proc proc = {
		.argv = argv, .stdin_fd = g->transfer->fd,
		.flags = NRD_PROC_SAME_GROUP | NRD_PROC_WITH_US | (g->transfer->fd == 0 ? NRD_PROC_STDIN : 0),
	};
	struct vm_bundle_header h;
	int r = read_header(g->transfer->fd, &h, err);

	if (r <= 0)
		return r;
	if (!nrd_streq(h.name, dataset))
		return nrd_fail(err, EINVAL, "BadBundle", "it brings dataset %s, and the machine has %s", h.name, dataset);
	r = nrd_wrap(err, nrd_run(&proc, NULL, NULL, err), "receive %s", dataset);
	if (r == 0)
		r = read_header(g->transfer->fd, &h, err);
	g->whole = r == 0;
	return r > 0 ? nrd_fail(err, EINVAL, "BadBundle", "it brings dataset %s besides the machine's own", h.name) : r;
}

static void
down_datasets(void *arg)
{
	struct receiving *g = arg;

	(void)brand_uninstall(&node, g->config, NULL);
}

/* What is there becomes the machine's. */
static int
finish(struct zone_config *c, struct nrd_err *err)
{
	NRD_AUTO(store) *store = NULL;
	int r = store_open(&store, err);

	if (r == 0 && !store_dataset_exists(store, c->zfs_filesystem))
		r = nrd_fail(err, ENOENT, "ZfsNotFound", "there is no dataset %s: receive it first", c->zfs_filesystem);
	if (r == 0)
		r = vm_sending_forget(store, c->zfs_filesystem, err);
	c->installed = ZONE_CONFIGURED;
	if (r == 0)
		r = brand_attach(&node, c, false, err);
	if (r < 0) {
		c->installed = ZONE_INCOMPLETE;
		return r;
	}
	(void)vm_transition_set(c, NULL);
	return zone_config_write(NULL, c, err);
}

/* Somebody else may bring the dataset. */
static int
leave_open(struct zone_config *c, struct nrd_err *err)
{
	c->transition_expire = ((uint64_t)time(NULL) + DAY_S) * 1000;
	NRD_SET(SCHEMA, c, transition_expire);
	if (nrd_str_set(&c->transition_to, "stopped") < 0)
		return nrd_nomem(err);
	NRD_SET(SCHEMA, c, transition_to);
	return zone_config_write(NULL, c, err);
}

static int
up_installed(void *arg, struct nrd_err *err)
{
	struct receiving *g = arg;

	return g->whole ? finish(g->config, err) : leave_open(g->config, err);
}

static const struct brand_step steps[] = {
	{ "file", up_file, down_file },
	{ "datasets", up_datasets, down_datasets },
	{ "installed", up_installed },
};

static int
must_be_free(const struct zone_config *c, struct nrd_err *err)
{
	NRD_AUTO(store) *store = NULL;
	int r = vm_must_be_new(c, err);

	if (r == 0)
		r = store_open(&store, err);
	if (r == 0 && store_dataset_exists(store, c->zfs_filesystem))
		r = nrd_fail(err, EEXIST, "VmExists", "there is a dataset %s already", c->zfs_filesystem);
	return r;
}

int
vm_receive(const struct vm_transfer *t, char ret_uuid[VM_TRANSFER_UUID], struct nrd_err *err)
{
	NRD_AUTO(zone_config) config = { 0 };
	struct receiving g = { .config = &config, .transfer = t };
	NRD_CLOSE int lock = -1;
	int r = read_object(t->fd, &config, err);

	ret_uuid[0] = '\0';
	if (r < 0)
		return r;
	nrd_uuid_format(&config.uuid, ret_uuid);
	r = zone_lock(config.zonename, true, &lock, err);
	if (r == 0)
		r = must_be_free(&config, err);
	if (r == 0)
		r = brand_steps_run(steps, nrd_count(steps), &g, err);
	return r == 0 ? vm_history_add(&config, "receive", NULL, err) : r;
}

int
vm_install(const char *uuid, struct nrd_err *err)
{
	NRD_AUTO(vm) vm = { 0 };
	NRD_CLOSE int lock = -1;
	int r = vm_open(uuid, &vm, &lock, err);

	if (r == 0 && !nrd_streq(vm.config.transition, VM_RECEIVING))
		return nrd_fail(err, EINVAL, "VmWrongState", "it is %s: only a machine that is receiving is installed",
				vm_state(&vm));
	if (r == 0)
		r = finish(&vm.config, err);
	return r == 0 ? vm_history_add(&vm.config, "install", NULL, err) : r;
}
