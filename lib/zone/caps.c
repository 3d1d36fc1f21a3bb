/* SPDX-License-Identifier: MPL-2.0 */
/* Copyright 2026 The Nereid authors */
#include "caps.h"

#include <ctype.h>
#include <errno.h>
#include <linux/capability.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "nrd/mem.h"
#include "nrd/str.h"
#include "zone/config-guest.h"

#define BIT(c) (UINT64_C(1) << (c))

/* In a user namespace these act on what the zone owns and on nothing else. */
#define DEFAULT_CAPS                                                                               \
	(BIT(CAP_CHOWN) | BIT(CAP_DAC_OVERRIDE) | BIT(CAP_DAC_READ_SEARCH) | BIT(CAP_FOWNER) |     \
	 BIT(CAP_FSETID) | BIT(CAP_KILL) | BIT(CAP_SETGID) | BIT(CAP_SETUID) | BIT(CAP_SETPCAP) |  \
	 BIT(CAP_LINUX_IMMUTABLE) | BIT(CAP_NET_BIND_SERVICE) | BIT(CAP_NET_BROADCAST) |           \
	 BIT(CAP_NET_ADMIN) | BIT(CAP_NET_RAW) | BIT(CAP_IPC_LOCK) | BIT(CAP_IPC_OWNER) |          \
	 BIT(CAP_SYS_CHROOT) | BIT(CAP_SYS_PTRACE) | BIT(CAP_SYS_PACCT) | BIT(CAP_SYS_ADMIN) |     \
	 BIT(CAP_SYS_BOOT) | BIT(CAP_SYS_NICE) | BIT(CAP_SYS_RESOURCE) |                           \
	 BIT(CAP_SYS_TTY_CONFIG) | BIT(CAP_MKNOD) | BIT(CAP_LEASE) | BIT(CAP_AUDIT_WRITE) |        \
	 BIT(CAP_SETFCAP))

/* Without these no init system comes up. */
#define REQUIRED_CAPS (BIT(CAP_SETUID) | BIT(CAP_SETGID) | BIT(CAP_SYS_BOOT) | BIT(CAP_KILL))

/*
 * A guest's QEMU begins with these, in order to leave its root for an empty directory and become a user without any: then it has
 * none, and the guest has not run an instruction.
 */
#define GUEST_CAPS (BIT(CAP_SYS_CHROOT) | BIT(CAP_SETUID) | BIT(CAP_SETGID))

/* They reach beyond the zone, or would if the kernel had a hole there. */
#define PROHIBITED_CAPS                                                                            \
	(BIT(CAP_SYS_MODULE) | BIT(CAP_SYS_RAWIO) | BIT(CAP_SYS_TIME) | BIT(CAP_MAC_ADMIN) |       \
	 BIT(CAP_MAC_OVERRIDE) | BIT(CAP_AUDIT_CONTROL) | BIT(CAP_AUDIT_READ) |                    \
	 BIT(CAP_WAKE_ALARM) | BIT(CAP_BLOCK_SUSPEND) | BIT(CAP_BPF) | BIT(CAP_PERFMON) |          \
	 BIT(CAP_CHECKPOINT_RESTORE) | BIT(CAP_SYSLOG))

struct priv {
	const char *name;
	uint64_t caps; /* 0: known, and nothing on Linux corresponds to it */
};

