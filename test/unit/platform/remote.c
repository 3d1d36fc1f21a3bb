/* SPDX-License-Identifier: MPL-2.0 */
/* Copyright 2026 The Nereid authors */
#include "fixture.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include "nrd/proc.h"

static struct nrd_err err;
static struct fixture f;
static unsigned port;
static pid_t server;
static char *prefix;

/* Gives the files of f.dir/www, one a connection. */
__attribute__((noreturn)) static void
serve(int listener)
{
	for (;;) {
		NRD_CLOSE int fd = accept(listener, NULL, NULL);
		NRD_AUTO(nrd_buf) body = NRD_BUF_INIT(0);
		NRD_FREE char *path = NULL;
		NRD_FREE char *head = NULL;
		char request[2048] = "";
		size_t len = 0;
		ssize_t n;
		int r;

		while (len < sizeof(request) - 1 && strstr(request, "\r\n\r\n") == NULL &&
		       (n = read(fd, request + len, sizeof(request) - 1 - len)) > 0)
			len += (size_t)n;
		if (nrd_starts(request, "GET /") == NULL)
			continue;
		request[strcspn(request + 4, " ") + 4] = '\0';
		path = path_of(&f, "www%s", request + 4);
		r = nrd_buf_read_file(&body, path, NULL);
		head = nrd_format("HTTP/1.1 %s\r\nContent-Length: %zu\r\n\r\n",
				  r == 0 ? "200 OK" : "404 None", body.len);
		(void)nrd_write_all(fd, head, strlen(head), NULL);
		(void)nrd_write_all(fd, nrd_buf_str(&body), body.len, NULL);
	}
}

static void
pack(const char *stamp)
{
	NRD_FREE char *dir = make_platform(&f, stamp, 1000, 3000);
	NRD_FREE char *src = path_of(&f, "src");
	NRD_FREE char *tar = path_of(&f, "www/platform-%s.tar", stamp);

	CHECK_OK(nrd_run_argv(NULL, &err, "tar", "-C", src, "-cf", tar, stamp, NULL), err);
}

/* index.json of the manifests of what is in src. */
static void
index_put(const char *first, const char *second)
{
	NRD_FREE char *index = path_of(&f, "www/index.json");
	NRD_AUTO(nrd_buf) text = NRD_BUF_INIT(0);

	nrd_buf_adds(&text, "[");
	for (int i = 0; i < 2; i++) {
		NRD_FREE char *path = path_of(&f, "src/%s/manifest.json", i == 0 ? first : second);

		nrd_buf_adds(&text, i == 0 ? "" : ",");
		CHECK_OK(nrd_buf_read_file(&text, path, &err), err);
	}
	nrd_buf_adds(&text, "]");
	put(index, nrd_buf_str(&text));
}

static void
start(void)
{
	struct sockaddr_in a = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t len = sizeof(a);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	NRD_FREE char *www = NULL;

	fixture_init(&f);
	www = path_of(&f, "www");
	CHECK(mkdir(www, 0755) == 0);
	CHECK(fd >= 0 && bind(fd, (struct sockaddr *)&a, sizeof(a)) == 0 && listen(fd, 8) == 0);
	CHECK(getsockname(fd, (struct sockaddr *)&a, &len) == 0);
	port = ntohs(a.sin_port);
	CHECK(unsetenv("http_proxy") == 0 && unsetenv("all_proxy") == 0);
	server = fork();
	CHECK(server >= 0);
	if (server == 0)
		serve(fd);
	(void)close(fd);
	prefix = nrd_format("http://127.0.0.1:%u", port);
	pack(A);
	pack(B);
	index_put(B, A);
}

static void
stop(void)
{
	CHECK(kill(server, SIGKILL) == 0 && waitpid(server, NULL, 0) == server);
	free(prefix);
	fixture_fini(&f);
}

/* Opens spec and gives the stamp that came. */
static int
fetch(const struct platform_remote *remote, const char *spec, char stamp[PLATFORM_STAMP_TEXT])
{
	__attribute__((cleanup(platform_source_cleanup))) struct platform_source src = { 0 };
	struct platform_opts opts = f.opts;
	NRD_AUTO(platform) *p = NULL;
	int r;

	err = (struct nrd_err){ 0 };
	opts.flags |= PLATFORM_EMPTY;
	CHECK_OK(platform_open(&opts, &p, &err), err);
	r = platform_source_open(p, remote, spec, &src, &err);
	if (r == 0)
		memcpy(stamp, src.manifest.stamp, PLATFORM_STAMP_TEXT);
	return r;
}

static void
by_stamp_and_latest(void)
{
	const struct platform_remote remote = { .prefix = prefix };
	char stamp[PLATFORM_STAMP_TEXT];

	CHECK_OK(fetch(&remote, A, stamp), err);
	CHECK_STR(stamp, A);
	CHECK_OK(fetch(&remote, "latest", stamp), err);
	CHECK_STR(stamp, B);
	CHECK_FAILS(fetch(&remote, C, stamp), err, ENOENT, "PlatformNotFound");
}

