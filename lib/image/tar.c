/* SPDX-License-Identifier: MPL-2.0 */
/* Copyright 2026 The Nereid authors */
#include "tar.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "nrd/mem.h"
#include "nrd/str.h"
#include "nrd/vec.h"

/* Where a header has what: offset and length. */
#define NAME     0, 100
#define MODE     100, 8
#define UID      108, 8
#define GID      116, 8
#define SIZE     124, 12
#define MTIME    136, 12
#define SUM      148, 8
#define TYPE     156
#define TARGET   157, 100
#define MAJOR    329, 8
#define MINOR    337, 8
#define PREFIX   345, 155

#define SUM_AT   148
#define SUM_LEN  8
#define XATTR    "SCHILY.xattr."
#define XATTRS_MAX 128
#define MEMBER_MAX (UINT64_C(1) << 50)

#define bad(err, ...) nrd_fail((err), EINVAL, "TarFormat", __VA_ARGS__)

void
image_tar_init(struct image_tar *tar, image_tar_read_fn *read, image_tar_skip_fn *skip, void *arg)
{
	*tar = (struct image_tar){
		.read = read,
		.skip = skip,
		.arg = arg,
		.name = NRD_BUF_INIT(IMAGE_TAR_NAME_MAX),
		.target = NRD_BUF_INIT(IMAGE_TAR_NAME_MAX),
		.pax = NRD_BUF_INIT(IMAGE_TAR_EXTRA_MAX),
	};
}

static ssize_t
read_fd(void *arg, void *data, size_t len, struct nrd_err *err)
{
	const int *fd = arg;
	ssize_t n = read(*fd, data, len);

	return n < 0 ? nrd_fail(err, errno, "FileRead", "read: %m") : n;
}

static int
skip_fd(void *arg, uint64_t len, struct nrd_err *err)
{
	const int *fd = arg;
	off_t at = lseek(*fd, (off_t)len, SEEK_CUR);
	struct stat st;

	if (at < 0 || fstat(*fd, &st) < 0)
		return nrd_fail(err, errno, "FileRead", "read: %m");
	return at <= st.st_size ? 0 : bad(err, "it ends in the middle, behind %lld bytes", (long long)st.st_size);
}

void
image_tar_init_fd(struct image_tar *tar, const int *fd)
{
	image_tar_init(tar, read_fd, skip_fd, (void *)(uintptr_t)fd);
}

void
image_tar_fini(struct image_tar *tar)
{
	nrd_buf_fini(&tar->name);
	nrd_buf_fini(&tar->target);
	nrd_buf_fini(&tar->pax);
	nrd_vec_fini(&tar->xattrs);
}

void
image_tar_cleanup(struct image_tar *tar)
{
	image_tar_fini(tar);
}

/* ---- bytes ---- */

/* All of len, or less at the end of the file. */
static ssize_t
take(struct image_tar *tar, void *data, size_t len, struct nrd_err *err)
{
	size_t done = 0;

	while (done < len) {
		ssize_t n = tar->read(tar->arg, (char *)data + done, len - done, err);

		if (n < 0)
			return n;
		if (n == 0)
			break;
		done += (size_t)n;
	}
	tar->offset += done;
	return (ssize_t)done;
}

static int
cut_off(const struct image_tar *tar, struct nrd_err *err)
{
	return bad(err, "it ends in the middle, behind %llu bytes", (unsigned long long)tar->offset);
}

ssize_t
image_tar_data(struct image_tar *tar, void *data, size_t len, struct nrd_err *err)
{
	ssize_t n;

	if (len > tar->left)
		len = (size_t)tar->left;
	if (len == 0)
		return 0;
	n = take(tar, data, len, err);
	if (n < 0)
		return n;
	if ((size_t)n < len)
		return cut_off(tar, err);
	tar->left -= (uint64_t)n;
	return n;
}

static int
skip(struct image_tar *tar, uint64_t len, struct nrd_err *err)
{
	char scrap[16384];

	if (tar->skip != NULL && len > sizeof(scrap)) {
		int r = tar->skip(tar->arg, len, err);

		tar->offset += len;
		return r;
	}
	while (len > 0) {
		size_t want = len < sizeof(scrap) ? (size_t)len : sizeof(scrap);
		ssize_t n = take(tar, scrap, want, err);

		if (n < 0)
			return (int)n;
		if ((size_t)n < want)
			return cut_off(tar, err);
		len -= (uint64_t)n;
	}
	return 0;
}

