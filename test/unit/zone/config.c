/* SPDX-License-Identifier: MPL-2.0 */
/* Copyright 2026 The Nereid authors */
#include "zone/config.h"

#include <sys/stat.h>

#include "nrd-test.h"
#include "nrd-tree.h"
#include "nrd/json.h"
#include "nrd/mem.h"
#include "nrd/str.h"
#include "zone/config-check.h"

static char dir[64];

static void
begin(void)
{
	test_mkdir(dir);
}

static void
end(void)
{
	tree_remove(dir);
}

static void
decode(const char *text, struct zone_config *c)
{
	struct nrd_err err = { 0 };

	CHECK_OK(nrd_decode_text(&zone_config_schema, text, strlen(text), NULL, 0, c, &err), err);
}

static void
names(void)
{
	static const char *const good[] = { "z1", "0", "web-0.example_b",
					    "6ba7b810-9dad-11d1-80b4-00c04fd430c8", NULL };
	static const char *const bad[] = { "",	    "-z", ".z", "a/b", "a b", "z\n", "global",
					   "SUNWx", "zön", "..", NULL };
	struct nrd_err err = { 0 };
	char name[66];

	for (size_t i = 0; good[i] != NULL; i++)
		CHECK_OK(zone_name_check(good[i], &err), err);
	for (size_t i = 0; bad[i] != NULL; i++)
		CHECK_FAILS(zone_name_check(bad[i], &err), err, EINVAL, "BadName");
	memset(name, 'a', sizeof(name));
	name[63] = '\0';
	CHECK_OK(zone_name_check(name, &err), err);
	name[63] = 'a';
	name[64] = '\0';
	CHECK_FAILS(zone_name_check(name, &err), err, EINVAL, "BadName");
}

static void
releases(void)
{
	static const char *const good[] = { "4.3.0", "6", "5.10.0-11+deb11~bpo_1", NULL };
	static const char *const bad[] = { "", "x", "-1", "4 3", "4,3", "4/3", "4.3\n", "4\xc3\xb6", NULL };
	struct nrd_err err = { 0 };
	char most[66] = { 0 };

	for (size_t i = 0; good[i] != NULL; i++)
		CHECK_OK(zone_check_release(good[i], &err), err);
	for (size_t i = 0; bad[i] != NULL; i++)
		CHECK_FAILS(zone_check_release(bad[i], &err), err, EINVAL, "BadRelease");
	memset(most, '4', 64);
	CHECK_OK(zone_check_release(most, &err), err);
	most[64] = '4';
	CHECK_FAILS(zone_check_release(most, &err), err, EINVAL, "BadRelease");
}

static void
nothing_there(void)
{
	NRD_STRV char **list = NULL;
	NRD_FREE char *name = NULL;
	struct zone_config c = { 0 };
	struct nrd_err err = { 0 };

	begin();
	CHECK_FAILS(zone_config_read(dir, "z1", &c, &err), err, ENOENT, "ZoneNotFound");
	CHECK_STR(err.msg, "z1: No such zone configured");
	CHECK_FAILS(zone_config_delete(dir, "z1", &err), err, ENOENT, "ZoneNotFound");
	CHECK_FAILS(zone_config_read(dir, "../z1", &c, &err), err, EINVAL, "BadName");
	CHECK_FAILS(zone_config_by_uuid(dir, "6ba7b810-9dad-11d1-80b4-00c04fd430c8", &name, &err),
		    err, ENOENT, "ZoneNotFound");
	CHECK_OK(zone_config_list(dir, &list, &err), err);
	CHECK(list == NULL);
	CHECK_OK(zone_config_list(tree_path(dir, "gone"), &list, &err), err);
	CHECK(list == NULL);
	end();
}

