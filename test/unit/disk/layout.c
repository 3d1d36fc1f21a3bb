/* SPDX-License-Identifier: MPL-2.0 */
/* Copyright 2026 The Nereid authors */
#include "nrd-test.h"

#include "disk/inventory.h"
#include "disk/layout.h"
#include "nrd/buf.h"
#include "nrd/json.h"
#include "nrd/mem.h"
#include "nrd/str.h"
#include "nrd/vec.h"

#define GB UINT64_C(1000000000)

/* "12x4000" is twelve spinning disks of 4000 GB; letters after it: s ssd, r removable, ... */
struct spec {
	const char *disks;
	struct disk_layout_opts opts;
	const char *want; /* see describe(); or the error */
};

static enum disk_bus
spec_bus(char flag)
{
	switch (flag) {
	case 'u':
		return DISK_BUS_USB;
	case 'n':
		return DISK_BUS_NVME;
	case 'v':
		return DISK_BUS_VIRTIO;
	default:
		return DISK_BUS_SAS;
	}
}

static void
add_disks(struct disk_list *list, uint64_t count, uint64_t gb, const char *flags)
{
	for (uint64_t i = 0; i < count; i++) {
		struct disk disk = {
			.name = nrd_format("d%zu", list->len),
			.path = nrd_format("/dev/d%zu", list->len),
			.vid = strdup("ACME"),
			.pid = strdup("Disk"),
			.size_bytes = gb * GB,
			.ssd = strchr(flags, 's') != NULL,
			.removable = strchr(flags, 'r') != NULL,
			.read_only = strchr(flags, 'o') != NULL,
			.boot_medium = strchr(flags, 'm') != NULL,
			.busy = strchr(flags, 'b') != NULL,
			.blank = strchr(flags, 'f') == NULL,
		};

		for (const char *c = flags; *c != '\0'; c++) {
			if (spec_bus(*c) != DISK_BUS_SAS)
				disk.bus = spec_bus(*c);
		}
		if (disk.bus == DISK_BUS_UNKNOWN)
			disk.bus = DISK_BUS_SAS;
		CHECK(disk.name != NULL && disk.path != NULL && disk.vid != NULL);
		if (strchr(flags, 'e') != NULL)
			disk.use_error = strdup("broken");
		CHECK_INT(nrd_vec_push(list, disk), 0);
	}
}

/* "COUNTxGB[flags]" by blanks. */
static void
make_disks(const char *text, struct disk_list *list)
{
	struct nrd_str rest = nrd_str(text), word;

	while (nrd_str_word(&rest, &word)) {
		NRD_FREE char *spec = nrd_str_dup(word);
		char *gb, *flags;

		CHECK(spec != NULL);
		gb = strchr(spec, 'x');
		CHECK(gb != NULL);
		*gb++ = '\0';
		flags = gb + strspn(gb, "0123456789");
		NRD_FREE char *size = nrd_str_dup(nrd_strn(gb, (size_t)(flags - gb)));
		uint64_t count = 0, size_gb = 0;

		CHECK_INT(nrd_parse_u64(spec, 0, 1000, &count, NULL), 0);
		CHECK_INT(nrd_parse_u64(size, 0, 1000000, &size_gb, NULL), 0);
		add_disks(list, count, size_gb, flags);
	}
}

static void
describe_members(struct nrd_buf *b, const char *what, const struct disk_member *members, size_t n)
{
	if (n == 0)
		return;
	(void)nrd_buf_printf(b, " %s:", what);
	for (size_t i = 0; i < n; i++)
		(void)nrd_buf_printf(b, "%s%s", i > 0 ? "," : "", members[i].name);
}

/* "2*mirror:2 spares:d4 logs:d5 cache:d6 = 8000", capacity in GB. */
static void
describe(const struct disk_layout *layout, struct nrd_buf *b)
{
	for (size_t i = 0; i < layout->n_vdevs; i++) {
		CHECK_INT(layout->vdevs[i].n_devices, layout->vdevs[0].n_devices);
		CHECK(nrd_streq(layout->vdevs[i].type, layout->vdevs[0].type));
	}
	CHECK(layout->n_vdevs > 0);
	(void)nrd_buf_printf(b, "%zu*%s:%zu", layout->n_vdevs,
			     layout->vdevs[0].type != NULL ? layout->vdevs[0].type : "disk",
			     layout->vdevs[0].n_devices);
	describe_members(b, "spares", layout->spares, layout->n_spares);
	describe_members(b, "logs", layout->logs, layout->n_logs);
	describe_members(b, "cache", layout->cache, layout->n_cache);
	(void)nrd_buf_printf(b, " = %llu", (unsigned long long)(layout->capacity / GB));
}

