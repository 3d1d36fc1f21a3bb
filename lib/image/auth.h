/* SPDX-License-Identifier: MPL-2.0 */
/* Copyright 2026 The Nereid authors */
#pragma once

#include "image/sources.h"
#include "nrd/err.h"

/*
 * Names and passwords for registries, in /var/imgadm/auth.json, which has the format of containers-auth.json(5) and is root's
 * alone. host is "HOST[:PORT]" as image_registry_host() gives it, "docker.io" for the hub.
 *
 * What is kept and sent is the header line "Authorization: Basic ...".
 */

/* Caller frees; NULL: no memory. */
char *image_auth_make(const char *user, const char *password);

/* The line for a host, or NULL when nothing is kept of it; caller frees. "AuthFile" (-EINVAL). */
int image_auth_find(const char *host, char **ret_line, struct nrd_err *err);

/* Replaces what was kept of the host. */
int image_auth_keep(const char *host, const char *line, struct nrd_err *err);

/* "NotLoggedIn" (-ENOENT). */
int image_auth_forget(const char *host, struct nrd_err *err);

/* Asks the registry. "Unauthorized" (-EACCES) when it refuses, "SourcePing" when it is none; codes of lib/http. */
int image_auth_try(const struct image_source *source, const char *line, struct nrd_err *err);
