/* SPDX-License-Identifier: MPL-2.0 */
/* Copyright 2026 The Nereid authors */

/*
 * The rig's hand inside a node under test: runs commands that come over virtio-serial ports. It is
 * no part of the image: test/rig gives it to the node through QEMU's fw_cfg. One worker process a
 * port, one command at a time in each.
 *
 * A frame is one byte of type, four of length (little endian), then the payload; a zero byte
 * between frames means nothing, so whoever finds a half-sent frame in its way pads with zeros.
 *	to us:    H nonce (start anew)  A argument  X (run)  I stdin  E (end of stdin)
 *	          S signal  P (are you still running it?)
 *	from us:  H nonce  O stdout  R stderr  C bytes of stdin used  Q wait status
 *	          F errno (could not run)  p (yes)  n (no)  B (the node goes down)
 * A host that hangs up takes its command with it.
 */

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/pidfd.h>
#include <sys/signalfd.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <unistd.h>

#define NAME "org.nereid.rig."
#define PORTS 4
#define FRAME_MAX (16u << 10)
#define HEAD 5u
#define STDIN_MAX (64u << 10) /* what the host may send ahead of C frames */
#define ARGS_MAX (1u << 20)
#define ARGC_MAX 4096u
#define HANG_UP_MS 500

struct worker {
	int port;
	int sig;               /* signalfd */
	int child[4];          /* stdin, stdout, stderr, pidfd; -1 when closed */
	pid_t pid;             /* 0: nothing runs */
	bool eof;              /* the host sent all of stdin */
	size_t in_len, out_len, stdin_len, args_len;
	unsigned char in[HEAD + FRAME_MAX];
	unsigned char out[4 * (HEAD + FRAME_MAX)];
	unsigned char stdin_buf[STDIN_MAX];
	char *args;
	unsigned argc;
};

static char *const clean_env[] = {
	(char[]){ "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin" },
	(char[]){ "HOME=/root" }, (char[]){ "USER=root" }, (char[]){ "LOGNAME=root" },
	(char[]){ "SHELL=/bin/bash" }, (char[]){ "TERM=dumb" }, (char[]){ "LC_ALL=C.UTF-8" }, NULL,
};

static void
close_fd(int *fd)
{
	if (*fd >= 0)
		close(*fd);
	*fd = -1;
}

static void
put(struct worker *w, char type, const void *data, uint32_t len)
{
	unsigned char *p = w->out + w->out_len;

	if (w->out_len + HEAD + len > sizeof(w->out))
		return; /* cannot be: the loop reads from a child only into an empty buffer */
	*p++ = (unsigned char)type;
	for (int i = 0; i < 4; i++)
		*p++ = (unsigned char)(len >> (8 * i));
	if (len > 0)
		memcpy(p, data, len);
	w->out_len += HEAD + len;
}

static void
put_u32(struct worker *w, char type, uint32_t v)
{
	unsigned char b[4] = { (unsigned char)v, (unsigned char)(v >> 8), (unsigned char)(v >> 16),
			       (unsigned char)(v >> 24) };

	put(w, type, b, sizeof(b));
}

static void
session_reset(struct worker *w)
{
	if (w->pid > 0) {
		kill(-w->pid, SIGKILL);
		kill(w->pid, SIGKILL);
		waitpid(w->pid, NULL, 0);
	}
	for (int i = 0; i < 4; i++)
		close_fd(&w->child[i]);
	w->pid = 0;
	w->eof = false;
	w->out_len = w->stdin_len = w->args_len = 0;
	w->argc = 0;
}

static void
child_run(int fds[3], char **argv)
{
	sigset_t none;

	setsid();
	for (int i = 0; i < 3; i++)
		if (dup2(fds[i], i) < 0)
			_exit(126);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	signal(SIGPIPE, SIG_DFL);
	if (chdir("/root") < 0 && chdir("/") < 0)
		_exit(126);
	execvpe(argv[0], argv, clean_env);
	int r = errno;

	(void)dprintf(2, "%s: %s\n", argv[0], strerror(r));
	_exit(r == ENOENT ? 127 : 126);
}

static void
session_start(struct worker *w)
{
	char *argv[ARGC_MAX + 1] = { NULL };
	char *p = w->args;
	int theirs[3] = { -1, -1, -1 };

	if (w->pid > 0 || w->argc == 0) {
		put_u32(w, 'F', EBUSY);
		return;
	}
	for (unsigned i = 0; i < w->argc; i++, p += strlen(p) + 1)
		argv[i] = p;
	for (int i = 0; i < 3; i++) {
		int pair[2];

		if (pipe2(pair, O_CLOEXEC) < 0)
			goto fail;
		theirs[i] = pair[i > 0];
		w->child[i] = pair[i == 0];
		fcntl(w->child[i], F_SETFL, O_NONBLOCK);
		/* Above 2, or moving them into place would overwrite each other. */
		if (theirs[i] < 3) {
			int fd = fcntl(theirs[i], F_DUPFD_CLOEXEC, 3);

			close(theirs[i]);
			theirs[i] = fd;
		}
	}
	w->pid = fork();
	if (w->pid == 0)
		child_run(theirs, argv);
	if (w->pid > 0)
		w->child[3] = pidfd_open(w->pid, 0);
	if (w->pid > 0 && w->child[3] >= 0) {
		for (int i = 0; i < 3; i++)
			close_fd(&theirs[i]);
		return;
	}
fail:
	{
		int r = errno;

		for (int i = 0; i < 3; i++)
			close_fd(&theirs[i]);
		session_reset(w);
		put_u32(w, 'F', (uint32_t)r);
	}
}

