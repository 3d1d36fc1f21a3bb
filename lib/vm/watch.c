/* SPDX-License-Identifier: MPL-2.0 */
/* Copyright 2026 The Nereid authors */
#include "vm/watch.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "nrd/clock.h"
#include "nrd/file.h"
#include "nrd/mem.h"
#include "nrd/str.h"
#include "nrd/vec.h"
#include "vm/object.h"
#include "zone/event.h"

#define SUFFIX ".json"
#define LINES_MAX ((size_t)1 << 20)
#define STATE_TRIES 100

struct known {
	char *name;
	struct nrd_json *doc;
	bool seen; /* by the look at all that goes on */
};

struct watch {
	const char *uuid;
	vm_event_fn *fn;
	void *arg;
	bool telling; /* not while what is there is looked at first */
	NRD_VEC(struct known) known;
	int inotify;
	int events;    /* ZONE_EVENTS_PATH */
	off_t read_to; /* so far it was read */
};

static void
watch_fini(struct watch *w)
{
	nrd_vec_each(k, &w->known) {
		free(k->name);
		nrd_json_free(k->doc);
	}
	nrd_vec_fini(&w->known);
	nrd_closep(&w->inotify);
	nrd_closep(&w->events);
}

/* ---- told ---- */

static int
tell(struct watch *w, const char *type, const struct nrd_val *before, const struct nrd_val *vm, struct nrd_err *err)
{
	const char *uuid = nrd_get_str(vm, "uuid"), *alias = nrd_get_str(vm, "alias");
	struct vm_event event = {
		.type = type, .uuid = uuid, .alias = alias != NULL ? alias : "", .vm = vm, .before = before,
	};

	if (!w->telling || uuid == NULL || (w->uuid != NULL && !nrd_streq(uuid, w->uuid)))
		return 0;
	event.time_ms = nrd_date_ms();
	return w->fn(w->arg, &event, err);
}

static int
count_difference(void *arg, const char *path, const struct nrd_val *old, const struct nrd_val *new)
{
	(void)path;
	(void)old;
	(void)new;
	*(bool *)arg = true;
	return 0;
}

/* ---- looked at ---- */

static struct known *
known_by(struct watch *w, const char *name)
{
	nrd_vec_each(k, &w->known)
		if (nrd_streq(k->name, name))
			return k;
	return NULL;
}

static int
forget(struct watch *w, struct known *k, struct nrd_err *err)
{
	int r = tell(w, "delete", NULL, nrd_json_root(k->doc), err);

	free(k->name);
	nrd_json_free(k->doc);
	nrd_vec_remove(&w->known, (size_t)(k - w->known.data));
	return r;
}

static int
learn(struct watch *w, const char *name, struct nrd_json *doc, struct nrd_err *err)
{
	struct known k = { .name = nrd_format("%s", name), .doc = doc, .seen = true };

	if (k.name == NULL || nrd_vec_push(&w->known, k) < 0) {
		free(k.name);
		nrd_json_free(doc);
		return nrd_nomem(err);
	}
	return tell(w, "create", NULL, nrd_json_root(doc), err);
}

static int
replace(struct watch *w, struct known *k, struct nrd_json *doc, struct nrd_err *err)
{
	struct nrd_json *old = k->doc;
	bool differs = false;
	int r = 0;

	k->doc = doc;
	k->seen = true;
	(void)vm_diff(nrd_json_root(old), nrd_json_root(doc), count_difference, &differs);
	if (differs)
		r = tell(w, "modify", nrd_json_root(old), nrd_json_root(doc), err);
	nrd_json_free(old);
	return r;
}

/* What cannot be read now, as it is being written, is looked at again when that is done. */
static int
look(struct watch *w, const char *name, struct nrd_err *err)
{
	struct known *k = known_by(w, name);
	struct nrd_json *doc = NULL;
	int r = vm_read_json(name, false, NULL, &doc, NULL);

	if (r == -ENOMEM)
		return nrd_nomem(err);
	if (r == -ENOENT && k != NULL)
		return forget(w, k, err);
	if (r < 0)
		return 0;
	return k != NULL ? replace(w, k, doc, err) : learn(w, name, doc, err);
}

static int
look_at_all(struct watch *w, struct nrd_err *err)
{
	NRD_STRV char **names = NULL;
	int r = zone_config_list(NULL, &names, err);

	nrd_vec_each(k, &w->known)
		k->seen = false;
	for (size_t i = 0; r == 0 && names != NULL && names[i] != NULL; i++)
		r = look(w, names[i], err);
	for (size_t i = w->known.len; r == 0 && i-- > 0;)
		if (!w->known.data[i].seen)
			r = forget(w, &w->known.data[i], err);
	return r;
}

/* ---- what says that something happened ---- */

/*
 * An event has its number before the zone's state file has it, as that names the number: who is quick sees
 * the old one. A zoneadmd that dies in between leaves it so.
 */
