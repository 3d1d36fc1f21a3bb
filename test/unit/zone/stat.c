/* SPDX-License-Identifier: MPL-2.0 */
/* Copyright 2026 The Nereid authors */
#include "zone/stat.h"

#include "nrd-tree.h"
#include "nrd/mem.h"
#include "zone/proctab.h"
#include "zone/report.h"

struct numbers {
	uint64_t a, b, c;
};

static const struct zone_stat_key keys[] = {
	{ "a", offsetof(struct numbers, a) },
	{ "b", offsetof(struct numbers, b) },
	{ "c", offsetof(struct numbers, c) },
};

static void
reads_keys(void)
{
	struct numbers n = { .c = 7 };

	CHECK_INT(zone_stat_keys("a 1\nab 9\nb 18446744073709551615\nc -1\nc x\nc\n\n", ZONE_STAT_FLAT,
				 keys, 3, &n), 2);
	CHECK_INT(n.a, 1);
	CHECK(n.b == UINT64_MAX);
	CHECK_INT(n.c, 7);
	n = (struct numbers){ 0 };
	CHECK_INT(zone_stat_keys("a:       5 kB\nb:  3\nc 4 kB\nb: 18446744073709551615 kB\n",
				 ZONE_STAT_MEMINFO, keys, 3, &n), 2);
	CHECK_INT(n.a, 5120);
	CHECK_INT(n.b, 3);
	CHECK_INT(n.c, 0);
	CHECK_INT(zone_stat_keys("", ZONE_STAT_FLAT, keys, 3, &n), 0);
}

static void
reads_pressure(void)
{
	struct zone_pressure p = { 1, 2 };

	zone_stat_pressure("some avg10=0.12 avg60=0.00 avg300=0.00 total=4711\n"
			   "full avg10=0.00 avg60=0.00 avg300=0.00 total=815\n", &p);
	CHECK_INT(p.some_us, 4711);
	CHECK_INT(p.full_us, 815);
	zone_stat_pressure("some total=\nfull total=x\nelse total=3\n", &p);
	CHECK_INT(p.some_us, 4711);
	CHECK_INT(p.full_us, 815);
}

static void
reads_limits(void)
{
	uint64_t v = 1;

	CHECK(zone_stat_limit("max\n", &v));
	CHECK(v == ZONE_STAT_NONE);
	CHECK(zone_stat_limit("4096\n", &v));
	CHECK_INT(v, 4096);
	CHECK(!zone_stat_limit("", &v));
	CHECK(!zone_stat_limit("maximum", &v));
	CHECK(zone_stat_cpu_cap("250000 100000\n", &v));
	CHECK_INT(v, 250);
	CHECK(zone_stat_cpu_cap("max 100000\n", &v));
	CHECK(v == ZONE_STAT_NONE);
	CHECK(!zone_stat_cpu_cap("100000 0\n", &v));
	CHECK(!zone_stat_cpu_cap("100000\n", &v));
	CHECK(!zone_stat_cpu_cap("", &v));
}

static void
reads_cpus(void)
{
	uint64_t busy = 0, n = 0;

	CHECK(zone_stat_cpus("cpu  10 1 5 1000 50 2 3 4 8 0\ncpu0 1 2\ncpu1 1 2\nintr 5\n", &busy, &n));
	CHECK_INT(busy, 25);
	CHECK_INT(n, 2);
	CHECK(!zone_stat_cpus("cpu0 1 2\n", &busy, &n));
	CHECK(!zone_stat_cpus("cpu  x 1\ncpu0 1\n", &busy, &n));
	CHECK(!zone_stat_cpus("", &busy, &n));
}

#define OBJSET(name, r, nr, w, nw)                                           \
	"36 1 0x01 7 2160 4434341 2342342\n"                                 \
	"name                            type data\n"                        \
	"dataset_name                    7    " name "\n"                    \
	"writes                          4    " w "\n"                       \
	"nwritten                        4    " nw "\n"                      \
	"reads                           4    " r "\n"                       \
	"nread                           4    " nr "\n"                      \
	"nunlinks                        4    3\n"

