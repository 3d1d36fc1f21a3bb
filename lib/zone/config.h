/* SPDX-License-Identifier: MPL-2.0 */
/* Copyright 2026 The Nereid authors */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "nrd/err.h"
#include "nrd/mac.h"
#include "nrd/schema.h"
#include "nrd/uuid.h"

/*
 * A machine's configuration: one JSON file /etc/zones/ZONENAME.json, keys as vmadm names its
 * properties. zonecfg edits it through its own resource names, vmadm through payloads. Sizes are
 * in the units of those properties: memory MiB, quota GiB, cpu_cap percent of one CPU.
 */
#define ZONE_DIR "/etc/zones"

/* Below a zonepath: what the process of a docker zone said. */
#define ZONE_LOGS_DIR "logs"

/* What stands in the file; what runs is in state.h. */
enum zone_installed {
	ZONE_CONFIGURED, /* there is no root */
	ZONE_INCOMPLETE, /* install or uninstall was cut off */
	ZONE_INSTALLED,
};
extern const char *const zone_installed_names[]; /* NULL terminated */

enum zone_brand {
	ZONE_NATIVE, /* the platform's own /usr */
	ZONE_LX,     /* an unmodified Linux distribution or OCI image */
	ZONE_KVM,
};
extern const char *const zone_brand_names[];

/* zonecfg's fs: a directory or filesystem of the node mounted in the zone. */
struct zone_fs {
	struct nrd_present present;
	char *source;  /* special: absolute path on the node; "" for tmpfs */
	char *target;  /* dir: absolute path in the zone */
	char *type;    /* "lofs" (bind), "tmpfs", or a type of the kernel's */
	char **options; /* "ro", "nosuid", "nodev", "noexec", "size=64m" */
};

/* zonecfg's net, vmadm's nics. What Crossbow makes of it: lib/nics. */
struct zone_nic {
	struct nrd_present present;
	char *interface; /* physical: net0 */
	struct nrd_mac mac;
	char *nic_tag;   /* global-nic */
	uint64_t vlan_id;
	char **ips;      /* "dhcp", "addrconf", "10.0.0.2/24" */
	char **gateways;
	char **allowed_ips;
	uint64_t mtu;
	bool primary;
	bool allow_ip_spoofing, allow_mac_spoofing, allow_dhcp_spoofing;
	bool allow_restricted_traffic, allow_unfiltered_promisc, dhcp_server;
	char **allowed_dhcp_cids;
	char **secondary_macs;
	uint64_t max_bandwidth; /* bits a second, 0: none */
	char *priority;         /* high, medium, low */
	struct nrd_uuid network_uuid;
	char *model;
};

/*
 * vmadm's disks: what a guest sees as one. All but cdroms are volumes zfs_filesystem, ZPOOL/ZONENAME/diskN, whose node is
 * path.
 */
struct zone_disk {
	struct nrd_present present;
	char *path;            /* /dev/zvol/ZPOOL/ZONENAME/disk0, or a file on the node for a cdrom */
	uint64_t size;         /* MiB */
	char *image_uuid;      /* it is a clone of */
	uint64_t image_size;   /* MiB of that */
	bool boot;             /* the guest starts from it */
	char *model;           /* virtio, nvme, scsi, ide */
	char *media;           /* disk, cdrom */
	uint64_t block_size;   /* bytes, of the volume */
	char *compression;
	uint64_t refreservation; /* MiB that are kept for it */
	char *zfs_filesystem;
};

/* zonecfg's attr: free-form, for brands and operators. */
struct zone_attr {
	struct nrd_present present;
	char *name;
	char *type;  /* int, uint, boolean, string */
	char *value;
};

struct zone_device {
	struct nrd_present present;
	char *match; /* fnmatch pattern of paths below /dev */
};

struct zone_config {
	struct nrd_present present;

