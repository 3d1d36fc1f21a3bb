/* SPDX-License-Identifier: MPL-2.0 */
/* Copyright 2026 The Nereid authors */
#pragma once

#include "nrd/err.h"
#include "zone/init.h"
#include "zone/spec.h"

/* Descriptors that a zone's first process is handed: opened by its parent, and put in their places before the exec. */
struct zone_hands {
	int fds[ZONE_HANDS_MAX]; /* -1: not open */
};

/*
 * All of spec's. network->tap makes those of NICs; the kernel's node of a volume comes a little after the volume, and is
 * waited for. "ZoneHand": the path and the cause.
 */
int zone_hands_open(const struct zone_config *config, const struct zone_spec *spec, const struct zone_network *network,
		    struct zone_hands *ret_hands, struct nrd_err *err);
void zone_hands_close(const struct zone_spec *spec, struct zone_hands *hands);

/* What ZONE_HAND_LISTEN is, for who hands it over in another way; the caller closes it. */
int zone_hands_listen(const char *path, int *ret_fd, struct nrd_err *err);

/* In the child, when all its other descriptors are closed at exec: these are not. "ZoneHand". */
int zone_hands_take(const struct zone_spec *spec, const struct zone_hands *hands, struct nrd_err *err);
