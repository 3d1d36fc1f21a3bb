/* SPDX-License-Identifier: MPL-2.0 */
/* Copyright 2026 The Nereid authors */

/* Uplinks: the node's NICs that segments go out by. */
#include <errno.h>
#include <linux/bpf.h>
#include <linux/neighbour.h>
#include <linux/pkt_sched.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "link/bpf-priv.h"
#include "link/rtnl-priv.h"
#include "link/switch-priv.h"
#include "nrd/fault.h"
#include "nrd/file.h"
#include "nrd/str.h"

#define FLOW_FRAMES 1000 /* a capped sender's socket holds fewer; a guest's has no say */

/* A queue that somebody chose stays; one that the kernel gave by itself has no handle. */
static int
queue_start(unsigned ifindex, const char *kind)
{
	struct tcmsg body = {
		.tcm_ifindex = (int)ifindex, .tcm_parent = TC_H_ROOT, .tcm_handle = TC_H_MAKE(1u << 16, 0),
	};
	struct rtnl_msg msg;
	size_t options;
	int r;

	rtnl_begin(&msg, RTM_NEWQDISC, NLM_F_CREATE | NLM_F_EXCL, &body, sizeof(body));
	rtnl_add_text(&msg, TCA_KIND, kind);
	if (nrd_streq(kind, "fq")) {
		options = rtnl_nest(&msg, TCA_OPTIONS);
		rtnl_add_u32(&msg, TCA_FQ_FLOW_PLIMIT, FLOW_FRAMES);
		rtnl_end(&msg, options);
	}
	r = rtnl_send(&msg);
	return r == -EEXIST ? 0 : r;
}

int
switch_pace_start(unsigned ifindex)
{
	return queue_start(ifindex, "fq");
}

/*
 * What capped ports send to the wire is held back here. A NIC of several queues gets one of the
 * kernel's default kind for each, which is fq on a node (sysctl net.core.default_qdisc).
 */
static void
pace_uplink(unsigned ifindex)
{
	char name[IF_NAMESIZE], device[64], second[64];

	if (if_indextoname(ifindex, name) == NULL)
		return;
	(void)snprintf(device, sizeof(device), "/sys/class/net/%s/device", name);
	(void)snprintf(second, sizeof(second), "/sys/class/net/%s/queues/tx-1", name);
	(void)queue_start(ifindex, nrd_path_exists(device) && nrd_path_exists(second) ? "mq" : "fq");
}

/* ---- what the NIC takes in ---- */

static int
filter_change(unsigned ifindex, const uint8_t mac[6], bool add)
{
	struct ndmsg body = {
		.ndm_family = AF_BRIDGE,
		.ndm_ifindex = (int)ifindex,
		.ndm_state = NUD_PERMANENT,
		.ndm_flags = NTF_SELF,
	};
	struct rtnl_msg msg;
	int r;

	rtnl_begin(&msg, add ? RTM_NEWNEIGH : RTM_DELNEIGH, add ? NLM_F_CREATE | NLM_F_EXCL : 0, &body,
		   sizeof(body));
	rtnl_add(&msg, NDA_LLADDR, mac, 6);
	r = rtnl_send(&msg);
	return r == -EEXIST ? 0 : r;
}

static void
hear_all(unsigned ifindex)
{
	struct ifinfomsg body = {
		.ifi_index = (int)ifindex, .ifi_flags = IFF_PROMISC, .ifi_change = IFF_PROMISC,
	};
	struct rtnl_msg msg;

	rtnl_begin(&msg, RTM_NEWLINK, 0, &body, sizeof(body));
	(void)rtnl_send(&msg);
}

/* NICs that filter VLANs pass one only when it is named by a device on it, which we have not. */
static void
hear(unsigned uplink, unsigned vid, const uint8_t mac[6])
{
	if (filter_change(uplink, mac, true) < 0 || vid != 0)
		hear_all(uplink);
}

void
switch_uplink_hear(struct link_switch *sw, const struct switch_port_row *row,
		   const struct nrd_mac *macs, size_t n)
{
	struct switch_segment_row segment;

	if (switch_segment_read(sw, row->segment, &segment, NULL) < 0 || segment.uplink == 0 || segment.tunnel)
		return;
	for (size_t i = 0; i < n; i++)
		hear(segment.uplink, row->vid, macs[i].b);
}

