/* SPDX-License-Identifier: MPL-2.0 */
/* Copyright 2026 The Nereid authors */
#pragma once

#include "nrd/cli.h"

extern const struct nrd_opt add_flow_opts[], remove_flow_opts[], set_flowprop_opts[], reset_flowprop_opts[], show_flow_opts[],
	show_flowprop_opts[];

nrd_cmd_fn cmd_add_flow, cmd_remove_flow, cmd_set_flowprop, cmd_reset_flowprop, cmd_show_flow, cmd_show_flowprop;
