/* SPDX-License-Identifier: MPL-2.0 */
/* Copyright 2026 The Nereid authors */
#include "nrd-test.h"

#include <fcntl.h>

#include "disk/inventory.h"
#include "disk/partition.h"
#include "disk/signature.h"
#include "nrd/mem.h"
#include "nrd/proc.h"
#include "nrd/str.h"

#define MIB UINT64_C(1048576)
#define GIB (UINT64_C(1024) * MIB)

static char vda[] = "vda", dev_vda[] = "/dev/vda", disk_name[] = "disk";

static void
esp_sizes(void)
{
	CHECK_INT(disk_esp_bytes(1 * GIB), 0);
	CHECK_INT(disk_esp_bytes(6 * GIB - 1), 0);
	CHECK_INT(disk_esp_bytes(6 * GIB), 640 * MIB);
	CHECK_INT(disk_esp_bytes(32 * GIB - 1), 640 * MIB);
	CHECK_INT(disk_esp_bytes(32 * GIB), 2 * GIB);
	CHECK_INT(disk_esp_bytes(20000 * GIB), 2 * GIB);
}

static void
part_paths(void)
{
	static const struct {
		const char *disk;
		const char *want;
	} cases[] = {
		{ "/dev/vda", "/dev/vda3" },
		{ "/dev/nvme0n1", "/dev/nvme0n1p3" },
		{ "/dev/mmcblk0", "/dev/mmcblk0p3" },
		{ "/dev/cciss/c0d0", "/dev/cciss/c0d0p3" },
		{ "/dev/sdaa", "/dev/sdaa3" },
	};

	for (size_t i = 0; i < nrd_count(cases); i++) {
		NRD_FREE char *path = disk_part_path(cases[i].disk, 3);

		CHECK_STR(path, cases[i].want);
	}
}

static void
plans(void)
{
	struct disk disk = { .name = vda, .path = dev_vda };
	struct nrd_err err = { 0 };
	NRD_AUTO(disk_parts) large = { 0 };
	NRD_AUTO(disk_parts) small = { 0 };
	NRD_AUTO(disk_parts) none = { 0 };

	disk.size_bytes = 40 * GIB + 512;
	CHECK_OK(disk_parts_plan(&disk, &large, &err), err);
	CHECK_STR(large.bios, "/dev/vda1");
	CHECK_STR(large.esp, "/dev/vda2");
	CHECK_STR(large.zfs, "/dev/vda3");
	CHECK_INT(large.zfs_bytes, 40 * GIB - 2 * GIB - 3 * MIB);

	/* Without a boot volume ZFS is still the third. */
	disk.size_bytes = 1 * GIB;
	CHECK_OK(disk_parts_plan(&disk, &small, &err), err);
	CHECK(small.esp == NULL);
	CHECK_STR(small.zfs, "/dev/vda3");
	CHECK_INT(small.zfs_bytes, 1021 * MIB);

	disk.size_bytes = 66 * MIB;
	CHECK_FAILS(disk_parts_plan(&disk, &none, &err), err, ENOSPC, "DiskTooSmall");
	CHECK_STR(err.msg, "disk vda: has 66 MiB, a pool needs 67");
}

static char dir[64];
static char *image;

static void
new_image(uint64_t bytes)
{
	int fd;

	if (image == NULL) {
		test_mkdir(dir);
		image = nrd_format("%s/disk", dir);
		CHECK(image != NULL);
	}
	(void)unlink(image);
	fd = open(image, O_CREAT | O_RDWR | O_CLOEXEC, 0600);
	CHECK(fd >= 0);
	CHECK_INT(ftruncate(fd, (off_t)bytes), 0);
	(void)close(fd);
}

static void
check_table(uint64_t disk_bytes, const char *want)
{
	struct disk disk = { .name = disk_name, .size_bytes = disk_bytes };
	const char *const write[] = { "sfdisk", "--quiet", NULL, NULL };
	const char *argv[4];
	NRD_AUTO(disk_parts) parts = { 0 };
	NRD_AUTO(nrd_buf) dump = NRD_BUF_INIT(4096);
	NRD_FREE char *script = NULL;
	struct nrd_err err = { 0 };

	new_image(disk_bytes);
	disk.path = image;
	memcpy(argv, write, sizeof(write));
	argv[2] = image;
	CHECK_OK(disk_parts_plan(&disk, &parts, &err), err);
	script = disk_parts_script(&parts);
	CHECK(script != NULL);

	const struct nrd_proc proc = { .argv = argv, .input = script, .input_len = strlen(script) };

	CHECK_OK(nrd_run(&proc, NULL, NULL, &err), err);
	CHECK_OK(nrd_run_argv(&dump, &err, "sfdisk", "--quiet", "-l", "-o", "Start,Sectors,Type",
			      image, NULL),
		 err);
	/* One blank between fields is enough to compare. */
	NRD_AUTO(nrd_buf) got = NRD_BUF_INIT(4096);

	for (const char *c = nrd_buf_str(&dump); *c != '\0'; c++) {
		if (*c != ' ' || c[1] != ' ')
			(void)nrd_buf_addc(&got, *c);
	}
	CHECK_HAS(nrd_buf_str(&got), want);
}

