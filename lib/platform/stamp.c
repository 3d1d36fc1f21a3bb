/* SPDX-License-Identifier: MPL-2.0 */
/* Copyright 2026 The Nereid authors */
#include "platform/stamp.h"

#include <errno.h>
#include <stddef.h>
#include <string.h>

#include "nrd/file.h"
#include "nrd/mem.h"
#include "nrd/str.h"

#define OS_RELEASE_MAX ((size_t)64 << 10)

/* Two digits as a number within min..max. */
static bool
pair_within(const char *s, int min, int max)
{
	int v = (s[0] - '0') * 10 + (s[1] - '0');

	return v >= min && v <= max;
}

bool
platform_stamp_valid(const char *s)
{
	static const char shape[] = "ddddddddTddddddZ";

	if (s == NULL || strlen(s) != PLATFORM_STAMP_LEN)
		return false;
	for (size_t i = 0; i < PLATFORM_STAMP_LEN; i++) {
		if (shape[i] == 'd' ? s[i] < '0' || s[i] > '9' : s[i] != shape[i])
			return false;
	}
	return pair_within(s + 4, 1, 12) && pair_within(s + 6, 1, 31) &&
	       pair_within(s + 9, 0, 23) && pair_within(s + 11, 0, 59) &&
	       pair_within(s + 13, 0, 60);
}

int
platform_stamp_check(const char *s, struct nrd_err *err)
{
	if (platform_stamp_valid(s))
		return 0;
	return nrd_fail(err, EINVAL, "BadStamp",
			"\"%s\" is not a platform version (like 20260131T235959Z)", s);
}

/* The value of key=value or key="value", or an empty slice. */
static struct nrd_str
shell_value(struct nrd_str line, const char *key)
{
	size_t n = strlen(key);
	struct nrd_str v = { 0 };

	if (line.len <= n || memcmp(line.data, key, n) != 0 || line.data[n] != '=')
		return v;
	v = nrd_str_trim(nrd_strn(line.data + n + 1, line.len - n - 1));
	if (v.len >= 2 && (v.data[0] == '"' || v.data[0] == '\'') && v.data[v.len - 1] == v.data[0])
		v = nrd_strn(v.data + 1, v.len - 2);
	return v;
}

int
platform_stamp_running(const char *os_release, char ret_stamp[PLATFORM_STAMP_TEXT],
		       struct nrd_err *err)
{
	NRD_FREE char *text = NULL;
	NRD_FREE char *stamp = NULL;
	struct nrd_str rest, line;
	bool ours = false;
	int r;

	r = nrd_file_read(os_release, OS_RELEASE_MAX, &text, NULL, err);
	if (r < 0)
		return r;
	rest = nrd_str(text);
	while (nrd_str_split(&rest, '\n', &line)) {
		struct nrd_str id = shell_value(line, "ID");
		struct nrd_str version = shell_value(line, "VERSION_ID");

		if (id.len > 0)
			ours = nrd_str_eq(id, "nereid");
		if (version.len > 0) {
			nrd_freep(&stamp);
			stamp = nrd_str_dup(version);
			if (stamp == NULL)
				return nrd_nomem(err);
		}
	}
	if (!ours || !platform_stamp_valid(stamp))
		return nrd_fail(err, ENOENT, "NotNereid", "%s does not name a version of Nereid",
				os_release);
	memcpy(ret_stamp, stamp, PLATFORM_STAMP_TEXT);
	return 0;
}
