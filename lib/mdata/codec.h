/* SPDX-License-Identifier: MPL-2.0 */
/* Copyright 2026 The Nereid authors */
#pragma once

#include <stdint.h>

#include "nrd/buf.h"
#include "nrd/str.h"

/* The two encodings of the metadata protocol. */

/* CRC-32 as IEEE 802.3 and zlib have it. */
uint32_t mdata_crc32(struct nrd_str data);

/* Appends; 0 or the buffer's error. */
int mdata_base64_encode(struct nrd_str data, struct nrd_buf *out);

/*
 * Appends; -EINVAL when it is not base64 as RFC 4648 has it: padded, with nothing in between and
 * no bits left over.
 */
int mdata_base64_decode(struct nrd_str text, struct nrd_buf *out);
