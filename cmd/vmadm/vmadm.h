/* SPDX-License-Identifier: MPL-2.0 */
/* Copyright 2026 The Nereid authors */
#pragma once

#include <signal.h>

#include "nrd/cli.h"
#include "nrd/err.h"
#include "nrd/json.h"

extern const struct nrd_opt create_opts[], delete_opts[], events_opts[], get_opts[], history_opts[], kill_opts[], list_opts[],
	lookup_opts[], reboot_opts[], reprovision_opts[], start_opts[], stop_opts[], update_opts[], validate_opts[];

nrd_cmd_fn cmd_clone, cmd_console, cmd_create, cmd_create_snapshot, cmd_delete, cmd_delete_snapshot, cmd_events, cmd_get, cmd_history,
	cmd_info, cmd_kill, cmd_list, cmd_lookup, cmd_install, cmd_properties, cmd_reboot, cmd_receive, cmd_reprovision, cmd_rollback_snapshot, cmd_send, cmd_start,
	cmd_stop, cmd_sweep, cmd_sysrq, cmd_undo, cmd_update, cmd_validate;

/*
 * How a verb ends: usage errors are nrd_cli_main's, all else is one line and exit status 1. act: "Failed
 * to delete VM UUID: " and the like, NULL: the verb's name.
 */
int told(const struct nrd_args *args, const char *act, int r, struct nrd_err *err);

/* What went well is told on standard error: the output is for data. */
int done(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/* From here on a reader that has left is an error of writing, not our end; nothing is run after it. */
void outlive_reader(void);

/* From here on signals that would end us set this, and what is done in steps is walked back. */
const volatile sig_atomic_t *hold_signals(void);

/* Until the machine is provisioned; where somebody looks, he sees that it goes on. */
int await_provisioned(const char *uuid, struct nrd_err *err);

/* The machine's uuid, as an operand or misspelled: "Usage". */
int uuid_of(const struct nrd_args *args, size_t i, const char **ret_uuid, struct nrd_err *err);

/* -f FILE, or standard input, which must not be a terminal. Caller frees. */
int payload_of(const char *file, struct nrd_json **ret_doc, struct nrd_err *err);

/* The operands from first on, PROPERTY=VALUE, whose values are text: what they must be, the property says. Caller frees. */
int payload_of_words(const struct nrd_args *args, int first, struct nrd_json **ret_doc, struct nrd_err *err);

/* Lines on standard output, or standard error, each with what goes before it. */
void say_lines(void *file, const char *before, char *const *lines);

/* What of a guest is more than the node has, on standard error. -ENOMEM. */
struct zone_config;
int say_warnings(const struct zone_config *config, struct nrd_err *err);

struct vm_change;
/* What of an update waits, or is not in force. */
void say_change(const char *uuid, const struct vm_change *change);
