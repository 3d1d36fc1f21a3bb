/* SPDX-License-Identifier: MPL-2.0 */
/* Copyright 2026 The Nereid authors */
#include "link/flow.h"

#include "nrd-test.h"
#include "nrd/mem.h"

static struct nrd_err err;

/* What is read is what is written. */
static void
attributes(void)
{
	static const char *const same[] = {
		"local_ip=10.0.0.0/8", "remote_ip=fd00::1/128", "transport=tcp", "transport=icmpv6", "transport=udp,local_port=53",
		"transport=sctp,remote_port=65535", "dsfield=0x2e:0xfc",
	};

	for (size_t i = 0; i < nrd_count(same); i++) {
		NRD_AUTO(nrd_buf) out = { 0 };
		struct switch_flow f = { 0 };

		CHECK_OK(flow_attrs_parse(same[i], &f, &err), err);
		CHECK_INT(flow_attrs_text(&f, &out), 0);
		/* 0x2e is not within 0xfc: what the mask leaves out does not matter. */
		CHECK_STR(nrd_buf_str(&out), f.shape == SWITCH_FLOW_DSFIELD ? "dsfield=0x2c:0xfc" : same[i]);
	}
}

static void
other_spellings(void)
{
	struct switch_flow f = { 0 };

	CHECK_OK(flow_attrs_parse("local_port=80,transport=tcp", &f, &err), err);
	CHECK_INT(f.shape, SWITCH_FLOW_LOCAL_PORT);
	CHECK_INT(f.port, 80);
	CHECK_OK(flow_attrs_parse("dsfield=B8", &f, &err), err);
	CHECK_INT(f.dsfield, 0xb8);
	CHECK_INT(f.mask, 0xff);
	CHECK_OK(flow_attrs_parse("local_ip=10.0.0.1", &f, &err), err);
	CHECK_INT(f.addr.bits, 32);
}

static void
bad_attributes(void)
{
	static const struct { const char *text, *why; } bad[] = {
		{ "", "no NAME=VALUE" }, { "local_ip", "no NAME=VALUE" }, { "local_ip=", "no NAME=VALUE" }, { "local_ip=10.0.0", "no address" },
		{ "local_ip=10.0.0.0/33", "no address" }, { "local_ip=0.0.0.0/0", "no address" }, { "local_op=1", "did you mean 'local_ip'" },
		{ "local_ip=10.0.0.1,remote_ip=10.0.0.2", "told apart by" }, { "local_ip=10.0.0.1,transport=tcp", "told apart by" },
		{ "transport=tcp,local_port=1,remote_port=2", "told apart by" }, { "local_port=80", "needs its transport" },
		{ "transport=icmp,local_port=80", "ports are of" }, { "transport=ip", "none of tcp" }, { "transport=tcp,local_port=0", "1 to 65535" },
		{ "transport=tcp,local_port=65536", "1 to 65535" }, { "transport=tcp,transport=udp", "there twice" }, { "dsfield=0x100", "of a byte" },
		{ "dsfield=1:0", "of a byte" }, { "dsfield=1:", "of a byte" }, { "dsfield=x", "of a byte" }, { "dsfield=1:2:3", "of a byte" },
	};

	for (size_t i = 0; i < nrd_count(bad); i++) {
		struct switch_flow f = { 0 };

		CHECK_FAILS(flow_attrs_parse(bad[i].text, &f, &err), err, EINVAL, "FlowAttr");
		CHECK_HAS(err.msg, bad[i].why);
	}
}

static void
properties(void)
{
	static const struct { const char *text, *why; } bad[] = {
		{ "maxbv=1", "did you mean 'maxbw'" }, { "maxbw=fast", "no bandwidth" }, { "priority=highest", "none of low" }, { "maxbw", "no NAME" },
	};
	struct switch_flow f = { 0 };
	NRD_AUTO(nrd_buf) out = { 0 };

	CHECK_OK(flow_props_set(&f, "maxbw=1500K,priority=high", &err), err);
	CHECK_INT(f.maxbw, 1500000);
	CHECK(f.has_priority && f.priority == SWITCH_PRIORITY_HIGH);
	CHECK_INT(flow_prop_text(&f, "maxbw", &out), 0);
	CHECK_STR(nrd_buf_str(&out), "1.500");
	nrd_buf_reset(&out);
	CHECK_INT(flow_prop_text(&f, "priority", &out), 0);
	CHECK_STR(nrd_buf_str(&out), "high");
	CHECK_OK(flow_props_reset(&f, "maxbw", &err), err);
	CHECK(f.maxbw == 0 && f.has_priority);
	CHECK_OK(flow_props_reset(&f, NULL, &err), err);
	CHECK(!f.has_priority);
	nrd_buf_reset(&out);
	CHECK_INT(flow_prop_text(&f, "priority", &out), 0);
	CHECK_STR(nrd_buf_str(&out), "");
	CHECK(flow_props_reset(&f, "maxbw,nix", &err) < 0);
	for (size_t i = 0; i < nrd_count(bad); i++) {
		CHECK(flow_props_set(&f, bad[i].text, &err) < 0);
		CHECK_HAS(err.msg, bad[i].why);
	}
}

TEST_MAIN(attributes, other_spellings, bad_attributes, properties)
