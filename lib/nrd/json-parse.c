/* SPDX-License-Identifier: MPL-2.0 */
/* Copyright 2026 The Nereid authors */
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "json-priv.h"
#include "mem.h"
#include "str.h"

/* The copy of the text ends in a NUL, which is part of no value: nothing reads past it. */
struct parser {
	const char *text; /* as it was given, for the place of an error */
	char *start;
	char *at;
	char *end;
	unsigned depth;
	struct nrd_json *doc;
	struct nrd_err *err;
};

static int parse_value(struct parser *p, unsigned left);

static int
bad(const struct parser *p, const char *at, const char *what)
{
	size_t line = 1, column = 1;

	for (const char *c = p->text; c < p->text + (at - p->start); c++) {
		column++;
		if (*c == '\n') {
			line++;
			column = 1;
		}
	}
	return nrd_fail(p->err, EINVAL, "BadJson", "line %zu, column %zu: %s", line, column, what);
}

static int
add(struct parser *p, const struct nrd_val *v)
{
	return nrd_vec_push(&p->doc->vals, *v) < 0 ? nrd_nomem(p->err) : 0;
}

static void
skip_space(struct parser *p)
{
	p->at += strspn(p->at, " \t\n\r");
}

/* ---- strings ---- */

/* Four digits, or -1. */
static int32_t
hex4(const char *s)
{
	static const char digits[] = "0123456789abcdef";
	int32_t v = 0;

	for (int i = 0; i < 4; i++) {
		const char *at = s[i] != '\0' ? strchr(digits, s[i] >= 'A' && s[i] <= 'F' ? s[i] + 32 : s[i])
					      : NULL;

		if (at == NULL)
			return -1;
		v = v * 16 + (int32_t)(at - digits);
	}
	return v;
}

static char *
put_utf8(char *out, uint32_t c)
{
	static const uint8_t lead[] = { 0, 0, 0xc0, 0xe0, 0xf0 };
	unsigned n = c < 0x80 ? 1 : c < 0x800 ? 2 : c < 0x10000 ? 3 : 4;

	for (unsigned i = n; i-- > 1; c >>= 6)
		out[i] = (char)(0x80 | (c & 0x3f));
	out[0] = (char)(n == 1 ? c : lead[n] | c);
	return out + n;
}

/* "\u" and four digits, or two of them that are one character; what it becomes is shorter. */
static int
parse_unicode(const struct parser *p, char **in, char **out)
{
	int32_t high = hex4(*in + 2), low = -1;
	uint32_t c = (uint32_t)high;

	if (high < 0)
		return bad(p, *in, "\\u without four hexadecimal digits");
	if (high == 0)
		return nrd_fail(p->err, EINVAL, "BadJson", "a string holds a NUL");
	if (high >= 0xd800 && high < 0xe000) {
		if (high < 0xdc00 && (*in)[6] == '\\' && (*in)[7] == 'u')
			low = hex4(*in + 8);
		if (low < 0xdc00 || low >= 0xe000)
			return bad(p, *in, "half a surrogate pair");
		c = 0x10000 + (((uint32_t)high - 0xd800) << 10) + ((uint32_t)low - 0xdc00);
		*in += 6;
	}
	*in += 6;
	*out = put_utf8(*out, c);
	return 0;
}

static int
parse_escape(const struct parser *p, char **in, char **out)
{
	static const char from[] = "\"\\/bfnrt", to[] = "\"\\/\b\f\n\r\t";
	char c = (*in)[1];
	const char *at;

	if (c == 'u')
		return parse_unicode(p, in, out);
	at = c != '\0' ? strchr(from, c) : NULL;
	if (at == NULL)
		return bad(p, *in, "an escape JSON does not have");
	*(*out)++ = to[at - from];
	*in += 2;
	return 0;
}

static bool
is_plain(char c)
{
	return (unsigned char)c >= 0x20 && (unsigned char)c < 0x80 && c != '\\';
}

