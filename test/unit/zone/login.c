/* SPDX-License-Identifier: MPL-2.0 */
/* Copyright 2026 The Nereid authors */
#include "zone/login.h"

#include <fcntl.h>
#include <sys/stat.h>

#include "nrd-tree.h"
#include "nrd/mem.h"
#include "nrd/str.h"

#define PASSWD                                         \
	"root:x:0:0:root:/root:/bin/bash\n"            \
	"amy:x:1000:1000:Amy:/home/amy:/bin/zsh\n"     \
	"bare:x:7:7:::\n"                              \
	"rel:x:8:8::home:sh\n"

/* A zone's root with the given programs. */
struct root {
	char dir[64];
	int fd;
};

static void
program(const struct root *root, const char *name)
{
	tree_file(root->dir, name, "#!\n");
	CHECK(chmod(tree_path(root->dir, name), 0755) == 0);
}

static struct root
make_root(const char *const *programs)
{
	struct root root;

	test_mkdir(root.dir);
	root.fd = open(root.dir, O_PATH | O_DIRECTORY | O_CLOEXEC);
	CHECK(root.fd >= 0);
	tree_file(root.dir, "etc/passwd", PASSWD);
	tree_file(root.dir, "etc/group", "a:x:100:bob,amy\nb:x:101:amy\nc:x:102:amyx,bamy\nd:x:103:\n");
	for (; *programs != NULL; programs++)
		program(&root, *programs);
	return root;
}

static void
drop_root(struct root *root)
{
	CHECK(close(root->fd) == 0);
	tree_remove(root->dir);
}

#define WORDS(...) (const char *const[]){ __VA_ARGS__ __VA_OPT__(, ) NULL }

/* argv, joined by "|", of what a login would be. */
static void
login_is(int root, const struct zone_login_request *request, const char *want)
{
	NRD_AUTO(zone_login) login = { 0 };
	struct nrd_err err = { 0 };

	CHECK_OK(zone_login_make(root, request, &login, &err), err);
	NRD_FREE char *got = nrd_strv_join(NRD_CSTRV(login.argv), "|");

	CHECK_STR(got, want);
}

static void
prefers_login_then_su_then_the_shell(void)
{
	struct root all = make_root(WORDS("usr/bin/login", "bin/su", "bin/bash", "bin/zsh"));
	struct root su = make_root(WORDS("usr/bin/su", "bin/bash"));
	struct root none = make_root(WORDS("bin/zsh"));
	struct root sh = make_root(WORDS("bin/sh", "bin/su"));
	struct root nothing = make_root(WORDS());
	struct zone_login_request r = { .tty = true };

	login_is(all.fd, &r, "/usr/bin/login|-f|root");
	login_is(su.fd, &r, "/usr/bin/su|-l|root");
	login_is(none.fd, &r, "/bin/sh|-l");
	r.user = "amy";
	login_is(all.fd, &r, "/bin/su|-l|amy");
	login_is(none.fd, &r, "/bin/zsh|-l");
	r.command = WORDS("echo", "a b", "$HOME");
	login_is(all.fd, &r, "/bin/su|-l|-c|echo a b $HOME|amy");
	login_is(none.fd, &r, "/bin/zsh|-c|echo a b $HOME");
	login_is(nothing.fd, &r, "echo|a b|$HOME");
	r = (struct zone_login_request){ .command = WORDS("-c"), .tty = true };
	login_is(all.fd, &r, "/bin/su|-l|-c|-c|root");
	r = (struct zone_login_request){ .command = WORDS() };
	login_is(all.fd, &r, "/bin/su|-l|root");
	r = (struct zone_login_request){ .safe = true, .tty = true };
	login_is(sh.fd, &r, "/bin/sh");
	r.command = WORDS("exit", "3");
	login_is(sh.fd, &r, "/bin/sh|-c|exit 3");
	login_is(nothing.fd, &r, "exit|3");
	drop_root(&nothing);
	drop_root(&sh);
	drop_root(&all);
	drop_root(&su);
	drop_root(&none);
}

