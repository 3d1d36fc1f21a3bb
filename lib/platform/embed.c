/* SPDX-License-Identifier: MPL-2.0 */
/* Copyright 2026 The Nereid authors */
#include "platform/embed.h"

#include <errno.h>
#include <string.h>

/* Where GRUB 2.12 keeps what its installer fills in; all little-endian. */
#define BOOT_KERNEL_SECTOR 0x5c /* u64: first sector of core.img */
#define BOOT_DRIVE 0x64         /* 0xff: the one the BIOS started from */
#define BOOT_DRIVE_CHECK 0x66   /* two bytes; nops trust the BIOS's drive number */
#define CORE_LIST 500           /* in core.img's first sector: u64 start, u16 length, u16 segment */
#define CORE_SEGMENT 0x820

static void
put_le(unsigned char *p, uint64_t v, size_t bytes)
{
	for (size_t i = 0; i < bytes; i++)
		p[i] = (unsigned char)(v >> (8 * i));
}

static uint64_t
get_le(const unsigned char *p, size_t bytes)
{
	uint64_t v = 0;

	for (size_t i = bytes; i-- > 0;)
		v = v << 8 | p[i];
	return v;
}

int
platform_embed_patch(unsigned char *boot, size_t boot_len, unsigned char *core, size_t core_len,
		     uint64_t start, uint64_t room_bytes, struct nrd_err *err)
{
	uint64_t sectors = (core_len + PLATFORM_SECTOR - 1) / PLATFORM_SECTOR;

	if (boot_len < PLATFORM_SECTOR || memmem(boot, PLATFORM_MBR_CODE, "GRUB ", 5) == NULL)
		return nrd_fail(err, EBADMSG, "BadBootFiles", "boot.img is not GRUB's");
	if (core_len <= PLATFORM_SECTOR || get_le(core + CORE_LIST + 10, 2) != CORE_SEGMENT)
		return nrd_fail(err, EBADMSG, "BadBootFiles", "core.img is not GRUB's");
	if (core_len > room_bytes || sectors - 1 > UINT16_MAX)
		return nrd_fail(err, ENOSPC, "BadBootFiles",
				"core.img does not fit into the BIOS boot partition");
	put_le(boot + BOOT_KERNEL_SECTOR, start, 8);
	boot[BOOT_DRIVE] = 0xff;
	put_le(boot + BOOT_DRIVE_CHECK, 0x9090, 2);
	put_le(core + CORE_LIST, start + 1, 8);
	put_le(core + CORE_LIST + 8, sectors - 1, 2);
	return 0;
}

bool
platform_embed_is_grub(const unsigned char *sector, uint64_t start)
{
	return memmem(sector, PLATFORM_MBR_CODE, "GRUB ", 5) != NULL &&
	       get_le(sector + BOOT_KERNEL_SECTOR, 8) == start;
}
