/* SPDX-License-Identifier: MPL-2.0 */
/* Copyright 2026 The Nereid authors */
#include "nrd-test.h"

#include "disk/inventory.h"
#include "disk/layout.h"
#include "nrd/buf.h"
#include "nrd/json.h"
#include "nrd/mem.h"

static int
parse_layout(const char *text, struct disk_layout *layout, struct nrd_err *err)
{
	return disk_layout_parse(text, strlen(text), layout, err);
}

static int
parse_list(const char *text, struct disk_list *list, struct nrd_err *err)
{
	return disk_list_parse(text, strlen(text), list, err);
}

static void
write_layout(const struct disk_layout *layout, struct nrd_buf *out)
{
	struct nrd_err err = { 0 };
	struct nrd_jw w;

	nrd_jw_init(&w, out, NRD_JW_COMPACT);
	disk_layout_write(layout, &w);
	CHECK_OK(nrd_jw_finish(&w, &err), err);
}

static void
round_trip(void)
{
	static const char *const texts[] = {
		"{\"vdevs\":[{\"name\":\"vda\",\"vid\":\"-\",\"pid\":\"-\",\"size\":5,"
		"\"solid_state\":false}],\"capacity\":5}",
		"{\"vdevs\":[{\"type\":\"mirror\",\"devices\":["
		"{\"name\":\"sda\",\"vid\":\"ATA\",\"pid\":\"A b\",\"size\":7,\"solid_state\":true},"
		"{\"name\":\"sdb\",\"vid\":\"ATA\",\"pid\":\"A b\",\"size\":8,\"solid_state\":true}]}],"
		"\"spares\":[{\"name\":\"sdc\",\"vid\":\"-\",\"pid\":\"-\",\"size\":9,"
		"\"solid_state\":true}],"
		"\"logs\":[{\"name\":\"sdd\",\"vid\":\"-\",\"pid\":\"-\",\"size\":1,"
		"\"solid_state\":true}],"
		"\"cache\":[{\"name\":\"sde\",\"vid\":\"-\",\"pid\":\"-\",\"size\":2,"
		"\"solid_state\":false}],\"capacity\":7}",
	};

	for (size_t i = 0; i < nrd_count(texts); i++) {
		NRD_AUTO(disk_layout) layout = { 0 };
		NRD_AUTO(nrd_buf) out = NRD_BUF_INIT(4096);
		struct nrd_err err = { 0 };

		CHECK_OK(parse_layout(texts[i], &layout, &err), err);
		write_layout(&layout, &out);
		CHECK_STR(nrd_buf_str(&out), texts[i]);
	}
}

static void
walks_all_disks(void)
{
	NRD_AUTO(disk_layout) layout = { 0 };
	NRD_AUTO(nrd_buf) names = NRD_BUF_INIT(256);
	const struct disk_member *member;
	struct nrd_err err = { 0 };

	CHECK_OK(parse_layout("{\"vdevs\":[{\"type\":\"raidz\",\"devices\":[{\"name\":\"a\"},"
			      "{\"name\":\"b\"}]},{\"name\":\"c\"}],\"spares\":[{\"name\":\"d\"}],"
			      "\"logs\":null,\"cache\":[{\"name\":\"e\"},{\"name\":\"f\"}]}",
			      &layout, &err),
		 err);
	for (size_t i = 0; disk_layout_next(&layout, &i, &member);)
		(void)nrd_buf_adds(&names, member->name);
	CHECK_STR(nrd_buf_str(&names), "abcdef");
	CHECK_INT(layout.capacity, 0);
}

static void
layouts_refused(void)
{
	static const struct {
		const char *text;
		const char *code;
		const char *why;
	} cases[] = {
		{ "", "BadJson", "" },
		{ "[]", "BadLayout", "must be an object, is an array" },
		{ "{\"error\":\"no disks\"}", "BadLayout", "holds an error: no disks" },
		{ "{}", "BadLayout", "vdevs: there are none" },
		{ "{\"vdevs\":[]}", "BadLayout", "vdevs: there are none" },
		{ "{\"vdevs\":{}}", "BadLayout", "vdevs: must be an array, is an object" },
		{ "{\"vdevs\":[5]}", "BadProperty", "vdevs[0]" },
		{ "{\"vdevs\":[{}]}", "MissingProperty", "vdevs[0]" },
		{ "{\"vdevs\":[{\"name\":\"-f\"}]}", "BadProperty", "begins with '-'" },
		{ "{\"vdevs\":[{\"name\":\"a b\"}]}", "BadProperty", "may not have blanks" },
		{ "{\"vdevs\":[{\"name\":\"\\u00e4\"}]}", "BadProperty", "ASCII" },
		{ "{\"vdevs\":[{\"name\":\"\"}]}", "BadProperty", "1 to 255" },
		{ "{\"vdevs\":[{\"devices\":[{\"name\":\"a\"}]}]}", "BadLayout", "no type" },
		{ "{\"vdevs\":[{\"type\":\"mirror\",\"devices\":[{\"name\":\"a\"}]}]}", "BadLayout",
		  "vdevs[0]: a mirror needs 2 disks, has 1" },
		{ "{\"vdevs\":[{\"type\":\"raidz3\",\"devices\":[{\"name\":\"a\"},{\"name\":\"b\"},"
		  "{\"name\":\"c\"}]}]}",
		  "BadLayout", "a raidz3 needs 4 disks, has 3" },
		{ "{\"vdevs\":[{\"type\":\"log\",\"devices\":[{\"name\":\"a\"}]}]}", "BadLayout",
		  "unknown type log" },
		{ "{\"vdevs\":[{\"name\":\"a\"}],\"cache\":[{\"name\":\"a\"}]}", "BadLayout",
		  "disk a is there twice" },
		{ "{\"vdevs\":[{\"name\":\"a\"}],\"logs\":[{\"size\":1}]}", "MissingProperty",
		  "logs[0]" },
	};

	for (size_t i = 0; i < nrd_count(cases); i++) {
		NRD_AUTO(disk_layout) layout = { 0 };
		struct nrd_err err = { 0 };

		CHECK_FAILS(parse_layout(cases[i].text, &layout, &err), err, EINVAL, cases[i].code);
		CHECK_HAS(err.msg, cases[i].why);
		CHECK_INT(layout.n_vdevs, 0);
	}
}