static void
check_spec(const struct spec *spec)
{
	NRD_AUTO(disk_list) disks = { 0 };
	NRD_AUTO(disk_layout) layout = { 0 };
	NRD_AUTO(nrd_buf) got = NRD_BUF_INIT(8192);
	struct nrd_err err = { 0 };
	int r;

	make_disks(spec->disks, &disks);
	r = disk_layout_compute(&disks, &spec->opts, &layout, &err);
	if (r < 0)
		(void)nrd_buf_adds(&got, err.msg);
	else
		describe(&layout, &got);
	if (!nrd_streq(nrd_buf_str(&got), spec->want))
		test_fail(__FILE__, __LINE__, "%s, layout %s, spares %d, width %d: got %s, want %s",
			  spec->disks, spec->opts.layout != NULL ? spec->opts.layout : "default",
			  spec->opts.spares_given ? (int)spec->opts.spares : -1,
			  (int)spec->opts.width, nrd_buf_str(&got), spec->want);
}

#define RUN(...)                                                           \
	do {                                                               \
		static const struct spec specs[] = { __VA_ARGS__ };        \
		for (size_t i = 0; i < nrd_count(specs); i++)              \
			check_spec(&specs[i]);                             \
	} while (0)

#define LAYOUT(name) { .layout = (name) }
#define SPARES(n) { .spares_given = true, .spares = (n) }
#define LAYOUT_SPARES(name, n) { .layout = (name), .spares_given = true, .spares = (n) }
#define LAYOUT_WIDTH(name, w) { .layout = (name), .width = (w) }

static void
defaults_spinning(void)
{
	RUN({ "1x1000", { 0 }, "1*disk:1 = 1000" },
	    { "2x1000", { 0 }, "1*mirror:2 = 1000" },
	    { "3x1000", { 0 }, "1*raidz:3 = 2000" },
	    { "4x1000", { 0 }, "1*raidz:4 = 3000" },
	    { "5x1000", { 0 }, "1*raidz2:5 = 3000" },
	    { "6x1000", { 0 }, "1*raidz2:6 = 4000" },
	    { "7x1000", { 0 }, "3*mirror:2 spares:d6 = 3000" },
	    /* Two spares of eight: one for the number, one because seven is odd. */
	    { "8x1000", { 0 }, "3*mirror:2 spares:d6,d7 = 3000" },
	    { "9x1000", { 0 }, "4*mirror:2 spares:d8 = 4000" },
	    { "12x1000", { 0 }, "5*mirror:2 spares:d10,d11 = 5000" },
	    { "15x1000", { 0 }, "7*mirror:2 spares:d14 = 7000" },
	    { "16x1000", { 0 }, "7*mirror:2 spares:d14,d15 = 7000" },
	    { "17x1000", { 0 }, "2*raidz2:8 spares:d16 = 12000" },
	    { "24x1000", { 0 }, "2*raidz2:11 spares:d22,d23 = 18000" },
	    { "36x1000", { 0 }, "3*raidz2:11 spares:d33,d34,d35 = 27000" });
}

static void
defaults_large(void)
{
	/* Above 1.5 TB and seven disks. */
	RUN({ "7x4000", { 0 }, "3*mirror:2 spares:d6 = 12000" },
	    { "8x4000", { 0 }, "1*raidz2:8 = 24000" },
	    { "8x1500", { 0 }, "3*mirror:2 spares:d6,d7 = 4500" },
	    { "12x4000", { 0 }, "1*raidz2:11 spares:d11 = 36000" },
	    { "16x4000", { 0 }, "2*raidz2:7 spares:d14,d15 = 40000" });
}

static void
defaults_ssd(void)
{
	RUN({ "1x480s", { 0 }, "1*disk:1 = 480" },
	    { "2x480s", { 0 }, "1*mirror:2 = 480" },
	    { "4x480s", { 0 }, "1*raidz:4 = 1440" },
	    { "5x480s", { 0 }, "1*raidz:5 = 1920" },
	    { "6x480s", { 0 }, "2*raidz:3 = 1920" },
	    { "7x480s", { 0 }, "1*raidz2:7 = 2400" },
	    { "8x480s", { 0 }, "1*raidz2:8 = 2880" },
	    { "11x480s", { 0 }, "1*raidz2:11 = 4320" },
	    { "12x480s", { 0 }, "5*mirror:2 spares:d10,d11 = 2400" },
	    { "24x480s", { 0 }, "2*raidz2:11 spares:d22,d23 = 8640" });
}

