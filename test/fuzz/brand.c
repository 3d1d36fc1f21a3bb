/* SPDX-License-Identifier: MPL-2.0 */
/* Copyright 2026 The Nereid authors */

/*
 * Any bytes as the beginning of a zone's init, and as its /etc/group and /etc/inittab: what is said
 * to be an interpreter is a whole word of the first line, what is found stands there.
 */
#include <assert.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "brand/init.h"
#include "nrd/mem.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
head(const uint8_t *data, size_t size)
{
	struct nrd_err err = { 0 };
	char interp[64] = "";
	int r = brand_init_head(data, size, "/sbin/init", interp, sizeof(interp), &err);

	assert(r == 0 || (err.num == -r && err.code[0] != '\0'));
	if (r < 0 || interp[0] == '\0')
		return;
	assert(size > 2 && memcmp(data, "#!", 2) == 0);
	assert(strpbrk(interp, " \t\n") == NULL);
	assert(memmem(data, size, interp, strlen(interp)) != NULL);
}

static void
group(const uint8_t *data, size_t size)
{
	NRD_FREE char *text = calloc(1, size + 1);
	gid_t gids[ZONE_GROUPS_MAX];
	uint64_t gid = 0;

	assert(text != NULL);
	memcpy(text, data, size);
	if (brand_group_find(text, "www", &gid)) {
		assert(gid < UINT32_MAX);
		assert(strstr(text, "www:") != NULL);
	}
	size_t n = zone_passwd_groups(text, "www", gids);

	assert(n <= ZONE_GROUPS_MAX && (n == 0 || strstr(text, "www") != NULL));
	if (brand_inittab_tty1(text))
		assert(strstr(text, "tty1") != NULL);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	head(data, size);
	group(data, size);
	return 0;
}
