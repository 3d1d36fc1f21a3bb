/* SPDX-License-Identifier: MPL-2.0 */
/* Copyright 2026 The Nereid authors */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "nrd/buf.h"
#include "nrd/str.h"

/*
 * The metadata protocol's lines, without their LF; no I/O.
 *
 *	GET foo                                     V1
 *	NEGOTIATE V2
 *	V2 17 59093510 dc4fae17 GET Zm9v            V2: length and CRC-32 of all that follows them
 *
 * All of this is from a tenant.
 */
enum mdata_op {
	MDATA_DROPPED, /* a frame whose length or sum is wrong: no answer */
	MDATA_REFUSED, /* why says what is wrong with it */
	MDATA_NEGOTIATE,
	MDATA_GET,
	MDATA_KEYS,
	MDATA_PUT,
	MDATA_DELETE,
};

#define MDATA_ID_LEN 8

struct mdata_request {
	enum mdata_op op;
	bool v2;
	char id[MDATA_ID_LEN + 1];
	struct nrd_buf key;   /* GET, PUT, DELETE */
	struct nrd_buf value; /* PUT */
	const char *why;      /* static */
};

void mdata_request_fini(struct mdata_request *request);
void mdata_request_cleanup(struct mdata_request *request);

/*
 * Any bytes are a request, if only one that is dropped or refused. A key is text of 1 to
 * MDATA_KEY_MAX bytes without control characters, a value text of at most MDATA_VALUE_MAX bytes
 * without NUL: other bytes cannot stand in a machine's file. 0 or -ENOMEM; request is empty
 * before.
 */
int mdata_request_parse(struct nrd_str line, struct mdata_request *request);

/*
 * Appends a V2 request with its LF. id is MDATA_ID_LEN hexadecimal digits; key and value are NULL
 * where the operation has none. 0 or the buffer's error.
 */
int mdata_request_format(enum mdata_op op, const char *id, const struct nrd_str *key,
			 const struct nrd_str *value, struct nrd_buf *out);

enum mdata_code {
	MDATA_SUCCESS,
	MDATA_NOTFOUND,
	MDATA_FAILURE,
};

struct mdata_answer {
	enum mdata_code code;
	struct nrd_buf text; /* the value; of a failure what went wrong */
};

/* Appends the answer as the request's version spells it, with its LF. 0 or the buffer's error. */
int mdata_answer_format(const struct mdata_request *request, const struct mdata_answer *answer,
			struct nrd_buf *out);

/*
 * A line from the service as the answer to the V2 request with that id; false: it is none (a line
 * of before, or damaged). answer->text is empty before, and its error says whether the answer fits.
 */
bool mdata_answer_parse(struct nrd_str line, const char *id, struct mdata_answer *answer);

void mdata_answer_fini(struct mdata_answer *answer);
void mdata_answer_cleanup(struct mdata_answer *answer);