static void
roles(void)
{
	RUN({ "8x4000 2x100s", { 0 }, "1*raidz2:8 logs:d8,d9 = 24000" },
	    /* One size class for storage, the smallest flash for logs, the other flash for cache. */
	    { "8x4000 2x100s 2x800s", { 0 }, "1*raidz2:8 logs:d8,d9 cache:d10,d11 = 24000" },
	    { "8x4000 2x100s 2x800s", { .no_cache = true }, "1*raidz2:8 logs:d8,d9 = 24000" },
	    /* Five are too many for logs. */
	    { "4x4000 5x100s", { 0 }, "1*raidz:4 cache:d4,d5,d6,d7,d8 = 12000" },
	    { "4x4000 5x100s", { .no_cache = true }, "1*raidz:4 = 12000" },
	    /* The largest spinning group stores, the other caches. */
	    { "2x500 3x4000", { 0 }, "1*raidz:3 cache:d0,d1 = 8000" },
	    { "2x500 3x4000", { .no_cache = true }, "1*raidz:3 = 8000" },
	    { "2x200s 4x1000s", { 0 }, "1*raidz:4 logs:d0,d1 = 3000" },
	    { "1x4000 1x100s", { 0 }, "1*disk:1 logs:d1 = 4000" },
	    /* One size on two buses is one group; one size of both kinds is not. */
	    { "2x1000n 2x1000v", { 0 }, "1*raidz:4 = 3000" },
	    { "2x1000 2x1000s", { 0 }, "1*mirror:2 logs:d2,d3 = 1000" },
	    /* Sizes within 5 % are one size; spares are the largest. */
	    { "2x1000 2x980", { 0 }, "1*raidz:4 = 2940" },
	    { "1x1010 6x1000", { 0 }, "3*mirror:2 spares:d0 = 3000" },
	    { "2x1000 2x1200", { 0 }, "1*mirror:2 cache:d0,d1 = 1200" });
}

static void
left_out(void)
{
	RUN({ "2x1000 1x1000r", { 0 }, "1*mirror:2 = 1000" },
	    { "2x1000 1x1000o", { 0 }, "1*mirror:2 = 1000" },
	    { "2x1000 1x1000mu", { 0 }, "1*mirror:2 = 1000" },
	    { "2x1000 1x1000b", { 0 }, "1*mirror:2 = 1000" },
	    { "2x1000 1x1000e", { 0 }, "1*mirror:2 = 1000" },
	    { "2x1000 1x1000f", { 0 }, "1*raidz:3 = 2000" },
	    { "2x1000 1x1000f", { .blank_only = true }, "1*mirror:2 = 1000" },
	    { "1x0", { 0 }, "no primary storage disks available" },
	    { "", { 0 }, "no primary storage disks available" },
	    { "3x32ru", { 0 }, "no primary storage disks available" });

	static const char *const two[] = { "d1", "/dev/d3", NULL };
	static const char *const none[] = { "d9", NULL };

	RUN({ "4x1000", { .exclude = two }, "1*mirror:2 = 1000" },
	    { "4x1000", { .only = two }, "1*mirror:2 = 1000" },
	    { "4x1000", { .exclude = none }, "no such disk: d9" },
	    { "4x1000", { .only = none }, "no such disk: d9" });
}

static void
layouts_given(void)
{
	RUN({ "3x1000", LAYOUT("single"), "1*disk:1 = 1000" },
	    { "3x1000", LAYOUT("mirror"), "1*mirror:2 spares:d2 = 1000" },
	    { "4x1000", LAYOUT("mirror"), "2*mirror:2 = 2000" },
	    { "6x1000", LAYOUT("mirror"), "2*mirror:2 spares:d4,d5 = 2000" },
	    { "36x1000", LAYOUT("mirror"), "16*mirror:2 spares:d32,d33,d34,d35 = 16000" },
	    { "8x1000", LAYOUT("raidz1"), "2*raidz:3 spares:d6,d7 = 4000" },
	    { "24x1000", LAYOUT("raidz1"), "7*raidz:3 spares:d21,d22,d23 = 14000" },
	    { "12x1000", LAYOUT("raidz2"), "1*raidz2:11 spares:d11 = 9000" },
	    { "7x1000", LAYOUT("raidz3"), "1*raidz3:7 = 4000" },
	    { "8x1000", LAYOUT("raidz3"), "1*raidz3:8 = 5000" },
	    { "9x1000", LAYOUT("raidz3"), "1*raidz3:9 = 6000" },
	    { "24x1000", LAYOUT("raidz3"), "2*raidz3:11 spares:d22,d23 = 16000" });
}

