/* SPDX-License-Identifier: MPL-2.0 */
/* Copyright 2026 The Nereid authors */
#include "nrd-test.h"

#include <endian.h>
#include <fcntl.h>

#include "disk/signature.h"
#include "nrd/mem.h"
#include "nrd/proc.h"
#include "nrd/str.h"

#define MIB (1 << 20)

static char dir[64];
static char *image;

/* An empty image of this size; the name is `image`. */
static void
new_image(off_t mib)
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
	CHECK_INT(ftruncate(fd, mib * MIB), 0);
	(void)close(fd);
}

static void
put_at(off_t offset, const void *data, size_t len)
{
	NRD_CLOSE int fd = open(image, O_RDWR | O_CLOEXEC);

	CHECK(fd >= 0);
	CHECK_INT(pwrite(fd, data, len, offset), (long long)len);
}

static void
partition(const char *script)
{
	const char *const argv[] = { "sfdisk", "--quiet", image, NULL };
	const struct nrd_proc proc = { .argv = argv, .input = script, .input_len = strlen(script) };
	struct nrd_err err = { 0 };

	CHECK_OK(nrd_run(&proc, NULL, NULL, &err), err);
}

static void
check_words(const char *want, bool blank)
{
	NRD_AUTO(disk_use) use = { 0 };
	NRD_FREE char *words = NULL;
	struct nrd_err err = { 0 };
	bool is_blank;

	CHECK_OK(disk_use_read(image, &use, &err), err);
	words = disk_use_words(&use);
	CHECK_STR(words, want);
	CHECK_INT(disk_use_is_blank(&use), blank);
	CHECK_OK(disk_is_blank(image, &is_blank, &err), err);
	CHECK_INT(is_blank, blank);
}

/* The superblock of an ext4: its magic number, what makes it a "4", and a label. */
static void
put_ext4(off_t at, const char *label)
{
	static const uint8_t magic[] = { 0x53, 0xef };
	const uint32_t one = htole32(1), blocks = htole32(4096), extents = htole32(0x40);
	const uint32_t group = htole32(8192);
	char text[16] = "";

	(void)snprintf(text, sizeof(text), "%s", label);
	put_at(at + 1024, &blocks, 4);      /* inodes */
	put_at(at + 1024 + 4, &blocks, 4);  /* blocks */
	put_at(at + 1024 + 32, &group, 4);  /* blocks a group */
	put_at(at + 1024 + 56, magic, 2);
	put_at(at + 1024 + 76, &one, 4);    /* revision */
	put_at(at + 1024 + 96, &extents, 4);
	put_at(at + 1024 + 120, text, 16);
}

static size_t
put_nv(char *to, const char *name, uint32_t type, const void *value, size_t len)
{
	size_t name_room = (strlen(name) + 3) / 4 * 4, value_room = (len + 3) / 4 * 4;
	bool text = type == 9;
	uint32_t words[3] = { htobe32((uint32_t)(12 + name_room + 8 + (text ? 4 : 0) + value_room)),
			      htobe32(32), htobe32((uint32_t)strlen(name)) };
	uint32_t kind[3] = { htobe32(type), htobe32(1), htobe32((uint32_t)len) };
	char *at = to;

	memcpy(at, words, 12);
	memcpy(at + 12, name, strlen(name));
	at += 12 + name_room;
	memcpy(at, kind, text ? 12 : 8);
	at += text ? 12 : 8;
	memcpy(at, value, len);
	return (size_t)(at - to) + value_room;
}

/* The first label of a pool's member: a list with the pool's name, guids, state; and uberblocks. */
static void
put_zfs(off_t at, const char *pool)
{
	const uint64_t magic = htole64(0x00bab10c), guid = htobe64(4711), one = htobe64(1), active = 0;
	char list[4096] = { 1, 1 };
	size_t len = 12;

	for (int i = 0; i < 8; i++)
		put_at(at + (off_t)128 * 1024 + (off_t)i * 1024, &magic, 8);
	len += pool != NULL ? put_nv(list + len, "name", 9, pool, strlen(pool)) : 0;
	len += put_nv(list + len, "state", 8, &active, 8);
	len += put_nv(list + len, "txg", 8, &one, 8);
	len += put_nv(list + len, "pool_guid", 8, &guid, 8);
	len += put_nv(list + len, "guid", 8, &guid, 8);
	CHECK(len < sizeof(list));
	put_at(at + (off_t)16 * 1024, list, sizeof(list));
}

static void
blank(void)
{
	new_image(64);
	check_words("", true);
	partition("label: gpt\n");
	check_words("gpt, no partitions", true);
	new_image(64);
	partition("label: dos\n");
	check_words("dos, no partitions", true);
}

