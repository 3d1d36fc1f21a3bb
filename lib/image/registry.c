/* SPDX-License-Identifier: MPL-2.0 */
/* Copyright 2026 The Nereid authors */

/*
 * A registry's side of an import. Documents are small and stay in memory. A layer is downloaded to a
 * file that is named by its digest: behind ".partial" as far as it came, so that the next attempt
 * goes on there, and by the digest alone when it is whole and right. One process at a time has it.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "auth.h"
#include "challenge.h"
#include "fetch-priv.h"
#include "http/client.h"
#include "lock.h"
#include "nrd/file.h"
#include "nrd/hash.h"
#include "nrd/mem.h"
#include "nrd/str.h"
#include "place.h"

#define ANSWER_S   120 /* for all but layers */
#define ATTEMPTS   5   /* to go on after a broken transfer, if each brings something */
#define KEEP_S     (7 * 24 * 3600) /* what an import that nobody repeats has left */
#define TOKEN_MAX  ((size_t)256 << 10)
#define HUB        "docker.io"
#define HUB_API    "https://registry-1.docker.io"

struct registry {
	struct image_place place;
	const struct image_opts *opts;
	char *base;       /* of its URLs */
	char *url;        /* the source's */
	char *path;       /* of the repository */
	char *what;       /* tag or digest it was asked for */
	bool insecure;
	char *authorization; /* header line, or NULL */
	char *login;         /* the line with a name and a password for it, or NULL */
	struct image_challenge challenge; /* of the last refusal */
	bool basic;          /* which was one by name and password */
};

static void
registry_free(struct registry *reg)
{
	free(reg->base);
	free(reg->url);
	free(reg->path);
	free(reg->what);
	free(reg->authorization);
	free(reg->login);
	image_challenge_fini(&reg->challenge);
	free(reg);
}

/* ---- asking ---- */

static void
on_header(void *arg, const char *name, const char *value)
{
	struct registry *reg = arg;
	struct image_challenge c = { 0 };

	if (strcasecmp(name, "WWW-Authenticate") != 0)
		return;
	reg->basic |= strncasecmp(value, "Basic ", strlen("Basic ")) == 0;
	if (!image_challenge_parse(value, &c))
		return;
	image_challenge_fini(&reg->challenge);
	reg->challenge = c;
}

/* A registry that is asked by TLS does not send us elsewhere without it. */
static int
check_realm(const struct registry *reg, struct nrd_err *err)
{
	const char *realm = reg->challenge.realm;

	if (nrd_starts(reg->base, "https:") != NULL && nrd_starts(realm, "https:") == NULL)
		return nrd_fail(err, EPROTO, "Unauthorized", "%s sends us to %.200s for a token, which is not https",
				reg->url, realm);
	return http_url_check(realm, err);
}

static int
get_token(struct registry *reg, struct nrd_err *err)
{
	const char *const login[] = { reg->login, NULL };
	const struct http_opts how = {
		.headers = login, .total_s = ANSWER_S, .insecure = reg->insecure, .stop = reg->opts != NULL ? reg->opts->stop : NULL,
	};
	/* Who only asks whether he may come in asks for nothing. */
	NRD_FREE char *scope = reg->path != NULL ? nrd_format("repository:%s:pull", reg->path) : nrd_format("%s", "");
	NRD_FREE char *url = scope != NULL ? image_challenge_url(&reg->challenge, scope) : NULL;
	NRD_AUTO(nrd_buf) text = NRD_BUF_INIT(TOKEN_MAX);
	NRD_FREE char *token = NULL;
	int r = check_realm(reg, err);

	if (r < 0)
		return r;
	if (url == NULL)
		return nrd_nomem(err);
	r = http_get(url, &how, &text, err);
	if (r == 0)
		r = nrd_wrap(err, image_token_parse(nrd_buf_str(&text), text.len, &token, err), "%s",
			     reg->challenge.realm);
	if (r < 0)
		return r;
	free(reg->authorization);
	reg->authorization = nrd_format("Authorization: Bearer %s", token);
	return reg->authorization != NULL ? 0 : nrd_nomem(err);
}

/* What of a request is different from the next. */
struct request {
	char *url;            /* owned */
	const char *accept;   /* header line; NULL: anything */
	struct nrd_buf *out;  /* where the body goes; NULL: to fd */
	int fd;
	uint64_t from, max;
	http_progress_fn *progress;
	void *arg;
};

