/* SPDX-License-Identifier: MPL-2.0 */
/* Copyright 2026 The Nereid authors */
#include "node/sysinfo.h"

#include <string.h>
#include <sys/stat.h>

#include "node/sysinfo-priv.h"
#include "nrd-tree.h"
#include "nrd/json.h"
#include "nrd/mem.h"
#include "nrd/str.h"

static struct nrd_err err;
static char dir[64], run[96], tmp[96];
static const struct node_sysinfo_env env = {
	.root = dir,
	.run = run,
	.tmp = tmp,
	.no_pool = true,
};

static void
node_up(void)
{
	char sys[96];

	test_mkdir(dir);
	(void)snprintf(run, sizeof(run), "%s/run/nereid", dir);
	(void)snprintf(tmp, sizeof(tmp), "%s/tmp", dir);
	(void)snprintf(sys, sizeof(sys), "%s/sys", dir);
	CHECK(mkdir(tmp, 01777) == 0);
	tree_file(dir, "etc/os-release",
		  "NAME=Nereid\nID=nereid\nVERSION_ID=\"20260728T120000Z\"\n");
	tree_file(dir, "proc/cmdline", "quiet console=tty0 console=ttyS0 nereid.bootfs=AB12-34CD\n");
	tree_file(dir, "proc/stat", "cpu  1 2 3\nbtime 1795396851\nprocesses 5\n");
	tree_file(dir, "proc/meminfo", "MemTotal:        1016332 kB\nMemFree: 1 kB\n");
	tree_file(dir, "proc/mounts",
		  "overlay / overlay rw 0 0\nzones/var /var zfs rw,xattr 0 0\n");
	tree_file(dir, "proc/cpuinfo",
		  "processor\t: 0\nmodel name\t: AMD EPYC 7 @ 2.0GHz\nflags\t\t: fpu svmx svm sse\n\n"
		  "processor\t: 1\nmodel name\t: other\n");
	tree_file(dir, "sys/devices/system/cpu/present", "0-3,6\n");
	tree_file(dir, "sys/devices/system/cpu/online", "0-3\n");
	tree_file(dir, "sys/devices/system/cpu/cpufreq/x", "");
	for (int i = 0; i < 4; i++) {
		char name[96];

		(void)snprintf(name, sizeof(name),
			       "sys/devices/system/cpu/cpu%d/topology/core_cpus_list", i);
		tree_file(dir, name, i < 2 ? "0-1\n" : "2-3\n");
		(void)snprintf(name, sizeof(name),
			       "sys/devices/system/cpu/cpu%d/topology/package_cpus_list", i);
		tree_file(dir, name, "0-3\n");
	}
	tree_file(dir, "sys/class/dmi/id/sys_vendor", "QEMU\n");
	tree_file(dir, "sys/class/dmi/id/product_name", "Standard PC\n");
	tree_file(dir, "sys/class/dmi/id/product_uuid", "AABBCCDD-1122-4333-8444-AAAAAAAAAAAA\n");
	tree_nic(sys, "eth0", 2, "52:54:00:aa:00:00", "../drivers/virtio_net", "up");
	tree_nic(sys, "eth1", 3, "52:54:00:aa:00:01", "../drivers/virtio_net", "down");
	tree_nic(sys, "aggr0", 9, "52:54:00:aa:00:01", NULL, "up");
	tree_file(sys, "class/net/aggr0/bonding/mode", "802.3ad 4\n");
	tree_link(sys, "class/net/eth1/master", "../aggr0");
	tree_file(dir, "usbkey/config",
		  "admin_nic=52:54:00:aa:00:00\nadmin_ip=10.0.0.5\nexternal_nic=aggr0\n"
		  "trunk_nic=52:54:00:aa:00:00\ndatacenter_name=lab\naggr0_lacp_mode=passive\n"
		  "etherstub=stub0\n");
}