static void
without_a_server(void)
{
	const struct platform_remote none = { 0 };
	const struct platform_remote silent = { .prefix = "http://127.0.0.1:1/x/" };
	NRD_AUTO(platform_index) index = { 0 };
	char stamp[PLATFORM_STAMP_TEXT];

	CHECK_FAILS(fetch(&none, A, stamp), err, ENOENT, "PlatformNotFound");
	CHECK_FAILS(fetch(&none, "latest", stamp), err, EINVAL, "NoRemote");
	CHECK_FAILS(platform_remote_index(&none, &index, &err), err, EINVAL, "NoRemote");
	CHECK_FAILS(fetch(&silent, A, stamp), err, ECONNREFUSED, "HttpConnect");
	CHECK_HAS(err.msg, "http://127.0.0.1:1/x/index.json");
}

static void
index_and_file_must_agree(void)
{
	const struct platform_remote remote = { .prefix = prefix };
	NRD_FREE char *from = path_of(&f, "www/platform-%s.tar", A);
	NRD_FREE char *to = path_of(&f, "www/platform-%s.tar", B);
	NRD_FREE char *kept = path_of(&f, "www/kept");
	char stamp[PLATFORM_STAMP_TEXT];

	CHECK(rename(to, kept) == 0 && rename(from, to) == 0);
	CHECK_FAILS(fetch(&remote, B, stamp), err, EBADMSG, "SumMismatch");
	CHECK(rename(to, from) == 0 && rename(kept, to) == 0);
	CHECK_OK(fetch(&remote, B, stamp), err);
}

static void
urls_and_sums(void)
{
	NRD_FREE char *url = nrd_format("%s/platform-%s.tar", prefix, A);
	NRD_FREE char *missing = nrd_format("%s/none.tar", prefix);
	NRD_FREE char *named = nrd_format("%s/sums", prefix);
	NRD_FREE char *tar = path_of(&f, "www/platform-%s.tar", A);
	NRD_FREE char *sums = path_of(&f, "www/SHA256SUMS");
	NRD_FREE char *good = NULL;
	const struct platform_remote plain = { 0 };
	const struct platform_remote strict = { .sums = named };
	const struct platform_remote lax = { .no_sums = true };
	char stamp[PLATFORM_STAMP_TEXT], sha256[NRD_HASH_TEXT];

	CHECK_OK(fetch(&plain, url, stamp), err);
	CHECK_STR(stamp, A);
	CHECK_FAILS(fetch(&plain, missing, stamp), err, ENOENT, "HttpNotFound");
	CHECK_FAILS(fetch(&plain, "ftp://x/y.tar", stamp), err, EINVAL, "HttpUrl");
	CHECK_FAILS(fetch(&strict, url, stamp), err, ENOENT, "HttpNotFound");
	CHECK_HAS(err.msg, "PIADM_NO_SUM");
	put(sums, "0123  other.tar\n");
	CHECK_FAILS(fetch(&plain, url, stamp), err, ENOENT, "SumNotFound");
	CHECK_OK(fetch(&lax, url, stamp), err);
	CHECK_OK(nrd_hash_file(NRD_SHA256, tar, sha256, &err), err);
	good = nrd_format("x\n\n%s *platform-%s.tar\n", sha256, A);
	put(sums, good);
	CHECK_OK(fetch(&plain, url, stamp), err);
	good[5] = good[5] == '0' ? '1' : '0';
	put(sums, good);
	CHECK_FAILS(fetch(&plain, url, stamp), err, EBADMSG, "SumMismatch");
	put(sums, "abc  platform-" A ".tar\n");
	CHECK_FAILS(fetch(&plain, url, stamp), err, EBADMSG, "SumMismatch");
	CHECK(unlink(sums) == 0);
}

static void
installed_ones_come_from_the_volume(void)
{
	const struct platform_remote none = { 0 };
	struct platform_change change;
	char stamp[PLATFORM_STAMP_TEXT];

	CHECK_OK(do_install(&f, A, 0, &change, &err), err);
	CHECK_OK(fetch(&none, A, stamp), err);
	CHECK_STR(stamp, A);
}

static void
paths(void)
{
	const struct platform_remote none = { 0 };
	NRD_FREE char *dir = path_of(&f, "src/%s", A);
	NRD_FREE char *tar = path_of(&f, "www/platform-%s.tar", A);
	NRD_FREE char *nothing = path_of(&f, "nothing");
	char stamp[PLATFORM_STAMP_TEXT];

	CHECK_OK(fetch(&none, dir, stamp), err);
	CHECK_OK(fetch(&none, tar, stamp), err);
	CHECK_FAILS(fetch(&none, nothing, stamp), err, ENOENT, "FileOpen");
	CHECK_HAS(err.msg, nothing);
	CHECK_FAILS(fetch(&none, f.dir, stamp), err, ENOENT, "PlatformNotFound");
	CHECK_FAILS(fetch(&none, "/dev/null", stamp), err, EINVAL, "BadSource");
}

TEST_MAIN(start, by_stamp_and_latest, without_a_server, index_and_file_must_agree, urls_and_sums,
	  installed_ones_come_from_the_volume, paths, stop)
