/* SPDX-License-Identifier: MPL-2.0 */
/* Copyright 2026 The Nereid authors */
#include "fixture.h"

#include <dirent.h>
#include <elf.h>

#define SCRIPT "#!/bin/sh\n"

static void
run(const char *const *argv)
{
	struct nrd_err err = { 0 };

	CHECK_OK(nrd_run(&(struct nrd_proc){ .argv = argv }, NULL, NULL, &err), err);
}

/* A root of a system, good enough to be booted. */
static void
make_root(const struct fixture *f, char dir[96])
{
	(void)snprintf(dir, 96, "%s/source", f->dir);
	put(dir, "sbin/init", SCRIPT, 0755);
	put(dir, "bin/sh", SCRIPT, 0755);
	put(dir, "etc/machine-id", "ffffffffffffffffffffffffffffffff\n", 0444);
	put(dir, "etc/passwd", "root:x:0:0::/:/bin/sh\nweb:x:70:71::/:/bin/sh\n", 0644);
	put(dir, "etc/group", "root:x:0:\nwww:x:72:\n", 0644);
	/* Interpreters end at a program. */
	Elf64_Ehdr elf = { .e_ident = { ELFMAG0, ELFMAG1, ELFMAG2, ELFMAG3, ELFCLASS64, ELFDATA2LSB } };

	elf.e_machine = EM_386;
#if defined(__x86_64__)
	elf.e_machine = EM_X86_64;
#elif defined(__aarch64__)
	elf.e_machine = EM_AARCH64;
#endif
	NRD_FREE char *sh = nrd_path_join(dir, "bin/sh");
	struct nrd_err err = { 0 };

	CHECK_OK(nrd_file_write(sh, &elf, sizeof(elf), 0755, &err), err);
}

static void
native_skeleton(void)
{
	const struct brand_install_opts opts = { 0 };
	NRD_AUTO(zone_config) c = { 0 };
	struct fixture f;
	struct stat st;

	fixture_init(&f);
	add_zone(&f, "n1", "native", ",\"hostname\":\"web\",\"dns_domain\":\"example.com\","
				     "\"resolvers\":[\"192.0.2.1\"]", &c);
	CHECK_OK(brand_install(&f.place, &c, &opts, &f.err), f.err);
	CHECK_INT(state_on_disk(&f, "n1"), ZONE_INSTALLED);
	CHECK(c.id_base >= 1000000);
	CHECK(stat(c.zonepath, &st) == 0);
	CHECK_INT(st.st_mode & 07777, 0700);
	CHECK_TEXT(&c, "etc/hostname", "web\n");
	CHECK_TEXT(&c, "etc/machine-id", "00006e31222233334444555555555555\n");
	CHECK_TEXT(&c, "etc/resolv.conf", "search example.com\nnameserver 192.0.2.1\n");
	CHECK_TEXT(&c, "etc/shadow", "root:*:20000:0:99999:7:::\n");
	check_link(&c, "bin", "usr/bin");
	check_link(&c, "etc/ssl/certs", "/run/nereid/platform/etc/ssl/certs");
	check_link(&c, "etc/systemd/system/systemd-udevd.service", "/dev/null");
	check_link(&c, "etc/systemd/system/sockets.target.wants/dbus.socket",
		   "/usr/lib/systemd/system/dbus.socket");
	NRD_FREE char *tmp = in_root(&c, "tmp");

	CHECK(stat(tmp, &st) == 0);
	CHECK_INT(st.st_mode & 07777, 01777);
	CHECK_FAILS(brand_install(&f.place, &c, &opts, &f.err), f.err, EINVAL, "ZoneWrongState");
	CHECK_OK(brand_verify(&c, &f.err), f.err);
	CHECK_OK(brand_uninstall(&f.place, &c, &f.err), f.err);
	CHECK(!nrd_path_exists(c.zonepath));
	CHECK_INT(state_on_disk(&f, "n1"), ZONE_CONFIGURED);
	fixture_fini(&f);
}

/* Whatever step fails, nothing is left of it. */
static void
faults(void)
{
	static const char *const steps[] = { "mark", "ids", "place", "root", "identity", "check",
					     "installed" };
	const struct brand_install_opts opts = { 0 };
	struct fixture f;

	for (size_t i = 0; i < nrd_count(steps); i++) {
		NRD_AUTO(zone_config) c = { 0 };

		fixture_init(&f);
		add_zone(&f, "n1", "native", "", &c);
		brand_steps_fault(steps[i]);
		CHECK_FAILS(brand_install(&f.place, &c, &opts, &f.err), f.err, EIO, "Fault");
		CHECK_HAS(f.err.msg, steps[i]);
		CHECK(!nrd_path_exists(c.zonepath));
		CHECK_INT(state_on_disk(&f, "n1"), ZONE_CONFIGURED);
		CHECK_INT(c.installed, ZONE_CONFIGURED);
		brand_steps_fault(NULL);
		CHECK_OK(brand_install(&f.place, &c, &opts, &f.err), f.err);
		fixture_fini(&f);
	}
}