static void
runs_as_the_user_where_it_starts_the_shell_itself(void)
{
	struct root none = make_root(WORDS("bin/zsh"));
	NRD_AUTO(zone_login) login = { 0 };
	struct nrd_err err = { 0 };
	struct zone_login_request r = { .user = "amy", .command = WORDS("id"), .term = "xterm" };

	CHECK_OK(zone_login_make(none.fd, &r, &login, &err), err);
	CHECK(!login.becomes);
	CHECK_INT(login.gid, 1000);
	CHECK_INT(login.n_groups, 2);
	CHECK_INT(login.groups[1], 101);
	CHECK_STR(login.dir, "/home/amy");
	CHECK_INT(login.uid, 1000);
	CHECK(nrd_strv_has(NRD_CSTRV(login.env), "HOME=/home/amy"));
	CHECK(nrd_strv_has(NRD_CSTRV(login.env), "SHELL=/bin/zsh"));
	CHECK(nrd_strv_has(NRD_CSTRV(login.env), "USER=amy"));
	CHECK(!nrd_strv_has(NRD_CSTRV(login.env), "TERM=xterm"));
	zone_login_cleanup(&login);
	r = (struct zone_login_request){ .user = "123", .tty = true, .term = "xterm" };
	CHECK_OK(zone_login_make(none.fd, &r, &login, &err), err);
	CHECK_INT(login.uid, 123);
	CHECK_INT(login.n_groups, 0);
	CHECK(nrd_strv_has(NRD_CSTRV(login.env), "TERM=xterm"));
	zone_login_cleanup(&login);
	r = (struct zone_login_request){ .tty = true, .term = "x\nLD_PRELOAD=/x" };
	CHECK_OK(zone_login_make(none.fd, &r, &login, &err), err);
	CHECK_INT(login.uid, 0);
	CHECK_STR(login.dir, "/root");
	CHECK(nrd_strv_has(NRD_CSTRV(login.env), "TERM=vt100"));
	for (int i = 0; i < 2; i++) {
		zone_login_cleanup(&login);
		r = (struct zone_login_request){ .user = i == 0 ? "bare" : "rel" };
		CHECK_OK(zone_login_make(none.fd, &r, &login, &err), err);
		CHECK_STR(login.dir, "/");
		CHECK_STR(login.argv[0], "/bin/sh");
		CHECK_INT(login.uid, 7 + i);
	}
	drop_root(&none);
}

static void
refuses_users_that_are_none(void)
{
	static const char *const bad[] = { "", "-c", "+x", "a b", "a:b", "a\nb", "../x" };
	struct root none = make_root(WORDS("bin/sh")), su = make_root(WORDS("bin/su"));
	struct zone_login login = { 0 };
	struct nrd_err err = { 0 };
	char long_name[300];

	for (size_t i = 0; i < nrd_count(bad); i++) {
		struct zone_login_request r = { .user = bad[i] };

		CHECK_FAILS(zone_login_make(su.fd, &r, &login, &err), err, EINVAL, "BadUser");
	}
	memset(long_name, 'a', sizeof(long_name) - 1);
	long_name[sizeof(long_name) - 1] = '\0';
	CHECK_FAILS(zone_login_make(su.fd, &(struct zone_login_request){ .user = long_name },
				    &login, &err), err, EINVAL, "BadUser");
	CHECK_FAILS(zone_login_make(none.fd, &(struct zone_login_request){ .user = "nobody" },
				    &login, &err), err, ENOENT, "NoSuchUser");
	/* Where there is su it knows best: users need not be in the file. */
	login_is(su.fd, &(struct zone_login_request){ .user = "nobody" }, "/bin/su|-l|nobody");
	drop_root(&none);
	drop_root(&su);
}

/* Links lead to the zone's own files; what is no regular file is not read. */
static void
stays_inside_the_root(void)
{
	struct root root = make_root(WORDS("usr/bin/zsh"));
	struct zone_login_request r = { .user = "amy", .tty = true };
	struct zone_login login = { 0 };
	struct nrd_err err = { 0 };
	char outside[64];

	CHECK(unlink(tree_path(root.dir, "etc/passwd")) == 0);
	tree_link(root.dir, "etc/passwd", "/../../../../shared/users");
	tree_file(root.dir, "shared/users", PASSWD);
	tree_link(root.dir, "bin", "usr/bin");
	login_is(root.fd, &r, "/bin/zsh|-l");

	/* There on the node, not in the zone. */
	test_mkdir(outside);
	tree_file(outside, "users", PASSWD);
	CHECK(unlink(tree_path(root.dir, "etc/passwd")) == 0);
	tree_link(root.dir, "etc/passwd", tree_path(outside, "users"));
	CHECK_FAILS(zone_login_make(root.fd, &r, &login, &err), err, ENOENT, "NoSuchUser");
	CHECK(unlink(tree_path(root.dir, "etc/passwd")) == 0);
	CHECK(mkfifo(tree_path(root.dir, "etc/passwd"), 0600) == 0);
	CHECK_FAILS(zone_login_make(root.fd, &r, &login, &err), err, ENOENT, "NoSuchUser");
	r.user = NULL;
	login_is(root.fd, &r, "/bin/sh|-l");
	/* A directory called su is no su, nor is one nobody may run. */
	CHECK(mkdir(tree_path(root.dir, "usr/bin/su"), 0755) == 0);
	tree_file(root.dir, "usr/bin/login", "");
	login_is(root.fd, &r, "/bin/sh|-l");
	tree_remove(outside);
	drop_root(&root);
}

TEST_MAIN(prefers_login_then_su_then_the_shell,
	  runs_as_the_user_where_it_starts_the_shell_itself, refuses_users_that_are_none,
	  stays_inside_the_root)
