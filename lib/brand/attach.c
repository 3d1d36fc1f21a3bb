/* SPDX-License-Identifier: MPL-2.0 */
/* Copyright 2026 The Nereid authors */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "brand/brand-priv.h"
#include "brand/lifecycle-priv.h"
#include "brand/steps.h"
#include "nrd/file.h"
#include "nrd/json.h"
#include "nrd/mem.h"
#include "nrd/str.h"
#include "store/dataset.h"

int
brand_manifest(const struct zone_config *config, char **ret_text, struct nrd_err *err)
{
	NRD_AUTO(nrd_buf) out = { 0 };
	struct nrd_jw w;
	int r;

	nrd_jw_init(&w, &out, NRD_JW_PRETTY);
	nrd_encode(&zone_config_schema, config, &w);
	r = nrd_jw_finish(&w, err);
	if (r < 0)
		return r;
	*ret_text = nrd_buf_take(&out);
	return *ret_text != NULL ? 0 : nrd_nomem(err);
}

int
brand_manifest_read(const char *path, struct zone_config *ret_config, struct nrd_err *err)
{
	NRD_AUTO(zone_config) config = { 0 };
	NRD_AUTO(nrd_json) *doc = NULL;
	struct nrd_err why = { 0 };
	int r = nrd_streq(path, "-") ? nrd_json_read_fd(STDIN_FILENO, NULL, &doc, &why)
				     : nrd_json_read_file(path, NULL, &doc, &why);

	if (r == 0)
		r = nrd_decode(&zone_config_schema, nrd_json_root(doc), NRD_DECODE_UNKNOWN, &config,
			       &why);
	if (r < 0)
		return nrd_fail(err, -r, "BadManifest", "manifest %s: %s", path, why.msg);
	*ret_config = config;
	config = (struct zone_config){ 0 };
	return 0;
}

/* ---- detach ---- */

static int
manifest_path(const struct zone_config *config, char **ret_path, struct nrd_err *err)
{
	*ret_path = nrd_path_join(config->zonepath, BRAND_MANIFEST);
	return *ret_path != NULL ? 0 : nrd_nomem(err);
}

static int
up_manifest(void *arg, struct nrd_err *err)
{
	struct brand_job *job = arg;
	NRD_FREE char *path = NULL;
	NRD_FREE char *text = NULL;
	int r = manifest_path(job->config, &path, err);

	if (r == 0)
		r = brand_manifest(job->config, &text, err);
	return r == 0 ? nrd_file_write(path, text, strlen(text), 0600, err) : r;
}

static void
down_manifest(void *arg)
{
	struct brand_job *job = arg;
	NRD_FREE char *path = NULL;

	if (manifest_path(job->config, &path, NULL) == 0)
		(void)unlink(path);
}

static int
up_configured(void *arg, struct nrd_err *err)
{
	return brand_state_set(arg, ZONE_CONFIGURED, err);
}

static const struct brand_step detach_steps[] = {
	{ "manifest", up_manifest, down_manifest },
	{ "configured", up_configured },
};

int
brand_detach(const struct brand_place *place, struct zone_config *config, struct nrd_err *err)
{
	NRD_AUTO(brand_job) job = { .place = place, .config = config };
	int r = brand_must_be(config, ZONE_INSTALLED, "detach", err);

	if (r == 0)
		r = brand_root_ready(config, err);
	/* A root that cannot be booted may still be carried away; one that is not there cannot. */
	if (r < 0 && (err == NULL || nrd_err_is(err, "ZoneRootMissing") ||
		      nrd_err_is(err, "ZfsNotFound") || nrd_err_is(err, "ZoneWrongState")))
		return r;
	return brand_steps_run(detach_steps, nrd_count(detach_steps), &job, err);
}

/* ---- attach ---- */

struct attach {
	struct brand_job job;
	bool force;
};

static int
up_check(void *arg, struct nrd_err *err)
{
	struct attach *a = arg;
	struct nrd_err why = { 0 };
	int r = brand_root_ready(a->job.config, &why);

	if (r == 0 || (a->force && !nrd_err_is(&why, "ZoneRootMissing") &&
		       !nrd_err_is(&why, "ZfsNotFound")))
		return 0;
	return nrd_fail(err, -r, why.code, "%s", why.msg);
}

static int
up_installed(void *arg, struct nrd_err *err)
{
	struct attach *a = arg;
	int r = brand_up_ids(&a->job, err);

	return r < 0 ? r : brand_state_set(&a->job, ZONE_INSTALLED, err);
}

static int
up_forget(void *arg, struct nrd_err *err)
{
	struct attach *a = arg;

	(void)err;
	down_manifest(&a->job);
	return 0;
}

static const struct brand_step attach_steps[] = {
	{ "check", up_check },
	{ "installed", up_installed },
	{ "forget", up_forget },
};

int
brand_attach(const struct brand_place *place, struct zone_config *config, bool force,
	     struct nrd_err *err)
{
	struct attach a = { .job = { .place = place, .config = config }, .force = force };
	int r = brand_must_be(config, ZONE_CONFIGURED, "attach", err);

	if (r == 0)
		r = zone_config_verify(config, err);
	return r < 0 ? r : brand_steps_run(attach_steps, nrd_count(attach_steps), &a, err);
}
