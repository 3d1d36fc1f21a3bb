/* SPDX-License-Identifier: MPL-2.0 */
/* Copyright 2026 The Nereid authors */
#pragma once

#include "node/answers.h"
#include "node/bootparam.h"
#include "nrd/err.h"

/*
 * Where unattended answers come from, the first that is there:
 *	boot parameter answers=URL       the network is brought up by DHCP for it
 *	QEMU's fw_cfg                    -fw_cfg name=opt/org.nereid/answers,file=answers.json
 *	a volume labelled NEREID         /answers.json on it, mounted read-only
 */
#define NODE_ANSWERS_FW_CFG "/sys/firmware/qemu_fw_cfg/by_name/opt/org.nereid/answers/raw"
#define NODE_ANSWERS_LABEL  "NEREID"
#define NODE_ANSWERS_NAME   "answers.json"

/*
 * *ret_where (caller frees) names the source, also on failure. "NoAnswers" (-ENOENT) when there is
 * none; otherwise what reading or node_answers_parse says.
 */
int node_answers_find(const struct node_bootparam *param, struct node_answers *ret_answers,
		      char **ret_where, struct nrd_err *err);
