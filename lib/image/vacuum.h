/* SPDX-License-Identifier: MPL-2.0 */
/* Copyright 2026 The Nereid authors */
#pragma once

#include <stddef.h>

#include "image/installed.h"
#include "nrd/err.h"

/*
 * The images nothing was cloned from but others of them, in an order in which they can be deleted.
 * Those nobody knows the manifest of are left out: they may be anything. The caller frees with
 * image_list_free.
 */
int image_unused(struct image **ret_images, size_t *ret_n, struct nrd_err *err);