/* What is behind the contents of a member, up to the next block. */
static uint64_t
pad_of(uint64_t size)
{
	return (IMAGE_TAR_BLOCK - size % IMAGE_TAR_BLOCK) % IMAGE_TAR_BLOCK;
}

/* ---- fields of a header ---- */

/* Octal digits between blanks; or, where the first bit is set, a binary number. */
static bool
number(const unsigned char *head, size_t at, size_t len, uint64_t *ret_v)
{
	const unsigned char *p = head + at, *end = p + len;
	uint64_t v = 0;

	if ((*p & 0x80) != 0) {
		v = *p & 0x7f;
		for (p++; p < end; p++) {
			if (v >> 55 != 0)
				return false;
			v = v << 8 | *p;
		}
		*ret_v = v;
		return true;
	}
	while (p < end && *p == ' ')
		p++;
	for (; p < end && *p >= '0' && *p <= '7'; p++)
		v = v << 3 | (uint64_t)(*p - '0');
	*ret_v = v;
	return p == end || *p == '\0' || *p == ' ';
}

static bool
sum_fits(const unsigned char *head)
{
	uint64_t said, sum = 0;

	if (!number(head, SUM, &said))
		return false;
	for (size_t i = 0; i < IMAGE_TAR_BLOCK; i++)
		sum += i >= SUM_AT && i < SUM_AT + SUM_LEN ? ' ' : head[i];
	return sum == said;
}

static int
text(struct nrd_buf *out, const unsigned char *head, size_t at, size_t len)
{
	return nrd_buf_add(out, head + at, strnlen((const char *)head + at, len));
}

/* ---- extended headers ---- */

/* The contents of a header's member, a name or a list of records. */
static int
contents(struct image_tar *tar, uint64_t size, struct nrd_buf *out, struct nrd_err *err)
{
	ssize_t n;

	nrd_buf_reset(out);
	/* Their values were in the header before. */
	if (out == &tar->pax)
		tar->xattrs.len = 0;
	if (size >= out->max)
		return bad(err, "an extended header has %llu bytes, more than %zu", (unsigned long long)size,
			   out->max);
	if (nrd_buf_reserve(out, (size_t)size) < 0)
		return nrd_nomem(err);
	n = size > 0 ? take(tar, out->data + out->len, (size_t)size, err) : 0;
	if (n < 0)
		return (int)n;
	if ((uint64_t)n < size)
		return cut_off(tar, err);
	out->len += (size_t)n;
	if (out->data != NULL)
		out->data[out->len] = '\0';
	return skip(tar, pad_of(size), err);
}

static bool
decimal(const char *s, uint64_t *ret_v)
{
	return nrd_parse_u64(s, 0, INT64_MAX, ret_v, NULL) == 0;
}

/* "-12.5": seconds and what stands behind the dot. */
static bool
moment(const char *s, struct image_tar_entry *e)
{
	bool negative = *s == '-';
	const char *dot = strchr(s, '.');
	NRD_FREE char *whole = nrd_str_dup(nrd_strn(s + negative, dot != NULL ? (size_t)(dot - s) - negative
									      : strlen(s + negative)));
	uint64_t v;
	uint32_t ns = 0;

	if (whole == NULL || !decimal(whole, &v))
		return false;
	for (uint32_t unit = 100000000; dot != NULL && unit > 0 && dot[1] >= '0' && dot[1] <= '9';
	     dot++, unit /= 10)
		ns += unit * (uint32_t)(dot[1] - '0');
	e->mtime_s = negative ? -(int64_t)v : (int64_t)v;
	if (negative && ns > 0) {
		e->mtime_s--;
		ns = 1000000000 - ns;
	}
	e->mtime_ns = ns;
	return true;
}

static int
path_record(struct nrd_buf *out, const char *value, size_t len, struct nrd_err *err)
{
	nrd_buf_reset(out);
	if (strlen(value) != len || nrd_buf_add(out, value, len) < 0)
		return bad(err, "a name has a NUL in it or is longer than %d bytes", IMAGE_TAR_NAME_MAX);
	return 0;
}

static int
xattr_record(struct image_tar *tar, const char *name, const char *value, size_t len, struct nrd_err *err)
{
	const struct image_tar_xattr x = { .name = name, .value = value, .len = len };

	if (tar->xattrs.len >= XATTRS_MAX)
		return bad(err, "a member has more than %d extended attributes", XATTRS_MAX);
	return nrd_vec_push(&tar->xattrs, x) < 0 ? nrd_nomem(err) : 0;
}

