/* SPDX-License-Identifier: MPL-2.0 */
/* Copyright 2026 The Nereid authors */

/*
 * Any bytes as the kernel's answers to a dump of links and addresses, in two datagrams: the
 * first byte says where the first ends.
 */
#include <assert.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "link/nic-priv.h"
#include "nrd/mem.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
sound(const struct nic_list *list)
{
	char text[LINK_ADDR_TEXT];

	for (size_t i = 0; i < list->len; i++) {
		const struct link_nic *nic = &list->data[i];

		assert(nic->index > 0 && (i == 0 || list->data[i - 1].index < nic->index));
		assert(memchr(nic->name, '\0', sizeof(nic->name)) != NULL);
		assert(memchr(nic->kind, '\0', sizeof(nic->kind)) != NULL);
		assert(memchr(nic->bus, '\0', sizeof(nic->bus)) != NULL);
		for (size_t j = 0; j < nic->n_addrs; j++) {
			assert(nic->addrs[j].prefix <= (nic->addrs[j].family == AF_INET ? 32 : 128));
			link_addr_format(&nic->addrs[j], text);
			assert(text[0] != '\0');
		}
	}
}

static int
take(const uint8_t *data, size_t size, struct nic_list *list)
{
	/* Its own block, so that reading beyond it is seen. */
	NRD_FREE uint8_t *copy = malloc(size == 0 ? 1 : size);
	struct nrd_err err = { 0 };
	int r;

	assert(copy != NULL);
	memcpy(copy, data, size);
	r = nic_dump_parse(copy, size, list, &err);
	assert(r >= 0 || (err.num == -r && err.msg[0] != '\0'));
	return r;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct nic_list list = { 0 };
	size_t first;

	if (size < 2)
		return 0;
	first = (size - 2) * data[0] / 255;
	if (take(data + 2, first, &list) >= 0)
		(void)take(data + 2 + first, size - 2 - first, &list);
	sound(&list);
	nic_list_fini(&list);
	return 0;
}