/* What an install that was cut off has left is cleared away. */
static void
cut_off(void)
{
	NRD_AUTO(zone_config) c = { 0 };
	struct fixture f;

	fixture_init(&f);
	add_zone(&f, "n1", "native", ",\"zone_installed\":\"incomplete\"", &c);
	put(c.zonepath, "root/etc/half", "", 0644);
	CHECK_FAILS(brand_install(&f.place, &c, &(struct brand_install_opts){ 0 }, &f.err), f.err,
		    EINVAL, "ZoneWrongState");
	CHECK_OK(brand_uninstall(&f.place, &c, &f.err), f.err);
	CHECK(!nrd_path_exists(c.zonepath));
	CHECK_INT(state_on_disk(&f, "n1"), ZONE_CONFIGURED);
	fixture_fini(&f);
}

/* A root that is nobody's yet is not touched, and not removed by the way back. */
static void
in_the_way(void)
{
	NRD_AUTO(zone_config) c = { 0 };
	struct fixture f;

	fixture_init(&f);
	add_zone(&f, "n1", "native", "", &c);
	put(c.zonepath, "root/precious", "data", 0644);
	CHECK_FAILS(brand_install(&f.place, &c, &(struct brand_install_opts){ 0 }, &f.err), f.err,
		    EEXIST, "ZoneExists");
	CHECK_TEXT(&c, "precious", "data");
	CHECK_INT(state_on_disk(&f, "n1"), ZONE_CONFIGURED);
	fixture_fini(&f);
}

static void
lx_directory_and_tar(void)
{
	static const char *const kinds[][2] = {
		{ "--gzip", "tar.gz" }, { "--xz", "tar.xz" }, { "--zstd", "tar.zst" }, { "--no-auto-compress", "tar" },
	};
	struct fixture f;
	char source[96];

	fixture_init(&f);
	make_root(&f, source);
	for (size_t i = 0; i <= nrd_count(kinds); i++) {
		NRD_AUTO(zone_config) c = { 0 };
		NRD_FREE char *tar = nrd_format("%s/root.%s", f.dir, i > 0 ? kinds[i - 1][1] : "");
		struct brand_install_opts opts = { .source = { .dir = i == 0 ? source : NULL } };

		if (i > 0) {
			const char *const argv[] = { "tar", kinds[i - 1][0], "-cf", tar, "-C",
						     source, ".", NULL };

			run(argv);
			opts.source.tar = tar;
		}
		add_zone(&f, "l1", "lx", "", &c);
		CHECK_OK(brand_install(&f.place, &c, &opts, &f.err), f.err);
		CHECK_TEXT(&c, "sbin/init", SCRIPT);
		CHECK_TEXT(&c, "etc/hostname", "l1\n");
		CHECK_TEXT(&c, "etc/machine-id", "00006c31222233334444555555555555\n");
		CHECK_OK(brand_uninstall(&f.place, &c, &f.err), f.err);
	}
	fixture_fini(&f);
}

static void
lx_refused(void)
{
	struct brand_install_opts none = { 0 };
	NRD_AUTO(zone_config) c = { 0 };
	struct fixture f;
	char source[96];

	fixture_init(&f);
	make_root(&f, source);
	const struct brand_install_opts dir = { .source = { .dir = source } };
	const struct brand_install_opts both = { .source = { .dir = source, .tar = source } };
	const struct brand_install_opts missing = { .source = { .tar = "/nonexistent.tar" } };

	add_zone(&f, "l1", "lx", "", &c);
	CHECK_FAILS(brand_install(&f.place, &c, &none, &f.err), f.err, EINVAL, "Usage");
	CHECK_FAILS(brand_install(&f.place, &c, &both, &f.err), f.err, EINVAL, "Usage");
	CHECK_FAILS(brand_install(&f.place, &c, &missing, &f.err), f.err, ENOENT, "SourceOpen");
	CHECK(!nrd_path_exists(c.zonepath));
	/* Not a tar file at all. */
	NRD_FREE char *noise = nrd_path_join(source, "etc/passwd");
	const struct brand_install_opts bad = { .source = { .tar = noise } };

	CHECK_FAILS(brand_install(&f.place, &c, &bad, &f.err), f.err, EIO, "ChildFailed");
	CHECK(!nrd_path_exists(c.zonepath));
	/* No init. */
	NRD_FREE char *init = nrd_path_join(source, "sbin/init");

	CHECK(unlink(init) == 0);
	CHECK_FAILS(brand_install(&f.place, &c, &dir, &f.err), f.err, ENOENT, "NoInit");
	CHECK(!nrd_path_exists(c.zonepath));
	CHECK_INT(state_on_disk(&f, "l1"), ZONE_CONFIGURED);
	fixture_fini(&f);
}