/* The value is followed by a NUL, which was the record's line end. */
static int
record(struct image_tar *tar, const char *key, const char *value, size_t len, struct nrd_err *err)
{
	struct image_tar_entry *e = &tar->entry;
	const char *xattr = nrd_starts(key, XATTR);
	bool good = true;

	if (nrd_streq(key, "path"))
		return path_record(&tar->name, value, len, err);
	if (nrd_streq(key, "linkpath"))
		return path_record(&tar->target, value, len, err);
	if (xattr != NULL)
		return xattr_record(tar, xattr, value, len, err);
	if (nrd_starts(key, "GNU.sparse.") != NULL)
		return bad(err, "a file in it is kept sparse, which is not understood");
	if (nrd_streq(key, "size"))
		good = tar->has_size = decimal(value, &e->size);
	else if (nrd_streq(key, "uid"))
		good = tar->has_uid = decimal(value, &e->uid);
	else if (nrd_streq(key, "gid"))
		good = tar->has_gid = decimal(value, &e->gid);
	else if (nrd_streq(key, "mtime"))
		good = tar->has_mtime = moment(value, e);
	return good ? 0 : bad(err, "an extended header says %.40s=%.80s", key, value);
}

/* Records "LENGTH KEY=VALUE\n", LENGTH being that of all of it. */
static int
records(struct image_tar *tar, struct nrd_err *err)
{
	char *p = tar->pax.data;
	size_t left = tar->pax.len;
	int r = 0;

	while (r == 0 && left > 0) {
		size_t digits = strspn(p, "0123456789");
		size_t len = 0;
		char *key = p + digits + 1, *eq;

		for (size_t i = 0; i < digits && len <= left; i++)
			len = len * 10 + (size_t)(p[i] - '0');
		if (digits == 0 || p[digits] != ' ' || len > left || len < digits + 4 || p[len - 1] != '\n')
			return bad(err, "an extended header is broken");
		p[len - 1] = '\0';
		eq = memchr(key, '=', len - digits - 2);
		if (eq == NULL)
			return bad(err, "an extended header is broken");
		*eq = '\0';
		r = record(tar, key, eq + 1, (size_t)(p + len - 1 - (eq + 1)), err);
		p += len;
		left -= len;
	}
	return r;
}

/* ---- members ---- */

static int
read_head(struct image_tar *tar, unsigned char head[IMAGE_TAR_BLOCK], struct nrd_err *err)
{
	static const unsigned char nothing[IMAGE_TAR_BLOCK];
	ssize_t n = take(tar, head, IMAGE_TAR_BLOCK, err);

	if (n < 0)
		return (int)n;
	/* Many write no end, and few two blocks of it as they should. */
	if (n == 0 || (n == IMAGE_TAR_BLOCK && memcmp(head, nothing, IMAGE_TAR_BLOCK) == 0))
		return 0;
	if (n < IMAGE_TAR_BLOCK)
		return cut_off(tar, err);
	if (!sum_fits(head))
		return bad(err, "it is no tar file, or broken: the header at byte %llu has a wrong sum",
			   (unsigned long long)(tar->offset - IMAGE_TAR_BLOCK));
	return 1;
}

static int
type_of(unsigned char flag, const char *name, enum image_tar_type *ret_type, struct nrd_err *err)
{
	static const char flags[] = "0123456";
	static const enum image_tar_type types[] = {
		IMAGE_TAR_FILE, IMAGE_TAR_LINK, IMAGE_TAR_SYMLINK, IMAGE_TAR_CHAR, IMAGE_TAR_BLOCKDEV,
		IMAGE_TAR_DIR, IMAGE_TAR_FIFO,
	};
	const char *at = flag != '\0' ? strchr(flags, flag) : NULL;

	if (at != NULL)
		*ret_type = types[at - flags];
	else if (flag == '\0' || flag == '7')
		/* Before POSIX a directory was a file with a slash at its end. */
		*ret_type = nrd_ends(name, "/") ? IMAGE_TAR_DIR : IMAGE_TAR_FILE;
	else if (flag == 'S')
		return bad(err, "%.200s: a file that is kept sparse is not understood", name);
	else
		return bad(err, "%.200s: a member of type '%c' is not understood", name,
			   flag > ' ' && flag < 0x7f ? flag : '?');
	return 0;
}

