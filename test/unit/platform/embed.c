/* SPDX-License-Identifier: MPL-2.0 */
/* Copyright 2026 The Nereid authors */
#include "nrd-test.h"

#include "platform/embed.h"

static unsigned char boot[512], core[4 * 512 + 100];

static void
fill(void)
{
	memset(boot, 0x11, sizeof(boot));
	memcpy(boot + 0x180, "GRUB ", 5);
	memset(core, 0x22, sizeof(core));
	core[510] = 0x20;
	core[511] = 0x08;
}

static void
patches_as_grubs_installer_does(void)
{
	static const unsigned char start[] = { 0x00, 0x08, 0, 0, 0, 0, 0, 0 };
	/* Sector after, four more sectors, segment 0x820. */
	static const unsigned char list[] = { 0x01, 0x08, 0, 0, 0, 0, 0, 0, 4, 0, 0x20, 0x08 };
	struct nrd_err err = { 0 };

	fill();
	CHECK_OK(platform_embed_patch(boot, sizeof(boot), core, sizeof(core), 2048, 1 << 20, &err),
		 err);
	CHECK(memcmp(boot + 0x5c, start, sizeof(start)) == 0);
	CHECK(boot[0x64] == 0xff && boot[0x66] == 0x90 && boot[0x67] == 0x90);
	CHECK(boot[0x65] == 0x11 && boot[0x5b] == 0x11 && boot[0x68] == 0x11);
	CHECK(memcmp(core + 500, list, sizeof(list)) == 0);
	CHECK(core[499] == 0x22 && core[512] == 0x22);
	CHECK(platform_embed_is_grub(boot, 2048));
	CHECK(!platform_embed_is_grub(boot, 4096));
	memset(boot, 0, sizeof(boot));
	CHECK(!platform_embed_is_grub(boot, 0));
}

static void
refuses_what_is_not_grub(void)
{
	struct nrd_err err = { 0 };

	fill();
	boot[0x180] = 'g';
	CHECK_FAILS(platform_embed_patch(boot, sizeof(boot), core, sizeof(core), 1, 1 << 20, &err),
		    err, EBADMSG, "BadBootFiles");
	fill();
	core[510] = 0;
	CHECK_FAILS(platform_embed_patch(boot, sizeof(boot), core, sizeof(core), 1, 1 << 20, &err),
		    err, EBADMSG, "BadBootFiles");
	fill();
	CHECK_FAILS(platform_embed_patch(boot, 100, core, sizeof(core), 1, 1 << 20, &err), err,
		    EBADMSG, "BadBootFiles");
	CHECK_FAILS(platform_embed_patch(boot, sizeof(boot), core, 512, 1, 1 << 20, &err), err,
		    EBADMSG, "BadBootFiles");
	CHECK_FAILS(platform_embed_patch(boot, sizeof(boot), core, sizeof(core), 1, 2048, &err),
		    err, ENOSPC, "BadBootFiles");
}

TEST_MAIN(patches_as_grubs_installer_does, refuses_what_is_not_grub)
