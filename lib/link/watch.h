/* SPDX-License-Identifier: MPL-2.0 */
/* Copyright 2026 The Nereid authors */
#pragma once

#include "link/switch.h"

/*
 * Watching a port's node's end (switch_port_watch) by any number of processes: the last one to stop sets it back. One that
 * was killed is made up for by the next one. ret_watch is a descriptor, whose lock is the count.
 */
#define LINK_WATCH_DIR "/run/nereid/watch"

/* "LinkWatch", "PortNotFound". */
int link_watch_start(struct link_switch *sw, unsigned ifindex, int *ret_watch, struct nrd_err *err);

/* Closes it. Fine when the port is gone by now. */
void link_watch_stop(struct link_switch *sw, unsigned ifindex, int watch);
