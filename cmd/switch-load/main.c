/* SPDX-License-Identifier: MPL-2.0 */
/* Copyright 2026 The Nereid authors */

/*
 * switch-load: loads the switch's program into the kernel, or replaces the one that is there by
 * the one it brings. It is started by whatever opens the switch first after a boot (lib/link).
 */
#include <stdio.h>

#include <bpf/libbpf.h>

#include "link/switch-load.h"
#include "link/switch.h"
#include "switch.skel.h"

int
main(int argc, char **argv)
{
	struct nrd_err err = { 0 };
	const void *object;
	size_t len;

	(void)argv;
	if (argc != 1) {
		(void)fprintf(stderr, "usage: switch-load (started by what opens the switch)\n");
		return 2;
	}
	(void)libbpf_set_print(NULL);
	object = switch_bpf__elf_bytes(&len);
	if (switch_load(SWITCH_DIR, object, len, &err) < 0) {
		(void)fprintf(stderr, "switch-load: %s\n", err.msg);
		return 1;
	}
	return 0;
}
