/* SPDX-License-Identifier: MPL-2.0 */
/* Copyright 2026 The Nereid authors */
#pragma once

#include <stdbool.h>

#include "nrd/buf.h"
#include "nrd/err.h"
#include "nrd/json.h"

/* Is it a manifest of version 1, as dataset servers gave before there were image servers? */
bool image_v1_is(const struct nrd_val *val);

/*
 * The same as version 2. What was the old servers' own bookkeeping is dropped; what would change
 * the meaning (several files) is refused: "ManifestValidation".
 */
int image_v1_upgrade(const struct nrd_val *val, struct nrd_buf *out, struct nrd_err *err);
