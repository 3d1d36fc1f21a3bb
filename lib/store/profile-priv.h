/* SPDX-License-Identifier: MPL-2.0 */
/* Copyright 2026 The Nereid authors */
#pragma once

#include <libnvpair.h>

#include "store/profile.h"

/* store_pool_profile out of a pool's configuration. */
int store_profile_read(nvlist_t *config, struct store_profile *ret_profile, struct nrd_err *err);
