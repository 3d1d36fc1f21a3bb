/* SPDX-License-Identifier: MPL-2.0 */
/* Copyright 2026 The Nereid authors */
#include "vm/props.h"

#include "nrd/str.h"
#include "nrd/suggest.h"

#define CU (VM_CREATE | VM_UPDATE)
#define F(name_, brands_, when_, effect_, ...) \
	{ .name = (name_), .kind = VM_FIELD, .brands = (brands_), .when = (when_), .effect = (effect_), __VA_ARGS__ }
#define SHOWN(name_, help_) \
	{ .name = (name_), .kind = VM_SHOWN, .brands = VM_ANY, .when = VM_READ, .help = (help_) }
#define MAP(what, effect_)                                                                     \
	{ .name = "set_" what, .kind = VM_SET, .brands = VM_ANY, .when = VM_UPDATE,            \
	  .effect = (effect_), .of = what, .help = "members that are added or replaced" },     \
	{ .name = "remove_" what, .kind = VM_REMOVE, .brands = VM_ANY, .when = VM_UPDATE,      \
	  .effect = (effect_), .of = what, .help = "names of members that go" }
#define ARRAY(what, key_, brands_, effect_)                                                    \
	{ .name = "add_" what, .kind = VM_ADD, .brands = (brands_), .when = CU,                \
	  .effect = (effect_), .of = what, .key = (key_), .help = "objects that are added" },    \
	{ .name = "update_" what, .kind = VM_CHANGE, .brands = (brands_), .when = VM_UPDATE,   \
	  .effect = (effect_), .of = what, .key = (key_),                                        \
	  .help = "objects with their " key_ " and what is new" },                             \
	{ .name = "remove_" what, .kind = VM_TAKE, .brands = (brands_), .when = VM_UPDATE,     \
	  .effect = (effect_), .of = what, .key = (key_), .help = key_ "s of those that go" }

