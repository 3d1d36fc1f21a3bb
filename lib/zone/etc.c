/* SPDX-License-Identifier: MPL-2.0 */
/* Copyright 2026 The Nereid authors */
#include "zone/etc.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <unistd.h>

#include "nrd/buf.h"
#include "nrd/mem.h"
#include "nrd/str.h"

#define RESOLV_CONF "/etc/resolv.conf"
#define OURS        "# Of the machine's resolvers, by the node.\n"

/*
 * Where gethostid(3) looks; by the zone's own root, so it cannot be led out of the zone. What
 * cannot be written, of a root that is read-only say, is no reason not to boot.
 */
static void
write_hostid(uint32_t id)
{
	NRD_CLOSE int have = open("/etc/hostid", O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	NRD_CLOSE int fd = -1;
	uint32_t old = 0;

	if (have >= 0 && read(have, &old, sizeof(old)) == sizeof(old) && old == id)
		return;
	fd = open("/etc/hostid", O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC, 0644);
	if (fd >= 0 && (fchmod(fd, 0644) < 0 || write(fd, &id, sizeof(id)) != sizeof(id)))
		(void)unlink("/etc/hostid");
}

static bool
resolvers_are_ours(void)
{
	char text[4096] = "";
	NRD_CLOSE int fd = open(RESOLV_CONF, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	ssize_t n = fd >= 0 ? read(fd, text, sizeof(text) - 1) : 0;

	/* One that names nobody was not made by who wanted others than we do. */
	return n <= 0 || nrd_starts(text, OURS) != NULL || strstr(text, "nameserver") == NULL;
}

/* Who answers for names. What the zone's administrator wrote stays, unless the node is to maintain it. */
void
zone_resolvers_write(char *const *resolvers, const char *domain, bool maintain)
{
	NRD_AUTO(nrd_buf) text = { 0 };
	NRD_CLOSE int fd = -1;

	if (resolvers == NULL || (!maintain && !resolvers_are_ours()))
		return;
	(void)nrd_buf_adds(&text, OURS);
	if (domain != NULL && domain[0] != '\0')
		(void)nrd_buf_printf(&text, "search %s\n", domain);
	for (size_t i = 0; resolvers[i] != NULL; i++)
		(void)nrd_buf_printf(&text, "nameserver %s\n", resolvers[i]);
	/* A link that leads nowhere yet, as to a resolver's own file, is that program's business. */
	fd = open(RESOLV_CONF, O_WRONLY | O_CREAT | O_TRUNC | O_NONBLOCK | O_CLOEXEC, 0644);
	if (fd >= 0 && text.failed == 0)
		(void)!write(fd, nrd_buf_str(&text), text.len);
}

void
zone_names_fini(struct zone_names *names)
{
	nrd_strv_free(names->resolvers);
	free(names->domain);
	*names = (struct zone_names){ 0 };
}

void
zone_etc_write(const struct zone_config *c, const struct zone_names *names)
{
	write_hostid(zone_config_hostid(c));
	zone_resolvers_write(c->resolvers != NULL ? c->resolvers : names->resolvers,
			     names->domain != NULL && !zone_config_has_domain(c) ? names->domain : c->dns_domain, c->maintain_resolvers);
}