	/* identity */
	char *zonename;
	struct nrd_uuid uuid;
	int brand;            /* enum zone_brand */
	int installed;        /* enum zone_installed; key "zone_installed" */
	char *alias;
	char *zonepath;       /* default /ZPOOL/ZONENAME */
	char *zpool;          /* default "zones" */
	char *zfs_filesystem; /* the root's dataset, ZPOOL/ZONENAME; "" : a plain directory is the root */
	char *owner_uuid;
	char *billing_id;
	char *image_uuid;
	char *create_timestamp;
	uint64_t zonedid;     /* stable small number */
	uint64_t id_base;     /* first id of its range on the node, never reused */
	uint64_t id_count;

	/* boot */
	bool autoboot;
	char *bootargs;
	char *init_name;      /* path of init in the zone; default the brand's */
	char **init_args;     /* OCI: the command after the entrypoint */
	char **init_env;      /* "NAME=value" */
	char *init_user;      /* OCI: "uid[:gid]" or names; default root */
	char *init_dir;
	bool restart_init;    /* default true, false with docker */
	bool docker;          /* the zone's life is its process */
	bool docker_tty;      /* which has the console for its terminal, not three streams */
	bool docker_stdin;    /* whose standard input is kept open for zlogin -I */
	char *kernel_version;

	/* what it sees */
	char *hostname;
	char *dns_domain;
	char **resolvers;
	bool maintain_resolvers;
	uint64_t hostid;
	char **limit_priv;    /* "default", "-net_rawaccess", "CAP_..." */
	char **fs_allowed;
	bool nesting;         /* may make user namespaces of its own */

	/* controls */
	uint64_t cpu_shares;
	uint64_t cpu_cap;
	char *dedicated_cpu;  /* "2" or "1-4" (ncpus); */
	uint64_t max_physical_memory, max_swap, max_locked_memory, tmpfs;
	uint64_t max_lwps, max_processes;
	uint64_t max_msg_ids, max_sem_ids, max_shm_ids, max_shm_memory;
	uint64_t zfs_io_priority;
	uint64_t quota;

	struct zone_fs *filesystems;
	size_t n_filesystems;
	struct zone_nic *nics;
	size_t n_nics;
	struct zone_device *devices;
	size_t n_devices;
	struct zone_attr *attrs;
	size_t n_attrs;

	/* a guest's hardware */
	uint64_t ram;         /* MiB it has; max_physical_memory is what its zone may use for that */
	uint64_t vcpus;
	char *cpu_type;       /* "host", or a model of QEMU's */
	char *machine;        /* "q35", "microvm" */
	char *bootrom;        /* "bios", "uefi", "uefi-secure" */
	bool tpm;             /* it has a TPM 2.0, whose memory is below its zonepath */
	char *kernel, *initrd, *kernel_args; /* Linux it boots straight into: files on the node, its command line */
	char *boot;           /* "order=cd" */
	char *cloudinit_datasource; /* "nocloud": it has a seed disk; "smartos": the metadata service alone; NULL: the latter */
	char *disk_driver, *nic_driver; /* models where a disk or NIC says none */
	int64_t vnc_port;     /* -1: no VNC */
	char *qemu_extra_opts; /* words after all others of QEMU's command line */
	uint64_t flexible_disk_size; /* MiB its disks and their snapshots share; 0: no limit */
	struct zone_disk *disks;
	size_t n_disks;
	char **datasets;      /* delegated */

	char **customer_metadata, **internal_metadata, **tags; /* maps */
	char **internal_metadata_namespaces; /* "ns": keys "ns:..." of internal_metadata the zone may read */

	/* lib/vm's: zones are what they are without them */
	char *transition;     /* what is being done to it: vm/transition.h */
	char *transition_to;  /* the state that ends in */
	uint64_t transition_expire; /* ms since 1970: it has failed then */
	bool failed;          /* it could not be made, and is kept for people to look at */
	bool archive_on_delete, do_not_inventory, firewall_enabled;
	bool indestructible_zoneroot, indestructible_delegated;
	char *package_name, *package_version;
	char **routes;        /* map: destination to gateway */
	char *zfs_root_compression, *zfs_data_compression;
	uint64_t zfs_root_recsize, zfs_data_recsize;
	uint64_t zfs_filesystem_limit, zfs_snapshot_limit;
	uint64_t mdata_exec_timeout; /* seconds, 0: none */
};

