/* SPDX-License-Identifier: MPL-2.0 */
/* Copyright 2026 The Nereid authors */
#include "fixture.h"

#include <elf.h>

#include "brand/init.h"

static Elf64_Ehdr
elf(unsigned char data, uint16_t machine)
{
	return (Elf64_Ehdr){
		.e_ident = { ELFMAG0, ELFMAG1, ELFMAG2, ELFMAG3, ELFCLASS64, data },
		.e_machine = machine,
	};
}

static void
heads(void)
{
	const Elf64_Ehdr own = elf(ELFDATA2LSB, EM_X86_64), other = elf(ELFDATA2LSB, EM_LOONGARCH);
	const Elf64_Ehdr big = elf(ELFDATA2MSB, (uint16_t)(EM_X86_64 << 8));
	struct nrd_err err = { 0 };
	char interp[16];

#if defined(__x86_64__)
	CHECK_OK(brand_init_head(&own, sizeof(own), "/sbin/init", interp, sizeof(interp), &err), err);
	CHECK_STR(interp, "");
#endif
	CHECK_FAILS(brand_init_head(&other, sizeof(other), "/sbin/init", interp, sizeof(interp), &err),
		    err, ENOEXEC, "WrongArchitecture");
	CHECK_HAS(err.msg, "loongarch");
	CHECK_FAILS(brand_init_head(&big, sizeof(big), "x", interp, sizeof(interp), &err), err,
		    ENOEXEC, "WrongArchitecture");
	CHECK_FAILS(brand_init_head(&own, 20, "x", interp, sizeof(interp), &err), err, ENOEXEC,
		    "InitBad");
	CHECK_OK(brand_init_head("#! /bin/sh -e\nexit", 18, "x", interp, sizeof(interp), &err), err);
	CHECK_STR(interp, "/bin/sh");
	CHECK_FAILS(brand_init_head("#!\n", 3, "x", interp, sizeof(interp), &err), err, ENOEXEC,
		    "InitBad");
	CHECK_FAILS(brand_init_head("#!/a/very/long/path/it/is", 25, "x", interp, sizeof(interp), &err),
		    err, ENOEXEC, "InitBad");
	CHECK_FAILS(brand_init_head("", 0, "x", interp, sizeof(interp), &err), err, ENOEXEC, "InitBad");
}

static void
in_roots(void)
{
	struct fixture f;
	struct nrd_err err = { 0 };

	fixture_init(&f);
	put(f.dir, "root/usr/lib/systemd/systemd", "#!/usr/bin/loop\n", 0755);
	put(f.dir, "root/usr/bin/loop", "#!/usr/bin/loop\n", 0755);
	put(f.dir, "root/usr/bin/missing", "#!/no/such/thing\n", 0755);
	put(f.dir, "root/usr/bin/plain", "text", 0644);
	NRD_FREE char *path = nrd_path_join(f.dir, "root");
	NRD_FREE char *link = nrd_path_join(path, "init");
	NRD_FREE char *out = nrd_path_join(path, "out");
	NRD_FREE char *fifo = nrd_path_join(path, "fifo");
	NRD_CLOSE int root = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	CHECK(root >= 0 && symlink("/usr/lib/systemd/systemd", link) == 0);
	CHECK(symlink("../../../../../../../bin/sh", out) == 0 && mkfifo(fifo, 0755) == 0);
	CHECK_INT(brand_init_kind(root, "/init"), BRAND_INIT_SYSTEMD);
	CHECK_INT(brand_init_kind(root, "/usr/bin/plain"), BRAND_INIT_OTHER);
	CHECK_FAILS(brand_init_check(root, "/init", &err), err, ELOOP, "InitBad");
	CHECK_FAILS(brand_init_check(root, "/sbin/init", &err), err, ENOENT, "NoInit");
	CHECK_FAILS(brand_init_check(root, "missing", &err), err, ENOENT, "NoInit");
	CHECK_HAS(err.msg, "/no/such/thing");
	CHECK_FAILS(brand_init_check(root, "/usr/bin/plain", &err), err, EACCES, "InitBad");
	CHECK_FAILS(brand_init_check(root, "/fifo", &err), err, EACCES, "InitBad");
	CHECK_FAILS(brand_init_check(root, "/usr", &err), err, EACCES, "InitBad");
	/* What leads out of the root ends at its top. */
	CHECK_FAILS(brand_init_check(root, "/out", &err), err, ENOENT, "NoInit");
	fixture_fini(&f);
}

