/* SPDX-License-Identifier: MPL-2.0 */
/* Copyright 2026 The Nereid authors */
#pragma once

/* A node made of directories: two volumes, a made-up os-release, small platforms. */
#include <sys/stat.h>

#include "nrd-test.h"

#include "nrd/buf.h"
#include "nrd/file.h"
#include "nrd/hash.h"
#include "nrd/mem.h"
#include "nrd/str.h"
#include "platform/platform-priv.h"
#include "platform/platform.h"

#define A "20260101T000000Z"
#define B "20260202T000000Z"
#define C "20260303T000000Z"
#define D "20260404T000000Z"

struct fixture {
	char dir[64];
	char *os_release, *run, *v0, *v1, *arg0, *arg1;
	const char *dirs[3];
	struct platform_opts opts;
};

__attribute__((format(printf, 2, 3))) static inline char *
path_of(const struct fixture *f, const char *fmt, ...)
{
	va_list ap;
	char rest[256];
	char *path;

	va_start(ap, fmt);
	(void)vsnprintf(rest, sizeof(rest), fmt, ap);
	va_end(ap);
	path = nrd_path_join(f->dir, rest);
	CHECK(path != NULL);
	return path;
}

static inline void
put(const char *path, const char *text)
{
	struct nrd_err err = { 0 };

	CHECK_OK(nrd_file_write(path, text, strlen(text), 0644, &err), err);
}

static inline void
fixture_running(struct fixture *f, const char *stamp)
{
	NRD_FREE char *text = nrd_format("NAME=Nereid\nID=nereid\nVERSION_ID=%s\n", stamp);

	put(f->os_release, text);
}

static inline void
fixture_init(struct fixture *f)
{
	struct nrd_err err = { 0 };
	NRD_FREE char *p0 = NULL;
	NRD_FREE char *p1 = NULL;

	*f = (struct fixture){ 0 };
	test_mkdir(f->dir);
	f->os_release = path_of(f, "os-release");
	f->run = path_of(f, "run");
	f->v0 = path_of(f, "v0");
	f->v1 = path_of(f, "v1");
	f->arg0 = nrd_format("NEREID0=%s", f->v0);
	f->arg1 = nrd_format("NEREID1=%s", f->v1);
	f->dirs[0] = f->arg0;
	f->dirs[1] = f->arg1;
	p0 = nrd_path_join(f->v0, "nereid/platform");
	p1 = nrd_path_join(f->v1, "nereid/platform");
	CHECK_OK(nrd_mkdir_p(p0, 0755, &err), err);
	CHECK_OK(nrd_mkdir_p(p1, 0755, &err), err);
	f->opts = (struct platform_opts){
		.node = { .os_release = f->os_release, .run = f->run, .staging = f->dir,
			  .cmdline = "/dev/null", .sys = f->dir },
		.dirs = f->dirs,
		.flags = PLATFORM_WRITE,
	};
	fixture_running(f, A);
}

static inline void
fixture_fini(struct fixture *f)
{
	struct nrd_err err = { 0 };

	CHECK_OK(platform_tree_remove(f->dir, &err), err);
	free(f->os_release);
	free(f->run);
	free(f->v0);
	free(f->v1);
	free(f->arg0);
	free(f->arg1);
}

/* A directory f->dir/src/STAMP with two files of these sizes and their manifest; caller frees. */
static inline char *
make_platform(const struct fixture *f, const char *stamp, size_t kernel, size_t archive)
{
	const struct {
		const char *name;
		size_t size;
	} files[] = { { "kernel", kernel }, { "boot_archive", archive } };
	NRD_AUTO(nrd_buf) json = { 0 };
	char *dir = path_of(f, "src/%s", stamp);
	NRD_FREE char *manifest = nrd_path_join(dir, "manifest.json");
	struct nrd_err err = { 0 };

	CHECK_OK(nrd_mkdir_p(dir, 0755, &err), err);
	nrd_buf_printf(&json, "{\"stamp\":\"%s\",\"version\":1,\"kernel_release\":\"6.12\","
			      "\"files\":[", stamp);
	for (size_t i = 0; i < nrd_count(files); i++) {
		NRD_FREE char *path = nrd_path_join(dir, files[i].name);
		NRD_FREE char *data = malloc(files[i].size);
		char sha256[NRD_HASH_TEXT];

		for (size_t j = 0; j < files[i].size; j++)
			data[j] = (char)(j * 31 + i + (size_t)stamp[5] * 7);
		CHECK_OK(nrd_file_write(path, data, files[i].size, 0644, &err), err);
		CHECK_OK(nrd_hash_bytes(NRD_SHA256, data, files[i].size, sha256, &err), err);
		nrd_buf_printf(&json, "%s{\"name\":\"%s\",\"size\":%zu,\"sha256\":\"%s\"}",
			       i > 0 ? "," : "", files[i].name, files[i].size, sha256);
	}
	nrd_buf_adds(&json, "]}");
	put(manifest, nrd_buf_str(&json));
	return dir;
}

/* platform_open, one act, platform_close. */
static inline int
do_install(const struct fixture *f, const char *stamp, unsigned flags,
	   struct platform_change *change, struct nrd_err *err)
{
	__attribute__((cleanup(platform_source_cleanup))) struct platform_source src = { 0 };
	NRD_FREE char *dir = make_platform(f, stamp, 5000, 70000);
	NRD_AUTO(platform) *p = NULL;
	int r = platform_open(&f->opts, &p, err);

	if (r == 0)
		r = platform_source_open_dir(dir, &src, err);
	if (r == 0)
		r = platform_install(p, &src, flags, change, err);
	return r < 0 ? r : platform_close(NRD_TAKE(p), err);
}

static inline int
do_activate(const struct fixture *f, const char *stamp, struct nrd_err *err)
{
	struct platform_change change;
	NRD_AUTO(platform) *p = NULL;
	int r = platform_open(&f->opts, &p, err);

	return r < 0 ? r : platform_activate(p, stamp, &change, err);
}

static inline int
do_remove(const struct fixture *f, const char *stamp, struct nrd_err *err)
{
	NRD_AUTO(platform) *p = NULL;
	int r = platform_open(&f->opts, &p, err);

	return r < 0 ? r : platform_remove(p, stamp, err);
}

static inline struct platform_grubenv
env_of(const char *volume)
{
	NRD_FREE char *path = nrd_path_join(volume, "nereid/grubenv");
	struct platform_grubenv env;
	struct nrd_err err = { 0 };

	CHECK_OK(platform_grubenv_read(path, &env, &err), err);
	return env;
}

static inline void
env_put(const char *volume, const struct platform_grubenv *env)
{
	NRD_FREE char *path = nrd_path_join(volume, "nereid/grubenv");
	struct nrd_err err = { 0 };

	CHECK_OK(platform_grubenv_write(path, env, &err), err);
}

/* Is the version there and right to the last byte? */
static inline bool
is_good(const char *volume, const char *stamp)
{
	__attribute__((cleanup(platform_manifest_cleanup))) struct platform_manifest m = { 0 };
	NRD_FREE char *dir = nrd_format("%s/nereid/platform/%s", volume, stamp);

	return platform_manifest_read(dir, &m, NULL) == 0 &&
	       platform_manifest_check(&m, dir, NULL) == 0;
}

static inline bool
is_there(const char *volume, const char *name)
{
	NRD_FREE char *path = nrd_format("%s/nereid/platform/%s", volume, name);

	return nrd_path_exists(path);
}
