/* SPDX-License-Identifier: MPL-2.0 */
/* Copyright 2026 The Nereid authors */
#include "sources.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <unistd.h>

#include "http/client.h"
#include "node/uplink.h"
#include "nrd/file.h"
#include "nrd/mem.h"
#include "nrd/str.h"

#define BLOCK_CLASS "/sys/class/block"
#define VOLUME_DIR "/run/nereid/answers"
#define FETCH_TRIES 5
#define FETCH_PAUSE_S 2

/* Reads one line "E:KEY=value" of udev's record of a device. */
static bool
udev_property(const char *record, const char *key, char *dst, size_t size)
{
	NRD_FREE char *line = nrd_format("\nE:%s=", key);
	const char *at = line != NULL ? strstr(record, line) : NULL;

	if (at == NULL)
		return false;
	at += strlen(line);
	(void)snprintf(dst, size, "%.*s", (int)strcspn(at, "\n"), at);
	return true;
}

/* True when udev says the block device is a volume with our label; its type goes to type. */
static bool
is_labelled(const char *name, char *type, size_t size)
{
	NRD_FREE char *attr = nrd_format(BLOCK_CLASS "/%s/dev", name);
	NRD_FREE char *path = NULL;
	NRD_FREE char *record = NULL;
	char number[32];
	char label[64];

	if (attr == NULL || nrd_attr_read(AT_FDCWD, attr, number, sizeof(number), NULL) < 0)
		return false;
	path = nrd_format("/run/udev/data/b%s", number);
	if (path == NULL || nrd_file_read(path, 65536, &record, NULL, NULL) < 0)
		return false;
	return udev_property(record, "ID_FS_LABEL", label, sizeof(label)) &&
	       nrd_streq(label, NODE_ANSWERS_LABEL) &&
	       udev_property(record, "ID_FS_TYPE", type, size);
}

static int
read_volume(const char *name, const char *type, struct nrd_buf *out, struct nrd_err *err)
{
	NRD_FREE char *dev = nrd_format("/dev/%s", name);
	struct nrd_err why = { 0 };
	int r = nrd_mkdir_p(VOLUME_DIR, 0700, err);

	if (r < 0)
		return r;
	if (dev == NULL)
		return nrd_nomem(err);
	if (mount(dev, VOLUME_DIR, type, MS_RDONLY | MS_NODEV | MS_NOSUID | MS_NOEXEC, NULL) < 0)
		return nrd_fail(err, errno, "AnswersVolume", "mount %s: %m", dev);
	r = nrd_buf_read_file(out, VOLUME_DIR "/" NODE_ANSWERS_NAME, &why);
	(void)umount2(VOLUME_DIR, MNT_DETACH);
	if (r < 0)
		return nrd_fail(err, -r, r == -ENOENT ? "NoAnswers" : why.code, "%s", why.msg);
	return 0;
}

static int
find_volume(struct nrd_buf *out, char **ret_where, struct nrd_err *err)
{
	NRD_CLOSEDIR DIR *dir = opendir(BLOCK_CLASS);
	const struct dirent *e;

	while (dir != NULL && (e = readdir(dir)) != NULL) {
		char type[32];
		int r;

		if (!is_labelled(e->d_name, type, sizeof(type)))
			continue;
		r = read_volume(e->d_name, type, out, err);
		if (r == -ENOENT)
			continue; /* the boot medium carries the label too */
		free(*ret_where);
		*ret_where = nrd_format(NODE_ANSWERS_NAME " on %s", e->d_name);
		return r;
	}
	return nrd_fail(err, ENOENT, "NoAnswers", "no volume labelled " NODE_ANSWERS_LABEL
						  " holds " NODE_ANSWERS_NAME);
}

static int
fetch(const char *url, struct nrd_buf *out, struct nrd_err *err)
{
	static const struct http_opts opts = { .connect_s = 10, .silence_s = 15, .total_s = 60 };
	struct node_uplink *uplink = NULL;
	int r = node_uplink_open(&uplink, err);

	if (r < 0)
		return r;
	for (int i = 0; i < FETCH_TRIES; i++) {
		nrd_buf_reset(out);
		r = http_get(url, &opts, out, err);
		/* Links and servers come up slowly; a refusal is a refusal. */
		if (r >= 0 || r == -ENOENT || r == -EINVAL || r == -EFBIG)
			break;
		(void)sleep(FETCH_PAUSE_S);
	}
	node_uplink_close(uplink);
	return r;
}

static int
find_text(const struct node_bootparam *param, struct nrd_buf *out, char **ret_where,
	  struct nrd_err *err)
{
	int r;

	if (param->answers != NULL) {
		*ret_where = nrd_format("%s", param->answers);
		r = fetch(param->answers, out, err);
		/* Not "no answers": they were ordered. */
		return r == -ENOENT ? nrd_fail(err, EIO, "AnswersMissing", "%s",
					       err != NULL ? err->msg : "") : r;
	}
	if (nrd_path_exists(NODE_ANSWERS_FW_CFG)) {
		*ret_where = nrd_format("QEMU's fw_cfg");
		return nrd_buf_read_file(out, NODE_ANSWERS_FW_CFG, err);
	}
	return find_volume(out, ret_where, err);
}

int
node_answers_find(const struct node_bootparam *param, struct node_answers *ret_answers,
		  char **ret_where, struct nrd_err *err)
{
	NRD_AUTO(nrd_buf) text = NRD_BUF_INIT(NODE_ANSWERS_MAX);
	struct nrd_err why = { 0 };
	int r;

	*ret_where = NULL;
	r = find_text(param, &text, ret_where, &why);
	if (r >= 0)
		r = node_answers_parse(nrd_buf_str(&text), text.len, ret_answers, &why);
	if (text.data != NULL)
		explicit_bzero(text.data, text.len);
	if (r < 0)
		return nrd_fail(err, -r, why.code, "%s", why.msg);
	return 0;
}
