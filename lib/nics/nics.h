/* SPDX-License-Identifier: MPL-2.0 */
/* Copyright 2026 The Nereid authors */
#pragma once

#include <sys/types.h>

#include "nrd/err.h"
#include "zone/config.h"
#include "zone/etc.h"

/*
 * The NICs of a zone: each of its configuration is a VNIC of the switch over the link of its NIC tag, whose far end is in
 * the zone, with its addresses and routes. One function for the boot and for a zone that runs.
 */

/*
 * Makes what is missing, changes what is otherwise, removes what the configuration does not have any more. netns: the
 * zone's network namespace. At a failure of a zone that boots nothing is left; of one that runs, the NICs before the one
 * that failed are as the configuration says. "BadNicTag", what vnic_up and stack_nic_set say, with the NIC's name before it.
 */
int nics_set(const struct zone_config *config, int netns, struct nrd_err *err);

/*
 * The far end of a guest's NIC, which has none yet in any namespace: with its queue 0 its VNIC is made, and then the others are
 * added, zone_nic_queues in all. The caller closes *ret_fd when the guest has it. nics_set of a guest then only changes what is
 * there. As above.
 */
int nics_tap(const struct zone_config *config, const char *nic, unsigned queue, int *ret_fd, struct nrd_err *err);

/* The same for a zone whose init is pid. */
int nics_apply(const struct zone_config *config, pid_t pid, struct nrd_err *err);

/*
 * Who answers for names on its networks: what the pool of the first NIC says that is given an address of one. Nothing, and
 * fine, when there is none. "ConfigMissing", "BadDhcpPool".
 */
int nics_names(const struct zone_config *config, struct zone_names *ret_names, struct nrd_err *err);

/* What it is called on its networks: its hostname, alias or name. */
const char *nics_hostname(const struct zone_config *config);

/* Of the routes by the gateways of that one of its NICs: the primary one's are the best. */
unsigned nics_metric(const struct zone_config *config, size_t nic);

/* That one VNIC is gone; fine when there is none. */
int nics_remove(const char *zonename, const char *nic, struct nrd_err *err);

/* All of a zone's VNICs are gone; goes on after a failure, and tells the first. */
int nics_down(const char *zonename, struct nrd_err *err);