static int
parse_string(struct parser *p, struct nrd_val *v)
{
	char *from = p->at + 1, *in = from, *out = from;

	while (*in != '"') {
		/* Nearly all there is. */
		if (is_plain(*in)) {
			*out++ = *in++;
			continue;
		}
		size_t n = nrd_utf8_len(in, (size_t)(p->end - in));
		int r = 0;

		if (*in == '\\')
			r = parse_escape(p, &in, &out);
		else if (in == p->end)
			r = bad(p, p->at, "a string without an end");
		else if ((unsigned char)*in < 0x20)
			r = bad(p, in, "a control character in a string");
		else if (n == 0)
			r = bad(p, in, "bytes that are not UTF-8");
		else
			for (; n > 0; n--)
				*out++ = *in++;
		if (r < 0)
			return r;
	}
	*out = '\0';
	v->type = NRD_VAL_STR;
	v->str = from;
	v->len = (uint32_t)(out - from);
	p->at = in + 1;
	return 0;
}

/* ---- numbers ---- */

static char *
skip_digits(char *s)
{
	return s + strspn(s, "0123456789");
}

/* False: it does not fit. */
static bool
parse_integer(const char *digits, const char *end, bool minus, struct nrd_val *v)
{
	uint64_t u = 0;

	for (; digits < end; digits++)
		if (__builtin_mul_overflow(u, 10, &u) ||
		    __builtin_add_overflow(u, (uint64_t)(*digits - '0'), &u))
			return false;
	if (minus && u > (uint64_t)1 << 63)
		return false;
	v->num = minus ? NRD_NUM_NEGATIVE : NRD_NUM_UNSIGNED;
	if (minus)
		v->i = (int64_t)(0 - u);
	else
		v->u = u;
	return true;
}

/* An integer of more than 64 bits is a real number, as in JavaScript. */
static int
parse_number(struct parser *p, struct nrd_val *v)
{
	bool minus = *p->at == '-', real = false;
	char *digits = p->at + minus;
	char *end = skip_digits(digits), *more;

	if (end == digits || (*digits == '0' && end > digits + 1))
		return bad(p, p->at, "a number JSON does not spell so");
	if (*end == '.') {
		more = end + 1;
		end = skip_digits(more);
		real = true;
		if (end == more)
			return bad(p, p->at, "a number without digits behind its point");
	}
	if (*end == 'e' || *end == 'E') {
		more = end + 1 + (end[1] == '+' || end[1] == '-');
		end = skip_digits(more);
		real = true;
		if (end == more)
			return bad(p, p->at, "a number without digits in its exponent");
	}
	v->type = NRD_VAL_NUM;
	if (real || !parse_integer(digits, end, minus, v)) {
		v->num = NRD_NUM_REAL;
		v->d = strtod(p->at, NULL);
		if (!isfinite(v->d))
			return bad(p, p->at, "a number too large to keep");
	}
	p->at = end;
	return 0;
}

/* ---- the other values ---- */

static int
parse_word(struct parser *p, struct nrd_val *v)
{
	static const struct {
		const char *word;
		enum nrd_val_type type;
		bool b;
	} words[] = {
		{ "null", NRD_VAL_NULL, false },
		{ "true", NRD_VAL_BOOL, true },
		{ "false", NRD_VAL_BOOL, false },
	};

	for (size_t i = 0; i < nrd_count(words); i++) {
		size_t len = strlen(words[i].word);

		if (strncmp(p->at, words[i].word, len) != 0)
			continue;
		v->type = words[i].type;
		v->b = words[i].b;
		p->at += len;
		return 0;
	}
	return bad(p, p->at, p->at == p->end ? "a value is missing at the end" : "no JSON value");
}

static int
key_compare(const void *a, const void *b)
{
	const struct nrd_val *const *ka = a, *const *kb = b;
	size_t la = (*ka)->len, lb = (*kb)->len;

	if (la != lb)
		return la < lb ? -1 : 1;
	return memcmp((*ka)->str, (*kb)->str, la);
}

/* Sorts rather than compares all with all: an object of 100,000 keys must not cost 10^10 steps. */
static int
check_duplicates(const struct parser *p, const struct nrd_val *obj)
{
	const struct nrd_val *few[16];
	NRD_FREE const struct nrd_val **many = NULL;
	const struct nrd_val **keys = few;
	const struct nrd_val *key = obj + 1;

	if (obj->len < 2)
		return 0;
	if (obj->len > nrd_count(few)) {
		keys = many = reallocarray(NULL, obj->len, sizeof(*keys));
		if (many == NULL)
			return nrd_nomem(p->err);
	}
	for (size_t i = 0; i < obj->len; i++) {
		keys[i] = key++;
		key += key->span;
	}
	qsort(keys, obj->len, sizeof(*keys), key_compare);
	for (size_t i = 1; i < obj->len; i++)
		if (key_compare(&keys[i - 1], &keys[i]) == 0)
			return nrd_fail(p->err, EINVAL, "BadJson", "key \"%.64s\" is there twice",
					keys[i]->str);
	return 0;
}

