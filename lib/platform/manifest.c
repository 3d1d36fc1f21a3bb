/* SPDX-License-Identifier: MPL-2.0 */
/* Copyright 2026 The Nereid authors */
#include "platform/manifest.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

#include "nrd/file.h"
#include "nrd/hash.h"
#include "nrd/mem.h"
#include "nrd/str.h"
#include "nrd/vec.h"
#include "platform/stamp.h"

/* A file's name is used below a directory as it is: letters, digits, "_-.", no dot in front. */
static int
name_check(const char *s, struct nrd_err *err)
{
	size_t n = strspn(s, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-.");

	if (s[0] == '\0' || s[0] == '.' || s[n] != '\0' || n > 64 ||
	    strcasecmp(s, PLATFORM_MANIFEST) == 0)
		return nrd_fail(err, EINVAL, "BadManifest", "\"%s\" is not a file's name", s);
	return 0;
}

static int
sha256_check(const char *s, struct nrd_err *err)
{
	if (strlen(s) != NRD_HASH_TEXT - 1 || strspn(s, "0123456789abcdef") != NRD_HASH_TEXT - 1)
		return nrd_fail(err, EINVAL, "BadManifest",
				"not a SHA-256 digest in lower case hexadecimal");
	return 0;
}

static const struct platform_file *
file_find(const struct platform_manifest *m, const char *name)
{
	for (size_t i = 0; i < m->n_files; i++) {
		if (strcasecmp(m->files[i].name, name) == 0)
			return &m->files[i];
	}
	return NULL;
}

static int
manifest_check(const void *obj, struct nrd_err *err)
{
	static const char *const needed[] = { PLATFORM_KERNEL, PLATFORM_ARCHIVE };
	const struct platform_manifest *m = obj;

	for (size_t i = 0; i < nrd_count(needed); i++) {
		if (file_find(m, needed[i]) == NULL)
			return nrd_fail(err, EINVAL, "BadManifest", "files: %s is missing",
					needed[i]);
	}
	for (size_t i = 0; i < m->n_files; i++) {
		if (file_find(m, m->files[i].name) != &m->files[i])
			return nrd_fail(err, EINVAL, "BadManifest", "files: %s is there twice",
					m->files[i].name);
	}
	return 0;
}

static const struct nrd_field file_fields[] = {
	NRD_FIELD_STR(struct platform_file, name, NRD_REQUIRED, name_check,
		      .help = "its name in the platform's directory"),
	NRD_FIELD_U64(struct platform_file, size, NRD_REQUIRED, 1, PLATFORM_FILE_MAX_BYTES,
		      .help = "bytes"),
	NRD_FIELD_STR(struct platform_file, sha256, NRD_REQUIRED, sha256_check,
		      .help = "digest of its contents"),
};
static const struct nrd_schema file_schema =
	NRD_SCHEMA(struct platform_file, present, file_fields, NULL);

static const struct nrd_field manifest_fields[] = {
	NRD_FIELD_STR(struct platform_manifest, stamp, NRD_REQUIRED, platform_stamp_check,
		      .help = "the version's name"),
	NRD_FIELD_U64(struct platform_manifest, version, NRD_REQUIRED, 1, 1,
		      .help = "of this format"),
	NRD_FIELD_ARR(struct platform_manifest, files, NRD_REQUIRED, struct platform_file,
		      PLATFORM_FILES_MAX, &file_schema, .help = "kernel, boot_archive and others"),
	NRD_FIELD_STR(struct platform_manifest, kernel_release, NRD_OPTIONAL, NULL,
		      .help = "uname -r"),
	NRD_FIELD_STR(struct platform_manifest, created, NRD_OPTIONAL, NULL,
		      .help = "when it was built (RFC 3339)"),
	NRD_FIELD_STR(struct platform_manifest, url, NRD_OPTIONAL, NULL,
		      .help = "in an index: its tar file"),
};
const struct nrd_schema platform_manifest_schema =
	NRD_SCHEMA(struct platform_manifest, present, manifest_fields, manifest_check);

static const struct nrd_json_limits limits = { .max = PLATFORM_INDEX_MAX, .depth = 8 };

void
platform_manifest_fini(struct platform_manifest *m)
{
	nrd_object_fini(&platform_manifest_schema, m);
}

void
platform_manifest_cleanup(struct platform_manifest *m)
{
	platform_manifest_fini(m);
}

/* Whatever the JSON reader or the table refused is one thing to callers: a bad manifest. */
static int
bad(struct nrd_err *err, int r, const char *code)
{
	if (r == -ENOMEM || err == NULL)
		return r == -ENOMEM ? r : -EBADMSG;
	err->num = EBADMSG;
	(void)nrd_strcpy_to(err->code, sizeof(err->code), code);
	return -EBADMSG;
}

int
platform_manifest_parse(const char *text, size_t len, struct platform_manifest *ret_m,
			struct nrd_err *err)
{
	int r = nrd_decode_text(&platform_manifest_schema, text, len, &limits, NRD_DECODE_UNKNOWN,
				ret_m, err);

	return r < 0 ? bad(err, r, "BadManifest") : 0;
}

int
platform_manifest_read(const char *dir, struct platform_manifest *ret_m, struct nrd_err *err)
{
	NRD_FREE char *path = nrd_path_join(dir, PLATFORM_MANIFEST);
	NRD_FREE char *text = NULL;
	size_t len;
	int r;

	if (path == NULL)
		return nrd_nomem(err);
	r = nrd_file_read(path, PLATFORM_MANIFEST_MAX, &text, &len, err);
	if (r < 0)
		return r == -EFBIG ? bad(err, r, "BadManifest") : r;
	r = platform_manifest_parse(text, len, ret_m, err);
	return nrd_wrap(err, r, "%s", path);
}

uint64_t
platform_manifest_bytes(const struct platform_manifest *m)
{
	uint64_t sum = 0;

	for (size_t i = 0; i < m->n_files; i++)
		sum += m->files[i].size;
	return sum;
}

static int
file_open_sized(const struct platform_file *f, const char *dir, int *ret_fd, struct nrd_err *err)
{
	NRD_FREE char *path = nrd_path_join(dir, f->name);
	NRD_CLOSE int fd = -1;
	struct stat st;

	if (path == NULL)
		return nrd_nomem(err);
	fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	if (fd < 0 || fstat(fd, &st) < 0)
		return nrd_fail(err, EBADMSG, "PlatformDamaged", "%s: %s", path, strerror(errno));
	if (!S_ISREG(st.st_mode))
		return nrd_fail(err, EBADMSG, "PlatformDamaged", "%s: not a file", path);
	if ((uint64_t)st.st_size != f->size)
		return nrd_fail(err, EBADMSG, "PlatformDamaged",
				"%s: it has %lld bytes, the manifest says %llu", path,
				(long long)st.st_size, (unsigned long long)f->size);
	*ret_fd = nrd_take_fd(&fd);
	return 0;
}

int
platform_manifest_check_sizes(const struct platform_manifest *m, const char *dir,
			      struct nrd_err *err)
{
	for (size_t i = 0; i < m->n_files; i++) {
		NRD_CLOSE int fd = -1;
		int r = file_open_sized(&m->files[i], dir, &fd, err);

		if (r < 0)
			return r;
	}
	return 0;
}

int
platform_manifest_check(const struct platform_manifest *m, const char *dir, struct nrd_err *err)
{
	for (size_t i = 0; i < m->n_files; i++) {
		const struct platform_file *f = &m->files[i];
		NRD_CLOSE int fd = -1;
		char sha256[NRD_HASH_TEXT];
		int r = file_open_sized(f, dir, &fd, err);

		if (r < 0)
			return r;
		(void)posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED);
		r = nrd_hash_fd(NRD_SHA256, fd, sha256, err);
		if (r < 0)
			return nrd_wrap(err, r, "%s/%s", dir, f->name);
		if (!nrd_streq(sha256, f->sha256))
			return nrd_fail(err, EBADMSG, "PlatformDamaged",
					"%s/%s: its contents are not what the manifest says", dir,
					f->name);
	}
	return 0;
}

