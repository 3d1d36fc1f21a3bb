/* SPDX-License-Identifier: MPL-2.0 */
/* Copyright 2026 The Nereid authors */
#pragma once

#include <stdint.h>

#include "nrd/str.h"

/* Of the metadata protocol: CRC-32 as IEEE 802.3 and zlib have it. */
uint32_t mdata_crc32(struct nrd_str data);
