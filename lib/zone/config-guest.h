/* SPDX-License-Identifier: MPL-2.0 */
/* Copyright 2026 The Nereid authors */
#pragma once

#include <stdbool.h>

#include "nrd/err.h"
#include "zone/config.h"

/* What the configuration says of a guest's hardware: machines of brand kvm, and no others. */

/* MiB beside the guest's own that its zone may use, unless said; and at least. As SmartOS's kvm has them. */
#define ZONE_GUEST_OVERHEAD_MIB     1024
#define ZONE_GUEST_OVERHEAD_MIN_MIB 256

bool zone_is_guest(const struct zone_config *config);

#define ZONE_MICROVM "microvm"
bool zone_is_microvm(const struct zone_config *config);

/* Defaults of its hardware; memory first, of which limits follow. -ENOMEM. */
int zone_guest_fill(struct zone_config *config);

/* "BadConfig". */
int zone_guest_verify(const struct zone_config *config, struct nrd_err *err);

/* Whether somebody may come to its screen. */
bool zone_guest_has_vnc(const struct zone_config *config);

/* How many pairs of queues one of its NICs has: one a processor of the guest, within bounds; more than one of virtio NICs alone. */
unsigned zone_nic_queues(const struct zone_config *config, const struct zone_nic *nic);

/* MiB of all its disks that are volumes. */
uint64_t zone_disks_size(const struct zone_config *config);

/* A disk that is a volume of the pool, and no file that is read as a cdrom. */
bool zone_disk_is_volume(const struct zone_disk *disk);

/* Its disk of that path, NULL when there is none, or no path, or no configuration. */
const struct zone_disk *zone_disk_find(const struct zone_config *config, const char *path);
