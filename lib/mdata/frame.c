/* SPDX-License-Identifier: MPL-2.0 */
/* Copyright 2026 The Nereid authors */
#include "frame.h"

#include <errno.h>
#include <stdint.h>
#include <string.h>

#include "mdata/codec.h"
#include "mdata/limits.h"
#include "nrd/base64.h"
#include "nrd/mem.h"

#define SUM_LEN    8
#define LENGTH_MAX 7 /* digits */

/* The parts of a frame, in the line it came in. */
struct frame {
	struct nrd_str id, word, payload; /* payload.data NULL: there is none */
};

static const struct {
	enum mdata_op op;
	const char *word;
	bool key, value;
} commands[] = {
	{ MDATA_GET, "GET", true, false },
	{ MDATA_KEYS, "KEYS", false, false },
	{ MDATA_PUT, "PUT", true, true },
	{ MDATA_DELETE, "DELETE", true, false },
};

static const char *const codes[] = {
	[MDATA_SUCCESS] = "SUCCESS",
	[MDATA_NOTFOUND] = "NOTFOUND",
	[MDATA_FAILURE] = "FAILURE",
};

void
mdata_request_fini(struct mdata_request *request)
{
	nrd_buf_fini(&request->key);
	nrd_buf_fini(&request->value);
	*request = (struct mdata_request){ 0 };
}

void
mdata_request_cleanup(struct mdata_request *request)
{
	mdata_request_fini(request);
}

void
mdata_answer_fini(struct mdata_answer *answer)
{
	nrd_buf_fini(&answer->text);
	*answer = (struct mdata_answer){ 0 };
}

void
mdata_answer_cleanup(struct mdata_answer *answer)
{
	mdata_answer_fini(answer);
}

/* ---- frames ---- */