/* The address may be a port's on another VLAN of the segment still. */
void
switch_uplink_forget(struct link_switch *sw, uint32_t segment, const uint8_t mac[6])
{
	struct switch_segment_row row;
	struct switch_fdb_key key, next;
	bool more;

	if (switch_segment_read(sw, segment, &row, NULL) < 0 || row.uplink == 0 || row.tunnel)
		return;
	for (more = link_bpf_next(sw->maps[MAP_fdb], NULL, &next) == 0; more;
	     more = link_bpf_next(sw->maps[MAP_fdb], &key, &next) == 0) {
		key = next;
		if (key.segment == segment && memcmp(key.mac, mac, sizeof(key.mac)) == 0)
			return;
	}
	(void)filter_change(row.uplink, mac, false);
}

/* Every address of the segment, at an uplink that is new to it. */
static void
hear_segment(struct link_switch *sw, uint32_t segment, unsigned uplink)
{
	struct switch_fdb_key key, next;
	bool more;

	for (more = link_bpf_next(sw->maps[MAP_fdb], NULL, &next) == 0; more;
	     more = link_bpf_next(sw->maps[MAP_fdb], &key, &next) == 0) {
		key = next;
		if (key.segment == segment)
			hear(uplink, key.vid, key.mac);
	}
}

/* ---- attaching ---- */

static int
interface_read(unsigned ifindex, struct nrd_mac *ret_mac, unsigned *ret_mtu, struct nrd_err *err)
{
	NRD_CLOSE int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	struct ifreq req = { 0 };

	if (fd < 0)
		return nrd_fail(err, errno, "UplinkAttach", "open a socket: %m");
	if (if_indextoname(ifindex, req.ifr_name) == NULL)
		return nrd_fail(err, ENODEV, "UplinkAttach", "attach uplink %u: there is no such interface",
				ifindex);
	if (ioctl(fd, SIOCGIFMTU, &req) < 0)
		return nrd_fail(err, errno, "UplinkAttach", "read the MTU of %s: %m", req.ifr_name);
	*ret_mtu = (unsigned)req.ifr_mtu;
	if (ioctl(fd, SIOCGIFHWADDR, &req) < 0)
		return nrd_fail(err, errno, "UplinkAttach", "read the MAC address of %s: %m", req.ifr_name);
	memcpy(ret_mac->b, req.ifr_hwaddr.sa_data, sizeof(ret_mac->b));
	return 0;
}

static void
detach(struct link_switch *sw, unsigned ifindex)
{
	switch_link_detach(sw, ifindex, PROGRAM_from_wire);
	switch_link_detach(sw, ifindex, PROGRAM_from_host);
	(void)link_bpf_del(sw->maps[MAP_uplinks], &ifindex);
}

static int
uplink_check(struct link_switch *sw, uint32_t segment, const struct switch_segment_row *row,
	     unsigned ifindex, struct nrd_err *err)
{
	struct switch_uplink_row other;
	struct switch_port_row port;
	char name[SWITCH_IFNAME], has[SWITCH_IFNAME];

	switch_ifname(ifindex, name);
	if (link_bpf_get(sw->maps[MAP_ports], &ifindex, &port) == 0)
		return nrd_fail(err, EBUSY, "UplinkInUse", "attach uplink %s: it is a port", name);
	if (link_bpf_get(sw->maps[MAP_uplinks], &ifindex, &other) == 0 && other.segment != segment &&
	    switch_link_alive(sw, ifindex, PROGRAM_from_wire))
		return nrd_fail(err, EBUSY, "UplinkInUse",
				"attach uplink %s to '%s': it is that of another segment", name, row->name);
	if (row->uplink != 0 && row->uplink != ifindex &&
	    switch_link_alive(sw, row->uplink, PROGRAM_from_wire)) {
		switch_ifname(row->uplink, has);
		return nrd_fail(err, EBUSY, "UplinkInUse", "attach uplink %s to '%s': %s is its uplink",
				name, row->name, has);
	}
	return 0;
}

