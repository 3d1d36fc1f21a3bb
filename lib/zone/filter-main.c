/* SPDX-License-Identifier: MPL-2.0 */
/* Copyright 2026 The Nereid authors */

/* zone-filters DIRECTORY: compiles the system call filters of all kinds of zones into files there. */
#include <fcntl.h>
#include <stdio.h>

#include "nrd/file.h"
#include "nrd/mem.h"
#include "zone/filter-priv.h"

static int
write_filter(const char *dir, const struct zone_config *kind, struct nrd_err *err)
{
	NRD_AUTO(zone_filter) filter = { 0 };
	NRD_FREE char *path = NULL;
	char name[32];
	int r = zone_filter_make(kind, &filter, err);

	if (r < 0)
		return r;
	zone_filter_name(kind, name, sizeof(name));
	path = nrd_path_join(dir, name);
	return path == NULL ? nrd_nomem(err)
			    : nrd_file_write(path, filter.insns,
					     filter.n * sizeof(*filter.insns), 0644, err);
}

int
main(int argc, char **argv)
{
	static const struct zone_config kinds[] = {
		{ .brand = ZONE_NATIVE },
		{ .brand = ZONE_NATIVE, .nesting = true },
		{ .brand = ZONE_LX },
		{ .brand = ZONE_LX, .nesting = true },
		{ .brand = ZONE_KVM },
	};
	struct nrd_err err = { 0 };
	int r = 0;

	for (size_t i = 0; argc == 2 && r >= 0 && i < nrd_count(kinds); i++)
		r = write_filter(argv[1], &kinds[i], &err);
	if (argc == 2 && r >= 0)
		return 0;
	(void)fprintf(stderr, "zone-filters: %s\n", argc == 2 ? err.msg : "usage: zone-filters DIRECTORY");
	return 1;
}
