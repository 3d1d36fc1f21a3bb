/* SPDX-License-Identifier: MPL-2.0 */
/* Copyright 2026 The Nereid authors */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "buf.h"
#include "err.h"
#include "json.h"
#include "mac.h"
#include "mem.h"
#include "uuid.h"

/*
 * Objects by table. One table of fields says how a JSON object and a C struct correspond; it
 * decodes, validates, encodes, frees and documents.
 *
 *	struct vm_nic {
 *		struct nrd_present present;
 *		char *nic_tag;
 *		struct nrd_mac mac;
 *		uint64_t vlan_id;
 *	};
 *
 *	static const struct nrd_field nic_fields[] = {
 *		NRD_FIELD_STR(struct vm_nic, nic_tag, NRD_REQUIRED, link_tag_check),
 *		NRD_FIELD_MAC(struct vm_nic, mac, NRD_OPTIONAL),
 *		NRD_FIELD_U64(struct vm_nic, vlan_id, NRD_OPTIONAL, 0, 4094, .help = "802.1Q tag"),
 *	};
 *	const struct nrd_schema nic_schema = NRD_SCHEMA(struct vm_nic, present, nic_fields, NULL);
 *
 * The struct owns everything its fields point at. An all-zero struct is empty and valid.
 */
#define NRD_FIELDS_MAX 192

/* Which fields were given; nulls are the given ones that were null (NRD_NULLABLE fields only). */
struct nrd_present {
	uint64_t set[NRD_FIELDS_MAX / 64];
	uint64_t null[NRD_FIELDS_MAX / 64];
};

enum nrd_field_flags {
	NRD_OPTIONAL = 0,
	NRD_REQUIRED = 1u << 0,
	NRD_NULLABLE = 1u << 1, /* null is accepted: field present, value empty */
	NRD_LOOSE = 1u << 2,    /* numbers and booleans also as text: "5", "true" */
	NRD_READONLY = 1u << 3, /* for callers; the decoder does not look at it */
	NRD_SECRET = 1u << 4,   /* for callers; the value never enters an error message */
	NRD_FIELD_USER = 1u << 16, /* this bit and above: free for the table's owner */
};

enum nrd_field_type {
	NRD_TYPE_STR,  /* char * */
	NRD_TYPE_U64,  /* uint64_t */
	NRD_TYPE_I64,  /* int64_t */
	NRD_TYPE_BOOL, /* bool */
	NRD_TYPE_MAC,  /* struct nrd_mac */
	NRD_TYPE_UUID, /* struct nrd_uuid */
	NRD_TYPE_ENUM, /* int or an enum: index in names */
	NRD_TYPE_STRV, /* char **: array of strings */
	NRD_TYPE_MAP,  /* char **: object of strings, as key, value, key, value, NULL; see scalars */
	NRD_TYPE_ANY,  /* char *: any JSON value, kept as compact JSON text */
	NRD_TYPE_OBJ,  /* T *: one object, NULL when absent */
	NRD_TYPE_ARR,  /* T * and size_t n_<member>: array of objects, contiguous */
};

struct nrd_schema;

/*
 * Says whether a value will do. s is the string, the member of a STRV, the value in a MAP or the
 * JSON text of ANY. On refusal use nrd_fail(err, EINVAL, code, "rule") : the field's path is put
 * before it.
 */
typedef int nrd_check_fn(const char *s, struct nrd_err *err);

/* After all fields of an object were decoded: rules between fields. */
typedef int nrd_object_check_fn(const void *obj, struct nrd_err *err);

struct nrd_field {
	const char *name;
	const char *json;  /* key, where it is not the member's name */
	const char *help;  /* one line for nrd_schema_describe */
	enum nrd_field_type type;
	unsigned flags;
	size_t offset;
	size_t n_offset;   /* ARR: of the count */
	union {
		struct { uint64_t min, max; } u64;   /* ARR, STRV, MAP: how many; max 0: any */
		struct { int64_t min, max; } i64;
	};
	bool scalars;      /* MAP: numbers and truth values as well, which stay what they are: nrd_scalar_text() */
	nrd_check_fn *check;
	const char *const *names;        /* ENUM */
	const struct nrd_schema *schema; /* OBJ, ARR */
};

