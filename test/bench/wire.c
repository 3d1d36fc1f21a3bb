/* SPDX-License-Identifier: MPL-2.0 */
/* Copyright 2026 The Nereid authors */

/*
 * wire CLIENT SERVER ADDRESS rr|stream|udp|flood MS: two processes, in the network namespaces of these files, for so many
 * milliseconds. Prints transactions of one byte a second (TCP), Mbit/s (TCP, 64 KiB a write), received datagrams of 18
 * bytes a second (60-byte frames), or Mbit/s on the wire of datagrams of 1400 bytes.
 *
 * wire serve ADDRESS: serves rr and stream for ever, one after the other; the client's SERVER is "-" then: it is elsewhere.
 */
#include <arpa/inet.h>
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define PORT  5201
#define CHUNK 65536
#define SMALL 18
#define LARGE 1400
#define HEADERS 42 /* of a datagram on the wire */
#define END   1 /* bytes of a datagram that says it is over */

static char data[CHUNK];

static int64_t
now_us(void)
{
	struct timespec t;

	(void)clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

static void
enter(const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	if (fd < 0 || setns(fd, CLONE_NEWNET) < 0)
		err(1, "%s", path);
	(void)close(fd);
}

static int
make_socket(int type)
{
	int fd = socket(AF_INET, type | SOCK_CLOEXEC, 0), on = 1;
	const struct timeval limit = { .tv_sec = 20 };

	if (fd < 0)
		err(1, "socket");
	if (type == SOCK_STREAM)
		(void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	(void)setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	(void)setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
	return fd;
}

static bool
is_udp(const char *mode)
{
	return strcmp(mode, "udp") == 0 || strcmp(mode, "flood") == 0;
}

static int
listen_at(const struct sockaddr_in *addr, bool udp)
{
	int fd = make_socket(udp ? SOCK_DGRAM : SOCK_STREAM);

	if (bind(fd, (const struct sockaddr *)addr, sizeof(*addr)) < 0 || (!udp && listen(fd, 1) < 0))
		err(1, "bind");
	return fd;
}

/* What came, and in how many microseconds. */
static void
take(int conn, const char *mode, int64_t got[2])
{
	bool udp = is_udp(mode), rr = strcmp(mode, "rr") == 0;
	int64_t start = 0;
	ssize_t n;

	got[0] = 0;
	while ((n = recv(conn, data, rr ? 1 : sizeof(data), 0)) > 0) {
		if (udp && n == END)
			break;
		if (start == 0)
			start = now_us();
		if (rr && send(conn, data, 1, 0) != 1)
			break;
		got[0] += udp || rr ? 1 : n;
	}
	got[1] = now_us() - start;
}

/* Says by the pipe that it listens, and in the end what it got. */
static void
serve(int out, const struct sockaddr_in *addr, const char *mode)
{
	int fd = listen_at(addr, is_udp(mode)), conn = fd;
	int64_t got[2];

	if (write(out, "r", 1) != 1)
		err(1, "pipe");
	if (!is_udp(mode) && (conn = accept(fd, NULL, NULL)) < 0)
		err(1, "accept");
	take(conn, mode, got);
	if (write(out, got, sizeof(got)) != sizeof(got))
		err(1, "pipe");
	exit(0);
}

/* A client says its mode first, and hears last what was got of it. */
static void
serve_for_ever(const struct sockaddr_in *addr)
{
	int fd = listen_at(addr, false);

	for (;;) {
		int conn = accept(fd, NULL, NULL), on = 1;
		int64_t got[2];
		char mode;

		if (conn < 0)
			continue;
		(void)setsockopt(conn, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
		if (recv(conn, &mode, 1, 0) == 1) {
			take(conn, mode == 'r' ? "rr" : "stream", got);
			(void)send(conn, got, sizeof(got), 0);
		}
		(void)close(conn);
	}
}

/* got: what a server elsewhere says of it; NULL: there is a pipe for that. */
static void
ask(const struct sockaddr_in *addr, const char *mode, int64_t us, int64_t got[2])
{
	bool udp = is_udp(mode), rr = strcmp(mode, "rr") == 0;
	int fd = make_socket(udp ? SOCK_DGRAM : SOCK_STREAM);
	size_t size = strcmp(mode, "flood") == 0 ? LARGE : udp ? SMALL : rr ? 1 : CHUNK;
	int64_t end;

	if (connect(fd, (const struct sockaddr *)addr, sizeof(*addr)) < 0)
		err(1, "connect");
	if (got != NULL && send(fd, mode, 1, 0) != 1)
		err(1, "send");
	for (end = now_us() + us; now_us() < end;) {
		/* The clock is asked of seldom: it costs as much as a datagram. */
		for (int i = 0; i < (udp ? 32 : 1); i++)
			if (send(fd, data, size, 0) < 0 && errno != ENOBUFS)
				err(1, "send");
		if (rr && recv(fd, data, 1, 0) != 1)
			err(1, "recv");
	}
	/* The last one may be lost with the others. */
	for (int i = 0; udp && i < 50; i++) {
		(void)usleep(10000);
		(void)send(fd, data, END, 0);
	}
	if (got != NULL && (shutdown(fd, SHUT_WR) < 0 || recv(fd, got, 2 * sizeof(*got), MSG_WAITALL) != 2 * sizeof(*got)))
		err(1, "the server does not say what it got");
	(void)close(fd);
}

/* With a server of its own, in the namespace of that file. */
static void
ask_own(const char *server, const struct sockaddr_in *addr, const char *mode, int64_t us, const char *client, int64_t got[2])
{
	int fds[2];
	pid_t pid;
	char c;

	if (pipe(fds) < 0 || (pid = fork()) < 0)
		err(1, "fork");
	if (pid == 0) {
		enter(server);
		serve(fds[1], addr, mode);
	}
	(void)close(fds[1]);
	enter(client);
	if (read(fds[0], &c, 1) != 1)
		errx(1, "the server does not listen");
	ask(addr, mode, us, NULL);
	if (read(fds[0], got, 2 * sizeof(*got)) != 2 * sizeof(*got))
		errx(1, "the server does not say what it got");
	(void)waitpid(pid, NULL, 0);
}

int
main(int argc, char **argv)
{
	struct sockaddr_in addr = { .sin_family = AF_INET, .sin_port = htons(PORT) };
	int64_t got[2] = { 0, 0 }, us;

	(void)signal(SIGPIPE, SIG_IGN);
	if (argc == 3 && strcmp(argv[1], "serve") == 0 && inet_pton(AF_INET, argv[2], &addr.sin_addr) == 1)
		serve_for_ever(&addr);
	if (argc != 6 || inet_pton(AF_INET, argv[3], &addr.sin_addr) != 1)
		errx(2, "usage: wire CLIENT SERVER ADDRESS rr|stream|udp|flood MS");
	us = strtoll(argv[5], NULL, 10) * 1000;
	if (strcmp(argv[2], "-") == 0) {
		enter(argv[1]);
		ask(&addr, argv[4], us, got);
	} else {
		ask_own(argv[2], &addr, argv[4], us, argv[1], got);
	}
	if (got[1] == 0)
		errx(1, "nothing came");
	if (strcmp(argv[4], "stream") == 0)
		(void)printf("%.1f\n", (double)got[0] * 8 / (double)got[1]);
	else if (strcmp(argv[4], "flood") == 0)
		(void)printf("%.2f\n", (double)got[0] * (LARGE + HEADERS) * 8 / (double)got[1]);
	else
		(void)printf("%.1f\n", (double)got[0] * 1e6 / (double)got[1]);
	return 0;
}
