/* SPDX-License-Identifier: MPL-2.0 */
/* Copyright 2026 The Nereid authors */
#pragma once

#include <stddef.h>

/*
 * What a machine may store and hold of its node through the metadata service. The machine's file
 * is read by every command on the node (NRD_JSON_MAX): a tenant must not be able to make it
 * unreadable, nor large.
 */
#define MDATA_KEY_MAX    255                  /* bytes of a key */
#define MDATA_VALUE_MAX  ((size_t)256 << 10)  /* bytes of a value */
#define MDATA_KEYS_MAX   1024                 /* in customer_metadata and internal_metadata */
#define MDATA_TOTAL_MAX  ((size_t)1 << 20)    /* bytes of both, as the file spells them */

#define MDATA_BASE64_LEN(n_) (((n_) + 2) / 3 * 4)

/* The longest line that can be a request: a PUT of the longest key and value. */
#define MDATA_LINE_MAX                                                                             \
	(64 + MDATA_BASE64_LEN(MDATA_BASE64_LEN(MDATA_KEY_MAX) + 1 + MDATA_BASE64_LEN(MDATA_VALUE_MAX)))

/* The longest answer: what an operator stored, in a file that can still be read. */
#define MDATA_ANSWER_MAX ((size_t)8 << 20)
