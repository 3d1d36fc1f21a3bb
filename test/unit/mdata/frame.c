/* SPDX-License-Identifier: MPL-2.0 */
/* Copyright 2026 The Nereid authors */
#include "mdata/frame.h"

#include "mdata/codec.h"
#include "mdata/limits.h"
#include "nrd-test.h"
#include "nrd/base64.h"
#include "nrd/mem.h"

#define ID "dc4fae17"

static void
crc(void)
{
	CHECK_INT(mdata_crc32(nrd_str("")), 0);
	CHECK_INT(mdata_crc32(nrd_str("123456789")), 0xcbf43926);
}

static void
base64(void)
{
	static const char *const good[][2] = {
		{ "", "" }, { "f", "Zg==" }, { "fo", "Zm8=" }, { "foo", "Zm9v" },
		{ "foobar", "Zm9vYmFy" }, { "\xff\xfe\xfd", "//79" },
	};
	static const char *const bad[] = {
		"Zg", "Zg=", "Z===", "====", "Zg==Zg==", "Zm9v\n", "Zm 9", "Zh==", "Zm9=", "Zm-_",
	};

	for (size_t i = 0; i < nrd_count(good); i++) {
		NRD_AUTO(nrd_buf) text = { 0 };
		NRD_AUTO(nrd_buf) back = { 0 };

		CHECK_INT(nrd_base64_encode(nrd_str(good[i][0]), &text), 0);
		CHECK_STR(nrd_buf_str(&text), good[i][1]);
		CHECK_INT(nrd_base64_decode(nrd_str(good[i][1]), &back), 0);
		CHECK_STR(nrd_buf_str(&back), good[i][0]);
	}
	for (size_t i = 0; i < nrd_count(bad); i++) {
		NRD_AUTO(nrd_buf) back = { 0 };

		CHECK_INT(nrd_base64_decode(nrd_str(bad[i]), &back), -EINVAL);
	}
}

static void
parses(const char *line, enum mdata_op op, const char *key)
{
	NRD_AUTO(mdata_request) request = { 0 };

	CHECK_INT(mdata_request_parse(nrd_str(line), &request), 0);
	CHECK_INT(request.op, op);
	CHECK_STR(nrd_buf_str(&request.key), key);
}

static void
version_1(void)
{
	parses("GET foo", MDATA_GET, "foo");
	parses("GET a key of words", MDATA_GET, "a key of words");
	parses("KEYS", MDATA_KEYS, "");
	parses("NEGOTIATE V2", MDATA_NEGOTIATE, "");
	parses("NEGOTIATE V3", MDATA_REFUSED, "");
	parses("GET", MDATA_REFUSED, "");
	parses("GET ", MDATA_REFUSED, "");
	parses("get foo", MDATA_REFUSED, "");
	parses("PUT foo bar", MDATA_REFUSED, "");
	parses("", MDATA_REFUSED, "");
	parses("GET a\tb", MDATA_REFUSED, "");
	parses("GET a\xff", MDATA_REFUSED, "");
}

/* The frame of a body, as a client would make it. */
static void
frame_of(const char *body, struct nrd_buf *out)
{
	nrd_buf_reset(out);
	CHECK_INT(nrd_buf_printf(out, "V2 %zu %08x %s", strlen(body), mdata_crc32(nrd_str(body)), body),
		  0);
}

static void
version_2(void)
{
	static const struct {
		const char *body;
		enum mdata_op op;
		const char *key, *value;
	} cases[] = {
		{ ID " GET Zm9v", MDATA_GET, "foo", "" },
		{ ID " KEYS", MDATA_KEYS, "", "" },
		{ ID " DELETE Zm9v", MDATA_DELETE, "foo", "" },
		{ ID " PUT Wm05diBZbUZ5", MDATA_PUT, "foo", "bar" },
		{ ID " PUT Wm05diA=", MDATA_PUT, "foo", "" },
		{ ID " PUT Wm05dg==", MDATA_REFUSED, "", "" }, /* no blank */
		{ ID " GET", MDATA_REFUSED, "", "" },
		{ ID " GET !!!!", MDATA_REFUSED, "", "" },
		{ ID " GET Zm9vCg==", MDATA_REFUSED, "", "" }, /* a line end in the key */
		{ ID " GET Zm8A", MDATA_REFUSED, "", "" },      /* a NUL */
		{ ID " STEAL Zm9v", MDATA_REFUSED, "", "" },
		{ "dc4fae1 GET Zm9v", MDATA_DROPPED, "", "" },
		{ "dc4fae1g GET Zm9v", MDATA_DROPPED, "", "" },
		{ ID, MDATA_DROPPED, "", "" },
		{ "", MDATA_DROPPED, "", "" },
	};
	NRD_AUTO(nrd_buf) line = { 0 };

	for (size_t i = 0; i < nrd_count(cases); i++) {
		NRD_AUTO(mdata_request) request = { 0 };

		frame_of(cases[i].body, &line);
		CHECK_INT(mdata_request_parse(nrd_strn(nrd_buf_str(&line), line.len), &request), 0);
		CHECK(request.v2);
		CHECK_INT(request.op, cases[i].op);
		if (request.op == MDATA_DROPPED || request.op == MDATA_REFUSED)
			continue;
		CHECK_STR(request.id, ID);
		CHECK_STR(nrd_buf_str(&request.key), cases[i].key);
		CHECK_STR(nrd_buf_str(&request.value), cases[i].value);
	}
}

