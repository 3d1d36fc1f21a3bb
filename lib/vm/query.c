/* SPDX-License-Identifier: MPL-2.0 */
/* Copyright 2026 The Nereid authors */
#include "vm/query.h"

#include <errno.h>
#include <pthread.h>
#include <regex.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "nrd/mem.h"
#include "nrd/str.h"
#include "vm/columns.h"
#include "vm/object.h"

/* ---- values by path ---- */

static int
add_scalar(const struct nrd_val *v, struct nrd_buf *out)
{
	struct nrd_jw w;

	if (nrd_val_str(v) != NULL)
		return nrd_buf_adds(out, nrd_val_str(v));
	if (nrd_val_type(v) == NRD_VAL_NULL || nrd_val_type(v) == NRD_VAL_NONE)
		return 0;
	nrd_jw_init(&w, out, NRD_JW_COMPACT);
	nrd_jw_val(&w, v);
	return out->failed;
}

/* Lists as JavaScript joins them. */
static int
add_value(const struct nrd_val *v, struct nrd_buf *out)
{
	struct nrd_iter it = nrd_iter(v);

	if (nrd_val_type(v) != NRD_VAL_ARR)
		return add_scalar(v, out);
	while (nrd_iter_next(&it)) {
		if (it.index > 0)
			(void)nrd_buf_addc(out, ',');
		(void)add_scalar(it.val, out);
	}
	return out->failed;
}

/* The rest of a path after "tags." is one name, dots and all. */
static const struct nrd_val *
value_at(const struct nrd_val *v, const char *path)
{
	static const char *const maps[] = { "tags.", "customer_metadata.", "internal_metadata.", NULL };
	struct nrd_str rest = nrd_str(path), part;

	if (strchr(path, '.') == NULL)
		return nrd_val_get(v, path);
	for (size_t i = 0; maps[i] != NULL; i++)
		if (nrd_starts(path, maps[i]) != NULL) {
			NRD_FREE char *name = nrd_format("%.*s", (int)strlen(maps[i]) - 1, maps[i]);

			return name == NULL ? NULL : nrd_val_get(nrd_val_get(v, name), nrd_starts(path, maps[i]));
		}
	while (v != NULL && nrd_str_split(&rest, '.', &part)) {
		NRD_FREE char *name = nrd_str_dup(part);
		uint64_t index;

		if (name == NULL)
			return NULL;
		if (nrd_val_type(v) == NRD_VAL_ARR)
			v = nrd_parse_u64(name, 0, UINT32_MAX, &index, NULL) == 0 ? nrd_val_at(v, index) : NULL;
		else
			v = nrd_val_get(v, name);
	}
	return v;
}

int
vm_value_text(const struct nrd_val *vm, const char *path, struct nrd_buf *out)
{
	return add_value(value_at(vm, path), out);
}

/* ---- filters ---- */

struct filter {
	char *key;
	char *value;
	regex_t regex;
	bool is_regex;
};

struct vm_query {
	struct filter *filters;
	size_t n;
};

void
vm_query_free(struct vm_query *query)
{
	for (size_t i = 0; query != NULL && i < query->n; i++) {
		free(query->filters[i].key);
		free(query->filters[i].value);
		if (query->filters[i].is_regex)
			regfree(&query->filters[i].regex);
	}
	if (query != NULL)
		free(query->filters);
	free(query);
}

void
vm_query_cleanup(struct vm_query **query)
{
	vm_query_free(*query);
}

static int
add_filter(struct vm_query *q, const char *text, struct nrd_err *err)
{
	const char *eq = strchr(text, '=');
	struct filter *f = &q->filters[q->n];
	char said[128];
	int num;

	if (eq == NULL || eq == text)
		return nrd_fail(err, EINVAL, "BadFilter", "\"%.80s\" is no filter: KEY=VALUE or KEY=~REGEX", text);
	f->key = nrd_format("%.*s", (int)(eq - text), text);
	if (f->key == NULL)
		return nrd_nomem(err);
	q->n++;
	if (!vm_key_known(f->key))
		return nrd_fail(err, EINVAL, "BadFilter", "Invalid filter key: \"%s\"", f->key);
	if (eq[1] != '~') {
		f->value = nrd_format("%s", eq + 1);
		return f->value != NULL ? 0 : nrd_nomem(err);
	}
	num = regcomp(&f->regex, eq + 2, REG_EXTENDED | REG_ICASE | REG_NOSUB);
	if (num != 0) {
		(void)regerror(num, &f->regex, said, sizeof(said));
		return nrd_fail(err, EINVAL, "BadFilter", "%s: \"%.80s\": %s", f->key, eq + 2, said);
	}
	f->is_regex = true;
	return 0;
}

