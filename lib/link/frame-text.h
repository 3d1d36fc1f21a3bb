/* SPDX-License-Identifier: MPL-2.0 */
/* Copyright 2026 The Nereid authors */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "nrd/buf.h"

/* An Ethernet frame in words, as snoop prints it: outside bytes, of which any may be missing. */
enum frame_text {
	FRAME_SUMMARY, /* one line: from, to, and the innermost protocol that is known */
	FRAME_LAYERS,  /* a line for each protocol in it */
	FRAME_VERBOSE, /* a line for each field */
};

/*
 * Appends it. caught: how many bytes of the frame there are; len: how long it was; vid: a VLAN tag that was taken out of
 * it, 0: none. Each line begins with head and ends with a line feed. 0, or -ENOMEM.
 */
int frame_text(const uint8_t *frame, size_t caught, size_t len, unsigned vid, enum frame_text how, const char *head,
	       struct nrd_buf *out);

/* Bytes offset.. of it, n of them (0: all), sixteen a line, in hexadecimal and as characters. */
int frame_hex(const uint8_t *frame, size_t caught, size_t offset, size_t n, struct nrd_buf *out);
