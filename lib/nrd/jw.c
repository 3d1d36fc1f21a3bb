/* SPDX-License-Identifier: MPL-2.0 */
/* Copyright 2026 The Nereid authors */
#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "json-priv.h"
#include "mem.h"
#include "str.h"

enum level_bits {
	LEVEL_OBJECT = 1u << 0,
	LEVEL_FILLED = 1u << 1,
};

void
nrd_jw_init(struct nrd_jw *w, struct nrd_buf *buf, unsigned flags)
{
	w->buf = buf;
	w->flags = flags;
	w->depth = 0;
	w->after_key = false;
	w->level[0] = 0;
}

int
nrd_jw_finish(struct nrd_jw *w, struct nrd_err *err)
{
	assert(w->depth == 0 && !w->after_key);
	if ((w->flags & NRD_JW_PRETTY) != 0)
		(void)nrd_buf_addc(w->buf, '\n');
	if (w->buf->failed != 0)
		return nrd_fail(err, -w->buf->failed, "JsonWrite", "write JSON: %m");
	return 0;
}

static void
indent(struct nrd_jw *w)
{
	if ((w->flags & NRD_JW_PRETTY) == 0)
		return;
	(void)nrd_buf_addc(w->buf, '\n');
	for (unsigned i = 0; i < w->depth; i++)
		(void)nrd_buf_add(w->buf, "  ", 2);
}

/* What has to stand before a member of the container that is open. */
static void
begin_member(struct nrd_jw *w)
{
	uint8_t *level = &w->level[w->depth];

	if (w->depth > 0) {
		if ((*level & LEVEL_FILLED) != 0)
			(void)nrd_buf_addc(w->buf, ',');
		indent(w);
	}
	*level |= LEVEL_FILLED;
}

static void
begin_value(struct nrd_jw *w)
{
	if (w->after_key) {
		w->after_key = false;
		return;
	}
	assert((w->level[w->depth] & LEVEL_OBJECT) == 0);
	begin_member(w);
}

static void
container_open(struct nrd_jw *w, char c, uint8_t level)
{
	begin_value(w);
	(void)nrd_buf_addc(w->buf, c);
	assert(w->depth + 1 < nrd_count(w->level));
	w->level[++w->depth] = level;
}

static void
container_close(struct nrd_jw *w, char c, uint8_t level)
{
	assert(w->depth > 0 && !w->after_key);
	assert((w->level[w->depth] & LEVEL_OBJECT) == level);
	bool filled = (w->level[w->depth] & LEVEL_FILLED) != 0;

	w->depth--;
	if (filled)
		indent(w);
	(void)nrd_buf_addc(w->buf, c);
}

void
nrd_jw_obj_open(struct nrd_jw *w)
{
	container_open(w, '{', LEVEL_OBJECT);
}

void
nrd_jw_obj_close(struct nrd_jw *w)
{
	container_close(w, '}', LEVEL_OBJECT);
}

void
nrd_jw_arr_open(struct nrd_jw *w)
{
	container_open(w, '[', 0);
}

void
nrd_jw_arr_close(struct nrd_jw *w)
{
	container_close(w, ']', 0);
}

static void
write_escape(struct nrd_buf *b, unsigned char c)
{
	static const char from[] = "\"\\\b\f\n\r\t", to[] = "\"\\bfnrt";
	const char *at = c != 0 ? strchr(from, c) : NULL;

	if (at != NULL)
		(void)nrd_buf_printf(b, "\\%c", to[at - from]);
	else
		(void)nrd_buf_printf(b, "\\u%04x", c);
}

static void
write_string(struct nrd_buf *b, const char *str, size_t len)
{
	const unsigned char *s = (const unsigned char *)str;
	size_t plain = 0; /* start of what can be copied as it is */

	(void)nrd_buf_addc(b, '"');
	for (size_t i = 0; i < len;) {
		size_t n = nrd_utf8_len(str + i, len - i);
		bool escape = n == 1 && (s[i] < 0x20 || s[i] == '"' || s[i] == '\\');

		if (n > 0 && !escape) {
			i += n;
			continue;
		}
		(void)nrd_buf_add(b, s + plain, i - plain);
		if (escape)
			write_escape(b, s[i]);
		else
			(void)nrd_buf_adds(b, "\xef\xbf\xbd");
		plain = ++i;
	}
	(void)nrd_buf_add(b, s + plain, len - plain);
	(void)nrd_buf_addc(b, '"');
}

void
nrd_jw_key(struct nrd_jw *w, const char *key)
{
	assert(!w->after_key && (w->level[w->depth] & LEVEL_OBJECT) != 0);
	begin_member(w);
	write_string(w->buf, key, strlen(key));
	(void)nrd_buf_adds(w->buf, (w->flags & NRD_JW_PRETTY) != 0 ? ": " : ":");
	w->after_key = true;
}

