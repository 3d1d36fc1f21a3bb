/* SPDX-License-Identifier: MPL-2.0 */
/* Copyright 2026 The Nereid authors */
#include "http/client.h"

#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <string.h>
#include <unistd.h>

#include <curl/curl.h>

#include "nrd/file.h"
#include "nrd/mem.h"
#include "nrd/str.h"

#define CONNECT_S 20
#define SILENCE_S 30

/* One transfer. Exactly one of buf and fd takes the body. */
struct transfer {
	const struct http_opts *opts;
	char *shown; /* the URL without secrets */
	char *host;
	struct nrd_buf *buf;
	int fd;
	const struct http_body *body; /* what is sent, or NULL */
	uint64_t sent;
	struct nrd_hash *hash;
	uint64_t done;
	uint64_t max;
	struct nrd_err err;  /* why a callback stopped the transfer */
	char curl_error[CURL_ERROR_SIZE];
};

static void
transfer_cleanup(struct transfer *t)
{
	nrd_freep(&t->shown);
	nrd_freep(&t->host);
	nrd_hash_free(t->hash);
}

static void
curl_cleanup(CURL **curl)
{
	if (*curl != NULL)
		curl_easy_cleanup(*curl);
}

static void
url_cleanup(CURLU **url)
{
	curl_url_cleanup(*url);
}

static void
headers_cleanup(struct curl_slist **list)
{
	curl_slist_free_all(*list);
}

static int
url_part(CURLU *url, CURLUPart part, char **ret_text, struct nrd_err *err)
{
	char *text = NULL;

	if (curl_url_get(url, part, &text, 0) != CURLUE_OK)
		return nrd_fail(err, EINVAL, "HttpUrl", "it has no host");
	*ret_text = nrd_format("%s", text);
	curl_free(text);
	return *ret_text == NULL ? nrd_nomem(err) : 0;
}

/* ret_shown and ret_host may be NULL. */
static int
url_parse(const char *text, char **ret_shown, char **ret_host, struct nrd_err *err)
{
	__attribute__((cleanup(url_cleanup))) CURLU *url = curl_url();
	NRD_FREE char *scheme = NULL;
	NRD_FREE char *host = NULL;
	CURLUcode bad;
	int r;

	if (url == NULL)
		return nrd_nomem(err);
	bad = curl_url_set(url, CURLUPART_URL, text, 0);
	if (bad == CURLUE_UNSUPPORTED_SCHEME)
		return nrd_fail(err, EINVAL, "HttpUrl", "%s: only http and https are understood",
				text);
	if (bad != CURLUE_OK)
		return nrd_fail(err, EINVAL, "HttpUrl", "%s: not a URL (%s)", text,
				curl_url_strerror(bad));
	r = url_part(url, CURLUPART_SCHEME, &scheme, err);
	if (r < 0)
		return nrd_wrap(err, r, "%s", text);
	if (!nrd_streq(scheme, "http") && !nrd_streq(scheme, "https"))
		return nrd_fail(err, EINVAL, "HttpUrl", "%s: only http and https are understood",
				text);
	r = url_part(url, CURLUPART_HOST, &host, err);
	if (r < 0)
		return nrd_wrap(err, r, "%s", text);
	(void)curl_url_set(url, CURLUPART_USER, NULL, 0);
	(void)curl_url_set(url, CURLUPART_PASSWORD, NULL, 0);
	if (ret_shown != NULL) {
		r = url_part(url, CURLUPART_URL, ret_shown, err);
		if (r < 0)
			return r;
	}
	if (ret_host != NULL)
		*ret_host = NRD_TAKE(host);
	return 0;
}

int
http_url_check(const char *url, struct nrd_err *err)
{
	return url_parse(url, NULL, NULL, err);
}

static int
too_big(struct transfer *t)
{
	return nrd_fail(&t->err, EFBIG, "HttpTooBig", "it is larger than %llu bytes",
			(unsigned long long)t->max);
}

static int
body_add(struct transfer *t, const char *data, size_t len)
{
	int r;

	if (len > t->max - t->done)
		return too_big(t);
	t->done += len;
	if (t->buf != NULL) {
		r = nrd_buf_add(t->buf, data, len);
		if (r == -EFBIG)
			return too_big(t);
		return r < 0 ? nrd_nomem(&t->err) : 0;
	}
	r = t->hash != NULL ? nrd_hash_update(t->hash, data, len, &t->err) : 0;
	if (r < 0)
		return r;
	return nrd_write_all(t->fd, data, len, &t->err);
}

