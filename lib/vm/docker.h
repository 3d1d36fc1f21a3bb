/* SPDX-License-Identifier: MPL-2.0 */
/* Copyright 2026 The Nereid authors */
#pragma once

#include "nrd/err.h"
#include "nrd/json.h"
#include "zone/config.h"

/*
 * A machine with docker=true of an image that came from a registry: what the image says of its
 * program is put into internal_metadata as docker:entrypoint, docker:cmd, docker:env, docker:workdir,
 * docker:user, docker:imageid and docker:imagename where the payload does not say it, and becomes
 * init_name, init_args, init_env, init_dir and init_user where those are not said. As with Docker, an
 * entrypoint in the payload drops the image's cmd, and variables in the payload are added to the
 * image's. Other machines are left alone.
 *
 * "BadPayload" (-EINVAL) when there is no program to run, or it, or the directory, is not in the image.
 */
int vm_docker_fill(struct zone_config *config, struct nrd_err *err);

/* The same of an image with those tags and that root, for tests. */
int vm_docker_fill_from(struct zone_config *config, const struct nrd_val *tags, int root, struct nrd_err *err);
