/* SPDX-License-Identifier: MPL-2.0 */
/* Copyright 2026 The Nereid authors */

/* Attributes and properties of flows as text. */
#include "link/flow.h"

#include <arpa/inet.h>
#include <errno.h>
#include <string.h>

#include "link/linkprop.h"
#include "link/prefix.h"
#include "nrd/mem.h"
#include "nrd/str.h"
#include "nrd/suggest.h"

/* What was given; which of them make a flow is decided when all are known. */
struct given {
	bool local_ip, remote_ip, transport, local_port, remote_port, dsfield;
};

static const struct {
	const char *name;
	unsigned number;
} transports[] = { { "tcp", 6 }, { "udp", 17 }, { "sctp", 132 }, { "icmp", 1 }, { "icmpv6", 58 } };

const char *
flow_transport_name(unsigned transport)
{
	for (size_t i = 0; i < nrd_count(transports); i++)
		if (transports[i].number == transport)
			return transports[i].name;
	return NULL;
}

/* ---- attributes ---- */

static int
parse_ip(const char *value, struct switch_flow *f, struct nrd_err *err)
{
	if (link_prefix_parse(value, &f->addr) && f->addr.bits > 0)
		return 0;
	return nrd_fail(err, EINVAL, "FlowAttr", "\"%.60s\" is no address or prefix", value);
}

static int
parse_transport(const char *value, struct switch_flow *f, struct nrd_err *err)
{
	for (size_t i = 0; i < nrd_count(transports); i++)
		if (nrd_streq(transports[i].name, value)) {
			f->transport = transports[i].number;
			return 0;
		}
	return nrd_fail(err, EINVAL, "FlowAttr", "transport \"%.40s\" is none of tcp, udp, sctp, icmp, icmpv6", value);
}

static int
parse_port(const char *value, struct switch_flow *f, struct nrd_err *err)
{
	uint64_t port;

	if (nrd_parse_u64(value, 1, 65535, &port, NULL) < 0)
		return nrd_fail(err, EINVAL, "FlowAttr", "port \"%.40s\" is not 1 to 65535", value);
	f->port = (unsigned)port;
	return 0;
}

/* At most two hexadecimal digits, with or without 0x. */
static bool
parse_hex(struct nrd_str text, unsigned *ret)
{
	static const char digits[] = "0123456789abcdef";
	unsigned v = 0;

	if (text.len > 2 && text.data[0] == '0' && (text.data[1] | 0x20) == 'x')
		text = nrd_strn(text.data + 2, text.len - 2);
	if (text.len == 0 || text.len > 2)
		return false;
	for (size_t i = 0; i < text.len; i++) {
		char c = text.data[i] >= 'A' && text.data[i] <= 'F' ? (char)(text.data[i] | 0x20) : text.data[i];
		const char *at = c != '\0' ? strchr(digits, c) : NULL;

		if (at == NULL)
			return false;
		v = v << 4 | (unsigned)(at - digits);
	}
	*ret = v;
	return true;
}

static int
parse_dsfield(const char *value, struct switch_flow *f, struct nrd_err *err)
{
	const char *colon = strchr(value, ':');
	struct nrd_str first = nrd_strn(value, colon != NULL ? (size_t)(colon - value) : strlen(value));

	f->mask = 0xff;
	if (!parse_hex(first, &f->dsfield) || (colon != NULL && !parse_hex(nrd_str(colon + 1), &f->mask)) || f->mask == 0)
		return nrd_fail(err, EINVAL, "FlowAttr", "dsfield \"%.40s\" is no VALUE or VALUE:MASK in hexadecimal, of a byte", value);
	/* As illumos: what the mask leaves out does not matter. */
	f->dsfield &= f->mask;
	return 0;
}

static const struct {
	const char *name;
	size_t given;
	int (*parse)(const char *value, struct switch_flow *f, struct nrd_err *err);
} attrs[] = {
	{ "local_ip", offsetof(struct given, local_ip), parse_ip },
	{ "remote_ip", offsetof(struct given, remote_ip), parse_ip },
	{ "transport", offsetof(struct given, transport), parse_transport },
	{ "local_port", offsetof(struct given, local_port), parse_port },
	{ "remote_port", offsetof(struct given, remote_port), parse_port },
	{ "dsfield", offsetof(struct given, dsfield), parse_dsfield },
};