int
vm_query_new(char *const *filters, struct vm_query **ret_query, struct nrd_err *err)
{
	NRD_AUTO(vm_query) *q = calloc(1, sizeof(*q));
	size_t n = nrd_strv_len(NRD_CSTRV(filters));
	int r = 0;

	if (q == NULL || (q->filters = calloc(n + 1, sizeof(*q->filters))) == NULL)
		return nrd_nomem(err);
	for (size_t i = 0; r == 0 && i < n; i++)
		r = add_filter(q, filters[i], err);
	if (r == 0)
		*ret_query = NRD_TAKE(q);
	return r;
}

static bool
filter_true(const struct filter *f, const char *text)
{
	return f->is_regex ? regexec(&f->regex, text, 0, NULL, 0) == 0 : strcmp(f->value, text) == 0;
}

static bool
matches_one(const struct filter *f, const struct nrd_val *vm, const char *path)
{
	NRD_AUTO(nrd_buf) text = { 0 };

	return vm_value_text(vm, path, &text) == 0 && filter_true(f, nrd_buf_str(&text));
}

static bool
matches(const struct filter *f, const struct nrd_val *vm)
{
	const char *star = strstr(f->key, ".*.");
	size_t n;

	if (star == NULL)
		return matches_one(f, vm, f->key);
	NRD_FREE char *array = nrd_format("%.*s", (int)(star - f->key), f->key);
	n = array != NULL ? nrd_val_len(nrd_val_get(vm, array)) : 0;
	for (size_t i = 0; i < n; i++) {
		NRD_FREE char *path = nrd_format("%s.%zu.%s", array, i, star + 3);

		if (path != NULL && matches_one(f, vm, path))
			return true;
	}
	return false;
}

bool
vm_query_matches(const struct vm_query *query, const struct nrd_val *vm)
{
	for (size_t i = 0; i < query->n; i++)
		if (!matches(&query->filters[i], vm))
			return false;
	return true;
}

/* ---- all machines ---- */

void
vm_found_fini(struct vm_found *found)
{
	for (size_t i = 0; i < found->n; i++)
		nrd_json_free(found->docs[i]);
	free(found->docs);
	*found = (struct vm_found){ 0 };
}

void
vm_found_cleanup(struct vm_found *found)
{
	vm_found_fini(found);
}

int
vm_fields_top(const char *fields, char ***names)
{
	struct nrd_str rest = nrd_str(fields), field;
	int r = 0;

	while (r == 0 && nrd_str_split(&rest, ',', &field)) {
		size_t from = field.len > 0 && strchr("+-", field.data[0]) != NULL, len = from;
		NRD_FREE char *top = NULL;

		while (len < field.len && field.data[len] != '.')
			len++;
		top = nrd_format("%.*s", (int)(len - from), field.data + from);
		if (top == NULL || (!nrd_strv_has(NRD_CSTRV(*names), top) && nrd_strv_add(names, top) < 0))
			r = -ENOMEM;
	}
	return r;
}

/* Many machines are read by several threads, each of which takes some of them at a time. */
#define THREADS_MAX 16
#define SHARE       32

struct reading {
	const struct vm_query *query;
	char **names;
	size_t n;
	char **run;                     /* those of which zone_run_list has something */
	size_t run_n;
	const struct vm_wanted *wanted; /* NULL: all */
	struct nrd_json **docs;  /* one a name: NULL: it does not match, or is gone */
	atomic_size_t next;      /* that nobody has taken */
	pthread_mutex_t lock;    /* of the following */
	int failed;
	struct nrd_err *err;     /* of the first failure */
};

