/* SPDX-License-Identifier: MPL-2.0 */
/* Copyright 2026 The Nereid authors */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "nrd/err.h"

/*
 * GRUB for BIOS: 440 bytes of code in the first sector, which load core.img from the BIOS boot
 * partition by sector number. The partition table behind the code is never touched.
 */
#define PLATFORM_MBR_CODE 440
#define PLATFORM_SECTOR 512

/*
 * Points boot.img's code (boot, at least one sector) to start, where core.img begins, and
 * core.img's own list of sectors to what follows. "BadBootFiles" (-EBADMSG) when they are not what
 * they should be, -ENOSPC when core.img does not fit.
 */
int platform_embed_patch(unsigned char *boot, size_t boot_len, unsigned char *core,
			 size_t core_len, uint64_t start, uint64_t room_bytes,
			 struct nrd_err *err);

/* True when the code in a first sector is GRUB's and loads from start. */
bool platform_embed_is_grub(const unsigned char *sector, uint64_t start);
