/* SPDX-License-Identifier: MPL-2.0 */
/* Copyright 2026 The Nereid authors */
#include "link/overlay.h"

#include <linux/neighbour.h>
#include <linux/rtnetlink.h>
#include <sys/socket.h>

#include "link/neigh-priv.h"
#include "link/overlay-search.h"
#include "nrd-test.h"
#include "nrd/mem.h"
#include "nrd/str.h"

static struct nrd_err err;

/* As create-overlay would be told it. */
static int
checked(const char *rule, uint64_t vnetid)
{
	NRD_AUTO(datalink) d = { .class_ = DATALINK_OVERLAY, .vnetid = vnetid };
	int r = overlay_rule_parse(rule, &d, &err);

	return r == 0 ? overlay_check(&d, &err) : r;
}

static void
rules(void)
{
	NRD_AUTO(datalink) d = { 0 };

	CHECK_INT(checked("-e vxlan -s direct -p vxlan/listen_ip=10.0.0.1,direct/dest_ip=10.0.0.2", 5), 0);
	CHECK_INT(checked("-e vxlan -s direct -p vxlan/listen_ip=fd00::1 -p direct/dest_ip=fd00::2,mtu=1300", 16777215), 0);
	CHECK_INT(checked("-e vxlan -s files -p vxlan/listen_ip=10.0.0.1,files/config=/opt/table.json", 0), 0);
	CHECK_INT(checked("-e vxlan -s agent -p vxlan/listen_ip=10.0.0.1", 7), 0);
	CHECK_INT(overlay_rule_parse("-s files -p mtu=1300,mtu=1350", &d, &err), 0);
	CHECK_STR(overlay_prop_get(&d, "mtu"), "1350");
	CHECK_STR(overlay_prop_get(&d, "vxlan/listen_port"), "4789");
	CHECK(overlay_prop_get(&d, "vxlan/listen_ip") == NULL);
}

static void
refused(void)
{
	static const struct { const char *rule, *code, *says; } bad[] = {
		{ "-e geneve -s direct", "OverlayEncap", "it is vxlan" },
		{ "-s direct", "OverlayEncap", "" },
		{ "-e vxlan -s directly", "OverlaySearch", "did you mean 'direct'" },
		{ "-e vxlan", "OverlaySearch", "" },
		{ "-e vxlan -s agent", "OverlayProp", "'vxlan/listen_ip' is missing" },
		{ "-e vxlan -s files -p vxlan/listen_ip=10.0.0.1", "OverlayProp", "'files/config' is missing" },
		{ "-e vxlan -s agent -p vxlan/listen_ip=10.0.0.1/24", "OverlayProp", "no IP address" },
		{ "-e vxlan -s agent -p vxlan/listen_ip=here", "OverlayProp", "no IP address" },
		{ "-e vxlan -s agent -p vxlan/listen_ip=10.0.0.1,vxlan/listen_port=65536", "OverlayProp", "no port" },
		{ "-e vxlan -s agent -p vxlan/listen_ip=10.0.0.1,mtu=575", "OverlayProp", "576" },
		{ "-e vxlan -s agent -p vxlan/listen_ip=10.0.0.1,direct/dest_ip=10.0.0.2", "OverlayProp", "goes with search direct" },
		{ "-e vxlan -s files -p vxlan/listen_ip=10.0.0.1,files/config=table", "OverlayProp", "not a whole path" },
		{ "-e vxlan -s agent -p vxlan/listen_pi=10.0.0.1", "OverlayProp", "did you mean 'vxlan/listen_ip'" },
		{ "-e vxlan -s agent -p mtu", "OverlayProp", "no PROPERTY=VALUE" },
		{ "-e vxlan -s agent -p mtu=", "OverlayProp", "no PROPERTY=VALUE" },
		{ "-e", "OverlayRule", "" },
		{ "-x 5", "OverlayRule", "no option -x" },
		{ "vxlan direct", "OverlayRule", "" },
	};

	for (size_t i = 0; i < nrd_count(bad); i++) {
		CHECK_INT(checked(bad[i].rule, 5), -EINVAL);
		CHECK_STR(err.code, bad[i].code);
		CHECK(strstr(err.msg, bad[i].says) != NULL);
	}
	CHECK_INT(checked("-e vxlan -s agent -p vxlan/listen_ip=10.0.0.1", 16777216), -EINVAL);
	CHECK_STR(err.code, "OverlayVnetid");
}

