/* SPDX-License-Identifier: MPL-2.0 */
/* Copyright 2026 The Nereid authors */
#pragma once

#include "json.h"
#include "vec.h"

/*
 * A document is the list of its values in the order of the text, a container before what is in it
 * and a key before its member's value: what follows a value is `span` elements further on. Strings
 * point into the document's own copy of the text, where they were unescaped in place.
 */
enum nrd_num {
	NRD_NUM_UNSIGNED,
	NRD_NUM_NEGATIVE, /* spelled with a minus and without fraction and exponent */
	NRD_NUM_REAL,
};

struct nrd_val {
	uint8_t type; /* enum nrd_val_type */
	uint8_t num;  /* enum nrd_num */
	uint32_t len; /* elements, members, or bytes of a string */
	uint32_t span;
	union {
		const char *str;
		uint64_t u;
		int64_t i;
		double d;
		bool b;
	};
};

struct nrd_json {
	char *text;
	NRD_VEC(struct nrd_val) vals;
};
