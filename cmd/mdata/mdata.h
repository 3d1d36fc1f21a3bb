/* SPDX-License-Identifier: MPL-2.0 */
/* Copyright 2026 The Nereid authors */
#pragma once

#include "mdata/frame.h"
#include "nrd/cli.h"
#include "nrd/err.h"
#include "nrd/str.h"

/*
 * Asks the service, and waits for it to be there. key and value are NULL where the operation has
 * none; answer is empty before. "MetadataService".
 */
int client_ask(enum mdata_op op, const struct nrd_str *key, const struct nrd_str *value,
	       struct mdata_answer *answer, struct nrd_err *err);

int cmd_get(const struct nrd_args *args, struct nrd_err *err);
int cmd_put(const struct nrd_args *args, struct nrd_err *err);
int cmd_delete(const struct nrd_args *args, struct nrd_err *err);
int cmd_list(const struct nrd_args *args, struct nrd_err *err);
