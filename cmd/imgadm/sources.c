/* SPDX-License-Identifier: MPL-2.0 */
/* Copyright 2026 The Nereid authors */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "image/fetch.h"
#include "image/sources.h"
#include "imgadm.h"
#include "nrd/file.h"
#include "nrd/json.h"
#include "nrd/mem.h"
#include "nrd/proc.h"
#include "nrd/str.h"
#include "nrd/vec.h"

#define EDIT_MAX ((size_t)1 << 20)

struct sources_opts {
	bool verbose, json, check, edit, insecure, force;
	const char *add, *remove, *type;
};

const struct nrd_opt sources_opts[] = {
	NRD_OPT_FLAG('v', NULL, struct sources_opts, verbose, "with the type of each"),
	NRD_OPT_FLAG('j', NULL, struct sources_opts, json, "print JSON"),
	NRD_OPT_STR('a', NULL, struct sources_opts, add, "URL", "add a source"),
	NRD_OPT_STR('t', NULL, struct sources_opts, type, "TYPE",
		    "with -a: what it is: imgapi, dsapi, dir or docker"),
	NRD_OPT_FLAG('k', NULL, struct sources_opts, insecure,
		     "with -a: do not check the server's certificate, now and later"),
	NRD_OPT_FLAG('f', NULL, struct sources_opts, force, "with -a: though it does not answer"),
	NRD_OPT_STR('d', NULL, struct sources_opts, remove, "URL", "remove a source"),
	NRD_OPT_FLAG('e', NULL, struct sources_opts, edit, "edit the list in $EDITOR"),
	NRD_OPT_FLAG('c', NULL, struct sources_opts, check, "ask every source whether it is there"),
	NRD_OPT_END(struct sources_opts),
};

static int
add(const struct sources_opts *opts, struct nrd_err *err)
{
	NRD_AUTO(image_source) s = { 0 };
	int r = image_source_make(opts->add, opts->type, opts->insecure, &s, err);

	if (r == 0 && !opts->force)
		r = image_fetch_ping(&s, err);
	if (r == 0)
		r = image_sources_add(&s, err);
	if (r >= 0)
		imgadm_say(r > 0 ? "Added \"%s\" image source \"%s\""
				 : "Already have \"%s\" image source \"%s\", no change",
			   image_source_type_names[s.type], s.url);
	return r < 0 ? r : 0;
}

static int
drop(const char *url, struct nrd_err *err)
{
	int r = image_sources_remove(url, err);

	if (r == 0)
		imgadm_say("Deleted image source \"%s\"", url);
	return r;
}

static int
print(const struct image_sources *sources, const struct sources_opts *opts, struct nrd_err *err)
{
	NRD_AUTO(nrd_buf) out = { 0 };
	struct nrd_jw w;
	int r;

	if (!opts->json) {
		if (opts->verbose)
			(void)printf("%-10s  %s\n", "TYPE", "URL");
		nrd_vec_each(s, sources) {
			if (opts->verbose)
				(void)printf("%-10s  ", image_source_type_names[s->type]);
			(void)printf("%s%s\n", s->url,
				     opts->verbose && s->insecure ? " (insecure)" : "");
		}
		return 0;
	}
	nrd_jw_init(&w, &out, NRD_JW_PRETTY);
	nrd_jw_arr_open(&w);
	nrd_vec_each(s, sources) {
		nrd_jw_obj_open(&w);
		nrd_jw_kstr(&w, "url", s->url);
		nrd_jw_kstr(&w, "type", image_source_type_names[s->type]);
		nrd_jw_kbool(&w, "insecure", s->insecure);
		nrd_jw_obj_close(&w);
	}
	nrd_jw_arr_close(&w);
	r = nrd_jw_finish(&w, err);
	return r < 0 ? r : nrd_write_all(STDOUT_FILENO, nrd_buf_str(&out), out.len, err);
}

