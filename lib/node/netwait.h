/* SPDX-License-Identifier: MPL-2.0 */
/* Copyright 2026 The Nereid authors */
#pragma once

#include <stdbool.h>
#include <stddef.h>

/*
 * Waiting for the admin network of /usbkey/config, woken by the kernel's own events. timeout_ms
 * -1: for ever. True also when the configuration wants no admin network, or cannot be read: what
 * is wrong with it is told by who applies it.
 */

/* Until the NICs it needs are there; no longer than that, as they may lack a link. */
bool node_netwait_nics(int timeout_ms);

/* Until the node has an address other hosts can reach (only the admin network gives it one). */
bool node_netwait_address(int timeout_ms);

/* Why there is none, and what to do: for a state's line. */
void node_netwait_problem(char *ret_text, size_t size);
