/* SPDX-License-Identifier: MPL-2.0 */
/* Copyright 2026 The Nereid authors */
#include <errno.h>
#include <string.h>

#include "config-priv.h"
#include "nrd/str.h"
#include "zone/config-check.h"
#include "zone/config.h"

const char *const zone_installed_names[] = {
	[ZONE_CONFIGURED] = "configured",
	[ZONE_INCOMPLETE] = "incomplete",
	[ZONE_INSTALLED] = "installed",
	NULL,
};

const char *const zone_brand_names[] = {
	[ZONE_NATIVE] = "native",
	[ZONE_LX] = "lx",
	[ZONE_KVM] = "kvm",
	NULL,
};

#define IDENTITY ZONE_FIELD_IDENTITY

#define MIB_MAX   (UINT64_C(1) << 40) /* 2^60 bytes */
#define GIB_MAX   (UINT64_C(1) << 30)
#define COUNT_MAX UINT32_MAX

static const struct nrd_field fs_fields[] = {
	NRD_FIELD_STR(struct zone_fs, target, NRD_REQUIRED | IDENTITY, zone_check_path,
		      .help = "where it is in the zone"),
	NRD_FIELD_STR(struct zone_fs, source, NRD_OPTIONAL, zone_check_line,
		      .help = "path on the node; empty for tmpfs"),
	NRD_FIELD_STR(struct zone_fs, type, NRD_REQUIRED, zone_check_fs_type,
		      .help = "lofs (a directory of the node), tmpfs, or a type of the kernel's"),
	NRD_FIELD_STRV(struct zone_fs, options, NRD_OPTIONAL, 32, zone_check_word,
		       .help = "mount options: ro, nosuid, nodev, noexec, size=64m"),
};

static const struct nrd_schema fs_schema =
	NRD_SCHEMA(struct zone_fs, present, fs_fields, NULL);

static const struct nrd_field nic_fields[] = {
	NRD_FIELD_STR(struct zone_nic, interface, IDENTITY, zone_check_interface,
		      .help = "its name in the zone"),
	NRD_FIELD_MAC(struct zone_nic, mac, IDENTITY),
	NRD_FIELD_STR(struct zone_nic, nic_tag, NRD_OPTIONAL, zone_check_nic_tag,
		      .help = "the node's network it is on, see nictagadm(8)"),
	NRD_FIELD_U64(struct zone_nic, vlan_id, NRD_LOOSE, 0, 4095),
	NRD_FIELD_STRV(struct zone_nic, ips, NRD_OPTIONAL, 20, zone_check_ip,
		       .help = "\"dhcp\", \"addrconf\", or addresses with prefix"),
	NRD_FIELD_STRV(struct zone_nic, gateways, NRD_OPTIONAL, 20, zone_check_address),
	NRD_FIELD_STRV(struct zone_nic, allowed_ips, NRD_OPTIONAL, 13, zone_check_prefix,
		       .help = "more addresses it may send from"),
	NRD_FIELD_U64(struct zone_nic, mtu, NRD_LOOSE, 576, 9000),
	NRD_FIELD_BOOL(struct zone_nic, primary, NRD_LOOSE,
		       .help = "default route and name service go through it"),
	NRD_FIELD_BOOL(struct zone_nic, allow_ip_spoofing, NRD_LOOSE),
	NRD_FIELD_BOOL(struct zone_nic, allow_mac_spoofing, NRD_LOOSE),
	NRD_FIELD_BOOL(struct zone_nic, allow_dhcp_spoofing, NRD_LOOSE),
	NRD_FIELD_BOOL(struct zone_nic, allow_restricted_traffic, NRD_LOOSE),
	NRD_FIELD_BOOL(struct zone_nic, allow_unfiltered_promisc, NRD_LOOSE),
	NRD_FIELD_BOOL(struct zone_nic, dhcp_server, NRD_LOOSE),
	NRD_FIELD_STRV(struct zone_nic, allowed_dhcp_cids, NRD_OPTIONAL, 20, zone_check_line,
		       .help = "DHCP client ids it may send: 0x and digits, or text"),
	NRD_FIELD_STRV(struct zone_nic, secondary_macs, NRD_OPTIONAL, 16, zone_check_mac,
		       .help = "more MAC addresses that are its own"),
	NRD_FIELD_U64(struct zone_nic, max_bandwidth, NRD_LOOSE, 0, UINT64_C(1) << 50, .help = "bits a second, each way; 0: any"),
	NRD_FIELD_STR(struct zone_nic, priority, NRD_OPTIONAL, zone_check_priority, .help = "high, medium or low"),
	NRD_FIELD_UUID(struct zone_nic, network_uuid, NRD_OPTIONAL),
	NRD_FIELD_STR(struct zone_nic, model, NRD_OPTIONAL, zone_check_nic_model,
		      .help = "what a guest sees: virtio, e1000, e1000e, rtl8139 or vmxnet3"),
};

