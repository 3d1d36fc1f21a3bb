/* SPDX-License-Identifier: MPL-2.0 */
/* Copyright 2026 The Nereid authors */
#include "str.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct nrd_str
nrd_str(const char *s)
{
	return nrd_strn(s, s != NULL ? strlen(s) : 0);
}

struct nrd_str
nrd_strn(const char *s, size_t len)
{
	return (struct nrd_str){ .data = s, .len = len };
}

bool
nrd_str_eq(struct nrd_str s, const char *t)
{
	size_t len = strlen(t);

	return s.len == len && (len == 0 || memcmp(s.data, t, len) == 0);
}

static bool
is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

struct nrd_str
nrd_str_trim(struct nrd_str s)
{
	while (s.len > 0 && is_blank(s.data[s.len - 1]))
		s.len--;
	while (s.len > 0 && is_blank(s.data[0])) {
		s.data++;
		s.len--;
	}
	return s;
}

bool
nrd_str_split(struct nrd_str *rest, char sep, struct nrd_str *ret_part)
{
	if (rest->data == NULL)
		return false;
	const char *at = memchr(rest->data, sep, rest->len);

	if (at == NULL) {
		*ret_part = *rest;
		*rest = (struct nrd_str){ 0 };
		return true;
	}
	size_t len = (size_t)(at - rest->data);

	*ret_part = nrd_strn(rest->data, len);
	*rest = nrd_strn(at + 1, rest->len - len - 1);
	return true;
}

bool
nrd_str_word(struct nrd_str *rest, struct nrd_str *ret_word)
{
	size_t from = 0;

	while (from < rest->len && (rest->data[from] == ' ' || rest->data[from] == '\t'))
		from++;
	size_t to = from;

	while (to < rest->len && rest->data[to] != ' ' && rest->data[to] != '\t')
		to++;
	if (from == to)
		return false;
	*ret_word = nrd_strn(rest->data + from, to - from);
	*rest = nrd_strn(rest->data + to, rest->len - to);
	return true;
}

char *
nrd_str_dup(struct nrd_str s)
{
	char *copy = malloc(s.len + 1);

	if (copy == NULL)
		return NULL;
	if (s.len > 0)
		memcpy(copy, s.data, s.len);
	copy[s.len] = '\0';
	return copy;
}

bool
nrd_streq(const char *a, const char *b)
{
	if (a == NULL || b == NULL)
		return a == b;
	return strcmp(a, b) == 0;
}

const char *
nrd_starts(const char *s, const char *prefix)
{
	size_t len = strlen(prefix);

	return strncmp(s, prefix, len) == 0 ? s + len : NULL;
}

bool
nrd_ends(const char *s, const char *suffix)
{
	size_t len = strlen(s), tail = strlen(suffix);

	return len >= tail && strcmp(s + len - tail, suffix) == 0;
}

char *
nrd_format(const char *fmt, ...)
{
	va_list ap;
	char *s = NULL;

	va_start(ap, fmt);
	if (vasprintf(&s, fmt, ap) < 0)
		s = NULL;
	va_end(ap);
	return s;
}

int
nrd_strcpy_to(char *dst, size_t size, const char *src)
{
	size_t len = strlen(src);

	if (size == 0)
		return -ENAMETOOLONG;
	if (len >= size) {
		dst[0] = '\0';
		return -ENAMETOOLONG;
	}
	memcpy(dst, src, len + 1);
	return 0;
}

int
nrd_str_set(char **s, const char *value)
{
	char *copy = NULL;

	if (value != NULL) {
		copy = strdup(value);
		if (copy == NULL)
			return -ENOMEM;
	}
	free(*s);
	*s = copy;
	return 0;
}

/* Digits up to *end; at least one. */
static int
parse_digits(const char *s, uint64_t *ret_v, const char **ret_end)
{
	uint64_t v = 0;
	const char *p = s;

	for (; *p >= '0' && *p <= '9'; p++) {
		if (__builtin_mul_overflow(v, 10, &v) ||
		    __builtin_add_overflow(v, (uint64_t)(*p - '0'), &v))
			return -ERANGE;
	}
	if (p == s)
		return -EINVAL;
	*ret_v = v;
	*ret_end = p;
	return 0;
}

static int
check_range(const char *s, uint64_t v, uint64_t min, uint64_t max, struct nrd_err *err)
{
	if (v < min)
		return nrd_fail(err, ERANGE, "BadNumber", "%s is below %" PRIu64, s, min);
	if (v > max)
		return nrd_fail(err, ERANGE, "BadNumber", "%s is above %" PRIu64, s, max);
	return 0;
}

int
nrd_parse_u64(const char *s, uint64_t min, uint64_t max, uint64_t *ret_v, struct nrd_err *err)
{
	uint64_t v = 0;
	const char *end = s;
	int r = parse_digits(s, &v, &end);

	if (r == -ERANGE)
		return nrd_fail(err, ERANGE, "BadNumber", "%.40s is above %" PRIu64, s, max);
	if (r < 0 || *end != '\0')
		return nrd_fail(err, EINVAL, "BadNumber", "\"%.40s\" is not a whole number", s);
	r = check_range(s, v, min, max, err);
	if (r < 0)
		return r;
	*ret_v = v;
	return 0;
}

