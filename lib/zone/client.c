/* SPDX-License-Identifier: MPL-2.0 */
/* Copyright 2026 The Nereid authors */
#include "client.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "nrd/json.h"
#include "nrd/mem.h"
#include "nrd/proc.h"
#include "nrd/sock.h"
#include "nrd/str.h"
#include "zone/cgroup.h"

#define ZONEADMD "/usr/lib/nereid/zoneadmd"
#define MESSAGE_MAX ((size_t)65536)
#define ANSWER_MAX  ((size_t)8192)
#define GUEST_ANSWER_MAX ((size_t)256 << 10)
#define START_MS 30000 /* adopting a zone may first have to bring it down */

static int
connect_to(const char *name, int *ret_fd)
{
	char path[sizeof(ZONE_RUN_DIR) + 96];

	(void)snprintf(path, sizeof(path), ZONE_RUN_DIR "/%.80s/sock", name);
	return nrd_sock_connect(path, SOCK_SEQPACKET, ret_fd);
}

/*
 * It closes the pipe when it listens, or ends. Born in its cgroup it need not move there, which
 * waits for all that forks on the node. But the kernel may kill at once what is born in another
 * cgroup than its parent's, when the parent's was killed from before: then it is started as usual.
 */
static int
start(const char *name, bool in_place, struct nrd_err *err)
{
	NRD_CLOSE int cgroup = -1;
	const char *const argv[] = { ZONEADMD, name, NULL };
	int pipefd[2];
	NRD_CLOSE int said = -1, pidfd = -1;
	int r = in_place ? zone_cgroup_monitors(&cgroup, err) : 0;

	if (r < 0)
		return r;
	if (pipe2(pipefd, O_CLOEXEC) < 0)
		return nrd_fail(err, errno, "ZoneadmdStart", "make a pipe: %m");
	said = pipefd[0];
	const struct nrd_proc proc = {
		.argv = argv, .cgroup_fd = cgroup, .fds = &pipefd[1], .n_fds = 1,
		.flags = NRD_PROC_SESSION,
	};

	r = nrd_spawn(&proc, &pidfd, NULL, err);
	(void)close(pipefd[1]);
	if (r < 0)
		return r;
	if (poll(&(struct pollfd){ .fd = said, .events = POLLIN }, 1, START_MS) <= 0)
		return nrd_fail(err, ETIMEDOUT, "ZoneadmdStart",
				"zone '%s': its zoneadmd does not answer; see " ZONE_RUN_DIR "/%s/log",
				name, name);
	return 0;
}

int
zone_client_open(const char *name, int *ret_fd, struct nrd_err *err)
{
	int r = connect_to(name, ret_fd);

	/* One that was just leaving may be met: then another one is started. */
	for (int i = 0; i < 3 && r < 0; i++) {
		r = start(name, i == 0, err);
		if (r < 0)
			return r;
		r = connect_to(name, ret_fd);
	}
	return r < 0 ? nrd_fail(err, -r, "ZoneadmdStart",
				"zone '%s': its zoneadmd does not start: %m; see " ZONE_RUN_DIR
				"/%s/log", name, name)
		     : 0;
}

/* num, code and msg of the daemon's error become ours; its whole answer is the caller's, unless ret_doc is NULL. */
static int
take_answer(const char *text, size_t len, struct nrd_json **ret_doc, struct nrd_err *err)
{
	NRD_AUTO(nrd_json) *doc = NULL;
	const struct nrd_val *root;
	const char *code, *msg;
	uint64_t num = EIO;
	bool ok = false;
	int r = nrd_json_parse(text, len, NULL, &doc, err);

	if (r < 0)
		return r;
	root = nrd_json_root(doc);
	if (nrd_val_bool(nrd_val_get(root, "ok"), &ok) && ok) {
		if (ret_doc != NULL)
			*ret_doc = NRD_TAKE(doc);
		return 0;
	}
	(void)nrd_val_u64(nrd_val_get(root, "num"), &num);
	code = nrd_val_str(nrd_val_get(root, "code"));
	msg = nrd_val_str(nrd_val_get(root, "msg"));
	return nrd_fail(err, num > 0 && num < 4096 ? (int)num : EIO, code != NULL ? code : "Zoneadmd",
			"%s", msg != NULL ? msg : "zoneadmd gave no reason");
}

static int
ask_for(int fd, struct nrd_jw *w, struct nrd_buf *out, size_t most, struct nrd_json **ret_doc, struct nrd_err *err)
{
	NRD_FREE char *answer = malloc(most);
	ssize_t n;
	int r;

	if (answer == NULL)
		return nrd_nomem(err);
	nrd_jw_obj_close(w);
	r = nrd_jw_finish(w, err);
	if (r < 0)
		return r;
	if (send(fd, nrd_buf_str(out), out->len, MSG_NOSIGNAL) < 0)
		return nrd_fail(err, errno, "Zoneadmd", "ask zoneadmd: %m");
	do
		n = recv(fd, answer, most, 0);
	while (n < 0 && errno == EINTR);
	if (n <= 0)
		return nrd_fail(err, n < 0 ? errno : ECONNRESET, "Zoneadmd",
				"zoneadmd ended before it answered");
	return take_answer(answer, (size_t)n, ret_doc, err);
}