static struct nrd_json *
collect(void)
{
	NRD_AUTO(nrd_buf) out = NRD_BUF_INIT(0);
	struct nrd_json *doc = NULL;

	CHECK_OK(node_sysinfo_collect(&env, &out, &err), err);
	CHECK_OK(nrd_json_parse(nrd_buf_str(&out), out.len, NULL, &doc, &err), err);
	return doc;
}

static void
number_is(const struct nrd_val *root, const char *key, uint64_t want)
{
	uint64_t v = UINT64_MAX;

	if (!nrd_get_u64(root, key, &v) || v != want)
		test_fail(__FILE__, __LINE__, "%s: %llu", key, (unsigned long long)v);
}

static void
tells_the_node(void)
{
	static const struct {
		const char *key, *want;
	} texts[] = {
		{ "Live Image", "20260728T120000Z" },
		{ "System Type", "Linux" },
		{ "Boot Time", "1795396851" },
		{ "Datacenter Name", "lab" },
		{ "Manufacturer", "QEMU" },
		{ "Product", "Standard PC" },
		{ "Serial Number", "" },
		{ "Setup", "true" },
		{ "CPU Type", "AMD EPYC 7 @ 2.0GHz" },
		{ "CPU Virtualization", "svm" },
		{ "Admin NIC Tag", "admin" },
		{ "Admin IP", "10.0.0.5" },
		{ "UUID", "aabbccdd-1122-4333-8444-aaaaaaaaaaaa" },
		{ "MiB of Memory", "992" },
		{ "Zpool", "zones" },
	};
	NRD_AUTO(nrd_json) *doc = NULL;
	const struct nrd_val *root, *v;
	bool kvm = true;

	node_up();
	doc = collect();
	root = nrd_json_root(doc);
	for (size_t i = 0; i < nrd_count(texts); i++)
		CHECK_STR(nrd_get_str(root, texts[i].key), texts[i].want);
	number_is(root, "CPU Socket Count", 1);
	number_is(root, "CPU Physical Cores", 1);
	number_is(root, "CPU Core Count", 2);
	number_is(root, "CPU Online Count", 4);
	number_is(root, "CPU Count", 5);
	number_is(root, "CPU Total Cores", 5);
	number_is(root, "Bhyve Max Vcpus", 0);
	CHECK(nrd_get_bool(root, "VM Capable", &kvm) && !kvm);
	CHECK(nrd_val_get(root, "Zpool Profile") == NULL);

	v = nrd_val_get(root, "Boot Parameters");
	CHECK_INT(nrd_val_len(v), 3);
	CHECK_STR(nrd_get_str(v, "quiet"), "true");
	CHECK_STR(nrd_get_str(v, "console"), "ttyS0");

	v = nrd_val_get(nrd_val_get(root, "Network Interfaces"), "eth0");
	CHECK_STR(nrd_get_str(v, "MAC Address"), "52:54:00:aa:00:00");
	CHECK_STR(nrd_get_str(v, "Link Status"), "up");
	CHECK_STR(nrd_get_str(v, "ip4addr"), "");
	v = nrd_val_get(v, "NIC Names");
	CHECK_INT(nrd_val_len(v), 2);
	CHECK_STR(nrd_val_str(nrd_val_at(v, 1)), "trunk");
	v = nrd_val_get(nrd_val_get(root, "Network Interfaces"), "aggr0");
	CHECK_STR(nrd_val_str(nrd_val_at(nrd_val_get(v, "NIC Names"), 0)), "external");
	v = nrd_val_get(nrd_val_get(root, "Link Aggregations"), "aggr0");
	CHECK_STR(nrd_get_str(v, "LACP mode"), "passive");
	CHECK_STR(nrd_val_str(nrd_val_at(nrd_val_get(v, "Interfaces"), 0)), "eth1");
	tree_remove(dir);
}

