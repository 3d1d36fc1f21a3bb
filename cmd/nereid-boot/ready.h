/* SPDX-License-Identifier: MPL-2.0 */
/* Copyright 2026 The Nereid authors */
#pragma once

#include "nrd/cli.h"

/* The last step of a boot: `nereid-boot ready`. */
int cmd_ready(const struct nrd_args *args, struct nrd_err *err);
