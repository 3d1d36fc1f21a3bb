/* SPDX-License-Identifier: MPL-2.0 */
/* Copyright 2026 The Nereid authors */
#include "nrd/schema.h"

#include "nrd-test.h"
#include "nrd/str.h"

enum brand { BRAND_NATIVE, BRAND_LX, BRAND_KVM };

static const char *const brand_names[] = { "native", "lx", "kvm", NULL };

struct nic {
	struct nrd_present present;
	char *tag;
	struct nrd_mac mac;
	uint64_t vlan_id;
};

struct machine {
	struct nrd_present present;
	struct nrd_uuid uuid;
	char *alias;
	uint64_t ram;
	int64_t offset;
	bool autoboot;
	enum brand brand;
	char **resolvers;
	char **metadata;
	char **labels;
	char *tags;
	struct nic *primary;
	struct nic *nics;
	size_t n_nics;
	char *limit_priv;
	int untouched; /* in no field */
};

static int
alias_check(const char *s, struct nrd_err *err)
{
	if (strlen(s) > 8)
		return nrd_fail(err, EINVAL, "BadAlias", "longer than 8 characters");
	return 0;
}

static int
machine_check(const void *obj, struct nrd_err *err)
{
	const struct machine *m = obj;

	if (m->brand == BRAND_KVM && m->ram < 16)
		return nrd_fail(err, EINVAL, "BadMachine", "a kvm machine needs 16 MiB");
	return 0;
}

static const struct nrd_field nic_fields[] = {
	NRD_FIELD_STR(struct nic, tag, NRD_REQUIRED, NULL, .json = "nic_tag"),
	NRD_FIELD_MAC(struct nic, mac, NRD_OPTIONAL),
	NRD_FIELD_U64(struct nic, vlan_id, NRD_OPTIONAL, 0, 4094, .help = "802.1Q tag"),
};

static const struct nrd_schema nic_schema = NRD_SCHEMA(struct nic, present, nic_fields, NULL);

static const struct nrd_field machine_fields[] = {
	NRD_FIELD_UUID(struct machine, uuid, NRD_OPTIONAL),
	NRD_FIELD_STR(struct machine, alias, NRD_NULLABLE, alias_check),
	NRD_FIELD_U64(struct machine, ram, NRD_REQUIRED | NRD_LOOSE, 1, 1 << 20),
	NRD_FIELD_I64(struct machine, offset, NRD_OPTIONAL, -10, 10),
	NRD_FIELD_BOOL(struct machine, autoboot, NRD_LOOSE),
	NRD_FIELD_ENUM(struct machine, brand, NRD_OPTIONAL, brand_names),
	NRD_FIELD_STRV(struct machine, resolvers, NRD_OPTIONAL, 2, alias_check),
	NRD_FIELD_MAP(struct machine, metadata, NRD_OPTIONAL, 2, NULL),
	NRD_FIELD_MAP(struct machine, labels, NRD_OPTIONAL, 4, alias_check, .scalars = true),
	NRD_FIELD_ANY(struct machine, tags, NRD_OPTIONAL, NULL),
	NRD_FIELD_OBJ(struct machine, primary, NRD_OPTIONAL, struct nic, &nic_schema),
	NRD_FIELD_ARR(struct machine, nics, NRD_OPTIONAL, struct nic, 2, &nic_schema),
	NRD_FIELD_STR(struct machine, limit_priv, NRD_SECRET, alias_check, .json = "limit-priv"),
};

static const struct nrd_schema schema =
	NRD_SCHEMA(struct machine, present, machine_fields, machine_check);

static int
decode(const char *text, unsigned flags, struct machine *m, struct nrd_err *err)
{
	return nrd_decode_text(&schema, text, strlen(text), NULL, flags, m, err);
}

static char *
encode(const struct machine *m)
{
	struct nrd_buf b = { 0 };
	struct nrd_jw w;

	nrd_jw_init(&w, &b, NRD_JW_COMPACT);
	nrd_encode(&schema, m, &w);
	return nrd_buf_take(&b);
}

static const char full[] =
	"{\"uuid\":\"6ba7b810-9dad-11d1-80b4-00c04fd430c8\",\"alias\":\"web0\",\"ram\":512,"
	"\"offset\":-3,\"autoboot\":true,\"brand\":\"kvm\",\"resolvers\":[\"a\",\"b\"],"
	"\"metadata\":{\"k\":\"v\",\"l\":\"\"},\"labels\":{\"n\":1.5,\"t\":true,\"s\":\"1\"},\"tags\":{\"x\":[1,true]},"
	"\"primary\":{\"nic_tag\":\"admin\"},"
	"\"nics\":[{\"nic_tag\":\"admin\",\"mac\":\"02:08:20:00:00:01\",\"vlan_id\":5},"
	"{\"nic_tag\":\"ext\"}],\"limit-priv\":\"default\"}";

