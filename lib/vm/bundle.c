/* SPDX-License-Identifier: MPL-2.0 */
/* Copyright 2026 The Nereid authors */
#include "vm/bundle.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "nrd/str.h"

#define MAGIC    "MAGIC-VMBUNDLE"
#define VERSION  "1"
#define CHECKSUM "CHECKSUM" /* a place for one that nobody ever filled */

enum { AT_MAGIC, AT_VERSION, AT_CHECKSUM, AT_NAME, AT_SIZE, AT_PADDED, N_PARTS };

int
vm_bundle_header_make(const char *name, uint64_t size, char ret_data[VM_BUNDLE_HEADER])
{
	uint64_t padded = (size + VM_BUNDLE_HEADER - 1) / VM_BUNDLE_HEADER * VM_BUNDLE_HEADER;

	if (strlen(name) > VM_BUNDLE_NAME_MAX)
		return -ENAMETOOLONG;
	memset(ret_data, 0, VM_BUNDLE_HEADER);
	(void)snprintf(ret_data, VM_BUNDLE_HEADER, "%s%c%s%c%s%c%s%c%" PRIu64 "%c%" PRIu64, MAGIC, 0, VERSION, 0,
		       CHECKSUM, 0, name, 0, size, 0, padded);
	return 0;
}

static int
bad(struct nrd_err *err, const char *what)
{
	return nrd_fail(err, EINVAL, "BadBundle", "this is not what vmadm send writes: %s", what);
}

int
vm_bundle_header_parse(const char data[VM_BUNDLE_HEADER], struct vm_bundle_header *ret_header, struct nrd_err *err)
{
	const char *parts[N_PARTS], *at = data, *end = data + VM_BUNDLE_HEADER;
	struct vm_bundle_header h = { 0 };

	for (size_t i = 0; i < N_PARTS; i++) {
		const char *zero = memchr(at, '\0', (size_t)(end - at));

		if (zero == NULL)
			return bad(err, "a header is cut off");
		parts[i] = at;
		at = zero + 1;
	}
	if (!nrd_streq(parts[AT_MAGIC], MAGIC))
		return bad(err, "it does not begin with " MAGIC);
	if (!nrd_streq(parts[AT_VERSION], VERSION))
		return bad(err, "it is of another version than " VERSION);
	if (parts[AT_NAME][0] == '\0' || nrd_strcpy_to(h.name, sizeof(h.name), parts[AT_NAME]) < 0)
		return bad(err, "a part of it has no good name");
	if (nrd_parse_u64(parts[AT_SIZE], 0, INT64_MAX, &h.size, NULL) < 0 ||
	    nrd_parse_u64(parts[AT_PADDED], 0, INT64_MAX, &h.padded, NULL) < 0 || h.padded < h.size)
		return bad(err, "a part of it has no good size");
	*ret_header = h;
	return 0;
}
