/* SPDX-License-Identifier: MPL-2.0 */
/* Copyright 2026 The Nereid authors */
#include "ref.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "nrd/mem.h"
#include "nrd/str.h"

#define TAG_MAX  128
#define LOWER    "abcdefghijklmnopqrstuvwxyz"
#define DIGITS   "0123456789"
#define HUB      "docker.io"
#define HUB_OWN  "library/"

void
image_ref_fini(struct image_ref *ref)
{
	free(ref->host);
	free(ref->path);
	free(ref->tag);
	free(ref->digest);
	*ref = (struct image_ref){ 0 };
}

void
image_ref_cleanup(struct image_ref *ref)
{
	image_ref_fini(ref);
}

bool
image_tag_valid(const char *tag)
{
	size_t len = strlen(tag);

	return len > 0 && len <= TAG_MAX && tag[0] != '.' && tag[0] != '-' &&
	       strspn(tag, LOWER "ABCDEFGHIJKLMNOPQRSTUVWXYZ" DIGITS "_.-") == len;
}

bool
image_digest_valid(const char *digest)
{
	const char *hex = digest != NULL ? nrd_starts(digest, IMAGE_DIGEST_PREFIX) : NULL;

	return hex != NULL && strlen(hex) == 64 && strspn(hex, DIGITS "abcdef") == 64;
}

int
image_digest_check(const char *digest, const char *what, struct nrd_err *err)
{
	if (image_digest_valid(digest))
		return 0;
	if (digest == NULL)
		return nrd_fail(err, EINVAL, "ImageDigest", "%s: it has no digest", what);
	return nrd_fail(err, EINVAL, "ImageDigest",
			"%s: \"%.80s\" is no digest that is understood: sha256: and 64 lower case "
			"hexadecimal digits", what, digest);
}

/* Letters and digits, with one mark (or two underscores, or any number of hyphens) between them. */
static bool
part_valid(struct nrd_str part)
{
	bool mark = true;

	for (size_t i = 0; i < part.len; i++) {
		char c = part.data[i];
		bool alnum = strchr(LOWER DIGITS, c) != NULL;
		bool again = mark && i > 0 && c == part.data[i - 1] && (c == '-' || c == '_');

		if (c == '\0' || (!alnum && strchr("._-", c) == NULL) || (!alnum && mark && !again))
			return false;
		mark = !alnum;
	}
	return !mark;
}

static bool
path_valid(const char *path)
{
	struct nrd_str rest = nrd_str(path), part;

	if (path[0] == '\0')
		return false;
	while (nrd_str_split(&rest, '/', &part))
		if (!part_valid(part))
			return false;
	return true;
}

/* A name or an address, and maybe a port; IPv6 in brackets. */
static bool
host_valid(const char *host)
{
	size_t len = strlen(host);
	const char *colon = strrchr(host, ':');
	bool bracket = host[0] == '[';

	if (bracket && strchr(host, ']') == NULL)
		return false;
	if (colon != NULL && (!bracket || colon > strchr(host, ']'))) {
		if (colon[1] == '\0' || strlen(colon + 1) > 5 || strspn(colon + 1, DIGITS) != strlen(colon + 1))
			return false;
		len = (size_t)(colon - host);
	}
	return len > 0 && strspn(host, LOWER "ABCDEFGHIJKLMNOPQRSTUVWXYZ" DIGITS "-." "[]:") >= len &&
	       (bracket || memchr(host, ':', len) == NULL) && host[0] != '-' && host[0] != '.';
}

static bool
looks_like_host(struct nrd_str part)
{
	return memchr(part.data, '.', part.len) != NULL || memchr(part.data, ':', part.len) != NULL ||
	       nrd_str_eq(part, "localhost");
}

/* Cuts the text at that place, and keeps what stands behind it. */
static int
cut(char *at, char **ret_rest)
{
	*ret_rest = nrd_format("%s", at + 1);
	*at = '\0';
	return *ret_rest != NULL ? 0 : -ENOMEM;
}

static int
split(char *text, struct image_ref *ref)
{
	char *at = strchr(text, '@'), *slash = strchr(text, '/'), *colon;
	char *path = text;

	if (at != NULL && cut(at, &ref->digest) < 0)
		return -ENOMEM;
	if (slash != NULL && (at == NULL || slash < at) &&
	    looks_like_host(nrd_strn(text, (size_t)(slash - text)))) {
		ref->host = nrd_str_dup(nrd_strn(text, (size_t)(slash - text)));
		if (ref->host == NULL)
			return -ENOMEM;
		path = slash + 1;
	}
	colon = strrchr(path, ':');
	if (colon != NULL && cut(colon, &ref->tag) < 0)
		return -ENOMEM;
	if (ref->tag == NULL && ref->digest == NULL && nrd_str_set(&ref->tag, IMAGE_REF_TAG) < 0)
		return -ENOMEM;
	return nrd_str_set(&ref->path, path);
}

int
image_ref_parse(const char *text, struct image_ref *ret_ref, struct nrd_err *err)
{
	NRD_AUTO(image_ref) ref = { 0 };
	NRD_FREE char *copy = nrd_format("%s", text);
	const char *why = NULL;

	if (copy == NULL || (strlen(text) <= IMAGE_REF_MAX && split(copy, &ref) < 0))
		return nrd_nomem(err);
	if (ref.path == NULL)
		why = "it is too long";
	else if (ref.host != NULL && !host_valid(ref.host))
		why = "what stands before the first slash is no host";
	else if (!path_valid(ref.path))
		why = "a repository has lower case letters, digits, and between them . _ - and /";
	else if (ref.tag != NULL && !image_tag_valid(ref.tag))
		why = "what stands behind the colon is no tag";
	else if (ref.digest != NULL && !image_digest_valid(ref.digest))
		why = "what stands behind the @ is no digest (sha256: and 64 hexadecimal digits)";
	if (why != NULL)
		return nrd_fail(err, EINVAL, "InvalidName",
				"\"%.100s\" is neither the UUID of an image nor [HOST/]REPOSITORY[:TAG]: %s",
				text, why);
	*ret_ref = ref;
	ref = (struct image_ref){ 0 };
	return 0;
}

char *
image_ref_path(const struct image_ref *ref, const char *host)
{
	bool own = nrd_streq(host, HUB) && strchr(ref->path, '/') == NULL;

	return nrd_format("%s%s", own ? HUB_OWN : "", ref->path);
}

char *
image_ref_repo(const struct image_ref *ref, const char *host)
{
	NRD_FREE char *path = image_ref_path(ref, host);

	if (path == NULL)
		return NULL;
	return host != NULL ? nrd_format("%s/%s", host, path) : nrd_format("%s", path);
}
