/* SPDX-License-Identifier: MPL-2.0 */
/* Copyright 2026 The Nereid authors */
#include "state.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/inotify.h>
#include <unistd.h>

#include "nrd/file.h"
#include "nrd/mem.h"
#include "nrd/str.h"

static const char *const names[] = {
#define X(id, name) [id] = name,
	NODE_STATES(X)
#undef X
};

const char *
node_state_name(enum node_state_kind kind)
{
	return names[kind];
}

int
node_state_read(const char *path, struct node_state *ret_state, struct nrd_err *err)
{
	struct node_state state = { .kind = NODE_BOOTING };
	char line[NODE_STATE_WHY_MAX + 16];
	struct nrd_err why = { 0 };
	int r = nrd_attr_read(AT_FDCWD, path != NULL ? path : NODE_STATE_PATH, line, sizeof(line),
			      &why);

	if (r == -ENOENT) {
		*ret_state = state;
		return 0;
	}
	if (r < 0)
		return nrd_fail(err, -r, why.code, "%s", why.msg);
	for (size_t i = 0; i < nrd_count(names); i++) {
		const char *rest = nrd_starts(line, names[i]);

		if (rest == NULL || (*rest != '\0' && *rest != ':'))
			continue;
		state.kind = (enum node_state_kind)i;
		if (*rest == ':')
			(void)snprintf(state.why, sizeof(state.why), "%s",
				       rest + 1 + strspn(rest + 1, " "));
		*ret_state = state;
		return 0;
	}
	return nrd_fail(err, EINVAL, "BadState", "\"%.80s\" is not a state of the node", line);
}

int
node_state_write(const char *path, enum node_state_kind kind, const char *why,
		 struct nrd_err *err)
{
	char line[NODE_STATE_WHY_MAX + 16];
	char tmp[256];
	int r;

	if (path == NULL) {
		path = NODE_STATE_PATH;
		r = nrd_mkdir_p(NODE_RUN_DIR, 0755, err);
		if (r < 0)
			return r;
	}
	if (why != NULL && why[0] != '\0')
		(void)snprintf(line, sizeof(line) - 1, "%s: %s", names[kind], why);
	else
		(void)snprintf(line, sizeof(line) - 1, "%s", names[kind]);
	for (char *p = line; *p != '\0'; p++)
		if ((unsigned char)*p < ' ')
			*p = ' ';
	line[strlen(line) + 1] = '\0';
	line[strlen(line)] = '\n';
	/* RAM: a rename without the fsyncs of nrd_file_write. */
	(void)snprintf(tmp, sizeof(tmp), "%.240s.new", path);
	NRD_CLOSE int fd = open(tmp, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);

	if (fd < 0)
		return nrd_fail(err, errno, "FileWrite", "create %s: %m", tmp);
	r = nrd_write_all(fd, line, strlen(line), err);
	if (r < 0)
		return r;
	if (rename(tmp, path) < 0)
		return nrd_fail(err, errno, "FileWrite", "rename %s: %m", tmp);
	return 0;
}

int
node_state_watch(int *ret_fd, struct nrd_err *err)
{
	NRD_CLOSE int fd = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
	int r = nrd_mkdir_p(NODE_RUN_DIR, 0755, err);

	if (r < 0)
		return r;
	if (fd < 0 || inotify_add_watch(fd, NODE_RUN_DIR, IN_MOVED_TO) < 0)
		return nrd_fail(err, errno, "StateWatch", "watch " NODE_RUN_DIR ": %m");
	*ret_fd = nrd_take_fd(&fd);
	return 0;
}

void
node_state_watch_drain(int fd)
{
	char events[4096];

	while (read(fd, events, sizeof(events)) > 0)
		;
}
