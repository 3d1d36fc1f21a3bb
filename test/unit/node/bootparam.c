/* SPDX-License-Identifier: MPL-2.0 */
/* Copyright 2026 The Nereid authors */
#include "node/bootparam.h"

#include "nrd-test.h"
#include "nrd/mem.h"
#include "nrd/str.h"

static void
reads_what_is_ours(void)
{
	NRD_AUTO(node_bootparam) p = { 0 };
	NRD_FREE char *problem = NULL;
	struct nrd_err err = { 0 };

	CHECK_INT(node_bootparam_parse("quiet console=ttyS0 hostname=n1 zpools=tank,zones "
				       "answers=http://h/a.json \"root_shadow=$6$ab$cd\" nereid.try=1 "
				       "nereid.bootfs=ABCD-0123 admin_nic=02:00:00:00:00:01\n",
				       &p, &problem, &err), 0);
	CHECK_STR(p.hostname, "n1");
	CHECK_STR(p.zpools[1], "zones");
	CHECK(p.zpools[2] == NULL);
	CHECK_STR(p.answers, "http://h/a.json");
	CHECK_STR(p.bootfs, "ABCD-0123");
	CHECK_STR(p.admin_nic, "02:00:00:00:00:01");
	CHECK(p.trial);
	CHECK(!p.noimport);
}

static void
leaves_pools_alone(void)
{
	static const char *const yes[] = { "noimport=true", "noimport", "rescue", "x noimport=maybe" };

	for (size_t i = 0; i < nrd_count(yes); i++) {
		NRD_AUTO(node_bootparam) p = { 0 };

		CHECK_INT(node_bootparam_parse(yes[i], &p, NULL, NULL), 0);
		CHECK(p.noimport);
	}

	NRD_AUTO(node_bootparam) p = { 0 };

	CHECK_INT(node_bootparam_parse("noimport=false norescue", &p, NULL, NULL), 0);
	CHECK(!p.noimport);
}

static void
a_mistake_is_told_and_left_out(void)
{
	NRD_AUTO(node_bootparam) p = { 0 };
	NRD_FREE char *problem = NULL;

	CHECK_INT(node_bootparam_parse("hostname=-bad- answers=ftp://x admin_nic=nonsense", &p,
				       &problem, NULL), 0);
	CHECK(p.hostname == NULL && p.answers == NULL && p.admin_nic == NULL);
	CHECK(strstr(problem, "boot parameter hostname: ") != NULL);
}

TEST_MAIN(reads_what_is_ours, leaves_pools_alone, a_mistake_is_told_and_left_out)