/* ---- tables ---- */

static struct overlay_target last;
static char last_ip[64];

static int
keep(void *arg, const struct overlay_target *t, struct nrd_err *e)
{
	(void)e;
	last = *t;
	(void)snprintf(last_ip, sizeof(last_ip), "%s", t->ip);
	(*(size_t *)arg)++;
	return 0;
}

static int
table(const char *text, size_t *n)
{
	NRD_AUTO(nrd_json) *doc = NULL;

	*n = 0;
	CHECK_INT(nrd_json_parse(text, strlen(text), NULL, &doc, &err), 0);
	return overlay_table_parse(nrd_json_root(doc), keep, n, &err);
}

static void
tables(void)
{
	static const char *const bad[] = {
		"[]", "5", "{\"x\":{\"ip\":\"10.0.0.2\"}}", "{\"2:8:20:0:0:1\":{}}", "{\"2:8:20:0:0:1\":[]}", "{\"2:8:20:0:0:1\":{\"ip\":5}}",
		"{\"2:8:20:0:0:1\":{\"ip\":\"10.0.0.0/8\"}}", "{\"3:8:20:0:0:1\":{\"ip\":\"10.0.0.2\"}}",
		"{\"2:8:20:0:0:1\":{\"ip\":\"10.0.0.2\",\"port\":0}}", "{\"2:8:20:0:0:1\":{\"ip\":\"10.0.0.2\",\"port\":\"4789\"}}",
		"{\"2:8:20:0:0:1\":{\"ip\":\"10.0.0.2\",\"arp\":\"fd00::1\"}}", "{\"2:8:20:0:0:1\":{\"ip\":\"10.0.0.2\",\"ndp\":\"10.0.0.1\"}}",
	};
	size_t n;

	CHECK_INT(table("{}", &n), 0);
	CHECK_INT(n, 0);
	CHECK_INT(table("{\"2:8:20:0:0:1\":{\"ip\":\"10.0.0.2\"},\"2:8:20:0:0:2\":{\"ip\":\"fd00::2\",\"port\":99,\"arp\":\"10.1.0.2\",\"ndp\":\"fd01::2\"}}",
			&n), 0);
	CHECK_INT(n, 2);
	CHECK_INT(last.port, 99);
	CHECK_INT(last.mac.b[5], 2);
	CHECK_STR(last_ip, "fd00::2");
	for (size_t i = 0; i < nrd_count(bad); i++) {
		CHECK_INT(table(bad[i], &n), -EINVAL);
		CHECK_STR(err.code, "OverlayTable");
	}
}

/* ---- answers ---- */

static int
answer(const char *text)
{
	NRD_AUTO(overlay_answer) a = { 0 };

	return overlay_answer_parse(text, strlen(text), &a, &err);
}