const struct vm_prop vm_props[] = {
	F("alias", VM_ANY, CU, VM_NOTE),
	F("archive_on_delete", VM_ANY, CU, VM_NOTE),
	F("autoboot", VM_ANY, CU, VM_NOTE),
	F("billing_id", VM_ANY, CU, VM_NOTE, .help = "whom it is billed to"),
	SHOWN("boot_timestamp", "when it was booted, while it runs"),
	F("boot", VM_KVM, CU, VM_BOOT),
	F("bootargs", VM_OS, CU, VM_BOOT),
	F("bootrom", VM_KVM, CU, VM_BOOT),
	F("brand", VM_ANY, VM_CREATE, VM_NOTE, .help = "native (also joyent, joyent-minimal, builder), lx or kvm"),
	F("cloudinit_datasource", VM_KVM, CU, VM_BOOT),
	F("cpu_cap", VM_ANY, CU, VM_LIVE),
	F("cpu_shares", VM_ANY, CU, VM_LIVE),
	F("cpu_type", VM_KVM, CU, VM_BOOT),
	F("create_timestamp", VM_ANY, VM_READ, VM_NOTE, .help = "when it was made"),
	F("customer_metadata", VM_ANY, VM_CREATE, VM_LIVE, .help = "object: the tenant's own"),
	MAP("customer_metadata", VM_LIVE),
	F("datasets", VM_OS, VM_READ, VM_NOTE),
	{ .name = "dataset_uuid", .kind = VM_IMAGE, .brands = VM_OS, .when = VM_CREATE, .help = "old name of image_uuid" },
	F("dedicated_cpu", VM_OS, CU, VM_BOOT),
	{ .name = "delegate_dataset", .kind = VM_FLAG, .brands = VM_OS, .when = VM_CREATE,
	  .help = "it gets a dataset of its own below its root's: data" },
	F("devices", VM_OS, CU, VM_BOOT, .help = "devices of the node it may use"),
	F("disk_driver", VM_KVM, CU, VM_BOOT),
	F("disks", VM_KVM, VM_CREATE, VM_LIVE, .help = "what the guest sees as disks"),
	ARRAY("disks", "path", VM_KVM, VM_LIVE),
	F("dns_domain", VM_ANY, CU, VM_BOOT, .help = "where names without dots are looked up"),
	F("do_not_inventory", VM_ANY, CU, VM_NOTE, .help = "left out by those who count machines"),
	F("docker", VM_LX, CU, VM_BOOT),
	F("docker_stdin", VM_LX, CU, VM_BOOT),
	F("docker_tty", VM_LX, CU, VM_BOOT),
	SHOWN("exit_status", "how its init ended; -N: by signal N"),
	SHOWN("exit_timestamp", "when its init ended"),
	F("failed", VM_ANY, VM_READ, VM_NOTE, .help = "it could not be made"),
	F("filesystems", VM_OS, VM_CREATE, VM_BOOT, .help = "what is mounted in it beside its root"),
	ARRAY("filesystems", "target", VM_OS, VM_BOOT),
	F("firewall_enabled", VM_ANY, CU, VM_LIVE, .help = "rules of the firewall are for it too"),
	F("flexible_disk_size", VM_KVM, CU, VM_LIVE),
	SHOWN("free_space", "MiB of flexible_disk_size that are left"),
	F("fs_allowed", VM_OS, CU, VM_BOOT),
	F("hostid", VM_OS, CU, VM_BOOT, .help = "what hostid says in it; of its uuid, unless said"),
	F("hostname", VM_ANY, CU, VM_BOOT, .help = "its name for itself, unless its root has an /etc/hostname; its zonename, unless said"),
	SHOWN("hvm", "whether it is a guest, with hardware of its own"),
	F("image_uuid", VM_ANY, VM_CREATE, VM_NOTE, .help = "the image its root is a clone of"),
	F("indestructible_delegated", VM_OS, CU, VM_LIVE),
	F("indestructible_zoneroot", VM_ANY, CU, VM_LIVE),
	F("init_args", VM_LX, CU, VM_BOOT, .help = "arguments of init"),
	F("init_dir", VM_LX, CU, VM_BOOT, .help = "directory init begins in"),
	F("init_env", VM_OS, CU, VM_BOOT, .help = "NAME=value, for init"),
	F("init_name", VM_OS, CU, VM_BOOT),
	SHOWN("init_restarts", "how often init was started again since it was booted"),
	F("init_user", VM_LX, CU, VM_BOOT),
	F("initrd", VM_KVM, CU, VM_BOOT),
	F("internal_metadata", VM_ANY, VM_CREATE, VM_LIVE, .help = "object: the operator's own"),
	MAP("internal_metadata", VM_LIVE),
	F("internal_metadata_namespaces", VM_ANY, CU, VM_LIVE),
	F("kernel", VM_KVM, CU, VM_BOOT),
	F("kernel_args", VM_KVM, CU, VM_BOOT),
	F("kernel_version", VM_LX, CU, VM_BOOT),
	SHOWN("last_modified", "when its file was changed last"),
	F("limit_priv", VM_OS, CU, VM_BOOT),
	F("machine", VM_KVM, CU, VM_BOOT),
	F("maintain_resolvers", VM_OS, CU, VM_LIVE, .help = "its resolv.conf follows resolvers"),
	F("max_locked_memory", VM_ANY, CU, VM_LIVE),
	F("max_lwps", VM_ANY, CU, VM_LIVE),
	F("max_msg_ids", VM_ANY, CU, VM_LIVE, .help = "message queues of System V"),
	F("max_physical_memory", VM_ANY, CU, VM_LIVE),
	F("max_processes", VM_OS, CU, VM_LIVE, .help = "processes"),
	F("max_sem_ids", VM_ANY, CU, VM_LIVE, .help = "sets of semaphores of System V"),
	F("max_shm_ids", VM_ANY, CU, VM_LIVE, .help = "shared memory segments of System V"),
	F("max_shm_memory", VM_ANY, CU, VM_LIVE),
	F("max_swap", VM_ANY, CU, VM_LIVE),
	F("mdata_exec_timeout", VM_OS, VM_CREATE, VM_NOTE),
	F("nesting", VM_OS, CU, VM_BOOT),
	F("nic_driver", VM_KVM, CU, VM_BOOT),
	F("nics", VM_ANY, VM_CREATE, VM_LIVE, .help = "its network interfaces"),
	ARRAY("nics", "mac", VM_ANY, VM_LIVE),
	{ .name = "nowait", .kind = VM_FLAG, .brands = VM_OS, .when = VM_CREATE,
	  .help = "create does not wait until it is provisioned" },
	F("owner_uuid", VM_ANY, CU, VM_NOTE, .help = "whose it is"),
	F("package_name", VM_ANY, CU, VM_NOTE, .help = "what it was sold as"),
	F("package_version", VM_ANY, CU, VM_NOTE, .help = "of the package"),
	SHOWN("pid", "its init, while it runs"),
	SHOWN("platform_buildstamp", "the node's platform"),
	F("qemu_extra_opts", VM_KVM, CU, VM_BOOT),
	F("quota", VM_ANY, CU, VM_LIVE),
	F("ram", VM_KVM, CU, VM_BOOT),
	{ .name = "ram", .kind = VM_RAM, .brands = VM_OS, .when = CU, .effect = VM_LIVE,
	  .of = "max_physical_memory", .help = "MiB; sets max_physical_memory" },
	F("resolvers", VM_ANY, CU, VM_BOOT, .help = "addresses of name servers"),
	F("restart_init", VM_OS, CU, VM_LIVE),
	F("routes", VM_ANY, VM_CREATE, VM_BOOT),
	MAP("routes", VM_BOOT),
	SHOWN("snapshots", "its own, oldest first; quiesced: a guest's filesystems were frozen for it"),
	SHOWN("state", "running, stopped, provisioning, failed, ..."),
	F("tags", VM_ANY, VM_CREATE, VM_NOTE, .help = "object: the operator's, seen by the tenant"),
	MAP("tags", VM_NOTE),
	F("tmpfs", VM_OS, CU, VM_LIVE),
	F("tpm", VM_KVM, CU, VM_BOOT),
	F("transition", VM_ANY, VM_READ, VM_NOTE, .help = "what is being done to it"),
	F("transition_expire", VM_ANY, VM_READ, VM_NOTE, .help = "when that has failed, in ms since 1970"),
	F("transition_to", VM_ANY, VM_READ, VM_NOTE, .help = "the state it ends in"),
	SHOWN("type", "OS, LX or KVM"),
	F("uuid", VM_ANY, VM_CREATE, VM_NOTE, .help = "what it is called; made up unless said"),
	SHOWN("v", "version of this object"),
	F("vcpus", VM_KVM, CU, VM_BOOT),
	F("vnc_port", VM_KVM, CU, VM_BOOT),
	F("zfs_data_compression", VM_OS, CU, VM_LIVE, .help = "of its delegated dataset"),
	F("zfs_data_recsize", VM_OS, CU, VM_LIVE),
	F("zfs_filesystem", VM_ANY, VM_READ, VM_NOTE),
	F("zfs_filesystem_limit", VM_ANY, CU, VM_LIVE, .help = "filesystems below its root"),
	F("zfs_io_priority", VM_ANY, CU, VM_LIVE),
	F("zfs_root_compression", VM_ANY, CU, VM_LIVE, .help = "of its root; new data only"),
	F("zfs_root_recsize", VM_ANY, CU, VM_LIVE),
	F("zfs_snapshot_limit", VM_ANY, CU, VM_LIVE, .help = "snapshots below its root"),
	SHOWN("zone_state", "as zoneadm(8) says it"),
	F("zonedid", VM_ANY, VM_READ, VM_NOTE),
	SHOWN("zoneid", "of this boot"),
	F("zonename", VM_ANY, VM_CREATE, VM_NOTE, .help = "the uuid, unless said"),
	F("zonepath", VM_ANY, VM_READ, VM_NOTE),
	F("zpool", VM_ANY, VM_CREATE, VM_NOTE, .help = "the pool it is on"),
	{ .name = NULL },
};