/*
 * Decodes, validates, encodes and documents. Keys of vmadm's that zones know nothing of are kept
 * by zone_config_write, not refused by zone_config_read.
 */
extern const struct nrd_schema zone_config_schema;

/* First alphanumeric, then alphanumerics and "_-."; at most 63; not "global", not "SUNW...". "BadName". */
int zone_name_check(const char *name, struct nrd_err *err);

/*
 * All defaults of the property table filled in for what is not given; id_base stays 0 until the
 * zone is installed. Once, when a machine is made: afterwards its file says all, and a limit that
 * is not in it is none. -ENOMEM.
 */
int zone_config_fill(struct zone_config *config, struct nrd_err *err);

/*
 * What `hostid` says in the zone: as configured, else a number that follows from its uuid and so
 * stays the same for as long as there is the zone.
 */
uint32_t zone_config_hostid(const struct zone_config *config);

/* Whether it says a dns_domain of its own, and not the one that all have that say none. */
bool zone_config_has_domain(const struct zone_config *config);

/* Rules between properties that only make sense when all is given (zoneadm verify, zonecfg verify). */
int zone_config_verify(const struct zone_config *config, struct nrd_err *err);

/* What is configured, is kept, and does nothing on Linux, in words; NULL: there is nothing like it. */
const char *zone_config_idle(const struct zone_config *config);

/* Has another zone its zonepath, its root's dataset or its uuid? "BadConfig" names that zone. */
int zone_config_clash(const char *dir, const struct zone_config *config, struct nrd_err *err);

/*
 * What stands in the file, and what follows from the name where it does not say (zonepath, zpool,
 * zfs_filesystem, id_count, restart_init). Lists are NULL when empty. dir NULL: ZONE_DIR.
 * "ZoneNotFound" (-ENOENT: "NAME: No such zone configured"), "BadZoneFile".
 */
int zone_config_read(const char *dir, const char *name, struct zone_config *ret_config,
		     struct nrd_err *err);

/*
 * The same, but these properties alone are looked at, and only they are checked: for who reads many zones.
 * "zonename" must be among them. only NULL: all.
 */
int zone_config_read_some(const char *dir, const char *name, const char *const *only, struct zone_config *ret_config,
			  struct nrd_err *err);

/*
 * Gives it its zonedid, a number no other zone ever had, unless it has one. zone_config_write would
 * number what it writes, and leave config as it is.
 */
int zone_config_number(const char *dir, struct zone_config *config, struct nrd_err *err);

/*
 * To a temporary file, fsync, rename. What the file held that the schema does not know stays. A
 * zone without a zonedid gets the next one.
 */
int zone_config_write(const char *dir, const struct zone_config *config, struct nrd_err *err);

/*
 * The same for a zone whose zonename changed from old_name: the file's name changes with it.
 * "ZoneExists" (-EEXIST) when there is one of that name.
 */
int zone_config_rename(const char *dir, const char *old_name, const struct zone_config *config,
		       struct nrd_err *err);

/* A configuration outside the zones' directory, as `zoneadm detach` leaves one in a zonepath. */
#define ZONE_DETACHED_FILE "detached.json"
int zone_config_read_file(const char *path, struct zone_config *ret_config, struct nrd_err *err);

int zone_config_delete(const char *dir, const char *name, struct nrd_err *err);

void zone_config_fini(struct zone_config *config);
void zone_config_cleanup(struct zone_config *config);

/* Names of all configured zones, sorted (caller frees with nrd_strv_free). dir NULL: ZONE_DIR. */
int zone_config_list(const char *dir, char ***ret_names, struct nrd_err *err);

/* The name of the zone with this uuid (text). "ZoneNotFound". Caller frees. */
int zone_config_by_uuid(const char *dir, const char *uuid, char **ret_name, struct nrd_err *err);