static void
errors(void)
{
	RUN({ "1x1000", LAYOUT("mirror"), "at least 2 disks are required for mirroring" },
	    { "2x1000", LAYOUT("raidz1"), "no acceptable raidz layout is possible with 2 disks" },
	    { "4x1000", LAYOUT("raidz2"), "no acceptable raidz2 layout is possible with 4 disks" },
	    { "6x1000", LAYOUT("raidz3"), "no acceptable raidz3 layout is possible with 6 disks" },
	    { "4x1000", LAYOUT("raid5"), "unknown layout raid5" },
	    { "4x1000", LAYOUT(""), "unknown layout " },
	    { "2x1000", LAYOUT_SPARES("single", 1),
	      "too many spares (1) for this disk configuration" },
	    { "3x1000", LAYOUT_SPARES("single", 1),
	      "spares are not allowed for a single disk pool" },
	    { "3x1000", SPARES(2), "too many spares (2) for this disk configuration" },
	    { "3x1000", SPARES(7), "too many spares (7) for this disk configuration" },
	    { "19x1000", SPARES(2), "invalid number of spares (2) for this disk configuration" },
	    { "17x1000", SPARES(0), "invalid number of spares (0) for this disk configuration" },
	    { "5x1000", LAYOUT_SPARES("mirror", 0), "0 is an invalid number of spares for 5 disks" },
	    { "14x1000", LAYOUT_SPARES("raidz2", 1),
	      "no acceptable raidz2 layout is possible with 14 disks and 1 spare" },
	    { "15x1000", LAYOUT_SPARES("raidz2", 2),
	      "no acceptable raidz2 layout is possible with 15 disks and 2 spares" },
	    { "4x1000", LAYOUT_WIDTH("mirror", 5), "5 is an invalid width for mirroring and 4 disks" },
	    { "4x1000", LAYOUT_WIDTH("raidz1", 2),
	      "2 is an invalid width for raidz and 4 disks (min: 3, default max: 6)" },
	    { "4x1000", LAYOUT_WIDTH("raidz1", 5),
	      "5 is an invalid width for raidz and 4 disks (min: 3, default max: 6)" },
	    { "9x1000", { .layout = "raidz1", .width = 8, .spares_given = true, .spares = 2 },
	      "8 is an invalid width for raidz and 2 spares" });
}

static void
spares_given(void)
{
	RUN({ "5x1000", SPARES(0), "1*raidz:5 = 4000" },
	    { "5x1000", SPARES(1), "1*raidz:4 spares:d4 = 3000" },
	    { "6x1000", SPARES(0), "2*raidz:3 = 4000" },
	    { "8x1000", SPARES(0), "4*mirror:2 = 4000" },
	    { "9x1000", SPARES(0), "1*raidz2:9 = 7000" },
	    { "9x1000", SPARES(1), "4*mirror:2 spares:d8 = 4000" },
	    { "13x1000", SPARES(0), "1*raidz3:13 = 10000" },
	    { "15x1000", SPARES(0), "5*raidz:3 = 10000" },
	    { "18x1000", SPARES(0), "2*raidz2:9 = 14000" },
	    { "26x1000", SPARES(0),
	      "no acceptable raidz layout is possible with 26 disks and 0 spares" },
	    { "4x1000", LAYOUT_SPARES("mirror", 2), "1*mirror:2 spares:d2,d3 = 1000" });
}

static void
widths(void)
{
	RUN({ "4x1000", { .width = 2 }, "2*mirror:2 = 2000" },
	    { "9x1000", { .width = 4 }, "2*raidz:4 spares:d8 = 6000" },
	    { "16x1000", { .width = 8 }, "2*raidz2:8 = 12000" },
	    { "26x1000", { .width = 13 }, "2*raidz3:13 = 20000" },
	    { "7x1000", LAYOUT_WIDTH("mirror", 3), "2*mirror:3 spares:d6 = 2000" },
	    { "8x1000", LAYOUT_WIDTH("raidz1", 8), "1*raidz:8 = 7000" },
	    /* Fixed spares and width: what is over is left alone. */
	    { "8x1000", { .layout = "mirror", .width = 3, .spares_given = true, .spares = 1 },
	      "2*mirror:3 spares:d7 = 2000" });
}

TEST_MAIN(defaults_spinning, defaults_large, defaults_ssd, roles, left_out, layouts_given, errors,
	  spares_given, widths)