static void
defaults(void)
{
	struct zone_config c = { 0 }, small = { 0 }, memory = { 0 }, tasks = { 0 };
	struct nrd_err err = { 0 };

	CHECK_OK(zone_config_fill(&c, &err), err);
	CHECK_INT(strlen(c.zonename), 36);
	CHECK(nrd_uuid_valid(c.zonename));
	CHECK_STR(c.hostname, c.zonename);
	CHECK(nrd_starts(c.zonepath, "/zones/") != NULL);
	CHECK_STR(c.zfs_filesystem, c.zonepath + 1);
	CHECK_INT(c.brand, ZONE_NATIVE);
	CHECK_INT(c.installed, ZONE_CONFIGURED);
	CHECK_INT(c.id_base, 0);
	CHECK_INT(c.id_count, 65536);
	CHECK_INT(c.autoboot, true);
	CHECK_INT(c.restart_init, true);
	CHECK_INT(c.cpu_shares, 100);
	CHECK_INT(c.max_physical_memory, 256);
	CHECK_INT(c.max_swap, 256);
	CHECK_INT(c.max_lwps, 2000);
	CHECK_INT(c.quota, 10);
	CHECK_STR(c.limit_priv[0], "default");
	CHECK_OK(zone_config_verify(&c, &err), err);
	zone_config_fini(&c);

	/* Swap is raised to 256 MiB and to physical memory; locked and tmpfs are cut to it. */
	decode("{\"zonename\":\"z\",\"max_physical_memory\":128}", &small);
	CHECK_OK(zone_config_fill(&small, &err), err);
	CHECK_INT(small.max_swap, 256);
	CHECK_INT(small.max_locked_memory, 128);
	CHECK_INT(small.tmpfs, 128);
	CHECK_INT(small.max_shm_memory, 128);
	zone_config_fini(&small);
	decode("{\"zonename\":\"z\",\"max_physical_memory\":1024,\"max_swap\":512,"
	       "\"max_locked_memory\":4096,\"tmpfs\":2048,\"docker\":true}",
	       &memory);
	CHECK_OK(zone_config_fill(&memory, &err), err);
	CHECK_INT(memory.max_swap, 1024);
	CHECK_INT(memory.max_locked_memory, 1024);
	CHECK_INT(memory.tmpfs, 1024);
	CHECK_INT(memory.restart_init, false);
	zone_config_fini(&memory);
	decode("{\"zonename\":\"z\",\"max_processes\":50}", &tasks);
	CHECK_OK(zone_config_fill(&tasks, &err), err);
	CHECK_INT(tasks.max_lwps, 500);
	zone_config_fini(&tasks);
}

/* What others put in the file survives a change of ours, at the top and in each NIC. */
static void
keeps_what_it_does_not_know(void)
{
	NRD_AUTO(nrd_json) *doc = NULL;
	struct zone_config c = { 0 };
	struct nrd_err err = { 0 };
	const struct nrd_val *root, *nics;
	struct nrd_mac mac;
	struct stat st;

	begin();
	tree_file(dir, "z1.json",
		  "{\"zonename\":\"z1\",\"zonedid\":7,\"vnc_port\":5,\"alias\":\"old\",\"nics\":["
		  "{\"mac\":\"02:08:20:00:00:01\",\"interface\":\"net0\",\"of_another_version\":\"a\"},"
		  "{\"mac\":\"02:08:20:00:00:02\",\"interface\":\"net1\","
		  "\"of_another_version\":\"b\"}]}");
	CHECK_OK(zone_config_read(dir, "z1", &c, &err), err);
	CHECK_STR(c.zonepath, "/zones/z1");
	CHECK_INT(c.restart_init, true);
	/* The first NIC goes, the second one keeps what it had. */
	mac = c.nics[1].mac;
	nrd_str_set(&c.nics[0].interface, "net1");
	c.nics[0].mac = mac;
	nrd_object_fini(nrd_schema_find(&zone_config_schema, "nics")->schema, &c.nics[1]);
	c.n_nics = 1;
	NRD_CLEAR(&zone_config_schema, &c, alias);
	CHECK_OK(zone_config_write(dir, &c, &err), err);
	CHECK_OK(nrd_json_read_file(tree_path(dir, "z1.json"), NULL, &doc, &err), err);
	root = nrd_json_root(doc);
	nics = nrd_val_get(root, "nics");
	CHECK_INT(nrd_val_len(nics), 1);
	CHECK_STR(nrd_get_str(nrd_val_at(nics, 0), "of_another_version"), "b");
	CHECK(nrd_val_get(root, "alias") == NULL);
	CHECK(nrd_val_get(root, "vnc_port") != NULL);
	CHECK(stat(tree_path(dir, "z1.json"), &st) == 0);
	CHECK_INT(st.st_mode & 0777, 0600);
	zone_config_fini(&c);
	end();
}

