/* SPDX-License-Identifier: MPL-2.0 */
/* Copyright 2026 The Nereid authors */
#include "link/flow-keep.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "nrd/file.h"
#include "nrd/json.h"
#include "nrd/mem.h"
#include "nrd/schema.h"
#include "nrd/str.h"

#define SUFFIX    ".json"
#define FILE_MAX_ ((size_t)64 << 10)

struct kept {
	struct nrd_present present;
	char *name;
	char *attributes;
	char *properties; /* as set-flowprop has them; NULL: none */
};

struct kept_file {
	struct nrd_present present;
	struct kept *flows;
	size_t n_flows;
};

static const struct nrd_field kept_fields[] = {
	NRD_FIELD_STR(struct kept, name, NRD_REQUIRED, NULL),
	NRD_FIELD_STR(struct kept, attributes, NRD_REQUIRED, NULL),
	NRD_FIELD_STR(struct kept, properties, NRD_OPTIONAL, NULL),
};

static const struct nrd_schema kept_schema = NRD_SCHEMA(struct kept, present, kept_fields, NULL);

static const struct nrd_field file_fields[] = {
	NRD_FIELD_ARR(struct kept_file, flows, NRD_REQUIRED, struct kept, SWITCH_PORT_FLOWS_MAX, &kept_schema),
};

static const struct nrd_schema file_schema = NRD_SCHEMA(struct kept_file, present, file_fields, NULL);

static void
kept_file_cleanup(struct kept_file *file)
{
	nrd_object_fini(&file_schema, file);
}

static char *
path_of(const char *zone, const char *link)
{
	return nrd_format("%s/%s/%s" SUFFIX, FLOW_KEEP, zone != NULL ? zone : DATALINK_GLOBAL, link);
}

static int
flow_of(const struct kept *k, struct switch_flow *ret, struct nrd_err *err)
{
	int r;

	*ret = (struct switch_flow){ 0 };
	if (nrd_strcpy_to(ret->name, sizeof(ret->name), k->name) < 0)
		return nrd_fail(err, EINVAL, "BadFlowFile", "flow '%.40s...': its name is too long", k->name);
	r = flow_attrs_parse(k->attributes, ret, err);
	if (r == 0 && k->properties != NULL)
		r = flow_props_set(ret, k->properties, err);
	return nrd_wrap(err, r, "flow '%s'", k->name);
}

int
flow_keep_read(const char *zone, const char *link, struct switch_flow **ret_flows, size_t *ret_n, struct nrd_err *err)
{
	const struct nrd_json_limits limits = { .max = FILE_MAX_ };
	NRD_AUTO(kept_file) file = { 0 };
	NRD_AUTO(nrd_json) *doc = NULL;
	NRD_FREE struct switch_flow *flows = NULL;
	NRD_FREE char *path = path_of(zone, link);
	struct nrd_err why = { 0 };
	int r = path != NULL ? nrd_json_read_file(path, &limits, &doc, &why) : nrd_nomem(&why);

	*ret_flows = NULL;
	*ret_n = 0;
	if (r == -ENOENT)
		return 0;
	if (r == 0)
		r = nrd_decode(&file_schema, nrd_json_root(doc), NRD_DECODE_UNKNOWN, &file, &why);
	if (r == 0) {
		flows = calloc(file.n_flows + 1, sizeof(*flows));
		r = flows != NULL ? 0 : nrd_nomem(&why);
	}
	for (size_t i = 0; r == 0 && i < file.n_flows; i++)
		r = flow_of(&file.flows[i], &flows[i], &why);
	if (r < 0)
		return nrd_fail(err, -r, "BadFlowFile", "%s: %s", path, why.msg);
	*ret_flows = NRD_TAKE(flows);
	*ret_n = file.n_flows;
	return 0;
}

