/* SPDX-License-Identifier: MPL-2.0 */
/* Copyright 2026 The Nereid authors */
#include "vm/archive.h"

#include <errno.h>
#include <sys/stat.h>

#include "nrd/file.h"
#include "nrd/mem.h"
#include "nrd/proc.h"
#include "nrd/str.h"

/* A file or a directory with all below it; fine when it is not there. */
static int
keep(const char *from, const char *dir, const char *name, struct nrd_err *err)
{
	NRD_FREE char *to = nrd_path_join(dir, name);

	if (from == NULL || to == NULL)
		return nrd_nomem(err);
	if (!nrd_path_exists(from))
		return 0;
	return nrd_run_argv(NULL, err, "cp", "-a", "-T", "--", from, to, NULL);
}

static int
keep_object(const struct vm *vm, const char *dir, struct nrd_err *err)
{
	NRD_FREE char *path = nrd_path_join(dir, "machine.json");
	NRD_AUTO(nrd_buf) text = { 0 };
	struct nrd_jw w;
	int r;

	if (path == NULL)
		return nrd_nomem(err);
	nrd_jw_init(&w, &text, NRD_JW_PRETTY);
	r = vm_write(vm, VM_PART_SNAPSHOTS | VM_PART_NODE, NULL, &w, err);
	if (r == 0)
		r = nrd_jw_finish(&w, err);
	return r == 0 ? nrd_file_write(path, nrd_buf_str(&text), text.len, 0600, err) : r;
}

int
vm_archive(const struct vm *vm, struct nrd_err *err)
{
	const struct zone_config *c = &vm->config;
	NRD_FREE char *top = nrd_format("/%s/archive", c->zpool);
	NRD_FREE char *log = nrd_format(ZONE_RUN_DIR "/%s/log", c->zonename);
	NRD_FREE char *logs = nrd_path_join(c->zonepath, ZONE_LOGS_DIR);
	NRD_FREE char *dir = NULL;
	char uuid[NRD_UUID_TEXT];
	struct stat st;
	int r;

	nrd_uuid_format(&c->uuid, uuid);
	dir = top != NULL ? nrd_path_join(top, uuid) : NULL;
	if (dir == NULL)
		return nrd_nomem(err);
	if (!c->archive_on_delete || stat(top, &st) < 0)
		return 0;
	r = nrd_mkdir_p(dir, 0700, err);
	if (r == 0)
		r = keep_object(vm, dir, err);
	if (r == 0)
		r = keep(log, dir, "zoneadmd.log", err);
	if (r == 0)
		r = keep(logs, dir, ZONE_LOGS_DIR, err);
	return r == 0 ? 0 : nrd_fail(err, -r, "VmArchive", "keep what tells of it in %s: %s (vmadm update it with "
				     "archive_on_delete=false to do without)", dir, err->msg);
}
