/* SPDX-License-Identifier: MPL-2.0 */
/* Copyright 2026 The Nereid authors */
#pragma once

#include "link/datalink.h"
#include "nrd/err.h"

/*
 * How an agent is asked where machines are, for overlays with search "agent". Both ways go lines, each one JSON object.
 *
 * A question, once a second at most for each MAC or address that is missed:
 *	{"overlay":"ov0","vnetid":5,"mac":"02:08:20:00:00:01"}   which node has it?
 *	{"overlay":"ov0","vnetid":5,"ip":"192.168.0.1"}          whose MAC is it, and which node has it?
 * An answer, asked for or not:
 *	{"overlay":"ov0","mac":"02:08:20:00:00:01","node":"10.0.0.2","port":4789,"ip":"192.168.0.1"}
 *	{"overlay":"ov0","mac":"02:08:20:00:00:01","gone":true}
 * port is 4789 and ip, the machine's address for who asks for its MAC, is not known unless it is said.
 */
struct overlay_answer {
	struct nrd_present present;
	char *overlay;
	struct nrd_mac mac;
	char *node;
	uint64_t port;
	char *ip;
	bool gone;
};
extern const struct nrd_schema overlay_answer_schema;

/* "BadAnswer" names the member and the rule. */
int overlay_answer_parse(const char *line, size_t len, struct overlay_answer *ret_answer, struct nrd_err *err);
void overlay_answer_fini(struct overlay_answer *answer);
void overlay_answer_cleanup(struct overlay_answer *answer);

/*
 * Asks on out, takes answers from in, until in ends: 0. name NULL: of all such overlays. What an answer's line does wrong
 * is told by warn, and no reason to stop.
 */
int overlay_search_run(const char *name, int in, int out, void (*warn)(const struct nrd_err *why), struct nrd_err *err);
