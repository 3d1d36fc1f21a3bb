/* SPDX-License-Identifier: MPL-2.0 */
/* Copyright 2026 The Nereid authors */
#include <stdio.h>

#include "nrd/str.h"
#include "zone-dhcp.h"

int
main(int argc, char **argv)
{
	struct nrd_err err = { 0 };
	int r;

	if (argc == 4 && nrd_streq(argv[1], "start"))
		r = client_start(argv[2], argv[3], &err);
	else if (argc == 3 && nrd_streq(argv[1], "stop"))
		r = client_stop(argv[2], &err);
	else if (argc == 2)
		r = told(argv[1], &err);
	else {
		(void)fprintf(stderr, "usage: zone-dhcp start NIC HOSTNAME | stop NIC | EVENT (by zoneadmd and by the client it starts)\n");
		return 2;
	}
	if (r < 0)
		(void)fprintf(stderr, "zone-dhcp: %s\n", err.msg);
	return r < 0 ? 1 : 0;
}