static void
reads_objsets(void)
{
	char dataset[ZONE_DATASET_MAX] = "";
	struct zone_io io = { 0 };

	CHECK(zone_stat_objset(OBJSET("zones/a b", "1", "2", "3", "4"), dataset, &io));
	CHECK_STR(dataset, "zones/a b");
	CHECK_INT(io.reads, 1);
	CHECK_INT(io.nread, 2);
	CHECK_INT(io.writes, 3);
	CHECK_INT(io.nwritten, 4);
	CHECK(!zone_stat_objset("reads 4 5\n", dataset, &io));
	CHECK(!zone_stat_objset("dataset_name 7\n", dataset, &io));
	CHECK_INT(io.reads, 1);
}

static void
knows_the_zone_of_a_process(void)
{
	char zone[8] = "";

	CHECK(zone_stat_zone_of("0::/zones/z1/init/system.slice\n", zone, sizeof(zone)));
	CHECK_STR(zone, "z1");
	CHECK(zone_stat_zone_of("1:name=systemd:/x\n0::/zones/z2\n", zone, sizeof(zone)));
	CHECK_STR(zone, "z2");
	CHECK(!zone_stat_zone_of("0::/zones.mon\n", zone, sizeof(zone)));
	CHECK(!zone_stat_zone_of("0::/zones\n", zone, sizeof(zone)));
	CHECK(!zone_stat_zone_of("0::/zones/\n", zone, sizeof(zone)));
	CHECK(!zone_stat_zone_of("0::/zones//x\n", zone, sizeof(zone)));
	CHECK(!zone_stat_zone_of("0::/system.slice/zones/z1\n", zone, sizeof(zone)));
	CHECK(!zone_stat_zone_of("0::/zones/12345678\n", zone, sizeof(zone)));
	CHECK(!zone_stat_zone_of("", zone, sizeof(zone)));
}

#define STAT(pid, name, flags) \
	pid " (" name ") S 1 1 1 0 -1 " flags " 1 2 3 4 150 50 7 8 20 -5 3 0 777 8192 2 " \
	"18446744073709551615 1 2 3 4 5 0 0 0 0 0 0 0 17 6 0 0\n"

static void
reads_processes(void)
{
	static const char *const bad[] = {
		"", "1", "(x) S", "1 (x", "1 (x) S 1 2\n", "x (y) S 1", "0 (x) S", "1 ) ( S",
	};
	struct zone_process p = { 0 };

	CHECK(zone_process_parse(STAT("42", "a) (b c", "4194304"), 100, 4096, &p));
	CHECK_INT(p.pid, 42);
	CHECK_STR(p.name, "a) (b c");
	CHECK_INT(p.state, 'S');
	CHECK_INT(p.time_us, 2000000);
	CHECK_INT(p.priority, 20);
	CHECK_INT(p.nice, -5);
	CHECK_INT(p.lwps, 3);
	CHECK_INT(p.start_ticks, 777);
	CHECK_INT(p.size, 8192);
	CHECK_INT(p.rss, 8192);
	CHECK_INT(p.cpu, 6);
	for (size_t i = 0; i < nrd_count(bad); i++)
		CHECK(!zone_process_parse(bad[i], 100, 4096, &p));
}

static void
make_proc(const char *dir)
{
	tree_file(dir, "proc/stat", "cpu  100 0 100 5 0 0 0 0 0 0\ncpu0 1\ncpu1 1\n");
	tree_file(dir, "proc/meminfo", "MemTotal: 1024 kB\nMemFree: 1 kB\nMemAvailable: 256 kB\n");
	tree_file(dir, "proc/7/stat", STAT("7", "init", "0"));
	tree_file(dir, "proc/7/cgroup", "0::/zones/z1/init\n");
	tree_file(dir, "proc/30/stat", STAT("30", "sshd", "0"));
	tree_file(dir, "proc/30/cgroup", "0::/system.slice/ssh.service\n");
	tree_file(dir, "proc/2/stat", STAT("2", "kthreadd", "2129984"));
	tree_file(dir, "proc/spl/kstat/zfs/zones/objset-0x1", OBJSET("zones/z1", "5", "50", "1", "2"));
	tree_file(dir, "proc/spl/kstat/zfs/zones/objset-0x2",
		  OBJSET("zones/z1/data", "6", "60", "1", "2"));
	tree_file(dir, "proc/spl/kstat/zfs/zones/objset-0x3", OBJSET("zones/z10", "7", "70", "1", "2"));
	tree_file(dir, "proc/spl/kstat/zfs/zones/io", "not an objset\n");
}

