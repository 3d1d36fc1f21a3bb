/* SPDX-License-Identifier: MPL-2.0 */
/* Copyright 2026 The Nereid authors */

#include "node/config.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "nrd/file.h"
#include "nrd/mem.h"
#include "nrd/str.h"
#include "nrd/vec.h"

/*
 * The file is kept as its lines. A line that assigns has a key; one that also makes sense has a
 * value; the others are only carried along. Of several good lines with one key all but the last
 * are `stale`. More assignments than this are nobody's configuration, and looking keys up one by
 * one stays cheap.
 */
#define ASSIGNMENTS_MAX 4096

struct line {
	char *text;  /* as it stands in the file, without its end; NULL: removed */
	size_t len;
	char *key;   /* NULL: comment, blank, or nothing one can make out */
	char *value; /* NULL: damaged */
	bool stale;
};

struct problem {
	struct node_config_problem pub;
	char *key;
	char *what;
};

struct node_config {
	NRD_VEC(struct line) lines;
	NRD_VEC(size_t) assigned; /* indices of the lines that ever had a value */
	NRD_VEC(struct problem) problems;
};

static void
line_fini(struct line *line)
{
	free(line->text);
	free(line->key);
	free(line->value);
}

void
node_config_free(struct node_config *config)
{
	if (config == NULL)
		return;
	nrd_vec_each(line, &config->lines)
		line_fini(line);
	nrd_vec_fini(&config->lines);
	nrd_vec_fini(&config->assigned);
	nrd_vec_each(p, &config->problems) {
		free(p->key);
		free(p->what);
	}
	nrd_vec_fini(&config->problems);
	free(config);
}

void
node_config_cleanup(struct node_config **config)
{
	node_config_free(*config);
}

int
node_config_new(struct node_config **ret_config, struct nrd_err *err)
{
	struct node_config *config = calloc(1, sizeof(*config));

	if (config == NULL)
		return nrd_nomem(err);
	*ret_config = config;
	return 0;
}

static int
problem_add(struct node_config *config, size_t line, const char *key, const char *what,
	    struct nrd_err *err)
{
	NRD_FREE char *own_key = key == NULL ? NULL : nrd_format("%s", key);
	NRD_FREE char *own_what = nrd_format("%s", what);

	if ((key != NULL && own_key == NULL) || own_what == NULL)
		return nrd_nomem(err);
	if (nrd_vec_push(&config->problems,
			 (struct problem){
				 .pub = { .line = (unsigned)line, .key = own_key, .what = own_what },
				 .key = own_key,
				 .what = own_what,
			 }) < 0)
		return nrd_nomem(err);
	own_key = NULL;
	own_what = NULL;
	return 0;
}

static bool
key_char(char c)
{
	return isalnum((unsigned char)c) || c == '_';
}

static bool
key_ok(const char *key)
{
	size_t len = strlen(key);

	if (len == 0 || len > NODE_CONFIG_KEY_MAX)
		return false;
	for (size_t i = 0; i < len; i++)
		if (!key_char(key[i]))
			return false;
	return true;
}

/* A cursor over the value of one line. */
struct scan {
	const char *p, *end;
	struct nrd_buf *out;
};

static const char *
scan_single(struct scan *s)
{
	const char *close = memchr(s->p, '\'', (size_t)(s->end - s->p));

	if (close == NULL)
		return "a single quote is not closed";
	(void)nrd_buf_add(s->out, s->p, (size_t)(close - s->p));
	s->p = close + 1;
	return NULL;
}

static const char *
scan_double(struct scan *s)
{
	while (s->p < s->end) {
		char c = *s->p++;

		if (c == '"')
			return NULL;
		if (c == '$' || c == '`')
			return "a shell would expand $ or ` here: put the value in single quotes";
		if (c == '\\') {
			if (s->p == s->end)
				return "goes on behind a backslash at the end of the line";
			/* Before anything else the shell keeps the backslash. */
			if (strchr("$`\"\\", *s->p) == NULL)
				(void)nrd_buf_addc(s->out, '\\');
			c = *s->p++;
		}
		(void)nrd_buf_addc(s->out, c);
	}
	return "a double quote is not closed";
}

static bool
blank(char c)
{
	return c == ' ' || c == '\t';
}

/* What may follow a value: blanks and a comment. */
static const char *
scan_tail(struct scan *s)
{
	while (s->p < s->end && blank(*s->p))
		s->p++;
	if (s->p < s->end && *s->p != '#')
		return "text after the value: put a value with blanks in quotes";
	return NULL;
}