static const struct priv privs[] = {
	/* Linux */
	{ "chown", BIT(CAP_CHOWN) }, { "dac_override", BIT(CAP_DAC_OVERRIDE) },
	{ "dac_read_search", BIT(CAP_DAC_READ_SEARCH) }, { "fowner", BIT(CAP_FOWNER) },
	{ "fsetid", BIT(CAP_FSETID) }, { "kill", BIT(CAP_KILL) }, { "setgid", BIT(CAP_SETGID) },
	{ "setuid", BIT(CAP_SETUID) }, { "setpcap", BIT(CAP_SETPCAP) },
	{ "linux_immutable", BIT(CAP_LINUX_IMMUTABLE) },
	{ "net_bind_service", BIT(CAP_NET_BIND_SERVICE) },
	{ "net_broadcast", BIT(CAP_NET_BROADCAST) }, { "net_admin", BIT(CAP_NET_ADMIN) },
	{ "net_raw", BIT(CAP_NET_RAW) }, { "ipc_lock", BIT(CAP_IPC_LOCK) },
	{ "ipc_owner", BIT(CAP_IPC_OWNER) }, { "sys_module", BIT(CAP_SYS_MODULE) },
	{ "sys_rawio", BIT(CAP_SYS_RAWIO) }, { "sys_chroot", BIT(CAP_SYS_CHROOT) },
	{ "sys_ptrace", BIT(CAP_SYS_PTRACE) }, { "sys_pacct", BIT(CAP_SYS_PACCT) },
	{ "sys_admin", BIT(CAP_SYS_ADMIN) }, { "sys_boot", BIT(CAP_SYS_BOOT) },
	{ "sys_nice", BIT(CAP_SYS_NICE) }, { "sys_resource", BIT(CAP_SYS_RESOURCE) },
	{ "sys_time", BIT(CAP_SYS_TIME) }, { "sys_tty_config", BIT(CAP_SYS_TTY_CONFIG) },
	{ "mknod", BIT(CAP_MKNOD) }, { "lease", BIT(CAP_LEASE) },
	{ "audit_write", BIT(CAP_AUDIT_WRITE) }, { "audit_control", BIT(CAP_AUDIT_CONTROL) },
	{ "setfcap", BIT(CAP_SETFCAP) }, { "mac_override", BIT(CAP_MAC_OVERRIDE) },
	{ "mac_admin", BIT(CAP_MAC_ADMIN) }, { "syslog", BIT(CAP_SYSLOG) },
	{ "wake_alarm", BIT(CAP_WAKE_ALARM) }, { "block_suspend", BIT(CAP_BLOCK_SUSPEND) },
	{ "audit_read", BIT(CAP_AUDIT_READ) }, { "perfmon", BIT(CAP_PERFMON) }, { "bpf", BIT(CAP_BPF) },
	{ "checkpoint_restore", BIT(CAP_CHECKPOINT_RESTORE) },
	/* illumos */
	{ "file_chown", BIT(CAP_CHOWN) }, { "file_chown_self", BIT(CAP_CHOWN) },
	{ "file_dac_execute", BIT(CAP_DAC_OVERRIDE) }, { "file_dac_read", BIT(CAP_DAC_OVERRIDE) },
	{ "file_dac_search", BIT(CAP_DAC_READ_SEARCH) }, { "file_dac_write", BIT(CAP_DAC_OVERRIDE) },
	{ "file_owner", BIT(CAP_FOWNER) }, { "file_setid", BIT(CAP_FSETID) | BIT(CAP_SETFCAP) },
	{ "ipc_dac_read", BIT(CAP_IPC_OWNER) }, { "ipc_dac_write", BIT(CAP_IPC_OWNER) },
	{ "net_privaddr", BIT(CAP_NET_BIND_SERVICE) }, { "net_rawaccess", BIT(CAP_NET_RAW) },
	{ "net_icmpaccess", BIT(CAP_NET_RAW) }, { "net_observability", BIT(CAP_NET_RAW) },
	{ "sys_ip_config", BIT(CAP_NET_ADMIN) }, { "sys_iptun_config", BIT(CAP_NET_ADMIN) },
	{ "sys_ppp_config", BIT(CAP_NET_ADMIN) }, { "proc_audit", BIT(CAP_AUDIT_WRITE) },
	{ "proc_chroot", BIT(CAP_SYS_CHROOT) }, { "proc_lock_memory", BIT(CAP_IPC_LOCK) },
	{ "proc_owner", BIT(CAP_SYS_PTRACE) | BIT(CAP_KILL) },
	{ "proc_setid", BIT(CAP_SETUID) | BIT(CAP_SETGID) },
	{ "proc_priocntl", BIT(CAP_SYS_NICE) }, { "proc_prioup", BIT(CAP_SYS_NICE) },
	{ "proc_clock_highres", 0 }, { "sys_acct", BIT(CAP_SYS_PACCT) },
	{ "sys_mount", BIT(CAP_SYS_ADMIN) }, { "sys_resource", BIT(CAP_SYS_RESOURCE) },
	{ "file_link_any", 0 }, { "file_read", 0 }, { "file_write", 0 }, { "net_access", 0 },
	{ "proc_exec", 0 }, { "proc_fork", 0 }, { "proc_info", 0 }, { "proc_session", 0 },
	{ "contract_event", 0 }, { "contract_identity", 0 }, { "contract_observer", 0 },
	{ "net_bindmlp", 0 }, { "net_mac_aware", 0 }, { "proc_secflags", 0 }, { "proc_taskid", 0 },
	{ "sys_audit", 0 }, { "sys_nfs", 0 }, { "sys_smb", 0 }, { "dtrace_proc", 0 }, { "dtrace_user", 0 },
	/* illumos, and prohibited there as well */
	{ "dtrace_kernel", BIT(CAP_PERFMON) }, { "proc_zone", BIT(CAP_SYS_RAWIO) },
	{ "sys_config", BIT(CAP_SYS_RAWIO) }, { "sys_devices", BIT(CAP_SYS_RAWIO) },
	{ "sys_linkdir", BIT(CAP_SYS_RAWIO) }, { "sys_net_config", BIT(CAP_SYS_RAWIO) },
	{ "sys_res_config", BIT(CAP_SYS_RAWIO) }, { "sys_suser_compat", BIT(CAP_SYS_RAWIO) },
};

