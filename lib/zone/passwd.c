/* SPDX-License-Identifier: MPL-2.0 */
/* Copyright 2026 The Nereid authors */
#include "passwd.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "nrd/str.h"

#define ID_MAX (UINT32_MAX - 1)

enum field { F_NAME, F_PASSWORD, F_UID, F_GID, F_GECOS, F_HOME, F_SHELL, N_FIELDS };

static bool
number(struct nrd_str s, uint64_t *ret_v)
{
	char text[16];

	if (s.len == 0 || s.len >= sizeof(text))
		return false;
	memcpy(text, s.data, s.len);
	text[s.len] = '\0';
	return nrd_parse_u64(text, 0, ID_MAX, ret_v, NULL) >= 0;
}

static bool
put(char *dst, size_t size, struct nrd_str s)
{
	if (s.len >= size)
		return false;
	memcpy(dst, s.data, s.len);
	dst[s.len] = '\0';
	return true;
}

static bool
line_is(struct nrd_str line, const char *name, bool numeric, uint64_t uid,
	struct zone_passwd *who)
{
	struct nrd_str f[N_FIELDS] = { 0 };
	uint64_t u, g;

	for (int i = 0; i < N_FIELDS; i++)
		if (!nrd_str_split(&line, ':', &f[i]) && i < F_HOME)
			return false;
	if (!number(f[F_UID], &u) || !number(f[F_GID], &g))
		return false;
	if (numeric ? u != uid : !nrd_str_eq(f[F_NAME], name))
		return false;
	who->uid = (uid_t)u;
	who->gid = (gid_t)g;
	return put(who->name, sizeof(who->name), f[F_NAME]) &&
	       put(who->home, sizeof(who->home), f[F_HOME]) &&
	       put(who->shell, sizeof(who->shell), f[F_SHELL]);
}

int
zone_passwd_parse(const char *text, const char *name, struct zone_passwd *ret_who,
		  struct nrd_err *err)
{
	struct nrd_str rest = nrd_str(text);
	struct nrd_str id = nrd_str(name);
	struct nrd_str first, line;
	struct zone_passwd who = { .home = "/" };
	uint64_t uid = 0, gid = 0;
	bool numeric, grouped;

	(void)nrd_str_split(&id, ':', &first);
	numeric = number(first, &uid);
	grouped = numeric && id.data != NULL && number(id, &gid);
	while (nrd_str_split(&rest, '\n', &line)) {
		if (!line_is(line, name, numeric, uid, &who))
			continue;
		if (grouped)
			who.gid = (gid_t)gid;
		*ret_who = who;
		return 0;
	}
	if (!numeric)
		return nrd_fail(err, ENOENT, "NoSuchUser", "there is no user %s in the zone", name);
	who.uid = (uid_t)uid;
	who.gid = grouped ? (gid_t)gid : (gid_t)uid;
	*ret_who = who;
	return 0;
}

static bool
is_member(struct nrd_str members, const char *user)
{
	struct nrd_str one;

	while (nrd_str_split(&members, ',', &one))
		if (nrd_str_eq(one, user))
			return true;
	return false;
}

size_t
zone_passwd_groups(const char *text, const char *user, gid_t ret_gids[ZONE_GROUPS_MAX])
{
	struct nrd_str rest = nrd_str(text);
	struct nrd_str line;
	size_t n = 0;

	while (n < ZONE_GROUPS_MAX && nrd_str_split(&rest, '\n', &line)) {
		struct nrd_str name, password, id;
		uint64_t gid;

		/* What is left of the line is its members. */
		if (nrd_str_split(&line, ':', &name) && nrd_str_split(&line, ':', &password) &&
		    nrd_str_split(&line, ':', &id) && line.data != NULL && number(id, &gid) &&
		    is_member(line, user))
			ret_gids[n++] = (gid_t)gid;
	}
	return n;
}
