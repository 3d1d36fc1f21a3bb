/* SPDX-License-Identifier: MPL-2.0 */
/* Copyright 2026 The Nereid authors */
#pragma once

#include "zone/config.h"

/* An element of an array is the same one as before when one of these is. */
#define ZONE_FIELD_IDENTITY NRD_FIELD_USER

/*
 * What no zone can be without and what can be worked out from its name: zonepath, zpool,
 * zfs_filesystem, id_count, restart_init. -ENOMEM.
 */
int zone_config_base(struct zone_config *config, struct nrd_err *err);

/* Names of zones that a directory has entries of: without their suffix, sorted; none when it is not there. "FileRead". */
int zone_names_in(const char *dir, const char *suffix, char ***ret_names, struct nrd_err *err);