/* Reads a value as a shell would that expands nothing. NULL when good, else what is wrong. */
static const char *
scan_value(struct scan *s)
{
	while (s->p < s->end && !blank(*s->p)) {
		const char *wrong = NULL;
		char c = *s->p++;

		if (c == '\'') {
			wrong = scan_single(s);
		} else if (c == '"') {
			wrong = scan_double(s);
		} else if (c == '\\') {
			if (s->p == s->end)
				return "goes on behind a backslash at the end of the line";
			(void)nrd_buf_addc(s->out, *s->p++);
		} else if (strchr("$`;&|<>()", c) != NULL) {
			return "a shell would not take this value as it stands: put it in single "
			       "quotes";
		} else {
			(void)nrd_buf_addc(s->out, c);
		}
		if (wrong != NULL)
			return wrong;
	}
	return scan_tail(s);
}

static const char *
bytes_wrong(const char *text, size_t len)
{
	if (len > NODE_CONFIG_LINE_MAX)
		return "is longer than 8192 bytes";
	for (size_t i = 0; i < len; i++) {
		unsigned char c = (unsigned char)text[i];

		if ((c < 0x20 && c != '\t') || c == 0x7f)
			return "holds control characters; the file may be damaged";
	}
	return NULL;
}

/*
 * Takes one line apart. NULL: fine (ret_key stays NULL for blanks and comments); else what is
 * wrong, with ret_key set if it could be made out. Both strings belong to the caller.
 */
static const char *
line_scan(const char *text, size_t len, char **ret_key, struct nrd_buf *value)
{
	struct scan s = { .p = text, .end = text + len, .out = value };
	const char *key, *wrong = bytes_wrong(text, len);

	if (wrong != NULL)
		return wrong;
	while (s.p < s.end && blank(*s.p))
		s.p++;
	if (s.p == s.end || *s.p == '#')
		return NULL;
	if (s.end - s.p > 7 && memcmp(s.p, "export ", 7) == 0)
		s.p += 7;
	key = s.p;
	while (s.p < s.end && key_char(*s.p))
		s.p++;
	if (s.p == key || s.p == s.end || *s.p != '=')
		return "is not KEY=VALUE";
	if (s.p - key > NODE_CONFIG_KEY_MAX)
		return "the key is longer than 64 characters";
	*ret_key = nrd_str_dup(nrd_strn(key, (size_t)(s.p - key)));
	s.p++;
	return scan_value(&s);
}

static struct line *
line_find(const struct node_config *config, const char *key)
{
	for (size_t i = config->assigned.len; i-- > 0;) {
		struct line *line = &config->lines.data[config->assigned.data[i]];

		if (!line->stale && line->value != NULL && nrd_streq(line->key, key))
			return line;
	}
	return NULL;
}

/* Takes the value away: the line is only carried along from now on. */
static int
line_spoil(struct node_config *config, struct line *line, size_t number, const char *what,
	   struct nrd_err *err)
{
	free(NRD_TAKE(line->value));
	return problem_add(config, number, line->key, what, err);
}

/* A line that assigns and is about to become line `number`: is the value good, and the last? */
static int
line_judge(struct node_config *config, struct line *line, size_t number, struct nrd_err *err)
{
	struct nrd_err why = { 0 };
	struct line *before;

	if (config->assigned.len >= ASSIGNMENTS_MAX)
		return line_spoil(config, line, number, "more than 4096 assignments", err);
	if (node_config_check(line->key, line->value, &why) < 0)
		return line_spoil(config, line, number, why.msg, err);
	before = line_find(config, line->key);
	if (nrd_vec_push(&config->assigned, number - 1) < 0)
		return nrd_nomem(err);
	if (before == NULL)
		return 0;
	before->stale = true;
	(void)nrd_fail(&why, EEXIST, "ConfigTwice", "%s is set a second time; this line counts",
		       line->key);
	return problem_add(config, number, line->key, why.msg, err);
}

static int
line_add(struct node_config *config, const char *text, size_t len, struct nrd_err *err)
{
	NRD_AUTO(nrd_buf) value = NRD_BUF_INIT(NODE_CONFIG_LINE_MAX);
	struct line line = { 0 };
	const char *wrong;
	int r = 0;

	/* Files edited elsewhere end their lines with CR LF; a shell would take it for text. */
	if (len > 0 && text[len - 1] == '\r')
		wrong = line_scan(text, len - 1, &line.key, &value);
	else
		wrong = line_scan(text, len, &line.key, &value);
	line.text = nrd_str_dup(nrd_strn(text, len));
	line.len = len;
	if (wrong == NULL && line.key != NULL)
		line.value = nrd_format("%s", nrd_buf_str(&value));
	if (line.text == NULL || value.failed == -ENOMEM ||
	    (wrong == NULL && line.key != NULL && line.value == NULL)) {
		line_fini(&line);
		return nrd_nomem(err);
	}
	if (wrong != NULL)
		r = problem_add(config, config->lines.len + 1, line.key, wrong, err);
	else if (line.key != NULL)
		r = line_judge(config, &line, config->lines.len + 1, err);
	if (r == 0 && nrd_vec_push(&config->lines, line) < 0)
		r = nrd_nomem(err);
	if (r < 0)
		line_fini(&line);
	return r;
}

