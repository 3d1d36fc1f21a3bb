/* SPDX-License-Identifier: MPL-2.0 */
/* Copyright 2026 The Nereid authors */
/*
 * A native zone runs the platform's programs. Its /usr is the base layer's, bound read-only with the
 * zone's ids: squashfs can be shown so, which keeps its files root's and its setuid programs
 * working, and every zone and the node share one copy in memory. An overlay of base and nereid (or
 * the node's own /usr, which is one) cannot be shown with other ids: all would be nobody's, and su
 * would not work. What the nereid layer adds is for the node, but for os-release, which is bound by
 * itself.
 *
 * /etc is the zone's own. What an administrator changes there is copied once, from the base layer
 * (never from the node's /etc); what only packages change (certificates, ld.so.cache, services)
 * are links to the base layer's /etc at /run/nereid/platform/etc, so it is never older than
 * the programs.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <sys/stat.h>

#include "brand-priv.h"
#include "brand/root.h"
#include "nrd/mem.h"
#include "nrd/str.h"

#define INIT         "/usr/lib/systemd/systemd"
#define PLATFORM_ETC "/run/nereid/platform/etc"
#define UNITS        "etc/systemd/system"

struct dir {
	const char *path;
	mode_t mode;
};

static const struct dir dirs[] = {
	{ "etc", 0755 },
	{ "etc/default", 0755 },
	{ "etc/profile.d", 0755 },
	{ "etc/ssh", 0755 },
	{ "etc/ssl", 0755 },
	{ "etc/ssl/private", 0700 },
	{ "etc/systemd/system-generators", 0755 },
	{ "etc/systemd/journald.conf.d", 0755 },
	{ "etc/tmpfiles.d", 0755 },
	{ "dev", 0755 },
	{ "home", 0755 },
	{ "media", 0755 },
	{ "mnt", 0755 },
	{ "opt", 0755 },
	{ "proc", 0555 },
	{ "root", 0700 },
	{ "run", 0755 },
	{ "srv", 0755 },
	{ "sys", 0555 },
	{ "tmp", 01777 },
	{ "usr", 0755 },
	{ "var/cache", 0755 },
	{ "var/lib", 0755 },
	{ "var/log/journal", 0755 },
	{ "var/mail", 0755 },
	{ "var/spool", 0755 },
	{ "var/tmp", 01777 },
};

struct link {
	const char *path;
	const char *target;
};

static const struct link links[] = {
	{ "bin", "usr/bin" },
	{ "lib", "usr/lib" },
	{ "lib64", "usr/lib64" },
	{ "sbin", "usr/sbin" },
	{ "var/run", "/run" },
	{ "var/lock", "/run/lock" },
	{ "etc/mtab", "../proc/self/mounts" },
	{ "etc/os-release", "../usr/lib/os-release" },
	{ "etc/localtime", "/usr/share/zoneinfo/Etc/UTC" },
	{ UNITS "/default.target", "/usr/lib/systemd/system/multi-user.target" },
};

/* Copied from the base layer's /etc; those with a mark must be there. */
static const char *const copied[] = {
	"!passwd", "!group", "!shadow", "gshadow", "!nsswitch.conf", "login.defs", "!pam.d", "pam.conf",
	"security", "profile", "bash.bashrc", "environment", "shells", "skel", "host.conf", "gai.conf",
	"inputrc", "networks", "subuid", "subgid", "default/useradd", "dbus-1",
	"ssh/ssh_config", "ssh/ssh_config.d", "ssh/sshd_config", "ssh/sshd_config.d", "xattr.conf",
};

/* Links to it. */
static const char *const linked[] = {
	"alternatives", "ca-certificates.conf", "debian_version", "ethertypes", "ld.so.cache", "ld.so.conf",
	"ld.so.conf.d", "libaudit.conf", "mime.types", "netconfig", "protocols", "rpc", "services",
	"ssh/moduli", "ssl/certs", "ssl/openssl.cnf", "terminfo",
};

/* The base layer's own /usr wants nothing, so this is all that starts. */
static const char *const wanted[][2] = {
	{ "sysinit.target", "systemd-journald.service" },
	{ "sysinit.target", "systemd-journal-flush.service" },
	{ "sysinit.target", "systemd-tmpfiles-setup.service" },
	{ "sockets.target", "systemd-journald.socket" },
	{ "sockets.target", "systemd-journald-dev-log.socket" },
	{ "sockets.target", "dbus.socket" },
	{ "timers.target", "systemd-tmpfiles-clean.timer" },
};