static size_t
on_body(char *data, size_t size, size_t n, void *arg)
{
	return body_add(arg, data, size * n) < 0 ? CURL_WRITEFUNC_ERROR : size * n;
}

static size_t
on_send(char *data, size_t size, size_t n, void *arg)
{
	struct transfer *t = arg;
	uint64_t left = t->body->size - t->sent;
	ssize_t got = read(t->body->fd, data, size * n < left ? size * n : left);

	if (got < 0) {
		(void)nrd_fail(&t->err, errno, "FileRead", "read what is to be sent: %m");
		return CURL_READFUNC_ABORT;
	}
	t->sent += (uint64_t)got;
	return (size_t)got;
}

/* "Name: value" and the line's end; status lines have no colon that early, or no matter. */
static size_t
on_header(char *data, size_t size, size_t n, void *arg)
{
	const struct transfer *t = arg;
	struct nrd_str line = nrd_strn(data, size * n), part;
	NRD_FREE char *name = NULL, *value = NULL;

	if (memchr(line.data, ':', line.len) == NULL || !nrd_str_split(&line, ':', &part))
		return size * n;
	name = nrd_str_dup(nrd_str_trim(part));
	value = nrd_str_dup(nrd_str_trim(line));
	if (name != NULL && value != NULL)
		t->opts->header(t->opts->header_arg, name, value);
	return size * n;
}

static int
on_progress(void *arg, curl_off_t total, curl_off_t done, curl_off_t up_total, curl_off_t up_done)
{
	struct transfer *t = arg;

	if (t->opts->stop != NULL && *t->opts->stop != 0)
		return nrd_fail(&t->err, EINTR, "Interrupted", "it was interrupted");
	if (total > 0 && (uint64_t)total > t->max)
		return too_big(t);
	if (t->body != NULL) {
		done = up_done;
		total = up_total;
	}
	if (t->opts->progress == NULL || done == 0)
		return 0;
	return t->opts->progress(t->opts->progress_arg, (uint64_t)done, (uint64_t)total, &t->err);
}

static int
fail_range(const struct transfer *t, struct nrd_err *err)
{
	return nrd_fail(err, ERANGE, "HttpRange", "get %s: the server does not go on at byte %llu", t->shown,
			(unsigned long long)t->opts->from);
}

static int
fail_status(struct transfer *t, CURL *curl, struct nrd_err *err)
{
	long status = 0;

	curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &status);
	if (status == 404 || status == 410)
		return nrd_fail(err, ENOENT, "HttpNotFound", "get %s: the server has no such file",
				t->shown);
	if (status == 401)
		return nrd_fail(err, EACCES, "HttpUnauthorized", "get %s: the server does not let everybody",
				t->shown);
	if (status == 416)
		return fail_range(t, err);
	return nrd_fail(err, EPROTO, "HttpStatus", "get %s: the server answered with status %ld",
			t->shown, status);
}

static int
fail_connect(struct transfer *t, CURL *curl, struct nrd_err *err)
{
	long num = 0;

	curl_easy_getinfo(curl, CURLINFO_OS_ERRNO, &num);
	if (num == 0)
		return nrd_fail(err, ECONNREFUSED, "HttpConnect", "get %s: connect to %s: %s",
				t->shown, t->host, t->curl_error);
	return nrd_fail(err, (int)num, "HttpConnect", "get %s: connect to %s: %m", t->shown,
			t->host);
}

