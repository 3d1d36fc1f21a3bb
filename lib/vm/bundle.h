/* SPDX-License-Identifier: MPL-2.0 */
/* Copyright 2026 The Nereid authors */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "nrd/err.h"

/*
 * What `vmadm send` writes, in SmartOS's form: headers of 512 bytes, each before what it names. The
 * first names "JSON", the machine's object, padded to a multiple of 512 bytes; each other one names a
 * dataset, and a ZFS stream follows that ends where it says itself.
 */
#define VM_BUNDLE_HEADER 512
#define VM_BUNDLE_NAME_MAX 256
#define VM_BUNDLE_JSON "JSON"
#define VM_BUNDLE_JSON_MAX ((size_t)8 << 20)

struct vm_bundle_header {
	char name[VM_BUNDLE_NAME_MAX + 1];
	uint64_t size;   /* of what follows; 0: it ends by itself */
	uint64_t padded; /* with what fills it up */
};

/* A size is padded to the next multiple of 512. -ENAMETOOLONG. */
int vm_bundle_header_make(const char *name, uint64_t size, char ret_data[VM_BUNDLE_HEADER]);

/* "BadBundle" (-EINVAL). */
int vm_bundle_header_parse(const char data[VM_BUNDLE_HEADER], struct vm_bundle_header *ret_header,
			   struct nrd_err *err);