/* What no extended header has said. */
static int
fields(struct image_tar *tar, const unsigned char *head, struct nrd_err *err)
{
	struct image_tar_entry *e = &tar->entry;
	uint64_t size = 0, mode, uid, gid, mtime = 0, major = 0, minor = 0;

	if (!number(head, SIZE, &size) || !number(head, MODE, &mode) || !number(head, UID, &uid) ||
	    !number(head, GID, &gid))
		return bad(err, "a header has something else than numbers");
	/* Times before 1970 are binary and negative: as good as none. */
	(void)number(head, MTIME, &mtime);
	(void)number(head, MAJOR, &major);
	(void)number(head, MINOR, &minor);
	if (!tar->has_size)
		e->size = size;
	if (!tar->has_uid)
		e->uid = uid;
	if (!tar->has_gid)
		e->gid = gid;
	if (!tar->has_mtime) {
		e->mtime_s = mtime <= UINT32_MAX * UINT64_C(16) ? (int64_t)mtime : 0;
		e->mtime_ns = 0;
	}
	if (e->size > MEMBER_MAX)
		return bad(err, "a member has %llu bytes", (unsigned long long)e->size);
	e->mode = (mode_t)(mode & 07777);
	e->major = (unsigned)major;
	e->minor = (unsigned)minor;
	return 0;
}

static int
names(struct image_tar *tar, const unsigned char *head)
{
	bool posix = memcmp(head + 257, "ustar\0", 6) == 0;
	int r = 0;

	if (tar->name.len == 0) {
		if (posix && head[345] != '\0') {
			r = text(&tar->name, head, PREFIX);
			if (r == 0)
				r = nrd_buf_addc(&tar->name, '/');
		}
		if (r == 0)
			r = text(&tar->name, head, NAME);
	}
	if (r == 0 && tar->target.len == 0)
		r = text(&tar->target, head, TARGET);
	tar->entry.name = nrd_buf_str(&tar->name);
	tar->entry.target = nrd_buf_str(&tar->target);
	return r;
}

static int
member(struct image_tar *tar, const unsigned char *head, struct nrd_err *err)
{
	struct image_tar_entry *e = &tar->entry;
	int r = names(tar, head) < 0 ? nrd_nomem(err) : fields(tar, head, err);

	if (r == 0)
		r = type_of(head[TYPE], e->name, &e->type, err);
	if (r < 0)
		return r;
	/* Only files have contents, whatever size the header of a directory or a link says. */
	if (e->type != IMAGE_TAR_FILE)
		e->size = 0;
	e->xattrs = tar->xattrs.data;
	e->n_xattrs = tar->xattrs.len;
	tar->left = e->size;
	tar->pad = pad_of(e->size);
	return 1;
}

/* A header that says more of the next member: 1 when it was one. */
static int
extra(struct image_tar *tar, const unsigned char *head, struct nrd_err *err)
{
	struct nrd_buf *out = NULL;
	uint64_t size;
	int r;

	switch (head[TYPE]) {
	case 'L':
		out = &tar->name;
		break;
	case 'K':
		out = &tar->target;
		break;
	case 'x':
	case 'g':
		out = &tar->pax;
		break;
	default:
		return 0;
	}
	if (!number(head, SIZE, &size))
		return bad(err, "a header has something else than numbers");
	/* What one says of all that follow is comments and the like. */
	if (head[TYPE] == 'g')
		r = size < MEMBER_MAX ? skip(tar, size + pad_of(size), err) : bad(err, "a header is too large");
	else
		r = contents(tar, size, out, err);
	if (r == 0 && head[TYPE] == 'x')
		r = records(tar, err);
	/* GNU's have a NUL at their end. */
	if (r == 0 && out != &tar->pax)
		nrd_buf_truncate(out, strlen(nrd_buf_str(out)));
	return r < 0 ? r : 1;
}

int
image_tar_next(struct image_tar *tar, const struct image_tar_entry **ret_entry, struct nrd_err *err)
{
	unsigned char head[IMAGE_TAR_BLOCK];
	int r = skip(tar, tar->left + tar->pad, err);

	tar->left = tar->pad = 0;
	nrd_buf_reset(&tar->name);
	nrd_buf_reset(&tar->target);
	nrd_buf_reset(&tar->pax);
	tar->xattrs.len = 0;
	tar->has_size = tar->has_uid = tar->has_gid = tar->has_mtime = false;
	tar->entry = (struct image_tar_entry){ 0 };
	while (r == 0 && !tar->ended) {
		r = read_head(tar, head, err);
		if (r == 0)
			tar->ended = true;
		if (r <= 0)
			return r;
		r = extra(tar, head, err);
		if (r == 0) {
			r = member(tar, head, err);
			*ret_entry = &tar->entry;
			return r;
		}
		r = r > 0 ? 0 : r;
	}
	return r;
}
