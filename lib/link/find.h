/* SPDX-License-Identifier: MPL-2.0 */
/* Copyright 2026 The Nereid authors */
#pragma once

#include <stdbool.h>

#include "link/datalink.h"

/* A link as a command's operand names it. */
struct link_found {
	struct datalink d; /* its record; of a NIC or bond of the node, which has none, name and zone */
	bool has_record;
	unsigned ifindex;  /* the NIC's, or the node's end of a VNIC; 0: an etherstub has none */
};
void link_found_cleanup(struct link_found *found); /* NRD_AUTO(link_found) f = { 0 }; */

/*
 * text: "NAME" of the node, "ZONE/NAME", or a NAME that one zone alone has; zone: of that one, NULL: not said.
 * "LinkNotFound"; "LinkAmbiguous" names zones that have one.
 */
int link_find(const char *zone, const char *text, struct link_found *ret_found, struct nrd_err *err);
