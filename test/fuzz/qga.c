/* SPDX-License-Identifier: MPL-2.0 */
/* Copyright 2026 The Nereid authors */

/* Any bytes as what a guest's agent says, in two pieces: a question ends with an answer that can be read, or without one. */
#include <assert.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "brand/qga.h"
#include "nrd/mem.h"

#define NUMBER 7 /* what a fuzzer cannot guess it is told */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int
feed(struct qga *a, int guest, const uint8_t *data, size_t size)
{
	NRD_AUTO(nrd_json) *answer = NULL;
	struct nrd_err err = { 0 };
	int r = 0;

	assert(size == 0 || write(guest, data, size) == (ssize_t)size);
	for (size_t turns = 0; r == 0 && turns <= size / 16384; turns++)
		r = qga_turn(a, &answer, &err);
	assert(r >= 0 ? (r == 1) == (answer != NULL) : answer == NULL && strcmp(err.code, "AgentFailed") == 0);
	assert(r != 1 || nrd_val_get(nrd_json_root(answer), "return") != NULL);
	assert((r == 0) == (a->fd >= 0));
	return r;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct qga a = QGA_NONE;
	size_t half = size > 0 ? data[0] % size : 0;
	int ends[2];

	if (size > 65536 || socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, ends) < 0)
		return 0;
	assert(qga_begin(&a, ends[0], "guest-info", 60000, NULL) == 0);
	a.number = NUMBER;
	if (feed(&a, ends[1], data, half) == 0)
		(void)feed(&a, ends[1], data + half, size - half);
	qga_end(&a);
	(void)close(ends[1]);
	return 0;
}