int
node_config_parse(const char *text, size_t len, struct node_config **ret_config,
		  struct nrd_err *err)
{
	static const char bom[] = "\xef\xbb\xbf";
	NRD_AUTO(node_config) *config = NULL;
	int r = node_config_new(&config, err);

	if (r < 0)
		return r;
	if (len > NODE_CONFIG_MAX)
		return nrd_fail(err, EFBIG, "ConfigTooBig",
				"the configuration is larger than %zu KiB", NODE_CONFIG_MAX >> 10);
	if (len >= 3 && memcmp(text, bom, 3) == 0) {
		text += 3;
		len -= 3;
	}
	while (len > 0) {
		const char *eol = memchr(text, '\n', len);
		size_t n = eol == NULL ? len : (size_t)(eol - text);

		r = line_add(config, text, n, err);
		if (r < 0)
			return r;
		if (eol != NULL)
			n++;
		text += n;
		len -= n;
	}
	*ret_config = NRD_TAKE(config);
	return 0;
}

int
node_config_read(const char *path, struct node_config **ret_config, struct nrd_err *err)
{
	NRD_FREE char *text = NULL;
	size_t len = 0;
	int r;

	if (path == NULL)
		path = NODE_CONFIG_PATH;
	r = nrd_file_read(path, NODE_CONFIG_MAX, &text, &len, err);
	if (r == -ENOENT || r == -ENOTDIR)
		return nrd_fail(err, -r, "ConfigMissing", "there is no %s", path);
	if (r < 0)
		return r;
	return nrd_wrap(err, node_config_parse(text, len, ret_config, err), "%s", path);
}

const char *
node_config_get(const struct node_config *config, const char *key)
{
	const struct line *line = line_find(config, key);

	return line == NULL ? NULL : line->value;
}

const char *
node_config_get_filled(const struct node_config *config, const char *key)
{
	const char *value = node_config_get(config, key);

	return value == NULL || value[0] == '\0' ? NULL : value;
}

bool
node_config_next(const struct node_config *config, size_t *pos, const char **ret_key,
		 const char **ret_value)
{
	while (*pos < config->lines.len) {
		const struct line *line = &config->lines.data[(*pos)++];

		if (line->value == NULL || line->stale)
			continue;
		*ret_key = line->key;
		*ret_value = line->value;
		return true;
	}
	return false;
}

const struct node_config_problem *
node_config_problem_at(const struct node_config *config, size_t i)
{
	return i < config->problems.len ? &config->problems.data[i].pub : NULL;
}

/* KEY=VALUE for a shell: quoted when it needs to be. NULL when out of memory. */
static char *
line_format(const char *key, const char *value)
{
	NRD_AUTO(nrd_buf) out = NRD_BUF_INIT(0);

	(void)nrd_buf_printf(&out, "%s=", key);
	if (value[strspn(value, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
				"_./:,@%+=-")] == '\0') {
		(void)nrd_buf_adds(&out, value);
		return nrd_buf_take(&out);
	}
	(void)nrd_buf_addc(&out, '\'');
	for (const char *p = value; *p != '\0'; p++) {
		if (*p == '\'')
			(void)nrd_buf_adds(&out, "'\\''");
		else
			(void)nrd_buf_addc(&out, *p);
	}
	(void)nrd_buf_addc(&out, '\'');
	return nrd_buf_take(&out);
}

/* The line to change when a key is set: the one that counts, else the last damaged one of it. */
static struct line *
line_to_set(struct node_config *config, const char *key)
{
	struct line *line = line_find(config, key);

	for (size_t i = config->lines.len; line == NULL && i-- > 0;)
		if (config->lines.data[i].text != NULL && nrd_streq(config->lines.data[i].key, key))
			line = &config->lines.data[i];
	return line;
}