static void
make_zones(const char *dir)
{
	tree_file(dir, "cg/cgroup.procs", "");
	tree_file(dir, "cg/z2/cgroup.events", "populated 1\n");
	tree_file(dir, "cg/z1/cgroup.events", "populated 1\n");
	tree_file(dir, "cg/z1/cpu.stat", "usage_usec 5000\nuser_usec 1\nnr_periods 4\n"
					 "nr_throttled 2\nthrottled_usec 77\n");
	tree_file(dir, "cg/z1/cpu.max", "50000 100000\n");
	tree_file(dir, "cg/z1/memory.current", "1048576\n");
	tree_file(dir, "cg/z1/memory.max", "max\n");
	tree_file(dir, "cg/z1/memory.stat", "anon 10\nfile 20\nkernel 30\n");
	tree_file(dir, "cg/z1/memory.events", "low 0\nhigh 0\nmax 9\noom 1\noom_kill 1\n");
	tree_file(dir, "cg/z1/pids.current", "3\n");
	tree_file(dir, "cg/z1/cpu.pressure", "some avg10=0.00 avg60=0.00 avg300=0.00 total=12\n");
	/* One that is going: its directory is there, its files are not. */
	tree_file(dir, "cg/gone/x", "");
	tree_file(dir, "etc/z1.json", "{\"zonename\":\"z1\",\"uuid\":\"7d6e5a10-0000-4000-8000-000000000001\","
				      "\"brand\":\"lx\",\"zonepath\":\"/zones/z1\"}");
}

static void
reads_a_node(void)
{
	char dir[64], cgroup[128], proc[128], config[128];
	NRD_AUTO(zone_stats) stats = { 0 };
	NRD_AUTO(zone_proctab) table = { 0 };
	struct nrd_err err = { 0 };
	const struct zone_stat *z;

	test_mkdir(dir);
	make_proc(dir);
	make_zones(dir);
	(void)snprintf(cgroup, sizeof(cgroup), "%s/cg", dir);
	(void)snprintf(proc, sizeof(proc), "%s/proc", dir);
	(void)snprintf(config, sizeof(config), "%s/etc", dir);
	const struct zone_stat_env env = { .cgroup = cgroup, .proc = proc, .config = config };

	CHECK_OK(zone_stats_read(&env, ZONE_STAT_IO, &stats, &err), err);
	CHECK_INT(stats.n_zones, 2);
	CHECK_INT(stats.cpus, 2);
	CHECK_INT(stats.busy_us, 2000000);
	CHECK_INT(stats.memory, 1048576);
	CHECK_INT(stats.memory_available, 262144);
	z = zone_stats_find(&stats, "z1");
	CHECK(z != NULL);
	CHECK_INT(z->usage_us, 5000);
	CHECK_INT(z->throttled_us, 77);
	CHECK_INT(z->cpu_cap, 50);
	CHECK_INT(z->memory, 1048576);
	CHECK(z->memory_max == ZONE_STAT_NONE);
	CHECK(z->memory_peak == ZONE_STAT_NONE);
	CHECK(z->paged_out == ZONE_STAT_NONE);
	CHECK_INT(z->anon, 10);
	CHECK_INT(z->over, 9);
	CHECK_INT(z->oom_kills, 1);
	CHECK_INT(z->lwps, 3);
	CHECK_INT(z->cpu_pressure.some_us, 12);
	CHECK_INT(z->io.reads, 11);
	CHECK_INT(z->io.nread, 110);
	/* A name that only begins like the zone's dataset is not the zone's. */
	CHECK_INT(stats.io.reads, 7);
	CHECK(zone_stats_find(&stats, "z2") != NULL);
	CHECK(zone_stats_find(&stats, "gone") == NULL);

	CHECK_OK(zone_proctab_read(proc, &table, &err), err);
	CHECK_INT(table.n, 2);
	CHECK_INT(table.processes[0].pid, 7);
	CHECK_STR(table.processes[0].zone, "z1");
	CHECK_STR(table.processes[1].zone, "");
	CHECK(zone_proctab_find(&table, 7, 777) == &table.processes[0]);
	CHECK(zone_proctab_find(&table, 7, 778) == NULL);
	CHECK(zone_proctab_find(&table, 8, 777) == NULL);
	tree_remove(dir);
}