static const struct priv *
find(const char *name)
{
	char low[64];
	const char *rest;

	if (strlen(name) >= sizeof(low))
		return NULL;
	for (size_t i = 0; i <= strlen(name); i++)
		low[i] = (char)tolower((unsigned char)name[i]);
	rest = nrd_starts(low, "cap_");
	for (size_t i = 0; i < nrd_count(privs); i++)
		if (nrd_streq(privs[i].name, rest != NULL ? rest : low))
			return &privs[i];
	return NULL;
}

int
zone_caps_of(const struct zone_config *config, uint64_t *ret_caps, struct nrd_err *err)
{
	uint64_t caps = config->limit_priv == NULL ? DEFAULT_CAPS : 0;

	if (zone_is_guest(config)) {
		*ret_caps = GUEST_CAPS;
		return 0;
	}
	for (char **p = config->limit_priv; p != NULL && *p != NULL; p++) {
		bool off = **p == '-' || **p == '!';
		const char *name = *p + (off ? 1 : 0);
		const struct priv *priv;

		if (nrd_streq(name, "default") && !off) {
			caps |= DEFAULT_CAPS;
			continue;
		}
		priv = find(name);
		if (priv == NULL)
			return nrd_fail(err, EINVAL, "BadPrivilege",
					"limit_priv: \"%.60s\" is not a privilege", name);
		if (!off && (priv->caps & PROHIBITED_CAPS) != 0)
			return nrd_fail(err, EPERM, "BadPrivilege",
					"limit_priv: no zone may have %.60s: it reaches beyond it", name);
		if (off)
			caps &= ~priv->caps;
		else
			caps |= priv->caps;
	}
	*ret_caps = caps | REQUIRED_CAPS;
	return 0;
}

int
zone_caps_drop(uint64_t caps, struct nrd_err *err)
{
	struct __user_cap_header_struct head = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct data[2] = { 0 };

	for (int c = 0; c <= CAP_LAST_CAP; c++)
		if ((caps & BIT(c)) == 0 && prctl(PR_CAPBSET_DROP, c, 0, 0, 0) < 0 &&
		    errno != EINVAL)
			return nrd_fail(err, errno, "ZoneCaps", "drop capability %d: %m", c);
	data[0].effective = data[0].permitted = (uint32_t)caps;
	data[1].effective = data[1].permitted = (uint32_t)(caps >> 32);
	if (syscall(SYS_capset, &head, data) < 0)
		return nrd_fail(err, errno, "ZoneCaps", "set the capabilities: %m");
	return 0;
}
