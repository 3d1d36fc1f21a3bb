/* SPDX-License-Identifier: MPL-2.0 */
/* Copyright 2026 The Nereid authors */
#pragma once

#include <stdbool.h>

#include "link/switch.h"

/* "10.0.0.2", "10.0.0.0/8", "fd00::2/64"; without a length it is one address. False: it is neither, as "dhcp". */
bool link_prefix_parse(const char *text, struct switch_prefix *ret_prefix);
