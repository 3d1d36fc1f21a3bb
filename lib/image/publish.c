/* SPDX-License-Identifier: MPL-2.0 */
/* Copyright 2026 The Nereid authors */
#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "create.h"
#include "http/client.h"
#include "nrd/buf.h"
#include "nrd/json.h"
#include "nrd/mem.h"
#include "nrd/str.h"

struct upload {
	const struct image_opts *opts;
	const char *base; /* http://SERVER/images/UUID; owned by the caller */
	const char *name;
};

static int
on_progress(void *arg, uint64_t done, uint64_t total, struct nrd_err *err)
{
	const struct upload *u = arg;

	(void)err;
	if (u->opts->progress != NULL)
		u->opts->progress(u->opts->arg, u->name, done, total);
	return 0;
}

/* One request; the answer, where the caller wants it, is a manifest. */
static int
ask(const struct upload *u, const char *path, const struct http_body *body,
    struct image_manifest *ret_manifest, struct nrd_err *err)
{
	const char *env = getenv("IMGADM_INSECURE");
	const struct http_opts how = {
		.stop = u->opts->stop,
		.progress = body->fd > 0 ? on_progress : NULL,
		/* Only read by on_progress(). */
		.progress_arg = (void *)(uintptr_t)u,
		.insecure = env != NULL && env[0] != '\0' && !nrd_streq(env, "0"),
	};
	NRD_AUTO(nrd_buf) answer = NRD_BUF_INIT(IMAGE_MANIFEST_MAX);
	NRD_FREE char *url = nrd_format("%s%s", u->base, path);
	struct nrd_err why = { 0 };

	if (url == NULL)
		return nrd_nomem(err);
	if (http_send(url, &how, body, &answer, &why) < 0) {
		if (nrd_err_is(&why, "Interrupted"))
			return nrd_fail(err, EINTR, "Interrupted", "%s", why.msg);
		return nrd_fail(err, why.num, "UploadError", "%s", why.msg);
	}
	if (ret_manifest == NULL)
		return 0;
	if (image_manifest_parse(nrd_buf_str(&answer), answer.len, IMAGE_FOREIGN, ret_manifest,
				 &why) < 0)
		return nrd_fail(err, EIO, "UploadError", "%s: the answer is no manifest: %s", url,
				why.msg);
	return 0;
}

static int
send_manifest(const struct upload *u, const struct image_manifest *m, struct nrd_err *err)
{
	NRD_AUTO(nrd_buf) text = { 0 };
	struct nrd_jw w;
	int r;

	nrd_jw_init(&w, &text, NRD_JW_COMPACT);
	image_manifest_encode(m, &w);
	r = nrd_jw_finish(&w, err);
	if (r < 0)
		return r;
	return ask(u, "?action=import&skip_owner_check=true",
		   &(struct http_body){ .method = "POST", .type = "application/json",
					.text = nrd_buf_str(&text), .size = text.len },
		   NULL, err);
}

static int
send_file(const struct upload *u, const struct image_file *file, int fd, struct nrd_err *err)
{
	const char *packed = IMAGE_FILE_HAS(file, compression)
				     ? image_compression_names[file->compression]
				     : image_compression_names[IMAGE_NONE];
	NRD_FREE char *path = nrd_format("/file?compression=%s", packed);
	NRD_AUTO(image_manifest) got = { 0 };
	const struct image_file *theirs;
	int r;

	if (path == NULL)
		return nrd_nomem(err);
	r = ask(u, path,
		&(struct http_body){ .method = "PUT", .type = "application/octet-stream", .fd = fd,
				     .size = file->size },
		&got, err);
	if (r < 0)
		return r;
	theirs = image_manifest_file(&got);
	if (theirs == NULL || theirs->size != file->size || !nrd_streq(theirs->sha1, file->sha1))
		return nrd_fail(err, EIO, "UploadError",
				"%s: what the server has of the file is not what was sent", u->base);
	return 0;
}

int
image_publish(const struct image_opts *opts, const char *url,
	      const struct image_manifest *manifest, int fd, const char *name,
	      struct nrd_err *err)
{
	const struct image_file *file = image_manifest_file(manifest);
	NRD_FREE char *plain = nrd_format("%s", url);
	NRD_FREE char *base = NULL;
	struct upload u = { .opts = opts, .name = name };
	int r = plain != NULL ? http_url_check(url, err) : nrd_nomem(err);

	if (r < 0)
		return r;
	if (file == NULL)
		return nrd_fail(err, EINVAL, "InvalidManifest",
				"the manifest says nothing of the file: \"files\" is missing");
	for (size_t len = nrd_str(plain).len; len > 0 && plain[len - 1] == '/';)
		plain[--len] = '\0';
	base = nrd_format("%s/images/%s", plain, manifest->uuid);
	if (base == NULL)
		return nrd_nomem(err);
	u.base = base;
	r = image_file_check(file, fd, name, err);
	if (r == 0)
		r = send_manifest(&u, manifest, err);
	if (r == 0)
		r = send_file(&u, file, fd, err);
	if (r == 0)
		r = ask(&u, "?action=activate", &(struct http_body){ .method = "POST", .text = "" },
			NULL, err);
	return r;
}