/* A tar file that tries to write outside of the root. */
static void
tar_tricks(void)
{
	NRD_AUTO(zone_config) c = { 0 };
	struct fixture f;
	char source[96];

	fixture_init(&f);
	make_root(&f, source);
	NRD_FREE char *victim = nrd_format("%s/victim", f.dir);
	NRD_FREE char *trap = nrd_format("%s/trap", f.dir);
	NRD_FREE char *link = nrd_path_join(source, "way");
	NRD_FREE char *tar = nrd_format("%s/evil.tar", f.dir);
	NRD_FREE char *up = nrd_format("--transform=s,^payload$,../../../../../..%s/up,S", f.dir);
	const struct brand_install_opts opts = { .source = { .tar = tar } };

	CHECK(mkdir(victim, 0755) == 0 && symlink(victim, link) == 0);
	put(trap, "way/payload", "owned", 0644);
	put(trap, "payload", "owned", 0644);
	run((const char *const[]){ "tar", "-cf", tar, "-C", source, ".", NULL });
	run((const char *const[]){ "tar", "-rf", tar, "-C", trap, "way/payload", NULL });
	run((const char *const[]){ "tar", "-P", "-rf", tar, up, "-C", trap, "payload", NULL });
	add_zone(&f, "l1", "lx", "", &c);
	(void)brand_install(&f.place, &c, &opts, &f.err);
	NRD_FREE char *outside = nrd_path_join(victim, "payload");
	NRD_FREE char *above = nrd_format("%s/up", f.dir);

	CHECK(!nrd_path_exists(outside));
	CHECK(!nrd_path_exists(above));
	fixture_fini(&f);
}

/* A root whose /etc leads to the node's must not have it written to. */
static void
links_stay_inside(void)
{
	NRD_AUTO(zone_config) c = { 0 };
	struct fixture f;
	char source[96];

	fixture_init(&f);
	make_root(&f, source);
	NRD_FREE char *etc = nrd_path_join(source, "etc");
	NRD_FREE char *node = nrd_format("%s/node-etc", f.dir);
	NRD_FREE char *hostname = nrd_path_join(node, "hostname");
	const struct brand_install_opts opts = { .source = { .dir = source } };

	CHECK_OK(brand_tree_remove(etc, &f.err), f.err);
	put(f.dir, "node-etc/hostname", "node\n", 0644);
	CHECK(symlink(node, etc) == 0);
	add_zone(&f, "l1", "lx", "", &c);
	CHECK_OK(brand_install(&f.place, &c, &opts, &f.err), f.err);
	NRD_FREE char *text = NULL;

	CHECK_OK(nrd_file_read(hostname, 64, &text, NULL, &f.err), f.err);
	CHECK_STR(text, "node\n");
	fixture_fini(&f);
}