static int
encode(struct nrd_jw *w, const struct switch_flow *f)
{
	NRD_AUTO(nrd_buf) attrs = { 0 };
	NRD_AUTO(nrd_buf) props = { 0 };

	if (flow_attrs_text(f, &attrs) < 0)
		return -ENOMEM;
	for (const struct flow_prop *p = flow_props; p->name != NULL; p++) {
		NRD_AUTO(nrd_buf) value = { 0 };

		if (flow_prop_text(f, p->name, &value) < 0)
			return -ENOMEM;
		if (nrd_streq(p->name, "maxbw") && value.len > 0) {
			nrd_buf_reset(&value);
			(void)nrd_buf_printf(&value, "%lluK", (unsigned long long)(f->maxbw / 1000));
		}
		if (value.len > 0)
			(void)nrd_buf_printf(&props, "%s%s=%s", props.len > 0 ? "," : "", p->name, nrd_buf_str(&value));
	}
	nrd_jw_obj_open(w);
	nrd_jw_kstr(w, "name", f->name);
	nrd_jw_kstr(w, "attributes", nrd_buf_str(&attrs));
	if (props.len > 0)
		nrd_jw_kstr(w, "properties", nrd_buf_str(&props));
	nrd_jw_obj_close(w);
	return props.failed;
}

int
flow_keep_write(const char *zone, const char *link, const struct switch_flow *flows, size_t n, struct nrd_err *err)
{
	NRD_FREE char *path = path_of(zone, link);
	NRD_FREE char *dir = nrd_format("%s/%s", FLOW_KEEP, zone != NULL ? zone : DATALINK_GLOBAL);
	NRD_AUTO(nrd_buf) text = { 0 };
	struct nrd_jw w;
	int r = path != NULL && dir != NULL ? 0 : nrd_nomem(err);

	if (r == 0 && n == 0) {
		if (unlink(path) < 0 && errno != ENOENT)
			return nrd_fail(err, errno, "FlowKeep", "remove %s: %m", path);
		(void)rmdir(dir); /* of the zone's last link; it is no news that there are others */
		return 0;
	}
	if (r == 0)
		r = nrd_mkdir_p(dir, 0755, err);
	if (r < 0)
		return r;
	nrd_jw_init(&w, &text, NRD_JW_PRETTY);
	nrd_jw_obj_open(&w);
	nrd_jw_key(&w, "flows");
	nrd_jw_arr_open(&w);
	for (size_t i = 0; r == 0 && i < n; i++)
		r = encode(&w, &flows[i]);
	nrd_jw_arr_close(&w);
	nrd_jw_obj_close(&w);
	if (r < 0)
		return nrd_nomem(err);
	r = nrd_jw_finish(&w, err);
	return r < 0 ? r : nrd_file_write(path, nrd_buf_str(&text), text.len, 0644, err);
}

int
flow_keep_names(const char *zone, char ***ret_names, struct nrd_err *err)
{
	NRD_FREE char *path = nrd_format("%s/%s", FLOW_KEEP, zone != NULL ? zone : "");

	*ret_names = NULL;
	return path != NULL ? datalink_names_in(path, zone != NULL ? SUFFIX : "", ret_names, err) : nrd_nomem(err);
}

void
flow_keep_link(const char *zone, const char *link, const char *new_name)
{
	NRD_FREE char *old = path_of(zone, link);
	NRD_FREE char *new = new_name != NULL ? path_of(zone, new_name) : NULL;

	if (old == NULL)
		return;
	if (new != NULL)
		(void)rename(old, new);
	else
		(void)flow_keep_write(zone, link, NULL, 0, NULL);
}

void
flow_keep_zone(const char *zone, const char *new_name)
{
	NRD_FREE char *old = nrd_format("%s/%s", FLOW_KEEP, zone);
	NRD_FREE char *new = new_name != NULL ? nrd_format("%s/%s", FLOW_KEEP, new_name) : NULL;
	NRD_STRV char **links = NULL;

	if (old != NULL && new != NULL)
		(void)rename(old, new);
	if (new_name != NULL || flow_keep_names(zone, &links, NULL) < 0)
		return;
	for (size_t i = 0; links != NULL && links[i] != NULL; i++)
		flow_keep_link(zone, links[i], NULL);
}
