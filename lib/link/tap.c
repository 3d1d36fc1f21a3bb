/* SPDX-License-Identifier: MPL-2.0 */
/* Copyright 2026 The Nereid authors */
#include "link/tap.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/if.h>
#include <linux/if_tun.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "link/rtnl-priv.h"
#include "link/veth.h"
#include "nrd/fault.h"
#include "nrd/mem.h"
#include "nrd/str.h"

#define TUN "/dev/net/tun"
#define MTU_DEFAULT 1500

/* The first queue makes the device, the others are added to it. */
static int
open_queue(const char *name, bool several, int *ret_fd, struct nrd_err *err)
{
	NRD_CLOSE int fd = open(TUN, O_RDWR | O_CLOEXEC);
	/* With the header in which a guest says what it leaves for the wire to do: checksums, cutting into segments. */
	struct ifreq ifr = { .ifr_flags = IFF_TAP | IFF_NO_PI | IFF_VNET_HDR };

	if (several)
		ifr.ifr_flags |= IFF_MULTI_QUEUE;
	if (fd < 0)
		return nrd_fail(err, errno, "TapCreate", "open " TUN ": %m");
	if (nrd_strcpy_to(ifr.ifr_name, sizeof(ifr.ifr_name), name) < 0)
		return nrd_fail(err, EINVAL, "TapName", "create tap '%s': its name is too long", name);
	if (ioctl(fd, TUNSETIFF, &ifr) < 0)
		return nrd_fail(err, errno, errno == EBUSY ? "TapName" : "TapCreate", "create tap '%s': %m", name);
	*ret_fd = nrd_take_fd(&fd);
	return 0;
}

int
tap_add_queue(const char *name, int *ret_fd, struct nrd_err *err)
{
	int r = nrd_fault(err, "add a queue to tap %s", name);

	if (r < 0)
		return r;
	if (rtnl_index(name) == 0)
		return nrd_fail(err, ENODEV, "TapCreate", "add a queue to tap '%s': it is gone", name);
	return open_queue(name, true, ret_fd, err);
}

int
tap_create(const char *name, bool several, unsigned mtu, const char *alias, int *ret_fd, unsigned *ret_ifindex, struct nrd_err *err)
{
	NRD_CLOSE int fd = -1;
	unsigned ifindex = 0;
	int r = nrd_fault(err, "create tap %s", name);

	if (r >= 0 && rtnl_index(name) != 0)
		return nrd_fail(err, EEXIST, "TapName", "create tap '%s': its name is taken", name);
	if (r >= 0)
		r = open_queue(name, several, &fd, err);
	if (r < 0)
		return r;
	ifindex = rtnl_index(name);
	if (ifindex == 0)
		return nrd_fail(err, ENODEV, "TapCreate", "find tap '%s' that was just made", name);
	r = link_set_mute(ifindex, err);
	if (r >= 0 && mtu != 0 && mtu != MTU_DEFAULT)
		r = link_set_mtu(ifindex, mtu, err);
	if (r >= 0)
		r = link_set_alias(ifindex, alias, err);
	if (r < 0)
		return nrd_wrap(err, r, "create tap '%s'", name);
	*ret_ifindex = ifindex;
	*ret_fd = nrd_take_fd(&fd);
	return 0;
}