static void
clone_and_move(void)
{
	const struct brand_clone_opts how = { 0 };
	NRD_AUTO(zone_config) a = { 0 };
	NRD_AUTO(zone_config) b = { 0 };
	NRD_AUTO(zone_config) lx = { 0 };
	struct fixture f;

	fixture_init(&f);
	add_zone(&f, "a1", "native", "", &a);
	add_zone(&f, "b1", "native", "", &b);
	add_zone(&f, "l1", "lx", "", &lx);
	CHECK_FAILS(brand_clone(&f.place, &b, &a, &how, &f.err), f.err, EINVAL, "ZoneWrongState");
	CHECK_HAS(f.err.msg, "zone 'a1': must be installed before clone");
	CHECK_OK(brand_install(&f.place, &a, &(struct brand_install_opts){ 0 }, &f.err), f.err);
	put(a.zonepath, "root/home/kept", "kept", 0644);
	put(a.zonepath, "root/etc/ssh/ssh_host_rsa_key", "secret", 0600);
	CHECK_FAILS(brand_clone(&f.place, &lx, &a, &how, &f.err), f.err, EINVAL, "BrandDiffers");
	brand_steps_fault("copy");
	CHECK_FAILS(brand_clone(&f.place, &b, &a, &how, &f.err), f.err, EIO, "Fault");
	CHECK(!nrd_path_exists(b.zonepath));
	brand_steps_fault(NULL);
	CHECK_OK(brand_clone(&f.place, &b, &a, &how, &f.err), f.err);
	CHECK_TEXT(&b, "home/kept", "kept");
	CHECK_TEXT(&b, "etc/hostname", "b1\n");
	CHECK_TEXT(&b, "etc/machine-id", "00006231222233334444555555555555\n");
	CHECK(a.id_base != b.id_base);
	NRD_FREE char *key = in_root(&b, "etc/ssh/ssh_host_rsa_key");
	NRD_FREE char *old = nrd_format("%s", b.zonepath);
	NRD_FREE char *to = nrd_format("%s/elsewhere/b", f.dir);

	CHECK(!nrd_path_exists(key));
	brand_steps_fault("config");
	CHECK_FAILS(brand_move(&f.place, &b, to, &f.err), f.err, EIO, "Fault");
	CHECK_STR(b.zonepath, old);
	CHECK_TEXT(&b, "home/kept", "kept");
	CHECK(!nrd_path_exists(to));
	brand_steps_fault(NULL);
	CHECK_OK(brand_move(&f.place, &b, to, &f.err), f.err);
	CHECK_STR(b.zonepath, to);
	CHECK_TEXT(&b, "home/kept", "kept");
	CHECK(!nrd_path_exists(old));
	CHECK_FAILS(brand_move(&f.place, &b, "relative", &f.err), f.err, EINVAL, "BadPath");
	CHECK_OK(brand_mark_incomplete(&f.place, &b, &f.err), f.err);
	CHECK_FAILS(brand_move(&f.place, &b, old, &f.err), f.err, EINVAL, "ZoneWrongState");
	fixture_fini(&f);
}

static void
detach_and_attach(void)
{
	NRD_AUTO(zone_config) c = { 0 };
	NRD_AUTO(zone_config) read = { 0 };
	struct fixture f;

	fixture_init(&f);
	add_zone(&f, "a1", "native", ",\"alias\":\"the first\"", &c);
	CHECK_FAILS(brand_attach(&f.place, &c, true, &f.err), f.err, ENOENT, "ZoneRootMissing");
	CHECK_OK(brand_install(&f.place, &c, &(struct brand_install_opts){ 0 }, &f.err), f.err);
	CHECK_OK(brand_detach(&f.place, &c, &f.err), f.err);
	CHECK_INT(state_on_disk(&f, "a1"), ZONE_CONFIGURED);
	NRD_FREE char *manifest = nrd_path_join(c.zonepath, BRAND_MANIFEST);

	CHECK_OK(brand_manifest_read(manifest, &read, &f.err), f.err);
	CHECK_STR(read.alias, "the first");
	CHECK_OK(brand_attach(&f.place, &c, false, &f.err), f.err);
	CHECK_INT(state_on_disk(&f, "a1"), ZONE_INSTALLED);
	CHECK(!nrd_path_exists(manifest));
	put(f.dir, "bad.json", "[", 0644);
	NRD_FREE char *bad = nrd_path_join(f.dir, "bad.json");

	zone_config_fini(&read);
	CHECK_FAILS(brand_manifest_read(bad, &read, &f.err), f.err, EINVAL, "BadManifest");
	fixture_fini(&f);
}

static void
zonepath_rules(void)
{
	NRD_AUTO(zone_config) c = { 0 };
	struct fixture f;

	fixture_init(&f);
	add_zone(&f, "a1", "native", "", &c);
	CHECK_OK(brand_install(&f.place, &c, &(struct brand_install_opts){ 0 }, &f.err), f.err);
	CHECK(chmod(c.zonepath, 0755) == 0);
	CHECK_FAILS(brand_verify(&c, &f.err), f.err, EPERM, "ZonePath");
	CHECK(chmod(c.zonepath, 0700) == 0);
	NRD_FREE char *above = nrd_path_join(f.dir, "zones");

	CHECK(chmod(above, 0777) == 0);
	CHECK_FAILS(brand_verify(&c, &f.err), f.err, EPERM, "ZonePath");
	CHECK(chmod(above, 0755) == 0);
	CHECK_OK(brand_verify(&c, &f.err), f.err);
	/* The root is gone. */
	NRD_FREE char *root = nrd_path_join(c.zonepath, "root");

	CHECK_OK(brand_tree_remove(root, &f.err), f.err);
	CHECK_FAILS(brand_verify(&c, &f.err), f.err, ENOENT, "ZoneRootMissing");
	fixture_fini(&f);
}

TEST_MAIN(native_skeleton, faults, cut_off, in_the_way, lx_directory_and_tar, lx_refused, tar_tricks,
	  links_stay_inside, clone_and_move, detach_and_attach, zonepath_rules)