/* The word before "=" of one of so many names, or its nearest in the message. */
static int
unknown(const char *what, const char *name, const struct nrd_suggest *near, const char *code, struct nrd_err *err)
{
	if (near->best != NULL)
		return nrd_fail(err, EINVAL, code, "unknown %s '%.40s', did you mean '%s'?", what, name, near->best);
	return nrd_fail(err, EINVAL, code, "unknown %s '%.40s'", what, name);
}

static int
parse_one(const char *name, const char *value, struct switch_flow *f, struct given *given, struct nrd_err *err)
{
	struct nrd_suggest near;

	nrd_suggest_init(&near, name);
	for (size_t i = 0; i < nrd_count(attrs); i++) {
		bool *was = (bool *)((char *)given + attrs[i].given);

		nrd_suggest_offer(&near, attrs[i].name);
		if (!nrd_streq(attrs[i].name, name))
			continue;
		if (*was)
			return nrd_fail(err, EINVAL, "FlowAttr", "attribute '%s' is there twice", name);
		*was = true;
		return attrs[i].parse(value, f, err);
	}
	return unknown("attribute", name, &near, "FlowAttr", err);
}

/* The six ways, as illumos has them. */
static int
shape_of(const struct given *g, struct switch_flow *f, struct nrd_err *err)
{
	int others = g->local_ip + g->remote_ip + g->dsfield;

	if (others == 1 && !g->transport && !g->local_port && !g->remote_port) {
		f->shape = g->local_ip ? SWITCH_FLOW_LOCAL_IP : g->remote_ip ? SWITCH_FLOW_REMOTE_IP : SWITCH_FLOW_DSFIELD;
		return 0;
	}
	if (others == 0 && g->transport && g->local_port + g->remote_port < 2) {
		bool ports = f->transport == 6 || f->transport == 17 || f->transport == 132;

		f->shape = g->local_port ? SWITCH_FLOW_LOCAL_PORT : g->remote_port ? SWITCH_FLOW_REMOTE_PORT : SWITCH_FLOW_TRANSPORT;
		if (f->shape != SWITCH_FLOW_TRANSPORT && !ports)
			return nrd_fail(err, EINVAL, "FlowAttr", "ports are of tcp, udp and sctp");
		return 0;
	}
	if (others == 0 && (g->local_port || g->remote_port) && !g->transport)
		return nrd_fail(err, EINVAL, "FlowAttr", "a port needs its transport: transport=tcp, udp or sctp");
	return nrd_fail(err, EINVAL, "FlowAttr", "a flow is told apart by local_ip, or remote_ip, or dsfield, or transport with at most one "
			"of local_port and remote_port");
}

/* "a=b,c=d", each to fn. */
static int
each_pair(const char *text, const char *code, int (*fn)(void *arg, const char *name, const char *value, struct nrd_err *err), void *arg,
	  struct nrd_err *err)
{
	NRD_STRV char **words = NULL;
	int r = nrd_strv_split(text, ',', &words) < 0 ? nrd_nomem(err) : 0;

	if (r == 0 && words == NULL)
		return nrd_fail(err, EINVAL, code, "\"%.60s\" is no NAME=VALUE", text);
	for (size_t i = 0; r == 0 && words[i] != NULL; i++) {
		char *eq = strchr(words[i], '=');

		if (eq == NULL || eq[1] == '\0')
			return nrd_fail(err, EINVAL, code, "\"%.60s\" is no NAME=VALUE", words[i]);
		*eq = '\0';
		r = fn(arg, words[i], eq + 1, err);
	}
	return r;
}

struct attrs_state {
	struct switch_flow *f;
	struct given given;
};

static int
attr_pair(void *arg, const char *name, const char *value, struct nrd_err *err)
{
	struct attrs_state *s = arg;

	return parse_one(name, value, s->f, &s->given, err);
}

int
flow_attrs_parse(const char *text, struct switch_flow *f, struct nrd_err *err)
{
	struct attrs_state s = { .f = f };
	int r = each_pair(text, "FlowAttr", attr_pair, &s, err);

	return r == 0 ? shape_of(&s.given, f, err) : r;
}

