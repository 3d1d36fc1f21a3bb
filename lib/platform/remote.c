/* SPDX-License-Identifier: MPL-2.0 */
/* Copyright 2026 The Nereid authors */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#include "http/client.h"
#include "nrd/buf.h"
#include "nrd/file.h"
#include "nrd/mem.h"
#include "nrd/str.h"
#include "nrd/vec.h"
#include "platform/platform-priv.h"
#include "platform/platform.h"
#include "platform/scan.h"

#define DOWNLOAD_MAX_BYTES (UINT64_C(4) << 30)
#define SUMS_NAME "SHA256SUMS"
#define SUMS_MAX_BYTES ((size_t)1 << 20)

/* "DIRECTORY/" of a URL, with its slash. */
static char *
url_dir(const char *url)
{
	const char *slash = strrchr(url, '/');

	return nrd_format("%.*s", (int)(slash - url + 1), url);
}

static const char *
url_name(const char *url)
{
	return strrchr(url, '/') + 1;
}

static bool
is_url(const char *spec)
{
	return strstr(spec, "://") != NULL;
}

static char *
url_join(const char *dir, const char *name)
{
	if (is_url(name))
		return nrd_format("%s", name);
	return nrd_format("%s%s%s", dir, nrd_ends(dir, "/") ? "" : "/", name);
}

int
platform_remote_index(const struct platform_remote *remote, struct platform_index *ret_index,
		      struct nrd_err *err)
{
	const struct http_opts opts = { .total_s = 120 };
	NRD_AUTO(nrd_buf) text = NRD_BUF_INIT(PLATFORM_INDEX_MAX);
	NRD_FREE char *url = NULL;
	int r;

	if (remote->prefix == NULL)
		return nrd_fail(err, EINVAL, "NoRemote",
				"it is not known where platforms are to be had: set "
				"PIADM_URL_PREFIX to the URL of a directory with an index.json");
	url = url_join(remote->prefix, "index.json");
	if (url == NULL)
		return nrd_nomem(err);
	r = http_get(url, &opts, &text, err);
	if (r < 0)
		return r;
	r = platform_index_parse(nrd_buf_str(&text), text.len, ret_index, err);
	return nrd_wrap(err, r, "%s", url);
}

static int
download_progress(void *arg, uint64_t done, uint64_t total, struct nrd_err *err)
{
	const struct platform *p = arg;

	(void)err;
	if (p->ui.progress != NULL)
		p->ui.progress(p->ui.arg, "download", done, total);
	return 0;
}

static int
download(struct platform *p, const char *url, int *ret_fd, char *ret_sha256,
	 struct nrd_err *err)
{
	const struct http_opts opts = { .progress = download_progress, .progress_arg = p };
	NRD_CLOSE int fd = -1;
	int r = http_url_check(url, err);

	if (r == 0)
		r = platform_staging_open(p->node.staging, &fd, err);
	if (r == 0)
		r = http_get_file(url, &opts, DOWNLOAD_MAX_BYTES, fd, ret_sha256, NULL, err);
	if (r < 0)
		return r;
	*ret_fd = nrd_take_fd(&fd);
	return 0;
}

/* Looks for "DIGEST  NAME" or "DIGEST *NAME". */
static bool
sum_find(const char *text, const char *name, struct nrd_str *ret_sum)
{
	struct nrd_str rest = nrd_str(text), line;

	while (nrd_str_split(&rest, '\n', &line)) {
		struct nrd_str sum, file;

		if (!nrd_str_word(&line, &sum) || !nrd_str_word(&line, &file))
			continue;
		if (file.data[0] == '*')
			file = nrd_strn(file.data + 1, file.len - 1);
		if (nrd_str_eq(file, name)) {
			*ret_sum = sum;
			return true;
		}
	}
	return false;
}

static void
note(const struct platform *p, const char *text)
{
	if (p->ui.note != NULL && text != NULL)
		p->ui.note(p->ui.arg, text);
}

/*
 * The digest a file should have. A list of digests beside it is used when it is there, one that
 * was named must be there. Either way the manifest inside vouches for the files, so nothing half
 * transferred gets in. "" when there is no list.
 */
