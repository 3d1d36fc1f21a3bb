/* SPDX-License-Identifier: MPL-2.0 */
/* Copyright 2026 The Nereid authors */
#define STORE_LIBZFS_PLAIN /* its names mean its functions here */
#include "store-libzfs.h"

#include <dlfcn.h>
#include <errno.h>
#include <stddef.h>
#include <string.h>

#include "nrd/mem.h"

#define SONAME "libzfs.so.6"

struct store_libzfs store_libzfs;

#define X(name) { #name, offsetof(struct store_libzfs, name) },
static const struct {
	const char *name;
	size_t offset;
} symbols[] = { STORE_LIBZFS(X) };
#undef X

int
store_libzfs_load(struct nrd_err *err)
{
	static void *library; /* kept until the end: it cannot be unloaded safely */

	if (library != NULL)
		return 0;
	library = dlopen(SONAME, RTLD_NOW | RTLD_LOCAL);
	for (size_t i = 0; library != NULL && i < nrd_count(symbols); i++) {
		void *at = dlsym(library, symbols[i].name);

		if (at == NULL) {
			(void)dlclose(library);
			library = NULL;
		}
		memcpy((char *)&store_libzfs + symbols[i].offset, &at, sizeof(at));
	}
	return library != NULL ? 0 : nrd_fail(err, ENOENT, "ZfsLibrary", "load ZFS: %s", dlerror());
}
