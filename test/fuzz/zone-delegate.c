/* SPDX-License-Identifier: MPL-2.0 */
/* Copyright 2026 The Nereid authors */

/* What zfs get says of a tenant's datasets: no name outside what was delegated ever comes of it. */
#include "zone/delegate.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "nrd/str.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char *const datasets[] = { "p/a", "p/b/c", NULL };
	char *text = malloc(size + 1);

	if (text == NULL)
		return 0;
	memcpy(text, data, size);
	text[size] = '\0';
	for (int what = ZONE_DELEGATE_THERE; what <= ZONE_DELEGATE_TAMED; what++) {
		NRD_STRV char **names = NULL;

		if (zone_delegate_pick(text, datasets, (enum zone_delegate_what)what, &names) < 0)
			abort();
		for (char **n = names; n != NULL && *n != NULL; n++)
			if (!nrd_streq(*n, "p/a") && nrd_starts(*n, "p/a/") == NULL &&
			    !nrd_streq(*n, "p/b/c") && nrd_starts(*n, "p/b/c/") == NULL)
				abort();
	}
	free(text);
	return 0;
}
