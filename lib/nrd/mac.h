/* SPDX-License-Identifier: MPL-2.0 */
/* Copyright 2026 The Nereid authors */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "err.h"

#define NRD_MAC_TEXT 18 /* with the NUL */

struct nrd_mac {
	uint8_t b[6];
};

/*
 * Six hexadecimal groups of one or two digits between colons (illumos prints 2:8:20:0:1:2).
 * "BadMac" (-EINVAL).
 */
int nrd_mac_parse(const char *s, struct nrd_mac *ret_mac, struct nrd_err *err);

void nrd_mac_format(const struct nrd_mac *mac, char ret_text[NRD_MAC_TEXT]); /* 02:08:20:00:01:02 */
bool nrd_mac_equal(const struct nrd_mac *a, const struct nrd_mac *b);
bool nrd_mac_is_zero(const struct nrd_mac *mac);
bool nrd_mac_is_group(const struct nrd_mac *mac); /* multicast or broadcast: no NIC's own */
