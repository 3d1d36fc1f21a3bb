/* SPDX-License-Identifier: MPL-2.0 */
/* Copyright 2026 The Nereid authors */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "nrd/err.h"

/*
 * Rules for the values an operator gives, for /usbkey/config, answers.json and the commands. All
 * have the form of nrd_check_fn: 0, or -EINVAL with code "BadValue" and a message `"TEXT" is not
 * ...` to be wrapped with the property's name.
 */
int node_check_ip4(const char *s, struct nrd_err *err);         /* a host's address: no multicast,
								   no 0/8, no 127/8 */
int node_check_ip4_dhcp(const char *s, struct nrd_err *err);    /* that, or "dhcp" */
int node_check_ip4_none(const char *s, struct nrd_err *err);    /* that, or "none" */
int node_check_ip4_network(const char *s, struct nrd_err *err); /* any dotted quad */
int node_check_netmask(const char *s, struct nrd_err *err);     /* 255.255.255.0 */
int node_check_ip6(const char *s, struct nrd_err *err);         /* a host's address */
int node_check_ip6_plen(const char *s, struct nrd_err *err);    /* ADDRESS/LENGTH or "addrconf" */
int node_check_ip(const char *s, struct nrd_err *err);          /* either family */
int node_check_ip_list(const char *s, struct nrd_err *err);     /* by commas, at most 64 */
int node_check_ip4_list(const char *s, struct nrd_err *err);     /* by commas, at most 4 */
int node_check_dhcp_pool(const char *s, struct nrd_err *err);    /* 10.0.0.100-10.0.0.199/24 */
int node_check_dhcp_lease(const char *s, struct nrd_err *err);   /* seconds, a minute or more */
int node_check_mac(const char *s, struct nrd_err *err);         /* not zero, not multicast */
int node_check_mac_list(const char *s, struct nrd_err *err);    /* by commas, at most 64 */
int node_check_aggr(const char *s, struct nrd_err *err);        /* aggr0 ... aggr99999 */
int node_check_nic(const char *s, struct nrd_err *err);         /* a MAC or an aggregation */
int node_check_lacp(const char *s, struct nrd_err *err);        /* off, active, passive */
int node_check_device(const char *s, struct nrd_err *err);      /* veth, netkit */
int node_check_mtu(const char *s, struct nrd_err *err);         /* 1500..9000 */
int node_check_vlan(const char *s, struct nrd_err *err);        /* 0..4094 */
int node_check_bool(const char *s, struct nrd_err *err);        /* true, false */
int node_check_hostname(const char *s, struct nrd_err *err);    /* RFC 1123, at most 63 */
int node_check_domain(const char *s, struct nrd_err *err);      /* labels by dots, at most 253 */
int node_check_host_list(const char *s, struct nrd_err *err);   /* names or addresses by commas */
int node_check_tag(const char *s, struct nrd_err *err);         /* NIC tag: [A-Za-z0-9_]{1,30} */
int node_check_etherstub(const char *s, struct nrd_err *err);   /* that up to 31, a digit last */
int node_check_etherstub_list(const char *s, struct nrd_err *err);
int node_check_file_name(const char *s, struct nrd_err *err);   /* one below config.inc */
int node_check_shadow(const char *s, struct nrd_err *err);      /* a crypt(5) hash */
int node_check_keymap(const char *s, struct nrd_err *err);
int node_check_pool(const char *s, struct nrd_err *err);        /* name of a pool */

/* The prefix length of a netmask: 24 for 255.255.255.0. As node_check_netmask. */
int node_netmask_prefix(const char *s, unsigned *ret_prefix, struct nrd_err *err);

/* What node_check_dhcp_pool takes: its first and last address, in the processor's byte order, and the network's length. */
int node_dhcp_pool_parse(const char *s, uint32_t *ret_first, uint32_t *ret_last, unsigned *ret_bits, struct nrd_err *err);

/*
 * The rules between address, netmask and gateway (NULL or "none": no gateway): the address is
 * neither the network's own nor its broadcast address, the gateway is on the network and is not
 * the address. "BadNetwork" (-EINVAL).
 */
int node_check_network(const char *ip, const char *netmask, const char *gateway,
		       struct nrd_err *err);
