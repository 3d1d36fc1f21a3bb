/* SPDX-License-Identifier: MPL-2.0 */
/* Copyright 2026 The Nereid authors */
#pragma once

#include <stdbool.h>

#include "nrd/err.h"
#include "zone/config.h"

/*
 * A machine's first boot, as SmartOS knows it: there is a file in its root, and the machine is
 * provisioned as soon as a program in it has renamed or removed that file, however its scripts fare
 * then. Until that, or until transition_expire, its transition is "provisioning".
 */
#define BRAND_PROVISIONING "provisioning"
#define BRAND_PROVISIONING_S 300
#define BRAND_MARKER_DIR "var/svc"
#define BRAND_MARKER BRAND_MARKER_DIR "/provisioning"

/* The config says that the zone is to be, or is being, provisioned. */
bool brand_is_provisioning(const struct zone_config *config);

/* Both: to and expire are set with it, and cleared with it. -ENOMEM. */
int brand_provisioning_set(struct zone_config *config, unsigned seconds);
void brand_provisioning_clear(struct zone_config *config);

/*
 * 1: made. 0: it is not, as there is no program in that root that would take it away: init is not
 * the brand's own, or an lx root has no /lib/smartdc/mdata-execute. What brand_root_open says,
 * "RootFile".
 */
int brand_marker_make(const struct zone_config *config, struct nrd_err *err);

/* Is it there? Also true when nobody can tell. */
bool brand_marker_there(const struct zone_config *config);