/* A delegated dataset is mounted as the zone's root wants it; other zones have no /dev/zfs. */
#define DATASETS_UNIT UNITS "/zone-datasets.service"
#define DATASETS_WANT UNITS "/local-fs.target.wants"

/* What is the node's business, should something ask for it. */
static const char *const masked[] = {
	"acpid.path", "acpid.service", "acpid.socket", "chrony.service", "console-getty.service",
	"dev-hugepages.mount", "dev-mqueue.mount", "fstrim.timer", "getty.target", "hwclock.service",
	"kmod-static-nodes.service", "lxcfs.service", "modprobe@.service",
	"proc-sys-fs-binfmt_misc.automount", "proc-sys-fs-binfmt_misc.mount", "smartmontools.service",
	"sys-fs-fuse-connections.mount", "sys-kernel-config.mount", "sys-kernel-debug.mount",
	"sys-kernel-tracing.mount", "systemd-binfmt.service", "systemd-firstboot.service",
	"systemd-hwdb-update.service", "systemd-journald-audit.socket", "systemd-modules-load.service",
	"systemd-pstore.service", "systemd-random-seed.service", "systemd-remount-fs.service",
	"systemd-sysctl.service", "systemd-sysusers.service", "systemd-tmpfiles-setup-dev-early.service",
	"systemd-tmpfiles-setup-dev.service", "systemd-udev-load-credentials.service",
	"systemd-udev-settle.service", "systemd-udev-trigger.service", "systemd-udevd-control.socket",
	"systemd-udevd-kernel.socket", "systemd-udevd.service", "tmp.mount", "zfs-import-cache.service",
	"zfs-import-scan.service", "zfs-import.target", "zfs-load-module.service", "zfs-mount.service",
	"zfs-share.service", "zfs-volume-wait.service", "zfs-volumes.target", "zfs.target",
};

/* Each would be a process at every boot, to find out that there is nothing to generate. */
static const char *const generators[] = {
	"systemd-debug-generator", "systemd-fstab-generator", "systemd-getty-generator",
	"systemd-gpt-auto-generator", "systemd-hibernate-resume-generator",
	"systemd-rc-local-generator", "systemd-run-generator", "systemd-ssh-generator",
	"systemd-system-update-generator", "systemd-sysv-generator", "systemd-tpm2-generator",
	"zfs-mount-generator",
};

struct text {
	const char *path;
	const char *text;
};

static const struct text texts[] = {
	{ DATASETS_UNIT,
	  "[Unit]\nDescription=Mount delegated datasets\nDefaultDependencies=no\n"
	  "Before=local-fs.target\nConditionPathExists=/dev/zfs\n"
	  "[Service]\nType=oneshot\nRemainAfterExit=yes\nExecStart=/usr/sbin/zfs mount -a\n" },
	{ "etc/locale.conf", "LANG=C.UTF-8\n" },
	{ "etc/default/locale", "LANG=C.UTF-8\n" },
	{ "etc/fstab", "# Filesystems are given to a zone by zonecfg: add fs.\n" },
	{ "etc/systemd/journald.conf.d/zone.conf",
	  "[Journal]\nStorage=persistent\nSystemMaxUse=64M\nRuntimeMaxUse=8M\n" },
	/* Root has no password here: who sees the console is the node's root. */
	{ UNITS "/rescue.service.d/zone.conf", "[Service]\nEnvironment=SYSTEMD_SULOGIN_FORCE=1\n" },
	{ UNITS "/emergency.service.d/zone.conf", "[Service]\nEnvironment=SYSTEMD_SULOGIN_FORCE=1\n" },
};

/* ---- install ---- */

static int
base_open(const char *what, int *ret_fd, struct nrd_err *err)
{
	NRD_FREE char *path = nrd_format("%s/base/%s", brand_platform(), what);

	if (path == NULL)
		return nrd_nomem(err);
	*ret_fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (*ret_fd < 0)
		return nrd_fail(err, errno, "PlatformMissing", "open %s: %m", path);
	return 0;
}

