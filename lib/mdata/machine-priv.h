/* SPDX-License-Identifier: MPL-2.0 */
/* Copyright 2026 The Nereid authors */
#pragma once

#include "mdata/frame.h"
#include "nrd/json.h"

#define MDATA_SDC           "sdc:"
#define MDATA_SECRET_SUFFIX "_pw"

/* A text as it is, anything else as JSON spells it. 0 or -ENOMEM, as the two below. */
int mdata_say_value(const struct nrd_val *val, struct mdata_answer *answer);
int mdata_say_text(const char *text, struct mdata_answer *answer);
int mdata_say_none(struct mdata_answer *answer);