int
nrd_parse_i64(const char *s, int64_t min, int64_t max, int64_t *ret_v, struct nrd_err *err)
{
	bool negative = *s == '-';
	uint64_t v = 0;
	const char *end = s;
	int r = parse_digits(s + negative, &v, &end);

	if (r == -EINVAL || (r == 0 && *end != '\0'))
		return nrd_fail(err, EINVAL, "BadNumber", "\"%.40s\" is not a whole number", s);
	uint64_t limit = (uint64_t)INT64_MAX + negative;

	if (r < 0 || v > limit)
		return nrd_fail(err, ERANGE, "BadNumber", "%.40s is not between %" PRId64
				" and %" PRId64, s, min, max);
	int64_t n = (int64_t)(negative ? 0 - v : v);

	if (n < min || n > max)
		return nrd_fail(err, ERANGE, "BadNumber", "%s is not between %" PRId64
				" and %" PRId64, s, min, max);
	*ret_v = n;
	return 0;
}

/* The power of two behind "", "K", "MB", "GiB", "B" ...; negative when it is none of them. */
static int
size_shift(const char *unit)
{
	static const char letters[] = "KMGTPE";
	int shift = 0;
	char c = *unit >= 'a' && *unit <= 'z' ? (char)(*unit - 'a' + 'A') : *unit;
	const char *at = c != '\0' ? strchr(letters, c) : NULL;

	if (at != NULL) {
		shift = 10 * (int)(at - letters + 1);
		unit++;
		if (unit[0] == 'i' && unit[1] == 'B')
			unit++;
	}
	if (*unit == 'B')
		unit++;
	return *unit == '\0' ? shift : -1;
}

int
nrd_parse_size(const char *s, uint64_t min, uint64_t max, uint64_t *ret_v, struct nrd_err *err)
{
	uint64_t v = 0;
	const char *end = s;
	int r = parse_digits(s, &v, &end);
	int shift = r == 0 ? size_shift(end) : 0;

	if (r == -EINVAL || shift < 0)
		return nrd_fail(err, EINVAL, "BadNumber",
				"\"%.40s\" is not a size such as 512M or 10G", s);
	if (r < 0 || __builtin_mul_overflow(v, UINT64_C(1) << shift, &v))
		return nrd_fail(err, ERANGE, "BadNumber", "%.40s is above %" PRIu64, s, max);
	r = check_range(s, v, min, max, err);
	if (r < 0)
		return r;
	*ret_v = v;
	return 0;
}

int
nrd_parse_bool(const char *s, bool *ret_v, struct nrd_err *err)
{
	static const char *const names[] = { "false", "true", "no", "yes", "off", "on", "0", "1" };

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		if (strcmp(s, names[i]) == 0) {
			*ret_v = i % 2 == 1;
			return 0;
		}
	}
	return nrd_fail(err, EINVAL, "BadBoolean", "\"%.40s\" is neither true nor false", s);
}

void
nrd_size_format(uint64_t bytes, char ret_text[NRD_SIZE_TEXT])
{
	static const char units[] = "BKMGTPE";
	unsigned unit = 0;
	uint64_t whole = bytes;

	while (whole >= 1024) {
		whole /= 1024;
		unit++;
	}
	char suffix[2] = { unit > 0 ? units[unit] : '\0', '\0' };
	uint64_t one = UINT64_C(1) << (10 * unit);

	if (bytes % one == 0) {
		(void)snprintf(ret_text, NRD_SIZE_TEXT, "%" PRIu64 "%s", whole, suffix);
		return;
	}
	double v = (double)bytes / (double)one;
	int digits = v < 10 ? 2 : v < 100 ? 1 : 0;

	(void)snprintf(ret_text, NRD_SIZE_TEXT, "%.*f%s", digits, v, suffix);
}

size_t
nrd_utf8_len(const char *str, size_t len)
{
	const unsigned char *s = (const unsigned char *)str;
	size_t n = len == 0 ? 0 : s[0] < 0x80 ? 1 : s[0] < 0xc2 ? 0 : s[0] < 0xe0 ? 2 : s[0] < 0xf0 ? 3 : 4;

	if (n == 0 || n > len || s[0] > 0xf4)
		return 0;
	for (size_t i = 1; i < n; i++) {
		if ((s[i] & 0xc0) != 0x80)
			return 0;
	}
	bool bad = (s[0] == 0xe0 && s[1] < 0xa0) || (s[0] == 0xed && s[1] > 0x9f) ||
		   (s[0] == 0xf0 && s[1] < 0x90) || (s[0] == 0xf4 && s[1] > 0x8f);

	return bad ? 0 : n;
}