static void
frame_take(struct worker *w, unsigned char type, const unsigned char *data, uint32_t len)
{
	switch (type) {
	case 'H':
		session_reset(w);
		put(w, 'H', data, len);
		break;
	case 'A':
		if (w->argc < ARGC_MAX && w->args_len + len < ARGS_MAX) {
			memcpy(w->args + w->args_len, data, len);
			w->args[w->args_len + len] = '\0';
			w->args_len += len + 1;
			w->argc++;
		} else {
			put_u32(w, 'F', E2BIG);
		}
		break;
	case 'X':
		session_start(w);
		break;
	case 'I':
		if (w->child[0] < 0) {
			put_u32(w, 'C', len); /* nobody reads it any more */
		} else if (w->stdin_len + len <= STDIN_MAX) {
			memcpy(w->stdin_buf + w->stdin_len, data, len);
			w->stdin_len += len;
		}
		break;
	case 'E':
		w->eof = true;
		break;
	case 'S':
		if (w->pid > 0 && len >= 1)
			kill(-w->pid, data[0]);
		break;
	case 'P':
		put(w, w->pid > 0 ? 'p' : 'n', NULL, 0);
		break;
	default:
		break;
	}
}

/* Takes every whole frame out of w->in, as long as there is room for the answers. */
static void
frames_take(struct worker *w)
{
	size_t at = 0;

	while (at < w->in_len && w->out_len < HEAD + FRAME_MAX) {
		const unsigned char *p = w->in + at;
		uint32_t len;

		if (memchr("HAXIESP", p[0], 7) == NULL) {
			at++;
			continue;
		}
		if (w->in_len - at < HEAD)
			break;
		len = p[1] | (uint32_t)p[2] << 8 | (uint32_t)p[3] << 16 | (uint32_t)p[4] << 24;
		if (len > FRAME_MAX) {
			at++;
			continue;
		}
		if (w->in_len - at < HEAD + len)
			break;
		frame_take(w, p[0], p + HEAD, len);
		at += HEAD + len;
	}
	memmove(w->in, w->in + at, w->in_len - at);
	w->in_len -= at;
}

/* Returns false when the host has hung up. */
static bool
port_read(struct worker *w)
{
	size_t room = w->in_len < sizeof(w->in) ? sizeof(w->in) - w->in_len : 0;
	ssize_t n = read(w->port, w->in + w->in_len, room);

	if (n == 0 || (n < 0 && errno != EAGAIN && errno != EINTR))
		return false;
	if (n > 0)
		w->in_len += (size_t)n;
	return true;
}

static void
port_write(struct worker *w)
{
	ssize_t n = write(w->port, w->out, w->out_len);

	if (n > 0) {
		memmove(w->out, w->out + n, w->out_len - (size_t)n);
		w->out_len -= (size_t)n;
	}
}

static void
child_read(struct worker *w, int which)
{
	unsigned char buf[FRAME_MAX];
	ssize_t n = read(w->child[which], buf, sizeof(buf));

	if (n > 0)
		put(w, which == 1 ? 'O' : 'R', buf, (uint32_t)n);
	else if (n == 0 || errno != EAGAIN)
		close_fd(&w->child[which]);
}

static void
child_feed(struct worker *w)
{
	ssize_t n = w->stdin_len > 0 ? write(w->child[0], w->stdin_buf, w->stdin_len) : 0;

	if (n < 0 && errno == EAGAIN)
		return;
	if (n < 0) {
		n = (ssize_t)w->stdin_len; /* closed its stdin: swallow the rest */
		close_fd(&w->child[0]);
	}
	if (n > 0) {
		memmove(w->stdin_buf, w->stdin_buf + n, w->stdin_len - (size_t)n);
		w->stdin_len -= (size_t)n;
		put_u32(w, 'C', (uint32_t)n);
	}
}

/* The command ended: what it wrote before is sent first; what its daemons may still write is not. */
static void
child_end(struct worker *w)
{
	int status = 0;

	for (int i = 1; i < 3; i++) {
		if (w->child[i] < 0)
			continue;
		child_read(w, i);
		if (w->out_len > 0)
			return; /* there may be more: come back */
		close_fd(&w->child[i]);
	}
	waitpid(w->pid, &status, 0);
	w->pid = 0;
	session_reset(w);
	put_u32(w, 'Q', (uint32_t)status);
}

/*
 * Sleeps until the host sends something. A port whose host is away polls as hung up and readable
 * for ever, so only changes are listened to.
 */
