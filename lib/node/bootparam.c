/* SPDX-License-Identifier: MPL-2.0 */
/* Copyright 2026 The Nereid authors */
#include "bootparam.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "node/check.h"
#include "nrd/file.h"
#include "nrd/mem.h"
#include "nrd/schema.h"
#include "nrd/str.h"

#define CMDLINE_MAX 8192

/* Takes the next parameter off *s: blanks inside double quotes are part of it. */
static bool
next_param(const char **s, char *dst, size_t size)
{
	const char *p = *s;
	bool quoted = false;
	size_t n = 0;

	while (*p == ' ' || *p == '\t' || *p == '\n')
		p++;
	if (*p == '\0')
		return false;
	for (; *p != '\0' && (quoted || (*p != ' ' && *p != '\t' && *p != '\n')); p++) {
		if (*p == '"')
			quoted = !quoted;
		else if (n + 1 < size)
			dst[n++] = *p;
	}
	dst[n] = '\0';
	*s = p;
	return true;
}

static int
check_pools(const char *s, struct nrd_err *err)
{
	NRD_STRV char **names = NULL;

	if (nrd_strv_split(s, ',', &names) < 0)
		return nrd_nomem(err);
	for (size_t i = 0; names != NULL && names[i] != NULL; i++) {
		int r = node_check_pool(names[i], err);

		if (r < 0)
			return r;
	}
	return 0;
}

static int
check_url(const char *s, struct nrd_err *err)
{
	if (nrd_starts(s, "http://") != NULL || nrd_starts(s, "https://") != NULL)
		return 0;
	return nrd_fail(err, EINVAL, "BadValue", "\"%.60s\" is not an http or https URL", s);
}

static const struct {
	const char *name;
	size_t offset;
	nrd_check_fn *check;
} texts[] = {
	{ "hostname", NRD_OFFSET(struct node_bootparam, hostname, char *), node_check_hostname },
	{ "admin_nic", NRD_OFFSET(struct node_bootparam, admin_nic, char *), node_check_mac },
	{ "root_shadow", NRD_OFFSET(struct node_bootparam, root_shadow, char *),
	  node_check_shadow },
	{ "answers", NRD_OFFSET(struct node_bootparam, answers, char *), check_url },
	{ "nereid.bootfs", NRD_OFFSET(struct node_bootparam, bootfs, char *), NULL },
};

static int
set_text(struct node_bootparam *p, const char *name, const char *value, struct nrd_err *err)
{
	for (size_t i = 0; i < nrd_count(texts); i++) {
		char **s = (void *)((char *)p + texts[i].offset);
		int r;

		if (!nrd_streq(texts[i].name, name) || value[0] == '\0')
			continue;
		r = texts[i].check != NULL ? texts[i].check(value, err) : 0;
		if (r < 0)
			return r;
		return nrd_str_set(s, value);
	}
	return 0;
}

static int
set_param(struct node_bootparam *p, const char *name, const char *value, struct nrd_err *err)
{
	bool on = false;
	int r;

	if (nrd_streq(name, "rescue")) {
		p->noimport = true;
		return 0;
	}
	if (nrd_streq(name, "noimport")) {
		r = value[0] == '\0' ? (on = true, 0) : nrd_parse_bool(value, &on, err);
		/* When in doubt leave the pool alone: that is what was meant. */
		p->noimport |= on || r < 0;
		return r;
	}
	if (nrd_streq(name, "nereid.try")) {
		p->trial = nrd_streq(value, "1");
		return 0;
	}
	if (nrd_streq(name, "zpools")) {
		r = check_pools(value, err);
		if (r < 0)
			return r;
		nrd_strv_free(p->zpools);
		p->zpools = NULL;
		return nrd_strv_split(value, ',', &p->zpools);
	}
	return set_text(p, name, value, err);
}

int
node_bootparam_parse(const char *text, struct node_bootparam *ret_param, char **ret_problem,
		     struct nrd_err *err)
{
	NRD_AUTO(node_bootparam) p = { 0 };
	NRD_FREE char *problem = NULL;
	char param[CMDLINE_MAX];

	while (next_param(&text, param, sizeof(param))) {
		struct nrd_err why = { 0 };
		char *eq = strchr(param, '=');
		int r;

		if (eq != NULL)
			*eq = '\0';
		r = set_param(&p, param, eq != NULL ? eq + 1 : "", &why);
		if (r == -ENOMEM)
			return nrd_nomem(err);
		if (r < 0 && problem == NULL) {
			problem = nrd_format("boot parameter %s: %s", param, why.msg);
			if (problem == NULL)
				return nrd_nomem(err);
		}
	}
	*ret_param = p;
	p = (struct node_bootparam){ 0 };
	if (ret_problem != NULL)
		*ret_problem = NRD_TAKE(problem);
	return 0;
}

int
node_bootparam_read(const char *path, struct node_bootparam *ret_param, char **ret_problem,
		    struct nrd_err *err)
{
	NRD_FREE char *text = NULL;
	int r = nrd_file_read(path != NULL ? path : NODE_CMDLINE_PATH, CMDLINE_MAX, &text, NULL, err);

	return r < 0 ? r : node_bootparam_parse(text, ret_param, ret_problem, err);
}

void
node_bootparam_fini(struct node_bootparam *p)
{
	nrd_strv_free(p->zpools);
	for (size_t i = 0; i < nrd_count(texts); i++)
		free(*(char **)(void *)((char *)p + texts[i].offset));
	*p = (struct node_bootparam){ 0 };
}

void
node_bootparam_cleanup(struct node_bootparam *p)
{
	node_bootparam_fini(p);
}