static int
ask(int fd, struct nrd_jw *w, struct nrd_buf *out, struct nrd_err *err)
{
	return ask_for(fd, w, out, ANSWER_MAX, NULL, err);
}

static void
begin(struct nrd_jw *w, struct nrd_buf *out, const char *op)
{
	nrd_jw_init(w, out, NRD_JW_COMPACT);
	nrd_jw_obj_open(w);
	nrd_jw_kstr(w, "op", op);
}

static int
simple(int fd, const char *op, struct nrd_err *err)
{
	NRD_AUTO(nrd_buf) out = NRD_BUF_INIT(MESSAGE_MAX);
	struct nrd_jw w;

	begin(&w, &out, op);
	return ask(fd, &w, &out, err);
}

static int
with_boot(int fd, const char *op, const struct zone_boot_request *request, struct nrd_err *err)
{
	NRD_AUTO(nrd_buf) out = NRD_BUF_INIT(MESSAGE_MAX);
	struct nrd_jw w;

	begin(&w, &out, op);
	if (request != NULL && request->single_user)
		nrd_jw_kbool(&w, "single", true);
	if (request != NULL && request->init != NULL)
		nrd_jw_kstr(&w, "init", request->init);
	if (request != NULL && request->args != NULL)
		nrd_jw_kstr(&w, "args", request->args);
	if (request != NULL && request->force)
		nrd_jw_kbool(&w, "force", true);
	return ask(fd, &w, &out, err);
}

int
zone_client_ready(int fd, struct nrd_err *err)
{
	return simple(fd, "ready", err);
}

int
zone_client_boot(int fd, const struct zone_boot_request *request, struct nrd_err *err)
{
	return with_boot(fd, "boot", request, err);
}

int
zone_client_halt(int fd, struct nrd_err *err)
{
	return simple(fd, "halt", err);
}

int
zone_client_reboot(int fd, const struct zone_boot_request *request, struct nrd_err *err)
{
	return with_boot(fd, "reboot", request, err);
}

int
zone_client_shutdown(int fd, bool reboot, unsigned timeout_s, struct nrd_err *err)
{
	NRD_AUTO(nrd_buf) out = NRD_BUF_INIT(MESSAGE_MAX);
	struct nrd_jw w;

	begin(&w, &out, "shutdown");
	nrd_jw_kbool(&w, "reboot", reboot);
	nrd_jw_ku64(&w, "timeout", timeout_s);
	return ask(fd, &w, &out, err);
}

int
zone_client_apply(int fd, struct nrd_err *err)
{
	return simple(fd, "apply", err);
}

int
zone_client_console(int fd, const char *stream, enum zone_client_input input,
		    struct nrd_err *err)
{
	NRD_AUTO(nrd_buf) out = NRD_BUF_INIT(MESSAGE_MAX);
	struct nrd_jw w;

	begin(&w, &out, "console");
	nrd_jw_kstr(&w, "stream", stream);
	nrd_jw_kbool(&w, "write", input != ZONE_INPUT_NONE);
	nrd_jw_kbool(&w, "keep_input", input == ZONE_INPUT_KEPT);
	return ask(fd, &w, &out, err);
}

int
zone_client_unplug(int fd, const char *const *disks, const char *const *nics, char **ret_left, struct nrd_err *err)
{
	NRD_AUTO(nrd_buf) out = NRD_BUF_INIT(MESSAGE_MAX);
	NRD_AUTO(nrd_json) *answer = NULL;
	const char *left;
	struct nrd_jw w;
	int r;

	begin(&w, &out, "unplug");
	nrd_jw_key(&w, "disks");
	nrd_jw_strv(&w, disks);
	nrd_jw_key(&w, "nics");
	nrd_jw_strv(&w, nics);
	r = ask_for(fd, &w, &out, ANSWER_MAX, &answer, err);
	if (r < 0)
		return r;
	left = nrd_get_str(nrd_json_root(answer), "left");
	*ret_left = left != NULL && left[0] != '\0' ? strdup(left) : NULL;
	return left == NULL || left[0] == '\0' || *ret_left != NULL ? 0 : nrd_nomem(err);
}

int
zone_client_guest(int fd, const char *command, const char *arguments, struct nrd_json **ret_answer, struct nrd_err *err)
{
	NRD_AUTO(nrd_buf) out = NRD_BUF_INIT(MESSAGE_MAX);
	NRD_AUTO(nrd_json) *given = NULL;
	struct nrd_jw w;
	int r = arguments != NULL ? nrd_json_parse(arguments, strlen(arguments), NULL, &given, err) : 0;

	if (r < 0)
		return r;
	begin(&w, &out, "guest");
	nrd_jw_kstr(&w, "execute", command);
	if (given != NULL)
		nrd_jw_kval(&w, "arguments", nrd_json_root(given));
	return ask_for(fd, &w, &out, GUEST_ANSWER_MAX, ret_answer, err);
}