static void
a_node_without_zones(void)
{
	char dir[64], cgroup[128], proc[128];
	NRD_AUTO(zone_stats) stats = { 0 };
	struct nrd_err err = { 0 };

	test_mkdir(dir);
	(void)snprintf(cgroup, sizeof(cgroup), "%s/cg", dir);
	(void)snprintf(proc, sizeof(proc), "%s/proc", dir);
	const struct zone_stat_env env = { .cgroup = cgroup, .proc = proc };

	CHECK_FAILS(zone_stats_read(&env, 0, &stats, &err), err, ENOENT, "ZoneStat");
	tree_file(dir, "proc/stat", "nothing\n");
	CHECK_FAILS(zone_stats_read(&env, 0, &stats, &err), err, EPROTO, "ZoneStat");
	tree_file(dir, "proc/stat", "cpu  1 1 1 1\ncpu0 1\n");
	CHECK_OK(zone_stats_read(&env, ZONE_STAT_IO, &stats, &err), err);
	CHECK_INT(stats.n_zones, 0);
	CHECK(zone_stats_find(&stats, "z1") == NULL);
	tree_remove(dir);
}

static void
intervals(void)
{
	char five[] = "5", three[] = "3", nought[] = "0", letter[] = "x";
	char *none[] = { NULL }, *both[] = { five, three, NULL }, *one[] = { five, NULL };
	char *zero[] = { nought, NULL }, *bad[] = { five, letter, NULL };
	struct zone_every every;
	struct nrd_err err = { 0 };

	CHECK_OK(zone_every_parse(0, none, &every, &err), err);
	CHECK_INT(every.interval_s, 1);
	CHECK_INT(every.count, 1);
	CHECK_OK(zone_every_parse(1, one, &every, &err), err);
	CHECK_INT(every.interval_s, 5);
	CHECK_INT(every.count, 0);
	CHECK_OK(zone_every_parse(2, both, &every, &err), err);
	CHECK_INT(every.count, 3);
	CHECK_FAILS(zone_every_parse(1, zero, &every, &err), err, EINVAL, "Usage");
	CHECK_FAILS(zone_every_parse(2, bad, &every, &err), err, EINVAL, "Usage");
	CHECK_INT(zone_stat_since(5, 8), 3);
	CHECK_INT(zone_stat_since(8, 5), 5);
}

/* 30 tables of one row: a header at the beginning and again when it has scrolled away. */
static void
headers_come_again(void)
{
	static const struct nrd_col cols[] = { { "x", 0 } };
	struct zone_report report = { 0 };
	struct nrd_err err = { 0 };
	char text[512];
	int fds[2], headers = 0;

	CHECK(pipe(fds) == 0);
	for (int i = 0; i < 30; i++) {
		NRD_AUTO(nrd_table) *t = NULL;

		CHECK_OK(zone_report_table(&report, cols, 1, &t, &err), err);
		nrd_table_row(t, (const char *[]){ "v" });
		CHECK_OK(zone_report_print(&report, t, 1, fds[1], &err), err);
	}
	ssize_t n = read(fds[0], text, sizeof(text));

	CHECK_INT(n, 2 * 32);
	for (ssize_t i = 0; i < n; i++)
		headers += text[i] == 'X';
	CHECK_INT(headers, 2);
	CHECK(text[0] == 'X' && text[2 * 21] == 'X');
	CHECK(close(fds[0]) == 0 && close(fds[1]) == 0);
}

TEST_MAIN(reads_keys, reads_pressure, reads_limits, reads_cpus, reads_objsets,
	  knows_the_zone_of_a_process, reads_processes, reads_a_node, a_node_without_zones, intervals,
	  headers_come_again)
