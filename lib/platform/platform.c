/* SPDX-License-Identifier: MPL-2.0 */
/* Copyright 2026 The Nereid authors */
#include "platform/platform.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "nrd/file.h"
#include "nrd/mem.h"
#include "nrd/str.h"
#include "nrd/vec.h"
#include "platform/platform-priv.h"
#include "platform/scan.h"

#define CMDLINE_MAX ((size_t)16 << 10)
#define COPIES_DIR "/zones/boot"

static void
node_defaults(struct platform_node *node)
{
	const struct {
		const char **member;
		const char *value;
	} defaults[] = {
		{ &node->os_release, "/etc/os-release" }, { &node->cmdline, "/proc/cmdline" },
		{ &node->sys, "/sys" },                   { &node->run, "/run/nereid" },
		{ &node->files, "/usr/lib/nereid/boot" }, { &node->staging, "/var/tmp" },
	};

	for (size_t i = 0; i < nrd_count(defaults); i++) {
		if (*defaults[i].member == NULL)
			*defaults[i].member = defaults[i].value;
	}
}

/* nereid.bootfs=UUID of the kernel's command line. */
static void
booted_read(struct platform *p)
{
	NRD_FREE char *text = NULL;
	struct nrd_str rest, word;

	if (nrd_file_read(p->node.cmdline, CMDLINE_MAX, &text, NULL, NULL) < 0)
		return;
	text[strcspn(text, "\n")] = '\0';
	rest = nrd_str(text);
	while (nrd_str_word(&rest, &word)) {
		NRD_FREE char *w = nrd_str_dup(word);
		const char *uuid = w != NULL ? nrd_starts(w, "nereid.bootfs=") : NULL;

		if (uuid != NULL)
			(void)nrd_strcpy_to(p->booted, sizeof(p->booted), uuid);
	}
}

static int
lock_take(struct platform *p, bool wait, struct nrd_err *err)
{
	NRD_FREE char *path = nrd_path_join(p->node.run, "piadm.lock");
	int r;

	if (path == NULL)
		return nrd_nomem(err);
	r = nrd_mkdir_p(p->node.run, 0755, err);
	if (r < 0)
		return r;
	p->lock_fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0644);
	if (p->lock_fd < 0)
		return nrd_fail(err, errno, "FileOpen", "open %s: %m", path);
	if (flock(p->lock_fd, LOCK_EX | (wait ? 0 : LOCK_NB)) < 0)
		return nrd_fail(err, EBUSY, "PlatformBusy",
				"another piadm is changing the boot volumes; wait until it is "
				"done");
	return 0;
}

static enum platform_volume_kind
kind_of(const char *label)
{
	if (nrd_streq(label, PLATFORM_MASTER))
		return PLATFORM_COPIES;
	return nrd_streq(label, PLATFORM_LABEL) ? PLATFORM_STICK : PLATFORM_ESP;
}

static int
volume_add(struct platform *p, struct platform_volume *v, struct nrd_err *err)
{
	if (nrd_vec_push(p, *v) < 0) {
		platform_volume_fini(v);
		return nrd_nomem(err);
	}
	return 0;
}

static int
add_dirs(struct platform *p, const char *const *dirs, struct nrd_err *err)
{
	p->by_hand = true;
	for (; *dirs != NULL; dirs++) {
		struct nrd_str rest = nrd_str(*dirs), part;
		NRD_FREE char *label = NULL;
		struct platform_volume v;
		int r;

		if (!nrd_str_split(&rest, '=', &part) || part.len == 0 || rest.data == NULL ||
		    rest.len == 0)
			return nrd_fail(err, EINVAL, "Usage", "\"%s\" is not LABEL=DIRECTORY",
					*dirs);
		label = nrd_str_dup(part);
		if (label == NULL)
			return nrd_nomem(err);
		r = platform_volume_init(&v, kind_of(label), label, rest.data, err);
		if (r == 0)
			r = volume_add(p, &v, err);
		if (r < 0)
			return r;
	}
	return 0;
}

