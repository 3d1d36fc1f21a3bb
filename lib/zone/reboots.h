/* SPDX-License-Identifier: MPL-2.0 */
/* Copyright 2026 The Nereid authors */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "nrd/err.h"

/*
 * What a zone asked of reboot(2), for who is not the parent of its init: the kernel notes it from
 * zone_reboots_watch on, which starts a program of the platform's the first time (and takes a
 * second then), until the node goes down.
 */
int zone_reboots_watch(struct nrd_err *err);

/* Forgets what another process with this number asked. */
void zone_reboots_forget(pid_t init);

/* true: LINUX_REBOOT_CMD_RESTART, ..._HALT and so on, as <linux/reboot.h> names them. */
bool zone_reboots_asked(pid_t init, uint32_t *ret_cmd);
