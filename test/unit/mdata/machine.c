/* SPDX-License-Identifier: MPL-2.0 */
/* Copyright 2026 The Nereid authors */
#include "mdata/machine.h"

#include "mdata/limits.h"
#include "nrd-test.h"
#include "nrd/json.h"
#include "nrd/mem.h"
#include "zone/config.h"

#define FILE_TEXT                                                                                  \
	"{\"zonename\":\"z1\",\"uuid\":\"11111111-2222-4333-8444-555555555555\",\"alias\":\"web\","   \
	"\"hostname\":\"\",\"max_physical_memory\":512,\"autoboot\":true,\"package_name\":\"g1\","    \
	"\"resolvers\":[\"10.0.0.2\"],\"tags\":{\"role\":\"db\"},"                                    \
	"\"nics\":[{\"interface\":\"net0\",\"mac\":\"02:00:00:00:00:01\",\"ips\":[\"fd00::1/64\","    \
	"\"10.0.0.5/20\"],\"gateways\":[\"10.0.0.1\"]}],"                                             \
	"\"routes\":{\"10.9.0.0/16\":\"10.0.0.9\",\"10.8.0.0/16\":\"nics[0]\","                       \
	"\"10.7.0.0/16\":\"macs[02:00:00:00:00:01]\",\"10.6.0.0/16\":\"nics[7]\"},"                   \
	"\"customer_metadata\":{\"foo\":\"bar\",\"n\":7,\"a:b\":\"c\"},"                              \
	"\"internal_metadata\":{\"root_pw\":\"secret\",\"operator-script\":\"run\",\"docker:id\":\"d\"," \
	"\"hidden\":\"h\",\"dock:er\":\"x\"},"                                                        \
	"\"internal_metadata_namespaces\":[\"docker\",\"sys\"]}"

struct fixture {
	struct nrd_json *doc, *sysinfo;
	struct mdata_machine machine;
};

static void
open_fixture(struct fixture *f, const char *text)
{
	static const char node[] = "{\"UUID\":\"node-uuid\",\"Datacenter Name\":\"coast\"}";
	struct nrd_err err = { 0 };

	CHECK_OK(nrd_json_parse(text, strlen(text), NULL, &f->doc, &err), err);
	CHECK_OK(nrd_json_parse(node, strlen(node), NULL, &f->sysinfo, &err), err);
	f->machine = (struct mdata_machine){ "z1", nrd_json_root(f->doc), nrd_json_root(f->sysinfo) };
}

static void
close_fixture(struct fixture *f)
{
	nrd_json_free(f->doc);
	nrd_json_free(f->sysinfo);
}

/* want NULL: not found. */
static void
gets(const struct fixture *f, const char *key, const char *want)
{
	NRD_AUTO(mdata_request) request = { .op = MDATA_GET };
	NRD_AUTO(mdata_answer) answer = { 0 };

	CHECK_INT(nrd_buf_adds(&request.key, key), 0);
	CHECK_INT(mdata_machine_read(&f->machine, &request, &answer), 0);
	CHECK_INT(answer.code, want != NULL ? MDATA_SUCCESS : MDATA_NOTFOUND);
	CHECK_STR(nrd_buf_str(&answer.text), want != NULL ? want : "");
}

static void
getting(void)
{
	struct fixture f;

	open_fixture(&f, FILE_TEXT);
	gets(&f, "foo", "bar");
	gets(&f, "n", "7");
	gets(&f, "a:b", "c");
	gets(&f, "absent", NULL);
	gets(&f, "root_pw", "secret");
	gets(&f, "docker:id", "d");
	gets(&f, "docker:none", NULL);
	gets(&f, "hidden", NULL);
	gets(&f, "dock:er", NULL);
	gets(&f, "operator-script", NULL);
	gets(&f, "", NULL);
	close_fixture(&f);
}

