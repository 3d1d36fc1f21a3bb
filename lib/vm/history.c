/* SPDX-License-Identifier: MPL-2.0 */
/* Copyright 2026 The Nereid authors */
#include "vm/history.h"

#include <errno.h>
#include <fcntl.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "nrd/clock.h"
#include "nrd/file.h"
#include "nrd/mem.h"
#include "nrd/str.h"
#include "vm/object.h"

#define SCHEMA (&zone_config_schema)
#define LINES_MAX ((size_t)16 << 20)

/* ---- what differs ---- */

static int
field_text(const struct nrd_field *f, const struct zone_config *c, struct nrd_buf *out)
{
	struct nrd_jw w;

	nrd_jw_init(&w, out, NRD_JW_COMPACT);
	if (nrd_field_present(SCHEMA, f, c))
		nrd_encode_field(SCHEMA, f, c, &w);
	else
		nrd_jw_null(&w);
	return nrd_jw_finish(&w, NULL);
}

void
vm_changes_write(const struct zone_config *before, const struct zone_config *after, struct nrd_jw *w)
{
	nrd_jw_arr_open(w);
	for (size_t i = 0; i < SCHEMA->n_fields; i++) {
		const struct nrd_field *f = &SCHEMA->fields[i];
		NRD_AUTO(nrd_buf) a = { 0 };
		NRD_AUTO(nrd_buf) b = { 0 };

		if (field_text(f, before, &a) < 0 || field_text(f, after, &b) < 0 ||
		    strcmp(nrd_buf_str(&a), nrd_buf_str(&b)) == 0)
			continue;
		nrd_jw_obj_open(w);
		nrd_jw_kstr(w, "property", nrd_field_key(f));
		nrd_jw_key(w, "from");
		nrd_encode_field(SCHEMA, f, before, w);
		nrd_jw_key(w, "to");
		nrd_encode_field(SCHEMA, f, after, w);
		nrd_jw_obj_close(w);
	}
	nrd_jw_arr_close(w);
}

/* ---- who ---- */

/* Who logged in, also behind sudo; root where nobody did, as at boot. */
static void
who(char ret_text[128])
{
	struct passwd *pw;
	uint64_t uid = 0;
	char text[32];

	if (nrd_attr_read(AT_FDCWD, "/proc/self/loginuid", text, sizeof(text), NULL) < 0 ||
	    nrd_parse_u64(text, 0, UINT32_MAX - 1, &uid, NULL) < 0)
		uid = getuid();
	pw = getpwuid((uid_t)uid);
	(void)snprintf(ret_text, 128, "%s", pw != NULL ? pw->pw_name : text);
}

/* ---- written ---- */

static int
path_of(const char *uuid, char ret_path[128])
{
	return snprintf(ret_path, 128, VM_HISTORY_DIR "/%.64s.jsonl", uuid) < 128 ? 0 : -ENAMETOOLONG;
}

static uint64_t
lines_in(int fd)
{
	char data[65536];
	uint64_t n = 0;
	off_t at = 0;
	ssize_t got;

	while ((got = pread(fd, data, sizeof(data), at)) > 0) {
		for (ssize_t i = 0; i < got; i++)
			n += data[i] == '\n';
		at += got;
	}
	return n;
}

static int
write_entry(int fd, const struct zone_config *config, const char *action, const struct zone_config *before,
	    struct nrd_err *err)
{
	NRD_AUTO(nrd_buf) line = { 0 };
	char time_text[NRD_DATE_TEXT], name[128];
	struct nrd_jw w;
	int r;

	nrd_date_format(nrd_date_ms(), time_text);
	who(name);
	nrd_jw_init(&w, &line, NRD_JW_COMPACT);
	nrd_jw_obj_open(&w);
	nrd_jw_ku64(&w, "seq", lines_in(fd) + 1);
	nrd_jw_kstr(&w, "time", time_text);
	nrd_jw_kstr(&w, "who", name);
	nrd_jw_kstr(&w, "action", action);
	if (before != NULL) {
		nrd_jw_key(&w, "changes");
		vm_changes_write(before, config, &w);
		nrd_jw_key(&w, "before");
		nrd_encode(SCHEMA, before, &w);
	}
	nrd_jw_obj_close(&w);
	r = nrd_jw_finish(&w, err);
	if (r >= 0)
		r = nrd_buf_addc(&line, '\n');
	return r < 0 ? r : nrd_write_all(fd, nrd_buf_str(&line), line.len, err);
}

int
vm_history_add(const struct zone_config *config, const char *action, const struct zone_config *before,
	       struct nrd_err *err)
{
	char uuid[NRD_UUID_TEXT], path[128];
	NRD_CLOSE int fd = -1;
	int r = nrd_mkdir_p(VM_HISTORY_DIR, 0700, err);

	nrd_uuid_format(&config->uuid, uuid);
	if (r < 0 || path_of(uuid, path) < 0)
		return r;
	fd = open(path, O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
	if (fd < 0 || flock(fd, LOCK_EX) < 0)
		return nrd_fail(err, errno, "VmHistory", "open %s: %m", path);
	return write_entry(fd, config, action, before, err);
}

/* ---- read ---- */

void
vm_history_free(struct nrd_json **docs, size_t n)
{
	for (size_t i = 0; i < n; i++)
		nrd_json_free(docs[i]);
	free(docs);
}

int
vm_history_read(const char *uuid, struct nrd_json ***ret_docs, size_t *ret_n, struct nrd_err *err)
{
	NRD_FREE char *text = NULL;
	struct nrd_json **docs = NULL;
	struct nrd_str rest, line;
	size_t len = 0, n = 0, lines = 0;
	char path[128];
	int r = path_of(uuid, path);

	if (r == 0)
		r = nrd_file_read(path, LINES_MAX, &text, &len, err);
	if (r < 0)
		return r == -ENOENT ? nrd_fail(err, ENOENT, "VmHistory", "nothing is known of a machine %s", uuid) : r;
	for (size_t i = 0; i < len; i++)
		lines += text[i] == '\n';
	docs = calloc(lines + 1, sizeof(struct nrd_json *));
	if (docs == NULL)
		return nrd_nomem(err);
	rest = nrd_str(text);
	/* A line that was cut off by a power cut is passed over. */
	while (n < lines && nrd_str_split(&rest, '\n', &line))
		if (line.len > 0 && nrd_json_parse(line.data, line.len, NULL, &docs[n], NULL) == 0)
			n++;
	*ret_docs = docs;
	*ret_n = n;
	return 0;
}