static int
check_all(const struct image_sources *sources, struct nrd_err *err)
{
	size_t bad = 0;

	nrd_vec_each(s, sources) {
		struct nrd_err why = { 0 };

		if (image_fetch_ping(s, &why) == 0) {
			imgadm_say("%s: ok", s->url);
			continue;
		}
		imgadm_say("%s", why.msg);
		bad++;
	}
	return bad == 0 ? 0
			: nrd_fail(err, EIO, "SourcePing", "%zu of %zu sources did not answer", bad,
				   sources->len);
}

/* ---- in an editor ---- */

static void
write_lines(const struct image_sources *sources, struct nrd_buf *text)
{
	(void)nrd_buf_adds(text, "# A source a line: its URL, and \"dsapi\", \"docker\" or "
				 "\"insecure\" behind it where that is so.\n");
	nrd_vec_each(s, sources) {
		(void)nrd_buf_adds(text, s->url);
		if (s->type == IMAGE_SOURCE_DSAPI || s->type == IMAGE_SOURCE_DOCKER)
			(void)nrd_buf_printf(text, " %s", image_source_type_names[s->type]);
		(void)nrd_buf_adds(text, s->insecure ? " insecure\n" : "\n");
	}
}

static int
run_editor(const char *path, struct nrd_err *err)
{
	const char *editor = getenv("VISUAL") ?: getenv("EDITOR") ?: "nano";
	NRD_FREE char *term = nrd_format("TERM=%s", getenv("TERM") ?: "dumb");
	NRD_FREE char *home = nrd_format("HOME=%s", getenv("HOME") ?: "/root");
	const char *const env[] = { term, home, NULL };
	NRD_STRV char **argv = NULL;
	struct nrd_proc proc = {
		.env = env,
		.flags = NRD_PROC_STDIN | NRD_PROC_STDOUT | NRD_PROC_STDERR | NRD_PROC_SAME_GROUP,
	};

	if (term == NULL || home == NULL || nrd_strv_split(editor, ' ', &argv) < 0 ||
	    nrd_strv_add(&argv, path) < 0)
		return nrd_nomem(err);
	proc.argv = NRD_CSTRV(argv);
	return nrd_run(&proc, NULL, NULL, err);
}

static int
edit_file(const char *path, struct nrd_err *err)
{
	NRD_AUTO(image_sources) sources = { 0 };
	NRD_FREE char *text = NULL;
	int r = run_editor(path, err);

	if (r == 0)
		r = nrd_file_read(path, EDIT_MAX, &text, NULL, err);
	if (r == 0)
		r = nrd_wrap(err, image_sources_parse(text, &sources, err), "nothing was changed");
	return r < 0 ? r : image_sources_write(&sources, err);
}

static int
edit(const struct image_sources *sources, struct nrd_err *err)
{
	NRD_AUTO(nrd_buf) text = { 0 };
	char path[] = "/tmp/imgadm-sources-XXXXXX";
	NRD_CLOSE int fd = mkostemp(path, O_CLOEXEC);
	int r;

	if (fd < 0)
		return nrd_fail(err, errno, "FileOpen", "make a temporary file: %m");
	write_lines(sources, &text);
	r = nrd_write_all(fd, nrd_buf_str(&text), text.len, err);
	if (r == 0)
		r = edit_file(path, err);
	(void)unlink(path);
	return r;
}

int
cmd_sources(const struct nrd_args *args, struct nrd_err *err)
{
	const struct sources_opts *opts = args->opts;
	NRD_AUTO(image_sources) sources = { 0 };
	int r;

	if ((opts->add != NULL) + (opts->remove != NULL) + opts->edit + opts->check > 1)
		return nrd_usage(err, "-a, -d, -e and -c exclude each other");
	if (opts->add == NULL && (opts->type != NULL || opts->insecure || opts->force))
		return nrd_usage(err, "-t, -k and -f go with -a");
	if (opts->add != NULL)
		return add(opts, err);
	if (opts->remove != NULL)
		return drop(opts->remove, err);
	r = image_sources_read(&sources, err);
	if (r < 0)
		return r;
	if (opts->edit)
		return edit(&sources, err);
	return opts->check ? check_all(&sources, err) : print(&sources, opts, err);
}
