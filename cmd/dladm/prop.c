/* SPDX-License-Identifier: MPL-2.0 */
/* Copyright 2026 The Nereid authors */
#include <errno.h>
#include <unistd.h>

#include "dladm.h"
#include "link/linkprop.h"
#include "nrd/mem.h"
#include "nrd/str.h"

struct show_linkprop_opts {
	const char *zone, *props, *fields;
	bool parsable, json;
};

/* Here -p names properties, as in illumos. */
const struct nrd_opt show_linkprop_opts[] = {
	NRD_OPT_STR('z', NULL, struct show_linkprop_opts, zone, "ZONE", "links of this zone"),
	NRD_OPT_STR('p', NULL, struct show_linkprop_opts, props, "PROP,...", "these only"),
	NRD_OPT_STR('o', NULL, struct show_linkprop_opts, fields, "FIELD,...", "which columns, in this order"),
	NRD_OPT_FLAG('c', NULL, struct show_linkprop_opts, parsable, "for programs: no header, FIELD:FIELD; needs -o"),
	NRD_OPT_FLAG('j', NULL, struct show_linkprop_opts, json, "print JSON"),
	NRD_OPT_END(struct show_linkprop_opts),
};

static const struct nrd_col cols[] = {
	{ "link", 12 }, { "property", 15 }, { "perm", 4 }, { "value", 14 }, { "default", 14 }, { "possible", 20 },
	{ "zone", 10, NRD_COL_HIDDEN },
};

/* "--" is illumos's word for what is not set; for programs there is nothing. */
static int
rows_of(struct nrd_table *t, const struct datalink *d, char *const *only, const char *none)
{
	for (const struct linkprop *p = linkprops; p->name != NULL; p++) {
		NRD_AUTO(nrd_buf) value = { 0 };

		if (only != NULL && !nrd_strv_has(NRD_CSTRV(only), p->name))
			continue;
		if (linkprop_text(d, p, &value) < 0)
			return -ENOMEM;
		nrd_table_row(t, (const char *[]){ d->name, p->name, p->read_only ? "r-" : "rw",
						   value.len > 0 ? nrd_buf_str(&value) : p->standard != NULL ? p->standard : none,
						   p->standard != NULL ? p->standard : none, p->possible != NULL ? p->possible : none,
						   d->zone });
	}
	return 0;
}

int
cmd_show_linkprop(const struct nrd_args *args, struct nrd_err *err)
{
	const struct show_linkprop_opts *opts = args->opts;
	const struct show_opts show = { .fields = opts->fields, .parsable = opts->parsable, .json = opts->json };
	const char *name = args->argc > 0 ? args->argv[0] : NULL;
	struct nrd_table_opts how;
	NRD_AUTO(nrd_table) *t = NULL;
	NRD_AUTO(datalinks) links = { 0 };
	NRD_STRV char **only = NULL;
	const struct linkprop *p;
	size_t n = 0;
	int r;

	if (opts->parsable && opts->fields == NULL)
		return nrd_usage(err, "-c needs -o: which fields?");
	r = show_table(&show, cols, nrd_count(cols), &how, &t, err);
	if (r == 0 && opts->props != NULL && nrd_strv_split(opts->props, ',', &only) < 0)
		r = nrd_nomem(err);
	for (size_t i = 0; r == 0 && only != NULL && only[i] != NULL; i++)
		r = linkprop_find(only[i], &p, err);
	if (r == 0)
		r = datalinks_read(DATALINK_RUN, opts->zone, &links, err);
	for (size_t i = 0; r == 0 && i < links.n; i++)
		if (links.links[i].class_ == DATALINK_VNIC && (name == NULL || nrd_streq(links.links[i].name, name))) {
			n++;
			if (rows_of(t, &links.links[i], only, opts->parsable || opts->json ? NULL : "--") < 0)
				r = nrd_nomem(err);
		}
	if (r == 0 && n == 0 && name != NULL)
		return nrd_fail(err, ENOENT, "LinkNotFound", "link '%s': object not found", name);
	return r == 0 ? nrd_table_print(t, STDOUT_FILENO, err) : r;
}
