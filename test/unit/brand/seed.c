/* SPDX-License-Identifier: MPL-2.0 */
/* Copyright 2026 The Nereid authors */
#include "fixture.h"

#include "brand/guest.h"
#include "brand/seed.h"
#include "nrd/proc.h"

#define NOCLOUD ",\"ram\":64,\"vcpus\":1,\"cloudinit_datasource\":\"nocloud\""
#define NICS                                                                                                                       \
	",\"hostname\":\"web\",\"dns_domain\":\"example.org\",\"resolvers\":[\"10.0.0.1\"],\"nics\":["                             \
	"{\"interface\":\"net0\",\"mac\":\"02:00:00:00:00:01\",\"ips\":[\"10.0.0.2/24\",\"addrconf\"],\"gateways\":[\"10.0.0.1\"]," \
	"\"primary\":true,\"mtu\":1400},"                                                                                          \
	"{\"interface\":\"net1\",\"mac\":\"02:00:00:00:00:02\",\"ips\":[\"dhcp\"],\"gateways\":[\"10.1.0.1\"]}]"

static struct nrd_json *
parsed(void (*write)(const struct zone_config *c, struct nrd_buf *text), const struct zone_config *c)
{
	NRD_AUTO(nrd_buf) text = { 0 };
	struct nrd_json *doc = NULL;
	struct nrd_err err = { 0 };

	write(c, &text);
	CHECK_OK(nrd_json_parse(nrd_buf_str(&text), text.len, NULL, &doc, &err), err);
	return doc;
}

static void
addresses(void)
{
	NRD_AUTO(zone_config) c = { 0 };
	NRD_AUTO(nrd_json) *doc = NULL;
	const struct nrd_val *nic;
	struct fixture f;
	bool yes = false;

	fixture_init(&f);
	add_zone(&f, "k", "kvm", NOCLOUD NICS, &c);
	doc = parsed(seed_network_config, &c);
	nic = nrd_val_get(nrd_val_get(nrd_json_root(doc), "ethernets"), "net0");
	CHECK_STR(nrd_get_str(nrd_val_get(nic, "match"), "macaddress"), "02:00:00:00:00:01");
	CHECK_INT(nrd_val_len(nrd_val_get(nic, "addresses")), 1);
	CHECK_STR(nrd_val_str(nrd_val_at(nrd_val_get(nic, "addresses"), 0)), "10.0.0.2/24");
	CHECK(nrd_get_bool(nic, "accept-ra", &yes) && yes && nrd_get_bool(nic, "dhcp4", &yes) && !yes);
	CHECK_STR(nrd_get_str(nrd_val_at(nrd_val_get(nic, "routes"), 0), "via"), "10.0.0.1");
	CHECK_STR(nrd_val_str(nrd_val_at(nrd_val_get(nrd_val_get(nic, "nameservers"), "search"), 0)), "example.org");
	/* The primary NIC's gateway is the machine's. */
	nic = nrd_val_get(nrd_val_get(nrd_json_root(doc), "ethernets"), "net1");
	CHECK(nrd_get_bool(nic, "dhcp4", &yes) && yes && nrd_val_len(nrd_val_get(nic, "routes")) == 0);
	fixture_fini(&f);
}

static void
metadata(void)
{
	NRD_AUTO(zone_config) c = { 0 };
	NRD_AUTO(zone_config) plain = { 0 };
	NRD_AUTO(nrd_json) *doc = NULL;
	NRD_AUTO(nrd_buf) text = { 0 };
	NRD_AUTO(nrd_buf) none = { 0 };
	struct fixture f;

	fixture_init(&f);
	add_zone(&f, "k", "kvm", NOCLOUD NICS ",\"customer_metadata\":{\"root_authorized_keys\":\"ssh-ed25519 A a\\nssh-rsa B b\\n\","
		 "\"user-data\":\"mine\",\"cloud-init:user-data\":\"#cloud-config\\n{a: 1}\\n\"}", &c);
	add_zone(&f, "p", "kvm", NOCLOUD, &plain);
	doc = parsed(seed_meta_data, &c);
	CHECK_STR(nrd_get_str(nrd_json_root(doc), "local-hostname"), "web");
	CHECK(nrd_get_str(nrd_json_root(doc), "instance-id") != NULL);
	CHECK_INT(nrd_val_len(nrd_val_get(nrd_json_root(doc), "public-keys")), 2);
	CHECK_STR(nrd_val_str(nrd_val_at(nrd_val_get(nrd_json_root(doc), "public-keys"), 1)), "ssh-rsa B b");
	seed_user_data(&c, &text);
	CHECK_STR(nrd_buf_str(&text), "#cloud-config\n{a: 1}\n");
	seed_user_data(&plain, &none);
	CHECK_STR(nrd_buf_str(&none), "#cloud-config\n{}\n");
	fixture_fini(&f);
}

/* What mtools read out of it is what was to be in it; made again only when that changes. */
static void
disk(void)
{
	NRD_AUTO(zone_config) c = { 0 };
	NRD_AUTO(zone_spec) spec = { 0 };
	NRD_AUTO(nrd_buf) out = { 0 };
	NRD_AUTO(nrd_buf) label = { 0 };
	struct stat first, second, third;
	struct fixture f;

	fixture_init(&f);
	add_zone(&f, "k", "kvm", NOCLOUD ",\"hostname\":\"one\"", &c);
	NRD_FREE char *image = nrd_format("%s/" GUEST_SEED, c.zonepath);

	CHECK_OK(nrd_mkdir_p(c.zonepath, 0700, &f.err), f.err);
	CHECK_OK(seed_make(&c, &f.err), f.err);
	CHECK_OK(nrd_run_argv(&out, &f.err, "mtype", "-i", image, "::meta-data", NULL), f.err);
	CHECK_HAS(nrd_buf_str(&out), "\"local-hostname\": \"one\"");
	CHECK_OK(nrd_run_argv(&label, &f.err, "mlabel", "-s", "-i", image, "::", NULL), f.err);
	CHECK_HAS(nrd_buf_str(&label), "CIDATA");
	CHECK(stat(image, &first) == 0 && (first.st_mode & 0777) == 0600);
	CHECK_OK(seed_make(&c, &f.err), f.err);
	CHECK(stat(image, &second) == 0 && second.st_ino == first.st_ino);
	CHECK(nrd_str_set(&c.hostname, "two") == 0);
	CHECK_OK(seed_make(&c, &f.err), f.err);
	CHECK(stat(image, &third) == 0);
	nrd_buf_reset(&out);
	CHECK_OK(nrd_run_argv(&out, &f.err, "mtype", "-i", image, "::meta-data", NULL), f.err);
	CHECK_HAS(nrd_buf_str(&out), "\"local-hostname\": \"two\"");

	CHECK_OK(guest_spec(&c, NULL, &spec, &f.err), f.err);
	NRD_FREE char *line = nrd_strv_join(NRD_CSTRV(spec.argv), " ");

	CHECK_HAS(line, "{\"driver\":\"virtio-blk-pci\",\"id\":\"seed-dev\",\"bus\":\"seed-port\",\"drive\":\"seed\",\"serial\":\"seed\"}");
	CHECK(nrd_str_set(&c.cloudinit_datasource, "smartos") == 0 && !seed_wanted(&c));
	fixture_fini(&f);
}

TEST_MAIN(addresses, metadata, disk)
