/* SPDX-License-Identifier: MPL-2.0 */
/* Copyright 2026 The Nereid authors */

/*
 * What a tenant can do to a unix stream socket by hand:
 *	talk say SOCKET           sends standard input, prints what comes back
 *	talk flood SOCKET SECONDS asks without end on several connections, and reads no answer
 *	talk ask SOCKET SECONDS   asks and reads as fast as it goes; prints how often
 *	talk hold SOCKET COUNT    opens so many connections and says nothing, until it is killed
 */
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#define FLOODERS 16

static int
dial(const char *path, int flags)
{
	struct sockaddr_un addr = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | flags, 0);

	(void)snprintf(addr.sun_path, sizeof(addr.sun_path), "%s", path);
	if (fd >= 0 && connect(fd, (const struct sockaddr *)&addr, sizeof(addr)) < 0) {
		(void)close(fd);
		return -1;
	}
	return fd;
}

static int
say(const char *path)
{
	char data[65536];
	int fd = dial(path, 0);
	ssize_t n;

	if (fd < 0) {
		perror(path);
		return 1;
	}
	while ((n = read(STDIN_FILENO, data, sizeof(data))) > 0)
		if (send(fd, data, (size_t)n, MSG_NOSIGNAL) != n)
			return 2;
	(void)shutdown(fd, SHUT_WR);
	while ((n = read(fd, data, sizeof(data))) > 0)
		if (write(STDOUT_FILENO, data, (size_t)n) != n)
			return 3;
	return 0;
}

static int
flood(const char *path, int seconds)
{
	static char data[65536];
	time_t end = time(NULL) + seconds;
	int fds[FLOODERS];

	for (size_t i = 0; i < sizeof(data); i += 8)
		memcpy(data + i, "GET big\n", 8);
	for (int i = 0; i < FLOODERS; i++)
		fds[i] = -1;
	while (time(NULL) < end)
		for (int i = 0; i < FLOODERS; i++) {
			if (fds[i] < 0)
				fds[i] = dial(path, SOCK_NONBLOCK);
			if (fds[i] >= 0 && send(fds[i], data, sizeof(data), MSG_NOSIGNAL) < 0 &&
			    errno != EAGAIN) {
				(void)close(fds[i]);
				fds[i] = -1;
			}
		}
	return 0;
}

static int
ask(const char *path, int seconds)
{
	time_t end = time(NULL) + seconds;
	char data[4096];
	long n = 0;
	int fd = dial(path, 0);

	while (fd >= 0 && time(NULL) < end) {
		if (send(fd, "GET foo\n", 8, MSG_NOSIGNAL) != 8 || read(fd, data, sizeof(data)) <= 0)
			return 2;
		n++;
	}
	(void)printf("%ld\n", n);
	return fd < 0;
}

static int
hold(const char *path, int count)
{
	for (int i = 0; i < count; i++)
		(void)dial(path, SOCK_NONBLOCK);
	(void)printf("held\n");
	(void)fflush(stdout);
	(void)pause();
	return 0;
}

int
main(int argc, char **argv)
{
	if (argc == 3 && strcmp(argv[1], "say") == 0)
		return say(argv[2]);
	if (argc == 4 && strcmp(argv[1], "flood") == 0)
		return flood(argv[2], atoi(argv[3]));
	if (argc == 4 && strcmp(argv[1], "ask") == 0)
		return ask(argv[2], atoi(argv[3]));
	if (argc == 4 && strcmp(argv[1], "hold") == 0)
		return hold(argv[2], atoi(argv[3]));
	return 64;
}
