/* SPDX-License-Identifier: MPL-2.0 */
/* Copyright 2026 The Nereid authors */
#include "manifest.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "manifest-priv.h"
#include "nrd/buf.h"
#include "nrd/mem.h"
#include "nrd/str.h"
#include "nrd/uuid.h"

#define NAME_MAX_BYTES        1024
#define VERSION_MAX_BYTES     512
#define URL_MAX_BYTES         1024
#define DESCRIPTION_MAX_BYTES ((size_t)10 << 10)
#define BAG_MAX_BYTES         ((size_t)100 << 10) /* tags and traits */
#define MEMBERS_MAX           1000

#define X(id, text) text,
const char *const image_os_names[] = { IMAGE_OSES(X) NULL };
const char *const image_type_names[] = { IMAGE_TYPES(X) NULL };
const char *const image_state_names[] = { IMAGE_STATES(X) NULL };
const char *const image_compression_names[] = { IMAGE_COMPRESSIONS(X) NULL };
#undef X

/* ---- rules of one field ---- */

#define bad(err, ...) nrd_fail((err), EINVAL, "ManifestValidation", __VA_ARGS__)

bool
image_uuid_valid(const char *s)
{
	return nrd_uuid_valid(s) && strpbrk(s, "ABCDEF") == NULL;
}

int
image_uuid_check(const char *s, struct nrd_err *err)
{
	if (image_uuid_valid(s))
		return 0;
	return nrd_fail(err, EINVAL, "InvalidUUID",
			"\"%.64s\" is no UUID (8-4-4-4-12 lower case hexadecimal digits)", s);
}

