/* SPDX-License-Identifier: MPL-2.0 */
/* Copyright 2026 The Nereid authors */
#pragma once

#include <poll.h>
#include <stdbool.h>
#include <stdint.h>

#include "brand/qga.h"
#include "nrd/err.h"

struct client;
struct zoneadmd;

/* What is asked of the agent in a guest, one question at a time. */
struct agent {
	struct qga qga;
	bool powerdown;        /* it is to be asked to switch the guest off */
	int64_t held_until_ms; /* then what is frozen is thawed, whoever holds it */
	int64_t retry_ms;      /* when it is asked again to thaw */
};

/*
 * Switches the guest off: by its agent, or else by the power button. It ends QEMU, not only the guest, for a reboot too: the next
 * QEMU has the configuration of then. "QemuFailed".
 */
int agent_powerdown(struct zoneadmd *z, struct nrd_err *err);

bool agent_knows(const char *command);

/*
 * For a client, which is answered later: 1. After guest-fsfreeze-freeze the guest stays frozen until guest-fsfreeze-thaw of the
 * same client, its end, or FROZEN_MS; "NotFrozen" then says that it was so no more. "NoAgent" when none listens.
 */
int agent_ask(struct zoneadmd *z, struct client *c, const char *command, struct nrd_err *err);

/* The guest begins anew, or is no more: nothing of what was asked is of any use. */
void agent_reset(struct zoneadmd *z);

void agent_poll(struct zoneadmd *z, struct pollfd *p, int *timeout_ms);
void agent_turn(struct zoneadmd *z, const struct pollfd *p);
