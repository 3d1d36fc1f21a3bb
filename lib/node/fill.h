/* SPDX-License-Identifier: MPL-2.0 */
/* Copyright 2026 The Nereid authors */
#pragma once

#include "nrd/err.h"

/*
 * Copies from the tree src what dst does not have: directories, files and symbolic links with
 * their mode, owner and time; what is in dst stays as it is. For trees that live on the pool and
 * have their beginnings in the image (/var, /etc/ssh): a newer platform adds what it needs.
 * Other kinds of files are left out. except names entries of the top directory to leave out
 * (NULL terminated, or NULL). "FillTree" with the errno of the cause.
 */
int node_fill(const char *src, const char *dst, const char *const *except, struct nrd_err *err);
