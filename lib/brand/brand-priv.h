/* SPDX-License-Identifier: MPL-2.0 */
/* Copyright 2026 The Nereid authors */
#pragma once

#include "brand/brand.h"

extern const struct brand brand_native, brand_lx, brand_kvm;

const char *brand_platform(void);

/* Adds NAME=value to an environment; the one that is there is replaced. -ENOMEM. */
int brand_env_set(char ***env, const char *text);

/*
 * The parts of a spec that all brands have: root, environment, the configuration's filesystems.
 * init NULL: configured. "NoInit" when there is none at all.
 */
int brand_spec_common(const struct zone_config *config, struct zone_spec *spec,
		      struct nrd_err *err);

/*
 * What the platform gives to zones besides: sbin for all of them, the rest for native ones. Below
 * BRAND_PLATFORM_DIR.
 */
#define BRAND_ZONE_DIR "nereid/usr/lib/nereid/zone"

/* Binds a part of the platform, read-only. */
int brand_spec_platform(struct zone_spec *spec, const char *layer, const char *target,
			unsigned flags, struct nrd_err *err);

/* The directory in which the zone's zoneadmd listens, at target in the zone. */
int brand_spec_control(const struct zone_config *config, const char *target,
		       struct zone_spec *spec, struct nrd_err *err);

/* argv from init and what the boot request or the configuration's bootargs give it. */
int brand_spec_argv(const struct zone_config *config, const struct zone_boot_request *request,
		    const char *init, struct zone_spec *spec, struct nrd_err *err);

/* Can filesystem i be mounted? "BadFilesystem". */
int brand_fs_check(const struct zone_fs *fs, struct nrd_err *err);

/* The name of the zone's own host: hostname, else zonename. */
const char *brand_hostname(const struct zone_config *config);

/* "0123456789abcdef...\n": the zone's uuid as a machine id. */
void brand_machine_id(const struct zone_config *config, char ret_text[34]);