/*
 * The text of a value of a MAP with scalars. What is no string has a mark before its JSON text, which is skipped here; a
 * string that begins with the mark (a control character) and goes on as one is taken for it.
 */
#define NRD_SCALAR_MARK '\1'
const char *nrd_scalar_text(const char *value);

struct nrd_schema {
	const char *name; /* for messages that name no path: "payload" */
	const struct nrd_field *fields;
	size_t n_fields;
	size_t size;
	size_t present;   /* offset of struct nrd_present */
	nrd_object_check_fn *check;
};

/*
 * Field makers: (struct type, member, flags, ...). The member's type is checked at compile time.
 * Further designators may follow: .json = "limit-priv", .help = "...".
 */
#define NRD_FIELD_(t, m, f, type_, ctype) \
	.name = #m, .type = (type_), .flags = (f), .offset = NRD_OFFSET(t, m, ctype)
#define NRD_FIELD_STR(t, m, f, check_, ...) \
	{ NRD_FIELD_(t, m, f, NRD_TYPE_STR, char *), .check = (check_), __VA_ARGS__ }
#define NRD_FIELD_U64(t, m, f, min_, max_, ...) \
	{ NRD_FIELD_(t, m, f, NRD_TYPE_U64, uint64_t), .u64 = { (min_), (max_) }, __VA_ARGS__ }
#define NRD_FIELD_I64(t, m, f, min_, max_, ...) \
	{ NRD_FIELD_(t, m, f, NRD_TYPE_I64, int64_t), .i64 = { (min_), (max_) }, __VA_ARGS__ }
#define NRD_FIELD_BOOL(t, m, f, ...) { NRD_FIELD_(t, m, f, NRD_TYPE_BOOL, bool), __VA_ARGS__ }
#define NRD_FIELD_MAC(t, m, f, ...) \
	{ NRD_FIELD_(t, m, f, NRD_TYPE_MAC, struct nrd_mac), __VA_ARGS__ }
#define NRD_FIELD_UUID(t, m, f, ...) \
	{ NRD_FIELD_(t, m, f, NRD_TYPE_UUID, struct nrd_uuid), __VA_ARGS__ }
#define NRD_FIELD_ENUM(t, m, f, names_, ...)                                                       \
	{ .name = #m, .type = NRD_TYPE_ENUM, .flags = (f), .names = (names_),                      \
	  .offset = offsetof(t, m) + NRD_MUST_BE(sizeof(((t *)NULL)->m) == sizeof(int)),           \
	  __VA_ARGS__ }
#define NRD_FIELD_STRV(t, m, f, max_, check_, ...)                                                 \
	{ NRD_FIELD_(t, m, f, NRD_TYPE_STRV, char **), .u64 = { 0, (max_) }, .check = (check_),    \
	  __VA_ARGS__ }
#define NRD_FIELD_MAP(t, m, f, max_, check_, ...)                                                  \
	{ NRD_FIELD_(t, m, f, NRD_TYPE_MAP, char **), .u64 = { 0, (max_) }, .check = (check_),     \
	  __VA_ARGS__ }
#define NRD_FIELD_ANY(t, m, f, check_, ...) \
	{ NRD_FIELD_(t, m, f, NRD_TYPE_ANY, char *), .check = (check_), __VA_ARGS__ }
#define NRD_FIELD_OBJ(t, m, f, mt, schema_, ...) \
	{ NRD_FIELD_(t, m, f, NRD_TYPE_OBJ, mt *), .schema = (schema_), __VA_ARGS__ }