static void
host_wait(struct worker *w)
{
	struct epoll_event ev = { .events = EPOLLIN | EPOLLET }, got;
	int ep = epoll_create1(EPOLL_CLOEXEC);

	w->in_len = 0;
	if (epoll_ctl(ep, EPOLL_CTL_ADD, w->port, &ev) == 0) {
		ev.events = EPOLLIN;
		(void)epoll_ctl(ep, EPOLL_CTL_ADD, w->sig, &ev);
		do {
			if (epoll_wait(ep, &got, 1, -1) < 0)
				got.events = 0;
		} while ((got.events & (EPOLLIN | EPOLLHUP)) != EPOLLIN);
	}
	close(ep);
}

/*
 * The kernel may tell late that the host before has gone, when the next one is there and what it sent
 * has been read: the command is that one's then. Whose it is not is ended by the next one's 'H'.
 */
static bool
hung_up(const struct worker *w)
{
	struct pollfd p = { .fd = w->port };

	for (int i = 0; i < HANG_UP_MS / 10; i++) {
		if (poll(&p, 1, 0) <= 0 || (p.revents & POLLHUP) == 0)
			return false;
		usleep(10 * 1000);
	}
	return true;
}

static void
serve(struct worker *w)
{
	for (bool goes_down = false; !goes_down || w->out_len > 0;) {
		struct pollfd p[] = {
			{ .fd = w->port, .events = w->in_len < sizeof(w->in) ? POLLIN : 0 },
			{ .fd = w->sig, .events = POLLIN },
			{ .fd = w->stdin_len > 0 || w->eof ? w->child[0] : -1, .events = POLLOUT },
			{ .fd = w->out_len == 0 ? w->child[1] : -1, .events = POLLIN },
			{ .fd = w->out_len == 0 ? w->child[2] : -1, .events = POLLIN },
			{ .fd = w->out_len == 0 && w->pid > 0 ? w->child[3] : -1, .events = POLLIN },
		};

		if (w->out_len > 0)
			p[0].events |= POLLOUT;
		if (poll(p, sizeof(p) / sizeof(p[0]), goes_down ? 300 : -1) <= 0) {
			if (goes_down)
				break;
			continue;
		}
		if (p[1].revents != 0 && !goes_down) {
			goes_down = true;
			put(w, 'B', NULL, 0);
			close_fd(&w->sig);
		}
		if (((p[0].revents & POLLHUP) || ((p[0].revents & POLLIN) && !port_read(w))) && hung_up(w)) {
			session_reset(w);
			if (!goes_down)
				host_wait(w);
			continue;
		}
		frames_take(w);
		if (p[2].revents != 0 && w->child[0] >= 0)
			child_feed(w);
		if (w->eof && w->stdin_len == 0)
			close_fd(&w->child[0]);
		for (int i = 1; i < 3; i++)
			if (p[2 + i].revents != 0 && w->child[i] >= 0)
				child_read(w, i);
		if (p[5].revents != 0 && w->out_len == 0 && w->pid > 0)
			child_end(w);
		if (w->out_len > 0)
			port_write(w);
	}
}

/* Finds the port's device by its name in sysfs (udev may not have run) and opens it. */
static int
port_open(int n)
{
	char want[64], path[300], name[64];

	(void)snprintf(want, sizeof(want), NAME "%d\n", n);
	for (;; usleep(100 * 1000)) {
		DIR *dir = opendir("/sys/class/virtio-ports");
		struct dirent *de;
		int fd = -1;

		while (dir != NULL && fd < 0 && (de = readdir(dir)) != NULL) {
			(void)snprintf(path, sizeof(path), "/sys/class/virtio-ports/%s/name", de->d_name);
			int f = open(path, O_RDONLY | O_CLOEXEC);
			ssize_t got = f < 0 ? -1 : read(f, name, sizeof(name) - 1);

			close_fd(&f);
			if (got <= 0)
				continue;
			name[got] = '\0';
			if (strcmp(name, want) != 0)
				continue;
			(void)snprintf(path, sizeof(path), "/dev/%s", de->d_name);
			fd = open(path, O_RDWR | O_NONBLOCK | O_CLOEXEC);
		}
		if (dir != NULL)
			closedir(dir);
		if (fd >= 0)
			return fd;
	}
}

int
main(void)
{
	static struct worker w;
	sigset_t term;

	sigemptyset(&term);
	sigaddset(&term, SIGTERM);
	sigprocmask(SIG_BLOCK, &term, NULL);
	signal(SIGPIPE, SIG_IGN);
	for (int i = 1; i < PORTS; i++) {
		if (fork() == 0) {
			w.port = i;
			break;
		}
	}
	memset(w.child, -1, sizeof(w.child));
	w.args = malloc(ARGS_MAX);
	w.sig = signalfd(-1, &term, SFD_CLOEXEC | SFD_NONBLOCK);
	w.port = port_open(w.port);
	if (w.args == NULL || w.sig < 0)
		return 1;
	host_wait(&w);
	serve(&w);
	return 0;
}