static void
answers(void)
{
	NRD_AUTO(overlay_answer) a = { 0 };
	static const char text[] = "{\"overlay\":\"ov0\",\"mac\":\"02:08:20:00:00:01\",\"node\":\"10.0.0.2\"}";

	CHECK_INT(overlay_answer_parse(text, strlen(text), &a, &err), 0);
	CHECK_INT(a.port, 4789);
	CHECK_STR(a.node, "10.0.0.2");
	CHECK_INT(answer("{\"overlay\":\"ov0\",\"mac\":\"02:08:20:00:00:01\",\"gone\":true}"), 0);
	for (const char *const *bad = (const char *const[]){
		     "", "{", "{}", "[1]", "{\"overlay\":\"ov0\"}", "{\"overlay\":\"ov0\",\"mac\":\"02:08:20:00:00:01\"}",
		     "{\"overlay\":\"ov0\",\"mac\":\"x\",\"node\":\"10.0.0.2\"}",
		     "{\"overlay\":\"ov0\",\"mac\":\"02:08:20:00:00:01\",\"node\":\"10.0.0.2\",\"port\":70000}",
		     "{\"overlay\":\"ov0\",\"mac\":\"02:08:20:00:00:01\",\"node\":\"10.0.0.2\",\"nod\":1}",
		     "{\"a\":{\"a\":{\"a\":{\"a\":{\"a\":1}}}}}", NULL };
	     *bad != NULL; bad++) {
		CHECK_INT(answer(*bad), -EINVAL);
		CHECK_STR(err.code, "BadAnswer");
	}
}

/* ---- what the kernel asks ---- */

static size_t
question(unsigned char *buf, const void *mac, const void *ip4)
{
	struct nlmsghdr head = { .nlmsg_type = RTM_GETNEIGH };
	struct ndmsg body = { .ndm_family = AF_BRIDGE, .ndm_ifindex = 7 };
	struct rtattr attr;
	size_t len = sizeof(head);

	memcpy(buf + len, &body, sizeof(body));
	len += NLMSG_ALIGN(sizeof(body));
	if (mac != NULL) {
		attr = (struct rtattr){ .rta_len = RTA_LENGTH(6), .rta_type = NDA_LLADDR };
		memcpy(buf + len, &attr, sizeof(attr));
		memcpy(buf + len + sizeof(attr), mac, 6);
		len += RTA_SPACE(6);
	}
	if (ip4 != NULL) {
		attr = (struct rtattr){ .rta_len = RTA_LENGTH(4), .rta_type = NDA_DST };
		memcpy(buf + len, &attr, sizeof(attr));
		memcpy(buf + len + sizeof(attr), ip4, 4);
		len += RTA_SPACE(4);
	}
	head.nlmsg_len = (uint32_t)len;
	memcpy(buf, &head, sizeof(head));
	return len;
}

static void
questions(void)
{
	static const unsigned char mac[6] = { 2, 8, 0x20, 0, 0, 1 }, ip[4] = { 10, 0, 0, 1 };
	_Alignas(8) unsigned char buf[256] = { 0 };
	size_t first = question(buf, mac, NULL), len = first + question(buf + first, NULL, ip), at = 0;
	bool asked, done;
	struct neigh n;

	CHECK(neigh_next(buf, len, &at, &n, &asked, &done));
	CHECK(asked && n.has_mac && n.ifindex == 7 && n.ip.family == 0 && n.mac.b[5] == 1);
	CHECK(neigh_next(buf, len, &at, &n, &asked, &done));
	CHECK(asked && !n.has_mac && n.ip.family == AF_INET && n.ip.addr[0] == 10);
	CHECK(!neigh_next(buf, len, &at, &n, &asked, &done) && !done);
	/* Cut anywhere it is read no further than it goes: the sanitizers look. */
	for (size_t cut = 0; cut < len; cut++) {
		NRD_FREE unsigned char *part = malloc(cut + 1);

		CHECK(part != NULL);
		memcpy(part, buf, cut);
		at = 0;
		while (neigh_next(part, cut, &at, &n, &asked, &done))
			;
		CHECK(!done);
	}
	for (size_t i = 0; i < len; i++)
		for (unsigned v = 0; v < 256; v += 17) {
			unsigned char was = buf[i];

			buf[i] = (unsigned char)v;
			at = 0;
			while (neigh_next(buf, len, &at, &n, &asked, &done))
				;
			buf[i] = was;
		}
}

TEST_MAIN(rules, refused, tables, answers, questions)
