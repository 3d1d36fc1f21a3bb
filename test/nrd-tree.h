/* SPDX-License-Identifier: MPL-2.0 */
/* Copyright 2026 The Nereid authors */
#pragma once

#include <ftw.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "nrd-test.h"
#include "nrd/file.h"

/* Made-up trees: files and links below a directory, parents made as needed. */
static inline const char *
tree_path(const char *dir, const char *name)
{
	static char path[512];

	(void)snprintf(path, sizeof(path), "%s/%s", dir, name);
	return path;
}

static inline void
tree_parents(const char *dir, const char *name)
{
	char path[512];
	struct nrd_err err = { 0 };

	(void)snprintf(path, sizeof(path), "%s/%s", dir, name);
	*strrchr(path, '/') = '\0';
	CHECK_OK(nrd_mkdir_p(path, 0755, &err), err);
}

static inline void
tree_file(const char *dir, const char *name, const char *text)
{
	struct nrd_err err = { 0 };

	tree_parents(dir, name);
	CHECK_OK(nrd_file_write(tree_path(dir, name), text, strlen(text), 0644, &err), err);
}

static inline void
tree_link(const char *dir, const char *name, const char *target)
{
	tree_parents(dir, name);
	CHECK(symlink(target, tree_path(dir, name)) == 0);
}

/* A NIC under sys/class/net; driver NULL: no device behind it. */
static inline void
tree_nic(const char *sys, const char *nic, unsigned index, const char *mac, const char *driver,
	 const char *state)
{
	char name[128], text[32];

	(void)snprintf(name, sizeof(name), "class/net/%s/ifindex", nic);
	(void)snprintf(text, sizeof(text), "%u\n", index);
	tree_file(sys, name, text);
	(void)snprintf(name, sizeof(name), "class/net/%s/address", nic);
	(void)snprintf(text, sizeof(text), "%s\n", mac);
	tree_file(sys, name, text);
	(void)snprintf(name, sizeof(name), "class/net/%s/operstate", nic);
	(void)snprintf(text, sizeof(text), "%s\n", state);
	tree_file(sys, name, text);
	(void)snprintf(name, sizeof(name), "class/net/%s/type", nic);
	tree_file(sys, name, "1\n");
	(void)snprintf(name, sizeof(name), "class/net/%s/mtu", nic);
	tree_file(sys, name, "1500\n");
	if (driver == NULL)
		return;
	(void)snprintf(name, sizeof(name), "devices/%s/driver", nic);
	tree_link(sys, name, driver);
	(void)snprintf(name, sizeof(name), "class/net/%s/device", nic);
	(void)snprintf(text, sizeof(text), "../../../devices/%s", nic);
	tree_link(sys, name, text);
}

static inline int
tree_remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	(void)st;
	(void)type;
	(void)ftw;
	return remove(path);
}

static inline void
tree_remove(const char *dir)
{
	CHECK(nftw(dir, tree_remove_one, 16, FTW_DEPTH | FTW_PHYS) == 0);
}
