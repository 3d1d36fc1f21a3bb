/* SPDX-License-Identifier: MPL-2.0 */
/* Copyright 2026 The Nereid authors */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "buf.h"
#include "err.h"

/*
 * JSON, three ways: a parsed document read by key (this header), a document decoded by a table
 * into a struct and back (schema.h), and a streaming writer (below).
 *
 * Parsing is strict RFC 8259 UTF-8. Refused with "BadJson" (-EINVAL): duplicate keys, a NUL
 * inside a string or key, anything after the value, nesting beyond the cap. "JsonTooBig"
 * (-EFBIG): more bytes than the cap.
 */
#define NRD_JSON_MAX ((size_t)4 << 20)
#define NRD_JSON_DEPTH 32
#define NRD_JSON_DEPTH_MAX 256

struct nrd_json_limits {
	size_t max;     /* bytes, 0: NRD_JSON_MAX */
	unsigned depth; /* of containers, 0: NRD_JSON_DEPTH, at most NRD_JSON_DEPTH_MAX */
	bool regular;   /* what is read is a regular file: see nrd_buf_read_regular() */
};

struct nrd_json; /* a parsed document: owns every value in it */
struct nrd_val;  /* one value, borrowed from its document */

/* limits may be NULL. The text is not kept. */
int nrd_json_parse(const char *text, size_t len, const struct nrd_json_limits *limits,
		   struct nrd_json **ret_doc, struct nrd_err *err);
int nrd_json_read_file(const char *path, const struct nrd_json_limits *limits,
		       struct nrd_json **ret_doc, struct nrd_err *err);
int nrd_json_read_fd(int fd, const struct nrd_json_limits *limits, struct nrd_json **ret_doc,
		     struct nrd_err *err);
void nrd_json_free(struct nrd_json *doc);
void nrd_json_cleanup(struct nrd_json **doc);
const struct nrd_val *nrd_json_root(const struct nrd_json *doc);

enum nrd_val_type {
	NRD_VAL_NONE, /* v is NULL */
	NRD_VAL_NULL,
	NRD_VAL_BOOL,
	NRD_VAL_NUM,
	NRD_VAL_STR,
	NRD_VAL_ARR,
	NRD_VAL_OBJ,
};

/*
 * Reading. v may be NULL everywhere (a missing member), so that calls chain:
 *	mac = nrd_val_str(nrd_val_get(nrd_val_at(nrd_val_get(root, "nics"), 0), "mac"));
 * Getters with a ret_ write it and say true only when the value has that type and fits.
 */
enum nrd_val_type nrd_val_type(const struct nrd_val *v);
const char *nrd_val_type_name(const struct nrd_val *v); /* "a string", "an object", ... */
const struct nrd_val *nrd_val_get(const struct nrd_val *v, const char *key); /* NULL: no such */
const struct nrd_val *nrd_val_at(const struct nrd_val *v, size_t i); /* walks: see nrd_iter */
size_t nrd_val_len(const struct nrd_val *v);   /* elements, members, or bytes of a string; else 0 */
const char *nrd_val_str(const struct nrd_val *v); /* NULL: not a string */
bool nrd_val_u64(const struct nrd_val *v, uint64_t *ret_v);
bool nrd_val_i64(const struct nrd_val *v, int64_t *ret_v);
bool nrd_val_double(const struct nrd_val *v, double *ret_v);
bool nrd_val_bool(const struct nrd_val *v, bool *ret_v);

/* The same by key of an object. */
const char *nrd_get_str(const struct nrd_val *obj, const char *key);
bool nrd_get_u64(const struct nrd_val *obj, const char *key, uint64_t *ret_v);
bool nrd_get_i64(const struct nrd_val *obj, const char *key, int64_t *ret_v);
bool nrd_get_bool(const struct nrd_val *obj, const char *key, bool *ret_v);

/*
 * Members of an object or elements of an array, in order; nothing for other values.
 *	struct nrd_iter it = nrd_iter(v);
 *	while (nrd_iter_next(&it)) ... it.key (NULL in arrays) ... it.val ...
 */
struct nrd_iter {
	const char *key;
	const struct nrd_val *val;
	size_t index; /* of val, from 0 */
	const void *next;
	size_t left;
	bool object;
};

struct nrd_iter nrd_iter(const struct nrd_val *v);
bool nrd_iter_next(struct nrd_iter *it);

/*
 * Writing, straight into a buffer (appended). Commas, quotes, escapes and indentation are its
 * work; bytes that are not UTF-8 become U+FFFD. Errors are the buffer's and stick there;
 * nrd_jw_finish reports them. Wrong nesting is our bug and asserts.
 */
enum nrd_jw_flags {
	NRD_JW_COMPACT = 0,
	NRD_JW_PRETTY = 1u << 0, /* two blanks a level, as JSON.stringify(x, null, 2) */
};

struct nrd_jw {
	struct nrd_buf *buf;
	unsigned flags;
	unsigned depth;
	bool after_key;
	uint8_t level[NRD_JSON_DEPTH_MAX + 64]; /* what each open container is, has it members */
};

void nrd_jw_init(struct nrd_jw *w, struct nrd_buf *buf, unsigned flags);
int nrd_jw_finish(struct nrd_jw *w, struct nrd_err *err); /* "JsonWrite"; PRETTY ends the line */

void nrd_jw_obj_open(struct nrd_jw *w);
void nrd_jw_obj_close(struct nrd_jw *w);
void nrd_jw_arr_open(struct nrd_jw *w);
void nrd_jw_arr_close(struct nrd_jw *w);
void nrd_jw_key(struct nrd_jw *w, const char *key);
void nrd_jw_str(struct nrd_jw *w, const char *s); /* NULL writes null */
void nrd_jw_strn(struct nrd_jw *w, const char *s, size_t len);
void nrd_jw_u64(struct nrd_jw *w, uint64_t v);
void nrd_jw_i64(struct nrd_jw *w, int64_t v);
void nrd_jw_double(struct nrd_jw *w, double v); /* not finite: null */
void nrd_jw_number(struct nrd_jw *w, const char *text); /* trusted: a number as JSON spells it */
void nrd_jw_bool(struct nrd_jw *w, bool v);
void nrd_jw_null(struct nrd_jw *w);
void nrd_jw_strv(struct nrd_jw *w, const char *const *v); /* an array of strings; NULL: [] */
void nrd_jw_val(struct nrd_jw *w, const struct nrd_val *v); /* a copy; NULL: null */

/* A key and its value at once. */
void nrd_jw_kstr(struct nrd_jw *w, const char *key, const char *s);
void nrd_jw_ku64(struct nrd_jw *w, const char *key, uint64_t v);
void nrd_jw_ki64(struct nrd_jw *w, const char *key, int64_t v);
void nrd_jw_kbool(struct nrd_jw *w, const char *key, bool v);
void nrd_jw_kval(struct nrd_jw *w, const char *key, const struct nrd_val *v);
