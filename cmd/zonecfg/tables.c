/* SPDX-License-Identifier: MPL-2.0 */
/* Copyright 2026 The Nereid authors */
#include "tables.h"

#include <string.h>

#define BOOLEAN "true false"
#define MIB 20
#define GIB 30

static const struct cfg_prop zone_props[] = {
	{ "zonename", "zonename", CFG_TEXT, CFG_ALWAYS | CFG_FROZEN | CFG_DERIVED,
	  .help = "the zone's name" },
	/* Before what follows from it: an export sets them in this order. */
	{ "zpool", "zpool", CFG_TEXT, CFG_FROZEN | CFG_DERIVED, .help = "the pool it is on" },
	{ "zonepath", "zonepath", CFG_TEXT, CFG_ALWAYS | CFG_FROZEN | CFG_DERIVED,
	  .help = "directory of the zone; its root is below, in root" },
	{ "brand", "brand", CFG_TEXT, CFG_ALWAYS | CFG_FROZEN, .values = "native lx kvm",
	  .help = "what runs in it: the platform's own programs, a Linux distribution, a guest" },
	{ "autoboot", "autoboot", CFG_TEXT, CFG_ALWAYS, .values = BOOLEAN,
	  .help = "boot it with the node" },
	{ "bootargs", "bootargs", CFG_TEXT, CFG_ALWAYS, .help = "arguments for its init" },
	{ "limitpriv", "limit_priv", CFG_TEXTS, CFG_ALWAYS | CFG_COMMAS,
	  .help = "its privileges: default, NAME to add, -NAME to take away" },
	{ "ip-type", NULL, CFG_IP_TYPE, CFG_ALWAYS, .values = "exclusive",
	  .help = "every zone has its own network stack" },
	{ "hostid", "hostid", CFG_HEX, CFG_ALWAYS, .help = "hexadecimal, 0 to fffffffe" },
	{ "fs-allowed", "fs_allowed", CFG_TEXTS, CFG_ALWAYS | CFG_COMMAS,
	  .help = "more types of filesystems that may be mounted inside" },
	{ "cpu-shares", "cpu_shares", CFG_TEXT, CFG_CONTROL,
	  .help = "weight against other zones, 1 to 65535" },
	{ "max-lwps", "max_lwps", CFG_TEXT, CFG_CONTROL, .help = "threads" },
	{ "max-processes", "max_processes", CFG_TEXT, CFG_CONTROL, .help = "processes" },
	{ "max-msg-ids", "max_msg_ids", CFG_TEXT, CFG_CONTROL, .help = "message queues" },
	{ "max-sem-ids", "max_sem_ids", CFG_TEXT, CFG_CONTROL, .help = "semaphore sets" },
	{ "max-shm-ids", "max_shm_ids", CFG_TEXT, CFG_CONTROL, .help = "shared memory segments" },
	{ "max-shm-memory", "max_shm_memory", CFG_BYTES, CFG_CONTROL, MIB,
	  .help = "shared memory, such as 512m" },
	{ "zfs-io-priority", "zfs_io_priority", CFG_TEXT, CFG_CONTROL,
	  .help = "weight against other zones" },
	{ "tmpfs", "tmpfs", CFG_BYTES, 0, MIB, .help = "size of /tmp; 0: it is on disk" },
	{ "quota", "quota", CFG_BYTES, CFG_CONTROL, GIB, .help = "disk space of its dataset" },
	{ "alias", "alias", CFG_TEXT, .help = "a name for people" },
	{ "hostname", "hostname", CFG_TEXT, .help = "default: the zone's name" },
	{ "dns-domain", "dns_domain", CFG_TEXT, .help = "the domain of its name" },
	{ "resolvers", "resolvers", CFG_TEXTS, CFG_COMMAS, .help = "addresses of name servers" },
	{ "maintain-resolvers", "maintain_resolvers", CFG_TEXT, .values = BOOLEAN,
	  .help = "a change of resolvers is written into the zone" },
	{ "init-name", "init_name", CFG_TEXT, .help = "path of its init" },
	{ "init-args", "init_args", CFG_TEXTS, CFG_WHOLE, .help = "its arguments" },
	{ "init-env", "init_env", CFG_TEXTS, CFG_WHOLE, .help = "its environment, NAME=value" },
	{ "init-user", "init_user", CFG_TEXT, .help = "uid, uid:gid or names" },
	{ "init-dir", "init_dir", CFG_TEXT, .help = "its working directory" },
	{ "restart-init", "restart_init", CFG_TEXT, .values = BOOLEAN,
	  .help = "start init again when it dies" },
	{ "docker", "docker", CFG_TEXT, .values = BOOLEAN,
	  .help = "the zone lives as long as its process" },
	{ "docker-tty", "docker_tty", CFG_TEXT, .values = BOOLEAN,
	  .help = "that process has a terminal, the console" },
	{ "docker-stdin", "docker_stdin", CFG_TEXT, .values = BOOLEAN,
	  .help = "its standard input is open, for zlogin -I" },
	{ "kernel-version", "kernel_version", CFG_TEXT, .help = "what uname -r says in an lx zone" },
	{ "nesting", "nesting", CFG_TEXT, .values = BOOLEAN,
	  .help = "may have containers of its own" },
	{ "zfs-filesystem", "zfs_filesystem", CFG_TEXT, CFG_FROZEN | CFG_DERIVED,
	  .help = "dataset of its root; \"\": zonepath is a plain directory" },
	{ "image-uuid", "image_uuid", CFG_TEXT, .help = "the image it is made from" },
	{ "owner-uuid", "owner_uuid", CFG_TEXT, .help = "whose it is" },
	{ "billing-id", "billing_id", CFG_TEXT, .help = "who pays" },
	{ "pool", .kind = CFG_REFUSED,
	  .help = "Linux has no resource pools; use dedicated-cpu, capped-cpu or cpu-shares" },
	{ "scheduling-class", .kind = CFG_REFUSED,
	  .help = "all zones share the CPUs by weight; use cpu-shares" },
	{ "file-mac-profile", .kind = CFG_REFUSED,
	  .help = "Linux has no such profiles; use fs with the option ro" },
	{ NULL },
};