static int
ask_once(struct registry *reg, const struct request *q, struct nrd_err *err)
{
	const char *headers[3] = { 0 };
	const struct http_opts how = {
		.headers = headers,
		.total_s = q->out != NULL ? ANSWER_S : 0,
		.insecure = reg->insecure,
		.stop = reg->opts->stop,
		.header = on_header,
		.header_arg = reg,
		.from = q->from,
		.progress = q->progress,
		.progress_arg = q->arg,
	};
	size_t n = 0;

	if (q->accept != NULL)
		headers[n++] = q->accept;
	if (reg->authorization != NULL)
		headers[n] = reg->authorization;
	return q->out != NULL ? http_get(q->url, &how, q->out, err)
			      : http_get_file(q->url, &how, q->max, q->fd, NULL, NULL, err);
}

/* What the registry wants to see after a refusal: a token, or the name and password themselves. 0: there is nothing to show. */
static int
authorize(struct registry *reg, struct nrd_err *err)
{
	int r;

	if (reg->challenge.realm != NULL) {
		r = get_token(reg, err);
		return r < 0 ? r : 1;
	}
	if (!reg->basic || reg->login == NULL || reg->authorization != NULL)
		return 0;
	reg->authorization = nrd_format("%s", reg->login);
	return reg->authorization != NULL ? 1 : nrd_nomem(err);
}

/* With a token, where one is wanted, or the one we have is too old. */
static int
ask(struct registry *reg, const struct request *q, struct nrd_err *err)
{
	struct nrd_err why = { 0 };
	int r;

	if (q->url == NULL)
		return nrd_nomem(err);
	image_challenge_fini(&reg->challenge);
	reg->basic = false;
	r = ask_once(reg, q, &why);
	if (nrd_err_is(&why, "HttpUnauthorized")) {
		struct nrd_err other = { 0 };
		int can = authorize(reg, &other);

		if (can != 0)
			why = other;
		r = can > 0 ? ask_once(reg, q, &why) : can < 0 ? can : r;
	}
	if (r < 0 && nrd_err_is(&why, "HttpUnauthorized"))
		return nrd_fail(err, EACCES, "Unauthorized",
				reg->login != NULL ? "%s does not give %s to whom imgadm login named, or there is no such repository" :
						     "%s does not give %s to everybody (imgadm login says who you are), or there is no "
						     "such repository", reg->url, reg->path);
	if (r < 0 && err != NULL)
		*err = why;
	return r;
}

/* ---- documents ---- */

static int
get_doc(struct registry *reg, bool manifest, const char *what, struct nrd_buf *out, struct nrd_err *err)
{
	struct request q = {
		.url = nrd_format("%s/v2/%s/%s/%s", reg->base, reg->path, manifest ? "manifests" : "blobs", what),
		.accept = manifest ? "Accept: " IMAGE_DOC_ACCEPT : NULL,
		.out = out,
	};
	struct nrd_err why = { 0 };
	int r = ask(reg, &q, &why);

	free(q.url);
	if (nrd_err_is(&why, "HttpNotFound"))
		return nrd_fail(err, ENOENT, "ImageNotFound", "%s has no image %s%s%s", reg->url, reg->path,
				nrd_starts(what, IMAGE_DIGEST_PREFIX) != NULL ? "@" : ":", what);
	if (r < 0 && err != NULL)
		*err = why;
	return r;
}

static int
registry_top(struct image_place *place, struct nrd_buf *out, struct nrd_err *err)
{
	struct registry *reg = (struct registry *)place;
	int r = get_doc(reg, true, reg->what, out, err);

	/* What a tag names is the registry's word. */
	if (r < 0 || !image_digest_valid(reg->what))
		return r;
	return image_digest_match(nrd_buf_str(out), out->len, reg->what, reg->path, err);
}

static int
registry_doc(struct image_place *place, const struct image_blob *blob, bool manifest, struct nrd_buf *out,
	     struct nrd_err *err)
{
	struct registry *reg = (struct registry *)place;
	int r = get_doc(reg, manifest, blob->digest, out, err);

	return r < 0 ? r : image_digest_match(nrd_buf_str(out), out->len, blob->digest, reg->path, err);
}

