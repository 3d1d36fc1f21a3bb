/* SPDX-License-Identifier: MPL-2.0 */
/* Copyright 2026 The Nereid authors */
#pragma once

#include <stdint.h>

/* Milliseconds of the monotonic clock: for durations and deadlines, not for dates. */
int64_t nrd_now_ms(void);