static bool
has_device(const struct platform *p, const char *device)
{
	nrd_vec_each(v, p) {
		if (nrd_streq(v->device, device))
			return true;
	}
	return false;
}

/* Those that are not there yet. */
static int
add_devices(struct platform *p, struct nrd_err *err)
{
	__attribute__((cleanup(platform_devices_cleanup))) struct platform_devices found = { 0 };
	int r = platform_scan(p->node.sys, &found, err);

	if (r < 0)
		return r;
	nrd_vec_each(d, &found) {
		struct platform_volume v = {
			.kind = kind_of(d->label),
			.booted = d->uuid != NULL && nrd_streq(d->uuid, p->booted),
		};

		if (d->iso || has_device(p, d->path))
			continue;
		v.label = NRD_TAKE(d->label);
		v.uuid = NRD_TAKE(d->uuid);
		v.device = NRD_TAKE(d->path);
		r = volume_add(p, &v, err);
		if (r < 0)
			return r;
	}
	return 0;
}

static int
add_copies(struct platform *p, struct nrd_err *err)
{
	struct platform_volume v;
	int r;

	if (!platform_volume_is_ours(COPIES_DIR))
		return 0;
	r = platform_volume_init(&v, PLATFORM_COPIES, PLATFORM_MASTER, COPIES_DIR, err);
	return r < 0 ? r : volume_add(p, &v, err);
}

/* Which of the volumes the call is about. */
static bool
wanted(const struct platform *p, const struct platform_volume *v, const char *where,
       unsigned flags)
{
	bool booted_esp = false, booted_stick = false, esp = false;

	if (where != NULL)
		return nrd_streq(where, v->label) ||
		       (nrd_streq(where, PLATFORM_POOL) && v->kind != PLATFORM_STICK);
	if ((flags & PLATFORM_ALL) != 0 || p->by_hand)
		return true;
	nrd_vec_each(other, p) {
		esp |= other->kind == PLATFORM_ESP;
		booted_esp |= other->booted && other->kind == PLATFORM_ESP;
		booted_stick |= other->booted && other->kind == PLATFORM_STICK;
	}
	if (booted_stick)
		return v->booted;
	/* Booted over the net or from an ISO: the pool's volumes come first. */
	if (booted_esp || esp)
		return v->kind != PLATFORM_STICK;
	return true;
}

static void
volume_drop(struct platform *p, size_t i)
{
	platform_volume_fini(&p->data[i]);
	nrd_vec_remove(p, i);
}

static int
volume_mount(struct platform *p, struct platform_volume *v, bool write, struct nrd_err *err)
{
	bool repaired = false;
	int r;

	if (v->device == NULL)
		return 0;
	v->path = nrd_format("%s/boot/%s", p->node.run, strrchr(v->device, '/') + 1);
	if (v->path == NULL)
		return nrd_nomem(err);
	r = platform_mount_fat(v->device, v->path, write, &repaired, err);
	if (r < 0) {
		nrd_freep(&v->path);
		v->path = NULL;
		return r;
	}
	v->mounted = true;
	if (repaired && p->ui.note != NULL) {
		NRD_FREE char *text = nrd_format("%s (%s): was not unmounted cleanly; checked and "
						 "repaired", v->label, v->device);

		p->ui.note(p->ui.arg, text != NULL ? text : v->label);
	}
	return 0;
}

static int
volume_load(struct platform *p, struct platform_volume *v, bool write, struct nrd_err *err)
{
	int r = volume_mount(p, v, write, err);

	if (r == 0 && platform_volume_is_ours(v->path))
		r = platform_volume_read(v, err);
	return nrd_wrap(err, r, "%s", v->label);
}

/*
 * Mounts and reads those that are not yet. A volume that cannot be used does not keep the others
 * from it: it is left out, and remembered as one on which every change fails.
 */
