/* SPDX-License-Identifier: MPL-2.0 */
/* Copyright 2026 The Nereid authors */
#pragma once

#include "nrd/err.h"

#include <signal.h>
#include <stdint.h>

/* Machines from node to node, as SmartOS's vmadm does it: bundle.h. */

struct vm_transfer {
	int fd; /* it is written to, or read from */

	/* Called about once a second with how many bytes of datasets have gone; or NULL. Sending only. */
	void (*progress)(uint64_t bytes);
	const volatile sig_atomic_t *stop; /* set by a signal's handler; or NULL */
};

/*
 * One that runs is stopped first, and stays so. "VmNotSendable": its root is a plain directory.
 * "SendError".
 */
int vm_send(const char *uuid, const struct vm_transfer *transfer, struct nrd_err *err);

/*
 * All of it, or no trace. A bundle without a dataset leaves a machine that is "receiving" for a day, to
 * which somebody else brings its dataset before vm_install. ret_uuid is always filled in when it is
 * known. "BadBundle", "VmExists", "ReceiveError".
 */
#define VM_TRANSFER_UUID 37
int vm_receive(const struct vm_transfer *transfer, char ret_uuid[VM_TRANSFER_UUID], struct nrd_err *err);

/* "VmWrongState" unless it is receiving. */
int vm_install(const char *uuid, struct nrd_err *err);