/* Gives a slot its new contents, which it takes over; a new slot at the end for NULL. */
static int
line_store(struct node_config *config, struct line *slot, struct line *fresh)
{
	bool listed = slot != NULL && slot->value != NULL;

	if (slot == NULL) {
		if (nrd_vec_reserve(&config->assigned, 1) < 0 ||
		    nrd_vec_push(&config->lines, *fresh) < 0)
			return -ENOMEM;
		slot = &config->lines.data[config->lines.len - 1];
	} else {
		if (!listed && nrd_vec_reserve(&config->assigned, 1) < 0)
			return -ENOMEM;
		line_fini(slot);
		*slot = *fresh;
	}
	if (!listed)
		(void)nrd_vec_push(&config->assigned, (size_t)(slot - config->lines.data));
	*fresh = (struct line){ 0 };
	return 0;
}

/* Removes the lines of a key. They keep their place, empty: indices stay what they are. */
static void
lines_drop(struct node_config *config, const char *key, bool only_damaged)
{
	nrd_vec_each(line, &config->lines) {
		if (line->key == NULL || !nrd_streq(line->key, key) ||
		    (only_damaged && line->value != NULL))
			continue;
		line_fini(line);
		*line = (struct line){ 0 };
	}
}

int
node_config_set(struct node_config *config, const char *key, const char *value,
		struct nrd_err *err)
{
	struct line *slot, fresh = { 0 };
	const char *wrong;
	int r;

	if (!key_ok(key))
		return nrd_fail(err, EINVAL, "ConfigBadKey",
				"\"%.80s\" cannot be a key: letters, digits and underscores, at most "
				"%d",
				key, NODE_CONFIG_KEY_MAX);
	r = node_config_check(key, value, err);
	if (r < 0)
		return r;
	fresh.text = line_format(key, value);
	fresh.key = nrd_format("%s", key);
	fresh.value = nrd_format("%s", value);
	if (fresh.text == NULL || fresh.key == NULL || fresh.value == NULL) {
		line_fini(&fresh);
		return nrd_nomem(err);
	}
	fresh.len = strlen(fresh.text);
	wrong = bytes_wrong(fresh.text, fresh.len);
	slot = line_to_set(config, key);
	if (wrong != NULL)
		r = nrd_fail(err, EINVAL, "ConfigBadValue", "%s: the value %s", key, wrong);
	else if (slot == NULL && config->assigned.len >= ASSIGNMENTS_MAX)
		r = nrd_fail(err, ENOSPC, "ConfigTooBig", "%s: more than %d assignments", key,
			     ASSIGNMENTS_MAX);
	else if (line_store(config, slot, &fresh) < 0)
		r = nrd_nomem(err);
	line_fini(&fresh);
	if (r == 0)
		lines_drop(config, key, true);
	return r;
}

void
node_config_unset(struct node_config *config, const char *key)
{
	lines_drop(config, key, false);
}

int
node_config_format(const struct node_config *config, struct nrd_buf *out, struct nrd_err *err)
{
	nrd_vec_each(line, &config->lines) {
		if (line->text == NULL)
			continue;
		(void)nrd_buf_add(out, line->text, line->len);
		(void)nrd_buf_addc(out, '\n');
	}
	if (out->failed == -ENOMEM)
		return nrd_nomem(err);
	if (out->failed < 0)
		return nrd_fail(err, EFBIG, "ConfigTooBig",
				"the configuration would be larger than %zu KiB", out->max >> 10);
	return 0;
}

int
node_config_write(const struct node_config *config, const char *path, struct nrd_err *err)
{
	NRD_AUTO(nrd_buf) out = NRD_BUF_INIT(NODE_CONFIG_MAX);
	int r = node_config_format(config, &out, err);

	if (r < 0)
		return r;
	return nrd_file_write(path == NULL ? NODE_CONFIG_PATH : path, nrd_buf_str(&out), out.len,
			      0600, err);
}

int
node_config_lock(const char *path, int *ret_fd, struct nrd_err *err)
{
	NRD_FREE char *dir = nrd_format("%s", path == NULL ? NODE_CONFIG_PATH : path);
	NRD_CLOSE int fd = -1;
	const char *where;
	char *slash;

	if (dir == NULL)
		return nrd_nomem(err);
	slash = strrchr(dir, '/');
	if (slash != NULL)
		slash[slash == dir ? 1 : 0] = '\0';
	where = slash == NULL ? "." : dir;
	/* The directory, not the file: the file is another one after each write. */
	fd = open(where, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return nrd_fail(err, errno, "ConfigLock", "open %s: %m", where);
	while (flock(fd, LOCK_EX) < 0)
		if (errno != EINTR)
			return nrd_fail(err, errno, "ConfigLock", "lock %s: %m", where);
	*ret_fd = nrd_take_fd(&fd);
	return 0;
}
