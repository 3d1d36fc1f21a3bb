/* SPDX-License-Identifier: MPL-2.0 */
/* Copyright 2026 The Nereid authors */

/*
 * Platform tar files are read here and not by tar(1): the members are used where they lie in the
 * file, nothing is unpacked anywhere, and a member that does not belong is refused instead of
 * written to some path.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "nrd/mem.h"
#include "nrd/str.h"
#include "nrd/vec.h"
#include "platform/platform-priv.h"
#include "platform/source.h"
#include "platform/stamp.h"

#define BLOCK 512
#define MEMBERS_MAX 64

/* The parts of a header that matter here; ustar and GNU's agree on them. */
struct header {
	char name[100];
	char mode_uid_gid[24];
	char size[12];
	char mtime[12];
	char sum[8];
	char type;
	char link[100];
	char magic[8];
	char rest[247];
};
_Static_assert(sizeof(struct header) == BLOCK, "a tar header is one block");

static int
bad(struct nrd_err *err, const char *why)
{
	return nrd_fail(err, EBADMSG, "BadTar", "not a platform's tar file: %s", why);
}

/* Octal digits up to a blank or NUL. */
static bool
octal(const char *s, size_t len, uint64_t *ret_v)
{
	uint64_t v = 0;
	size_t i = 0;

	while (i < len && s[i] == ' ')
		i++;
	for (; i < len && s[i] >= '0' && s[i] <= '7'; i++)
		v = v << 3 | (uint64_t)(s[i] - '0');
	if (i < len && s[i] != '\0' && s[i] != ' ')
		return false;
	*ret_v = v;
	return true;
}

static bool
header_sound(const struct header *h)
{
	const unsigned char *b = (const unsigned char *)h;
	uint64_t want, sum = 0;

	for (size_t i = 0; i < BLOCK; i++) {
		bool own = i >= offsetof(struct header, sum) && i < offsetof(struct header, type);

		sum += own ? ' ' : b[i];
	}
	return memcmp(h->magic, "ustar", 5) == 0 && octal(h->sum, sizeof(h->sum), &want) &&
	       want == sum;
}

static bool
is_zero(const struct header *h)
{
	static const struct header zero;

	return memcmp(h, &zero, sizeof(zero)) == 0;
}

/* Where the walk stands. */
struct walk {
	int fd;
	uint64_t size; /* of the whole file */
	uint64_t at;
	char stamp[PLATFORM_STAMP_TEXT];
	char name[sizeof(((struct header *)NULL)->name) + 1];
};

/* The name after STAMP/, which is the same for all members; "" for the directory itself. */
static int
member_name(struct walk *w, const struct header *h, const char **ret_name, struct nrd_err *err)
{
	const char *p = w->name;

	memcpy(w->name, h->name, sizeof(h->name));
	if (nrd_starts(p, "./") != NULL)
		p += 2;
	if (w->stamp[0] == '\0' && strlen(p) > PLATFORM_STAMP_LEN) {
		memcpy(w->stamp, p, PLATFORM_STAMP_LEN);
		w->stamp[PLATFORM_STAMP_LEN] = '\0';
	}
	if (!platform_stamp_valid(w->stamp) ||
	    strncmp(p, w->stamp, PLATFORM_STAMP_LEN) != 0 || p[PLATFORM_STAMP_LEN] != '/')
		return bad(err, "a member is not in the directory of one version");
	p += PLATFORM_STAMP_LEN + 1;
	if (strchr(p, '/') != NULL)
		return bad(err, "a member is in a directory below");
	*ret_name = p;
	return 0;
}

static int
member_add(struct walk *w, const struct header *h, uint64_t size, struct platform_source *src,
	   struct nrd_err *err)
{
	const char *name = "";
	struct platform_part part = { .fd = -1, .offset = w->at, .size = size };
	int r;

	/* "." alone and pax headers, of which only the times could matter. */
	if (h->type == 'x' || h->type == 'g' || (h->type == '5' && nrd_streq(h->name, "./")))
		return 0;
	r = member_name(w, h, &name, err);
	if (r < 0)
		return r;
	if (h->type == '5' && name[0] == '\0')
		return 0;
	if ((h->type != '0' && h->type != '\0') || name[0] == '\0')
		return bad(err, "a member is not a file");
	nrd_vec_each(other, src) {
		if (nrd_streq(other->name, name))
			return bad(err, "a member is there twice");
	}
	if (src->len >= MEMBERS_MAX)
		return bad(err, "too many members");
	part.fd = fcntl(w->fd, F_DUPFD_CLOEXEC, 3);
	if (part.fd < 0)
		return nrd_fail(err, errno, "FileRead", "read the tar file: %m");
	return platform_source_add(src, part, name, err);
}

static int
tar_walk(struct walk *w, struct platform_source *src, struct nrd_err *err)
{
	for (;;) {
		struct header h;
		uint64_t size;
		int r;

		if (w->size - w->at < BLOCK)
			return bad(err, "it ends too early");
		if (pread(w->fd, &h, sizeof(h), (off_t)w->at) != (ssize_t)sizeof(h))
			return nrd_fail(err, EIO, "FileRead", "read the tar file: %m");
		w->at += BLOCK;
		if (is_zero(&h))
			return 0;
		if (!header_sound(&h) || !octal(h.size, sizeof(h.size), &size))
			return bad(err, "a header is damaged");
		if (size > PLATFORM_FILE_MAX_BYTES || size > w->size - w->at)
			return bad(err, "it ends too early");
		r = member_add(w, &h, size, src, err);
		if (r < 0)
			return r;
		size = (size + BLOCK - 1) / BLOCK * BLOCK;
		if (size > w->size - w->at)
			return bad(err, "it ends too early");
		w->at += size;
	}
}

int
platform_source_open_tar(int fd, struct platform_source *ret_src, struct nrd_err *err)
{
	__attribute__((cleanup(platform_source_cleanup))) struct platform_source src = { 0 };
	struct walk w = { .fd = fd };
	struct stat st;
	int r;

	if (fstat(fd, &st) < 0)
		return nrd_fail(err, errno, "FileRead", "read the tar file: %m");
	w.size = (uint64_t)st.st_size;
	r = tar_walk(&w, &src, err);
	if (r == 0)
		r = platform_source_finish(&src, w.stamp, err);
	if (r < 0)
		return r;
	*ret_src = src;
	src = (struct platform_source){ 0 };
	return 0;
}