/* sfdisk makes of the plan what it says, on what begins at whole MiB. */
static void
tables(void)
{
	check_table(40 * GIB, " 2048 2048 BIOS boot\n"
			      " 4096 4194304 EFI System\n"
			      "4198400 79685632 Solaris /usr & Apple ZFS\n");
	check_table(1 * GIB + 4096, "2048 2048 BIOS boot\n"
				    " 4096 2091008 Solaris /usr & Apple ZFS\n");

	NRD_AUTO(disk_use) use = { 0 };
	NRD_FREE char *words = NULL;
	struct nrd_err err = { 0 };

	CHECK_OK(disk_use_read(image, &use, &err), err);
	words = disk_use_words(&use);
	CHECK_STR(words, "bios boot on part 1, zfs on part 3");
}

static void
refusals(void)
{
	struct disk disk = { .name = disk_name };
	const char *const others[] = { "vdb", NULL };
	const char *const mine[] = { "vdb", "disk", NULL };
	struct disk_partition_opts opts = { .esp_number = -1 };
	struct nrd_err err = { 0 };

	new_image(64 * MIB);
	disk.path = image;
	disk.size_bytes = 1 * GIB;
	CHECK_OK(disk_partition_check(&disk, &opts, &err), err);

	disk.read_only = true;
	CHECK_FAILS(disk_partition_check(&disk, &opts, &err), err, EROFS, "DiskReadOnly");
	disk.read_only = false;

	CHECK_OK(nrd_run_argv(NULL, &err, "mkfs.vfat", "-n", "PHOTOS", image, NULL), err);
	CHECK_FAILS(disk_partition_check(&disk, &opts, &err), err, EEXIST, "DiskNotBlank");
	CHECK_HAS(err.msg, "disk disk: holds vfat 'PHOTOS'");
	opts.force = others;
	CHECK_FAILS(disk_partition_check(&disk, &opts, &err), err, EEXIST, "DiskNotBlank");
	opts.force = mine;
	CHECK_OK(disk_partition_check(&disk, &opts, &err), err);

	/* The boot medium is not even overwritten when asked to. */
	CHECK_OK(nrd_run_argv(NULL, &err, "mkfs.vfat", "-n", "NEREID", image, NULL), err);
	CHECK_FAILS(disk_partition_check(&disk, &opts, &err), err, EBUSY, "BootMedium");
	CHECK_FAILS(disk_wipe(&disk, &opts, &err), err, EBUSY, "BootMedium");

	(void)unlink(image);
	CHECK_FAILS(disk_partition_check(&disk, &opts, &err), err, ENOENT, "DiskRead");
}

/* A refused disk is as it was. */
static void
refused_is_untouched(void)
{
	struct disk disk = { .name = disk_name, .size_bytes = 1 * GIB };
	const struct disk_partition_opts opts = { .esp_number = 0 };
	NRD_AUTO(disk_parts) parts = { 0 };
	NRD_AUTO(disk_use) use = { 0 };
	NRD_FREE char *words = NULL;
	struct nrd_err err = { 0 };

	new_image(64 * MIB);
	disk.path = image;
	CHECK_OK(nrd_run_argv(NULL, &err, "mkfs.vfat", "-n", "PHOTOS", image, NULL), err);
	CHECK_FAILS(disk_partition(&disk, &opts, &parts, &err), err, EEXIST, "DiskNotBlank");
	CHECK(parts.zfs == NULL);
	CHECK_OK(disk_use_read(image, &use, &err), err);
	words = disk_use_words(&use);
	CHECK_STR(words, "vfat 'PHOTOS'");
}

/* On a file, what disk_wipe does to a disk. */
static void
wipes(void)
{
	struct disk disk = { .name = disk_name, .size_bytes = 64 * MIB };
	const char *const mine[] = { "disk", NULL };
	const struct disk_partition_opts opts = { .force = mine, .esp_number = -1 };
	struct nrd_err err = { 0 };
	bool blank = false;

	disk.path = image;
	CHECK_OK(disk_wipe(&disk, &opts, &err), err);
	CHECK_OK(disk_is_blank(image, &blank, &err), err);
	CHECK(blank);
	(void)unlink(image);
	(void)rmdir(dir);
	free(image);
}

TEST_MAIN(esp_sizes, part_paths, plans, tables, refusals, refused_is_untouched, wipes)
