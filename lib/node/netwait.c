/* SPDX-License-Identifier: MPL-2.0 */
/* Copyright 2026 The Nereid authors */
#include "netwait.h"

#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <poll.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/socket.h>

#include "link/nic.h"
#include "node/config.h"
#include "node/net.h"
#include "nrd/clock.h"
#include "nrd/mem.h"
#include "nrd/str.h"

typedef bool there_fn(const struct node_config *config, const struct link_nics *nics);

static bool
wait_until(there_fn *there, int timeout_ms)
{
	NRD_AUTO(node_config) *config = NULL;
	NRD_CLOSE int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, NETLINK_ROUTE);
	const struct sockaddr_nl addr = {
		.nl_family = AF_NETLINK,
		.nl_groups = RTMGRP_LINK | RTMGRP_IPV4_IFADDR | RTMGRP_IPV6_IFADDR,
	};
	int64_t end = nrd_now_ms() + timeout_ms;

	if (node_config_read(NULL, &config, NULL) < 0)
		return true;
	if (fd < 0 || bind(fd, (const struct sockaddr *)&addr, sizeof(addr)) < 0)
		return true;
	for (;;) {
		NRD_AUTO(link_nics) nics = { 0 };
		struct pollfd p = { .fd = fd, .events = POLLIN };
		int64_t left = timeout_ms < 0 ? -1 : end - nrd_now_ms();
		char buf[8192];

		if (link_nics_read(NULL, 0, &nics, NULL) < 0 || there(config, &nics))
			return true;
		if (timeout_ms >= 0 && left <= 0)
			return false;
		(void)poll(&p, 1, (int)left);
		while (recv(fd, buf, sizeof(buf), 0) > 0)
			;
	}
}

static bool
nics_there(const struct node_config *config, const struct link_nics *nics)
{
	return !node_net_nic_missing(config, nics);
}

static bool
address_there(const struct node_config *config, const struct link_nics *nics)
{
	char buf[NRD_MAC_TEXT];

	if (node_net_admin_on(config, nics, buf) == NULL)
		return true;
	for (size_t i = 0; i < nics->n; i++) {
		const struct link_nic *nic = &nics->nics[i];

		for (size_t j = 0; !nic->loopback && j < nic->n_addrs; j++)
			if (!nic->addrs[j].link_local)
				return true;
	}
	return false;
}

bool
node_netwait_nics(int timeout_ms)
{
	return wait_until(nics_there, timeout_ms);
}

bool
node_netwait_address(int timeout_ms)
{
	return wait_until(address_there, timeout_ms);
}

void
node_netwait_problem(char *ret_text, size_t size)
{
	NRD_AUTO(node_config) *config = NULL;
	NRD_AUTO(link_nics) nics = { 0 };
	const struct link_nic *nic;
	char buf[NRD_MAC_TEXT];
	const char *on;

	if (node_config_read(NULL, &config, NULL) < 0 || link_nics_read(NULL, 0, &nics, NULL) < 0) {
		(void)snprintf(ret_text, size, "the admin network cannot be looked at");
		return;
	}
	on = node_net_admin_on(config, &nics, buf);
	nic = node_net_admin_nic(config, &nics);
	if (node_net_nic_missing(config, &nics))
		(void)snprintf(ret_text, size,
			       "the admin NIC %s is missing: plug it in and reboot, or choose "
			       "another with nereid-setup", on != NULL ? on : "");
	else if (nic != NULL && nic->state == LINK_DOWN)
		(void)snprintf(ret_text, size,
			       "%s, the admin NIC, has no link: look at its cable and switch port",
			       nic->name);
	else if (node_net_uses_dhcp(config))
		(void)snprintf(ret_text, size,
			       "no DHCP server answers on %s: look at its network, or give the node "
			       "an address of its own with nereid-setup; it goes on asking",
			       nic != NULL ? nic->name : on);
	else
		(void)snprintf(ret_text, size,
			       "%s did not get its address: see networkctl status",
			       nic != NULL ? nic->name : on);
}
