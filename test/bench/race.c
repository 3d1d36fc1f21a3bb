/* SPDX-License-Identifier: MPL-2.0 */
/* Copyright 2026 The Nereid authors */

/*
 * race ROUNDS: times commands against each other. Standard input has a case a line, its fields
 * separated by tabs: a name, then commands, whose words are separated by blanks (there is no
 * shell). Every round runs every case once, so that all of them see the same load. A line comes out
 * for each command: the case, the number of the command, microseconds from before it was started
 * until after its end. A command that fails ends everything: what it said is in race.log.
 */
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <spawn.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define CASES_MAX 64
#define STEPS_MAX 16
#define WORDS_MAX 64
#define LOG "race.log"

struct contest {
	char *name;
	char *argv[STEPS_MAX][WORDS_MAX + 1];
	size_t n_steps;
};

static struct contest cases[CASES_MAX];
static size_t n_cases;
static posix_spawn_file_actions_t files;
extern char **environ;

static void
read_case(char *line)
{
	struct contest *c = &cases[n_cases];
	char *step;

	line[strcspn(line, "\n")] = '\0';
	if (line[0] == '\0')
		return;
	if (n_cases == CASES_MAX)
		errx(2, "more than %d cases", CASES_MAX);
	n_cases++;
	c->name = strsep(&line, "\t");
	while ((step = strsep(&line, "\t")) != NULL) {
		size_t n = 0;
		char *word;

		if (c->n_steps == STEPS_MAX)
			errx(2, "%s: more than %d commands", c->name, STEPS_MAX);
		while ((word = strsep(&step, " ")) != NULL)
			if (word[0] != '\0' && n < WORDS_MAX)
				c->argv[c->n_steps][n++] = word;
		c->n_steps++;
	}
}

static uint64_t
now_ns(void)
{
	struct timespec ts;

	(void)clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000000000 + (uint64_t)ts.tv_nsec;
}

static double
run_step(const struct contest *c, size_t step)
{
	char *const *argv = c->argv[step];
	uint64_t start = now_ns(), end;
	int status = 0, r;
	pid_t pid;

	r = posix_spawnp(&pid, argv[0], &files, NULL, argv, environ);
	if (r != 0)
		errx(1, "%s: run %s: %s", c->name, argv[0], strerror(r));
	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			err(1, "%s: wait", c->name);
	end = now_ns();
	if (status != 0)
		errx(1, "%s: command %zu (%s) ended with status %#x; see " LOG, c->name, step, argv[0],
		     (unsigned)status);
	return (double)(end - start) / 1000;
}

int
main(int argc, char **argv)
{
	char *line = NULL;
	size_t size = 0;
	long rounds = argc == 2 ? strtol(argv[1], NULL, 10) : 0;

	if (rounds < 1)
		errx(2, "usage: race ROUNDS <CASES");
	while (getline(&line, &size, stdin) > 0) {
		read_case(line);
		line = NULL; /* the case keeps it */
		size = 0;
	}
	(void)unlink(LOG);
	/* Not a pipe: what a command leaves behind would hold it open. */
	if (posix_spawn_file_actions_init(&files) != 0 ||
	    posix_spawn_file_actions_addopen(&files, 0, "/dev/null", O_RDONLY, 0) != 0 ||
	    posix_spawn_file_actions_addopen(&files, 1, LOG, O_WRONLY | O_CREAT | O_APPEND, 0600) != 0 ||
	    posix_spawn_file_actions_adddup2(&files, 1, 2) != 0)
		errx(1, "out of memory");
	for (long i = 0; i < rounds; i++)
		for (size_t c = 0; c < n_cases; c++)
			for (size_t s = 0; s < cases[c].n_steps; s++)
				(void)printf("%s\t%zu\t%.0f\n", cases[c].name, s, run_step(&cases[c], s));
	return fflush(stdout) == 0 ? 0 : 1;
}