/* Rows first: the programs leave to the node what they do not know. */
static int
attach(struct link_switch *sw, uint32_t segment, struct switch_segment_row *row, unsigned ifindex,
       bool tunnel, struct nrd_err *err)
{
	struct switch_uplink_row uplink = { .segment = segment, .tunnel = tunnel };
	struct nrd_mac mac;
	unsigned mtu = 0;
	int r = interface_read(ifindex, &mac, &mtu, err);

	if (r < 0)
		return r;
	memcpy(uplink.host_mac, mac.b, sizeof(mac.b));
	r = link_bpf_set(sw->maps[MAP_uplinks], &ifindex, &uplink);
	if (r < 0)
		return switch_map_failed(r, "uplinks", err);
	r = switch_link_attach(sw, ifindex, PROGRAM_from_wire, BPF_TCX_INGRESS, err);
	if (r >= 0)
		r = switch_link_attach(sw, ifindex, PROGRAM_from_host, BPF_TCX_EGRESS, err);
	if (r >= 0)
		r = nrd_fault(err, "write the segment's row");
	if (r < 0)
		return r;
	row->uplink = ifindex;
	row->mtu = mtu;
	row->tunnel = tunnel;
	memcpy(row->host_mac, mac.b, sizeof(mac.b));
	r = link_bpf_set(sw->maps[MAP_segments], &segment, row);
	return r < 0 ? switch_map_failed(r, "segments", err) : 0;
}

static int
attach_locked(struct link_switch *sw, uint32_t segment, unsigned ifindex, bool tunnel, struct nrd_err *err)
{
	struct switch_segment_row row;
	NRD_CLOSE int lock = -1;
	unsigned before;
	int r = switch_lock(sw, &lock, err);

	if (r >= 0)
		r = switch_segment_read(sw, segment, &row, err);
	if (r >= 0)
		r = uplink_check(sw, segment, &row, ifindex, err);
	if (r < 0)
		return r;
	before = row.uplink;
	r = attach(sw, segment, &row, ifindex, tunnel, err);
	if (r < 0) {
		if (before != ifindex)
			detach(sw, ifindex);
		return r;
	}
	if (before != 0 && before != ifindex)
		detach(sw, before);
	/* What a tunnel takes in, its own table says. */
	if (!tunnel)
		hear_segment(sw, segment, ifindex);
	pace_uplink(ifindex);
	return 0;
}

int
switch_uplink_attach(struct link_switch *sw, uint32_t segment, unsigned ifindex, struct nrd_err *err)
{
	return attach_locked(sw, segment, ifindex, false, err);
}

int
switch_tunnel_attach(struct link_switch *sw, uint32_t segment, unsigned ifindex, struct nrd_err *err)
{
	return attach_locked(sw, segment, ifindex, true, err);
}

int
switch_uplink_detach(struct link_switch *sw, uint32_t segment, struct nrd_err *err)
{
	struct switch_segment_row row;
	struct switch_fdb_key key, next;
	NRD_CLOSE int lock = -1;
	unsigned ifindex;
	bool more, tunnel;
	int r = switch_lock(sw, &lock, err);

	if (r >= 0)
		r = switch_segment_read(sw, segment, &row, err);
	if (r < 0 || row.uplink == 0)
		return r;
	ifindex = row.uplink;
	tunnel = row.tunnel != 0;
	row.uplink = 0;
	row.mtu = 0;
	row.tunnel = 0;
	memset(row.host_mac, 0, sizeof(row.host_mac));
	r = link_bpf_set(sw->maps[MAP_segments], &segment, &row);
	if (r < 0)
		return switch_map_failed(r, "segments", err);
	detach(sw, ifindex);
	for (more = link_bpf_next(sw->maps[MAP_fdb], NULL, &next) == 0; more;
	     more = link_bpf_next(sw->maps[MAP_fdb], &key, &next) == 0) {
		key = next;
		if (key.segment == segment && !tunnel)
			(void)filter_change(ifindex, key.mac, false);
	}
	return 0;
}

size_t
switch_uplinks_clean(struct link_switch *sw)
{
	struct switch_segment_row row;
	size_t n = 0;

	for (uint32_t segment = 1; segment < SWITCH_SEGMENTS_MAX; segment++) {
		unsigned ifindex;

		if (switch_segment_read(sw, segment, &row, NULL) < 0 || row.uplink == 0 ||
		    switch_link_alive(sw, row.uplink, PROGRAM_from_wire))
			continue;
		ifindex = row.uplink;
		row.uplink = 0;
		(void)link_bpf_set(sw->maps[MAP_segments], &segment, &row);
		detach(sw, ifindex);
		n++;
	}
	return n;
}