static void
whole_disk(void)
{
	struct nrd_err err = { 0 };

	new_image(64);
	put_ext4(0, "root");
	check_words("ext4 'root'", false);

	new_image(64);
	CHECK_OK(nrd_run_argv(NULL, &err, "mkswap", "-L", "sw\tap", image, NULL), err);
	check_words("swap 'sw?ap'", false);

	new_image(64);
	put_zfs(0, "tank");
	check_words("zfs pool tank", false);
	new_image(64);
	put_zfs(0, NULL);
	check_words("zfs spare or cache", false);
}

static void
partitions(void)
{
	new_image(160);
	partition("label: gpt\n"
		  "start=1MiB, size=1MiB, type=21686148-6449-6E6F-744E-656564454649\n"
		  "start=2MiB, size=40MiB, type=C12A7328-F81F-11D2-BA4B-00A0C93EC93B\n"
		  "start=42MiB, size=80MiB, type=6A898CC3-1DD2-11B2-99A6-080020736631\n"
		  "start=122MiB, size=10MiB\n"
		  "start=132MiB, size=10MiB, type=11111111-2222-3333-4444-555555555555\n");
	check_words("bios boot on part 1, efi system on part 2, zfs on part 3, "
		    "unknown (type 0fc63daf-8483-4772-8e79-3d69d8477de4) on part 4, "
		    "unknown (type 11111111-2222-3333-4444-555555555555) on part 5",
		    false);
	put_zfs((off_t)42 * MIB, "zones");
	put_ext4((off_t)122 * MIB, "data");
	check_words("bios boot on part 1, efi system on part 2, zfs pool zones on part 3, "
		    "ext4 'data' on part 4, "
		    "unknown (type 11111111-2222-3333-4444-555555555555) on part 5",
		    false);
}

static void
dos_partitions(void)
{
	new_image(128);
	partition("label: dos\n"
		  "start=1MiB, size=10MiB, type=83\n"
		  "start=20MiB, size=60MiB, type=5\n"
		  "start=21MiB, size=10MiB, type=83\n");
	put_ext4((off_t)21 * MIB, "logical");
	check_words("unknown (type 0x83) on part 1, ext4 'logical' on part 5", false);
}

/* Two file systems on one disk: none is hidden by the other. */
static void
contradictions(void)
{
	struct nrd_err err = { 0 };

	new_image(64);
	CHECK_OK(nrd_run_argv(NULL, &err, "mkfs.vfat", "-n", "STICK", image, NULL), err);
	put_zfs(0, "old");
	NRD_AUTO(disk_use) use = { 0 };
	NRD_FREE char *words = NULL;

	CHECK_OK(disk_use_read(image, &use, &err), err);
	words = disk_use_words(&use);
	/* The label of the first is overwritten. */
	CHECK_HAS(words, "vfat '");
	CHECK_HAS(words, ", zfs pool old");
	for (const char *c = words; *c != '\0'; c++)
		CHECK(*c >= ' ' && *c < 0x7f);
	CHECK(!disk_use_is_blank(&use));
}

static void
check_boot_medium(bool want)
{
	NRD_AUTO(disk_use) use = { 0 };
	struct nrd_err err = { 0 };

	CHECK_OK(disk_use_read(image, &use, &err), err);
	CHECK_INT(disk_use_is_boot_medium(&use), want);
}

static void
boot_medium(void)
{
	struct nrd_err err = { 0 };

	new_image(64);
	check_boot_medium(false);
	CHECK_OK(nrd_run_argv(NULL, &err, "mkfs.vfat", "-n", "NEREID", image, NULL), err);
	check_boot_medium(true);
	/* A pool's own boot volume. */
	CHECK_OK(nrd_run_argv(NULL, &err, "mkfs.vfat", "-n", "NEREID0", image, NULL), err);
	check_boot_medium(false);
	new_image(64);
	put_ext4(0, "NEREID");
	check_boot_medium(false);
}

static void
unreadable(void)
{
	NRD_AUTO(disk_use) use = { 0 };
	struct nrd_err err = { 0 };

	CHECK_FAILS(disk_use_read("/nowhere/disk", &use, &err), err, ENOENT, "DiskRead");
	CHECK_HAS(err.msg, "/nowhere/disk");
	CHECK_INT(use.len, 0);
	(void)unlink(image);
	(void)rmdir(dir);
	free(image);
}

TEST_MAIN(blank, whole_disk, partitions, dos_partitions, contradictions, boot_medium, unreadable)
