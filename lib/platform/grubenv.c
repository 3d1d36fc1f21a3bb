/* SPDX-License-Identifier: MPL-2.0 */
/* Copyright 2026 The Nereid authors */
#include "platform/grubenv.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "nrd/buf.h"
#include "nrd/file.h"
#include "nrd/mem.h"
#include "nrd/str.h"

static const char header[] = "# GRUB Environment Block\n";

static const struct {
	const char *name;
	size_t offset;
} stamps[] = {
	{ "current", NRD_OFFSET(struct platform_grubenv, current, char[PLATFORM_STAMP_TEXT]) },
	{ "previous", NRD_OFFSET(struct platform_grubenv, previous, char[PLATFORM_STAMP_TEXT]) },
	{ "next", NRD_OFFSET(struct platform_grubenv, next, char[PLATFORM_STAMP_TEXT]) },
	{ "failed", NRD_OFFSET(struct platform_grubenv, failed, char[PLATFORM_STAMP_TEXT]) },
};

static int
bad(struct nrd_err *err, const char *why)
{
	return nrd_fail(err, EBADMSG, "BadGrubenv", "not a GRUB environment block: %s", why);
}

/* The line at the front: a backslash takes the next byte, be it a line end, into the value. */
static struct nrd_str
line_take(struct nrd_str *rest)
{
	size_t n = 0;

	while (n < rest->len && rest->data[n] != '\n')
		n += rest->data[n] == '\\' ? 2 : 1;
	if (n >= rest->len) {
		*rest = nrd_strn(rest->data + rest->len, 0);
		return (struct nrd_str){ 0 };
	}
	struct nrd_str line = nrd_strn(rest->data, n);

	*rest = nrd_strn(rest->data + n + 1, rest->len - n - 1);
	return line;
}

static int
tries_set(struct platform_grubenv *env, struct nrd_str value, struct nrd_err *err)
{
	if (value.len == 0)
		env->tries = 0;
	else if (value.len == 1 && value.data[0] >= '0' && value.data[0] <= '0' + PLATFORM_TRIES)
		env->tries = (unsigned)(value.data[0] - '0');
	else
		return bad(err, "tries is not 0, 1 or 2");
	return 0;
}

static int
stamp_set(char *dst, struct nrd_str value, struct nrd_err *err)
{
	char text[PLATFORM_STAMP_TEXT] = "";

	if (value.len == PLATFORM_STAMP_LEN)
		memcpy(text, value.data, value.len);
	if (value.len != 0 && !platform_stamp_valid(text))
		return bad(err, "a value is not a platform version");
	memcpy(dst, text, sizeof(text));
	return 0;
}

static int
line_set(struct platform_grubenv *env, struct nrd_str line, struct nrd_err *err)
{
	struct nrd_str value = line, name;
	size_t used = strlen(env->rest);

	if (line.len == 0 || memchr(line.data, '=', line.len) == NULL)
		return bad(err, "a line without a value");
	nrd_str_split(&value, '=', &name);
	if (nrd_str_eq(name, "tries"))
		return tries_set(env, value, err);
	for (size_t i = 0; i < nrd_count(stamps); i++) {
		if (nrd_str_eq(name, stamps[i].name))
			return stamp_set((char *)env + stamps[i].offset, value, err);
	}
	/* It all came out of fewer bytes than rest has. */
	memcpy(env->rest + used, line.data, line.len);
	memcpy(env->rest + used + line.len, "\n", 2);
	return 0;
}

int
platform_grubenv_parse(const char *data, size_t len, struct platform_grubenv *ret_env,
		       struct nrd_err *err)
{
	struct platform_grubenv env = { 0 };
	struct nrd_str rest = nrd_strn(data, len);

	if (len != PLATFORM_GRUBENV_BYTES)
		return bad(err, "its size is not 1024 bytes");
	if (memcmp(data, header, sizeof(header) - 1) != 0)
		return bad(err, "its first line is wrong");
	if (memchr(data, '\0', len) != NULL)
		return bad(err, "it holds a NUL");
	(void)line_take(&rest);
	while (rest.len > 0 && rest.data[0] != '#') {
		struct nrd_str line = line_take(&rest);
		int r = line_set(&env, line, err);

		if (r < 0)
			return r;
	}
	for (size_t i = 0; i < rest.len; i++) {
		if (rest.data[i] != '#')
			return bad(err, "text after its end");
	}
	*ret_env = env;
	return 0;
}

int
platform_grubenv_format(const struct platform_grubenv *env, char ret_data[PLATFORM_GRUBENV_BYTES],
			struct nrd_err *err)
{
	NRD_AUTO(nrd_buf) b = NRD_BUF_INIT(PLATFORM_GRUBENV_BYTES);

	nrd_buf_adds(&b, header);
	for (size_t i = 0; i < nrd_count(stamps); i++) {
		const char *value = (const char *)env + stamps[i].offset;

		if (value[0] != '\0')
			nrd_buf_printf(&b, "%s=%s\n", stamps[i].name, value);
	}
	if (env->next[0] != '\0')
		nrd_buf_printf(&b, "tries=%u\n", env->tries);
	if (nrd_buf_adds(&b, env->rest) < 0)
		return nrd_fail(err, EFBIG, "GrubenvFull", "the GRUB environment block is full");
	while (b.len < PLATFORM_GRUBENV_BYTES) {
		if (nrd_buf_addc(&b, '#') < 0)
			return nrd_nomem(err);
	}
	memcpy(ret_data, b.data, PLATFORM_GRUBENV_BYTES);
	return 0;
}

int
platform_grubenv_read(const char *path, struct platform_grubenv *ret_env, struct nrd_err *err)
{
	NRD_FREE char *data = NULL;
	size_t len;
	int r;

	r = nrd_file_read(path, 2 * PLATFORM_GRUBENV_BYTES, &data, &len, err);
	if (r == -EFBIG)
		r = bad(err, "its size is not 1024 bytes");
	if (r < 0)
		return r;
	return platform_grubenv_parse(data, len, ret_env, err);
}

int
platform_grubenv_write(const char *path, const struct platform_grubenv *env, struct nrd_err *err)
{
	char data[PLATFORM_GRUBENV_BYTES], there[PLATFORM_GRUBENV_BYTES];
	NRD_CLOSE int fd = -1;
	struct stat st;
	int r;

	r = platform_grubenv_format(env, data, err);
	if (r < 0)
		return r;
	fd = open(path, O_RDWR | O_CLOEXEC | O_NOFOLLOW);
	if (fd < 0 && errno != ENOENT)
		return nrd_fail(err, errno, "FileWrite", "write %s: %m", path);
	if (fd < 0 || fstat(fd, &st) < 0 || st.st_size != PLATFORM_GRUBENV_BYTES)
		return nrd_file_write(path, data, sizeof(data), 0644, err);
	if (pread(fd, there, sizeof(there), 0) == (ssize_t)sizeof(there) &&
	    memcmp(there, data, sizeof(data)) == 0)
		return 0;
	if (pwrite(fd, data, sizeof(data), 0) != (ssize_t)sizeof(data) || fsync(fd) < 0)
		return nrd_fail(err, errno, "FileWrite", "write %s: %m", path);
	return 0;
}