static void
damaged(void)
{
	parses("V2 17 59093510 dc4fae17 GET Zm9v", MDATA_GET, "foo");
	parses("V2 18 59093510 dc4fae17 GET Zm9v", MDATA_DROPPED, "");
	parses("V2 017 59093510 dc4fae17 GET Zm9v", MDATA_GET, "foo");
	parses("V2 99999999999999999999 59093510 dc4fae17 GET Zm9v", MDATA_DROPPED, "");
	parses("V2 -1 59093510 dc4fae17 GET Zm9v", MDATA_DROPPED, "");
	parses("V2 17 59093511 dc4fae17 GET Zm9v", MDATA_DROPPED, "");
	parses("V2 17 59093510 dc4fae17 GET Zm9w", MDATA_DROPPED, "");
	parses("V2 17  59093510 dc4fae17 GET Zm9v", MDATA_DROPPED, "");
	parses("V2 17", MDATA_DROPPED, "");
	parses("V2 ", MDATA_DROPPED, "");
}

/* A PUT as our own client spells it, of so many bytes each. */
static enum mdata_op
put_of(size_t key_len, size_t value_len)
{
	NRD_AUTO(mdata_request) request = { 0 };
	NRD_AUTO(nrd_buf) key = { 0 };
	NRD_AUTO(nrd_buf) value = { 0 };
	NRD_AUTO(nrd_buf) line = { 0 };

	for (size_t i = 0; i < key_len; i++)
		CHECK_INT(nrd_buf_addc(&key, 'k'), 0);
	for (size_t i = 0; i < value_len; i++)
		CHECK_INT(nrd_buf_addc(&value, 'v'), 0);
	const struct nrd_str k = nrd_strn(nrd_buf_str(&key), key.len);
	const struct nrd_str v = nrd_strn(nrd_buf_str(&value), value.len);

	CHECK_INT(mdata_request_format(MDATA_PUT, ID, &k, &v, &line), 0);
	if (key_len <= MDATA_KEY_MAX && value_len <= MDATA_VALUE_MAX)
		CHECK(line.len <= MDATA_LINE_MAX);
	CHECK_INT(mdata_request_parse(nrd_strn(nrd_buf_str(&line), line.len - 1), &request), 0);
	if (request.op == MDATA_PUT) {
		CHECK_INT(request.key.len, key_len);
		CHECK_INT(request.value.len, value_len);
	}
	return request.op;
}

static void
limits(void)
{
	CHECK_INT(put_of(1, 0), MDATA_PUT);
	CHECK_INT(put_of(MDATA_KEY_MAX, MDATA_VALUE_MAX), MDATA_PUT);
	CHECK_INT(put_of(MDATA_KEY_MAX + 1, 1), MDATA_REFUSED);
	CHECK_INT(put_of(1, MDATA_VALUE_MAX + 1), MDATA_REFUSED);
	CHECK_INT(put_of(0, 1), MDATA_REFUSED);
}

static void
answers(const char *line, enum mdata_code code, const char *text, const char *want)
{
	NRD_AUTO(mdata_request) request = { 0 };
	NRD_AUTO(mdata_answer) answer = { .code = code };
	NRD_AUTO(nrd_buf) out = { 0 };

	CHECK_INT(mdata_request_parse(nrd_str(line), &request), 0);
	CHECK_INT(nrd_buf_adds(&answer.text, text), 0);
	CHECK_INT(mdata_answer_format(&request, &answer, &out), 0);
	CHECK_STR(nrd_buf_str(&out), want);
}

static void
answering(void)
{
	answers("GET foo", MDATA_SUCCESS, "bar", "SUCCESS\nbar\n.\n");
	answers("GET foo", MDATA_SUCCESS, "", "SUCCESS\n\n.\n");
	answers("GET foo", MDATA_SUCCESS, ".\na\n..b\n", "SUCCESS\n..\na\n...b\n\n.\n");
	answers("GET foo", MDATA_NOTFOUND, "", "NOTFOUND\n");
	answers("GET foo", MDATA_FAILURE, "why", "FAILURE\n");
	answers("NEGOTIATE V2", MDATA_SUCCESS, "", "V2_OK\n");
	answers("hello", MDATA_FAILURE, "", "invalid command\n");
	answers("V2 17 59093510 dc4fae17 GET Zm9v", MDATA_NOTFOUND, "",
		"V2 17 11525eac dc4fae17 NOTFOUND\n");
}

/* What we format we read again; what is not the answer is not taken for it. */
static void
round_trip(void)
{
	NRD_AUTO(mdata_request) request = { 0 };
	NRD_AUTO(mdata_answer) answer = { .code = MDATA_SUCCESS };
	NRD_AUTO(mdata_answer) again = { 0 };
	NRD_AUTO(nrd_buf) out = { 0 };

	CHECK_INT(mdata_request_parse(nrd_str("V2 17 59093510 dc4fae17 GET Zm9v"), &request), 0);
	CHECK_INT(nrd_buf_adds(&answer.text, "line 1\nline 2"), 0);
	CHECK_INT(mdata_answer_format(&request, &answer, &out), 0);
	nrd_buf_truncate(&out, out.len - 1);
	const struct nrd_str line = nrd_strn(nrd_buf_str(&out), out.len);

	CHECK(!mdata_answer_parse(line, "00000000", &again));
	CHECK(mdata_answer_parse(line, ID, &again));
	CHECK_INT(again.code, MDATA_SUCCESS);
	CHECK_STR(nrd_buf_str(&again.text), "line 1\nline 2");
	CHECK(!mdata_answer_parse(nrd_str("V2_OK"), ID, &again));
	CHECK(!mdata_answer_parse(nrd_str("V2 17 59093510 dc4fae17 GET Zm9v"), ID, &again));
}

TEST_MAIN(crc, base64, version_1, version_2, damaged, limits, answering, round_trip)
