/* SPDX-License-Identifier: MPL-2.0 */
/* Copyright 2026 The Nereid authors */
#include "zone/room.h"

#include <errno.h>
#include <stdlib.h>

#include "nrd-tree.h"
#include "nrd/mem.h"
#include "nrd/str.h"
#include "zone/config-guest.h"

#define MIB(n) ((uint64_t)(n) << 20)

static void
sums(void)
{
	struct zone_room room = { .available = MIB(1000), .cache = MIB(500) };

	CHECK_INT(zone_room_bytes(&room), MIB(1500));
	room.promised = MIB(300);
	CHECK_INT(zone_room_bytes(&room), MIB(1200));
	/* More was promised than there is, by force. */
	room.promised = MIB(1501);
	CHECK_INT(zone_room_bytes(&room), 0);
}

static void
to_the_mib(void)
{
	const struct zone_config guest = { .brand = ZONE_KVM, .ram = 744 };
	struct zone_room room = { .available = MIB(744 + ZONE_GUEST_OVERHEAD_MIN_MIB) };
	struct nrd_err err = { 0 };

	CHECK_OK(zone_room_check(&guest, &room, &err), err);
	room.available--;
	CHECK_FAILS(zone_room_check(&guest, &room, &err), err, ENOMEM, "NoMemory");
	CHECK_HAS(err.msg, "needs 1000 MiB");
	CHECK_HAS(err.msg, "can give 999 MiB");
	room.cache = 1;
	CHECK_OK(zone_room_check(&guest, &room, &err), err);
}

static void
is_read(void)
{
	char dir[] = "/tmp/nrd-room-XXXXXX";
	struct zone_room room = { 0 };
	struct nrd_err err = { 0 };

	CHECK(mkdtemp(dir) != NULL);
	NRD_FREE char *proc = nrd_format("%s/proc", dir), *cgroup = nrd_format("%s/cgroup", dir);
	const struct zone_stat_env env = { .proc = proc, .cgroup = cgroup, .config = dir };

	tree_file(dir, "proc/stat", "cpu  1 0 0 9\ncpu0 1 0 0 9\n");
	tree_file(dir, "proc/meminfo", "MemTotal: 4096 kB\nMemAvailable:   2048 kB\n");
	CHECK_OK(zone_room_read(&env, &room, &err), err);
	CHECK_INT(room.available, MIB(2));
	CHECK_INT(room.cache, 0);
	tree_file(dir, "proc/spl/kstat/zfs/arcstats", "13 1 0x01 147 39984 1 2\nname type data\nc_min 4 1000\nsize 4 1500\n");
	CHECK_OK(zone_room_read(&env, &room, &err), err);
	CHECK_INT(room.cache, 500);
	tree_file(dir, "proc/spl/kstat/zfs/arcstats", "name type data\nc_min 4 1000\nsize 4 900\n");
	CHECK_OK(zone_room_read(&env, &room, &err), err);
	CHECK_INT(room.cache, 0);
	CHECK_INT(room.promised, 0);
	tree_remove(dir);
}

TEST_MAIN(sums, to_the_mib, is_read)
