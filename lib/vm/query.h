/* SPDX-License-Identifier: MPL-2.0 */
/* Copyright 2026 The Nereid authors */
#pragma once

#include <stdbool.h>

#include "nrd/buf.h"
#include "nrd/err.h"
#include "nrd/json.h"

/*
 * Which machines: `key=value`, exact, and `key=~regex`, without case; all must be true. Keys are those
 * of the list's columns, and nics.*.KEY for any of a machine's NICs.
 */
struct vm_query;
/* "Invalid filter key: ...", "BadFilter". NULL terminated. */
int vm_query_new(char *const *filters, struct vm_query **ret_query, struct nrd_err *err);
void vm_query_free(struct vm_query *query);
void vm_query_cleanup(struct vm_query **query);
bool vm_query_matches(const struct vm_query *query, const struct nrd_val *vm);

/* The value behind "alias", "nics.0.ip", "tags.role" as text: "" when there is none. */
int vm_value_text(const struct nrd_val *vm, const char *path, struct nrd_buf *out);

/* All machines that match, as parsed objects; caller frees with vm_found_fini. */
struct vm_found {
	struct nrd_json **docs;
	size_t n;
};
void vm_found_fini(struct vm_found *found);
void vm_found_cleanup(struct vm_found *found);

/* only: members that are wanted beside those of the query, NULL: all. */
int vm_find(const struct vm_query *query, char *const *only, struct vm_found *ret_found, struct nrd_err *err);

/* Adds the members that a list of fields is about: "nics.0.ip,-ram" is about nics and ram. -ENOMEM. */
int vm_fields_top(const char *fields, char ***names);

#define VM_LIST_COLUMNS "uuid,type,ram,state,alias"
#define VM_LIST_SORT    "ram,uuid"

struct vm_list_opts {
	const char *columns; /* -o */
	const char *sort;    /* -s */
	bool parsable, no_header, header;
};

/* SmartOS's table: fixed widths, two blanks between, nothing cut. "Usage". */
int vm_list(const struct vm_found *found, const struct vm_list_opts *opts, struct nrd_buf *out, struct nrd_err *err);
