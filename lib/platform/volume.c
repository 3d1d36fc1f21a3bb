/* SPDX-License-Identifier: MPL-2.0 */
/* Copyright 2026 The Nereid authors */
#include "platform/volume.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/statvfs.h>

#include "nrd/file.h"
#include "nrd/mem.h"
#include "nrd/str.h"
#include "nrd/vec.h"
#include "platform/manifest.h"

int
platform_volume_init(struct platform_volume *v, enum platform_volume_kind kind, const char *label,
		     const char *path, struct nrd_err *err)
{
	*v = (struct platform_volume){ .kind = kind };
	if (nrd_str_set(&v->label, label) < 0 || nrd_str_set(&v->path, path) < 0) {
		platform_volume_fini(v);
		return nrd_nomem(err);
	}
	return 0;
}

void
platform_volume_fini(struct platform_volume *v)
{
	free(v->label);
	free(v->uuid);
	free(v->device);
	free(v->path);
	nrd_vec_fini(v);
	*v = (struct platform_volume){ 0 };
}

bool
platform_volume_is_ours(const char *path)
{
	NRD_FREE char *dir = nrd_path_join(path, "nereid/platform");

	return dir != NULL && nrd_path_exists(dir);
}

char *
platform_volume_dir(const struct platform_volume *v, const char *prefix, const char *stamp)
{
	if (stamp == NULL)
		return nrd_format("%s/nereid/platform", v->path);
	return nrd_format("%s/nereid/platform/%s%s", v->path, prefix, stamp);
}

/* Fills in what dir holds; a version that is not whole says why. */
static int
version_read(const char *dir, struct platform_version *version, struct nrd_err *err)
{
	__attribute__((cleanup(platform_manifest_cleanup))) struct platform_manifest m = { 0 };
	struct nrd_err why = { 0 };
	int r = platform_manifest_read(dir, &m, &why);

	if (r == 0 && !nrd_streq(m.stamp, version->stamp))
		r = nrd_fail(&why, EBADMSG, "PlatformDamaged", "its manifest is that of %s",
			     m.stamp);
	if (r == 0)
		r = platform_manifest_check_sizes(&m, dir, &why);
	if (r == -ENOMEM)
		return nrd_nomem(err);
	version->whole = r == 0;
	if (r < 0)
		(void)snprintf(version->why, sizeof(version->why), "%s",
			       why.num == ENOENT ? "it has no manifest" : why.msg);
	if (m.stamp != NULL)
		version->bytes = platform_manifest_bytes(&m);
	if (m.kernel_release != NULL)
		(void)snprintf(version->kernel, sizeof(version->kernel), "%s", m.kernel_release);
	return 0;
}

static int
by_stamp(const void *a, const void *b)
{
	return strcmp(((const struct platform_version *)a)->stamp,
		      ((const struct platform_version *)b)->stamp);
}

static int
versions_read(struct platform_volume *v, struct nrd_err *err)
{
	NRD_FREE char *top = platform_volume_dir(v, NULL, NULL);
	NRD_CLOSEDIR DIR *dir = top != NULL ? opendir(top) : NULL;
	struct dirent *d;

	if (top == NULL)
		return nrd_nomem(err);
	if (dir == NULL)
		return errno == ENOENT ? 0
				       : nrd_fail(err, errno, "VolumeRead", "read %s: %m", top);
	while (errno = 0, (d = readdir(dir)) != NULL) {
		struct platform_version version = { 0 };
		NRD_FREE char *path = NULL;

		if (!platform_stamp_valid(d->d_name))
			continue;
		memcpy(version.stamp, d->d_name, sizeof(version.stamp));
		path = nrd_path_join(top, d->d_name);
		if (path == NULL || version_read(path, &version, err) < 0 ||
		    nrd_vec_push(v, version) < 0)
			return nrd_nomem(err);
	}
	if (errno != 0)
		return nrd_fail(err, errno, "VolumeRead", "read %s: %m", top);
	if (v->len > 0)
		qsort(v->data, v->len, sizeof(*v->data), by_stamp);
	return 0;
}

int
platform_volume_read(struct platform_volume *v, struct nrd_err *err)
{
	NRD_FREE char *path = nrd_path_join(v->path, "nereid/grubenv");
	int r;

	nrd_vec_fini(v);
	v->env = (struct platform_grubenv){ 0 };
	v->env_err = (struct nrd_err){ 0 };
	if (path == NULL)
		return nrd_nomem(err);
	if (v->kind == PLATFORM_COPIES)
		v->env_good = true;
	else
		v->env_good = platform_grubenv_read(path, &v->env, &v->env_err) == 0;
	if (!v->env_good && v->env_err.num == EIO)
		return nrd_fail(err, EIO, "VolumeRead", "read %s: %s", path, strerror(EIO));
	r = versions_read(v, err);
	return r;
}

const struct platform_version *
platform_volume_find(const struct platform_volume *v, const char *stamp)
{
	nrd_vec_each(version, v) {
		if (nrd_streq(version->stamp, stamp))
			return version;
	}
	return NULL;
}

static const struct platform_version *
find_whole(const struct platform_volume *v, const char *stamp)
{
	const struct platform_version *version = platform_volume_find(v, stamp);

	return version != NULL && version->whole ? version : NULL;
}

const struct platform_version *
platform_volume_next(const struct platform_volume *v)
{
	const char *const known[] = { v->env.tries > 0 ? v->env.next : "", v->env.current,
				      v->env.previous };
	const struct platform_version *newest = NULL, *any = NULL;

	for (size_t i = 0; i < nrd_count(known); i++) {
		const struct platform_version *version = find_whole(v, known[i]);

		if (version != NULL)
			return version;
	}
	nrd_vec_each(version, v) {
		if (!version->whole)
			continue;
		any = version;
		if (!nrd_streq(version->stamp, v->env.failed) &&
		    !nrd_streq(version->stamp, v->env.next))
			newest = version;
	}
	return newest != NULL ? newest : any;
}

int
platform_volume_env_write(struct platform_volume *v, const struct platform_grubenv *env,
			  struct nrd_err *err)
{
	NRD_FREE char *path = NULL;
	int r;

	if (v->kind == PLATFORM_COPIES)
		return 0;
	path = nrd_path_join(v->path, "nereid/grubenv");
	if (path == NULL)
		return nrd_nomem(err);
	r = platform_grubenv_write(path, env, err);
	if (r < 0)
		return r;
	v->env = *env;
	v->env_good = true;
	return 0;
}

int
platform_volume_free(const struct platform_volume *v, uint64_t *ret_bytes, struct nrd_err *err)
{
	struct statvfs st;

	if (statvfs(v->path, &st) < 0)
		return nrd_fail(err, errno, "VolumeRead", "read %s: %m", v->path);
	*ret_bytes = (uint64_t)st.f_bavail * st.f_frsize;
	return 0;
}
