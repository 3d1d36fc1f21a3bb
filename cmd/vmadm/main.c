/* SPDX-License-Identifier: MPL-2.0 */
/* Copyright 2026 The Nereid authors */
#include <stdio.h>
#include <unistd.h>

#include "nrd/fault.h"
#include "vmadm.h"

#define ONE .min_args = 1, .max_args = 1
#define TWO .min_args = 2, .max_args = 2

static const struct nrd_cmd cmds[] = {
	{ "boot", cmd_start, start_opts, "[-F] UUID [order=cdn] [cdrom=PATH,MODEL] [disk=PATH,MODEL]", "start a machine", .flags = NRD_CMD_HIDDEN, .min_args = 1 },
	{ "clone", cmd_clone, create_opts, "[-n] UUID SNAPSHOT [-f FILE | PROPERTY=VALUE...]",
	  "make a machine of what another was at a snapshot", .min_args = 2 },
	{ "console", cmd_console, NULL, "UUID", "a machine's console; ~. leaves it, of a kvm machine Ctrl-]", ONE },
	{ "create", cmd_create, create_opts, "[-n] [-f FILE]", "make a machine from a payload",
	  .max_args = NRD_ARGS_NONE },
	{ "create-snapshot", cmd_create_snapshot, NULL, "UUID NAME", "keep its files as they are now", TWO },
	{ "delete", cmd_delete, delete_opts, "[-n] UUID", "remove a machine and all that is its", ONE },
	{ "delete-snapshot", cmd_delete_snapshot, NULL, "UUID NAME", "let go of a snapshot", TWO },
	{ "destroy", cmd_delete, delete_opts, "[-n] UUID", "delete", .flags = NRD_CMD_HIDDEN, ONE },
	{ "events", cmd_events, events_opts, "[-fjr] [UUID]", "tell what happens to machines, as it does", .max_args = 1 },
	{ "get", cmd_get, get_opts, "UUID", "all there is to know of a machine, as JSON", ONE },
	{ "halt", cmd_stop, stop_opts, "[-F] [-t SECONDS] UUID", "stop", .flags = NRD_CMD_HIDDEN, ONE },
	{ "history", cmd_history, history_opts, "[-j] UUID", "what was done to a machine, by whom and when", ONE },
	{ "info", cmd_info, NULL, "UUID [TYPE,...]", "what a running kvm machine says of itself", .min_args = 1,
	  .max_args = 2 },
	{ "install", cmd_install, NULL, "UUID", "take a machine whose dataset was received apart", ONE },
	{ "json", cmd_get, get_opts, "UUID", "get", .flags = NRD_CMD_HIDDEN, ONE },
	{ "kill", cmd_kill, kill_opts, "[-s SIGNAL] UUID", "send a signal to a machine's init", ONE },
	{ "list", cmd_list, list_opts, "[-pHhj] [-o FIELD,...] [-s FIELD,...] [FIELD=VALUE...]", "list machines" },
	{ "lookup", cmd_lookup, lookup_opts, "[-1] [-j [-o FIELD,...]] [FIELD=VALUE...]",
	  "the uuids of machines" },
	{ "properties", cmd_properties, NULL, NULL, "what a payload may say", .max_args = NRD_ARGS_NONE },
	{ "reboot", cmd_reboot, reboot_opts, "[-F] [-t SECONDS] UUID", "stop a machine and start it again", ONE },
	{ "receive", cmd_receive, NULL, NULL, "take a machine that was sent", .max_args = NRD_ARGS_NONE },
	{ "recv", cmd_receive, NULL, NULL, "receive", .flags = NRD_CMD_HIDDEN, .max_args = NRD_ARGS_NONE },
	{ "reprovision", cmd_reprovision, reprovision_opts, "[-f FILE] UUID", "give a machine a new root", ONE },
	{ "rollback-snapshot", cmd_rollback_snapshot, NULL, "UUID NAME", "go back to a snapshot", TWO },
	{ "send", cmd_send, NULL, "UUID", "stop a machine and write it out", ONE },
	{ "start", cmd_start, start_opts, "[-F] UUID [order=cdn] [cdrom=PATH,MODEL] [disk=PATH,MODEL]", "start a machine", .min_args = 1 },
	{ "stop", cmd_stop, stop_opts, "[-F] [-t SECONDS] UUID", "stop a machine", ONE },
	{ "sweep", cmd_sweep, NULL, NULL, "remove what was cut off while it was made", .flags = NRD_CMD_HIDDEN,
	  .max_args = NRD_ARGS_NONE },
	{ "sysrq", cmd_sysrq, NULL, "UUID nmi|screenshot", "press a kvm machine's key", TWO },
	{ "undo", cmd_undo, NULL, "UUID", "take the last update back", ONE },
	{ "update", cmd_update, update_opts, "[-n] UUID [-f FILE | PROPERTY=VALUE...]", "change a machine",
	  .min_args = 1 },
	{ "validate", cmd_validate, validate_opts, "[-f FILE] create | update BRAND", "look at a payload",
	  .min_args = 1, .max_args = 2 },
	{ NULL },
};

static const struct nrd_cli cli = {
	.prog = "vmadm",
	.summary = "administer machines",
	.cmds = cmds,
};

int
main(int argc, char **argv)
{
	nrd_fault_init();
	nrd_fault_begin();
	return nrd_cli_main(&cli, argc, argv);
}
