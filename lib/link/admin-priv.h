/* SPDX-License-Identifier: MPL-2.0 */
/* Copyright 2026 The Nereid authors */
#pragma once

#include <stdbool.h>

#include "link/admin.h"

/* What each verb of a change begins with: the lock, and where what is kept is. */
struct admin_work {
	int lock;
	char *keep;              /* directory; owned */
	bool keeps;              /* not only until the next boot */
	bool away;               /* another root's configuration: nothing is in force here */
	bool restores;           /* what is kept was looked at when it was made, and may have lost a part meanwhile */
	struct link_switch *sw;  /* opened when it is first needed: it takes a while after a boot */
};

#define ADMIN_WORK __attribute__((cleanup(admin_work_cleanup))) struct admin_work

void admin_work_cleanup(struct admin_work *w);
int admin_begin(const struct admin_how *how, struct admin_work *ret_w, struct nrd_err *err);
int admin_switch(struct admin_work *w, struct nrd_err *err);

/* "LinkKeep". */
int admin_has_place(const struct admin_work *w, struct nrd_err *err);
/* "LinkName", "LinkExists". */
int admin_must_be_new(const struct admin_work *w, const char *name, struct nrd_err *err);
/* What is there now, or else what is to be; class_ -1: any. "LinkNotFound", "LinkClass". */
int admin_find(const struct admin_work *w, const char *zone, const char *name, int class_, struct datalink *ret_d, struct nrd_err *err);
/* "LinkBusy" names what is over it. */
int admin_check_unused(const struct admin_work *w, const char *name, struct nrd_err *err);
/* Fine when it is not to be kept. */
int admin_keep(const struct admin_work *w, const struct datalink *d, struct nrd_err *err);

/* What the verbs do to a class of links. */
struct admin_class {
	/* Whether it makes sense, wherever it is to be. */
	int (*check)(const struct datalink *d, struct nrd_err *err);
	/* Makes it, and its record of DATALINK_RUN. When it fails nothing of it is left. */
	int (*up)(struct admin_work *w, struct datalink *d, struct nrd_err *err);
	/* Fine when it is not there. */
	int (*down)(struct admin_work *w, const struct datalink *d, struct nrd_err *err);
	/* Whether what is recorded is there. */
	bool (*is_there)(const struct datalink *d);
};
extern const struct admin_class admin_classes[]; /* by enum datalink_class */

/* Whether a VNIC can be over what it is to be over. "VnicOver", "LinkVlan". */
int vnic_over_check(const struct datalink *d, struct nrd_err *err);

/* Whether those ports of an aggregation that it did not have before (NULL: none) can be; they are no wires of the switch then. */
int admin_ports_check(struct admin_work *w, const struct datalink *aggr, char *const *before, struct nrd_err *err);

/* The segment of that NIC or aggregation, if there is one, has it as its wire as it is now: another index, another MAC. */
int admin_wire_again(struct admin_work *w, const char *name, struct nrd_err *err);
