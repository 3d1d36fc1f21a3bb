/* SPDX-License-Identifier: MPL-2.0 */
/* Copyright 2026 The Nereid authors */
#pragma once

#include <stdbool.h>

#include "nrd/err.h"

/*
 * One change of an image at a time: a lock on /var/run/img.UUID.import.lock. It is free as soon as
 * its holder is gone, however that ended.
 */

/*
 * Without wait, "ImageBusy" (-EBUSY) when somebody has it. Who has waited looks again at what there
 * is. The lock is given back with image_unlock.
 */
int image_lock(const char *uuid, bool wait, int *ret_fd, struct nrd_err *err);

/* -1 is fine. */
void image_unlock(const char *uuid, int *fd);

/* Tests say otherwise; kept by pointer, NULL: /var/run. */
void image_lock_dir_use(const char *dir);
