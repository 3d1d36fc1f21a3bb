/* SPDX-License-Identifier: MPL-2.0 */
/* Copyright 2026 The Nereid authors */

#include "link/nic.h"

#include <arpa/inet.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "link/nic-priv.h"
#include "nrd/file.h"
#include "nrd/mem.h"
#include "nrd/str.h"
#include "nrd/vec.h"

#define NICS_MAX 65536 /* with a VNIC for each machine; beyond it something is broken */

const char *
link_state_name(enum link_state state)
{
	static const char *const names[] = {
		[LINK_UNKNOWN] = "unknown",
		[LINK_DOWN] = "down",
		[LINK_UP] = "up",
	};

	return names[state];
}

void
link_addr_format(const struct link_addr *addr, char ret_text[LINK_ADDR_TEXT])
{
	_Static_assert(LINK_ADDR_TEXT >= INET6_ADDRSTRLEN, "room for any address");
	if (inet_ntop(addr->family, addr->b, ret_text, LINK_ADDR_TEXT) == NULL)
		ret_text[0] = '\0';
}

/* The place of the first one whose index is not smaller. */
static size_t
lower_bound(const struct link_nic *nics, size_t n, unsigned index)
{
	size_t low = 0;

	while (low < n) {
		size_t mid = low + (n - low) / 2;

		if (nics[mid].index < index)
			low = mid + 1;
		else
			n = mid;
	}
	return low;
}

struct link_nic *
nic_list_add(struct nic_list *list, unsigned index)
{
	size_t at = lower_bound(list->data, list->len, index);

	if (list->len >= NICS_MAX ||
	    nrd_vec_grow(&list->data, list->len, &list->cap, 1, sizeof(*list->data)) < 0)
		return NULL;
	memmove(&list->data[at + 1], &list->data[at], (list->len - at) * sizeof(*list->data));
	list->data[at] = (struct link_nic){ .index = index, .bond_mode = -1 };
	list->len++;
	return &list->data[at];
}

struct link_nic *
nic_list_find(struct nic_list *list, unsigned index)
{
	size_t at = lower_bound(list->data, list->len, index);

	return at < list->len && list->data[at].index == index ? &list->data[at] : NULL;
}

void
nic_list_fini(struct nic_list *list)
{
	for (size_t i = 0; i < list->len; i++)
		free(list->data[i].addrs);
	free(list->data);
	*list = (struct nic_list){ 0 };
}

/* The last part of what a link in sysfs points to; false when there is no such link. */
static bool
link_target(int dirfd, const char *path, char *dst, size_t size)
{
	char target[1024];
	ssize_t n = readlinkat(dirfd, path, target, sizeof(target) - 1);
	const char *slash;

	if (n <= 0)
		return false;
	target[n] = '\0';
	slash = strrchr(target, '/');
	/* A name that does not fit is not worth cutting: it would name something else. */
	return nrd_strcpy_to(dst, size, slash == NULL ? target : slash + 1) == 0 && dst[0] != '\0';
}

static uint64_t
attr_number(int dirfd, const char *path)
{
	uint64_t v;

	return nrd_attr_read_u64(dirfd, path, &v, NULL) < 0 ? 0 : v;
}

/* Without a carrier the kernel answers -1, or refuses. */
static uint64_t
speed_of(int dirfd, const char *path)
{
	uint64_t mbit = attr_number(dirfd, path);

	return mbit > UINT32_MAX - 1 ? 0 : mbit;
}

uint64_t
link_speed_read(const char *name)
{
	NRD_FREE char *path = nrd_format("/sys/class/net/%s/speed", name);

	return path != NULL ? speed_of(AT_FDCWD, path) : 0;
}

/* What rtnetlink does not tell. */
static void
sysfs_extra(int dirfd, struct link_nic *nic)
{
	nic->speed_mbit = speed_of(dirfd, "speed");
	(void)link_target(dirfd, "device/driver", nic->driver, sizeof(nic->driver));
}

static void
sysfs_kind(int dirfd, struct link_nic *nic)
{
	static const struct {
		const char *dir, *kind;
	} kinds[] = {
		{ "bonding", "bond" },
		{ "bridge", "bridge" },
		{ "tun_flags", "tun" },
	};

	for (size_t i = 0; i < nrd_count(kinds); i++)
		if (faccessat(dirfd, kinds[i].dir, F_OK, 0) == 0)
			(void)nrd_strcpy_to(nic->kind, sizeof(nic->kind), kinds[i].kind);
}

static void
sysfs_state(int dirfd, struct link_nic *nic)
{
	char text[32];

	nic->admin_up = true;
	if (nrd_attr_read(dirfd, "operstate", text, sizeof(text), NULL) < 0)
		return;
	if (nrd_streq(text, "up"))
		nic->state = LINK_UP;
	else if (nrd_streq(text, "down") || nrd_streq(text, "lowerlayerdown") ||
		 nrd_streq(text, "dormant") || nrd_streq(text, "notpresent"))
		nic->state = LINK_DOWN;
}