static void
users(void)
{
	struct fixture f;
	struct nrd_err err = { 0 };
	uint64_t found;
	struct brand_user u;

	fixture_init(&f);
	put(f.dir, "root/etc/passwd", "bad\nroot:x:0:0::/:/bin/sh\nweb:x:70:71::/:/bin/sh\n", 0644);
	put(f.dir, "root/etc/group", "bad:x\nwww:x:72:web\n", 0644);
	NRD_FREE char *path = nrd_path_join(f.dir, "root");
	NRD_CLOSE int root = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	CHECK_OK(brand_init_user(root, "web", &u, &err), err);
	CHECK(u.uid == 70 && u.gid == 71 && u.n_groups == 1 && u.groups[0] == 72);
	CHECK_OK(brand_init_user(root, "70", &u, &err), err);
	CHECK(u.uid == 70 && u.gid == 71 && u.n_groups == 1);
	/* A group that is named is the only one. */
	CHECK_OK(brand_init_user(root, "web:www", &u, &err), err);
	CHECK(u.uid == 70 && u.gid == 72 && u.n_groups == 0);
	CHECK_OK(brand_init_user(root, "1001:1002", &u, &err), err);
	CHECK(u.uid == 1001 && u.gid == 1002 && u.n_groups == 0);
	/* Images for any number expect its group to be root's. */
	CHECK_OK(brand_init_user(root, "1001", &u, &err), err);
	CHECK(u.uid == 1001 && u.gid == 0 && u.n_groups == 0);
	CHECK_FAILS(brand_init_user(root, "nobody", &u, &err), err, ENOENT, "NoSuchUser");
	CHECK_FAILS(brand_init_user(root, "web:wheel", &u, &err), err, ENOENT, "NoSuchUser");
	CHECK(!brand_group_find("a:x:99999999999:\nb:x::\nc", "a", &found));
	CHECK(brand_group_find("a:x:5", "a", &found) && found == 5);
	fixture_fini(&f);
}

static void
terminals(void)
{
	static const char *const on_tty1[] = {
		"tty1::respawn:/sbin/getty 38400 tty1\n",
		"# console\n1:2345:respawn:/sbin/getty --noclear 38400 tty1\n2:23:respawn:/sbin/getty 38400 tty2",
		"::respawn:/sbin/getty 38400 /dev/tty1",
		"#console::respawn:/sbin/getty 38400 console\n  tty1::askfirst:-/bin/sh",
	};
	static const char *const elsewhere[] = {
		"",
		"\n:::\n",
		"tty1::respawn:/sbin/getty 38400 tty1\nconsole::respawn:/sbin/getty 38400 console\n",
		"tty1::respawn:/sbin/getty 38400 tty1\n::respawn:/sbin/getty 0 /dev/console\n",
		"#tty1::respawn:/sbin/getty 38400 tty1\ntty11::respawn:/sbin/getty 38400 tty11\n",
		"::sysinit:/sbin/openrc sysinit",
	};

	for (size_t i = 0; i < nrd_count(on_tty1); i++)
		CHECK(brand_inittab_tty1(on_tty1[i]));
	for (size_t i = 0; i < nrd_count(elsewhere); i++)
		CHECK(!brand_inittab_tty1(elsewhere[i]));
}

TEST_MAIN(heads, in_roots, users, terminals)
