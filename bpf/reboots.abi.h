/* SPDX-License-Identifier: MPL-2.0 OR GPL-2.0-only OR BSD-2-Clause */
/* Copyright 2026 The Nereid authors */
#pragma once

/*
 * What reboots.bpf.c tells: process id of a zone's init, as the node sees it, to the command its
 * zone gave reboot(2). Both are 32 bits. The oldest entries make room for new ones.
 */
#define REBOOTS_DIR "/sys/fs/bpf/nereid"
#define REBOOTS_MAP REBOOTS_DIR "/reboots"
#define REBOOTS_LINK REBOOTS_DIR "/reboots-link"
#define REBOOTS_MAX 4096
