/* SPDX-License-Identifier: MPL-2.0 */
/* Copyright 2026 The Nereid authors */
#include "dhcp.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "link/datalink.h"
#include "nics/nics.h"
#include "nrd/log.h"
#include "nrd/mem.h"
#include "nrd/proc.h"
#include "nrd/str.h"
#include "zone/config-guest.h"
#include "zone/enter.h"
#include "zone/sys.h"
#include "zoneadmd.h"

#define CLIENT   "/usr/bin/busybox" /* static: it needs nothing of the zone */
#define LIMIT_MS 5000

static const char *
program_of(const struct zone_config *c)
{
	return c->brand == ZONE_NATIVE ? "/usr/local/sbin/zone-dhcp" : "/native/usr/sbin/zone-dhcp";
}

/* It goes to the background; not longer than that is it waited for, since the zone cannot end before it. */
static int
run(const struct zoneadmd *z, const char *const *argv, const char *const *env, struct nrd_err *err)
{
	NRD_CLOSE int client = open(CLIENT, O_RDONLY | O_CLOEXEC);
	NRD_CLOSE int null = open("/dev/null", O_RDWR | O_CLOEXEC);
	NRD_CLOSE int pidfd = -1;
	const struct zone_enter enter = { .zone = z->name, .argv = argv, .env = env, .fds = { client, null, null } };
	int status = 0;
	int r = zone_enter_spawn(&enter, &pidfd, NULL, err);

	if (r < 0)
		return r;
	r = nrd_pidfd_wait(pidfd, LIMIT_MS, &status, err);
	if (r < 0) {
		(void)zone_sys_pidfd_kill(pidfd, SIGKILL);
		(void)nrd_pidfd_wait(pidfd, LIMIT_MS, &status, NULL);
	}
	return r < 0 || status == 0 ? r : nrd_fail(err, EIO, "ZoneDhcp", "its program ended with status %d", status);
}

static void
start_client(const struct zoneadmd *z, size_t nic)
{
	const struct zone_config *c = &z->config;
	const char *name = c->nics[nic].interface;
	const char *const argv[] = { program_of(c), "start", name, nics_hostname(c), NULL };
	NRD_FREE char *metric = nrd_format("NEREID_METRIC=%u", nics_metric(c, nic));
	const char *const env[] = { metric, c->resolvers == NULL ? "NEREID_RESOLVERS=1" : "PATH=/bin", NULL };
	struct nrd_err err = { 0 };

	if (metric == NULL || run(z, argv, env, &err) < 0)
		nrd_log(NRD_WARN, "ignoring: a NIC has no DHCP client", NRD_S("zone", z->name), NRD_S("nic", name), NRD_ERR(&err));
}

static void
stop_client(const struct zoneadmd *z, const char *nic)
{
	const char *const argv[] = { program_of(&z->config), "stop", nic, NULL };
	const char *const env[] = { "PATH=/bin", NULL };

	(void)run(z, argv, env, NULL);
}

/* "eth0 12" of each that asks. */
static int
who_asks(const struct zoneadmd *z, char ***ret)
{
	NRD_AUTO(datalinks) links = { 0 };
	/* A guest asks for itself. */
	int r = z->config.n_nics > 0 && !zone_is_guest(&z->config) ? datalinks_read(DATALINK_RUN, z->name, &links, NULL) : 0;

	for (size_t i = 0; r >= 0 && i < z->config.n_nics; i++) {
		const struct datalink *d = datalinks_find(&links, z->name, z->config.nics[i].interface);

		if (d != NULL && nrd_strv_has(NRD_CSTRV(d->addresses), "dhcp"))
			r = nrd_strv_addf(ret, "%s %llu", d->name, (unsigned long long)d->ifindex);
	}
	return r;
}

static bool
is_of(const char *client, const char *nic)
{
	const char *rest = nrd_starts(client, nic);

	return rest != NULL && rest[0] == ' ';
}

static bool
any_of(char *const *clients, const char *nic)
{
	for (size_t i = 0; clients != NULL && clients[i] != NULL; i++)
		if (is_of(clients[i], nic))
			return true;
	return false;
}

void
dhcp_sync(struct zoneadmd *z)
{
	NRD_STRV char **asking = NULL;

	if (z->config.n_nics == 0 && z->dhcp.clients == NULL)
		return;
	if (who_asks(z, &asking) < 0)
		return;
	for (size_t i = 0; z->dhcp.clients != NULL && z->dhcp.clients[i] != NULL; i++) {
		NRD_FREE char *nic = nrd_str_dup(nrd_strn(z->dhcp.clients[i], strcspn(z->dhcp.clients[i], " ")));

		if (nic != NULL && !any_of(asking, nic))
			stop_client(z, nic);
	}
	for (size_t i = 0; i < z->config.n_nics; i++)
		for (size_t j = 0; asking != NULL && asking[j] != NULL; j++)
			if (is_of(asking[j], z->config.nics[i].interface) && !nrd_strv_has(NRD_CSTRV(z->dhcp.clients), asking[j]))
				start_client(z, i);
	nrd_strv_free(z->dhcp.clients);
	z->dhcp.clients = NRD_TAKE(asking);
}

void
dhcp_adopt(struct zoneadmd *z)
{
	dhcp_forget(z);
	(void)who_asks(z, &z->dhcp.clients);
}

void
dhcp_forget(struct zoneadmd *z)
{
	nrd_strv_free(z->dhcp.clients);
	z->dhcp.clients = NULL;
}