const struct cfg_res cfg_zone = { "global", CFG_STORE_ZONE, NULL, zone_props,
				  "the zone itself" };

static const struct cfg_prop fs_props[] = {
	{ "dir", "target", CFG_TEXT, CFG_REQUIRED | CFG_IDENTITY,
	  .help = "where it is in the zone" },
	{ "special", "source", CFG_TEXT, .help = "what is mounted: a path on the node" },
	{ "raw", .kind = CFG_REFUSED, .help = "Linux has no raw disk devices; leave it out" },
	{ "type", "type", CFG_TEXT, CFG_REQUIRED, .values = "lofs tmpfs",
	  .help = "lofs: a directory of the node; tmpfs; or a type of the kernel's" },
	{ "options", "options", CFG_TEXTS, .help = "ro nosuid nodev noexec size=64m" },
	{ NULL },
};

static const struct cfg_prop net_props[] = {
	{ "address", .kind = CFG_REFUSED,
	  .help = "an address of the node's own stack (ip-type shared); use add property "
		  "(name=ips,value=...)" },
	{ "allowed-address", "allowed_ips", CFG_TEXTS, CFG_COMMAS,
	  .help = "addresses it may send from besides its own" },
	{ "defrouter", "gateways", CFG_TEXTS, CFG_COMMAS, .help = "its gateways" },
	{ "global-nic", "nic_tag", CFG_TEXT, .help = "NIC tag of the node it is on" },
	{ "mac-addr", "mac", CFG_TEXT, .help = "such as 02:08:20:0a:0b:0c" },
	{ "physical", "interface", CFG_TEXT, CFG_REQUIRED | CFG_IDENTITY,
	  .help = "its name in the zone, such as net0" },
	{ "vlan-id", "vlan_id", CFG_TEXT, .help = "0 to 4095" },
	{ "property", "property", CFG_PAIRS, .values = "(name=ips,value=\"dhcp\")",
	  .help = "any other property of a NIC: ips, primary, mtu, model, allow_ip_spoofing, "
		  "allow_mac_spoofing, allow_dhcp_spoofing, allow_restricted_traffic, "
		  "allow_unfiltered_promisc, dhcp_server" },
	{ NULL },
};

static const struct cfg_prop device_props[] = {
	{ "match", "match", CFG_TEXT, CFG_REQUIRED | CFG_IDENTITY,
	  .help = "path or pattern below /dev" },
	{ NULL },
};

static const struct cfg_prop attr_props[] = {
	{ "name", "name", CFG_TEXT, CFG_REQUIRED | CFG_IDENTITY, .help = "its name" },
	{ "type", "type", CFG_TEXT, CFG_REQUIRED, .values = "int uint boolean string",
	  .help = "what its value is" },
	{ "value", "value", CFG_TEXT, CFG_REQUIRED, .help = "its value" },
	{ NULL },
};

static const struct cfg_prop dataset_props[] = {
	{ "name", "name", CFG_TEXT, CFG_REQUIRED | CFG_IDENTITY, .help = "such as zones/z1/data" },
	{ NULL },
};

