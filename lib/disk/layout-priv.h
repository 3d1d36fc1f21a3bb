/* SPDX-License-Identifier: MPL-2.0 */
/* Copyright 2026 The Nereid authors */
#pragma once

#include <stddef.h>

#include "layout.h"

/* Frees the members and the array. */
void disk_members_free(struct disk_member *members, size_t n);
