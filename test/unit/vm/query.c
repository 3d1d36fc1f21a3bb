/* SPDX-License-Identifier: MPL-2.0 */
/* Copyright 2026 The Nereid authors */
#include "vm/query.h"

#include <stdlib.h>
#include <string.h>

#include "nrd-test.h"
#include "nrd/mem.h"
#include "nrd/str.h"

#define A "{\"uuid\":\"a\",\"type\":\"OS\",\"ram\":512,\"state\":\"running\",\"alias\":\"Web one\"," \
	  "\"autoboot\":true,\"tags\":{\"role.x\":\"db\"},\"nics\":[{\"ips\":[\"10.0.0.1/24\",\"dhcp\"]}," \
	  "{\"nic_tag\":\"ext\"}]}"
#define B "{\"uuid\":\"b\",\"type\":\"BHYVE\",\"ram\":64,\"state\":\"stopped\"}"

static struct vm_found
both(void)
{
	static const char *const texts[] = { A, B };
	struct vm_found found = { .docs = calloc(2, sizeof(struct nrd_json *)), .n = 2 };
	struct nrd_err err = { 0 };

	for (size_t i = 0; i < 2; i++)
		CHECK_OK(nrd_json_parse(texts[i], strlen(texts[i]), NULL, &found.docs[i], &err), err);
	return found;
}

static void
list(const char *columns, const char *sort, bool parsable, const char *want)
{
	const struct vm_list_opts opts = { .columns = columns, .sort = sort, .parsable = parsable };
	struct vm_found found = both();
	struct nrd_buf out = { 0 };
	struct nrd_err err = { 0 };

	CHECK_OK(vm_list(&found, &opts, &out, &err), err);
	CHECK_STR(nrd_buf_str(&out), want);
	nrd_buf_fini(&out);
	vm_found_fini(&found);
}

static void
tables(void)
{
	list(NULL, NULL, false,
	     "UUID                                  TYPE  RAM      STATE             ALIAS\n"
	     "b                                     BHYV  64       stopped           -\n"
	     "a                                     OS    512      running           Web one\n");
	list("ram,alias", "-ram", true, "512:Web one\n64:\n");
	list("uuid,tags.role.x,nics.0.ips,nics.1.nic_tag", "alias", true, "b:::\na:db:10.0.0.1/24,dhcp:ext\n");
	list("autoboot,type", "uuid", true, "true:OS\n:BHYV\n");
}

static void
refused(const char *columns, const char *sort, const char *want)
{
	const struct vm_list_opts opts = { .columns = columns, .sort = sort };
	struct vm_found found = both();
	struct nrd_buf out = { 0 };
	struct nrd_err err = { 0 };

	CHECK(vm_list(&found, &opts, &out, &err) < 0);
	CHECK_STR(err.msg, want);
	nrd_buf_fini(&out);
	vm_found_fini(&found);
}

static void
fields(void)
{
	refused("uuid,nope", NULL, "invalid order field: \"nope\"");
	refused(NULL, "-nope", "invalid sort field: \"nope\"");
	refused("nics.*.mac", NULL, "invalid order field: \"nics.*.mac\"");
	refused("tags.", NULL, "invalid order field: \"tags.\"");
}

/* Which of the two are found, "ab". */
static void
finds(const char *f1, const char *f2, const char *want)
{
	char *texts[] = { f1 != NULL ? strdup(f1) : NULL, f2 != NULL ? strdup(f2) : NULL, NULL };
	struct vm_found found = both();
	struct vm_query *q = NULL;
	struct nrd_err err = { 0 };
	char have[3] = "";

	CHECK_OK(vm_query_new(texts, &q, &err), err);
	for (size_t i = 0; i < found.n; i++)
		if (vm_query_matches(q, nrd_json_root(found.docs[i])))
			(void)strcat(have, nrd_get_str(nrd_json_root(found.docs[i]), "uuid"));
	CHECK_STR(have, want);
	vm_query_free(q);
	vm_found_fini(&found);
	free(texts[0]);
	free(texts[1]);
}

static void
filters(void)
{
	finds(NULL, NULL, "ab");
	finds("ram=512", NULL, "a");
	finds("state=running", "ram=64", "");
	finds("alias=~^web", NULL, "a");
	finds("alias=web one", NULL, "");
	finds("alias=", NULL, "b");
	finds("nics.*.nic_tag=ext", NULL, "a");
	finds("nics.*.ips=~10\\.0", NULL, "a");
	finds("nics.0.nic_tag=ext", NULL, "");
	finds("tags.role.x=db", NULL, "a");
	finds("autoboot=true", NULL, "a");
}

static void
no_filter(const char *text, const char *want)
{
	char *texts[] = { strdup(text), NULL };
	struct vm_query *q = NULL;
	struct nrd_err err = { 0 };

	CHECK(vm_query_new(texts, &q, &err) < 0);
	CHECK(strstr(err.msg, want) != NULL);
	free(texts[0]);
}

static void
bad_filters(void)
{
	no_filter("nope=1", "Invalid filter key: \"nope\"");
	no_filter("ram", "is no filter");
	no_filter("=5", "is no filter");
	no_filter("alias=~(", "alias: ");
}

TEST_MAIN(tables, fields, filters, bad_filters)