/* What libcurl reports, in words that say whose fault it may be. */
static int
fail_transfer(struct transfer *t, CURL *curl, CURLcode code, struct nrd_err *err)
{
	const char *why = t->curl_error[0] != '\0' ? t->curl_error : curl_easy_strerror(code);

	if (t->err.num != 0) {
		if (err != NULL)
			*err = t->err;
		return nrd_wrap(err, -t->err.num, "get %s", t->shown);
	}
	switch (code) {
	case CURLE_HTTP_RETURNED_ERROR:
		return fail_status(t, curl, err);
	case CURLE_RANGE_ERROR:
		return fail_range(t, err);
	case CURLE_COULDNT_RESOLVE_HOST:
	case CURLE_COULDNT_RESOLVE_PROXY:
		return nrd_fail(err, EHOSTUNREACH, "HttpResolve",
				"get %s: the name %s cannot be resolved; check it and the node's "
				"DNS servers", t->shown, t->host);
	case CURLE_COULDNT_CONNECT:
		return fail_connect(t, curl, err);
	case CURLE_OPERATION_TIMEDOUT:
		return nrd_fail(err, ETIMEDOUT, "HttpTimeout", "get %s: %s did not answer in time",
				t->shown, t->host);
	case CURLE_PEER_FAILED_VERIFICATION:
	case CURLE_SSL_CONNECT_ERROR:
	case CURLE_SSL_CACERT_BADFILE:
		return nrd_fail(err, EPROTO, "HttpTls", "get %s: TLS with %s: %s", t->shown,
				t->host, why);
	case CURLE_FILESIZE_EXCEEDED:
		too_big(t);
		return fail_transfer(t, curl, CURLE_WRITE_ERROR, err);
	case CURLE_PARTIAL_FILE:
		return nrd_fail(err, EIO, "HttpBroken",
				"get %s: %s closed the connection before the end", t->shown,
				t->host);
	default:
		return nrd_fail(err, EIO, "HttpBroken", "get %s: %s: %s", t->shown, t->host, why);
	}
}

/* The first option that libcurl refuses ends it: a missing guard must not pass unseen. */
static CURLcode
curl_prepare(CURL *curl, const char *url, struct transfer *t, struct curl_slist *headers)
{
	const struct http_opts *o = t->opts;
	const char *to = nrd_starts(url, "https:") != NULL ? "https" : "http,https";
	CURLcode bad = CURLE_OK;

#define SET(option, value)                                       \
	do {                                                     \
		if (bad == CURLE_OK)                             \
			bad = curl_easy_setopt(curl, option, value); \
	} while (0)
	SET(CURLOPT_URL, url);
	SET(CURLOPT_ERRORBUFFER, t->curl_error);
	SET(CURLOPT_NOSIGNAL, 1L);
	SET(CURLOPT_FAILONERROR, 1L);
	SET(CURLOPT_PROTOCOLS_STR, "http,https");
	SET(CURLOPT_REDIR_PROTOCOLS_STR, to);
	SET(CURLOPT_FOLLOWLOCATION, 1L);
	SET(CURLOPT_MAXREDIRS, (long)HTTP_REDIRECTS_MAX);
	SET(CURLOPT_USERAGENT, "nereid");
	SET(CURLOPT_CONNECTTIMEOUT, (long)(o->connect_s != 0 ? o->connect_s : CONNECT_S));
	SET(CURLOPT_LOW_SPEED_LIMIT, 1L);
	SET(CURLOPT_LOW_SPEED_TIME, (long)(o->silence_s != 0 ? o->silence_s : SILENCE_S));
	SET(CURLOPT_TIMEOUT, (long)o->total_s);
	SET(CURLOPT_WRITEFUNCTION, on_body);
	SET(CURLOPT_WRITEDATA, t);
	SET(CURLOPT_NOPROGRESS, 0L);
	SET(CURLOPT_XFERINFOFUNCTION, on_progress);
	SET(CURLOPT_XFERINFODATA, t);
	if (o->header != NULL) {
		SET(CURLOPT_HEADERFUNCTION, on_header);
		SET(CURLOPT_HEADERDATA, t);
	}
	if (o->from > 0)
		SET(CURLOPT_RESUME_FROM_LARGE, (curl_off_t)o->from);
	if (o->insecure) {
		SET(CURLOPT_SSL_VERIFYPEER, 0L);
		SET(CURLOPT_SSL_VERIFYHOST, 0L);
	}
	if (o->ca_file != NULL)
		SET(CURLOPT_CAINFO, o->ca_file);
	if (headers != NULL)
		SET(CURLOPT_HTTPHEADER, headers);
	if (t->body == NULL)
		return bad;
	SET(CURLOPT_CUSTOMREQUEST, t->body->method);
	SET(CURLOPT_FOLLOWLOCATION, 0L);
	SET(CURLOPT_FAILONERROR, 0L);
	if (t->body->fd > 0) {
		SET(CURLOPT_UPLOAD, 1L);
		SET(CURLOPT_READFUNCTION, on_send);
		SET(CURLOPT_READDATA, t);
		SET(CURLOPT_INFILESIZE_LARGE, (curl_off_t)t->body->size);
	} else {
		SET(CURLOPT_POSTFIELDS, t->body->text);
		SET(CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)t->body->size);
	}
