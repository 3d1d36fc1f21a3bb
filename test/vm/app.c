/* SPDX-License-Identifier: MPL-2.0 */
/* Copyright 2026 The Nereid authors */

/*
 * The one program of an image that holds nothing else, statically linked: says what it was given,
 * then does what its words say, in order.
 *
 *	echo     copies standard input to standard output until it ends
 *	err      says something on standard error
 *	serve    waits for SIGTERM and says that it came
 *	stubborn waits and does not mind SIGTERM
 *	flood N  prints N numbered lines
 *	exit N   ends with that status
 */
#include <grp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

extern char **environ;

static void
say_who(int argc, char **argv)
{
	char dir[256] = "?";
	gid_t groups[64];
	int n = getgroups(64, groups);

	for (int i = 0; i < argc; i++)
		printf("arg %s\n", argv[i]);
	for (char **e = environ; *e != NULL; e++)
		printf("env %s\n", *e);
	printf("dir %s\n", getcwd(dir, sizeof(dir)) != NULL ? dir : "?");
	printf("user %u:%u\n", getuid(), getgid());
	for (int i = 0; i < n; i++)
		printf("group %u\n", groups[i]);
	for (int fd = 0; fd < 3; fd++)
		printf("fd %d %s\n", fd, isatty(fd) ? "terminal" : "stream");
	printf("ready\n");
}

static void
copy(void)
{
	char data[4096];
	ssize_t n;

	while ((n = read(0, data, sizeof(data))) > 0)
		for (ssize_t done = 0, more; done < n; done += more)
			if ((more = write(1, data + done, (size_t)(n - done))) <= 0)
				exit(9);
	printf("end of input\n");
}

static void
await(sigset_t *set, int mind)
{
	int sig = 0;

	do
		(void)sigwait(set, &sig);
	while (!mind);
	printf("got signal %d\n", sig);
}

int
main(int argc, char **argv)
{
	sigset_t set;

	(void)setvbuf(stdout, NULL, _IOLBF, 0);
	(void)sigemptyset(&set);
	(void)sigaddset(&set, SIGTERM);
	(void)sigprocmask(SIG_BLOCK, &set, NULL);
	say_who(argc, argv);
	for (int i = 1; i < argc; i++) {
		const char *arg = i + 1 < argc ? argv[i + 1] : "0";

		if (strcmp(argv[i], "echo") == 0)
			copy();
		else if (strcmp(argv[i], "err") == 0)
			(void)fprintf(stderr, "an error\n");
		else if (strcmp(argv[i], "serve") == 0)
			await(&set, 1);
		else if (strcmp(argv[i], "stubborn") == 0)
			await(&set, 0);
		else if (strcmp(argv[i], "flood") == 0)
			for (int n = 0; n < atoi(arg); n++)
				printf("line %d\n", n);
		else if (strcmp(argv[i], "exit") == 0)
			return atoi(arg);
	}
	return 0;
}
