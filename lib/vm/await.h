/* SPDX-License-Identifier: MPL-2.0 */
/* Copyright 2026 The Nereid authors */
#pragma once

#include <signal.h>

#include "nrd/err.h"

/*
 * Returns when a machine that boots for the first time is provisioned. It is not locked meanwhile, as
 * what it stores of itself needs its lock. stop: set by a signal's handler: "Interrupted";
 * or NULL. "ProvisionFailed".
 */
int vm_await(const char *uuid, const volatile sig_atomic_t *stop, struct nrd_err *err);
