/* SPDX-License-Identifier: MPL-2.0 */
/* Copyright 2026 The Nereid authors */
#include "nics/lease.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "link/prefix.h"
#include "nrd/buf.h"
#include "nrd/file.h"
#include "nrd/mem.h"
#include "nrd/str.h"
#include "nrd/vec.h"
#include "zone/config.h"

#define FILE_MAX_ ((size_t)4 << 20)

struct lease {
	struct nrd_mac mac;
	uint32_t address;
};

struct leases {
	struct lease *data;
	size_t len;
	size_t cap;
};

static void
leases_cleanup(struct leases *leases)
{
	nrd_vec_fini(leases);
}

/* A line that makes no sense is no lease. */
static int
add_line(struct nrd_str line, struct leases *leases)
{
	NRD_FREE char *text = nrd_str_dup(line);
	char *space = text != NULL ? strchr(text, ' ') : NULL;
	struct lease lease = { 0 };
	struct in_addr a;

	if (text == NULL)
		return -ENOMEM;
	if (space == NULL)
		return 0;
	*space = '\0';
	if (nrd_mac_parse(text, &lease.mac, NULL) < 0 || inet_pton(AF_INET, space + 1, &a) != 1)
		return 0;
	lease.address = ntohl(a.s_addr);
	return nrd_vec_push(leases, lease);
}

static int
leases_read(const char *path, struct leases *leases, struct nrd_err *err)
{
	NRD_FREE char *text = NULL;
	struct nrd_err why = { 0 };
	struct nrd_str rest, line;
	int r = nrd_file_read(path, FILE_MAX_, &text, NULL, &why);

	if (r == -ENOENT)
		return 0;
	if (r < 0)
		return nrd_fail(err, -r, "LeaseRead", "%s", why.msg);
	rest = nrd_str(text);
	while (nrd_str_split(&rest, '\n', &line))
		if (add_line(line, leases) < 0)
			return nrd_nomem(err);
	return 0;
}

static int
leases_write(const char *path, const struct leases *leases, struct nrd_err *err)
{
	NRD_AUTO(nrd_buf) text = { 0 };

	nrd_vec_each(l, leases) {
		char mac[NRD_MAC_TEXT], address[INET_ADDRSTRLEN];
		struct in_addr a = { .s_addr = htonl(l->address) };

		nrd_mac_format(&l->mac, mac);
		(void)inet_ntop(AF_INET, &a, address, sizeof(address));
		(void)nrd_buf_printf(&text, "%s %s\n", mac, address);
	}
	if (text.failed < 0)
		return nrd_nomem(err);
	return nrd_file_write(path, nrd_buf_str(&text), text.len, 0644, err);
}

static bool
in_pool(const struct node_dhcp *pool, uint32_t address)
{
	return address >= pool->first && address <= pool->last;
}

/* What of a pool somebody has. */
struct taken {
	const char *tag;
	const struct node_dhcp *pool;
	bool *addresses;    /* by their place in it */
	struct leases *old; /* of them those whose machine was seen get a place in `kept` */
	struct leases kept;
};

static void
take(struct taken *t, uint32_t address)
{
	if (in_pool(t->pool, address))
		t->addresses[address - t->pool->first] = true;
}

static int
keep_lease(struct taken *t, const struct nrd_mac *mac)
{
	nrd_vec_each(l, t->old) {
		if (!nrd_mac_equal(&l->mac, mac))
			continue;
		take(t, l->address);
		return nrd_vec_push(&t->kept, *l);
	}
	return 0;
}

static int
take_nic(struct taken *t, const struct zone_nic *nic)
{
	if (!nrd_streq(nic->nic_tag, t->tag))
		return 0;
	for (size_t i = 0; nic->ips != NULL && nic->ips[i] != NULL; i++) {
		struct switch_prefix ip;
		uint32_t address;

		if (!link_prefix_parse(nic->ips[i], &ip) || ip.family != AF_INET)
			continue;
		memcpy(&address, ip.addr, sizeof(address));
		take(t, ntohl(address));
	}
	return keep_lease(t, &nic->mac);
}

/* Of all machines of the node, whether they run or not. */
static int
take_all(struct taken *t, struct nrd_err *err)
{
	static const char *const only[] = { "zonename", "nics", NULL };
	NRD_STRV char **names = NULL;
	int r = zone_config_list(NULL, &names, err);

	for (size_t n = 0; r == 0 && names != NULL && names[n] != NULL; n++) {
		NRD_AUTO(zone_config) c = { 0 };

		/* One that cannot be read has nothing that could be asked. */
		if (zone_config_read_some(NULL, names[n], only, &c, NULL) < 0)
			continue;
		for (size_t i = 0; r == 0 && i < c.n_nics; i++)
			r = take_nic(t, &c.nics[i]) < 0 ? nrd_nomem(err) : 0;
	}
	return r;
}

static int
give(const char *path, struct taken *t, const struct nrd_mac *mac, uint32_t *ret_address, struct nrd_err *err)
{
	size_t n = (size_t)(t->pool->last - t->pool->first) + 1, i = 0;
	struct lease lease = { .mac = *mac };
	int r;

	t->addresses = calloc(n, sizeof(*t->addresses));
	if (t->addresses == NULL)
		return nrd_nomem(err);
	r = take_all(t, err);
	while (r == 0 && i < n && t->addresses[i])
		i++;
	if (r < 0)
		return r;
	if (i == n)
		return nrd_fail(err, ENOSPC, "PoolFull", "all %zu addresses of the DHCP pool of nic tag \"%s\" are given: enlarge it with nictagadm "
				"update -p dhcp_pool=...", n, t->tag);
	lease.address = t->pool->first + (uint32_t)i;
	if (nrd_vec_push(&t->kept, lease) < 0)
		return nrd_nomem(err);
	r = leases_write(path, &t->kept, err);
	if (r == 0)
		*ret_address = lease.address;
	return r;
}

int
nics_lease(const char *tag, const struct node_dhcp *pool, const struct nrd_mac *mac, uint32_t *ret_address, struct nrd_err *err)
{
	__attribute__((cleanup(leases_cleanup))) struct leases leases = { 0 };
	struct taken taken = { .tag = tag, .pool = pool, .old = &leases };
	NRD_FREE char *path = nrd_format("%s/%s", NICS_LEASES, tag);
	int r = path != NULL ? nrd_mkdir_p(NICS_LEASES, 0755, err) : nrd_nomem(err);

	if (r < 0)
		return r;
	NRD_CLOSE int lock = open(NICS_LEASES, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (lock < 0 || flock(lock, LOCK_EX) < 0)
		return nrd_fail(err, errno, "LeaseRead", "lock %s: %m", NICS_LEASES);
	r = leases_read(path, &leases, err);
	if (r < 0)
		return r;
	nrd_vec_each(l, &leases) {
		if (!nrd_mac_equal(&l->mac, mac) || !in_pool(pool, l->address))
			continue;
		*ret_address = l->address;
		return 0;
	}
	r = give(path, &taken, mac, ret_address, err);
	free(taken.addresses);
	nrd_vec_fini(&taken.kept);
	return r;
}