static int
sysfs_nic(int dirfd, const char *name, struct nic_list *list, struct nrd_err *err)
{
	struct link_nic nic = { .bond_mode = -1 }, *slot;
	uint64_t type = attr_number(dirfd, "type"), index = attr_number(dirfd, "ifindex");
	char text[64];

	if (nrd_strcpy_to(nic.name, sizeof(nic.name), name) < 0 || index == 0 ||
	    index > INT32_MAX || nic_list_find(list, (unsigned)index) != NULL)
		return 0;
	nic.index = (unsigned)index;
	nic.mtu = (unsigned)attr_number(dirfd, "mtu");
	nic.loopback = nrd_streq(name, "lo");
	if (nrd_attr_read(dirfd, "address", text, sizeof(text), NULL) == 0)
		nic.has_mac = nrd_mac_parse(text, &nic.mac, NULL) == 0;
	nic.perm_mac = nic.mac;
	/* A port of a bond wears the bond's MAC and keeps its own here. */
	if (nrd_attr_read(dirfd, "bonding_slave/perm_hwaddr", text, sizeof(text), NULL) == 0)
		(void)nrd_mac_parse(text, &nic.perm_mac, NULL);
	if (nrd_attr_read(dirfd, "bonding/mode", text, sizeof(text), NULL) == 0) {
		const char *blank = strchr(text, ' ');
		uint64_t mode;

		if (blank != NULL && nrd_parse_u64(blank + 1, 0, 255, &mode, NULL) == 0)
			nic.bond_mode = (int)mode;
	}
	sysfs_kind(dirfd, &nic);
	sysfs_state(dirfd, &nic);
	sysfs_extra(dirfd, &nic);
	nic.physical = link_target(dirfd, "device", nic.bus, sizeof(nic.bus)) && type == 1;
	nic.master = (unsigned)attr_number(dirfd, "master/ifindex");
	slot = nic_list_add(list, nic.index);
	if (slot == NULL)
		return nrd_nomem(err);
	*slot = nic;
	return 0;
}

static int
class_open(const char *sysfs, int *ret_fd, struct nrd_err *err)
{
	NRD_FREE char *path = nrd_path_join(sysfs, "class/net");
	int fd;

	if (path == NULL)
		return nrd_nomem(err);
	fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return nrd_fail(err, errno, "LinkList", "open %s: %m", path);
	*ret_fd = fd;
	return 0;
}

static int
sysfs_read(const char *sysfs, struct nic_list *list, struct nrd_err *err)
{
	NRD_CLOSEDIR DIR *dir = NULL;
	const struct dirent *e;
	int fd = -1, r = class_open(sysfs, &fd, err);

	if (r < 0)
		return r;
	dir = fdopendir(fd);
	if (dir == NULL) {
		nrd_closep(&fd);
		return nrd_nomem(err);
	}
	while (r == 0 && (e = readdir(dir)) != NULL) {
		NRD_CLOSE int nic = -1;

		if (e->d_name[0] == '.')
			continue;
		nic = openat(dirfd(dir), e->d_name, O_PATH | O_DIRECTORY | O_CLOEXEC);
		if (nic >= 0)
			r = sysfs_nic(nic, e->d_name, list, err);
	}
	return r;
}

static int
kernel_read(struct nic_list *list, struct nrd_err *err)
{
	NRD_CLOSE int class = -1;
	int r = nic_dump_read(list, err);

	/* Without /sys (a zone) the list is as good, only less is known. */
	if (r < 0 || class_open("/sys", &class, NULL) < 0)
		return r;
	for (size_t i = 0; i < list->len; i++) {
		NRD_CLOSE int nic = -1;

		if (!list->data[i].physical && !nrd_streq(list->data[i].kind, "bond"))
			continue;
		nic = openat(class, list->data[i].name, O_PATH | O_DIRECTORY | O_CLOEXEC);
		if (nic >= 0)
			sysfs_extra(nic, &list->data[i]);
	}
	return 0;
}

int
link_nics_read(const char *sysfs, unsigned flags, struct link_nics *ret_nics, struct nrd_err *err)
{
	struct nic_list list = { 0 };
	size_t kept = 0;
	int r = sysfs == NULL ? kernel_read(&list, err) : sysfs_read(sysfs, &list, err);

	if (r < 0) {
		nic_list_fini(&list);
		return r;
	}
	for (size_t i = 0; i < list.len; i++) {
		if ((flags & LINK_NICS_PHYSICAL) != 0 && !list.data[i].physical) {
			free(list.data[i].addrs);
			continue;
		}
		list.data[kept++] = list.data[i];
	}
	*ret_nics = (struct link_nics){ .nics = list.data, .n = kept };
	return 0;
}

void
link_nics_fini(struct link_nics *nics)
{
	for (size_t i = 0; i < nics->n; i++)
		free(nics->nics[i].addrs);
	free(nics->nics);
	*nics = (struct link_nics){ 0 };
}

void
link_nics_cleanup(struct link_nics *nics)
{
	link_nics_fini(nics);
}

const struct link_nic *
link_nics_by_name(const struct link_nics *nics, const char *name)
{
	for (size_t i = 0; i < nics->n; i++)
		if (nrd_streq(nics->nics[i].name, name))
			return &nics->nics[i];
	return NULL;
}

const struct link_nic *
link_nics_by_index(const struct link_nics *nics, unsigned index)
{
	size_t at = lower_bound(nics->nics, nics->n, index);

	return at < nics->n && nics->nics[at].index == index ? &nics->nics[at] : NULL;
}

const struct link_nic *
link_nics_by_mac(const struct link_nics *nics, const struct nrd_mac *mac)
{
	const struct link_nic *second = NULL, *third = NULL;

	for (size_t i = 0; i < nics->n; i++) {
		const struct link_nic *nic = &nics->nics[i];

		if (!nic->has_mac)
			continue;
		if (nic->physical && nrd_mac_equal(&nic->perm_mac, mac))
			return nic;
		if (nrd_mac_equal(&nic->mac, mac)) {
			if (nic->physical && second == NULL)
				second = nic;
			else if (third == NULL)
				third = nic;
		}
	}
	return second != NULL ? second : third;
}
