/* SPDX-License-Identifier: MPL-2.0 */
/* Copyright 2026 The Nereid authors */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "err.h"

/* A slice of somebody else's bytes; not terminated. Print it with "%.*s", NRD_STR_ARG(s). */
struct nrd_str {
	const char *data;
	size_t len;
};

#define NRD_STR_ARG(s) (int)(s).len, (s).data

struct nrd_str nrd_str(const char *s); /* NULL: empty */
struct nrd_str nrd_strn(const char *s, size_t len);
bool nrd_str_eq(struct nrd_str s, const char *t);
struct nrd_str nrd_str_trim(struct nrd_str s); /* blanks, tabs and line ends off both ends */

/*
 * Takes the part before the next sep off *rest. False when nothing is left: "a,b" gives "a" and
 * "b", "a," gives "a" and "", "" gives one empty part. rest->data is NULL afterwards, so start
 * each walk anew.
 */
bool nrd_str_split(struct nrd_str *rest, char sep, struct nrd_str *ret_part);

/* Takes the next word (between blanks and tabs) off *rest; false when there is none. */
bool nrd_str_word(struct nrd_str *rest, struct nrd_str *ret_word);

char *nrd_str_dup(struct nrd_str s); /* caller frees; NULL: no memory */

bool nrd_streq(const char *a, const char *b);                    /* NULL equals only NULL */
const char *nrd_starts(const char *s, const char *prefix);       /* what follows it, or NULL */
bool nrd_ends(const char *s, const char *suffix);

/* As asprintf, but returns the string (caller frees) or NULL. */
char *nrd_format(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/* Copies whole or not at all: -ENAMETOOLONG when it does not fit, and dst is then "". */
int nrd_strcpy_to(char *dst, size_t size, const char *src);

/* Replaces *s by a copy of value (NULL: by NULL). -ENOMEM leaves it as it was. */
int nrd_str_set(char **s, const char *value);

/*
 * Decimal digits and nothing else (no sign, no blanks). "BadNumber": -EINVAL for bad text,
 * -ERANGE outside min..max. The message says the text and the rule, not what it was for: wrap
 * it.
 */
int nrd_parse_u64(const char *s, uint64_t min, uint64_t max, uint64_t *ret_v, struct nrd_err *err);
int nrd_parse_i64(const char *s, int64_t min, int64_t max, int64_t *ret_v, struct nrd_err *err);

/*
 * "10", "512M", "10G", "10GiB": powers of 1024, K M G T P E in either case, optional "B" or
 * "iB". Codes as above.
 */
int nrd_parse_size(const char *s, uint64_t min, uint64_t max, uint64_t *ret_v, struct nrd_err *err);

/* "true", "false", "yes", "no", "on", "off", "1", "0". "BadBoolean". */
int nrd_parse_bool(const char *s, bool *ret_v, struct nrd_err *err);

/* "10", "512M", "1.50G": three significant digits, as zfs list prints sizes. */
#define NRD_SIZE_TEXT 16
void nrd_size_format(uint64_t bytes, char ret_text[NRD_SIZE_TEXT]);

/*
 * Length of the UTF-8 sequence at s, 0 when it is none: no surrogates, nothing overlong, nothing
 * above U+10FFFF.
 */
size_t nrd_utf8_len(const char *s, size_t len);

/*
 * String vectors: char **, NULL terminated, owning array and strings; NULL is an empty vector.
 *	NRD_STRV char **names = NULL;
 */
#define NRD_STRV __attribute__((cleanup(nrd_strv_cleanup)))

void nrd_strv_free(char **v);
void nrd_strv_cleanup(char ***v);
size_t nrd_strv_len(const char *const *v);
bool nrd_strv_has(const char *const *v, const char *s);
int nrd_strv_add(char ***v, const char *s);                       /* copies; 0 or -ENOMEM */
int nrd_strv_take(char ***v, char *s);                            /* owns s even when failing */
int nrd_strv_addf(char ***v, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
int nrd_strv_copy(const char *const *v, char ***ret_v);
int nrd_strv_split(const char *s, char sep, char ***ret_v);       /* empty parts are dropped */
char *nrd_strv_join(const char *const *v, const char *sep); /* caller frees; NULL: no memory */

/* char ** does not convert to const char *const * by itself in C. */
#define NRD_CSTRV(v) ((const char *const *)(v))