static void
uuid_rule(void)
{
	NRD_AUTO(nrd_json) *doc = NULL;

	node_up();
	/* Firmware that was never given one. */
	tree_file(dir, "sys/class/dmi/id/product_uuid", "00000000-0000-0000-0000-000000000000\n");
	doc = collect();
	CHECK(nrd_val_get(nrd_json_root(doc), "UUID") == NULL);
	nrd_json_free(NRD_TAKE(doc));
	tree_file(dir, "sys/class/dmi/id/product_uuid", "FFFFFFFF-FFFF-FFFF-FFFF-FFFFFFFFFFFF\n");
	tree_file(dir, "proc/cmdline", "override_uuid=11111111-2222-4333-8444-555555555555\n");
	doc = collect();
	CHECK_STR(nrd_get_str(nrd_json_root(doc), "UUID"), "11111111-2222-4333-8444-555555555555");
	tree_remove(dir);
}

static void
an_empty_node(void)
{
	NRD_AUTO(nrd_json) *doc = NULL;
	const struct nrd_val *root;

	test_mkdir(dir);
	doc = collect();
	root = nrd_json_root(doc);
	CHECK(nrd_val_get(root, "Live Image") == NULL);
	CHECK(nrd_val_get(root, "Zpool") == NULL);
	CHECK_STR(nrd_get_str(root, "Setup"), "false");
	CHECK_STR(nrd_get_str(root, "CPU Virtualization"), "none");
	CHECK_INT(nrd_val_len(nrd_val_get(root, "Network Interfaces")), 0);
	tree_remove(dir);
}

static void
cache(void)
{
	NRD_AUTO(nrd_json) *doc = NULL;
	char path[160], target[160];
	struct stat st;
	ssize_t n;

	node_up();
	/* Somebody prepared names in /tmp: what they lead to stays as it is. */
	tree_file(dir, "victim", "precious");
	(void)snprintf(target, sizeof(target), "%s/victim", dir);
	tree_link(dir, "tmp/.sysinfo.json", target);
	tree_file(dir, "tmp/.sysinfo.parsable", "forged");
	CHECK_OK(node_sysinfo_get(&env, &doc, &err), err);
	CHECK_STR(nrd_get_str(nrd_json_root(doc), "Zpool"), "zones");
	nrd_json_free(NRD_TAKE(doc));
	(void)snprintf(path, sizeof(path), "%s/victim", dir);
	CHECK(stat(path, &st) == 0 && st.st_size == 8);
	(void)snprintf(path, sizeof(path), "%s/.sysinfo.json", tmp);
	n = readlink(path, target, sizeof(target) - 1);
	CHECK(n > 0);
	target[n] = '\0';
	(void)snprintf(path, sizeof(path), "%s/sysinfo.json", run);
	CHECK_STR(target, path);
	CHECK(stat(path, &st) == 0);
	CHECK_INT(st.st_mode & 0777, 0600);
	(void)snprintf(path, sizeof(path), "%s/.sysinfo.parsable", tmp);
	CHECK(lstat(path, &st) == 0 && S_ISLNK(st.st_mode));

	/* What was kept is told, until it is forgotten or renewed. */
	tree_file(dir, "etc/os-release", "VERSION_ID=20270101T000000Z\n");
	CHECK_OK(node_sysinfo_get(&env, &doc, &err), err);
	CHECK_STR(nrd_get_str(nrd_json_root(doc), "Live Image"), "20260728T120000Z");
	nrd_json_free(NRD_TAKE(doc));
	CHECK_OK(node_sysinfo_update(&env, &err), err);
	CHECK_OK(node_sysinfo_get(&env, &doc, &err), err);
	CHECK_STR(nrd_get_str(nrd_json_root(doc), "Live Image"), "20270101T000000Z");
	nrd_json_free(NRD_TAKE(doc));
	tree_file(dir, "etc/os-release", "VERSION_ID=20280101T000000Z\n");
	node_sysinfo_forget(&env);
	CHECK_OK(node_sysinfo_get(&env, &doc, &err), err);
	CHECK_STR(nrd_get_str(nrd_json_root(doc), "Live Image"), "20280101T000000Z");
	/* A new configuration makes it old by itself. */
	tree_file(dir, "etc/os-release", "VERSION_ID=20290101T000000Z\n");
	nrd_json_free(NRD_TAKE(doc));
	CHECK_OK(node_sysinfo_get(&env, &doc, &err), err);
	CHECK_STR(nrd_get_str(nrd_json_root(doc), "Live Image"), "20280101T000000Z");
	tree_file(dir, "usbkey/config", "datacenter_name=elsewhere\n");
	nrd_json_free(NRD_TAKE(doc));
	CHECK_OK(node_sysinfo_get(&env, &doc, &err), err);
	CHECK_STR(nrd_get_str(nrd_json_root(doc), "Live Image"), "20290101T000000Z");
	CHECK_STR(nrd_get_str(nrd_json_root(doc), "Datacenter Name"), "elsewhere");
	nrd_json_free(NRD_TAKE(doc));
	tree_file(dir, "run/nereid/sysinfo.json", "{\"torn");
	CHECK_OK(node_sysinfo_get(&env, &doc, &err), err);
	CHECK_STR(nrd_get_str(nrd_json_root(doc), "Zpool"), "zones");
	tree_remove(dir);
}

