/* SPDX-License-Identifier: MPL-2.0 */
/* Copyright 2026 The Nereid authors */
#include "live.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "nrd/json.h"
#include "nrd/mem.h"
#include "nrd/schema.h"
#include "nrd/str.h"
#include "zone/cgroup.h"
#include "zone/enter.h"
#include "zone/ipc.h"
#include "zone/jail.h"
#include "zone/state.h"

#define SCHEMA (&zone_config_schema)

/* Limits that zone_live_apply changes, and what means nothing to a zone that runs. */
static const char *const live_keys[] = {
	"cpu_shares", "cpu_cap", "dedicated_cpu", "max_physical_memory", "max_swap",
	"max_locked_memory", "tmpfs", "max_lwps", "max_processes", "max_msg_ids", "max_sem_ids",
	"max_shm_ids", "max_shm_memory", "zfs_io_priority", "quota",
	"zone_installed", "create_timestamp", "zonedid", "id_base", "id_count", "alias", "owner_uuid",
	"billing_id", "image_uuid", "autoboot", "customer_metadata", "internal_metadata",
	"internal_metadata_namespaces", "tags",
	"attrs", "transition", "transition_to", "transition_expire", "failed", "archive_on_delete", "do_not_inventory", "firewall_enabled",
	"indestructible_zoneroot", "indestructible_delegated", "package_name", "package_version",
	"zfs_root_compression", "zfs_data_compression", "zfs_root_recsize", "zfs_data_recsize",
	"zfs_filesystem_limit", "zfs_snapshot_limit", "mdata_exec_timeout", NULL,
};

/* A /tmp that is on disk does not become a tmpfs under those who use it, nor the other way round. */
static bool
is_live(const struct nrd_field *field, const struct zone_config *in_force,
	const struct zone_config *config)
{
	if (nrd_streq(nrd_field_key(field), "tmpfs"))
		return (in_force->tmpfs == 0) == (config->tmpfs == 0);
	return nrd_strv_has(live_keys, nrd_field_key(field));
}

static char *
run_dir(const char *name)
{
	return nrd_format(ZONE_RUN_DIR "/%s", name);
}

int
zone_live_read(const char *name, struct zone_config *ret_config, struct nrd_err *err)
{
	NRD_FREE char *dir = run_dir(name);

	return dir == NULL ? nrd_nomem(err) : zone_config_read(dir, name, ret_config, err);
}

int
zone_live_write(const struct zone_config *in_force, struct nrd_err *err)
{
	NRD_FREE char *dir = run_dir(in_force->zonename);

	return dir == NULL ? nrd_nomem(err) : zone_config_write(dir, in_force, err);
}

void
zone_live_remove(const char *name)
{
	NRD_FREE char *dir = run_dir(name);

	if (dir != NULL)
		(void)zone_config_delete(dir, name, NULL);
}

static int
field_text(const struct nrd_field *field, const struct zone_config *config, struct nrd_buf *out,
	   struct nrd_err *err)
{
	struct nrd_jw w;

	nrd_jw_init(&w, out, NRD_JW_COMPACT);
	nrd_jw_obj_open(&w);
	if (nrd_field_present(SCHEMA, field, config)) {
		nrd_jw_key(&w, nrd_field_key(field));
		nrd_encode_field(SCHEMA, field, config, &w);
	}
	nrd_jw_obj_close(&w);
	return nrd_jw_finish(&w, err);
}

static int
take_live(struct zone_config *in_force, const struct zone_config *config, struct nrd_err *err)
{
	for (size_t i = 0; i < SCHEMA->n_fields; i++) {
		const struct nrd_field *field = &SCHEMA->fields[i];
		NRD_AUTO(nrd_buf) text = { 0 };

		if (!is_live(field, in_force, config))
			continue;
		int r = field_text(field, config, &text, err);

		if (r < 0)
			return r;
		nrd_field_clear(SCHEMA, field, in_force);
		r = nrd_decode_text(SCHEMA, nrd_buf_str(&text), text.len, NULL, NRD_DECODE_PARTIAL,
				    in_force, err);
		if (r < 0)
			return r;
	}
	return 0;
}

int
zone_live_waiting(const struct zone_config *in_force, const struct zone_config *config, bool tried,
		  char ***ret_keys, struct nrd_err *err)
{
	NRD_STRV char **keys = NULL;

	for (size_t i = 0; i < SCHEMA->n_fields; i++) {
		const struct nrd_field *field = &SCHEMA->fields[i];
		NRD_AUTO(nrd_buf) old = { 0 };
		NRD_AUTO(nrd_buf) new = { 0 };

		if (!tried && is_live(field, in_force, config))
			continue;
		int r = field_text(field, in_force, &old, err);

		if (r >= 0)
			r = field_text(field, config, &new, err);
		if (r < 0)
			return r;
		if (strcmp(nrd_buf_str(&old), nrd_buf_str(&new)) != 0 &&
		    nrd_strv_add(&keys, nrd_field_key(field)) < 0)
			return nrd_nomem(err);
	}
	*ret_keys = NRD_TAKE(keys);
	return 0;
}

/* ---- in force ---- */

static void
relimit(pid_t pid, void *arg)
{
	zone_jail_relimit(arg, pid);
}

/* The first failure is the one that is told. */
static int
first(int r, int now, const struct nrd_err *why, struct nrd_err *err)
{
	if (r < 0 || now >= 0)
		return r;
	if (err != NULL)
		*err = *why;
	return now;
}

int
zone_live_apply(const struct zone_config *config, int pidfd, struct zone_config *in_force,
		struct nrd_err *err)
{
	struct zone_config limits = *config; /* only looked at */
	struct nrd_err why = { 0 };
	int r = 0;

	r = first(r, zone_cgroup_limit(config, &why), &why, err);
	if (pidfd >= 0) {
		r = first(r, zone_ipc_limit(config, pidfd, false, &why), &why, err);
		/* Twice: what was forked meanwhile has the limits of its parent. */
		for (int i = 0; i < 2; i++)
			zone_cgroup_each(config->zonename, relimit, &limits);
		if (config->tmpfs != 0 && in_force->tmpfs != 0 && config->tmpfs != in_force->tmpfs)
			r = first(r, zone_enter_tmpfs(config->zonename, "/tmp", config->tmpfs, &why),
				  &why, err);
	}
	/* What failed is not in force; what else was asked for with it counts as it does. */
	return r < 0 ? r : take_live(in_force, config, err);
}