/* ---- layers ---- */

struct layer {
	struct registry *reg;
	const struct image_blob *blob;
	const char *name; /* the digest without its colon: of the lock and of files */
	char *path;       /* when it is whole; owned */
	char *partial;    /* owned */
	int fd;           /* of the partial one; owned */
};

static void
layer_cleanup(struct layer *l)
{
	free(l->path);
	free(l->partial);
	if (l->fd >= 0)
		(void)close(l->fd);
}

static char *
file_name(const struct image_blob *blob)
{
	return nrd_format("sha256-%s", blob->digest + strlen(IMAGE_DIGEST_PREFIX));
}

static int
on_progress(void *arg, uint64_t done, uint64_t total, struct nrd_err *err)
{
	const struct layer *l = arg;
	const struct image_opts *opts = l->reg->opts;

	(void)total;
	(void)err;
	if (opts->progress != NULL)
		opts->progress(opts->arg, l->name, done, l->blob->size);
	return 0;
}

/* 1: fd is it, 0: it is something else. */
static int
is_right(int fd, const struct image_blob *blob, struct nrd_err *err)
{
	char hex[NRD_HASH_TEXT];
	struct stat st;
	int r;

	if (fstat(fd, &st) < 0 || lseek(fd, 0, SEEK_SET) < 0)
		return nrd_fail(err, errno, "FileRead", "read a download: %m");
	if (!S_ISREG(st.st_mode) || (uint64_t)st.st_size != blob->size)
		return 0;
	r = nrd_hash_fd(NRD_SHA256, fd, hex, err);
	if (r < 0)
		return r;
	if (lseek(fd, 0, SEEK_SET) < 0)
		return nrd_fail(err, errno, "FileRead", "read a download: %m");
	return nrd_streq(hex, blob->digest + strlen(IMAGE_DIGEST_PREFIX));
}

static int
get_from(struct layer *l, uint64_t from, struct nrd_err *err)
{
	struct registry *reg = l->reg;
	struct request q = {
		.url = nrd_format("%s/v2/%s/blobs/%s", reg->base, reg->path, l->blob->digest),
		.fd = l->fd,
		.from = from,
		.max = l->blob->size - from,
		.progress = on_progress,
		.arg = l,
	};
	int r = ask(reg, &q, err);

	free(q.url);
	return r;
}

static bool
may_go_on(const struct nrd_err *why)
{
	return nrd_err_is(why, "HttpBroken") || nrd_err_is(why, "HttpTimeout") || nrd_err_is(why, "HttpRange");
}

/* On from where the file ends, as often as that brings more of it. */
static int
get_rest(struct layer *l, struct nrd_err *err)
{
	off_t before = -1;

	for (unsigned i = 0;; i++) {
		struct nrd_err why = { 0 };
		off_t at = lseek(l->fd, 0, SEEK_END);
		int r;

		if (at < 0 || ((uint64_t)at > l->blob->size && ftruncate(l->fd, at = 0) < 0) ||
		    lseek(l->fd, at, SEEK_SET) < 0)
			return nrd_fail(err, errno, "FileWrite", "write %s: %m", l->partial);
		if ((uint64_t)at == l->blob->size && at > 0)
			return 0;
		r = get_from(l, (uint64_t)at, &why);
		if (r == 0)
			return 0;
		/* This server gives it whole or not at all. */
		if (nrd_err_is(&why, "HttpRange") && ftruncate(l->fd, 0) < 0)
			return nrd_fail(err, errno, "FileWrite", "write %s: %m", l->partial);
		if (!may_go_on(&why) || i + 1 >= ATTEMPTS || (at <= before && !nrd_err_is(&why, "HttpRange"))) {
			if (err != NULL)
				*err = why;
			return r;
		}
		before = at;
	}
}

static int
get_whole(struct layer *l, struct nrd_err *err)
{
	int r = 0;

	/* What an earlier attempt has left may be wrong; then once more, from the beginning. */
	for (bool fresh = lseek(l->fd, 0, SEEK_END) <= 0; r == 0;) {
		r = get_rest(l, err);
		if (r == 0)
			r = is_right(l->fd, l->blob, err);
		if (r != 0)
			break;
		if (ftruncate(l->fd, 0) < 0)
			return nrd_fail(err, errno, "FileWrite", "write %s: %m", l->partial);
		if (fresh)
			return nrd_fail(err, EBADMSG, "DownloadError",
					"%s: what %s gives for layer %s is something else: its size or digest is wrong",
					l->reg->path, l->reg->url, l->blob->digest);
		fresh = true;
	}
	return r < 0 ? r : 0;
}