void
nrd_jw_str(struct nrd_jw *w, const char *s)
{
	if (s == NULL)
		nrd_jw_null(w);
	else
		nrd_jw_strn(w, s, strlen(s));
}

void
nrd_jw_strn(struct nrd_jw *w, const char *s, size_t len)
{
	begin_value(w);
	write_string(w->buf, s, len);
}

void
nrd_jw_u64(struct nrd_jw *w, uint64_t v)
{
	begin_value(w);
	(void)nrd_buf_printf(w->buf, "%" PRIu64, v);
}

void
nrd_jw_i64(struct nrd_jw *w, int64_t v)
{
	begin_value(w);
	(void)nrd_buf_printf(w->buf, "%" PRId64, v);
}

/*
 * The fewest digits that read back as the same double. It stays a real number to whoever reads it:
 * 1.0, not 1; and 1e300, not 1e+300.
 */
void
nrd_jw_double(struct nrd_jw *w, double v)
{
	char text[32];
	char *e;

	if (!isfinite(v)) {
		nrd_jw_null(w);
		return;
	}
	for (int digits = 15; digits <= 17; digits++) {
		(void)snprintf(text, sizeof(text), "%.*g", digits, v);
		if (strtod(text, NULL) == v)
			break;
	}
	e = strchr(text, 'e');
	if (e != NULL && e[1] == '+')
		memmove(e + 1, e + 2, strlen(e + 2) + 1);
	begin_value(w);
	(void)nrd_buf_printf(w->buf, "%s%s", text, strpbrk(text, ".e") == NULL ? ".0" : "");
}

void
nrd_jw_number(struct nrd_jw *w, const char *text)
{
	begin_value(w);
	(void)nrd_buf_adds(w->buf, text);
}

void
nrd_jw_bool(struct nrd_jw *w, bool v)
{
	begin_value(w);
	(void)nrd_buf_adds(w->buf, v ? "true" : "false");
}

void
nrd_jw_null(struct nrd_jw *w)
{
	begin_value(w);
	(void)nrd_buf_adds(w->buf, "null");
}

void
nrd_jw_strv(struct nrd_jw *w, const char *const *v)
{
	nrd_jw_arr_open(w);
	for (; v != NULL && *v != NULL; v++)
		nrd_jw_str(w, *v);
	nrd_jw_arr_close(w);
}

static void
write_number(struct nrd_jw *w, const struct nrd_val *v)
{
	if (v->num == NRD_NUM_REAL)
		nrd_jw_double(w, v->d);
	else if (v->num == NRD_NUM_NEGATIVE)
		nrd_jw_i64(w, v->i);
	else
		nrd_jw_u64(w, v->u);
}

static void
write_container(struct nrd_jw *w, const struct nrd_val *v)
{
	struct nrd_iter it = nrd_iter(v);
	bool object = it.object;

	if (object)
		nrd_jw_obj_open(w);
	else
		nrd_jw_arr_open(w);
	while (nrd_iter_next(&it)) {
		if (object)
			nrd_jw_key(w, it.key);
		nrd_jw_val(w, it.val);
	}
	if (object)
		nrd_jw_obj_close(w);
	else
		nrd_jw_arr_close(w);
}

void
nrd_jw_val(struct nrd_jw *w, const struct nrd_val *v)
{
	bool b = false;

	switch (nrd_val_type(v)) {
	case NRD_VAL_ARR:
	case NRD_VAL_OBJ:
		write_container(w, v);
		break;
	case NRD_VAL_STR:
		nrd_jw_strn(w, nrd_val_str(v), nrd_val_len(v));
		break;
	case NRD_VAL_NUM:
		write_number(w, v);
		break;
	case NRD_VAL_BOOL:
		(void)nrd_val_bool(v, &b);
		nrd_jw_bool(w, b);
		break;
	default:
		nrd_jw_null(w);
		break;
	}
}

void
nrd_jw_kstr(struct nrd_jw *w, const char *key, const char *s)
{
	nrd_jw_key(w, key);
	nrd_jw_str(w, s);
}

void
nrd_jw_ku64(struct nrd_jw *w, const char *key, uint64_t v)
{
	nrd_jw_key(w, key);
	nrd_jw_u64(w, v);
}

void
nrd_jw_ki64(struct nrd_jw *w, const char *key, int64_t v)
{
	nrd_jw_key(w, key);
	nrd_jw_i64(w, v);
}

void
nrd_jw_kbool(struct nrd_jw *w, const char *key, bool v)
{
	nrd_jw_key(w, key);
	nrd_jw_bool(w, v);
}

void
nrd_jw_kval(struct nrd_jw *w, const char *key, const struct nrd_val *v)
{
	nrd_jw_key(w, key);
	nrd_jw_val(w, v);
}