static const struct nrd_schema nic_schema =
	NRD_SCHEMA(struct zone_nic, present, nic_fields, NULL);

static const struct nrd_field disk_fields[] = {
	NRD_FIELD_STR(struct zone_disk, path, IDENTITY, zone_check_path, .help = "its node; made up, but for a cdrom"),
	NRD_FIELD_U64(struct zone_disk, size, NRD_LOOSE, 1, MIB_MAX, .help = "MiB"),
	NRD_FIELD_STR(struct zone_disk, image_uuid, NRD_OPTIONAL, nrd_uuid_check, .help = "the image it is a clone of"),
	NRD_FIELD_U64(struct zone_disk, image_size, NRD_LOOSE, 1, MIB_MAX, .help = "MiB of that image"),
	NRD_FIELD_BOOL(struct zone_disk, boot, NRD_LOOSE, .help = "the guest starts from it"),
	NRD_FIELD_STR(struct zone_disk, model, NRD_OPTIONAL, zone_check_disk_model, .help = "virtio, nvme, scsi (ahci) or ide"),
	NRD_FIELD_STR(struct zone_disk, media, NRD_OPTIONAL, zone_check_media, .help = "disk or cdrom"),
	NRD_FIELD_U64(struct zone_disk, block_size, NRD_LOOSE, 512, 131072, .help = "bytes, a power of two"),
	NRD_FIELD_STR(struct zone_disk, compression, NRD_OPTIONAL, zone_check_compression),
	NRD_FIELD_U64(struct zone_disk, refreservation, NRD_LOOSE, 0, MIB_MAX, .help = "MiB kept for it; 0: none"),
	NRD_FIELD_STR(struct zone_disk, zfs_filesystem, NRD_READONLY, zone_check_dataset, .help = "its volume"),
};

static const struct nrd_schema disk_schema =
	NRD_SCHEMA(struct zone_disk, present, disk_fields, NULL);

static const struct nrd_field device_fields[] = {
	NRD_FIELD_STR(struct zone_device, match, NRD_REQUIRED | IDENTITY, zone_check_device,
		      .help = "path or pattern below /dev"),
};

static const struct nrd_schema device_schema =
	NRD_SCHEMA(struct zone_device, present, device_fields, NULL);

/* The type says what the value must look like; without one any text will do. */
static int
attr_check(const void *obj, struct nrd_err *err)
{
	const struct zone_attr *attr = obj;
	int64_t i;
	uint64_t u;
	bool good = true;

	if (strcmp(attr->type, "int") == 0)
		good = nrd_parse_i64(attr->value, INT64_MIN, INT64_MAX, &i, NULL) == 0;
	else if (strcmp(attr->type, "uint") == 0)
		good = nrd_parse_u64(attr->value, 0, UINT64_MAX, &u, NULL) == 0;
	else if (strcmp(attr->type, "boolean") == 0)
		good = strcmp(attr->value, "true") == 0 || strcmp(attr->value, "false") == 0;
	if (!good)
		return nrd_fail(err, EINVAL, "BadProperty", "attr %s: \"%.80s\" is no %s",
				attr->name, attr->value, attr->type);
	return 0;
}

static int
attr_type_check(const char *s, struct nrd_err *err)
{
	static const char *const types[] = { "int", "uint", "boolean", "string", NULL };

	if (!nrd_strv_has(types, s))
		return nrd_fail(err, EINVAL, "BadProperty",
				"\"%.40s\" is not one of int, uint, boolean, string", s);
	return 0;
}

static const struct nrd_field attr_fields[] = {
	NRD_FIELD_STR(struct zone_attr, name, NRD_REQUIRED | IDENTITY, zone_check_attr),
	NRD_FIELD_STR(struct zone_attr, type, NRD_REQUIRED, attr_type_check,
		      .help = "int, uint, boolean or string"),
	NRD_FIELD_STR(struct zone_attr, value, NRD_REQUIRED, zone_check_line),
};

static const struct nrd_schema attr_schema =
	NRD_SCHEMA(struct zone_attr, present, attr_fields, attr_check);

/* "": the zone's root is a plain directory. */
static int
root_dataset_check(const char *s, struct nrd_err *err)
{
	return s[0] == '\0' ? 0 : zone_check_dataset(s, err);
}

static int
uuid_or_empty_check(const char *s, struct nrd_err *err)
{
	return s[0] == '\0' ? 0 : nrd_uuid_check(s, err);
}