static int
get_locked(struct layer *l, int *ret_fd, struct nrd_err *err)
{
	NRD_CLOSE int whole = open(l->path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	int r = whole >= 0 ? is_right(whole, l->blob, err) : 0;

	if (r > 0)
		*ret_fd = nrd_take_fd(&whole);
	if (r != 0)
		return r < 0 ? r : 0;
	l->fd = open(l->partial, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (l->fd < 0)
		return nrd_fail(err, errno, "DownloadError", "make %s: %m", l->partial);
	r = get_whole(l, err);
	if (r == 0 && rename(l->partial, l->path) < 0)
		r = nrd_fail(err, errno, "DownloadError", "rename %s: %m", l->partial);
	/* A full pool is not to stay full, and what is wrong is no beginning. */
	if (r == -ENOSPC || r == -EDQUOT || r == -EBADMSG)
		(void)unlink(l->partial);
	if (r == 0)
		*ret_fd = nrd_take_fd(&l->fd);
	return r;
}

static int
registry_blob(struct image_place *place, const struct image_blob *blob, int *ret_fd, struct nrd_err *err)
{
	struct registry *reg = (struct registry *)place;
	NRD_FREE char *name = file_name(blob);
	__attribute__((cleanup(layer_cleanup))) struct layer l = {
		.reg = reg, .blob = blob, .name = name, .fd = -1,
	};
	int lock = -1;
	int r = nrd_mkdir_p(IMAGE_DOWNLOADS, 0700, err);

	if (r < 0)
		return r;
	l.path = nrd_format(IMAGE_DOWNLOADS "/%s", name);
	l.partial = nrd_format(IMAGE_DOWNLOADS "/%s.partial", name);
	if (name == NULL || l.path == NULL || l.partial == NULL)
		return nrd_nomem(err);
	r = image_lock(name, true, &lock, err);
	if (r < 0)
		return r;
	r = get_locked(&l, ret_fd, err);
	image_unlock(name, &lock);
	return r;
}

static void
registry_used(struct image_place *place, const struct image_blob *blob)
{
	NRD_FREE char *name = file_name(blob);
	NRD_FREE char *path = name != NULL ? nrd_format(IMAGE_DOWNLOADS "/%s", name) : NULL;

	(void)place;
	if (path != NULL)
		(void)unlink(path);
}

/* What imports have left that nobody has gone on with. */
static void
sweep(void)
{
	NRD_CLOSEDIR DIR *d = opendir(IMAGE_DOWNLOADS);
	const struct dirent *e;
	struct stat st;

	while (d != NULL && (e = readdir(d)) != NULL)
		if (nrd_starts(e->d_name, "sha256-") != NULL &&
		    fstatat(dirfd(d), e->d_name, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
		    st.st_mtime < time(NULL) - KEEP_S)
			(void)unlinkat(dirfd(d), e->d_name, 0);
}

/* ---- opening ---- */

static void
registry_close(struct image_place *place)
{
	registry_free((struct registry *)place);
}

static const struct image_place_ops registry_ops = {
	.top = registry_top, .doc = registry_doc, .blob = registry_blob, .used = registry_used,
	.close = registry_close,
};

char *
image_registry_host(const struct image_source *source)
{
	const char *host = strstr(source->url, "://");
	const char *at;
	size_t len;

	host = host != NULL ? host + 3 : source->url;
	len = strcspn(host, "/?");
	/* A user and a password are nobody's name. */
	at = memrchr(host, '@', len);
	if (at != NULL) {
		len -= (size_t)(at + 1 - host);
		host = at + 1;
	}
	return nrd_str_dup(nrd_strn(host, len));
}

static char *
base_of(const struct image_source *source)
{
	NRD_FREE char *host = image_registry_host(source);

	if (nrd_streq(host, HUB))
		return nrd_format("%s", HUB_API);
	return nrd_str_dup(nrd_strn(source->url, strcspn(source->url, "?")));
}

/* A password goes over TLS, unless the operator has said of the source that it is no matter. */
static bool
may_tell(const struct registry *reg)
{
	return nrd_starts(reg->base, "https:") != NULL || reg->insecure;
}

int
image_registry_open(const struct image_opts *opts, const struct image_source *source,
		    const struct image_ref *ref, struct image_place **ret_place, struct nrd_err *err)
{
	NRD_FREE char *host = image_registry_host(source);
	struct registry *reg = calloc(1, sizeof(*reg));
	int r;

	if (reg == NULL || host == NULL) {
		free(reg);
		return nrd_nomem(err);
	}
	reg->opts = opts;
	reg->insecure = image_source_insecure(source);
	reg->base = base_of(source);
	reg->url = nrd_format("%s", source->url);
	reg->path = image_ref_path(ref, host);
	reg->what = nrd_format("%s", ref->digest != NULL ? ref->digest : ref->tag);
	if (reg->base == NULL || reg->url == NULL || reg->path == NULL || reg->what == NULL) {
		registry_free(reg);
		return nrd_nomem(err);
	}
	r = may_tell(reg) ? image_auth_find(host, &reg->login, err) : 0;
	if (r < 0) {
		registry_free(reg);
		return r;
	}
	reg->place = (struct image_place){ .ops = &registry_ops, .url = reg->url };
	sweep();
	*ret_place = &reg->place;
	return 0;
}

int
image_registry_ping(const struct image_source *source, struct nrd_err *err)
{
	struct registry reg = { .base = base_of(source) };
	NRD_FREE char *url = reg.base != NULL ? nrd_format("%s/v2/", reg.base) : NULL;
	const struct http_opts how = {
		.total_s = ANSWER_S, .insecure = image_source_insecure(source), .header = on_header, .header_arg = &reg,
	};
	NRD_AUTO(nrd_buf) text = NRD_BUF_INIT(TOKEN_MAX);
	struct nrd_err why = { 0 };
	int r = url != NULL ? http_get(url, &how, &text, &why) : nrd_nomem(&why);

	/* One that wants a token is one. */
	if (r == -EACCES && (reg.challenge.realm != NULL || reg.basic))
		r = 0;
	image_challenge_fini(&reg.challenge);
	free(reg.base);
	if (r == 0)
		return 0;
	return nrd_fail(err, EIO, "SourcePing", "%s does not answer as a registry: %s", source->url, why.msg);
}

static int
try(struct registry *reg, const char *url, struct nrd_err *err)
{
	NRD_AUTO(nrd_buf) text = NRD_BUF_INIT(TOKEN_MAX);
	const char *const headers[] = { reg->login, NULL };
	struct http_opts how = { .total_s = ANSWER_S, .insecure = reg->insecure, .header = on_header, .header_arg = reg };
	int r = http_get(url, &how, &text, err);

	if (r != -EACCES)
		return r;
	if (err != NULL)
		*err = (struct nrd_err){ 0 };
	if (reg->challenge.realm != NULL)
		return get_token(reg, err);
	how.headers = headers;
	return http_get(url, &how, &text, err);
}

int
image_auth_try(const struct image_source *source, const char *line, struct nrd_err *err)
{
	struct registry reg = { .base = base_of(source), .url = source->url, .insecure = image_source_insecure(source) };
	NRD_FREE char *url = reg.base != NULL ? nrd_format("%s/v2/", reg.base) : NULL;
	struct nrd_err why = { 0 };
	int r;

	reg.login = nrd_format("%s", line);
	if (url == NULL || reg.login == NULL)
		r = nrd_nomem(&why);
	else if (!may_tell(&reg))
		r = nrd_fail(&why, EPERM, "Unauthorized", "%s would have the password without TLS; imgadm sources -a -k says that it may", source->url);
	else
		r = try(&reg, url, &why);
	image_challenge_fini(&reg.challenge);
	free(reg.base);
	free(reg.login);
	free(reg.authorization);
	if (r == -EACCES)
		return nrd_fail(err, EACCES, "Unauthorized", "%s does not accept that name and password", source->url);
	if (r < 0 && err != NULL)
		*err = why;
	return r;
}

void
image_place_close(struct image_place *place)
{
	if (place != NULL)
		place->ops->close(place);
}

void
image_place_cleanup(struct image_place **place)
{
	image_place_close(*place);
}
