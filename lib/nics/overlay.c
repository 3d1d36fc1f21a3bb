/* SPDX-License-Identifier: MPL-2.0 */
/* Copyright 2026 The Nereid authors */
#include <errno.h>
#include <stdlib.h>

#include "link/datalink.h"
#include "nics/nics-priv.h"
#include "node/nictag.h"
#include "nrd/mem.h"
#include "nrd/proc.h"
#include "nrd/str.h"

#define DLADM "/usr/sbin/dladm"
#define LIMIT_MS 60000

/* A rule is what create-overlay is told, so that is told it: whoever looks after a zone need not know how an overlay is made. */
static int
make(const char *rule, uint64_t vnetid, const char *name, struct nrd_err *err)
{
	NRD_STRV char **argv = NULL;
	NRD_STRV char **words = NULL;
	NRD_FREE char *text = NULL;
	struct nrd_proc proc = { .timeout_ms = LIMIT_MS };
	int r = node_nictag_rule(NULL, rule, &text, err);

	if (r < 0)
		return r;
	if (nrd_strv_split(text, ' ', &words) < 0 || nrd_strv_add(&argv, DLADM) < 0 || nrd_strv_add(&argv, "create-overlay") < 0 ||
	    nrd_strv_add(&argv, "-t") < 0 || nrd_strv_addf(&argv, "-v%llu", (unsigned long long)vnetid) < 0)
		return nrd_nomem(err);
	for (size_t i = 0; words != NULL && words[i] != NULL; i++)
		if (nrd_strv_add(&argv, words[i]) < 0)
			return nrd_nomem(err);
	if (nrd_strv_add(&argv, name) < 0)
		return nrd_nomem(err);
	proc.argv = NRD_CSTRV(argv);
	return nrd_run(&proc, NULL, NULL, err);
}

static int
look(const char *name, struct nrd_err *err)
{
	NRD_AUTO(datalink) have = { 0 };
	int r = datalink_read(DATALINK_RUN, NULL, name, &have, NULL);

	if (r == 0 && have.class_ != DATALINK_OVERLAY)
		return nrd_fail(err, EEXIST, "BadNicTag", "link '%s' is there, and no overlay", name);
	return r == 0;
}

int
nics_overlay(const char *rule, uint64_t vnetid, char **link, struct nrd_err *err)
{
	NRD_FREE char *name = nrd_format("%s_%llu", rule, (unsigned long long)vnetid);
	int r;

	if (name == NULL || nrd_str_set(link, name) < 0)
		return nrd_nomem(err);
	r = look(name, err);
	if (r != 0)
		return r < 0 ? r : 0;
	r = make(rule, vnetid, name, err);
	/* Two machines may boot at once: who comes second finds the other's. */
	return r < 0 && look(name, NULL) == 1 ? 0 : nrd_wrap(err, r, "nic tag \"%s\"", rule);
}
