/* SPDX-License-Identifier: MPL-2.0 */
/* Copyright 2026 The Nereid authors */
#include <stdio.h>

#include "nrd/mem.h"
#include "nrd/str.h"
#include "vm/payload.h"
#include "vmadm.h"

struct validate_opts {
	const char *file;
};

const struct nrd_opt validate_opts[] = {
	NRD_OPT_STR('f', NULL, struct validate_opts, file, "FILE", "the payload; -: standard input"),
	NRD_OPT_END(struct validate_opts),
};

static int
look(const struct nrd_args *args, const struct nrd_val *payload, struct vm_bad *bad, int *ret_brand,
     struct nrd_err *err)
{
	NRD_AUTO(zone_config) config = { 0 };
	struct vm_wish wish;

	if (nrd_streq(args->argv[0], "create")) {
		int r = vm_payload_create(payload, &config, &wish, bad, err);

		*ret_brand = config.brand;
		return r;
	}
	*ret_brand = vm_brand_parse(args->argv[1]);
	return vm_payload_check(payload, *ret_brand, bad, err);
}

static int
check_words(const struct nrd_args *args, struct nrd_err *err)
{
	if (nrd_streq(args->argv[0], "create") && args->argc == 1)
		return 0;
	if (nrd_streq(args->argv[0], "update") && args->argc == 2)
		return vm_brand_parse(args->argv[1]) >= 0 ?
			       0 : nrd_usage(err, "\"%.40s\" is no brand: native, lx or kvm", args->argv[1]);
	return nrd_usage(err, "validate what? validate create, or validate update BRAND");
}

int
cmd_validate(const struct nrd_args *args, struct nrd_err *err)
{
	const struct validate_opts *opts = args->opts;
	NRD_AUTO(nrd_json) *doc = NULL;
	NRD_AUTO(vm_bad) bad = { 0 };
	NRD_AUTO(nrd_buf) out = { 0 };
	struct nrd_jw w;
	int brand = 0, r = check_words(args, err);

	if (r == 0)
		r = payload_of(opts->file, &doc, err);
	if (r == 0)
		r = look(args, nrd_json_root(doc), &bad, &brand, err);
	if (r < 0)
		return told(args, NULL, r, err);
	if (!vm_bad_any(&bad))
		return done("VALID '%s' payload for %s brand VMs.", args->argv[0], zone_brand_names[brand]);
	nrd_jw_init(&w, &out, NRD_JW_PRETTY);
	vm_bad_write(&bad, &w);
	r = nrd_jw_finish(&w, err);
	(void)fputs(nrd_buf_str(&out), stdout);
	say_lines(stderr, "", bad.lines);
	return r < 0 ? told(args, NULL, r, err) : NRD_EXIT_FAIL;
}