static void
properties(void)
{
	struct fixture f;

	open_fixture(&f, FILE_TEXT);
	gets(&f, "sdc:uuid", "11111111-2222-4333-8444-555555555555");
	gets(&f, "sdc:alias", "web");
	gets(&f, "sdc:hostname", "z1");
	gets(&f, "sdc:zonename", "z1");
	gets(&f, "sdc:dns_domain", "local");
	gets(&f, "sdc:max_physical_memory", "512");
	gets(&f, "sdc:autoboot", "true");
	gets(&f, "sdc:package_name", "g1");
	gets(&f, "sdc:tags.role", "db");
	gets(&f, "sdc:tags.none", NULL);
	gets(&f, "sdc:tags", NULL);
	gets(&f, "sdc:operator-script", "run");
	gets(&f, "sdc:datacenter_name", "coast");
	gets(&f, "sdc:server_uuid", "node-uuid");
	gets(&f, "sdc:resolvers", "[\"10.0.0.2\"]");
	gets(&f, "sdc:nics", "[{\"interface\":\"net0\",\"mac\":\"02:00:00:00:00:01\","
			     "\"ips\":[\"fd00::1/64\",\"10.0.0.5/20\"],\"gateways\":[\"10.0.0.1\"],"
			     "\"ip\":\"10.0.0.5\",\"netmask\":\"255.255.240.0\",\"gateway\":\"10.0.0.1\"}]");
	gets(&f, "sdc:routes", "[{\"linklocal\":false,\"dst\":\"10.9.0.0/16\",\"gateway\":\"10.0.0.9\"},"
			       "{\"linklocal\":true,\"dst\":\"10.8.0.0/16\",\"gateway\":\"fd00::1\"},"
			       "{\"linklocal\":true,\"dst\":\"10.7.0.0/16\",\"gateway\":\"fd00::1\"},"
			       "{\"linklocal\":true,\"dst\":\"10.6.0.0/16\",\"gateway\":\"\"}]");
	/* Maps are not properties: in them is what a machine is not to read. */
	gets(&f, "sdc:internal_metadata", NULL);
	gets(&f, "sdc:customer_metadata", NULL);
	gets(&f, "sdc:internal_metadata.hidden", NULL);
	gets(&f, "sdc:", NULL);
	close_fixture(&f);
}

static void
empty_machine(void)
{
	struct fixture f;

	open_fixture(&f, "{\"zonename\":\"z1\"}");
	gets(&f, "sdc:nics", "[]");
	gets(&f, "sdc:routes", "[]");
	gets(&f, "sdc:resolvers", "[]");
	gets(&f, "sdc:alias", NULL);
	gets(&f, "foo", NULL);
	f.machine.sysinfo = NULL;
	gets(&f, "sdc:server_uuid", NULL);
	close_fixture(&f);
}

static void
keys(void)
{
	NRD_AUTO(mdata_request) request = { .op = MDATA_KEYS };
	NRD_AUTO(mdata_answer) answer = { 0 };
	struct fixture f;

	open_fixture(&f, FILE_TEXT);
	CHECK_INT(mdata_machine_read(&f.machine, &request, &answer), 0);
	CHECK_STR(nrd_buf_str(&answer.text), "foo\nn\na:b\nroot_pw\ndocker:id");
	close_fixture(&f);
}

/* ---- changes ---- */

static void
decode(struct zone_config *config)
{
	static const char text[] =
		"{\"zonename\":\"z1\",\"customer_metadata\":{\"a\":\"1\",\"b\":\"2\",\"c\":\"3\"},"
		"\"internal_metadata\":{\"docker:id\":\"d\"},\"internal_metadata_namespaces\":[\"docker\"]}";
	struct nrd_err err = { 0 };

	CHECK_OK(nrd_decode_text(&zone_config_schema, text, strlen(text), NULL, 0, config, &err), err);
}

/* value NULL: DELETE. Returns whether something changed. */
static bool
edit(struct zone_config *config, const char *key, const char *value, enum mdata_code code,
     const char *text)
{
	NRD_AUTO(mdata_request) request = { .op = value != NULL ? MDATA_PUT : MDATA_DELETE };
	NRD_AUTO(mdata_answer) answer = { 0 };
	bool changed;

	CHECK_INT(nrd_buf_adds(&request.key, key), 0);
	if (value != NULL)
		CHECK_INT(nrd_buf_adds(&request.value, value), 0);
	CHECK_INT(mdata_machine_edit(config, &request, &answer, &changed), 0);
	CHECK_INT(answer.code, code);
	CHECK_HAS(nrd_buf_str(&answer.text), text);
	return changed;
}

static void
is_now(const struct zone_config *config, const char *member, const char *want)
{
	NRD_AUTO(nrd_buf) out = { 0 };
	struct nrd_jw w;

	nrd_jw_init(&w, &out, NRD_JW_COMPACT);
	nrd_encode_field(&zone_config_schema, nrd_schema_find(&zone_config_schema, member), config, &w);
	CHECK_INT(nrd_jw_finish(&w, NULL), 0);
	CHECK_STR(nrd_buf_str(&out), want);
}

