/* SPDX-License-Identifier: MPL-2.0 */
/* Copyright 2026 The Nereid authors */
/*
 * What a person sees on the node's screen and serial line. It comes up before anything else is
 * there, follows the node's state, and hands over: to the dialogue while the node is not set up,
 * to login(1) otherwise. A name typed while the node still boots waits for the passwords, which
 * are on the pool.
 *
 * Without a pool (noimport=true, rescue, a pool that cannot be imported) no password of root is
 * known and there is none by default. Then a console gives a root shell at the press of a key:
 * who stands there could as well choose rescue in the boot menu, and there is nothing on the
 * node but what its boot medium holds. root_shadow= on the kernel's command line makes it ask.
 */
#include <errno.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <termios.h>
#include <unistd.h>

#include "link/nic.h"
#include "node/ask.h"
#include "node/state.h"
#include "nrd/cli.h"
#include "nrd/file.h"
#include "nrd/mem.h"
#include "nrd/proc.h"
#include "nrd/str.h"

#define LOGIN_PROGRAM "/usr/bin/login"
#define SETUP_PROGRAM "/usr/sbin/nereid-setup"
#define NAME_LEN 65

struct console {
	const char *tty; /* "ttyS0" */
	struct ask ask;
	int watch;  /* the state's directory */
	int links;  /* the kernel's news of addresses */
	int any;    /* epoll of the two */
	struct nrd_buf addresses; /* as last shown */
	struct node_state state;
	bool login; /* a password or key of root is known */
};

static void
put_stamp(char *dst, size_t size)
{
	NRD_FREE char *text = NULL;
	struct nrd_str rest;
	struct nrd_str line;

	(void)snprintf(dst, size, "?");
	if (nrd_file_read("/etc/os-release", 65536, &text, NULL, NULL) < 0)
		return;
	rest = nrd_str(text);
	while (nrd_str_split(&rest, '\n', &line))
		if (line.len > 11 && strncmp(line.data, "VERSION_ID=", 11) == 0)
			(void)snprintf(dst, size, "%.*s", (int)line.len - 11, line.data + 11);
}

static void
put_addresses(struct nrd_buf *out)
{
	NRD_AUTO(link_nics) nics = { 0 };
	size_t n = 0;

	if (link_nics_read(NULL, 0, &nics, NULL) < 0)
		return;
	for (size_t i = 0; i < nics.n; i++) {
		const struct link_nic *nic = &nics.nics[i];

		for (size_t j = 0; !nic->loopback && j < nic->n_addrs; j++) {
			char text[LINK_ADDR_TEXT];

			if (nic->addrs[j].link_local)
				continue;
			link_addr_format(&nic->addrs[j], text);
			(void)nrd_buf_printf(out, "%s%s (%s)", n++ > 0 ? ", " : "", text,
					     nic->name);
		}
	}
}

/* What is to be said of the state, ending in a line end; nothing while all is well. */
static void
put_state(const struct node_state *s, struct nrd_buf *out)
{
	switch (s->kind) {
	case NODE_BOOTING:
		(void)nrd_buf_adds(out, "The node is booting.\n");
		break;
	case NODE_SETUP:
		(void)nrd_buf_adds(out, "This node is not set up yet.\n");
		if (s->why[0] != '\0')
			(void)nrd_buf_printf(out, "%s\n", s->why);
		break;
	case NODE_NOIMPORT:
		(void)nrd_buf_adds(out, "Booted without touching a pool (noimport or rescue).\n");
		break;
	case NODE_DEGRADED:
		(void)nrd_buf_printf(out, "ATTENTION: %s\n", s->why);
		break;
	case NODE_READY:
		break;
	}
}

static void
hostname(char dst[NAME_LEN])
{
	if (gethostname(dst, NAME_LEN) < 0 || dst[0] == '\0' || nrd_streq(dst, "(none)") ||
	    nrd_streq(dst, "localhost"))
		(void)snprintf(dst, NAME_LEN, "nereid");
	dst[NAME_LEN - 1] = '\0';
}

