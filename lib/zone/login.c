/* SPDX-License-Identifier: MPL-2.0 */
/* Copyright 2026 The Nereid authors */
#include "login.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <poll.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "nrd/buf.h"
#include "nrd/mem.h"
#include "nrd/str.h"
#include "passwd.h"
#include "state.h"
#include "sys.h"

#define PASSWD_MAX ((size_t)1 << 20)
#define USER_MAX   256
#define TERM_MAX   63

#define ZONE_PATH "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

int
zone_login_root(const char *zone, int *ret_fd, struct nrd_err *err)
{
	struct zone_run run = { 0 };
	char path[32];
	int r = zone_run_read(zone, &run, err);

	if (r < 0)
		return r;
	if (run.state != ZONE_ST_RUNNING || run.init <= 0)
		return nrd_fail(err, ESRCH, "ZoneNotRunning", "zone '%s': it is not running", zone);
	NRD_CLOSE int pidfd = zone_sys_pidfd_open(run.init);

	(void)snprintf(path, sizeof(path), "/proc/%d/root", (int)run.init);
	NRD_CLOSE int fd = pidfd < 0 ? -1 : open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);

	/* Still the same process after its root was opened: then it was that one's. */
	if (fd < 0 || zone_sys_pidfd_ino(pidfd) != run.init_pidfd_ino ||
	    poll(&(struct pollfd){ .fd = pidfd, .events = POLLIN }, 1, 0) != 0)
		return nrd_fail(err, ESRCH, "ZoneNotRunning", "zone '%s': its init has ended", zone);
	*ret_fd = nrd_take_fd(&fd);
	return 0;
}

/* A regular file below root, whatever links the zone has laid. */
static int
open_inside(int root, const char *path, int flags)
{
	struct open_how how = {
		.flags = (uint64_t)(flags | O_CLOEXEC | O_NOCTTY | O_NONBLOCK),
		.resolve = RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS,
	};
	struct stat st;

	if ((flags & O_PATH) != 0)
		how.flags = (uint64_t)(flags | O_CLOEXEC);
	NRD_CLOSE int fd = (int)syscall(SYS_openat2, root, path, &how, sizeof(how));

	if (fd < 0 || fstat(fd, &st) < 0 || !S_ISREG(st.st_mode))
		return -1;
	return nrd_take_fd(&fd);
}

static bool
has_program(int root, const char *path)
{
	NRD_CLOSE int fd = open_inside(root, path, O_PATH);
	struct stat st;

	return fd >= 0 && fstat(fd, &st) == 0 && (st.st_mode & 0111) != 0;
}

/* Where a program is that lives in /bin or /usr/bin; NULL: nowhere. */
static const char *
find_program(int root, const char *const *paths)
{
	for (; *paths != NULL; paths++) {
		if (has_program(root, *paths))
			return *paths;
	}
	return NULL;
}

static const char *const login_paths[] = { "/bin/login", "/usr/bin/login", NULL };
static const char *const su_paths[] = { "/bin/su", "/usr/bin/su", NULL };

/* A file too large is read as far as it goes, what cannot be read is empty. */
static void
read_inside(int root, const char *path, struct nrd_buf *text)
{
	NRD_CLOSE int fd = open_inside(root, path, O_RDONLY);

	if (fd >= 0)
		(void)nrd_buf_read_fd(text, fd, NULL);
}

/* The user as the zone's own file says; root is there always. */
static int
look_up_user(int root, const char *name, struct zone_passwd *ret_who, struct nrd_err *err)
{
	NRD_AUTO(nrd_buf) text = NRD_BUF_INIT(PASSWD_MAX);
	struct zone_passwd who = { 0 };

	read_inside(root, "/etc/passwd", &text);
	bool is_root = nrd_streq(name, "root");
	int r = zone_passwd_parse(nrd_buf_str(&text), name, &who, is_root ? NULL : err);

	if (r < 0 && !is_root)
		return r;
	if (who.home[0] != '/')
		(void)nrd_strcpy_to(who.home, sizeof(who.home), "/");
	if (who.shell[0] != '/')
		(void)nrd_strcpy_to(who.shell, sizeof(who.shell), "/bin/sh");
	*ret_who = who;
	return 0;
}

static void
look_up_groups(int root, const char *user, struct zone_login *login)
{
	NRD_AUTO(nrd_buf) text = NRD_BUF_INIT(PASSWD_MAX);

	read_inside(root, "/etc/group", &text);
	login->n_groups = zone_passwd_groups(nrd_buf_str(&text), user, login->groups);
}

void
zone_login_cleanup(struct zone_login *login)
{
	nrd_strv_free(login->argv);
	nrd_strv_free(login->env);
	free(login->dir);
	*login = (struct zone_login){ 0 };
}

/* A name that no program takes for an option and no line of any file for two fields. */
static int
check_user(const char *name, struct nrd_err *err)
{
	size_t len = strlen(name);

	for (size_t i = 0; i < len; i++) {
		if (!isalnum((unsigned char)name[i]) && strchr("_.@$\\+-", name[i]) == NULL)
			len = 0;
	}
	if (len == 0 || len > USER_MAX || name[0] == '-' || name[0] == '+')
		return nrd_fail(err, EINVAL, "BadUser", "\"%.60s\" cannot be the name of a user",
				name);
	return 0;
}

