/* SPDX-License-Identifier: MPL-2.0 */
/* Copyright 2026 The Nereid authors */
#include "brand/steps.h"
#include "nrd/hold.h"
#include "nrd/mem.h"
#include "nrd/progress.h"
#include "vm/await.h"
#include "vm/reprovision.h"
#include "vmadm.h"

/* ^C walks the steps back instead of leaving half a machine. */
const volatile sig_atomic_t *
hold_signals(void)
{
	const volatile sig_atomic_t *held = nrd_hold_signals();

	brand_steps_stop_on(held);
	return held;
}

int
await_provisioned(const char *uuid, struct nrd_err *err)
{
	int r;

	nrd_busy_end();
	nrd_busy_begin("its first boot");
	r = nrd_wrap(err, vm_await(uuid, nrd_hold_signals(), err), "VM %s", uuid);
	nrd_busy_end();
	return r;
}

struct reprovision_opts {
	const char *file;
};

const struct nrd_opt reprovision_opts[] = {
	NRD_OPT_STR('f', NULL, struct reprovision_opts, file, "FILE", "the payload; -: standard input"),
	NRD_OPT_END(struct reprovision_opts),
};

int
cmd_reprovision(const struct nrd_args *args, struct nrd_err *err)
{
	const struct reprovision_opts *opts = args->opts;
	NRD_AUTO(nrd_json) *doc = NULL;
	bool waits = false;
	const char *uuid;
	int r = uuid_of(args, 0, &uuid, err);

	if (r == 0)
		r = payload_of(opts->file, &doc, err);
	(void)hold_signals();
	if (r == 0)
		nrd_busy_begin("reprovisioning VM %s", uuid);
	if (r == 0)
		r = vm_reprovision(uuid, nrd_json_root(doc), &waits, err);
	if (r == 0 && waits)
		r = await_provisioned(uuid, err);
	return r == 0 ? done("Successfully reprovisioned VM %s", uuid) : told(args, NULL, r, err);
}
