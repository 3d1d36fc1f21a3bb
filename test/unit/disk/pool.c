/* SPDX-License-Identifier: MPL-2.0 */
/* Copyright 2026 The Nereid authors */
#include "nrd-test.h"

#include "disk/inventory.h"
#include "disk/layout.h"
#include "disk/pool.h"
#include "nrd/mem.h"
#include "nrd/str.h"

static const char *
device(void *arg, const char *name)
{
	static char path[64];

	if (nrd_streq(name, arg))
		return NULL;
	(void)snprintf(path, sizeof(path), "/dev/%s3", name);
	return path;
}

static void
parse(const char *text, struct disk_layout *layout)
{
	struct nrd_err err = { 0 };

	CHECK_OK(disk_layout_parse(text, strlen(text), layout, &err), err);
}

static const char two_mirrors[] =
	"{\"vdevs\":[{\"type\":\"mirror\",\"devices\":[{\"name\":\"a\"},{\"name\":\"b\"}]},"
	"{\"type\":\"mirror\",\"devices\":[{\"name\":\"c\"},{\"name\":\"d\"}]}],"
	"\"spares\":[{\"name\":\"e\"}],\"logs\":[{\"name\":\"f\"}],"
	"\"cache\":[{\"name\":\"g\"},{\"name\":\"h\"}]}";

static void
arguments(void)
{
	NRD_AUTO(disk_layout) layout = { 0 };
	NRD_STRV char **args = NULL;
	NRD_FREE char *text = NULL;
	struct nrd_err err = { 0 };

	parse(two_mirrors, &layout);
	CHECK_OK(disk_pool_vdev_args(&layout, device, NULL, &args, &err), err);
	text = nrd_strv_join(NRD_CSTRV(args), " ");
	CHECK_STR(text, "mirror /dev/a3 /dev/b3 mirror /dev/c3 /dev/d3 spare /dev/e3 log /dev/f3 "
			"cache /dev/g3 /dev/h3");
}

static void
arguments_of_one_disk(void)
{
	NRD_AUTO(disk_layout) layout = { 0 };
	NRD_STRV char **args = NULL;
	struct nrd_err err = { 0 };

	parse("{\"vdevs\":[{\"name\":\"a\"}]}", &layout);
	CHECK_OK(disk_pool_vdev_args(&layout, device, NULL, &args, &err), err);
	CHECK_INT(nrd_strv_len(NRD_CSTRV(args)), 1);
	CHECK_STR(args[0], "/dev/a3");
}

static void
missing_disk(void)
{
	NRD_AUTO(disk_layout) layout = { 0 };
	NRD_STRV char **args = NULL;
	struct nrd_err err = { 0 };
	char missing[] = "g";

	parse(two_mirrors, &layout);
	CHECK_FAILS(disk_pool_vdev_args(&layout, device, missing, &args, &err), err, ENOENT,
		    "DiskNotFound");
	CHECK_STR(err.msg, "no such disk: g");
	CHECK(args == NULL);
}

/* What is refused before any program is run. */
static void
refusals(void)
{
	static const char *const names[] = { "", "-f", "9pool", "a/b", "a b", "tank@x" };
	const struct disk_pool_opts opts = { 0 };
	NRD_AUTO(disk_layout) layout = { 0 };
	NRD_AUTO(disk_list) none = { 0 };
	struct nrd_err err = { 0 };

	parse(two_mirrors, &layout);
	for (size_t i = 0; i < nrd_count(names); i++)
		CHECK_FAILS(disk_pool_create(names[i], &layout, &none, &opts, &err), err, EINVAL,
			    "BadPoolName");
	CHECK_FAILS(disk_pool_create("tank", &layout, &none, &opts, &err), err, ENOENT,
		    "DiskNotFound");
	CHECK_STR(err.msg, "no such disk: a");
}

/* Two names for one disk. */
static void
same_disk_twice(void)
{
	const struct disk_pool_opts opts = { 0 };
	NRD_AUTO(disk_layout) layout = { 0 };
	NRD_AUTO(disk_list) disks = { 0 };
	struct nrd_err err = { 0 };

	parse("{\"vdevs\":[{\"type\":\"mirror\",\"devices\":[{\"name\":\"a\"},"
	      "{\"name\":\"/dev/a\"}]}]}",
	      &layout);
	CHECK_OK(disk_list_parse("[{\"name\":\"a\",\"size\":1}]", 23, &disks, &err), err);
	CHECK_FAILS(disk_pool_create("tank", &layout, &disks, &opts, &err), err, EINVAL,
		    "BadLayout");
	CHECK_STR(err.msg, "disk a is there twice");
}

TEST_MAIN(arguments, arguments_of_one_disk, missing_disk, refusals, same_disk_twice)
