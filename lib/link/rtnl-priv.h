/* SPDX-License-Identifier: MPL-2.0 */
/* Copyright 2026 The Nereid authors */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "nrd/mac.h"

/*
 * Requests to rtnetlink that change something: a message is built in place, sent, and the
 * kernel's answer is its result.
 */
#define RTNL_MSG_MAX 2048

struct rtnl_msg {
	_Alignas(8) unsigned char data[RTNL_MSG_MAX];
	size_t len;
	bool full; /* something did not fit: sending fails */
};

/* flags: NLM_F_CREATE and the like; NLM_F_REQUEST and NLM_F_ACK are added. */
void rtnl_begin(struct rtnl_msg *msg, unsigned type, unsigned flags, const void *body, size_t len);
void rtnl_add(struct rtnl_msg *msg, unsigned type, const void *data, size_t len);
void rtnl_add_u32(struct rtnl_msg *msg, unsigned type, uint32_t value);
void rtnl_add_text(struct rtnl_msg *msg, unsigned type, const char *text);

/* Opens an attribute that holds others; gives what rtnl_end needs. */
size_t rtnl_nest(struct rtnl_msg *msg, unsigned type);
void rtnl_end(struct rtnl_msg *msg, size_t nest);

/* Bytes that are no attribute, as the header that begins a veth's peer. */
void rtnl_raw(struct rtnl_msg *msg, const void *data, size_t len);

/* Sends it and waits for the kernel's answer: 0 or -errno; what it was for the caller says. */
int rtnl_send(struct rtnl_msg *msg);

/* Gives the interface another MAC address: 0 or -errno. */
int rtnl_set_mac(unsigned ifindex, const struct nrd_mac *mac);

/* The index of the interface of that name in the caller's network namespace; 0: there is none. */
unsigned rtnl_index(const char *name);

/*
 * Calls fn in another network namespace and comes back; arg is fn's. What fn says, or "StackSet" when it cannot be entered;
 * what is for messages. Other threads stay where they are.
 */
typedef int rtnl_in_netns_fn(const void *arg, struct nrd_err *err);
int rtnl_in_netns(int netns, const char *what, rtnl_in_netns_fn *fn, const void *arg, struct nrd_err *err);

/*
 * A request for a new interface: what is added between begin and send is of its kind. lower 0: it is over none. mac NULL: of
 * the kernel's choice, which udev may replace a moment later.
 */
struct rtnl_make {
	struct rtnl_msg msg;
	size_t info, data;
};

void rtnl_make_begin(struct rtnl_make *make, const char *name, const char *kind, unsigned lower,
		     const struct nrd_mac *mac);

/* The same of one that is there, for what of its kind is to be otherwise. */
void rtnl_make_change(struct rtnl_make *make, unsigned ifindex, const char *kind);
int rtnl_make_send(struct rtnl_make *make);

void rtnl_add_u8(struct rtnl_msg *msg, unsigned type, uint8_t value);