static void
for_a_shell(void)
{
	static const char json[] = "{\"A b\":\"it's\",\"n\":5,\"t\":true,\"l\":[\"x\",\"y\"],"
				   "\"o\":{\"k 1\":{\"d\":\"e\"}},\"z\":null,"
				   "\"a\":[{\"name\":\"q\"}],\"e\":[]}";
	NRD_AUTO(nrd_json) *doc = NULL;
	NRD_AUTO(nrd_buf) out = NRD_BUF_INIT(0);

	CHECK_OK(nrd_json_parse(json, sizeof(json) - 1, NULL, &doc, &err), err);
	CHECK_OK(node_sysinfo_shell(nrd_json_root(doc), &out, &err), err);
	CHECK_STR(nrd_buf_str(&out), "A_b='it'\\''s'\nn='5'\nt='true'\nl='x,y'\no_k_1_d='e'\nz=''\n"
				     "a_0_name='q'\ne=''\n");
}

static void
parts(void)
{
	NRD_STRV char **pairs = NULL;
	uint64_t first = 99;
	char name[16];

	CHECK_INT(sysinfo_list_count("0-3,8", &first), 5);
	CHECK_INT(first, 0);
	CHECK_INT(sysinfo_list_count("5", &first), 1);
	CHECK_INT(first, 5);
	CHECK_INT(sysinfo_list_count("", &first), 0);
	CHECK_INT(sysinfo_list_count("3-1", &first), 0);
	CHECK_INT(sysinfo_list_count("a", &first), 0);

	CHECK_INT(sysinfo_boot_parse("\va=\"b c\" \"d=e f\" =x g\f g=2 -- h=3", &pairs), 0);
	CHECK_INT(nrd_strv_len(NRD_CSTRV(pairs)), 6);
	CHECK_STR(pairs[1], "b c");
	CHECK_STR(pairs[2], "d");
	CHECK_STR(pairs[3], "e f");
	CHECK_STR(pairs[4], "g");
	CHECK_STR(pairs[5], "2");

	CHECK(!sysinfo_pool_of("/dev/sda /var ext4 rw 0 0\n", name, sizeof(name)));
	CHECK(!sysinfo_pool_of("", name, sizeof(name)));
	CHECK(sysinfo_pool_of("tank/var /var zfs rw 0 0\nzones/var /var zfs rw 0 0\n", name,
			      sizeof(name)));
	CHECK_STR(name, "zones");
}

TEST_MAIN(tells_the_node, uuid_rule, an_empty_node, cache, for_a_shell, parts)