static void
goes_round(void)
{
	static const char text[] =
		"{\"zonename\":\"z1\",\"brand\":\"lx\",\"zone_installed\":\"installed\","
		"\"zfs_filesystem\":\"\",\"id_base\":1065536,\"hostid\":4294967294,"
		"\"init_env\":[\"A=b\"],\"limit_priv\":[\"default\",\"-net_rawaccess\"],"
		"\"filesystems\":[{\"target\":\"/data\",\"source\":\"/zones/x\",\"type\":\"lofs\","
		"\"options\":[\"ro\"]}],"
		"\"attrs\":[{\"name\":\"a\",\"type\":\"uint\",\"value\":\"1\"}],"
		"\"datasets\":[\"zones/z1/data\"],\"resolvers\":[],\"tags\":{\"k\":\"v\"}}";
	struct zone_config c = { 0 }, again = { 0 };
	struct nrd_err err = { 0 };

	begin();
	tree_file(dir, "z1.json", text);
	CHECK_OK(zone_config_read(dir, "z1", &c, &err), err);
	CHECK(c.resolvers == NULL);
	CHECK_OK(zone_config_verify(&c, &err), err);
	CHECK_OK(zone_config_write(dir, &c, &err), err);
	CHECK_OK(zone_config_read(dir, "z1", &again, &err), err);
	CHECK_INT(again.brand, ZONE_LX);
	CHECK_INT(again.installed, ZONE_INSTALLED);
	CHECK_STR(again.zfs_filesystem, "");
	CHECK_INT(again.id_base, 1065536);
	CHECK_INT(again.hostid, 4294967294);
	CHECK_STR(again.init_env[0], "A=b");
	CHECK_STR(again.limit_priv[1], "-net_rawaccess");
	CHECK_STR(again.filesystems[0].options[0], "ro");
	CHECK_STR(again.attrs[0].value, "1");
	CHECK_STR(again.datasets[0], "zones/z1/data");
	CHECK_STR(again.tags[1], "v");
	CHECK_INT(again.zonedid, 1);
	zone_config_fini(&c);
	zone_config_fini(&again);
	end();
}

static void
numbers_are_not_reused(void)
{
	struct zone_config c = { 0 };
	struct nrd_err err = { 0 };

	begin();
	tree_file(dir, "old.json", "{\"zonename\":\"old\",\"zonedid\":41}");
	decode("{\"zonename\":\"z1\"}", &c);
	CHECK_OK(zone_config_write(dir, &c, &err), err);
	CHECK_OK(zone_config_delete(dir, "z1", &err), err);
	CHECK_OK(zone_config_write(dir, &c, &err), err);
	zone_config_fini(&c);
	CHECK_OK(zone_config_read(dir, "z1", &c, &err), err);
	CHECK_INT(c.zonedid, 43);
	zone_config_fini(&c);
	end();
}

static void
bad_files(void)
{
	static const char *const texts[] = {
		"",
		"[]",
		"{}",
		"{\"zonename\":\"other\"}",
		"{\"zonename\":\"z1\",\"zonepath\":\"relative\"}",
		"{\"zonename\":\"z1\",\"zonepath\":\"/zones/../etc\"}",
		"{\"zonename\":\"z1\",\"brand\":\"solaris10\"}",
		"{\"zonename\":\"z1\",\"nics\":[{\"mac\":\"x\"}]}",
		"{\"zonename\":\"z1\",\"nics\":[{\"ips\":[\"10.0.0.1\"]}]}",
		"{\"zonename\":\"z1\",\"filesystems\":[{\"target\":\"/p\",\"type\":\"proc\"}]}",
		"{\"zonename\":\"z1\",\"devices\":[{\"match\":\"/etc/passwd\"}]}",
		"{\"zonename\":\"z1\",\"datasets\":[\"zones//x\"]}",
		("{\"zonename\":\"z1\","
		 "\"attrs\":[{\"name\":\"a\",\"type\":\"int\",\"value\":\"x\"}]}"),
		"{\"zonename\":\"z1\",\"dedicated_cpu\":\"4-1\"}",
		"{\"zonename\":\"z1\"}{",
	};

	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		struct zone_config c = { 0 };
		struct nrd_err err = { 0 };

		begin();
		tree_file(dir, "z1.json", texts[i]);
		if (zone_config_read(dir, "z1", &c, &err) != -EINVAL ||
		    strcmp(err.code, "BadZoneFile") != 0)
			test_fail(__FILE__, __LINE__, "%s: %s %s", texts[i], err.code, err.msg);
		CHECK_HAS(err.msg, "zone 'z1': ");
		end();
	}
}

static void
verify(const char *members, const char *says)
{
	NRD_FREE char *text = nrd_format("{\"zonename\":\"z\"%s}", members);
	struct zone_config c = { 0 };
	struct nrd_err err = { 0 };

	decode(text, &c);
	CHECK_OK(zone_config_fill(&c, &err), err);
	CHECK_FAILS(zone_config_verify(&c, &err), err, EINVAL, "BadConfig");
	CHECK_HAS(err.msg, "zone 'z': ");
	CHECK_HAS(err.msg, says);
	zone_config_fini(&c);
}