static int
volumes_load(struct platform *p, const struct platform_opts *opts, struct nrd_err *err)
{
	nrd_vec_each(v, p)
		v->selected = wanted(p, v, opts->where, opts->flags);
	for (size_t i = p->len; i-- > 0;) {
		struct platform_volume *v = &p->data[i];
		struct nrd_err why = { 0 };
		int r;

		if (!v->selected) {
			volume_drop(p, i);
			continue;
		}
		if (v->device != NULL && v->mounted)
			continue;
		r = volume_load(p, v, (opts->flags & PLATFORM_WRITE) != 0, &why);
		if (r == -ENOMEM)
			return nrd_nomem(err);
		if (r < 0) {
			p->broken++;
			p->broken_err = why;
		}
		/* Or it only carries answers. */
		if (r < 0 || !platform_volume_is_ours(v->path)) {
			if (v->mounted)
				(void)platform_unmount(v->path, NULL);
			volume_drop(p, i);
		}
	}
	return 0;
}

static int
selection_check(const struct platform *p, const struct platform_opts *opts, struct nrd_err *err)
{
	size_t sticks = 0;

	nrd_vec_each(v, p)
		sticks += v->kind == PLATFORM_STICK;
	if (p->len == 0 && p->broken > 0) {
		if (err != NULL)
			*err = p->broken_err;
		return -p->broken_err.num;
	}
	if (p->len == 0 && opts->where != NULL)
		return nrd_fail(err, ENOENT, "VolumeNotFound", "%s: no such boot volume",
				opts->where);
	if (p->len == 0 && (opts->flags & PLATFORM_ALL) == 0)
		return nrd_fail(err, ENOENT, "VolumeNotFound",
				"no boot volume: the node was not started from a USB stick and no "
				"pool is bootable (piadm bootable -e %s)", PLATFORM_POOL);
	if (sticks > 1 && (opts->flags & PLATFORM_WRITE) != 0)
		return nrd_fail(err, EINVAL, "VolumeAmbiguous",
				"%zu volumes are labelled %s; pull out all but one", sticks,
				PLATFORM_LABEL);
	return 0;
}

int
platform_open(const struct platform_opts *opts, struct platform **ret_p, struct nrd_err *err)
{
	NRD_AUTO(platform) *p = calloc(1, sizeof(*p));
	int r = 0;

	if (p == NULL)
		return nrd_nomem(err);
	*p = (struct platform){ .node = opts->node, .ui = opts->ui, .lock_fd = -1 };
	node_defaults(&p->node);
	(void)platform_stamp_running(p->node.os_release, p->running, NULL);
	booted_read(p);
	if ((opts->flags & PLATFORM_WRITE) != 0)
		r = lock_take(p, (opts->flags & PLATFORM_WAIT) != 0, err);
	if (r == 0 && opts->dirs != NULL)
		r = add_dirs(p, opts->dirs, err);
	else if (r == 0)
		r = add_devices(p, err);
	if (r == 0 && opts->dirs == NULL)
		r = add_copies(p, err);
	if (r == 0)
		r = volumes_load(p, opts, err);
	if (r == 0 && (opts->flags & PLATFORM_EMPTY) == 0)
		r = selection_check(p, opts, err);
	if (r < 0)
		return r;
	*ret_p = NRD_TAKE(p);
	return 0;
}

int
platform_open_more(struct platform *p, const struct platform_opts *opts, struct nrd_err *err)
{
	int r = add_devices(p, err);

	if (r == 0)
		r = volumes_load(p, opts, err);
	return r < 0 ? r : selection_check(p, opts, err);
}

int
platform_close(struct platform *p, struct nrd_err *err)
{
	int result = 0;

	if (p == NULL)
		return 0;
	nrd_vec_each(v, p) {
		struct nrd_err why = { 0 };
		int r = v->mounted ? platform_unmount(v->path, &why) : 0;

		if (r < 0 && result == 0) {
			if (err != NULL)
				*err = why;
			result = nrd_wrap(err, r, "%s", v->label);
		}
		platform_volume_fini(v);
	}
	nrd_vec_fini(p);
	if (p->lock_fd >= 0)
		(void)close(p->lock_fd);
	free(p);
	return result;
}

void
platform_cleanup(struct platform **p)
{
	(void)platform_close(*p, NULL);
}
