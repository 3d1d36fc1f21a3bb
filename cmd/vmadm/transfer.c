/* SPDX-License-Identifier: MPL-2.0 */
/* Copyright 2026 The Nereid authors */
#include <unistd.h>

#include "nrd/progress.h"
#include "vm/transfer.h"
#include "vmadm.h"

static void
progress(uint64_t bytes)
{
	nrd_progress_bytes("sent", bytes, 0);
}

int
cmd_send(const struct nrd_args *args, struct nrd_err *err)
{
	struct vm_transfer transfer = { .fd = STDOUT_FILENO, .progress = progress };
	const char *uuid;
	int r = uuid_of(args, 0, &uuid, err);

	if (r == 0 && isatty(STDOUT_FILENO))
		return nrd_usage(err, "what is sent is for a file or another node, not for a terminal");
	outlive_reader();
	transfer.stop = hold_signals();
	if (r == 0)
		r = vm_send(uuid, &transfer, err);
	nrd_progress_clear();
	return r == 0 ? done("Successfully sent VM %s", uuid) : told(args, NULL, r, err);
}

int
cmd_receive(const struct nrd_args *args, struct nrd_err *err)
{
	struct vm_transfer transfer = { .fd = STDIN_FILENO };
	char uuid[VM_TRANSFER_UUID];
	int r;

	if (isatty(STDIN_FILENO))
		return nrd_usage(err, "give what vmadm send wrote on standard input");
	transfer.stop = hold_signals();
	nrd_busy_begin("receiving a machine");
	r = vm_receive(&transfer, uuid, err);
	return r == 0 ? done("Successfully received VM %s", uuid) : told(args, NULL, r, err);
}

int
cmd_install(const struct nrd_args *args, struct nrd_err *err)
{
	const char *uuid;
	int r = uuid_of(args, 0, &uuid, err);

	if (r == 0)
		nrd_busy_begin("installing VM %s", uuid);
	if (r == 0)
		r = vm_install(uuid, err);
	return r == 0 ? done("Successfully installed VM %s", uuid) : told(args, NULL, r, err);
}