static int
sum_get(const struct platform *p, const struct platform_remote *remote, const char *url,
	char ret_sum[NRD_HASH_TEXT], struct nrd_err *err)
{
	const struct http_opts opts = { .total_s = 120 };
	NRD_AUTO(nrd_buf) text = NRD_BUF_INIT(SUMS_MAX_BYTES);
	NRD_FREE char *dir = url_dir(url);
	NRD_FREE char *sums = NULL;
	struct nrd_str sum;
	int r;

	ret_sum[0] = '\0';
	if (dir == NULL)
		return nrd_nomem(err);
	sums = remote->sums != NULL ? nrd_format("%s", remote->sums) : url_join(dir, SUMS_NAME);
	if (sums == NULL)
		return nrd_nomem(err);
	r = http_get(sums, &opts, &text, err);
	if (r == -ENOENT && remote->sums == NULL) {
		note(p, "no " SUMS_NAME " beside the file: only its own manifest vouches for it");
		return 0;
	}
	if (r < 0)
		return nrd_wrap(err, r, "no digest to check it by (PIADM_NO_SUM=1 does without)");
	if (!sum_find(nrd_buf_str(&text), url_name(url), &sum))
		return nrd_fail(err, ENOENT, "SumNotFound",
				"%s has no line for %s (PIADM_NO_SUM=1 does without)", sums,
				url_name(url));
	if (sum.len != NRD_HASH_TEXT - 1)
		return nrd_fail(err, EBADMSG, "SumMismatch", "%s: not a list of SHA-256 digests",
				sums);
	memcpy(ret_sum, sum.data, sum.len);
	ret_sum[sum.len] = '\0';
	return 0;
}

static int
open_fd(const struct platform *p, int fd, struct platform_source *ret_src, struct nrd_err *err)
{
	NRD_FREE char *dir = nrd_path_join(p->node.run, "boot/source");

	if (dir == NULL)
		return nrd_nomem(err);
	return platform_source_open_file(fd, p->node.staging, dir, ret_src, err);
}

static int
open_url(struct platform *p, const struct platform_remote *remote, const char *url,
	 struct platform_source *ret_src, struct nrd_err *err)
{
	NRD_CLOSE int fd = -1;
	char want[NRD_HASH_TEXT] = "", got[NRD_HASH_TEXT] = "";
	int r = http_url_check(url, err);

	if (r == 0 && !remote->no_sums)
		r = sum_get(p, remote, url, want, err);
	if (r == 0)
		r = download(p, url, &fd, want[0] != '\0' ? got : NULL, err);
	if (r < 0)
		return r;
	if (!nrd_streq(want, got))
		return nrd_fail(err, EBADMSG, "SumMismatch",
				"%s: its SHA-256 is %s, it should be %s", url, got, want);
	return nrd_wrap(err, open_fd(p, fd, ret_src, err), "%s", url);
}

/* The index vouches for the contents: what came must be what it lists. */
static int
index_agrees(const struct platform_manifest *want, const struct platform_manifest *got,
	     struct nrd_err *err)
{
	bool same = nrd_streq(want->stamp, got->stamp) && want->n_files == got->n_files;

	for (size_t i = 0; same && i < want->n_files; i++)
		same = nrd_streq(want->files[i].name, got->files[i].name) &&
		       nrd_streq(want->files[i].sha256, got->files[i].sha256);
	if (!same)
		return nrd_fail(err, EBADMSG, "SumMismatch",
				"the file of %s is not what the index says", want->stamp);
	return 0;
}

static int
open_listed(struct platform *p, const struct platform_remote *remote,
	    const struct platform_manifest *m, struct platform_source *ret_src,
	    struct nrd_err *err)
{
	__attribute__((cleanup(platform_source_cleanup))) struct platform_source src = { 0 };
	NRD_FREE char *name = m->url != NULL ? nrd_format("%s", m->url)
					     : nrd_format("platform-%s.tar", m->stamp);
	NRD_FREE char *url = name != NULL ? url_join(remote->prefix, name) : NULL;
	NRD_CLOSE int fd = -1;
	int r;

	if (url == NULL)
		return nrd_nomem(err);
	r = download(p, url, &fd, NULL, err);
	if (r == 0)
		r = nrd_wrap(err, open_fd(p, fd, &src, err), "%s", url);
	if (r == 0)
		r = index_agrees(m, &src.manifest, err);
	if (r < 0)
		return r;
	*ret_src = src;
	src = (struct platform_source){ 0 };
	return 0;
}

/* stamp NULL: the newest. */
static int
open_remote(struct platform *p, const struct platform_remote *remote, const char *stamp,
	    struct platform_source *ret_src, struct nrd_err *err)
{
	NRD_AUTO(platform_index) index = { 0 };
	int r = platform_remote_index(remote, &index, err);