static int
by_name(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static int
read_one(struct reading *g, size_t i, struct nrd_err *err)
{
	NRD_AUTO(nrd_json) *doc = NULL;
	bool stopped = g->run_n == 0 || bsearch(&g->names[i], g->run, g->run_n, sizeof(*g->run), by_name) == NULL;
	int r = vm_read_json(g->names[i], stopped, g->wanted, &doc, err);

	if (r == -ENOENT) /* deleted while we looked */
		return 0;
	if (r == 0 && vm_query_matches(g->query, nrd_json_root(doc)))
		g->docs[i] = NRD_TAKE(doc);
	return r;
}

static void *
read_shares(void *arg)
{
	struct reading *g = arg;
	struct nrd_err err = { 0 };
	size_t from;
	int r = 0;

	while (r == 0 && (from = atomic_fetch_add(&g->next, SHARE)) < g->n)
		for (size_t i = from; r == 0 && i < g->n && i < from + SHARE; i++)
			r = read_one(g, i, &err);
	if (r == 0)
		return NULL;
	atomic_store(&g->next, g->n);
	(void)pthread_mutex_lock(&g->lock);
	if (g->failed == 0)
		*g->err = err;
	g->failed = r;
	(void)pthread_mutex_unlock(&g->lock);
	return NULL;
}

/* Where a thread cannot be had, the others do its part. */
static int
read_all(struct reading *g)
{
	pthread_t threads[THREADS_MAX];
	long cpus = sysconf(_SC_NPROCESSORS_ONLN);
	size_t n = 0;

	while (n < THREADS_MAX && (long)n + 1 < cpus && (n + 1) * SHARE < g->n &&
	       pthread_create(&threads[n], NULL, read_shares, g) == 0)
		n++;
	(void)read_shares(g);
	while (n > 0)
		(void)pthread_join(threads[--n], NULL);
	return g->failed;
}

int
vm_find(const struct vm_query *query, char *const *only, struct vm_found *ret_found, struct nrd_err *err)
{
	__attribute__((cleanup(vm_found_cleanup))) struct vm_found found = { 0 };
	NRD_STRV char **names = NULL;
	NRD_STRV char **keys = NULL;
	NRD_STRV char **fields = NULL;
	NRD_STRV char **run = NULL;
	struct vm_wanted wanted;
	struct nrd_err why = { 0 };
	struct reading g = { .query = query, .lock = PTHREAD_MUTEX_INITIALIZER, .err = &why };
	int r = zone_config_list(NULL, &names, err);

	if (r == 0)
		r = zone_run_list(&run, err);
	if (r == 0 && only != NULL)
		r = nrd_strv_copy(NRD_CSTRV(only), &keys);
	for (size_t i = 0; r == 0 && only != NULL && i < query->n; i++)
		r = vm_fields_top(query->filters[i].key, &keys);
	if (r == 0 && only != NULL)
		r = vm_fields_told_from(NRD_CSTRV(keys), &fields);
	if (r < 0)
		return r == -ENOMEM ? nrd_nomem(err) : r;
	wanted = (struct vm_wanted){ .members = NRD_CSTRV(keys), .fields = NRD_CSTRV(fields) };
	g.names = names;
	g.n = nrd_strv_len(NRD_CSTRV(names));
	g.run = run;
	g.run_n = nrd_strv_len(NRD_CSTRV(run));
	g.wanted = only != NULL ? &wanted : NULL;
	g.docs = calloc(g.n + 1, sizeof(struct nrd_json *));
	if (g.docs == NULL)
		return nrd_nomem(err);
	r = read_all(&g);
	found.docs = g.docs;
	found.n = g.n;
	if (r < 0)
		return nrd_fail(err, -r, why.code, "%s", why.msg);
	found.n = 0;
	for (size_t i = 0; i < g.n; i++)
		if (g.docs[i] != NULL)
			found.docs[found.n++] = g.docs[i];
	*ret_found = found;
	found = (struct vm_found){ 0 };
	return 0;
}