static void
goes_round(void)
{
	struct nrd_err err = { 0 };
	struct machine m = { .untouched = 7 }, copy = { 0 };

	CHECK_OK(decode(full, 0, &m, &err), err);
	CHECK_STR(m.alias, "web0");
	CHECK_INT(m.ram, 512);
	CHECK_INT(m.offset, -3);
	CHECK_INT(m.brand, BRAND_KVM);
	CHECK_STR(m.resolvers[1], "b");
	CHECK_STR(m.metadata[2], "l");
	CHECK_STR(nrd_scalar_text(m.labels[1]), "1.5");
	CHECK_STR(nrd_scalar_text(m.labels[3]), "true");
	CHECK_STR(m.labels[5], "1");
	CHECK_STR(m.tags, "{\"x\":[1,true]}");
	CHECK_STR(m.primary->tag, "admin");
	CHECK_INT(m.n_nics, 2);
	CHECK_INT(m.nics[0].vlan_id, 5);
	CHECK_INT(m.untouched, 7);
	CHECK(NRD_HAS(&nic_schema, &m.nics[0], vlan_id));
	CHECK(!NRD_HAS(&nic_schema, &m.nics[1], vlan_id));
	NRD_FREE char *text = encode(&m);

	CHECK_STR(text, full);
	CHECK_INT(nrd_object_copy(&schema, &m, &copy), 0);
	nrd_object_fini(&schema, &m);
	CHECK(m.nics == NULL && m.n_nics == 0);
	NRD_FREE char *again = encode(&copy);

	CHECK_STR(again, full);
	nrd_object_fini(&schema, &copy);
	nrd_object_fini(&schema, NULL);
}

static void
says_where_and_why(void)
{
	const struct { const char *text, *code, *msg; } cases[] = {
		{ "[]", "BadProperty", "must be an object, not an array" },
		{ "{}", "MissingProperty", "\"ram\" is missing" },
		{ "{\"ram\":0}", "BadProperty", "ram: 0 is below 1" },
		{ "{\"ram\":1048577}", "BadProperty", "ram: 1048577 is above 1048576" },
		{ "{\"ram\":-1}", "BadProperty", "ram: must be a whole number from 1 to 1048576" },
		{ "{\"ram\":1.5}", "BadProperty", "ram: must be a whole number from 1 to 1048576" },
		{ "{\"ram\":\"x\"}", "BadProperty", "ram: \"x\" is not a whole number" },
		{ "{\"ram\":null}", "BadProperty", "ram: must be a number, not null" },
		{ "{\"ram\":1,\"offset\":11}", "BadProperty",
		  "offset: must be a whole number from -10 to 10" },
		{ "{\"ram\":1,\"offset\":\"1\"}", "BadProperty",
		  "offset: must be a number, not a string" },
		{ "{\"ram\":1,\"autoboot\":1}", "BadProperty",
		  "autoboot: must be a boolean, not a number" },
		{ "{\"ram\":1,\"brand\":\"bhyve\"}", "BadProperty",
		  "brand: \"bhyve\" is not one of native, lx, kvm" },
		{ "{\"ram\":1,\"alias\":\"123456789\"}", "BadAlias",
		  "alias: longer than 8 characters" },
		{ "{\"ram\":1,\"alais\":\"a\"}", "UnknownProperty",
		  "unknown property \"alais\", did you mean \"alias\"?" },
		{ "{\"ram\":1,\"zzz\":\"a\"}", "UnknownProperty", "unknown property \"zzz\"" },
		{ "{\"ram\":1,\"uuid\":\"a\"}", "BadProperty", "uuid: \"a\" is not a UUID" },
		{ "{\"ram\":1,\"resolvers\":[\"a\",2]}", "BadProperty",
		  "resolvers[1]: must be a string, not a number" },
		{ "{\"ram\":1,\"resolvers\":[\"a\",\"b\",\"c\"]}", "BadProperty",
		  "resolvers: has 3 members, more than 2" },
		{ "{\"ram\":1,\"resolvers\":[\"123456789\"]}", "BadAlias",
		  "resolvers[0]: longer than 8 characters" },
		{ "{\"ram\":1,\"metadata\":{\"k\":1}}", "BadProperty",
		  "metadata.k: must be a string, not a number" },
		{ "{\"ram\":1,\"labels\":{\"k\":[1]}}", "BadProperty",
		  "labels.k: must be a string, a number or a truth value, not an array" },
		{ "{\"ram\":1,\"metadata\":[]}", "BadProperty",
		  "metadata: must be an object of strings, not an array" },
		{ "{\"ram\":1,\"primary\":{}}", "MissingProperty",
		  "primary: \"nic_tag\" is missing" },
		{ "{\"ram\":1,\"nics\":[{\"nic_tag\":\"a\"},{\"nic_tag\":\"b\",\"vlan_id\":4095}]}",
		  "BadProperty", "nics[1].vlan_id: 4095 is above 4094" },
		{ "{\"ram\":1,\"nics\":[{\"nic_tag\":\"a\",\"vlanid\":1}]}", "UnknownProperty",
		  "nics[0]: unknown property \"vlanid\", did you mean \"vlan_id\"?" },
		{ "{\"ram\":1,\"nics\":[{},{},{}]}", "BadProperty",
		  "nics: has 3 members, more than 2" },
		{ "{\"ram\":1,\"limit-priv\":\"topsecret\"}", "BadProperty",
		  "limit-priv: is not acceptable" },
		{ "{\"ram\":8,\"brand\":\"kvm\"}", "BadMachine", "a kvm machine needs 16 MiB" },
	};

	for (size_t i = 0; i < nrd_count(cases); i++) {
		struct nrd_err err = { 0 };
		struct machine m = { 0 };
		static const struct machine empty;

		CHECK_FAILS(decode(cases[i].text, 0, &m, &err), err, EINVAL, cases[i].code);
		CHECK_STR(err.msg, cases[i].msg);
		CHECK(memcmp(&m, &empty, sizeof(m)) == 0);
		CHECK_INT(decode(cases[i].text, 0, &m, NULL), -EINVAL);
	}
}

