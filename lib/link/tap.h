/* SPDX-License-Identifier: MPL-2.0 */
/* Copyright 2026 The Nereid authors */
#pragma once

#include <stdbool.h>

#include "nrd/err.h"

/*
 * A tap device of that name: what is written to *ret_fd comes from a guest, what is read goes to it. It is there as long as the
 * descriptor, which the caller closes, or a copy of it is open, and down until switch_port_set. Deaf and dumb as the node's end
 * of a pair is. several: it may get more queues. mtu 0: 1500. alias: for people. Nothing is left when it fails. "TapName"
 * (-EEXIST), "TapCreate".
 */
int tap_create(const char *name, bool several, unsigned mtu, const char *alias, int *ret_fd, unsigned *ret_ifindex,
	       struct nrd_err *err);

/*
 * One more queue of a tap that was made for several: what is written to any of them is as from the one, and what goes to the guest
 * is spread among them by its flow. The caller closes *ret_fd. "TapCreate".
 */
int tap_add_queue(const char *name, int *ret_fd, struct nrd_err *err);
