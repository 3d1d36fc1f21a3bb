/* SPDX-License-Identifier: MPL-2.0 */
/* Copyright 2026 The Nereid authors */
#include "nrd-test.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include "http/client.h"
#include "nrd/file.h"
#include "nrd/mem.h"
#include "nrd/str.h"

static unsigned port;
static pid_t server;

static void
answer(int fd, const char *path)
{
	NRD_FREE char *out = NULL;
	const char *hops = nrd_starts(path, "/hop/");

	if (hops != NULL && nrd_streq(hops, "0"))
		path = "/hello";
	if (nrd_streq(path, "/hello"))
		out = nrd_format("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello");
	else if (nrd_streq(path, "/chunked"))
		out = nrd_format("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
				 "3\r\nhel\r\n2\r\nlo\r\n0\r\n\r\n");
	else if (nrd_streq(path, "/error"))
		out = nrd_format("HTTP/1.1 500 No\r\nContent-Length: 4\r\n\r\noops");
	else if (nrd_streq(path, "/short"))
		out = nrd_format("HTTP/1.1 200 OK\r\nContent-Length: 50\r\n\r\nhello");
	else if (nrd_streq(path, "/endless"))
		out = nrd_format("HTTP/1.1 200 OK\r\n\r\n%05000d", 1);
	else if (nrd_streq(path, "/ftp"))
		out = nrd_format("HTTP/1.1 302 F\r\nLocation: ftp://127.0.0.1/x\r\n\r\n");
	else if (nrd_streq(path, "/file"))
		out = nrd_format("HTTP/1.1 302 F\r\nLocation: file:///etc/passwd\r\n\r\n");
	else if (nrd_streq(path, "/rest"))
		out = nrd_format("HTTP/1.1 206 P\r\nContent-Length: 3\r\nContent-Range: bytes 2-4/5\r\n\r\nllo");
	else if (nrd_streq(path, "/over"))
		out = nrd_format("HTTP/1.1 416 R\r\nContent-Length: 1\r\n\r\nx");
	else if (nrd_streq(path, "/secret"))
		out = nrd_format("HTTP/1.1 401 U\r\nWWW-Authenticate:  Bearer realm=\"x\" \r\nContent-Length: 0\r\n\r\n");
	else if (nrd_streq(path, "/silent"))
		out = nrd_format("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhe");
	else if (hops != NULL)
		out = nrd_format("HTTP/1.1 302 F\r\nLocation: /hop/%d\r\nContent-Length: 0\r\n\r\n",
				 hops[0] - '1');
	else
		out = nrd_format("HTTP/1.1 404 None\r\nContent-Length: 3\r\n\r\nnot");
	(void)!write(fd, out, strlen(out));
	if (nrd_streq(path, "/silent"))
		(void)sleep(5);
}

/* Answers one request a connection, until killed. */
__attribute__((noreturn)) static void
serve(int listener)
{
	for (;;) {
		NRD_CLOSE int fd = accept(listener, NULL, NULL);
		char request[2048] = "";
		size_t len = 0;
		ssize_t n;

		while (len < sizeof(request) - 1 && strstr(request, "\r\n\r\n") == NULL &&
		       (n = read(fd, request + len, sizeof(request) - 1 - len)) > 0)
			len += (size_t)n;
		if (nrd_starts(request, "GET ") != NULL && strchr(request + 4, ' ') != NULL) {
			*strchr(request + 4, ' ') = '\0';
			answer(fd, request + 4);
		}
	}
}

static void
start(void)
{
	struct sockaddr_in a = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t len = sizeof(a);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	CHECK(fd >= 0 && bind(fd, (struct sockaddr *)&a, sizeof(a)) == 0 && listen(fd, 8) == 0);
	CHECK(getsockname(fd, (struct sockaddr *)&a, &len) == 0);
	port = ntohs(a.sin_port);
	CHECK(unsetenv("http_proxy") == 0 && unsetenv("all_proxy") == 0);
	server = fork();
	CHECK(server >= 0);
	if (server == 0)
		serve(fd);
	(void)close(fd);
}

static void
stop(void)
{
	CHECK(kill(server, SIGKILL) == 0 && waitpid(server, NULL, 0) == server);
}

static int
get(const char *path, const struct http_opts *opts, struct nrd_buf *out, struct nrd_err *err)
{
	NRD_FREE char *url = nrd_format("http://127.0.0.1:%u%s", port, path);

	return http_get(url, opts, out, err);
}

static void
gets_bodies(void)
{
	static const char *const paths[] = { "/hello", "/chunked", "/hop/1", "/hop/5" };

	for (size_t i = 0; i < nrd_count(paths); i++) {
		NRD_AUTO(nrd_buf) out = NRD_BUF_INIT(100);
		struct nrd_err err = { 0 };

		CHECK_OK(get(paths[i], NULL, &out, &err), err);
		CHECK_STR(nrd_buf_str(&out), "hello");
	}
}

static void
failures_are_told_apart(void)
{
	static const struct {
		const char *path;
		int num;
		const char *code;
		const char *says;
	} cases[] = {
		{ "/none", ENOENT, "HttpNotFound", "/none: the server has no such file" },
		{ "/error", EPROTO, "HttpStatus", "status 500" },
		{ "/short", EIO, "HttpBroken", "before the end" },
		{ "/endless", EFBIG, "HttpTooBig", "larger than 100 bytes" },
		{ "/hop/6", EIO, "HttpBroken", "127.0.0.1" },
		{ "/ftp", EIO, "HttpBroken", "ftp" },
		{ "/file", EIO, "HttpBroken", "file" },
	};

	for (size_t i = 0; i < nrd_count(cases); i++) {
		NRD_AUTO(nrd_buf) out = NRD_BUF_INIT(100);
		struct nrd_err err = { 0 };

		CHECK_FAILS(get(cases[i].path, NULL, &out, &err), err, cases[i].num,
			    cases[i].code);
		CHECK_HAS(err.msg, cases[i].says);
		CHECK_HAS(err.msg, "get http://127.0.0.1:");
		CHECK(strstr(nrd_buf_str(&out), "oops") == NULL);
	}
}