static void
banner(struct console *c)
{
	NRD_AUTO(nrd_buf) b = NRD_BUF_INIT(8192);
	char stamp[64];
	char name[NAME_LEN];

	put_stamp(stamp, sizeof(stamp));
	hostname(name);
	(void)nrd_buf_printf(&b, "\n\nNereid %s  %s  %s\n", stamp, name, c->tty);
	nrd_buf_reset(&c->addresses);
	put_addresses(&c->addresses);
	if (c->addresses.len > 0)
		(void)nrd_buf_printf(&b, "%s\n", nrd_buf_str(&c->addresses));
	put_state(&c->state, &b);
	ask_put(&c->ask, nrd_buf_str(&b));
}

static void
read_state(struct console *c)
{
	node_state_watch_drain(c->watch);
	if (node_state_read(NULL, &c->state, NULL) < 0)
		c->state = (struct node_state){ .kind = NODE_DEGRADED, .why = "no state" };
	c->login = nrd_path_exists(NODE_LOGIN_PATH);
}

static void
drain(int fd)
{
	char buf[8192];

	while (recv(fd, buf, sizeof(buf), MSG_DONTWAIT) > 0)
		;
}

/* Is there anything new to show? */
static bool
news(void *arg)
{
	struct console *c = arg;
	struct node_state before = c->state;
	NRD_AUTO(nrd_buf) now = NRD_BUF_INIT(8192);

	drain(c->links);
	read_state(c);
	put_addresses(&now);
	return c->state.kind != before.kind || !nrd_streq(c->state.why, before.why) ||
	       !nrd_streq(nrd_buf_str(&now), nrd_buf_str(&c->addresses));
}

/* Only when nobody can know a password. */
static bool
rescue_shell(const struct console *c)
{
	return c->state.kind != NODE_BOOTING && !c->login;
}

static int
exec_login(struct console *c, const char *name, struct nrd_err *err)
{
	bool rescue = rescue_shell(c);

	ask_close(&c->ask);
	if (rescue)
		(void)execl(LOGIN_PROGRAM, "login", "-f", "root", (char *)NULL);
	else
		(void)execl(LOGIN_PROGRAM, "login", "--", name, (char *)NULL);
	return nrd_fail(err, errno, "Login", "start " LOGIN_PROGRAM ": %m");
}

/* Until the node knows where its passwords are. */
static void
wait_for_boot(struct console *c)
{
	if (c->state.kind != NODE_BOOTING || c->login)
		return;
	ask_put(&c->ask, "Waiting for the pool, which holds the passwords ...\n");
	while (c->state.kind == NODE_BOOTING && !c->login) {
		struct pollfd p = { .fd = c->watch, .events = POLLIN };

		(void)poll(&p, 1, -1);
		read_state(c);
	}
}

static int
prompt_login(struct console *c, struct nrd_err *err)
{
	const struct ask_watch watch = { c->any, news, c };
	char name[NAME_LEN];
	char line[256];

	hostname(name);
	if (rescue_shell(c))
		ask_put(&c->ask, "No password is known. Press Enter for a root shell.\n");
	ask_say(&c->ask, "\n%s login: ", name);
	switch (ask_line(&c->ask, line, sizeof(line), false, &watch)) {
	case ASK_LINE:
		break;
	case ASK_EVENT:
		return 0;
	case ASK_END:
		return -EPIPE;
	default:
		return 0;
	}
	if (line[0] == '\0' && !rescue_shell(c))
		return 0;
	wait_for_boot(c);
	if (c->state.kind == NODE_SETUP)
		return 0;
	return exec_login(c, line, err);
}

/* The dialogue is a program of its own and can be run from a shell as well. */
static int
run_setup(struct console *c, struct nrd_err *err)
{
	static const char *const argv[] = { SETUP_PROGRAM, NULL };
	const struct nrd_proc proc = {
		.argv = argv,
		.flags = NRD_PROC_STDIN | NRD_PROC_STDOUT | NRD_PROC_STDERR | NRD_PROC_SAME_GROUP,
	};
	NRD_CLOSE int pidfd = -1;
	int status;
	int r;

	ask_close(&c->ask);
	r = nrd_spawn(&proc, &pidfd, NULL, err);
	if (r >= 0)
		r = nrd_pidfd_wait(pidfd, -1, &status, err);
	return r < 0 ? r : ask_open(&c->ask, STDIN_FILENO, STDOUT_FILENO, err);
}

