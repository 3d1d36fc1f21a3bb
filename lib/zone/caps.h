/* SPDX-License-Identifier: MPL-2.0 */
/* Copyright 2026 The Nereid authors */
#pragma once

#include <stdint.h>

#include "nrd/err.h"
#include "zone/config.h"

/*
 * A zone's privileges: limit_priv, in illumos' names or Linux' (CAP_NET_RAW, net_raw), as a set
 * of capabilities in the zone's own user namespace. "default" is the brand's list, "-name" or
 * "!name" takes away, "name" adds. "BadPrivilege" names what no zone may have, and what does not exist.
 */
int zone_caps_of(const struct zone_config *config, uint64_t *ret_caps, struct nrd_err *err);

/*
 * In the zone's namespaces, just before exec: nothing outside caps can be had again (bounding
 * set), and uid 0 has exactly caps. "ZoneCaps".
 */
int zone_caps_drop(uint64_t caps, struct nrd_err *err);
