/* SPDX-License-Identifier: MPL-2.0 */
/* Copyright 2026 The Nereid authors */
#pragma once

#include "nrd/err.h"
#include "vm/object.h"

/*
 * What tells of a machine's end, kept below /ZPOOL/archive/UUID when it is deleted and archive_on_delete
 * says so: machine.json, the object; zoneadmd.log; logs/, what the process of a docker machine said. Where
 * there is no such directory nothing is kept. "VmArchive".
 */
int vm_archive(const struct vm *vm, struct nrd_err *err);
