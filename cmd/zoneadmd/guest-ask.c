/* SPDX-License-Identifier: MPL-2.0 */
/* Copyright 2026 The Nereid authors */

/* What vmadm asks of a guest's monitor for an operator. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "guest.h"
#include "nrd/clock.h"
#include "nrd/mem.h"
#include "nrd/str.h"
#include "zoneadmd.h"

#define ANSWER_MAX ((size_t)256 << 10)

/* QEMU writes it into a file that is open already: it has no place of its own. */
static int
screenshot(struct zoneadmd *z, struct nrd_err *err)
{
	struct qmp *q = &z->guest.qmp;
	NRD_FREE char *path = nrd_format("%s/root/tmp/vm.ppm", z->config.zonepath);
	NRD_CLOSE int fd = -1;
	unsigned set = 0;
	int r;

	if (path == NULL)
		return nrd_nomem(err);
	if (q->fd < 0)
		return nrd_fail(err, ENOTCONN, "QemuFailed", "there is no connection to QEMU's monitor");
	(void)unlink(path);
	fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (fd < 0)
		return nrd_fail(err, errno, "Zoneadmd", "open %s: %m", path);
	r = qmp_add_fd(q, "screen", fd, &set, err);
	if (r < 0)
		return r;
	r = qmp_tell(q, err, "screendump", "{\"filename\":\"/dev/fdset/%u\"}", set);
	(void)qmp_tell(q, NULL, "remove-fd", "{\"fdset-id\":%u}", set);
	return r;
}

int
guest_ask(struct zoneadmd *z, const char *name, const struct nrd_val *arguments, char **ret_text, struct nrd_err *err)
{
	static const char *const known[] = {
		"query-block", "query-blockstats", "query-chardev", "query-cpus-fast", "query-kvm", "query-pci", "query-status",
		"query-version", "query-vnc", "inject-nmi", "screendump", "set_password", NULL,
	};
	NRD_AUTO(nrd_json) *doc = NULL;
	NRD_AUTO(nrd_buf) text = NRD_BUF_INIT(ANSWER_MAX);
	struct nrd_jw w;
	int r;

	if (name == NULL || !nrd_strv_has(known, name))
		return nrd_fail(err, EINVAL, "BadRequest", "zoneadmd does not ask QEMU for \"%.40s\"", name != NULL ? name : "");
	if (nrd_streq(name, "screendump")) {
		*ret_text = strdup("{}");
		return *ret_text != NULL ? screenshot(z, err) : nrd_nomem(err);
	}
	if (nrd_streq(name, "set_password"))
		return guest_vnc_password(z, ret_text, err);
	r = qmp_ask(&z->guest.qmp, name, arguments, nrd_now_ms() + QMP_ANSWER_MS, &doc, err);
	if (r < 0)
		return r;
	nrd_jw_init(&w, &text, NRD_JW_COMPACT);
	nrd_jw_val(&w, nrd_val_get(nrd_json_root(doc), "return"));
	r = nrd_jw_finish(&w, err);
	if (r < 0)
		return r;
	*ret_text = nrd_buf_take(&text);
	return *ret_text != NULL ? 0 : nrd_nomem(err);
}