static void
changing(void)
{
	struct zone_config c = { 0 };

	decode(&c);
	CHECK(edit(&c, "b", "two\nlines", MDATA_SUCCESS, "OK"));
	CHECK(!edit(&c, "b", "two\nlines", MDATA_SUCCESS, "OK"));
	CHECK(edit(&c, "d", "4", MDATA_SUCCESS, "OK"));
	is_now(&c, "customer_metadata",
	       "{\"a\":\"1\",\"b\":\"two\\nlines\",\"c\":\"3\",\"d\":\"4\"}");
	CHECK(edit(&c, "a", NULL, MDATA_SUCCESS, "OK"));
	CHECK(edit(&c, "d", "", MDATA_SUCCESS, "OK"));
	CHECK(!edit(&c, "d", NULL, MDATA_SUCCESS, "OK"));
	is_now(&c, "customer_metadata", "{\"b\":\"two\\nlines\",\"c\":\"3\"}");
	CHECK(edit(&c, "root_pw", "s", MDATA_SUCCESS, "OK"));
	is_now(&c, "internal_metadata", "{\"docker:id\":\"d\",\"root_pw\":\"s\"}");
	CHECK(edit(&c, "b", NULL, MDATA_SUCCESS, "OK"));
	CHECK(edit(&c, "c", NULL, MDATA_SUCCESS, "OK"));
	is_now(&c, "customer_metadata", "{}");
	zone_config_fini(&c);
}

static void
closed(void)
{
	struct zone_config c = { 0 };

	decode(&c);
	CHECK(!edit(&c, "sdc:alias", "x", MDATA_FAILURE, "Cannot update the \"sdc\" Namespace."));
	CHECK(!edit(&c, "sdc:alias", NULL, MDATA_FAILURE, "Cannot update the \"sdc\" Namespace."));
	CHECK(!edit(&c, "sdc:", "x", MDATA_FAILURE, "Cannot update the \"sdc\" Namespace."));
	CHECK(!edit(&c, "docker:id", "x", MDATA_FAILURE, "Cannot update the \"docker\" Namespace."));
	CHECK(!edit(&c, "docker:x_pw", "x", MDATA_FAILURE, "Cannot update the \"docker\" Namespace."));
	CHECK(edit(&c, "dockers:id", "x", MDATA_SUCCESS, "OK"));
	CHECK(edit(&c, "docker", "x", MDATA_SUCCESS, "OK"));
	is_now(&c, "internal_metadata", "{\"docker:id\":\"d\"}");
	zone_config_fini(&c);
}

/* A machine without a map gets one. */
static void
first_key(void)
{
	struct zone_config c = { 0 };

	CHECK(!edit(&c, "k", NULL, MDATA_SUCCESS, "OK"));
	CHECK(!NRD_HAS(&zone_config_schema, &c, customer_metadata));
	CHECK(edit(&c, "k", "v", MDATA_SUCCESS, "OK"));
	CHECK(NRD_HAS(&zone_config_schema, &c, customer_metadata));
	is_now(&c, "customer_metadata", "{\"k\":\"v\"}");
	zone_config_fini(&c);
}

static void
most_keys(void)
{
	struct zone_config c = { 0 };
	char key[32];

	for (int i = 0; i < MDATA_KEYS_MAX; i++) {
		(void)snprintf(key, sizeof(key), i % 2 == 0 ? "k%d" : "k%d_pw", i);
		CHECK(edit(&c, key, "v", MDATA_SUCCESS, "OK"));
	}
	CHECK(!edit(&c, "one-more", "v", MDATA_FAILURE, "no room"));
	CHECK(edit(&c, "k0", "other", MDATA_SUCCESS, "OK"));
	CHECK(edit(&c, "k0", NULL, MDATA_SUCCESS, "OK"));
	CHECK(edit(&c, "one-more", "v", MDATA_SUCCESS, "OK"));
	zone_config_fini(&c);
}

/* As the file spells it: a control character counts for six. */
static void
most_bytes(void)
{
	size_t len = MDATA_TOTAL_MAX / 4 / 6 - 1;
	char *value = malloc(len + 1);
	struct zone_config c = { 0 };
	char key[] = "k0";

	CHECK(value != NULL);
	memset(value, 1, len);
	value[len] = '\0';
	for (; key[1] < '3'; key[1]++)
		CHECK(edit(&c, key, value, MDATA_SUCCESS, "OK"));
	/* Four of them would fit, but for their keys. */
	CHECK(!edit(&c, "k3", value, MDATA_FAILURE, "no room"));
	value[len / 2] = '\0';
	CHECK(edit(&c, "k0", value, MDATA_SUCCESS, "OK"));
	CHECK(edit(&c, "k3_pw", value, MDATA_SUCCESS, "OK"));
	zone_config_fini(&c);
	free(value);
}

TEST_MAIN(getting, properties, empty_machine, keys, changing, closed, first_key, most_keys, most_bytes)
