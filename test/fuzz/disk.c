/* SPDX-License-Identifier: MPL-2.0 */
/* Copyright 2026 The Nereid authors */

/*
 * Any bytes as the inventory `disklayout -f` reads and as the layout `mkzpool` reads. The first
 * byte picks the options. What a layout is made of is sound: every disk once and one that was
 * given; and what is written can be read again and is the same.
 */
#include <assert.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "disk/inventory.h"
#include "disk/layout.h"
#include "nrd/buf.h"
#include "nrd/json.h"
#include "nrd/mem.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static char *
encode(const struct disk_layout *layout)
{
	struct nrd_buf b = { 0 };
	struct nrd_jw w;

	nrd_jw_init(&w, &b, NRD_JW_COMPACT);
	disk_layout_write(layout, &w);
	assert(nrd_jw_finish(&w, NULL) == 0);
	return nrd_buf_take(&b);
}

static void
round_trip(const struct disk_layout *layout)
{
	NRD_FREE char *first = encode(layout);
	NRD_AUTO(disk_layout) again = { 0 };
	struct nrd_err err = { 0 };

	assert(disk_layout_parse(first, strlen(first), &again, &err) == 0);
	NRD_FREE char *second = encode(&again);

	assert(strcmp(first, second) == 0);
}

static void
compute(const struct disk_list *disks, uint8_t pick)
{
	static const char *const layouts[] = { NULL,     "single", "mirror", "raidz1",
					       "raidz2", "raidz3", NULL,     NULL };
	const struct disk_layout_opts opts = {
		.layout = layouts[pick & 7],
		.no_cache = (pick & 8) != 0,
		.spares_given = (pick & 16) != 0,
		.spares = pick >> 6,
		.width = (pick & 32) != 0 ? 2 + (pick >> 6) : 0,
	};
	NRD_AUTO(disk_layout) layout = { 0 };
	const struct disk_member *member;
	struct nrd_err err = { 0 };
	size_t members = 0;

	if (disk_layout_compute(disks, &opts, &layout, &err) < 0) {
		assert(err.msg[0] != '\0');
		return;
	}
	for (size_t i = 0; disk_layout_next(&layout, &i, &member); members++)
		assert(disk_list_find(disks, member->name) != NULL);
	assert(members <= disks->len);
	round_trip(&layout);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *text = (const char *)data + 1;
	NRD_AUTO(disk_list) disks = { 0 };
	NRD_AUTO(disk_layout) layout = { 0 };
	struct nrd_err err = { 0 };

	if (size == 0)
		return 0;
	if (disk_list_parse(text, size - 1, &disks, &err) == 0)
		compute(&disks, data[0]);
	if (disk_layout_parse(text, size - 1, &layout, &err) == 0)
		round_trip(&layout);
	return 0;
}
