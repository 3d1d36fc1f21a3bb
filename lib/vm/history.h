/* SPDX-License-Identifier: MPL-2.0 */
/* Copyright 2026 The Nereid authors */
#pragma once

#include "nrd/err.h"
#include "nrd/json.h"
#include "zone/config.h"

/*
 * What was done to machines: /var/log/vm/history/UUID.jsonl, one JSON object a line, appended:
 * {"seq", "time", "who", "action", "changes": [{"property", "from", "to"}], "before": {the whole file}}. It
 * stays when the machine is deleted.
 */
#define VM_HISTORY_DIR "/var/log/vm/history"

/* before: the machine as it was; NULL for what is no change of its properties. "VmHistory". */
int vm_history_add(const struct zone_config *config, const char *action, const struct zone_config *before,
		   struct nrd_err *err);

/* All entries, oldest first, one parsed document a line. Caller frees each and the array. */
int vm_history_read(const char *uuid, struct nrd_json ***ret_docs, size_t *ret_n, struct nrd_err *err);
void vm_history_free(struct nrd_json **docs, size_t n);

/* The members "changes" would have: keys that differ, as JSON text both. */
void vm_changes_write(const struct zone_config *before, const struct zone_config *after, struct nrd_jw *w);
