/* SPDX-License-Identifier: MPL-2.0 */
/* Copyright 2026 The Nereid authors */
#pragma once

#include "zone/spec.h"

/*
 * Files of /proc and /sys that tell of the whole machine where a program asks about its own: lxcfs
 * serves them with what the reader's cgroup may use. A node without lxcfs shows its own.
 * -ENOMEM.
 */
int zone_views_add(struct zone_spec *spec);
