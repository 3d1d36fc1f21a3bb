/* SPDX-License-Identifier: MPL-2.0 */
/* Copyright 2026 The Nereid authors */
#include "zone/delegate.h"

#include "nrd/str.h"

#include "nrd-test.h"

static void
versions(void)
{
	static const char *const good[] = { "2.3.9", "2.3.9-1", "2.3.9-0+deb13u1", "2.3.10", "2.4.0", "3.0" };
	static const char *const bad[] = { "", "2.3.8-1", "2.2.9", "1.9.9", "2.3", "x", "2.3.x", "99999999999999999" };

	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++)
		CHECK(zone_delegate_version_ok(good[i]));
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		CHECK(!zone_delegate_version_ok(bad[i]));
}

#define FS(name, canmount, mountpoint, source, mark)                                               \
	name "\tzoned\ton\tlocal\n" name "\tcanmount\t" canmount "\tlocal\n" name "\tmountpoint\t" \
	mountpoint "\t" source "\n" name "\torg.nereid:canmount\t" mark "\n"

static const char *const datasets[] = { "zones/z/data", "zones/other", NULL };

/* The names, with blanks between them. */
static void
check_pick(const char *text, enum zone_delegate_what what, const char *want)
{
	NRD_STRV char **names = NULL;
	char *got;

	CHECK_INT(zone_delegate_pick(text, datasets, what, &names), 0);
	got = nrd_strv_join(NRD_CSTRV(names), " ");
	CHECK_STR(got, want);
	free(got);
}

static void
tells_whose_mountpoint_it_is(void)
{
	static const char text[] =
		FS("zones/z/data", "on", "/zones/z/data", "inherited from zones/z", "-\t-")
		FS("zones/z/data/home", "on", "/zones/z/data/home", "inherited from zones/z", "-\t-")
		FS("zones/z/data/evil", "on", "/etc", "local", "-\t-")
		FS("zones/z/data/evil/more", "on", "/etc/more", "inherited from zones/z/data/evil", "-\t-")
		FS("zones/z/data/got", "on", "/usr", "received", "-\t-")
		FS("zones/z/data/off", "off", "/etc", "local", "-\t-")
		FS("zones/z/data/none", "on", "none", "local", "-\t-")
		FS("zones/z/data/was", "noauto", "/etc", "local", "on\tlocal")
		FS("zones/z/data/own", "noauto", "/etc", "local", "-\t-");

	check_pick(text, ZONE_DELEGATE_THERE, "zones/z/data");
	check_pick(text, ZONE_DELEGATE_ZONED, "zones/z/data");
	check_pick(text, ZONE_DELEGATE_FILES, "zones/z/data");
	check_pick("zones/other\tcanmount\t-\t-\n", ZONE_DELEGATE_FILES, "");
	check_pick(text, ZONE_DELEGATE_WILD, "zones/z/data/evil zones/z/data/evil/more zones/z/data/got");
	check_pick(text, ZONE_DELEGATE_TAMED, "zones/z/data/was");
	check_pick("", ZONE_DELEGATE_THERE, "");
	check_pick("zones/other\tzoned\toff\tdefault\n", ZONE_DELEGATE_ZONED, "");
	check_pick("zones/other\tzoned\toff\tdefault\n", ZONE_DELEGATE_THERE, "zones/other");
}

/* Values with line ends in them, made to look like other lines. */
static void
is_not_fooled(void)
{
	check_pick("zones/z/data/x\tcanmount\ton\tlocal\n"
		   "zones/z/data/x\tmountpoint\t/etc\nzones/z/data/x\tmountpoint\tnone\tlocal\n"
		   "zones/z/data/x\tcanmount\toff\tlocal\n", ZONE_DELEGATE_WILD, "zones/z/data/x");
	check_pick("zones/z/data/x\torg.nereid:canmount\t1\nzones/config\tcanmount\tnoauto\tlocal\n"
		   "zones/config\torg.nereid:canmount\ton\tlocal\n"
		   "zones/config\tcanmount\ton\tlocal\nzones/config\tmountpoint\t/x\tlocal\n",
		   ZONE_DELEGATE_TAMED, "");
	check_pick("zones/z/database\tcanmount\ton\tlocal\nzones/z/database\tmountpoint\t/x\tlocal\n",
		   ZONE_DELEGATE_WILD, "");
}

TEST_MAIN(versions, tells_whose_mountpoint_it_is, is_not_fooled)