static bool
is_hex(struct nrd_str s, size_t len, uint32_t *ret_v)
{
	uint32_t v = 0;

	if (s.len != len)
		return false;
	for (size_t i = 0; i < len; i++) {
		char c = s.data[i];

		if (c >= '0' && c <= '9')
			v = v << 4 | (uint32_t)(c - '0');
		else if ((c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F'))
			v = v << 4 | (uint32_t)((c | 0x20) - 'a' + 10);
		else
			return false;
	}
	*ret_v = v;
	return true;
}

/* One blank between two parts, and only one. */
static bool
take_part(struct nrd_str *rest, struct nrd_str *ret_part)
{
	const char *blank = rest->len > 0 ? memchr(rest->data, ' ', rest->len) : NULL;

	if (blank == NULL)
		return false;
	*ret_part = nrd_strn(rest->data, (size_t)(blank - rest->data));
	rest->data = blank + 1;
	rest->len -= ret_part->len + 1;
	return true;
}

static bool
is_length(struct nrd_str s, size_t len)
{
	size_t v = 0;

	if (s.len == 0 || s.len > LENGTH_MAX)
		return false;
	for (size_t i = 0; i < s.len; i++) {
		if (s.data[i] < '0' || s.data[i] > '9')
			return false;
		v = v * 10 + (size_t)(s.data[i] - '0');
	}
	return v == len;
}

/* After "V2 ". */
static bool
frame_parse(struct nrd_str rest, struct frame *ret_frame)
{
	struct nrd_str len, sum;
	struct frame f = { .payload = { NULL, 0 } };
	uint32_t crc, id;

	if (!take_part(&rest, &len) || !take_part(&rest, &sum) || !is_length(len, rest.len) ||
	    !is_hex(sum, SUM_LEN, &crc) || crc != mdata_crc32(rest))
		return false;
	if (!take_part(&rest, &f.id) || !is_hex(f.id, MDATA_ID_LEN, &id))
		return false;
	if (take_part(&rest, &f.word))
		f.payload = rest;
	else
		f.word = rest;
	*ret_frame = f;
	return true;
}

static int
frame_format(const char *id, const char *word, const struct nrd_str *payload, struct nrd_buf *out)
{
	NRD_AUTO(nrd_buf) body = NRD_BUF_INIT(MDATA_ANSWER_MAX);

	(void)nrd_buf_printf(&body, "%s %s", id, word);
	if (payload != NULL) {
		(void)nrd_buf_addc(&body, ' ');
		(void)nrd_base64_encode(*payload, &body);
	}
	if (body.failed < 0)
		return body.failed;
	(void)nrd_buf_printf(out, "V2 %zu %08x ", body.len,
			     mdata_crc32(nrd_strn(nrd_buf_str(&body), body.len)));
	(void)nrd_buf_add(out, nrd_buf_str(&body), body.len);
	return nrd_buf_addc(out, '\n');
}

/* ---- requests ---- */

static int
refuse(struct mdata_request *request, const char *why)
{
	request->op = MDATA_REFUSED;
	request->why = why;
	return 0;
}

static const char *
key_fault(struct nrd_str key)
{
	if (key.len == 0)
		return "a key has at least one character";
	if (key.len > MDATA_KEY_MAX)
		return "a key has at most 255 bytes";
	for (size_t i = 0; i < key.len;) {
		size_t n = nrd_utf8_len(key.data + i, key.len - i);
		unsigned char c = (unsigned char)key.data[i];

		if (n == 0 || c < 0x20 || c == 0x7f)
			return "a key is UTF-8 text without control characters";
		i += n;
	}
	return NULL;
}

static const char *
value_fault(struct nrd_str value)
{
	if (value.len > MDATA_VALUE_MAX)
		return "a value has at most 262144 bytes";
	for (size_t i = 0; i < value.len;) {
		size_t n = nrd_utf8_len(value.data + i, value.len - i);

		if (n == 0 || value.data[i] == '\0')
			return "a value is UTF-8 text without NUL; encode other bytes, as base64 does";
		i += n;
	}
	return NULL;
}

static struct nrd_str
whole(const struct nrd_buf *b)
{
	return nrd_strn(nrd_buf_str(b), b->len);
}

static int
take_key(struct mdata_request *request, struct nrd_str key)
{
	const char *fault = key_fault(key);

	if (fault != NULL)
		return refuse(request, fault);
	return nrd_buf_add(&request->key, key.data, key.len);
}

/* base64 inside base64: of the key, a blank, of the value. */
static int
take_key_and_value(struct mdata_request *request, struct nrd_str both)
{
	NRD_AUTO(nrd_buf) key = NRD_BUF_INIT(MDATA_LINE_MAX);
	struct nrd_str part;
	const char *fault;
	int r;

	if (!take_part(&both, &part))
		return refuse(request, "PUT wants a key and a value");
	request->value.max = MDATA_LINE_MAX;
	r = nrd_base64_decode(part, &key);
	if (r >= 0)
		r = nrd_base64_decode(both, &request->value);
	if (r == -EINVAL)
		return refuse(request, "the key or the value of PUT is not base64");
	if (r < 0)
		return r;
	fault = value_fault(whole(&request->value));
	return fault != NULL ? refuse(request, fault) : take_key(request, whole(&key));
}

static int
parse_v2(struct nrd_str line, struct mdata_request *request)
{
	NRD_AUTO(nrd_buf) payload = NRD_BUF_INIT(MDATA_LINE_MAX);
	struct frame frame;
	int r;

	request->v2 = true;
	if (!frame_parse(line, &frame))
		return 0;
	memcpy(request->id, frame.id.data, MDATA_ID_LEN);
	for (size_t i = 0; i < nrd_count(commands); i++) {
		if (!nrd_str_eq(frame.word, commands[i].word))
			continue;
		request->op = commands[i].op;
		if (!commands[i].key)
			return 0;
		r = nrd_base64_decode(frame.payload, &payload);
		if (r == -EINVAL)
			return refuse(request, "the payload is not base64");
		if (r < 0)
			return r;
		return commands[i].value ? take_key_and_value(request, whole(&payload))
					 : take_key(request, whole(&payload));
	}
	return refuse(request, "there is no such command: GET, KEYS, PUT, DELETE");
}

static bool
after(struct nrd_str line, const char *start, struct nrd_str *ret_rest)
{
	size_t n = strlen(start);

	if (line.len < n || memcmp(line.data, start, n) != 0)
		return false;
	*ret_rest = nrd_strn(line.data + n, line.len - n);
	return true;
}

int
mdata_request_parse(struct nrd_str line, struct mdata_request *request)
{
	struct nrd_str rest;

	if (after(line, "V2 ", &rest))
		return parse_v2(rest, request);
	if (nrd_str_eq(line, "NEGOTIATE V2")) {
		request->op = MDATA_NEGOTIATE;
	} else if (nrd_str_eq(line, "KEYS")) {
		request->op = MDATA_KEYS;
	} else if (after(line, "GET ", &rest)) {
		request->op = MDATA_GET;
		return take_key(request, rest);
	} else {
		return refuse(request, "invalid command");
	}
	return 0;
}

int
mdata_request_format(enum mdata_op op, const char *id, const struct nrd_str *key,
		     const struct nrd_str *value, struct nrd_buf *out)
{
	NRD_AUTO(nrd_buf) both = NRD_BUF_INIT(MDATA_LINE_MAX);
	struct nrd_str payload;

	if (value != NULL) {
		(void)nrd_base64_encode(*key, &both);
		(void)nrd_buf_addc(&both, ' ');
		(void)nrd_base64_encode(*value, &both);
		if (both.failed < 0)
			return both.failed;
	}
	payload = value != NULL ? whole(&both) : key != NULL ? *key : nrd_str(NULL);
	for (size_t i = 0; i < nrd_count(commands); i++)
		if (commands[i].op == op)
			return frame_format(id, commands[i].word, key != NULL ? &payload : NULL, out);
	return -EINVAL;
}

/* ---- answers ---- */

/* V1: a line of one dot ends it, so a dot at the start of a line becomes two. */
static int
lines_format(struct nrd_str text, struct nrd_buf *out)
{
	struct nrd_str line;

	(void)nrd_buf_adds(out, "SUCCESS\n");
	while (nrd_str_split(&text, '\n', &line)) {
		if (line.len > 0 && line.data[0] == '.')
			(void)nrd_buf_addc(out, '.');
		(void)nrd_buf_add(out, line.data, line.len);
		(void)nrd_buf_addc(out, '\n');
	}
	return nrd_buf_adds(out, ".\n");
}

int
mdata_answer_format(const struct mdata_request *request, const struct mdata_answer *answer,
		    struct nrd_buf *out)
{
	const struct nrd_str text = whole(&answer->text);

	if (request->v2)
		return frame_format(request->id, codes[answer->code], text.len > 0 ? &text : NULL, out);
	if (request->op == MDATA_REFUSED)
		return nrd_buf_adds(out, "invalid command\n");
	if (request->op == MDATA_NEGOTIATE)
		return nrd_buf_adds(out, "V2_OK\n");
	if (answer->code == MDATA_SUCCESS)
		return lines_format(text, out);
	return nrd_buf_printf(out, "%s\n", codes[answer->code]);
}

bool
mdata_answer_parse(struct nrd_str line, const char *id, struct mdata_answer *answer)
{
	struct nrd_str rest;
	struct frame frame;

	if (!after(line, "V2 ", &rest) || !frame_parse(rest, &frame) || !nrd_str_eq(frame.id, id))
		return false;
	for (size_t i = 0; i < nrd_count(codes); i++) {
		if (!nrd_str_eq(frame.word, codes[i]))
			continue;
		answer->code = (enum mdata_code)i;
		return nrd_base64_decode(frame.payload, &answer->text) != -EINVAL;
	}
	return false;
}
