/* SPDX-License-Identifier: MPL-2.0 */
/* Copyright 2026 The Nereid authors */
#pragma once

/* A node made of directories: zones' files, a platform of a few files, places for zones. */
#include <fcntl.h>
#include <sys/stat.h>

#include "brand/brand.h"
#include "brand/lifecycle.h"
#include "brand/root.h"
#include "brand/steps.h"
#include "nrd/file.h"
#include "nrd/mem.h"
#include "nrd/proc.h"
#include "nrd/str.h"

#include "nrd-test.h"

struct fixture {
	char dir[64];
	char zones[96];    /* the files */
	char platform[96];
	struct brand_place place;
	struct nrd_err err;
};

static inline void
put(const char *dir, const char *path, const char *text, mode_t mode)
{
	NRD_FREE char *full = nrd_path_join(dir, path);
	NRD_FREE char *above = nrd_format("%s", full);
	struct nrd_err err = { 0 };

	*strrchr(above, '/') = '\0';
	CHECK_OK(nrd_mkdir_p(above, 0755, &err), err);
	CHECK_OK(nrd_file_write(full, text, strlen(text), mode, &err), err);
	CHECK(chmod(full, mode) == 0);
}

static inline void
make_platform(const char *dir)
{
	put(dir, "base/usr/lib/systemd/systemd", "#!/bin/sh\n", 0755);
	put(dir, "base/etc/passwd", "root:x:0:0:root:/root:/bin/bash\n", 0644);
	put(dir, "base/etc/group", "root:x:0:\nshadow:x:42:\n", 0644);
	put(dir, "base/etc/shadow", "root:*:20000:0:99999:7:::\n", 0640);
	put(dir, "base/etc/nsswitch.conf", "passwd: files\n", 0644);
	put(dir, "base/etc/pam.d/login", "auth required pam_deny.so\n", 0644);
	put(dir, "base/etc/ssl/certs/ca.pem", "certificate\n", 0644);
}

static inline void
fixture_init(struct fixture *f)
{
	char dir[64];

	memset(f, 0, sizeof(*f));
	test_mkdir(dir);
	memcpy(f->dir, dir, sizeof(dir));
	(void)snprintf(f->zones, sizeof(f->zones), "%s/etc", f->dir);
	(void)snprintf(f->platform, sizeof(f->platform), "%s/platform", f->dir);
	CHECK(mkdir(f->zones, 0755) == 0);
	make_platform(f->platform);
	brand_platform_use(f->platform);
	f->place.dir = f->zones;
}

static inline void
fixture_fini(struct fixture *f)
{
	brand_platform_use(NULL);
	brand_steps_fault(NULL);
	CHECK_OK(brand_tree_remove(f->dir, &f->err), f->err);
}

/* A zone without a dataset, as its file has it. more: further JSON members. */
static inline void
add_zone(struct fixture *f, const char *name, const char *brand, const char *more,
	 struct zone_config *ret)
{
	NRD_FREE char *file = nrd_format("%s.json", name);
	NRD_FREE char *text = nrd_format(
		"{\"zonename\":\"%s\",\"brand\":\"%s\",\"zonepath\":\"%s/zones/%s\",\"zfs_filesystem\":\"\","
		"\"uuid\":\"%08x-2222-3333-4444-555555555555\"%s}",
		name, brand, f->dir, name, (unsigned)(unsigned char)name[0] << 8 | (unsigned char)name[1],
		more);

	put(f->zones, file, text, 0600);
	CHECK_OK(zone_config_read(f->zones, name, ret, &f->err), f->err);
}

static inline char *
in_root(const struct zone_config *config, const char *path)
{
	return nrd_format("%s/root/%s", config->zonepath, path);
}

/* The contents of a file of the zone. Caller frees. */
static inline char *
text_of(const struct zone_config *config, const char *path)
{
	NRD_FREE char *full = in_root(config, path);
	struct nrd_err err = { 0 };
	char *text = NULL;

	CHECK_OK(nrd_file_read(full, 65536, &text, NULL, &err), err);
	return text;
}

#define CHECK_TEXT(config, path, want)                         \
	do {                                                   \
		NRD_FREE char *text_ = text_of(config, path);  \
		CHECK_STR(text_, want);                        \
	} while (0)

static inline void
check_link(const struct zone_config *config, const char *path, const char *target)
{
	NRD_FREE char *full = in_root(config, path);
	char got[256];
	ssize_t n = readlink(full, got, sizeof(got) - 1);

	CHECK(n >= 0);
	got[n] = '\0';
	CHECK_STR(got, target);
}

/* What the file on disk says, not what the object in memory does. */
static inline int
state_on_disk(const struct fixture *f, const char *name)
{
	NRD_AUTO(zone_config) config = { 0 };
	struct nrd_err err = { 0 };

	CHECK_OK(zone_config_read(f->zones, name, &config, &err), err);
	return config.installed;
}