void
platform_index_fini(struct platform_index *index)
{
	nrd_vec_each(m, index)
		platform_manifest_fini(m);
	nrd_vec_fini(index);
}

void
platform_index_cleanup(struct platform_index *index)
{
	platform_index_fini(index);
}

static int
by_stamp(const void *a, const void *b)
{
	return strcmp(((const struct platform_manifest *)a)->stamp,
		      ((const struct platform_manifest *)b)->stamp);
}

static int
index_decode(const struct nrd_val *root, struct platform_index *index, struct nrd_err *err)
{
	struct nrd_iter it = nrd_iter(root);

	if (nrd_val_type(root) != NRD_VAL_ARR)
		return nrd_fail(err, EBADMSG, "BadIndex", "it is not a list of manifests");
	while (nrd_iter_next(&it)) {
		struct platform_manifest m = { 0 };
		int r = nrd_decode(&platform_manifest_schema, it.val, NRD_DECODE_UNKNOWN, &m, err);

		if (r == 0 && nrd_vec_push(index, m) < 0) {
			platform_manifest_fini(&m);
			return nrd_nomem(err);
		}
		if (r < 0)
			return nrd_wrap(err, bad(err, r, "BadIndex"), "[%zu]", it.index);
	}
	return 0;
}

int
platform_index_parse(const char *text, size_t len, struct platform_index *ret_index,
		     struct nrd_err *err)
{
	NRD_AUTO(nrd_json) *doc = NULL;
	NRD_AUTO(platform_index) index = { 0 };
	int r;

	r = nrd_json_parse(text, len, &limits, &doc, err);
	if (r < 0)
		return bad(err, r, "BadIndex");
	r = index_decode(nrd_json_root(doc), &index, err);
	if (r < 0)
		return r;
	if (index.len > 0)
		qsort(index.data, index.len, sizeof(*index.data), by_stamp);
	*ret_index = index;
	index = (struct platform_index){ 0 };
	return 0;
}