#define T struct zone_config
#define LIMIT(member_, max_, ...) NRD_FIELD_U64(T, member_, NRD_LOOSE, 0, max_, __VA_ARGS__)
#define FLAG(member_, ...)        NRD_FIELD_BOOL(T, member_, NRD_LOOSE, __VA_ARGS__)
#define TEXT(member_, check_, ...) NRD_FIELD_STR(T, member_, NRD_OPTIONAL, check_, __VA_ARGS__)
#define TEXTS(member_, max_, check_, ...) \
	NRD_FIELD_STRV(T, member_, NRD_OPTIONAL, max_, check_, __VA_ARGS__)

static const struct nrd_field config_fields[] = {
	NRD_FIELD_STR(T, zonename, NRD_REQUIRED, zone_name_check),
	NRD_FIELD_UUID(T, uuid, NRD_OPTIONAL),
	NRD_FIELD_ENUM(T, brand, NRD_OPTIONAL, zone_brand_names),
	NRD_FIELD_ENUM(T, installed, NRD_READONLY, zone_installed_names, .json = "zone_installed"),
	TEXT(alias, zone_check_line, .help = "a name for people"),
	TEXT(zonepath, zone_check_path, .help = "directory the root is below"),
	TEXT(zpool, zone_check_dataset),
	TEXT(zfs_filesystem, root_dataset_check, .help = "the root's dataset"),
	TEXT(owner_uuid, zone_check_line),
	TEXT(billing_id, zone_check_line),
	TEXT(image_uuid, uuid_or_empty_check),
	NRD_FIELD_STR(T, create_timestamp, NRD_READONLY, zone_check_line),
	NRD_FIELD_U64(T, zonedid, NRD_READONLY, 0, COUNT_MAX, .help = "stable small number"),
	NRD_FIELD_U64(T, id_base, NRD_READONLY, 0, COUNT_MAX,
		      .help = "first id of its users on the node"),
	NRD_FIELD_U64(T, id_count, NRD_READONLY, 0, COUNT_MAX),

	FLAG(autoboot, .help = "boot it with the node"),
	TEXT(bootargs, zone_check_line, .help = "arguments of its init"),
	TEXT(init_name, zone_check_path, .help = "init, instead of the brand's"),
	TEXTS(init_args, 1024, NULL),
	TEXTS(init_env, 1024, zone_check_env),
	TEXT(init_user, zone_check_word, .help = "uid, uid:gid or names"),
	TEXT(init_dir, zone_check_path),
	FLAG(restart_init, .help = "start init again when it dies"),
	FLAG(docker, .help = "the zone lives as long as its process"),
	FLAG(docker_tty, .help = "the process has a terminal, the console"),
	FLAG(docker_stdin, .help = "its standard input is open, for zlogin -I"),
	TEXT(kernel_version, zone_check_release, .help = "what uname -r says in it, instead of the node's"),

	TEXT(hostname, zone_check_host),
	TEXT(dns_domain, zone_check_host),
	TEXTS(resolvers, 32, zone_check_address),
	FLAG(maintain_resolvers),
	NRD_FIELD_U64(T, hostid, NRD_LOOSE, 0, UINT64_C(0xfffffffe)),
	TEXTS(limit_priv, 256, zone_check_word, .help = "\"default\", \"name\", \"-name\""),
	TEXTS(fs_allowed, 64, zone_check_word, .help = "filesystems it may mount itself"),
	FLAG(nesting, .help = "may make user namespaces of its own"),

	LIMIT(cpu_shares, 65535, .help = "weight against other zones"),
	LIMIT(cpu_cap, 819200, .help = "percent of one CPU"),
	TEXT(dedicated_cpu, zone_check_cpus, .help = "CPUs nobody else runs on: 2 or 1-4"),
	LIMIT(max_physical_memory, MIB_MAX, .help = "MiB"),
	LIMIT(max_swap, MIB_MAX, .help = "MiB, physical memory included"),
	LIMIT(max_locked_memory, MIB_MAX, .help = "MiB"),
	LIMIT(tmpfs, MIB_MAX, .help = "MiB of /tmp; 0: no tmpfs"),
	LIMIT(max_lwps, COUNT_MAX, .help = "threads"),
	LIMIT(max_processes, COUNT_MAX),
	LIMIT(max_msg_ids, COUNT_MAX),
	LIMIT(max_sem_ids, COUNT_MAX),
	LIMIT(max_shm_ids, COUNT_MAX),
	LIMIT(max_shm_memory, MIB_MAX, .help = "MiB"),
	LIMIT(zfs_io_priority, 16384, .help = "weight against other zones"),
	LIMIT(quota, GIB_MAX, .help = "GiB; 0: none"),

	NRD_FIELD_ARR(T, filesystems, NRD_OPTIONAL, struct zone_fs, 64, &fs_schema),
	NRD_FIELD_ARR(T, nics, NRD_OPTIONAL, struct zone_nic, 32, &nic_schema),
	NRD_FIELD_ARR(T, devices, NRD_OPTIONAL, struct zone_device, 64, &device_schema),
	NRD_FIELD_ARR(T, attrs, NRD_OPTIONAL, struct zone_attr, 256, &attr_schema),
	LIMIT(ram, MIB_MAX, .help = "MiB the guest has"),
	NRD_FIELD_U64(T, vcpus, NRD_LOOSE, 1, 255, .help = "processors of the guest"),
	TEXT(cpu_type, zone_check_cpu_type, .help = "what processor it sees: host, or a model of QEMU's"),
	TEXT(machine, zone_check_machine, .help = "its kind of hardware: q35, or microvm, which has no firmware and little hardware"),
	TEXT(bootrom, zone_check_bootrom, .help = "its firmware: bios, uefi, or uefi-secure, which starts only what is signed"),
	FLAG(tpm, .help = "it has a TPM 2.0, whose state is the machine's own"),
	TEXT(boot, zone_check_boot_order, .help = "what it starts from: order=c (disk), d (cdrom), n (network)"),
	TEXT(kernel, zone_check_path, .help = "file on the node: the Linux kernel it boots, with no firmware's help"),
	TEXT(initrd, zone_check_path, .help = "file on the node: that kernel's initial RAM disk"),
	TEXT(kernel_args, zone_check_line, .help = "that kernel's command line"),
	TEXT(cloudinit_datasource, zone_check_datasource, .help = "how cloud-init in it knows what it is to be: nocloud (a seed disk) or smartos"),
	TEXT(disk_driver, zone_check_disk_model, .help = "model of disks that say none"),
	TEXT(nic_driver, zone_check_nic_model, .help = "model of NICs that say none"),
	NRD_FIELD_I64(T, vnc_port, NRD_LOOSE, -1, UINT16_MAX, .help = "-1: no VNC; 0: at a socket of the node, by info"),
	TEXT(qemu_extra_opts, zone_check_line, .help = "options for QEMU, after all others"),
	LIMIT(flexible_disk_size, MIB_MAX, .help = "MiB that its disks and their snapshots share; 0: no limit"),
	NRD_FIELD_ARR(T, disks, NRD_OPTIONAL, struct zone_disk, 24, &disk_schema),
	TEXTS(datasets, 64, zone_check_dataset, .help = "delegated: the zone's root manages them"),

	NRD_FIELD_MAP(T, customer_metadata, NRD_OPTIONAL, 0, NULL),
	NRD_FIELD_MAP(T, internal_metadata, NRD_OPTIONAL, 0, NULL),
	NRD_FIELD_MAP(T, tags, NRD_OPTIONAL, 0, NULL, .scalars = true),
	TEXTS(internal_metadata_namespaces, 64, zone_check_namespace,
	      .help = "of internal_metadata, \"NAME:...\" the zone may read"),

	NRD_FIELD_STR(T, transition, NRD_READONLY, zone_check_word),
	NRD_FIELD_STR(T, transition_to, NRD_READONLY, zone_check_word),
	NRD_FIELD_U64(T, transition_expire, NRD_READONLY, 0, INT64_MAX),
	NRD_FIELD_BOOL(T, failed, NRD_READONLY),
	FLAG(archive_on_delete, .help = "keep what tells of its end"),
	FLAG(do_not_inventory),
	FLAG(firewall_enabled),
	FLAG(indestructible_zoneroot, .help = "neither deleted nor given another image"),
	FLAG(indestructible_delegated, .help = "not deleted while it has its own datasets"),
	TEXT(package_name, zone_check_line),
	TEXT(package_version, zone_check_line),
	NRD_FIELD_MAP(T, routes, NRD_OPTIONAL, 64, zone_check_line, .help = "destination to gateway"),
	TEXT(zfs_root_compression, zone_check_compression),
	TEXT(zfs_data_compression, zone_check_compression),
	LIMIT(zfs_root_recsize, 1048576, .help = "bytes, a power of two"),
	LIMIT(zfs_data_recsize, 1048576, .help = "bytes, a power of two"),
	LIMIT(zfs_filesystem_limit, UINT64_MAX),
	LIMIT(zfs_snapshot_limit, UINT64_MAX),
	LIMIT(mdata_exec_timeout, 86400, .help = "seconds its user-script has; 0: any"),
};

const struct nrd_schema zone_config_schema =
	NRD_SCHEMA(struct zone_config, present, config_fields, NULL);

void
zone_config_fini(struct zone_config *config)
{
	nrd_object_fini(&zone_config_schema, config);
}

void
zone_config_cleanup(struct zone_config *config)
{
	zone_config_fini(config);
}