static void
silence_ends_it(void)
{
	const struct http_opts opts = { .silence_s = 1, .total_s = 3 };
	NRD_AUTO(nrd_buf) out = NRD_BUF_INIT(100);
	struct nrd_err err = { 0 };

	CHECK_FAILS(get("/silent", &opts, &out, &err), err, ETIMEDOUT, "HttpTimeout");
}

static void
urls_that_are_none(void)
{
	static const char *const urls[] = { "", "x", "ftp://a/b", "file:///etc/passwd", "http://",
					    "gopher://x", "http://a b/", "/etc/passwd" };

	for (size_t i = 0; i < nrd_count(urls); i++) {
		NRD_AUTO(nrd_buf) out = NRD_BUF_INIT(100);
		struct nrd_err err = { 0 };

		CHECK_FAILS(http_get(urls[i], NULL, &out, &err), err, EINVAL, "HttpUrl");
		CHECK_FAILS(http_url_check(urls[i], &err), err, EINVAL, "HttpUrl");
	}
}

static void
hosts_that_do_not_answer(void)
{
	NRD_AUTO(nrd_buf) out = NRD_BUF_INIT(100);
	struct nrd_err err = { 0 };

	CHECK_FAILS(http_get("http://127.0.0.1:1/x", NULL, &out, &err), err, ECONNREFUSED,
		    "HttpConnect");
	CHECK_HAS(err.msg, "Connection refused");
	CHECK_FAILS(http_get("http://nereid.invalid/x", NULL, &out, &err), err, EHOSTUNREACH,
		    "HttpResolve");
	CHECK_HAS(err.msg, "nereid.invalid");
}

static void
secrets_stay_out_of_messages(void)
{
	NRD_FREE char *url = nrd_format("http://joe:geheim@127.0.0.1:%u/none", port);
	NRD_AUTO(nrd_buf) out = NRD_BUF_INIT(100);
	struct nrd_err err = { 0 };

	CHECK_FAILS(http_get(url, NULL, &out, &err), err, ENOENT, "HttpNotFound");
	CHECK(strstr(err.msg, "geheim") == NULL);
}

static int
count(void *arg, uint64_t done, uint64_t total, struct nrd_err *err)
{
	uint64_t *most = arg;

	(void)total;
	if (done > *most)
		*most = done;
	return done > 1000 ? nrd_fail(err, ECANCELED, "Enough", "enough") : 0;
}

static void
files_with_digest(void)
{
	uint64_t most = 0, bytes = 0;
	const struct http_opts opts = { .progress = count, .progress_arg = &most };
	NRD_FREE char *hello = nrd_format("http://127.0.0.1:%u/hello", port);
	NRD_FREE char *endless = nrd_format("http://127.0.0.1:%u/endless", port);
	char sha256[NRD_HASH_TEXT], text[16] = "";
	NRD_CLOSE int fd = open("/tmp", O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
	NRD_CLOSE int full = open("/dev/full", O_WRONLY | O_CLOEXEC);
	struct nrd_err err = { 0 };

	CHECK(fd >= 0 && full >= 0);
	CHECK_OK(http_get_file(hello, &opts, 100, fd, sha256, &bytes, &err), err);
	CHECK_INT(bytes, 5);
	CHECK_INT(most, 5);
	CHECK_STR(sha256, "2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824");
	CHECK_INT(pread(fd, text, 15, 0), 5);
	CHECK_STR(text, "hello");
	CHECK_FAILS(http_get_file(hello, NULL, 4, fd, NULL, NULL, &err), err, EFBIG, "HttpTooBig");
	CHECK_FAILS(http_get_file(hello, NULL, 9, full, NULL, NULL, &err), err, ENOSPC,
		    "FileWrite");
	CHECK_FAILS(http_get_file(endless, &opts, 1 << 20, fd, NULL, NULL, &err), err, ECANCELED,
		    "Enough");
}

static void
on_from_the_middle(void)
{
	static const char *const paths[] = { "/hello", "/over" };
	const struct http_opts opts = { .from = 2 };
	NRD_AUTO(nrd_buf) out = NRD_BUF_INIT(100);
	struct nrd_err err = { 0 };

	CHECK_OK(get("/rest", &opts, &out, &err), err);
	CHECK_STR(nrd_buf_str(&out), "llo");
	for (size_t i = 0; i < nrd_count(paths); i++)
		CHECK_FAILS(get(paths[i], &opts, &out, &err), err, ERANGE, "HttpRange");
}

static void
keep_header(void *arg, const char *name, const char *value)
{
	if (nrd_streq(name, "WWW-Authenticate"))
		(void)snprintf(arg, 100, "%s", value);
}

static void
headers_of_a_refusal(void)
{
	char text[100] = "";
	const struct http_opts opts = { .header = keep_header, .header_arg = text };
	NRD_AUTO(nrd_buf) out = NRD_BUF_INIT(100);
	struct nrd_err err = { 0 };

	CHECK_FAILS(get("/secret", &opts, &out, &err), err, EACCES, "HttpUnauthorized");
	CHECK_STR(text, "Bearer realm=\"x\"");
}

TEST_MAIN(start, gets_bodies, failures_are_told_apart, silence_ends_it, urls_that_are_none,
	  hosts_that_do_not_answer, secrets_stay_out_of_messages, files_with_digest,
	  on_from_the_middle, headers_of_a_refusal, stop)
