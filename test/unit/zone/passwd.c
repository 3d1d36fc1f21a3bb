/* SPDX-License-Identifier: MPL-2.0 */
/* Copyright 2026 The Nereid authors */
#include "zone/passwd.h"

#include "nrd-test.h"

static const char text[] = "root:x:0:0:root:/root:/bin/sh\n"
			   "broken\n"
			   "odd:x:notanumber:5:::\n"
			   "www:x:33:34:www:/var/www:/usr/sbin/nologin\n"
			   "bare:x:7:8";

static void
by_name_and_number(void)
{
	struct zone_passwd who;
	struct nrd_err err = { 0 };

	CHECK_OK(zone_passwd_parse(text, "www", &who, &err), err);
	CHECK_INT(who.uid, 33);
	CHECK_INT(who.gid, 34);
	CHECK_STR(who.home, "/var/www");
	CHECK_STR(who.shell, "/usr/sbin/nologin");
	CHECK_OK(zone_passwd_parse(text, "33", &who, &err), err);
	CHECK_STR(who.name, "www");
	CHECK_OK(zone_passwd_parse(text, "33:99", &who, &err), err);
	CHECK_INT(who.gid, 99);
}

static void
numbers_need_no_line(void)
{
	struct zone_passwd who;
	struct nrd_err err = { 0 };

	CHECK_OK(zone_passwd_parse("", "1234", &who, &err), err);
	CHECK_INT(who.uid, 1234);
	CHECK_INT(who.gid, 1234);
	CHECK_STR(who.home, "/");
	CHECK_OK(zone_passwd_parse(text, "5:6", &who, &err), err);
	CHECK_INT(who.gid, 6);
}

static void
what_is_not_there(void)
{
	struct zone_passwd who;
	struct nrd_err err = { 0 };

	CHECK_FAILS(zone_passwd_parse(text, "nobody", &who, &err), err, ENOENT, "NoSuchUser");
	CHECK_FAILS(zone_passwd_parse(text, "odd", &who, &err), err, ENOENT, "NoSuchUser");
	CHECK_FAILS(zone_passwd_parse(text, "broken", &who, &err), err, ENOENT, "NoSuchUser");
	CHECK_FAILS(zone_passwd_parse(text, "", &who, &err), err, ENOENT, "NoSuchUser");
	CHECK_FAILS(zone_passwd_parse(text, "bare", &who, &err), err, ENOENT, "NoSuchUser");
}

static void
groups_of_a_member(void)
{
	static const char groups[] = "a:x:1:www\nb:x:2:amy,www,bob\nc:x:3:wwww\nwww:x:33:\nbad:x:n:www\n"
				     "short:x:5\nlast:x:9:www";
	gid_t gids[ZONE_GROUPS_MAX];
	char many[ZONE_GROUPS_MAX * 32] = "";

	CHECK_INT(zone_passwd_groups(groups, "www", gids), 3);
	CHECK_INT(gids[0], 1);
	CHECK_INT(gids[1], 2);
	CHECK_INT(gids[2], 9);
	CHECK_INT(zone_passwd_groups(groups, "nobody", gids), 0);
	CHECK_INT(zone_passwd_groups("", "www", gids), 0);
	for (size_t i = 0; i <= ZONE_GROUPS_MAX; i++)
		(void)snprintf(many + strlen(many), sizeof(many) - strlen(many), "g:x:%zu:www\n", i);
	CHECK_INT(zone_passwd_groups(many, "www", gids), ZONE_GROUPS_MAX);
}

TEST_MAIN(groups_of_a_member, by_name_and_number, numbers_need_no_line, what_is_not_there)
