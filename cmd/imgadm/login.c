/* SPDX-License-Identifier: MPL-2.0 */
/* Copyright 2026 The Nereid authors */

/* Who we are to a registry. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "image/auth.h"
#include "image/place.h"
#include "image/sources.h"
#include "imgadm.h"
#include "node/ask.h"
#include "nrd/mem.h"
#include "nrd/str.h"
#include "nrd/vec.h"

struct login_opts {
	const char *user;
};

const struct nrd_opt login_opts[] = {
	NRD_OPT_STR('u', NULL, struct login_opts, user, "USER", "the name; without it, it is asked for"),
	NRD_OPT_END(struct login_opts),
};

/* The source of that host, or what it would be. */
static int
source_of(const char *host, struct image_source *ret_source, bool *ret_is_one, struct nrd_err *err)
{
	NRD_AUTO(image_sources) sources = { 0 };
	NRD_FREE char *url = nrd_format("https://%s", host);
	int r = url != NULL ? image_sources_read(&sources, err) : nrd_nomem(err);

	if (r < 0)
		return r;
	*ret_is_one = false;
	nrd_vec_each(s, &sources) {
		NRD_FREE char *its = image_registry_host(s);

		if (s->type != IMAGE_SOURCE_DOCKER || !nrd_streq(its, host))
			continue;
		*ret_is_one = true;
		return image_source_make(s->url, image_source_type_names[s->type], s->insecure, ret_source, err);
	}
	return image_source_make(url, image_source_type_names[IMAGE_SOURCE_DOCKER], false, ret_source, err);
}

static int
ended(struct nrd_err *err)
{
	return nrd_fail(err, ECANCELED, "LoginEnded", "no name and password were given");
}

/* From a terminal, or the password alone as a line of standard input. */
static int
ask(const char *given, char **ret_line, struct nrd_err *err)
{
	__attribute__((cleanup(ask_cleanup))) struct ask ask;
	char user[256], password[4096];
	int r = ask_open(&ask, STDIN_FILENO, STDERR_FILENO, err);

	if (r < 0)
		return r;
	if (given == NULL && !ask.tty)
		return nrd_usage(err, "say who with -u USER; the password is read from standard input");
	if (given == NULL) {
		ask_put(&ask, "Username: ");
		if (ask_line(&ask, user, sizeof(user), false, NULL) != ASK_LINE)
			return ended(err);
		given = user;
	}
	if (given[0] == '\0' || strchr(given, ':') != NULL)
		return nrd_fail(err, EINVAL, "BadUser", "\"%.64s\" is no name: it is not empty and has no colon", given);
	if (ask.tty)
		ask_put(&ask, "Password: ");
	if (ask_line(&ask, password, sizeof(password), true, NULL) != ASK_LINE || password[0] == '\0')
		return ended(err);
	*ret_line = image_auth_make(given, password);
	explicit_bzero(password, sizeof(password));
	return *ret_line != NULL ? 0 : nrd_nomem(err);
}

int
cmd_login(const struct nrd_args *args, struct nrd_err *err)
{
	const struct login_opts *opts = args->opts;
	const char *host = args->argv[0];
	NRD_AUTO(image_source) source = { 0 };
	NRD_FREE char *line = NULL;
	bool is_one;
	int r;

	if (strchr(host, '/') != NULL)
		return nrd_usage(err, "\"%s\": a registry is HOST or HOST:PORT", host);
	r = source_of(host, &source, &is_one, err);
	if (r == 0)
		r = ask(opts->user, &line, err);
	if (r == 0)
		r = image_auth_try(&source, line, err);
	if (r == 0)
		r = image_auth_keep(host, line, err);
	if (r < 0)
		return r;
	imgadm_say("Logged in to %s", host);
	if (!is_one)
		imgadm_say("It is no source yet: imgadm sources -a %s -t docker", source.url);
	return 0;
}

int
cmd_logout(const struct nrd_args *args, struct nrd_err *err)
{
	int r = image_auth_forget(args->argv[0], err);

	if (r == 0)
		imgadm_say("Logged out of %s", args->argv[0]);
	return r;
}