#define NRD_FIELD_ARR(t, m, f, mt, max_, schema_, ...)                                             \
	{ NRD_FIELD_(t, m, f, NRD_TYPE_ARR, mt *), .n_offset = NRD_OFFSET(t, n_##m, size_t),       \
	  .u64 = { 0, (max_) }, .schema = (schema_), __VA_ARGS__ }

#define NRD_SCHEMA(t, present_, fields_, check_)                                                   \
	{ .name = #t, .fields = (fields_),                                                         \
	  .n_fields = nrd_count(fields_) + NRD_MUST_BE(nrd_count(fields_) <= NRD_FIELDS_MAX),      \
	  .size = sizeof(t), .present = NRD_OFFSET(t, present_, struct nrd_present),               \
	  .check = (check_) }

enum nrd_decode_flags {
	/* An update: required fields may be missing and no object's check is called. */
	NRD_DECODE_PARTIAL = 1u << 0,
	NRD_DECODE_UNKNOWN = 1u << 1, /* unknown keys are skipped (foreign JSON) */
};

/*
 * Decodes a JSON object into obj, which is all zero or was decoded before: fields that are given
 * replace what is there, others stay; required fields may have come earlier. On failure obj is
 * as it was. Errors (-EINVAL): "MissingProperty", "UnknownProperty" (naming the nearest known),
 * "BadProperty" or the check's own code. The message is the path and the rule: "nics[1].vlan_id:
 * 5000 is above 4094".
 */
int nrd_decode(const struct nrd_schema *schema, const struct nrd_val *val, unsigned flags,
	       void *obj, struct nrd_err *err);

/* The same, but nothing is looked at but these members (NULL: all): for who reads many objects and little of each. */
int nrd_decode_some(const struct nrd_schema *schema, const struct nrd_val *val, unsigned flags, const char *const *only,
		    void *obj, struct nrd_err *err);

/* nrd_json_parse and nrd_decode at once. */
int nrd_decode_text(const struct nrd_schema *schema, const char *text, size_t len,
		    const struct nrd_json_limits *limits, unsigned flags, void *obj,
		    struct nrd_err *err);

/*
 * Sets one field from text, as in `vmadm update uuid ram=512`. STRV, MAP, ANY, OBJ and ARR take
 * JSON text. Errors as above.
 */
int nrd_decode_field(const struct nrd_schema *schema, const char *key, const char *text,
		     void *obj, struct nrd_err *err);

/* Writes the present fields as one object, in table order. */
void nrd_encode(const struct nrd_schema *schema, const void *obj, struct nrd_jw *w);

/* Writes the value of one field (null when absent). */
void nrd_encode_field(const struct nrd_schema *schema, const struct nrd_field *field,
		      const void *obj, struct nrd_jw *w);

/* Frees what obj owns and zeroes it. NULL is fine. */
void nrd_object_fini(const struct nrd_schema *schema, void *obj);

/* A deep copy into dst, which must be all zero. 0 or -ENOMEM (dst is then all zero). */
int nrd_object_copy(const struct nrd_schema *schema, const void *src, void *dst);

/* The field behind a JSON key, or NULL. */
const struct nrd_field *nrd_schema_find(const struct nrd_schema *schema, const char *key);
const char *nrd_field_key(const struct nrd_field *field);

/* Presence by field. NRD_HAS(&nic_schema, nic, vlan_id) finds the field by its member. */
bool nrd_field_present(const struct nrd_schema *schema, const struct nrd_field *field,
		       const void *obj);
bool nrd_field_null(const struct nrd_schema *schema, const struct nrd_field *field,
		    const void *obj);
const struct nrd_field *nrd_schema_at(const struct nrd_schema *schema, size_t offset);

#define NRD_HAS(schema_, obj, member) \
	nrd_field_present((schema_), NRD_FIELD_OF(schema_, obj, member), (obj))
#define NRD_IS_NULL(schema_, obj, member) \
	nrd_field_null((schema_), NRD_FIELD_OF(schema_, obj, member), (obj))
#define NRD_FIELD_OF(schema_, obj, member) \
	nrd_schema_at((schema_), offsetof(__typeof__(*(obj)), member))

/*
 * After filling a member by hand (a default): marks it present and not null, or absent (the
 * value is freed).
 */
void nrd_field_set(const struct nrd_schema *schema, const struct nrd_field *field, void *obj);
void nrd_field_clear(const struct nrd_schema *schema, const struct nrd_field *field, void *obj);

#define NRD_SET(schema_, obj, member) \
	nrd_field_set((schema_), NRD_FIELD_OF(schema_, obj, member), (obj))
#define NRD_CLEAR(schema_, obj, member) \
	nrd_field_clear((schema_), NRD_FIELD_OF(schema_, obj, member), (obj))

/* One line a field: name, type, rule, help; nested objects indented. For `vmadm help payload`. */
void nrd_schema_describe(const struct nrd_schema *schema, struct nrd_buf *out);