/* TERM goes to programs in the zone as one word; anything else is left out. */
static bool
good_term(const char *term)
{
	size_t len = term == NULL ? 0 : strlen(term);

	for (size_t i = 0; i < len; i++) {
		if (!isalnum((unsigned char)term[i]) && strchr("-_.+", term[i]) == NULL)
			return false;
	}
	return len > 0 && len <= TERM_MAX;
}

static int
add_env(const struct zone_login_request *request, struct zone_login *login,
	const struct zone_passwd *user, struct nrd_err *err)
{
	const char *name = request->user ?: "root";
	int r = nrd_strv_add(&login->env, "PATH=" ZONE_PATH);

	if (r == 0 && request->tty)
		r = nrd_strv_addf(&login->env, "TERM=%s",
				  good_term(request->term) ? request->term : "vt100");
	if (r == 0 && user != NULL)
		r = nrd_strv_addf(&login->env, "HOME=%s", user->home);
	if (r == 0 && user != NULL)
		r = nrd_strv_addf(&login->env, "SHELL=%s", user->shell);
	if (r == 0 && user != NULL && !request->safe)
		r = nrd_strv_addf(&login->env, "USER=%s", name);
	if (r == 0 && user != NULL && !request->safe)
		r = nrd_strv_addf(&login->env, "LOGNAME=%s", name);
	return r < 0 ? nrd_nomem(err) : 0;
}

static int
add_words(char ***argv, const char *const *words, struct nrd_err *err)
{
	for (; *words != NULL; words++) {
		if (nrd_strv_add(argv, *words) < 0)
			return nrd_nomem(err);
	}
	return 0;
}

/* The user's shell itself, or /bin/sh where that is not there. */
static int
make_shell(int root, const struct zone_login_request *request, const char *command,
	   struct zone_login *login, struct nrd_err *err)
{
	struct zone_passwd user = { .home = "/", .shell = "/bin/sh" };
	const char *name = request->user ?: "root";
	int r = request->safe ? 0 : look_up_user(root, name, &user, err);

	if (r < 0)
		return r;
	if (!request->safe && !has_program(root, user.shell))
		(void)nrd_strcpy_to(user.shell, sizeof(user.shell), "/bin/sh");
	login->uid = user.uid;
	login->gid = user.gid;
	if (user.uid != 0)
		look_up_groups(root, user.name[0] != '\0' ? user.name : name, login);
	if (nrd_str_set(&login->dir, user.home) < 0)
		return nrd_nomem(err);
	r = add_env(request, login, &user, err);
	if (r < 0)
		return r;
	/* An image of one program has no shell that could take the command apart. */
	if (command != NULL && !has_program(root, user.shell))
		return add_words(&login->argv, request->command, err);
	if (command != NULL)
		return add_words(&login->argv, (const char *[]){ user.shell, "-c", command, NULL },
				 err);
	return add_words(&login->argv,
			 request->safe ? (const char *[]){ user.shell, NULL } :
					 (const char *[]){ user.shell, "-l", NULL },
			 err);
}

/* Options before the user: no implementation of su takes them there for the shell's. */
static int
make_su(int root, const char *su, const struct zone_login_request *request, const char *command,
	struct zone_login *login, struct nrd_err *err)
{
	struct zone_passwd user;
	const char *name = request->user ?: "root";
	int r = add_env(request, login, NULL, err);

	login->becomes = true;
	if (r == 0)
		r = add_words(&login->argv, (const char *[]){ su, "-l", NULL }, err);
	if (r == 0 && command != NULL)
		r = add_words(&login->argv, (const char *[]){ "-c", command, NULL }, err);
	if (r == 0)
		r = add_words(&login->argv, (const char *[]){ name, NULL }, err);
	if (r == 0 && look_up_user(root, name, &user, NULL) == 0)
		login->uid = user.uid;
	return r;
}

static int
make_login(const char *program, const struct zone_login_request *request, struct zone_login *login,
	   struct nrd_err *err)
{
	int r = add_env(request, login, NULL, err);

	login->becomes = true;
	return r < 0 ? r : add_words(&login->argv, (const char *[]){ program, "-f", "root", NULL }, err);
}

int
zone_login_make(int root, const struct zone_login_request *request, struct zone_login *ret_login,
		struct nrd_err *err)
{
	NRD_AUTO(zone_login) login = { 0 };
	NRD_FREE char *command = NULL;
	bool is_root = request->user == NULL || nrd_streq(request->user, "root");
	const char *program;
	int r = request->user == NULL ? 0 : check_user(request->user, err);

	if (r < 0)
		return r;
	if (request->command != NULL && request->command[0] != NULL) {
		command = nrd_strv_join(request->command, " ");
		if (command == NULL)
			return nrd_nomem(err);
	}
	if (request->safe)
		r = make_shell(root, request, command, &login, err);
	else if (request->tty && command == NULL && is_root &&
		 (program = find_program(root, login_paths)) != NULL)
		r = make_login(program, request, &login, err);
	else if ((program = find_program(root, su_paths)) != NULL)
		r = make_su(root, program, request, command, &login, err);
	else
		r = make_shell(root, request, command, &login, err);
	if (r < 0)
		return r;
	*ret_login = login;
	login = (struct zone_login){ 0 };
	return 0;
}
