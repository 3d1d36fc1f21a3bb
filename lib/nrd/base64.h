/* SPDX-License-Identifier: MPL-2.0 */
/* Copyright 2026 The Nereid authors */
#pragma once

#include "buf.h"
#include "str.h"

/* Appends; 0 or the buffer's error. */
int nrd_base64_encode(struct nrd_str data, struct nrd_buf *out);

/*
 * Appends; -EINVAL when it is not base64 as RFC 4648 has it: padded, with nothing in between and
 * no bits left over.
 */
int nrd_base64_decode(struct nrd_str text, struct nrd_buf *out);