static const struct cfg_prop rctl_props[] = {
	{ "name", "name", CFG_TEXT, CFG_REQUIRED | CFG_IDENTITY,
	  .values = "zone.cpu-cap zone.cpu-shares zone.max-locked-memory zone.max-lwps "
		    "zone.max-msg-ids zone.max-physical-memory zone.max-processes "
		    "zone.max-sem-ids zone.max-shm-ids zone.max-shm-memory zone.max-swap "
		    "zone.zfs-io-priority",
	  .help = "which control" },
	{ "value", "value", CFG_LIMIT, CFG_REQUIRED,
	  .values = "(priv=privileged,limit=100,action=deny)", .help = "how much" },
	{ NULL },
};

static const struct cfg_prop dedicated_cpu_props[] = {
	{ "ncpus", "dedicated_cpu", CFG_TEXT, CFG_REQUIRED, .help = "how many: 2 or 1-4" },
	{ "importance", .kind = CFG_REFUSED,
	  .help = "it ranks resource pools, and Linux has none; leave it out" },
	{ NULL },
};

static const struct cfg_prop capped_cpu_props[] = {
	{ "ncpus", "cpu_cap", CFG_PERCENT, CFG_REQUIRED, .help = "how many, such as 1.5" },
	{ NULL },
};

static const struct cfg_prop capped_memory_props[] = {
	{ "physical", "max_physical_memory", CFG_BYTES, 0, MIB, .help = "such as 512m" },
	{ "swap", "max_swap", CFG_BYTES, CFG_CONTROL, MIB,
	  .help = "physical memory and swap together" },
	{ "locked", "max_locked_memory", CFG_BYTES, CFG_CONTROL, MIB,
	  .help = "memory that cannot be paged out" },
	{ NULL },
};

const struct cfg_res cfg_resources[] = {
	{ "attr", CFG_STORE_ARRAY, "attrs", attr_props, "anything, for brands and operators" },
	{ "capped-cpu", CFG_STORE_FIELDS, NULL, capped_cpu_props, "a limit of CPU time" },
	{ "capped-memory", CFG_STORE_FIELDS, NULL, capped_memory_props, "limits of memory" },
	{ "dataset", CFG_STORE_NAMES, "datasets", dataset_props,
	  "a ZFS dataset the zone's root manages" },
	{ "dedicated-cpu", CFG_STORE_FIELDS, NULL, dedicated_cpu_props,
	  "CPUs nobody else runs on" },
	{ "device", CFG_STORE_ARRAY, "devices", device_props, "devices of the node it may use" },
	{ "fs", CFG_STORE_ARRAY, "filesystems", fs_props,
	  "a directory or filesystem of the node mounted in it" },
	{ "net", CFG_STORE_ARRAY, "nics", net_props, "a network interface" },
	{ "rctl", CFG_STORE_RCTL, NULL, rctl_props,
	  "a resource control by illumos' name; info and export show the property" },
	{ "admin", CFG_STORE_REFUSED, .help = "the node's root manages zones; there are no roles "
					      "that could be given this" },
	{ "security-flags", CFG_STORE_REFUSED,
	  .help = "Linux gives every process a random layout and stacks that do not execute" },
	{ NULL },
};

const struct cfg_rctl_name cfg_rctl_names[] = {
	{ "zone.cpu-cap", "cpu_cap" },
	{ "zone.cpu-shares", "cpu_shares" },
	{ "zone.max-locked-memory", "max_locked_memory", MIB },
	{ "zone.max-lwps", "max_lwps" },
	{ "zone.max-msg-ids", "max_msg_ids" },
	{ "zone.max-physical-memory", "max_physical_memory", MIB },
	{ "zone.max-processes", "max_processes" },
	{ "zone.max-sem-ids", "max_sem_ids" },
	{ "zone.max-shm-ids", "max_shm_ids" },
	{ "zone.max-shm-memory", "max_shm_memory", MIB },
	{ "zone.max-swap", "max_swap", MIB },
	{ "zone.zfs-io-priority", "zfs_io_priority" },
	{ NULL },
};

const struct cfg_res *
cfg_res_find(const char *name)
{
	for (const struct cfg_res *res = cfg_resources; res->name != NULL; res++) {
		if (strcmp(res->name, name) == 0)
			return res;
	}
	return NULL;
}

const struct cfg_prop *
cfg_prop_find(const struct cfg_res *res, const char *name)
{
	for (const struct cfg_prop *prop = res->props; prop != NULL && prop->name != NULL; prop++) {
		if (strcmp(prop->name, name) == 0)
			return prop;
	}
	return NULL;
}