static void
lists_from_json(void)
{
	NRD_AUTO(disk_list) list = { 0 };
	struct nrd_err err = { 0 };

	CHECK_OK(parse_list(" [{\"name\":\"c1t0d0\",\"type\":\"SATA\",\"vid\":\"ATA\",\"pid\":\"X\","
			    "\"size\":1000,\"removable\":true,\"solid_state\":false,\"extra\":[1]},"
			    "{\"disk\":\"nvme0n1\",\"type\":\"nvme\",\"vid\":null,\"size\":\"2000\","
			    "\"rmv\":false,\"ssd\":true}]",
			    &list, &err),
		 err);
	CHECK_INT(list.len, 2);
	CHECK_STR(list.data[0].name, "c1t0d0");
	CHECK_STR(list.data[0].vid, "ATA");
	CHECK_INT(list.data[0].bus, DISK_BUS_SATA);
	CHECK_INT(list.data[0].size_bytes, 1000);
	CHECK(list.data[0].removable);
	CHECK(!list.data[0].ssd);
	CHECK_STR(list.data[1].name, "nvme0n1");
	CHECK_STR(list.data[1].path, "/dev/nvme0n1");
	CHECK(list.data[1].vid == NULL);
	CHECK_INT(list.data[1].bus, DISK_BUS_NVME);
	CHECK_INT(list.data[1].size_bytes, 2000);
	CHECK(list.data[1].ssd);
}

static void
lists_from_lines(void)
{
	NRD_AUTO(disk_list) list = { 0 };
	struct nrd_err err = { 0 };

	CHECK_OK(parse_list("SATA\tc0t0d0\tATA\tWDC WD10EZ\t1000204886016\tno\tno\n"
			    "\n"
			    "-\tvda\t-\t-\t42949672960\tyes\tyes",
			    &list, &err),
		 err);
	CHECK_INT(list.len, 2);
	CHECK_STR(list.data[0].pid, "WDC WD10EZ");
	CHECK_INT(list.data[0].size_bytes, 1000204886016);
	CHECK(!list.data[0].removable);
	CHECK_INT(list.data[1].bus, DISK_BUS_UNKNOWN);
	CHECK(list.data[1].vid == NULL);
	CHECK(list.data[1].removable && list.data[1].ssd);

	NRD_AUTO(disk_list) none = { 0 };

	CHECK_OK(parse_list("", &none, &err), err);
	CHECK_INT(none.len, 0);
}

static void
lists_refused(void)
{
	static const struct {
		const char *text;
		const char *code;
		const char *why;
	} cases[] = {
		{ "[", "BadJson", "" },
		{ "{}", "BadInventory", "must be an array" },
		{ "[{\"size\":1}]", "MissingProperty", "disk 0: name: missing" },
		{ "[{\"name\":\"a\"}]", "MissingProperty", "size" },
		{ "[{\"name\":\"a\",\"size\":-1}]", "BadProperty", "size" },
		{ "[{\"name\":\"a\",\"size\":1},{\"disk\":\"a\",\"size\":1}]", "BadInventory",
		  "disk 1: disk a is there twice" },
		{ "[{\"name\":\"/dev/a\",\"size\":1},{\"name\":\"a\",\"size\":1}]", "BadInventory",
		  "disk 1: disk a is there twice" },
		{ "[{\"name\":\"/dev/\",\"size\":1}]", "BadInventory", "not /dev/" },
		{ "[{\"name\":\"/a\",\"size\":1}]", "BadInventory", "not /a" },
		{ "vda 10G\n", "BadInventory", "line 1: neither JSON nor" },
		{ "SATA\ta\t-\t-\tbig\tno\tno\n", "BadProperty", "line 1: size" },
		{ "SATA\ta\t-\t-\t1\tmaybe\tno\n", "BadProperty", "rmv" },
	};

	for (size_t i = 0; i < nrd_count(cases); i++) {
		NRD_AUTO(disk_list) list = { 0 };
		struct nrd_err err = { 0 };

		CHECK_FAILS(parse_list(cases[i].text, &list, &err), err, EINVAL, cases[i].code);
		CHECK_HAS(err.msg, cases[i].why);
		CHECK_INT(list.len, 0);
	}

	NRD_AUTO(disk_list) list = { 0 };
	struct nrd_err err = { 0 };

	CHECK_FAILS(disk_list_parse("SATA\ta\0\n", 8, &list, &err), err, EINVAL, "BadInventory");
	CHECK_HAS(err.msg, "zero byte");
}

TEST_MAIN(round_trip, walks_all_disks, layouts_refused, lists_from_json, lists_from_lines,
	  lists_refused)