static void
rules_between_properties(void)
{
	verify(",\"zonepath\":\"/etc/zone\"", "node's own");
	verify(",\"zonepath\":\"/\"", "root of the node");
	verify(",\"id_base\":4294967000", "more than there are");
	verify(",\"max_lwps\":10,\"max_processes\":11", "above max-lwps");
	verify(",\"dedicated_cpu\":\"2\",\"cpu_cap\":100", "exclude each other");
	verify(",\"datasets\":[\"zones\"]", "a pool cannot");
	verify(",\"datasets\":[\"zones/z\"]", "own root");
	verify(",\"datasets\":[\"zones/z/a\",\"zones/z/a/b\"]", "already");
	verify(",\"attrs\":[{\"name\":\"a\",\"type\":\"string\",\"value\":\"\"},"
	       "{\"name\":\"a\",\"type\":\"string\",\"value\":\"\"}]",
	       "two of them");
	verify(",\"filesystems\":[{\"target\":\"/proc/x\",\"source\":\"/a\",\"type\":\"lofs\"}]",
	       "made by the system");
	verify(",\"filesystems\":[{\"target\":\"/x\",\"type\":\"lofs\"}]", "special is not set");
	verify(",\"nics\":[{\"mac\":\"02:00:00:00:00:01\"}]", "physical is not set");
	verify(",\"nics\":[{\"interface\":\"net0\"},{\"interface\":\"net0\"}]", "two of them");
	verify(",\"nics\":[{\"interface\":\"net0\",\"primary\":true},"
	       "{\"interface\":\"net1\",\"primary\":true}]",
	       "primary already");
	verify(",\"brand\":\"kvm\",\"ram\":64,\"max_physical_memory\":32", "cannot be lower than ram");
	verify(",\"brand\":\"kvm\",\"disks\":[{\"path\":\"/d\"}]", "it has no size");
	verify(",\"brand\":\"kvm\",\"disks\":[{\"path\":\"/d\",\"size\":8,\"block_size\":5000}]", "no power of two");
	verify(",\"brand\":\"kvm\",\"disks\":[{\"path\":\"/d\",\"size\":8},{\"path\":\"/d\",\"size\":8}]", "two of them");
}

/* What a guest's zone may use follows its memory, and is never too little for QEMU itself. */
static void
a_guests_memory(void)
{
	static const struct {
		const char *members;
		uint64_t ram, max;
	} cases[] = {
		{ "", 256, 256 + 1024 },
		{ ",\"ram\":512", 512, 512 + 1024 },
		{ ",\"ram\":512,\"max_physical_memory\":600", 512, 512 + 256 },
		{ ",\"ram\":512,\"max_physical_memory\":900", 512, 900 },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		NRD_FREE char *text = nrd_format("{\"zonename\":\"z\",\"brand\":\"kvm\"%s}", cases[i].members);
		struct zone_config c = { 0 };
		struct nrd_err err = { 0 };

		decode(text, &c);
		CHECK_OK(zone_config_fill(&c, &err), err);
		CHECK_OK(zone_config_verify(&c, &err), err);
		CHECK_INT(c.ram, cases[i].ram);
		CHECK_INT(c.max_physical_memory, cases[i].max);
		CHECK_INT(c.max_locked_memory, cases[i].max);
		CHECK_INT(c.tmpfs, 0);
		CHECK_INT(c.vcpus, 1);
		zone_config_fini(&c);
	}
}

static void
listed_and_found(void)
{
	NRD_STRV char **list = NULL;
	NRD_FREE char *name = NULL;
	struct zone_config c = { 0 };
	struct nrd_err err = { 0 };

	begin();
	tree_file(dir, "zb.json",
		  "{\"zonename\":\"zb\",\"uuid\":\"6BA7B810-9dad-11d1-80b4-00c04fd430c8\"}");
	tree_file(dir, "za.json", "{\"zonename\":\"za\"}");
	tree_file(dir, "broken.json", "{");
	tree_file(dir, ".hidden.json", "{}");
	tree_file(dir, "index", "");
	tree_file(dir, "global.json", "{}");
	CHECK_OK(zone_config_list(dir, &list, &err), err);
	CHECK_INT(nrd_strv_len(NRD_CSTRV(list)), 3);
	CHECK_STR(list[0], "broken");
	CHECK_STR(list[1], "za");
	CHECK_STR(list[2], "zb");
	CHECK_OK(zone_config_by_uuid(dir, "6ba7b810-9dad-11d1-80b4-00c04fd430c8", &name, &err),
		 err);
	CHECK_STR(name, "zb");
	CHECK(zone_config_by_uuid(dir, "zb", &name, &err) == -EINVAL);

	decode("{\"zonename\":\"zc\",\"zonepath\":\"/zones/za/deep\"}", &c);
	CHECK_OK(zone_config_fill(&c, &err), err);
	CHECK_FAILS(zone_config_clash(dir, &c, &err), err, EINVAL, "BadConfig");
	CHECK_HAS(err.msg, "zone 'za'");
	CHECK_OK(nrd_decode_field(&zone_config_schema, "zonepath", "/zones/zaza", &c, &err), err);
	CHECK_OK(zone_config_clash(dir, &c, &err), err);
	zone_config_fini(&c);
	end();
}

TEST_MAIN(names, releases, nothing_there, defaults, keeps_what_it_does_not_know, goes_round,
	  numbers_are_not_reused, bad_files, rules_between_properties, a_guests_memory, listed_and_found)