const struct vm_prop *
vm_prop_find(const char *name, unsigned brands)
{
	const struct vm_prop *others = NULL;

	for (const struct vm_prop *p = vm_props; p->name != NULL; p++) {
		if (!nrd_streq(p->name, name))
			continue;
		if ((p->brands & brands) != 0)
			return p;
		others = p;
	}
	return others;
}

const char *
vm_prop_suggest(const char *name, unsigned brand, unsigned when)
{
	struct nrd_suggest s;

	nrd_suggest_init(&s, name);
	for (const struct vm_prop *p = vm_props; p->name != NULL; p++)
		if ((p->brands & brand) != 0 && (p->when & when) != 0)
			nrd_suggest_offer(&s, p->name);
	return s.best;
}

/* ---- described ---- */

static const char *const effects[] = { [VM_NOTE] = "-", [VM_LIVE] = "live", [VM_BOOT] = "boot" };

static const char *
field_type(const struct nrd_field *f)
{
	static const char *const names[] = {
		[NRD_TYPE_STR] = "string", [NRD_TYPE_U64] = "number", [NRD_TYPE_I64] = "number",
		[NRD_TYPE_BOOL] = "boolean", [NRD_TYPE_MAC] = "MAC address", [NRD_TYPE_UUID] = "uuid",
		[NRD_TYPE_ENUM] = "string", [NRD_TYPE_STRV] = "list", [NRD_TYPE_MAP] = "object",
		[NRD_TYPE_ANY] = "any", [NRD_TYPE_OBJ] = "object", [NRD_TYPE_ARR] = "list of objects",
	};

	return names[f->type];
}

static const char *
type_of(const struct vm_prop *p, const struct nrd_field *f)
{
	switch (p->kind) {
	case VM_FLAG:
		return "boolean";
	case VM_RAM:
		return "number";
	case VM_IMAGE:
		return "uuid";
	case VM_SET:
		return "object";
	case VM_ADD:
	case VM_CHANGE:
		return "list of objects";
	case VM_REMOVE:
	case VM_TAKE:
		return "list";
	case VM_FIELD:
	case VM_SHOWN:
		break;
	}
	return f != NULL ? field_type(f) : "shown";
}

void
vm_props_describe(struct nrd_buf *out)
{
	for (const struct vm_prop *p = vm_props; p->name != NULL; p++) {
		const struct nrd_field *f = p->kind == VM_FIELD ? nrd_schema_find(&zone_config_schema, p->name)
								: NULL;
		const char *help = p->help != NULL ? p->help : f != NULL ? f->help : NULL;

		(void)nrd_buf_printf(out, "%-26s %-16s %s%s%s  %s%s%s%s  %-4s  %s\n", p->name, type_of(p, f),
				     p->brands & VM_NATIVE ? "n" : "-", p->brands & VM_LX ? "l" : "-",
				     p->brands & VM_KVM ? "k" : "-", p->when & VM_CREATE ? "c" : "-",
				     p->when & VM_UPDATE ? "u" : "-", "r", "", effects[p->effect],
				     help != NULL ? help : "");
	}
}