static int
prompt_setup(struct console *c, struct nrd_err *err)
{
	const struct ask_watch watch = { c->any, news, c };
	char line[256];

	ask_put(&c->ask, "\nPress Enter to set it up.\n");
	switch (ask_line(&c->ask, line, sizeof(line), true, &watch)) {
	case ASK_LINE:
		return run_setup(c, err);
	case ASK_END:
		return -EPIPE;
	default:
		return 0;
	}
}

static int
run(struct console *c, struct nrd_err *err)
{
	int r = 0;

	while (r >= 0) {
		read_state(c);
		banner(c);
		r = c->state.kind == NODE_SETUP ? prompt_setup(c, err) : prompt_login(c, err);
	}
	return r;
}

/* The line as a person needs it whatever the last program left behind. */
static void
sane_terminal(void)
{
	struct termios t;

	if (tcgetattr(STDIN_FILENO, &t) < 0)
		return;
	t.c_iflag = ICRNL | IXON | BRKINT | IUTF8;
	t.c_oflag = OPOST | ONLCR;
	t.c_lflag = ISIG | ICANON | IEXTEN | ECHO | ECHOE | ECHOK | ECHOCTL | ECHOKE;
	t.c_cflag &= (tcflag_t)(CBAUD | CBAUDEX | CSTOPB);
	t.c_cflag |= CS8 | CREAD | CLOCAL | HUPCL;
	if (cfgetospeed(&t) == B0) {
		(void)cfsetospeed(&t, B115200);
		(void)cfsetispeed(&t, B115200);
	}
	t.c_cc[VINTR] = 003;
	t.c_cc[VQUIT] = 034;
	t.c_cc[VERASE] = 0177;
	t.c_cc[VKILL] = 025;
	t.c_cc[VEOF] = 004;
	t.c_cc[VSTART] = 021;
	t.c_cc[VSTOP] = 023;
	t.c_cc[VSUSP] = 032;
	t.c_cc[VMIN] = 1;
	t.c_cc[VTIME] = 0;
	(void)tcsetattr(STDIN_FILENO, TCSANOW, &t);
}

/* One descriptor for all that may change what the console shows. */
static int
watch_all(struct console *c, struct nrd_err *err)
{
	struct sockaddr_nl addr = {
		.nl_family = AF_NETLINK,
		.nl_groups = RTMGRP_IPV4_IFADDR | RTMGRP_IPV6_IFADDR,
	};
	struct epoll_event e = { .events = EPOLLIN };
	int r = node_state_watch(&c->watch, err);

	if (r < 0)
		return r;
	c->links = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);
	c->any = epoll_create1(EPOLL_CLOEXEC);
	if (c->links < 0 || c->any < 0 ||
	    bind(c->links, (const struct sockaddr *)&addr, sizeof(addr)) < 0 ||
	    epoll_ctl(c->any, EPOLL_CTL_ADD, c->links, &e) < 0 ||
	    epoll_ctl(c->any, EPOLL_CTL_ADD, c->watch, &e) < 0)
		return nrd_fail(err, errno, "ConsoleWatch", "watch the node: %m");
	return 0;
}

static int
cmd_console(const struct nrd_args *args, struct nrd_err *err)
{
	struct console c = {
		.tty = args->argv[0],
		.watch = -1,
		.links = -1,
		.any = -1,
		.addresses = NRD_BUF_INIT(8192),
	};
	int r = watch_all(&c, err);

	if (r < 0)
		return r;
	sane_terminal();
	r = ask_open(&c.ask, STDIN_FILENO, STDOUT_FILENO, err);
	if (r >= 0)
		r = run(&c, err);
	ask_close(&c.ask);
	return r == -EPIPE ? 0 : r;
}

static const struct nrd_cmd only = {
	"nereid-console", cmd_console, NULL, "TTY", "the node's screen and serial line", 0, 1, 1,
};

static const struct nrd_cli cli = {
	.prog = "nereid-console",
	.summary = "shows the node's state on a terminal and leads to setup or login",
	.only = &only,
};

int
main(int argc, char **argv)
{
	return nrd_cli_main(&cli, argc, argv);
}
