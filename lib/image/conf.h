/* SPDX-License-Identifier: MPL-2.0 */
/* Copyright 2026 The Nereid authors */
#pragma once

#include "nrd/err.h"
#include "nrd/json.h"

/*
 * A file of imgadm's own below image_dir(), which holds an object. Without the file ret_doc stays NULL. code: what all that is
 * wrong with it is told as.
 */
int image_conf_read(const char *name, const char *code, struct nrd_json **ret_doc, struct nrd_err *err);
