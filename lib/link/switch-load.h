/* SPDX-License-Identifier: MPL-2.0 */
/* Copyright 2026 The Nereid authors */
#pragma once

#include <stddef.h>

#include "nrd/err.h"

/*
 * Loads the switch from an object file in memory and pins it below dir, which is made; what is
 * pinned there already stays in use: the tables with all their rows, and the program at each port
 * and uplink is replaced by the new one. Nothing happens when the same object is loaded already.
 * Several at once do it once. For switch-load and the tests: it needs libbpf, which others
 * do without (switch.h). "SwitchLoad".
 */
int switch_load(const char *dir, const void *object, size_t len, struct nrd_err *err);