static int
make_dirs_and_links(int root, struct nrd_err *err)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < nrd_count(dirs); i++)
		r = brand_root_mkdir(root, dirs[i].path, dirs[i].mode, err);
	if (r == 0)
		r = brand_root_mkdir(root, UNITS, 0755, err);
	for (size_t i = 0; r == 0 && i < nrd_count(links); i++)
		r = brand_root_symlink(root, links[i].path, links[i].target, err);
	return r;
}

static int
copy_etc(int root, struct nrd_err *err)
{
	NRD_CLOSE int etc = -1;
	int r = base_open("etc", &etc, err);

	for (size_t i = 0; r == 0 && i < nrd_count(copied); i++) {
		const char *name = copied[i] + (copied[i][0] == '!');
		NRD_FREE char *to = nrd_format("etc/%s", name);
		struct stat st;

		if (to == NULL)
			return nrd_nomem(err);
		if (copied[i][0] != '!' && fstatat(etc, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
			continue;
		r = brand_root_copy(etc, name, root, to, err);
	}
	for (size_t i = 0; r == 0 && i < nrd_count(linked); i++) {
		NRD_FREE char *path = nrd_format("etc/%s", linked[i]);
		NRD_FREE char *target = nrd_format(PLATFORM_ETC "/%s", linked[i]);

		if (path == NULL || target == NULL)
			return nrd_nomem(err);
		r = brand_root_symlink(root, path, target, err);
	}
	return r;
}

__attribute__((format(printf, 4, 5))) static int
link_unit(int root, const char *target, struct nrd_err *err, const char *fmt, ...)
{
	char path[256];
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(path, sizeof(path), fmt, ap);
	va_end(ap);
	return brand_root_symlink(root, path, target, err);
}

static int
make_units(int root, struct nrd_err *err)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < nrd_count(wanted); i++) {
		char path[256];

		(void)snprintf(path, sizeof(path), UNITS "/%s.wants", wanted[i][0]);
		r = brand_root_mkdir(root, path, 0755, err);
		(void)snprintf(path, sizeof(path), "/usr/lib/systemd/system/%s", wanted[i][1]);
		if (r == 0)
			r = link_unit(root, path, err, UNITS "/%s.wants/%s", wanted[i][0],
				      wanted[i][1]);
	}
	for (size_t i = 0; r == 0 && i < nrd_count(masked); i++)
		r = link_unit(root, "/dev/null", err, UNITS "/%s", masked[i]);
	for (size_t i = 0; r == 0 && i < nrd_count(generators); i++)
		r = link_unit(root, "/dev/null", err, "etc/systemd/system-generators/%s",
			      generators[i]);
	if (r == 0)
		r = brand_root_mkdir(root, UNITS "/rescue.service.d", 0755, err);
	if (r == 0)
		r = brand_root_mkdir(root, UNITS "/emergency.service.d", 0755, err);
	for (size_t i = 0; r == 0 && i < nrd_count(texts); i++)
		r = brand_root_write(root, texts[i].path, texts[i].text, 0644, err);
	if (r == 0)
		r = brand_root_mkdir(root, DATASETS_WANT, 0755, err);
	if (r == 0)
		r = link_unit(root, "../zone-datasets.service", err,
			      DATASETS_WANT "/zone-datasets.service");
	return r;
}

static int
install(const struct zone_config *config, int root, const struct brand_source *source,
	struct nrd_err *err)
{
	int r = make_dirs_and_links(root, err);

	(void)config;
	(void)source;
	if (r == 0)
		r = copy_etc(root, err);
	return r == 0 ? make_units(root, err) : r;
}

/* ---- identity ---- */

static int
write_hosts(const struct zone_config *config, int root, struct nrd_err *err)
{
	const char *host = brand_hostname(config), *domain = config->dns_domain;
	bool full = domain != NULL && domain[0] != '\0';
	NRD_FREE char *name = nrd_format("%s\n", host);
	NRD_FREE char *hosts = nrd_format("127.0.0.1\tlocalhost\n"
					  "127.0.1.1\t%s%s%s%s%s\n"
					  "::1\tlocalhost ip6-localhost ip6-loopback\n",
					  full ? host : "", full ? "." : "", full ? domain : "",
					  full ? " " : "", host);
	int r;

	if (name == NULL || hosts == NULL)
		return nrd_nomem(err);
	r = brand_root_write(root, "etc/hostname", name, 0644, err);
	return r == 0 ? brand_root_write(root, "etc/hosts", hosts, 0644, err) : r;
}