static bool
is_alnum(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

/* Letters, digits and those marks, at most max of them. */
static int
word_check(const char *s, size_t max, const char *marks, struct nrd_err *err)
{
	size_t len = strlen(s);

	if (len == 0 || len > max)
		return bad(err, "must have 1 to %zu characters, not %zu", max, len);
	for (; *s != '\0'; s++)
		if (!is_alnum(*s) && strchr(marks, *s) == NULL)
			return bad(err, "'%c' is not allowed (letters, digits and \"%s\" are)", *s,
				   marks);
	return 0;
}

static int
name_check(const char *s, struct nrd_err *err)
{
	return word_check(s, NAME_MAX_BYTES, "._/ -", err);
}

static int
version_check(const char *s, struct nrd_err *err)
{
	return word_check(s, VERSION_MAX_BYTES, "._/+-", err);
}

static int
small_check(const char *s, struct nrd_err *err)
{
	return word_check(s, 64, "._-", err);
}

static int
description_check(const char *s, struct nrd_err *err)
{
	return strlen(s) <= DESCRIPTION_MAX_BYTES ? 0 : bad(err, "is longer than 10 KiB");
}

static int
url_check(const char *s, struct nrd_err *err)
{
	const char *rest = nrd_starts(s, "http://") ?: nrd_starts(s, "https://");

	if (rest == NULL || *rest == '\0' || strlen(s) > URL_MAX_BYTES)
		return bad(err, "must be an http or https URL of at most %d characters",
			   URL_MAX_BYTES);
	return 0;
}

/* Digits where the pattern has '0', else the same character. */
static bool
looks_like(const char *s, const char *pattern)
{
	for (; *pattern != '\0'; s++, pattern++)
		if (*pattern == '0' ? *s < '0' || *s > '9' : *s != *pattern)
			return false;
	return *s == '\0';
}

static int
time_check(const char *s, struct nrd_err *err)
{
	if (looks_like(s, "0000-00-00T00:00:00Z") || looks_like(s, "0000-00-00T00:00:00.000Z"))
		return 0;
	return bad(err, "\"%.40s\" is no time such as 2026-01-31T12:00:00Z", s);
}

static int
platform_check(const char *s, struct nrd_err *err)
{
	if (looks_like(s, "00000000T000000Z"))
		return 0;
	return bad(err, "\"%.40s\" is no platform such as 20260131T120000Z", s);
}

static int
sha1_check(const char *s, struct nrd_err *err)
{
	if (strlen(s) == 40 && strspn(s, "0123456789abcdef") == 40)
		return 0;
	return bad(err, "must be 40 lower case hexadecimal digits");
}

static int
bootrom_check(const char *s, struct nrd_err *err)
{
	if (nrd_streq(s, "bios") || nrd_streq(s, "uefi"))
		return 0;
	return bad(err, "\"%.40s\" is not one of bios, uefi", s);
}

static int
bag_check(const char *s, struct nrd_err *err)
{
	if (s[0] != '{')
		return bad(err, "must be an object");
	return strlen(s) <= BAG_MAX_BYTES ? 0 : bad(err, "is larger than 100 KiB");
}

/* ---- the tables ---- */

static const struct nrd_field file_fields[] = {
	NRD_FIELD_STR(struct image_file, sha1, NRD_REQUIRED, sha1_check),
	NRD_FIELD_U64(struct image_file, size, NRD_REQUIRED, 0, INT64_MAX, .help = "bytes"),
	NRD_FIELD_ENUM(struct image_file, compression, NRD_OPTIONAL, image_compression_names,
		       .help = "found out when absent"),
	NRD_FIELD_STR(struct image_file, dataset_guid, NRD_OPTIONAL, small_check),
};
const struct nrd_schema image_file_schema =
	NRD_SCHEMA(struct image_file, present, file_fields, NULL);

static const struct nrd_field network_fields[] = {
	NRD_FIELD_STR(struct image_network, name, NRD_REQUIRED, description_check),
	NRD_FIELD_STR(struct image_network, description, NRD_OPTIONAL, description_check),
};
static const struct nrd_schema network_schema =
	NRD_SCHEMA(struct image_network, present, network_fields, NULL);

static int requirements_check(const void *obj, struct nrd_err *err);

static const struct nrd_field requirements_fields[] = {
	NRD_FIELD_ARR(struct image_requirements, networks, NRD_OPTIONAL, struct image_network,
		      MEMBERS_MAX, &network_schema),
	NRD_FIELD_STR(struct image_requirements, brand, NRD_OPTIONAL, small_check),
	NRD_FIELD_STR(struct image_requirements, bootrom, NRD_OPTIONAL, bootrom_check),
	NRD_FIELD_BOOL(struct image_requirements, ssh_key, NRD_OPTIONAL),
	NRD_FIELD_U64(struct image_requirements, min_ram, NRD_OPTIONAL, 0, UINT32_MAX,
		      .help = "MiB"),
	NRD_FIELD_U64(struct image_requirements, max_ram, NRD_OPTIONAL, 0, UINT32_MAX,
		      .help = "MiB"),
	NRD_FIELD_MAP(struct image_requirements, min_platform, NRD_OPTIONAL, 16, platform_check),
	NRD_FIELD_MAP(struct image_requirements, max_platform, NRD_OPTIONAL, 16, platform_check),
};
static const struct nrd_schema requirements_schema =
	NRD_SCHEMA(struct image_requirements, present, requirements_fields, requirements_check);

static const struct nrd_field user_fields[] = {
	NRD_FIELD_STR(struct image_user, name, NRD_REQUIRED, small_check),
};
static const struct nrd_schema user_schema =
	NRD_SCHEMA(struct image_user, present, user_fields, NULL);

static int manifest_check(const void *obj, struct nrd_err *err);

#define T struct image_manifest
static const struct nrd_field manifest_fields[] = {
	NRD_FIELD_U64(T, v, NRD_REQUIRED, 2, 2, .help = "version of the format"),
	NRD_FIELD_STR(T, uuid, NRD_REQUIRED, image_uuid_check),
	NRD_FIELD_STR(T, owner, NRD_OPTIONAL, image_uuid_check),
	NRD_FIELD_STR(T, name, NRD_REQUIRED, name_check),
	NRD_FIELD_STR(T, version, NRD_REQUIRED, version_check),
	NRD_FIELD_ENUM(T, state, NRD_OPTIONAL, image_state_names),
	NRD_FIELD_BOOL(T, disabled, NRD_OPTIONAL),
	NRD_FIELD_BOOL(T, activated, NRD_OPTIONAL),
	NRD_FIELD_BOOL(T, public, NRD_OPTIONAL),
	NRD_FIELD_STR(T, published_at, NRD_OPTIONAL, time_check),
	NRD_FIELD_ENUM(T, type, NRD_REQUIRED | NRD_NULLABLE, image_type_names),
	NRD_FIELD_ENUM(T, os, NRD_REQUIRED, image_os_names),
	NRD_FIELD_STR(T, origin, NRD_OPTIONAL, image_uuid_check,
		      .help = "the image this one builds on"),
	NRD_FIELD_ARR(T, files, NRD_OPTIONAL, struct image_file, 1, &image_file_schema),
	NRD_FIELD_STR(T, description, NRD_OPTIONAL, description_check),
	NRD_FIELD_STR(T, homepage, NRD_OPTIONAL, url_check),
	NRD_FIELD_STR(T, eula, NRD_OPTIONAL, url_check),
	NRD_FIELD_U64(T, image_size, NRD_OPTIONAL, 0, UINT32_MAX, .help = "MiB, of a zvol"),
	NRD_FIELD_STR(T, disk_driver, NRD_OPTIONAL, small_check),
	NRD_FIELD_STR(T, nic_driver, NRD_OPTIONAL, small_check),
	NRD_FIELD_STR(T, cpu_type, NRD_OPTIONAL, small_check),
	NRD_FIELD_OBJ(T, requirements, NRD_OPTIONAL, struct image_requirements,
		      &requirements_schema),
	NRD_FIELD_ARR(T, users, NRD_OPTIONAL, struct image_user, MEMBERS_MAX, &user_schema),
	NRD_FIELD_BOOL(T, generate_passwords, NRD_OPTIONAL),
	NRD_FIELD_STRV(T, inherited_directories, NRD_OPTIONAL, MEMBERS_MAX, description_check),
	NRD_FIELD_STRV(T, acl, NRD_OPTIONAL, MEMBERS_MAX, image_uuid_check),
	NRD_FIELD_STRV(T, billing_tags, NRD_OPTIONAL, MEMBERS_MAX, description_check),
	NRD_FIELD_STRV(T, channels, NRD_OPTIONAL, MEMBERS_MAX, small_check),
	NRD_FIELD_ANY(T, traits, NRD_OPTIONAL, bag_check),
	NRD_FIELD_ANY(T, tags, NRD_OPTIONAL, bag_check),
	NRD_FIELD_ANY(T, icon, NRD_OPTIONAL, NULL),
	NRD_FIELD_ANY(T, error, NRD_OPTIONAL, NULL),
	NRD_FIELD_STR(T, urn, NRD_OPTIONAL, description_check),
};
#undef T

const struct nrd_schema image_manifest_schema =
	NRD_SCHEMA(struct image_manifest, present, manifest_fields, manifest_check);

/* ---- rules between fields ---- */

static int
requirements_check(const void *obj, struct nrd_err *err)
{
	const struct image_requirements *r = obj;
	bool both = NRD_HAS(&requirements_schema, r, min_ram) &&
		    NRD_HAS(&requirements_schema, r, max_ram);

	if (both && r->min_ram > r->max_ram)
		return bad(err, "min_ram %llu is above max_ram %llu",
			   (unsigned long long)r->min_ram, (unsigned long long)r->max_ram);
	if (r->bootrom != NULL && !nrd_streq(r->brand, "bhyve") && !nrd_streq(r->brand, "kvm"))
		return bad(err, "bootrom goes with brand bhyve or kvm only");
	return 0;
}

static bool
has_key(const struct image_manifest *m, const char *key)
{
	return nrd_field_present(&image_manifest_schema,
				 nrd_schema_find(&image_manifest_schema, key), m);
}

/* What a disk's image says of the machine it was made for. */
static int
zvol_check(const struct image_manifest *m, struct nrd_err *err)
{
	static const struct {
		const char *key;
		bool required; /* images of newer hypervisors leave the cpu_type out */
	} keys[] = {
		{ "image_size", true }, { "disk_driver", true }, { "nic_driver", true },
		{ "cpu_type", false },
	};

	for (size_t i = 0; i < nrd_count(keys); i++) {
		bool there = has_key(m, keys[i].key);

		if (m->type == IMAGE_TYPE_ZVOL && keys[i].required && !there)
			return bad(err, "\"%s\" is missing: images of type zvol have it",
				   keys[i].key);
		if (m->type != IMAGE_TYPE_ZVOL && there)
			return bad(err, "%s: is for images of type zvol only", keys[i].key);
	}
	return 0;
}

static int
manifest_check(const void *obj, struct nrd_err *err)
{
	const struct image_manifest *m = obj;

	if (NRD_IS_NULL(&image_manifest_schema, m, type)) {
		bool unmade = IMAGE_HAS(m, state) && (m->state == IMAGE_STATE_CREATING ||
						      m->state == IMAGE_STATE_FAILED);

		return unmade ? 0 : bad(err, "type: null only while state is creating or failed");
	}
	if (m->origin != NULL && nrd_streq(m->origin, m->uuid))
		return bad(err, "origin: an image does not build on itself");
	return zvol_check(m, err);
}

/* ---- reading and writing ---- */

static int
with_code(struct nrd_err *err, int r, const char *code)
{
	if (r < 0 && r != -ENOMEM && err != NULL)
		(void)nrd_strcpy_to(err->code, sizeof(err->code), code);
	return r;
}

int
image_manifest_decode(const struct nrd_val *val, unsigned flags,
		      struct image_manifest *ret_manifest, struct nrd_err *err)
{
	struct image_manifest m = { 0 };
	int r;

	if (image_v1_is(val)) {
		NRD_AUTO(nrd_buf) text = NRD_BUF_INIT(2 * IMAGE_MANIFEST_MAX);

		r = image_v1_upgrade(val, &text, err);
		if (r == 0)
			r = nrd_decode_text(&image_manifest_schema, nrd_buf_str(&text), text.len,
					    NULL, 0, &m, err);
	} else {
		r = nrd_decode(&image_manifest_schema, val,
			       (flags & IMAGE_FOREIGN) != 0 ? NRD_DECODE_UNKNOWN : 0, &m, err);
	}
	if (r < 0)
		return with_code(err, r, "ManifestValidation");
	*ret_manifest = m;
	return 0;
}

static const struct nrd_json_limits limits = {
	.max = IMAGE_MANIFEST_MAX,
	.depth = IMAGE_MANIFEST_DEPTH,
};

int
image_manifest_parse(const char *text, size_t len, unsigned flags,
		     struct image_manifest *ret_manifest, struct nrd_err *err)
{
	NRD_AUTO(nrd_json) *doc = NULL;
	int r = nrd_json_parse(text, len, &limits, &doc, err);

	if (r < 0)
		return with_code(err, r, "InvalidManifest");
	return image_manifest_decode(nrd_json_root(doc), flags, ret_manifest, err);
}

int
image_manifest_read(const char *path, struct image_manifest *ret_manifest, struct nrd_err *err)
{
	NRD_AUTO(nrd_buf) text = NRD_BUF_INIT(IMAGE_MANIFEST_MAX);
	int r = nrd_streq(path, "-") ? nrd_buf_read_fd(&text, STDIN_FILENO, err)
				     : nrd_buf_read_file(&text, path, err);

	if (r < 0)
		return r;
	r = image_manifest_parse(nrd_buf_str(&text), text.len, 0, ret_manifest, err);
	return nrd_wrap(err, r, "manifest %s", path);
}

void
image_manifest_encode(const struct image_manifest *m, struct nrd_jw *w)
{
	nrd_encode(&image_manifest_schema, m, w);
}

int
image_manifest_copy(const struct image_manifest *m, struct image_manifest *ret,
		    struct nrd_err *err)
{
	return nrd_object_copy(&image_manifest_schema, m, ret) < 0 ? nrd_nomem(err) : 0;
}

void
image_manifest_fini(struct image_manifest *m)
{
	nrd_object_fini(&image_manifest_schema, m);
}

void
image_manifest_cleanup(struct image_manifest *m)
{
	image_manifest_fini(m);
}

const struct image_file *
image_manifest_file(const struct image_manifest *m)
{
	return m->n_files > 0 ? &m->files[0] : NULL;
}
