/* SPDX-License-Identifier: MPL-2.0 */
/* Copyright 2026 The Nereid authors */
#pragma once

#include <stdint.h>

#include "nrd/err.h"

/*
 * The overlay of a rule's network, made if it is not there: RULE_NUMBER, until the next boot. *link is replaced by its name.
 * "BadNicTag", "ChildFailed" with what dladm says.
 */
int nics_overlay(const char *rule, uint64_t vnetid, char **link, struct nrd_err *err);