static int
write_resolvers(const struct zone_config *config, int root, struct nrd_err *err)
{
	NRD_AUTO(nrd_buf) text = NRD_BUF_INIT(8192);

	if (config->dns_domain != NULL && config->dns_domain[0] != '\0')
		(void)nrd_buf_printf(&text, "search %s\n", config->dns_domain);
	for (char **r = config->resolvers; r != NULL && *r != NULL; r++)
		(void)nrd_buf_printf(&text, "nameserver %s\n", *r);
	if (text.failed < 0)
		return nrd_nomem(err);
	return brand_root_write(root, "etc/resolv.conf", nrd_buf_str(&text), 0644, err);
}

/* A copied zone must not answer as the one it was copied from. */
static int
drop_host_keys(int root, struct nrd_err *err)
{
	static const char *const kinds[] = { "rsa", "ecdsa", "ed25519" };
	int r = 0;

	for (size_t i = 0; r == 0 && i < nrd_count(kinds); i++) {
		char path[64];

		(void)snprintf(path, sizeof(path), "etc/ssh/ssh_host_%s_key", kinds[i]);
		r = brand_root_unlink(root, path, err);
		(void)snprintf(path, sizeof(path), "etc/ssh/ssh_host_%s_key.pub", kinds[i]);
		if (r == 0)
			r = brand_root_unlink(root, path, err);
	}
	return r;
}

static int
identify(const struct zone_config *config, int root, struct nrd_err *err)
{
	char id[34];
	int r = write_hosts(config, root, err);

	if (r == 0)
		r = write_resolvers(config, root, err);
	if (r == 0)
		r = drop_host_keys(root, err);
	brand_machine_id(config, id);
	return r == 0 ? brand_root_write(root, "etc/machine-id", id, 0444, err) : r;
}

/* ---- boot ---- */

static int
verify(const struct zone_config *config, int root, struct nrd_err *err)
{
	NRD_CLOSE int usr = -1;
	int r = base_open("usr/lib/systemd", &usr, err);

	(void)config;
	if (r == 0 && !brand_root_has(root, "etc"))
		return nrd_fail(err, ENOENT, "ZoneRootBad", "there is no /etc in its root");
	return r;
}

static int
spec_of(const struct zone_config *config, const struct zone_boot_request *request,
	struct zone_spec *ret_spec, struct nrd_err *err)
{
	NRD_AUTO(zone_spec) spec = { 0 };
	const char *init = config->init_name != NULL && config->init_name[0] != '\0'
				   ? config->init_name : INIT;
	int r = brand_spec_platform(&spec, "base/usr", "/usr", 0, err);

	if (r == 0)
		r = brand_spec_platform(&spec, "nereid/usr/lib/os-release", "/usr/lib/os-release",
					ZONE_MOUNT_OPTIONAL, err);
	if (r == 0)
		r = brand_spec_platform(&spec, BRAND_ZONE_DIR, "/usr/local", ZONE_MOUNT_OPTIONAL, err);
	if (r == 0)
		r = brand_spec_platform(&spec, "base/etc", PLATFORM_ETC,
					ZONE_MOUNT_NOSUID | ZONE_MOUNT_NOEXEC, err);
	if (r == 0)
		r = brand_spec_control(config, "/.zonecontrol", &spec, err);
	if (r == 0)
		r = brand_spec_common(config, &spec, err);
	if (r == 0)
		r = brand_spec_argv(config, request, init, &spec, err);
	if (r < 0)
		return r;
	*ret_spec = spec;
	spec = (struct zone_spec){ 0 };
	return 0;
}

static int
stop(const struct zone_config *config, bool reboot, struct brand_stop *ret_stop,
     struct nrd_err *err)
{
	(void)config;
	(void)err;
	*ret_stop = (struct brand_stop){ .signal = SIGRTMIN + (reboot ? 5 : 4) };
	return 0;
}

const struct brand brand_native = {
	.id = ZONE_NATIVE,
	.name = "native",
	.install = install,
	.identify = identify,
	.verify = verify,
	.spec = spec_of,
	.stop = stop,
};
