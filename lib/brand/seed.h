/* SPDX-License-Identifier: MPL-2.0 */
/* Copyright 2026 The Nereid authors */
#pragma once

#include <stdbool.h>

#include "nrd/buf.h"
#include "nrd/err.h"
#include "zone/config.h"

/*
 * The disk by which cloud-init's NoCloud source knows what the machine is to be: a small filesystem labelled CIDATA with
 * meta-data, user-data and network-config, made of its properties and metadata. It is a file below the zonepath, GUEST_SEED, and
 * the three texts it was made of lie beside it.
 */
#define GUEST_SEED "seed.img"

/* Whether the machine has one. */
bool seed_wanted(const struct zone_config *config);

/* Makes it, unless what it would hold is what it holds. "SeedFailed", "FileWrite". */
int seed_make(const struct zone_config *config, struct nrd_err *err);

/* The texts. -ENOMEM as the buffer's error. */
void seed_meta_data(const struct zone_config *config, struct nrd_buf *text);
void seed_user_data(const struct zone_config *config, struct nrd_buf *text);
void seed_network_config(const struct zone_config *config, struct nrd_buf *text);
