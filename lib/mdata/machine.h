/* SPDX-License-Identifier: MPL-2.0 */
/* Copyright 2026 The Nereid authors */
#pragma once

#include <stdbool.h>

#include "mdata/frame.h"
#include "nrd/err.h"
#include "nrd/json.h"
#include "nrd/str.h"
#include "zone/config.h"

/*
 * What a machine may know and say through its metadata service. Which of its maps a key is in:
 *
 *	sdc:PROPERTY     its own properties, as its file has them; never written
 *	NAMESPACE:...    of internal_metadata_namespaces: internal_metadata; never written
 *	..._pw           internal_metadata
 *	all other keys   customer_metadata
 */
struct mdata_machine {
	const char *zone;
	const struct nrd_val *config;  /* its file: also what the zone's schema does not know */
	const struct nrd_val *sysinfo; /* of the node; NULL: not known */
};

/* Answers GET and KEYS; answer is empty before. 0 or -ENOMEM. */
int mdata_machine_read(const struct mdata_machine *machine, const struct mdata_request *request,
		       struct mdata_answer *answer);

/*
 * Answers sdc:PROPERTY: scalars as text; nics, resolvers and routes as JSON; tags.TAG. 0 or
 * -ENOMEM.
 */
int mdata_machine_property(const struct mdata_machine *machine, const char *name,
			   struct mdata_answer *answer);

/*
 * Does PUT and DELETE to a configuration and answers them. *ret_changed: it is to be written. A
 * change that a limit of limits.h forbids is answered so, and leaves the configuration as it was.
 * 0 or -ENOMEM, after which config is good for nothing but zone_config_fini.
 */
int mdata_machine_edit(struct zone_config *config, const struct mdata_request *request,
		       struct mdata_answer *answer, bool *ret_changed);

/*
 * The same to a zone's file, under the zone's lock. dir NULL: ZONE_DIR. "ZoneBusy" (-EBUSY) when a
 * command is at work on the zone: try again later, a command may be waiting for who calls this.
 */
int mdata_machine_change(const char *dir, const char *zone, const struct mdata_request *request,
			 struct mdata_answer *answer, bool *ret_changed, struct nrd_err *err);
