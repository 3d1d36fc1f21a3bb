/* SPDX-License-Identifier: MPL-2.0 */
/* Copyright 2026 The Nereid authors */
#include "fault.h"

#include <errno.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>

#include "str.h"

/* In memory that forked children share. */
static struct count {
	atomic_uint_fast64_t passed;
	atomic_uint_fast64_t at;
} *count;

void
nrd_fault_init(void)
{
	const char *text = secure_getenv("NEREID_FAULT");
	uint64_t first;
	void *page;

	if (text == NULL || nrd_parse_u64(text, 1, UINT32_MAX, &first, NULL) < 0)
		return;
	page = mmap(NULL, sizeof(*count), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (page == MAP_FAILED)
		return;
	count = page;
	atomic_store(&count->at, first - 1);
}

void
nrd_fault_begin(void)
{
	if (count == NULL)
		return;
	atomic_store(&count->passed, 0);
	(void)atomic_fetch_add(&count->at, 1);
}

int
nrd_fault(struct nrd_err *err, const char *fmt, ...)
{
	uint64_t passed;
	char what[200];
	va_list ap;

	if (count == NULL)
		return 0;
	passed = atomic_fetch_add(&count->passed, 1) + 1;
	if (passed != atomic_load(&count->at))
		return 0;
	va_start(ap, fmt);
	(void)vsnprintf(what, sizeof(what), fmt, ap);
	va_end(ap);
	return nrd_fail(err, EIO, "Fault", "fault %llu: %s", (unsigned long long)passed, what);
}
