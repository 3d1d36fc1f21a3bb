/* SPDX-License-Identifier: MPL-2.0 */
/* Copyright 2026 The Nereid authors */
#include "vm/columns.h"

#include <ctype.h>
#include <string.h>

#include "nrd/str.h"

const struct vm_column vm_columns[] = {
	{ "alias", NULL, 10 },
	{ "autoboot", NULL, 8 },
	{ "billing_id", NULL, 36 },
	{ "boot_timestamp", NULL, 24 },
	{ "brand", NULL, 14 },
	{ "cpu_cap", NULL, 7 },
	{ "cpu_shares", "CPU_SHARE", 9 },
	{ "cpu_type", NULL, 8 },
	{ "create_timestamp", NULL, 24 },
	{ "dns_domain", "DOMAIN", 32 },
	{ "do_not_inventory", "DNI", 5 },
	{ "docker", NULL, 6 },
	{ "exit_status", "EXIT", 4 },
	{ "exit_timestamp", NULL, 24 },
	{ "firewall_enabled", NULL, 16 },
	{ "flexible_disk_size", "FLEX_DISK_SIZE", 14 },
	{ "free_space", NULL, 14 },
	{ "hostname", NULL, 32 },
	{ "hvm", NULL, 5 },
	{ "image_uuid", NULL, 36 },
	{ "indestructible_delegated", "INDESTR_DATA", 12 },
	{ "indestructible_zoneroot", "INDESTR_ROOT", 12 },
	{ "ram", NULL, 7 },
	{ "max_locked_memory", "MAX_LOCKED", 10 },
	{ "max_lwps", "MAX_LWP", 7 },
	{ "max_physical_memory", "MAX_PHYS", 8 },
	{ "max_swap", NULL, 8 },
	{ "owner_uuid", NULL, 36 },
	{ "package_name", NULL, 32 },
	{ "package_version", "PACKAGE_VER", 11 },
	{ "pid", NULL, 6 },
	{ "qemu_extra_opts", NULL, 15 },
	{ "quota", NULL, 5 },
	{ "zone_state", NULL, 10 },
	{ "state", NULL, 16 },
	{ "tmpfs", NULL, 5 },
	{ "type", NULL, 4 },
	{ "uuid", NULL, 36 },
	{ "vcpus", NULL, 5 },
	{ "zfs_io_priority", "IO_PRIORITY", 11 },
	{ "zpool", NULL, 12 },
	{ "zonename", NULL, 12 },
	{ "zonepath", NULL, 40 },
	{ "zoneid", NULL, 6 },
	{ NULL, NULL, 0 },
};

const struct vm_column *
vm_column_find(const char *name)
{
	for (const struct vm_column *c = vm_columns; c->name != NULL; c++)
		if (nrd_streq(c->name, name))
			return c;
	return NULL;
}

/* "ARRAY.N.KEY" or, for a filter, "ARRAY.*.KEY". */
static bool
in_array(const char *name, bool star)
{
	static const char *const arrays[] = { "nics.", "disks.", NULL };

	for (size_t i = 0; arrays[i] != NULL; i++) {
		const char *rest = nrd_starts(name, arrays[i]);

		if (rest == NULL)
			continue;
		if (star && rest[0] == '*')
			return rest[1] == '.' && rest[2] != '\0';
		while (isdigit((unsigned char)*rest))
			rest++;
		return rest > nrd_starts(name, arrays[i]) && rest[0] == '.' && rest[1] != '\0';
	}
	return false;
}

static bool
known(const char *name, bool star)
{
	static const char *const maps[] = { "tags.", "customer_metadata.", "internal_metadata.", NULL };

	for (size_t i = 0; maps[i] != NULL; i++) {
		const char *rest = nrd_starts(name, maps[i]);

		if (rest != NULL)
			return rest[0] != '\0';
	}
	return vm_column_find(name) != NULL || in_array(name, star);
}

bool
vm_column_known(const char *name)
{
	return known(name, false);
}

bool
vm_key_known(const char *name)
{
	return known(name, true);
}