static void
await_state(const char *zone, uint64_t seq)
{
	const struct timespec pause = { .tv_nsec = 1000000 };
	struct zone_run run;

	for (int i = 0; i < STATE_TRIES && zone_run_read(zone, &run, NULL) == 0 && run.seq < seq; i++)
		(void)nanosleep(&pause, NULL);
}

/* Lines that are new in the file of events say which zones changed their states. */
static int
read_events(struct watch *w, struct nrd_err *err)
{
	NRD_AUTO(nrd_buf) text = NRD_BUF_INIT(LINES_MAX);
	struct nrd_str rest, line;
	struct stat st;
	ssize_t n;
	int r = 0;

	if (w->events < 0)
		w->events = open(ZONE_EVENTS_PATH, O_RDONLY | O_CLOEXEC);
	if (w->events < 0 || fstat(w->events, &st) < 0)
		return 0;
	/* It was begun anew, or there is more than anybody would write in a while. */
	if (st.st_size < w->read_to || (size_t)(st.st_size - w->read_to) > LINES_MAX) {
		w->read_to = st.st_size;
		return look_at_all(w, err);
	}
	if (nrd_buf_reserve(&text, (size_t)(st.st_size - w->read_to)) < 0)
		return nrd_nomem(err);
	n = pread(w->events, text.data, (size_t)(st.st_size - w->read_to), w->read_to);
	if (n <= 0)
		return 0;
	text.len = (size_t)n;
	text.data[n] = '\0';
	rest = nrd_str(text.data);
	while (r == 0 && nrd_str_split(&rest, '\n', &line)) {
		NRD_AUTO(nrd_json) *doc = NULL;
		const char *zone;
		uint64_t seq = 0;

		/* The last one may not be whole yet. */
		if (line.len == 0 || line.data[line.len] != '\n')
			break;
		w->read_to += (off_t)line.len + 1;
		if (nrd_json_parse(line.data, line.len, NULL, &doc, NULL) < 0)
			continue;
		zone = nrd_get_str(nrd_json_root(doc), "zone");
		if (zone == NULL)
			continue;
		if (nrd_get_u64(nrd_json_root(doc), "seq", &seq) && nrd_get_str(nrd_json_root(doc), "to") != NULL)
			await_state(zone, seq);
		r = look(w, zone, err);
	}
	return r;
}

static int
file_changed(struct watch *w, const char *file, struct nrd_err *err)
{
	NRD_FREE char *name = nrd_ends(file, SUFFIX) && file[0] != '.' ?
				      nrd_format("%.*s", (int)(strlen(file) - strlen(SUFFIX)), file) : NULL;

	return name != NULL ? look(w, name, err) : 0;
}

static int
turn(struct watch *w, int files, struct nrd_err *err)
{
	char data[16384] __attribute__((aligned(__alignof__(struct inotify_event))));
	ssize_t n = read(w->inotify, data, sizeof(data));
	int r = 0;

	if (n < 0)
		return errno == EINTR || errno == EAGAIN ? 0 : nrd_fail(err, errno, "VmWatch", "watch machines: %m");
	for (ssize_t at = 0; r == 0 && at < n;) {
		const struct inotify_event *e = (const void *)(data + at);

		at += (ssize_t)(sizeof(*e) + e->len);
		if ((e->mask & IN_Q_OVERFLOW) != 0)
			r = look_at_all(w, err);
		else if (e->wd == files && e->len > 0)
			r = file_changed(w, e->name, err);
		else
			r = read_events(w, err);
	}
	return r;
}

int
vm_watch(const char *uuid, vm_event_fn *fn, int (*ready)(void *arg, struct nrd_err *err), void *arg,
	 struct nrd_err *err)
{
	__attribute__((cleanup(watch_fini))) struct watch w = {
		.uuid = uuid, .fn = fn, .arg = arg, .events = -1, .inotify = inotify_init1(IN_CLOEXEC),
	};
	int files = inotify_add_watch(w.inotify, ZONE_DIR, IN_MOVED_TO | IN_MOVED_FROM | IN_DELETE | IN_CLOSE_WRITE);
	struct stat st;
	int r = nrd_mkdir_p(ZONE_RUN_DIR, 0755, err);

	/* Its directory: the file may not be there yet. */
	if (r == 0 && (files < 0 || inotify_add_watch(w.inotify, ZONE_RUN_DIR, IN_MODIFY | IN_CREATE) < 0))
		r = nrd_fail(err, errno, "VmWatch", "watch " ZONE_DIR " and " ZONE_RUN_DIR ": %m");
	if (r == 0 && stat(ZONE_EVENTS_PATH, &st) == 0)
		w.read_to = st.st_size;
	if (r == 0)
		r = look_at_all(&w, err);
	w.telling = true;
	if (r == 0 && ready != NULL)
		r = ready(arg, err);
	while (r == 0)
		r = turn(&w, files, err);
	return r;
}
