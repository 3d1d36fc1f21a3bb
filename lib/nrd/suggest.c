/* SPDX-License-Identifier: MPL-2.0 */
/* Copyright 2026 The Nereid authors */
#include "suggest.h"

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#define WORD_MAX 64

static size_t
min3(size_t a, size_t b, size_t c)
{
	size_t ab = a < b ? a : b;

	return ab < c ? ab : c;
}

size_t
nrd_edit_distance(const char *a, const char *b)
{
	size_t la = strlen(a), lb = strlen(b);
	/* Row i of the distance matrix and the two above it. */
	size_t rows[3][WORD_MAX + 1];

	if (la > WORD_MAX || lb > WORD_MAX)
		return SIZE_MAX;
	for (size_t j = 0; j <= lb; j++)
		rows[0][j] = j;
	for (size_t i = 1; i <= la; i++) {
		size_t *row = rows[i % 3], *up = rows[(i + 2) % 3], *up2 = rows[(i + 1) % 3];

		row[0] = i;
		for (size_t j = 1; j <= lb; j++) {
			bool swapped = i > 1 && j > 1 && a[i - 1] == b[j - 2] &&
				       a[i - 2] == b[j - 1];

			row[j] = min3(up[j] + 1, row[j - 1] + 1,
				      up[j - 1] + (a[i - 1] != b[j - 1]));
			if (swapped && up2[j - 2] + 1 < row[j])
				row[j] = up2[j - 2] + 1;
		}
	}
	return rows[la % 3][lb];
}

void
nrd_suggest_init(struct nrd_suggest *s, const char *word)
{
	*s = (struct nrd_suggest){ .word = word, .distance = SIZE_MAX };
}

void
nrd_suggest_offer(struct nrd_suggest *s, const char *name)
{
	size_t len = strlen(s->word), longest = strlen(name);
	size_t distance = nrd_edit_distance(s->word, name);
	size_t limit = len / 3 > 2 ? len / 3 : 2;

	if (longest < len)
		longest = len;
	if (len >= 2 && distance > 1 && strncmp(name, s->word, len) == 0)
		distance = 1;
	if (distance > limit || distance >= longest || distance >= s->distance)
		return;
	s->best = name;
	s->distance = distance;
}

const char *
nrd_suggest(const char *word, const char *const *names)
{
	struct nrd_suggest s;

	nrd_suggest_init(&s, word);
	for (; *names != NULL; names++)
		nrd_suggest_offer(&s, *names);
	return s.best;
}
