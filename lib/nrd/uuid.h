/* SPDX-License-Identifier: MPL-2.0 */
/* Copyright 2026 The Nereid authors */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "err.h"

#define NRD_UUID_LEN 36
#define NRD_UUID_TEXT 37 /* with the NUL */

struct nrd_uuid {
	uint8_t b[16];
};

/* A random (version 4) one. "Random" only when the kernel has none to give. */
int nrd_uuid_new(struct nrd_uuid *ret_uuid, struct nrd_err *err);

/* 8-4-4-4-12 hexadecimal digits in either case, nothing before or after. "BadUuid" (-EINVAL). */
int nrd_uuid_parse(const char *s, struct nrd_uuid *ret_uuid, struct nrd_err *err);

void nrd_uuid_format(const struct nrd_uuid *uuid, char ret_text[NRD_UUID_TEXT]); /* lower case */
bool nrd_uuid_equal(const struct nrd_uuid *a, const struct nrd_uuid *b);
bool nrd_uuid_is_nil(const struct nrd_uuid *uuid);
bool nrd_uuid_valid(const char *s);

/* The same check in the form nrd_field and nrd_opt tables take. */
int nrd_uuid_check(const char *s, struct nrd_err *err);
