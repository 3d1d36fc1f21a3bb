/* SPDX-License-Identifier: MPL-2.0 */
/* Copyright 2026 The Nereid authors */

/*
 * Any text as a zonecfg session, line by line, on a zone that is not in the way of any: nothing
 * crashes, a refused command says why, and what a configuration exports makes it again.
 */
#include <assert.h>
#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "nrd/mem.h"
#include "nrd/str.h"
#include "zonecfg/session.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define NOWHERE "/nonexistent/zones"

static int
ask(void *arg, const char *question)
{
	(void)arg;
	assert(question[0] != '\0');
	return 1;
}

static int
lock(void *arg, const char *name, int *ret_fd, struct nrd_err *err)
{
	(void)arg;
	(void)name;
	(void)ret_fd;
	return nrd_fail(err, EROFS, "Fuzz", "nothing is written");
}

static const struct cfg_host host = { .ask = ask, .lock = lock };

/* Verbs that reach the file system by a path of the input are left out. */
static bool
harmless(const char *text)
{
	struct cfg_line line = { 0 };
	bool good = true;

	if (cfg_parse(text, &line, NULL) < 0)
		return true;
	nrd_vec_each(command, &line.commands)
		good = good && strcmp(command->verb, "export") != 0 &&
		       strcmp(command->verb, "create") != 0;
	cfg_line_fini(&line);
	return good;
}

static char *
export_of(struct cfg_session *s)
{
	nrd_buf_reset(&s->out);
	assert(!s->inside && cfg_run(s, "export", NULL) == 0);
	return strdup(nrd_buf_str(&s->out));
}

static void
make_again(struct cfg_session *s)
{
	NRD_AUTO(cfg_session) other = { 0 };
	NRD_FREE char *first = export_of(s);
	NRD_FREE char *second = NULL;
	struct nrd_str rest = nrd_str(first), part;
	struct nrd_err err = { 0 };

	assert(cfg_open(&other, NOWHERE, "fuzz", &host, NULL) == 0);
	while (nrd_str_split(&rest, '\n', &part)) {
		NRD_FREE char *line = nrd_str_dup(part);

		if (cfg_run(&other, line, &err) < 0)
			abort();
	}
	second = export_of(&other);
	/* A zone that has another name has things that do not follow from this one. */
	if (strcmp(s->config.zonename, "fuzz") == 0)
		assert(strcmp(first, second) == 0);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	NRD_FREE char *text = malloc(size + 1);
	NRD_AUTO(cfg_session) s = { 0 };

	assert(text != NULL);
	if (size > 0)
		memcpy(text, data, size);
	text[size] = '\0';

	struct nrd_str rest = nrd_str(text), part;

	assert(cfg_open(&s, NOWHERE, "fuzz", &host, NULL) == 0);
	assert(cfg_run(&s, "create", NULL) == 0);
	while (nrd_str_split(&rest, '\n', &part)) {
		NRD_FREE char *line = nrd_str_dup(part);
		struct nrd_err err = { 0 };

		if (harmless(line) && cfg_run(&s, line, &err) < 0)
			assert(err.num > 0 && err.code[0] != '\0' && err.msg[0] != '\0');
	}
	if (s.inside)
		assert(cfg_run(&s, "cancel", NULL) == 0);
	if (s.loaded)
		make_again(&s);
	return 0;
}
