/* SPDX-License-Identifier: MPL-2.0 */
/* Copyright 2026 The Nereid authors */
#pragma once

/* Names of system calls, of every architecture a zone may use; NULL ends them. */
extern const char *const zone_filter_allowed[];
extern const char *const zone_filter_refused[];