static int
parse_key(struct parser *p)
{
	struct nrd_val v = { .span = 1 };
	int r;

	skip_space(p);
	r = *p->at == '"' ? parse_string(p, &v) : bad(p, p->at, "a key in quotes is missing");
	if (r >= 0)
		r = add(p, &v);
	if (r < 0)
		return r;
	skip_space(p);
	return *p->at++ == ':' ? 0 : bad(p, p->at - 1, "a colon is missing behind a key");
}

static int
parse_container(struct parser *p, unsigned left)
{
	bool object = *p->at == '{';
	const char *begin = p->at;
	size_t self = p->doc->vals.len;
	struct nrd_val v = { .type = object ? NRD_VAL_OBJ : NRD_VAL_ARR };
	char close = object ? '}' : ']';
	int r = left > 0 ? add(p, &v)
			 : nrd_fail(p->err, EINVAL, "BadJson", "nested deeper than %u", p->depth);

	if (r < 0)
		return r;
	p->at++;
	skip_space(p);
	while (*p->at != close) {
		r = object ? parse_key(p) : 0;
		if (r >= 0)
			r = parse_value(p, left - 1);
		if (r < 0)
			return r;
		v.len++;
		skip_space(p);
		if (*p->at != ',')
			break;
		p->at++;
		skip_space(p);
		if (*p->at == close)
			return bad(p, p->at, "a value is missing behind a comma");
	}
	if (p->at == p->end)
		return bad(p, begin, object ? "an object without an end" : "an array without an end");
	if (*p->at != close)
		return bad(p, p->at, object ? "a comma or } is missing" : "a comma or ] is missing");
	p->at++;
	v.span = (uint32_t)(p->doc->vals.len - self);
	p->doc->vals.data[self] = v;
	return object ? check_duplicates(p, &p->doc->vals.data[self]) : 0;
}

/* It calls itself at most as often as containers may be nested. */
static int
parse_value(struct parser *p, unsigned left)
{
	struct nrd_val v = { .span = 1 };
	int r;

	skip_space(p);
	if (*p->at == '{' || *p->at == '[')
		return parse_container(p, left);
	if (*p->at == '"')
		r = parse_string(p, &v);
	else if (*p->at == '-' || (*p->at >= '0' && *p->at <= '9'))
		r = parse_number(p, &v);
	else
		r = parse_word(p, &v);
	return r < 0 ? r : add(p, &v);
}

static int
parse_text(const char *text, size_t len, unsigned depth, struct nrd_json *doc, struct nrd_err *err)
{
	struct parser p = { .text = text, .depth = depth, .doc = doc, .err = err };
	int r;

	doc->text = malloc(len + 1);
	if (doc->text == NULL)
		return nrd_nomem(err);
	if (len > 0)
		memcpy(doc->text, text, len);
	doc->text[len] = '\0';
	p.start = p.at = doc->text;
	p.end = doc->text + len;
	r = parse_value(&p, depth);
	if (r < 0)
		return r;
	skip_space(&p);
	return p.at == p.end ? 0 : bad(&p, p.at, "something is behind the value");
}

int
nrd_json_parse(const char *text, size_t len, const struct nrd_json_limits *limits,
	       struct nrd_json **ret_doc, struct nrd_err *err)
{
	size_t max = limits != NULL && limits->max != 0 ? limits->max : NRD_JSON_MAX;
	unsigned depth = limits != NULL && limits->depth != 0 ? limits->depth : NRD_JSON_DEPTH;
	NRD_AUTO(nrd_json) *doc = NULL;
	int r;

	if (depth > NRD_JSON_DEPTH_MAX)
		depth = NRD_JSON_DEPTH_MAX;
	if (max > INT32_MAX)
		max = INT32_MAX; /* lengths are kept in 32 bits */
	if (len > max)
		return nrd_fail(err, EFBIG, "JsonTooBig", "longer than %zu bytes", max);
	doc = calloc(1, sizeof(*doc));
	if (doc == NULL)
		return nrd_nomem(err);
	r = parse_text(text, len, depth, doc, err);
	if (r >= 0)
		*ret_doc = NRD_TAKE(doc);
	return r;
}