static void
merges_over_what_is_there(void)
{
	struct nrd_err err = { 0 };
	struct machine m = { 0 };

	CHECK_OK(decode(full, 0, &m, &err), err);
	CHECK_OK(decode("{\"alias\":\"db\",\"nics\":[]}", 0, &m, &err), err);
	CHECK_STR(m.alias, "db");
	CHECK_INT(m.ram, 512);
	CHECK_INT(m.n_nics, 0);
	CHECK(NRD_HAS(&schema, &m, nics));
	/* Good by itself, bad together with what is there. */
	CHECK_FAILS(decode("{\"ram\":8,\"alias\":\"x\"}", 0, &m, &err), err, EINVAL, "BadMachine");
	CHECK_STR(m.alias, "db");
	CHECK_INT(m.ram, 512);
	CHECK_OK(decode("{\"alias\":null}", 0, &m, &err), err);
	CHECK(m.alias == NULL && NRD_HAS(&schema, &m, alias) && NRD_IS_NULL(&schema, &m, alias));
	CHECK_OK(decode("{\"alias\":\"y\"}", 0, &m, &err), err);
	CHECK(!NRD_IS_NULL(&schema, &m, alias));
	NRD_CLEAR(&schema, &m, alias);
	CHECK(m.alias == NULL && !NRD_HAS(&schema, &m, alias));
	m.offset = 4;
	NRD_SET(&schema, &m, offset);
	CHECK(NRD_HAS(&schema, &m, offset));
	nrd_object_fini(&schema, &m);
}

static void
flags(void)
{
	struct nrd_err err = { 0 };
	struct machine m = { 0 };

	CHECK_OK(decode("{\"brand\":\"kvm\",\"nics\":[{\"vlan_id\":1}]}", NRD_DECODE_PARTIAL, &m,
			&err), err);
	CHECK_OK(decode("{\"ram\":16,\"foo\":[{}]}", NRD_DECODE_UNKNOWN, &m, &err), err);
	CHECK_OK(decode("{\"ram\":\"32\",\"autoboot\":\"true\"}", 0, &m, &err), err);
	CHECK_INT(m.ram, 32);
	CHECK(m.autoboot);
	nrd_object_fini(&schema, &m);
}

static void
sets_from_text(void)
{
	struct nrd_err err = { 0 };
	struct machine m = { 0 };

	CHECK_OK(nrd_decode_field(&schema, "ram", "64", &m, &err), err);
	CHECK_OK(nrd_decode_field(&schema, "alias", "64", &m, &err), err);
	CHECK_OK(nrd_decode_field(&schema, "brand", "lx", &m, &err), err);
	CHECK_OK(nrd_decode_field(&schema, "resolvers", "[\"r\"]", &m, &err), err);
	CHECK_OK(nrd_decode_field(&schema, "resolvers", "[\"s\"]", &m, &err), err);
	CHECK_FAILS(nrd_decode_field(&schema, "resolvers", "r", &m, &err), err, EINVAL, "BadJson");
	CHECK_HAS(err.msg, "resolvers: line 1");
	CHECK_FAILS(nrd_decode_field(&schema, "ram", "0", &m, &err), err, EINVAL, "BadProperty");
	CHECK_FAILS(nrd_decode_field(&schema, "rma", "0", &m, &err), err, EINVAL,
		    "UnknownProperty");
	NRD_FREE char *text = encode(&m);

	CHECK_STR(text, "{\"alias\":\"64\",\"ram\":64,\"brand\":\"lx\",\"resolvers\":[\"s\"]}");
	nrd_object_fini(&schema, &m);
}

static void
describes(void)
{
	NRD_AUTO(nrd_buf) b = { 0 };

	nrd_schema_describe(&schema, &b);
	CHECK_HAS(nrd_buf_str(&b), "number 1..1048576, required\n");
	CHECK_HAS(nrd_buf_str(&b), "one of native, lx, kvm\n");
	CHECK_HAS(nrd_buf_str(&b), "\n  vlan_id");
	CHECK_HAS(nrd_buf_str(&b), "; 802.1Q tag\n");
	CHECK(nrd_schema_find(&schema, "limit-priv") != NULL);
	CHECK(nrd_schema_find(&schema, "limit_priv") == NULL);
}

TEST_MAIN(goes_round, says_where_and_why, merges_over_what_is_there, flags, sets_from_text,
	  describes)