	if (r < 0)
		return r;
	for (size_t i = index.len; i-- > 0;) {
		if (stamp == NULL || nrd_streq(index.data[i].stamp, stamp))
			return open_listed(p, remote, &index.data[i], ret_src, err);
	}
	return nrd_fail(err, ENOENT, "PlatformNotFound", "%s has no platform%s%s", remote->prefix,
			stamp != NULL ? " " : "", stamp != NULL ? stamp : "");
}

static int
open_stamp(struct platform *p, const struct platform_remote *remote, const char *stamp,
	   struct platform_source *ret_src, struct nrd_err *err)
{
	nrd_vec_each(v, p) {
		const struct platform_version *version = platform_volume_find(v, stamp);
		NRD_FREE char *dir = NULL;

		if (version == NULL || !version->whole)
			continue;
		dir = platform_volume_dir(v, "", stamp);
		if (dir == NULL)
			return nrd_nomem(err);
		if (platform_source_open_dir(dir, ret_src, NULL) == 0)
			return 0;
	}
	if (remote->prefix == NULL)
		return nrd_fail(err, ENOENT, "PlatformNotFound",
				"%s is on no boot volume; give its file or URL, or set "
				"PIADM_URL_PREFIX", stamp);
	return open_remote(p, remote, stamp, ret_src, err);
}

static int
open_device(const struct platform *p, const struct platform_device *d, const char *prefer,
	    struct platform_source *ret_src, struct nrd_err *err)
{
	NRD_FREE char *dir = nrd_path_join(p->node.run, "boot/media");
	bool repaired;
	int r;

	if (dir == NULL)
		return nrd_nomem(err);
	r = d->iso ? platform_mount_iso(d->path, dir, err)
		   : platform_mount_fat(d->path, dir, false, &repaired, err);
	if (r < 0)
		return r;
	r = platform_source_open_media(dir, prefer, ret_src, err);
	if (r < 0) {
		(void)platform_unmount(dir, NULL);
		return nrd_wrap(err, r, "%s", d->path);
	}
	ret_src->mount = NRD_TAKE(dir);
	return 0;
}

int
platform_source_open_any_media(struct platform *p, const char *prefer,
			       struct platform_source *ret_src, struct nrd_err *err)
{
	__attribute__((cleanup(platform_devices_cleanup))) struct platform_devices found = { 0 };
	struct nrd_err why = { 0 };
	int r = platform_scan(p->node.sys, &found, err);

	if (r < 0)
		return r;
	nrd_vec_each(d, &found) {
		bool own = false;

		nrd_vec_each(v, p)
			own |= nrd_streq(v->device, d->path);
		if (own || (!d->iso && !nrd_streq(d->label, PLATFORM_LABEL)))
			continue;
		if (open_device(p, d, prefer, ret_src, &why) == 0)
			return 0;
	}
	if (why.num != 0) {
		if (err != NULL)
			*err = why;
		return -why.num;
	}
	return nrd_fail(err, ENOENT, "PlatformNotFound",
			"no medium with a platform: put in a stick or a disc labelled %s",
			PLATFORM_LABEL);
}

static int
open_path(struct platform *p, const char *path, struct platform_source *ret_src,
	  struct nrd_err *err)
{
	NRD_CLOSE int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	NRD_FREE char *manifest = nrd_path_join(path, PLATFORM_MANIFEST);
	struct stat st;
	int r;

	if (fd < 0 || fstat(fd, &st) < 0)
		return nrd_fail(err, errno, "FileOpen", "open %s: %m", path);
	if (manifest == NULL)
		return nrd_nomem(err);
	if (S_ISREG(st.st_mode))
		r = open_fd(p, fd, ret_src, err);
	else if (!S_ISDIR(st.st_mode))
		return nrd_fail(err, EINVAL, "BadSource",
				"%s is neither a file nor a directory", path);
	else if (nrd_path_exists(manifest))
		r = platform_source_open_dir(path, ret_src, err);
	else
		r = platform_source_open_media(path, NULL, ret_src, err);
	return nrd_wrap(err, r, "%s", path);
}

int
platform_source_open(struct platform *p, const struct platform_remote *remote, const char *spec,
		     struct platform_source *ret_src, struct nrd_err *err)
{
	if (platform_stamp_valid(spec))
		return open_stamp(p, remote, spec, ret_src, err);
	if (nrd_streq(spec, "latest"))
		return open_remote(p, remote, NULL, ret_src, err);
	if (nrd_streq(spec, "media"))
		return platform_source_open_any_media(p, NULL, ret_src, err);
	if (is_url(spec))
		return open_url(p, remote, spec, ret_src, err);
	return open_path(p, spec, ret_src, err);
}
