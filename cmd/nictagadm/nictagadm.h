/* SPDX-License-Identifier: MPL-2.0 */
/* Copyright 2026 The Nereid authors */
#pragma once

#include "node/dhcp.h"
#include "nrd/cli.h"

extern const struct nrd_opt add_opts[], delete_opts[], exists_opts[], list_opts[], update_opts[],
	vms_opts[];

nrd_cmd_fn cmd_add, cmd_delete, cmd_exists, cmd_list, cmd_update, cmd_vms;

/* What -p gives: "mac=...,mtu=...,dhcp_pool=...". Cuts text up; the parts stay in it. "Usage". */
struct props {
	const char *nic;
	const char *mtu;
	const char *device;
	const char *dhcp[NODE_DHCP_N]; /* "": to be none */
};

int props_parse(char *text, struct props *ret_props, struct nrd_err *err);

/* After a change: sysinfo shall not tell old news; with -v say where it went. */
void changed(const struct nrd_args *args, bool verbose);