int
flow_attrs_text(const struct switch_flow *f, struct nrd_buf *out)
{
	char addr[INET6_ADDRSTRLEN] = "";
	const char *transport = flow_transport_name(f->transport);

	switch (f->shape) {
	case SWITCH_FLOW_LOCAL_IP:
	case SWITCH_FLOW_REMOTE_IP:
		(void)inet_ntop(f->addr.family, f->addr.addr, addr, sizeof(addr));
		return nrd_buf_printf(out, "%s_ip=%s/%u", f->shape == SWITCH_FLOW_LOCAL_IP ? "local" : "remote", addr, f->addr.bits);
	case SWITCH_FLOW_DSFIELD:
		return nrd_buf_printf(out, "dsfield=0x%x:0x%x", f->dsfield, f->mask);
	default:
		(void)nrd_buf_printf(out, "transport=%s", transport != NULL ? transport : "");
		if (f->shape != SWITCH_FLOW_TRANSPORT)
			(void)nrd_buf_printf(out, ",%s_port=%u", f->shape == SWITCH_FLOW_LOCAL_PORT ? "local" : "remote", f->port);
		return out->failed;
	}
}

/* ---- properties ---- */

const struct flow_prop flow_props[] = { { "maxbw", NULL }, { "priority", "low,medium,high" }, { NULL, NULL } };

static const struct {
	const char *name;
	enum switch_priority priority;
} priorities[] = { { "low", SWITCH_PRIORITY_LOW }, { "medium", SWITCH_PRIORITY_MEDIUM }, { "high", SWITCH_PRIORITY_HIGH } };

static int
priority_set(struct switch_flow *f, const char *value, struct nrd_err *err)
{
	for (size_t i = 0; i < nrd_count(priorities); i++)
		if (nrd_streq(priorities[i].name, value)) {
			f->priority = priorities[i].priority;
			f->has_priority = true;
			return 0;
		}
	return nrd_fail(err, EINVAL, "FlowProp", "property 'priority': \"%.40s\" is none of low, medium, high", value);
}

static int
prop_known(const char *name, struct nrd_err *err)
{
	struct nrd_suggest near;

	nrd_suggest_init(&near, name);
	for (const struct flow_prop *p = flow_props; p->name != NULL; p++) {
		nrd_suggest_offer(&near, p->name);
		if (nrd_streq(p->name, name))
			return 0;
	}
	return unknown("property", name, &near, "FlowProp", err);
}

static int
prop_pair(void *arg, const char *name, const char *value, struct nrd_err *err)
{
	struct switch_flow *f = arg;
	int r = prop_known(name, err);

	if (r < 0)
		return r;
	if (nrd_streq(name, "priority"))
		return priority_set(f, value, err);
	return nrd_wrap(err, linkprop_bandwidth_parse(value, &f->maxbw, err), "property 'maxbw'");
}

int
flow_props_set(struct switch_flow *f, const char *text, struct nrd_err *err)
{
	return each_pair(text, "FlowProp", prop_pair, f, err);
}

int
flow_props_check(const char *names, struct nrd_err *err)
{
	NRD_STRV char **words = NULL;
	int r = nrd_strv_split(names, ',', &words) < 0 ? nrd_nomem(err) : 0;

	for (size_t i = 0; r == 0 && words != NULL && words[i] != NULL; i++)
		r = prop_known(words[i], err);
	return r;
}

int
flow_props_reset(struct switch_flow *f, const char *names, struct nrd_err *err)
{
	NRD_STRV char **words = NULL;
	int r = names != NULL ? flow_props_check(names, err) : 0;

	if (r < 0)
		return r;
	if (names != NULL && nrd_strv_split(names, ',', &words) < 0)
		return nrd_nomem(err);
	if (names == NULL || nrd_strv_has(NRD_CSTRV(words), "maxbw"))
		f->maxbw = 0;
	if (names == NULL || nrd_strv_has(NRD_CSTRV(words), "priority")) {
		f->has_priority = false;
		f->priority = SWITCH_PRIORITY_MEDIUM;
	}
	return 0;
}

int
flow_prop_text(const struct switch_flow *f, const char *name, struct nrd_buf *out)
{
	if (nrd_streq(name, "maxbw"))
		return f->maxbw == 0 ? 0 : linkprop_bandwidth_text(f->maxbw, out);
	for (size_t i = 0; f->has_priority && i < nrd_count(priorities); i++)
		if (priorities[i].priority == f->priority)
			return nrd_buf_adds(out, priorities[i].name);
	return 0;
}