#undef SET
	return bad;
}

static int
headers_add(struct curl_slist **list, const char *text, struct nrd_err *err)
{
	struct curl_slist *more = curl_slist_append(*list, text);

	if (more == NULL)
		return nrd_nomem(err);
	*list = more;
	return 0;
}

/* A server that refuses says why in its answer. */
static int
check_answer(struct transfer *t, CURL *curl, struct nrd_err *err)
{
	long status = 0;

	curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &status);
	if (status >= 200 && status < 300)
		return 0;
	return nrd_fail(err, EPROTO, "HttpStatus", "%s %s: the server answered with status %ld%s%.200s",
			t->body->method, t->shown, status, t->buf->len > 0 ? ": " : "",
			nrd_buf_str(t->buf));
}

static int
transfer_run(struct transfer *t, const char *url, struct nrd_err *err)
{
	__attribute__((cleanup(curl_cleanup))) CURL *curl = NULL;
	__attribute__((cleanup(headers_cleanup))) struct curl_slist *headers = NULL;
	CURLcode code;
	int r;

	r = url_parse(url, &t->shown, &t->host, err);
	if (r < 0)
		return r;
	curl = curl_easy_init();
	if (curl == NULL)
		return nrd_nomem(err);
	for (const char *const *h = t->opts->headers; r == 0 && h != NULL && *h != NULL; h++)
		r = headers_add(&headers, *h, err);
	if (r == 0 && t->body != NULL) {
		NRD_FREE char *type = nrd_format("Content-Type: %s", t->body->type ?: "");

		r = type != NULL ? headers_add(&headers, type, err) : nrd_nomem(err);
		/* Servers that know it wait no second for it. */
		if (r == 0)
			r = headers_add(&headers, "Expect:", err);
	}
	if (r < 0)
		return r;
	code = curl_prepare(curl, url, t, headers);
	if (code == CURLE_OK)
		code = curl_easy_perform(curl);
	if (code != CURLE_OK)
		return fail_transfer(t, curl, code, err);
	if (t->opts->from > 0) {
		/* libcurl takes "there is no such range" for the end of the file. */
		long status = 0;

		curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &status);
		if (status != 206)
			return fail_range(t, err);
	}
	return t->body != NULL ? check_answer(t, curl, err) : 0;
}

static const struct http_opts defaults;

int
http_get(const char *url, const struct http_opts *opts, struct nrd_buf *out, struct nrd_err *err)
{
	__attribute__((cleanup(transfer_cleanup))) struct transfer t = {
		.opts = opts != NULL ? opts : &defaults,
		.buf = out,
		.fd = -1,
		.max = out->max != 0 ? out->max : NRD_BUF_DEFAULT_MAX,
	};

	return transfer_run(&t, url, err);
}

int
http_send(const char *url, const struct http_opts *opts, const struct http_body *body,
	  struct nrd_buf *out, struct nrd_err *err)
{
	__attribute__((cleanup(transfer_cleanup))) struct transfer t = {
		.opts = opts != NULL ? opts : &defaults,
		.buf = out,
		.fd = -1,
		.body = body,
		.max = out->max != 0 ? out->max : NRD_BUF_DEFAULT_MAX,
	};

	return transfer_run(&t, url, err);
}

int
http_get_file(const char *url, const struct http_opts *opts, uint64_t max, int fd,
	      char ret_sha256[NRD_HASH_TEXT], uint64_t *ret_bytes, struct nrd_err *err)
{
	__attribute__((cleanup(transfer_cleanup))) struct transfer t = {
		.opts = opts != NULL ? opts : &defaults,
		.fd = fd,
		.max = max,
	};
	char sha256[NRD_HASH_TEXT] = "";
	int r = 0;

	if (ret_sha256 != NULL)
		r = nrd_hash_new(NRD_SHA256, &t.hash, err);
	if (r == 0)
		r = transfer_run(&t, url, err);
	if (r == 0 && ret_sha256 != NULL)
		r = nrd_hash_finish(t.hash, sha256, err);
	if (r < 0)
		return r;
	if (ret_sha256 != NULL)
		memcpy(ret_sha256, sha256, sizeof(sha256));
	if (ret_bytes != NULL)
		*ret_bytes = t.done;
	return 0;
}
