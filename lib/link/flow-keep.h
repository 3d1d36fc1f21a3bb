/* SPDX-License-Identifier: MPL-2.0 */
/* Copyright 2026 The Nereid authors */
#pragma once

#include "link/flow.h"

/* What is kept of a link's flows: one file, whole or not at all. None when there is no file. "BadFlowFile". */
int flow_keep_read(const char *zone, const char *link, struct switch_flow **ret_flows, size_t *ret_n, struct nrd_err *err);

/* n 0: there is no file. */
int flow_keep_write(const char *zone, const char *link, const struct switch_flow *flows, size_t n, struct nrd_err *err);

/* Links and zones of which something is kept, by name; the caller's to free (nrd_strv_free). zone NULL: the zones. */
int flow_keep_names(const char *zone, char ***ret_names, struct nrd_err *err);
