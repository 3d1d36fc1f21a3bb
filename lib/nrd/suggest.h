/* SPDX-License-Identifier: MPL-2.0 */
/* Copyright 2026 The Nereid authors */
#pragma once

#include <stddef.h>

/*
 * "Did you mean": offer the known names one by one, then take the nearest. A name is near when
 * it is at most two edits (insert, delete, change, swap of neighbours) or a third of the word's
 * length away, whichever is more, and not all of it is edits. A name that begins with the word
 * counts as one edit.
 */
struct nrd_suggest {
	const char *word;
	const char *best; /* borrowed from an offer; NULL while nothing is near */
	size_t distance;
};

void nrd_suggest_init(struct nrd_suggest *s, const char *word);
void nrd_suggest_offer(struct nrd_suggest *s, const char *name);

/* The same over a NULL terminated list; NULL when nothing is near. */
const char *nrd_suggest(const char *word, const char *const *names);

/*
 * Damerau-Levenshtein distance (optimal string alignment); words over 64 bytes are SIZE_MAX
 * apart.
 */
size_t nrd_edit_distance(const char *a, const char *b);
