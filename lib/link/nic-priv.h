/* SPDX-License-Identifier: MPL-2.0 */
/* Copyright 2026 The Nereid authors */
#pragma once

#include <stddef.h>

#include "link/nic.h"

/* Growing list while reading, in order of the index. */
struct nic_list {
	struct link_nic *data;
	size_t len;
	size_t cap;
};

/* A zeroed one, at its place by index, which must not be there yet. NULL: no memory. */
struct link_nic *nic_list_add(struct nic_list *list, unsigned index);
struct link_nic *nic_list_find(struct nic_list *list, unsigned index); /* or NULL */
void nic_list_fini(struct nic_list *list);

/*
 * Takes the answer to a dump (RTM_NEWLINK or RTM_NEWADDR messages) from one datagram. 1: the dump
 * is complete, 0: more is to come. The bytes come from outside: anything that does not add up is
 * "LinkList" (-EBADMSG), never a read beyond len. -EAGAIN: the kernel's list changed meanwhile,
 * ask anew. Other errors are the kernel's.
 */
int nic_dump_parse(const void *data, size_t len, struct nic_list *list, struct nrd_err *err);

/* Both dumps over one rtnetlink socket. */
int nic_dump_read(struct nic_list *list, struct nrd_err *err);
