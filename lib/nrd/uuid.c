/* SPDX-License-Identifier: MPL-2.0 */
/* Copyright 2026 The Nereid authors */
#include "uuid.h"

#include <errno.h>
#include <stddef.h>
#include <string.h>
#include <sys/random.h>

/* Text positions of the dashes. */
static bool
is_dash(size_t at)
{
	return at == 8 || at == 13 || at == 18 || at == 23;
}

static int
hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

int
nrd_uuid_new(struct nrd_uuid *ret_uuid, struct nrd_err *err)
{
	struct nrd_uuid u;

	if (getrandom(u.b, sizeof(u.b), 0) != sizeof(u.b))
		return nrd_fail(err, errno, "Random", "get random bytes: %m");
	u.b[6] = (uint8_t)((u.b[6] & 0x0f) | 0x40);
	u.b[8] = (uint8_t)((u.b[8] & 0x3f) | 0x80);
	*ret_uuid = u;
	return 0;
}

int
nrd_uuid_parse(const char *s, struct nrd_uuid *ret_uuid, struct nrd_err *err)
{
	struct nrd_uuid u = { 0 };
	size_t nibble = 0, i = 0;

	for (; i < NRD_UUID_LEN && s[i] != '\0'; i++) {
		int v = hex_digit(s[i]);

		if (is_dash(i) ? s[i] != '-' : v < 0)
			break;
		if (is_dash(i))
			continue;
		u.b[nibble / 2] = (uint8_t)(u.b[nibble / 2] << 4 | v);
		nibble++;
	}
	if (i != NRD_UUID_LEN || s[i] != '\0')
		return nrd_fail(err, EINVAL, "BadUuid", "\"%.64s\" is not a UUID", s);
	*ret_uuid = u;
	return 0;
}

void
nrd_uuid_format(const struct nrd_uuid *uuid, char ret_text[NRD_UUID_TEXT])
{
	static const char digits[] = "0123456789abcdef";
	size_t nibble = 0;

	for (size_t i = 0; i < NRD_UUID_LEN; i++) {
		if (is_dash(i)) {
			ret_text[i] = '-';
			continue;
		}
		unsigned byte = uuid->b[nibble / 2];

		ret_text[i] = digits[nibble % 2 == 0 ? byte >> 4 : byte & 15];
		nibble++;
	}
	ret_text[NRD_UUID_LEN] = '\0';
}

bool
nrd_uuid_equal(const struct nrd_uuid *a, const struct nrd_uuid *b)
{
	return memcmp(a->b, b->b, sizeof(a->b)) == 0;
}

bool
nrd_uuid_is_nil(const struct nrd_uuid *uuid)
{
	static const struct nrd_uuid nil;

	return nrd_uuid_equal(uuid, &nil);
}

bool
nrd_uuid_valid(const char *s)
{
	struct nrd_uuid u;

	return nrd_uuid_parse(s, &u, NULL) == 0;
}

int
nrd_uuid_check(const char *s, struct nrd_err *err)
{
	struct nrd_uuid u;

	return nrd_uuid_parse(s, &u, err);
}
