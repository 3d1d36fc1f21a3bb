/* SPDX-License-Identifier: MPL-2.0 */
/* Copyright 2026 The Nereid authors */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "brand-priv.h"
#include "brand/init.h"
#include "brand/root.h"
#include "nrd/mem.h"
#include "nrd/proc.h"
#include "nrd/str.h"
#include "nrd/unpack.h"

#define DEFAULT_INIT "/sbin/init"
/* By this programs know that they are in an lx zone: cloud-init before all. */
#define UNAME_VERSION "BrandZ virtual linux"

static const char *
init_of(const struct zone_config *config)
{
	return config->init_name != NULL && config->init_name[0] != '\0' ? config->init_name
									 : DEFAULT_INIT;
}

/* ---- install ---- */

static int
open_source(const char *path, bool dir, int *ret_fd, struct nrd_err *err)
{
	NRD_CLOSE int fd = open(path, O_RDONLY | O_CLOEXEC);
	struct stat st;

	if (fd < 0 || fstat(fd, &st) < 0)
		return nrd_fail(err, errno, "SourceOpen", "open %s: %m", path);
	if (dir ? !S_ISDIR(st.st_mode) : S_ISDIR(st.st_mode))
		return nrd_fail(err, EINVAL, "SourceOpen", "%s is %s directory", path,
				dir ? "no" : "a");
	*ret_fd = nrd_take_fd(&fd);
	return 0;
}

static int
install_tar(const char *path, int root, struct nrd_err *err)
{
	NRD_CLOSE int fd = -1;
	int r = open_source(path, false, &fd, err);

	return r < 0 ? r : nrd_wrap(err, nrd_untar(fd, root, err), "unpack %s", path);
}

static int
install_dir(const char *path, int root, struct nrd_err *err)
{
	NRD_FREE char *from = nrd_format("%s/.", path);
	/* The root is a descriptor there: no path of it is looked up twice. */
	const char *const argv[] = { "cp", "--archive", "--one-file-system", "--", from,
				     "/proc/self/fd/3/", NULL };
	const struct nrd_proc proc = {
		.argv = argv,
		.fds = &root,
		.n_fds = 1,
		.flags = NRD_PROC_SAME_GROUP | NRD_PROC_WITH_US,
	};
	NRD_CLOSE int fd = -1;
	int r = open_source(path, true, &fd, err);

	if (r < 0)
		return r;
	if (from == NULL)
		return nrd_nomem(err);
	return nrd_wrap(err, nrd_run(&proc, NULL, NULL, err), "copy %s", path);
}

static int
install(const struct zone_config *config, int root, const struct brand_source *source,
	struct nrd_err *err)
{
	(void)config;
	if (source->tar != NULL)
		return install_tar(source->tar, root, err);
	return install_dir(source->dir, root, err);
}

/* ---- identity ---- */

static int
identify(const struct zone_config *config, int root, struct nrd_err *err)
{
	NRD_FREE char *host = nrd_format("%s\n", brand_hostname(config));
	char id[34];
	int r = 0;

	if (host == NULL)
		return nrd_nomem(err);
	/* An image of one program has no /etc, or none that anybody reads. */
	if (!brand_root_has(root, "etc"))
		return 0;
	r = brand_root_write(root, "etc/hostname", host, 0644, err);
	brand_machine_id(config, id);
	if (r == 0 && brand_root_has(root, "etc/machine-id"))
		r = brand_root_write(root, "etc/machine-id", id, 0444, err);
	return r;
}

/* ---- boot ---- */

static int
verify(const struct zone_config *config, int root, struct nrd_err *err)
{
	struct brand_user user;
	int r = brand_init_check(root, init_of(config), err);

	if (r == 0 && config->init_user != NULL && config->init_user[0] != '\0')
		r = brand_init_user(root, config->init_user, &user, err);
	return r;
}

static int
spec_user(const struct zone_config *config, struct zone_spec *spec, struct nrd_err *err)
{
	struct brand_user user;
	NRD_CLOSE int root = -1;
	int r = brand_root_open(config, &root, err);

	if (r == 0)
		r = brand_init_user(root, config->init_user, &user, err);
	if (r < 0)
		return r;
	spec->user = nrd_format("%u:%u", user.uid, user.gid);
	spec->groups = calloc(user.n_groups + 1, sizeof(*spec->groups));
	if (spec->user == NULL || spec->groups == NULL)
		return nrd_nomem(err);
	memcpy(spec->groups, user.groups, user.n_groups * sizeof(*spec->groups));
	spec->n_groups = user.n_groups;
	return 0;
}

static int
spec_uts(const struct zone_config *config, struct zone_spec *spec, struct nrd_err *err)
{
	const char *release = config->kernel_version;
	bool own = release != NULL && release[0] != '\0';

	spec->uts_version = strdup(UNAME_VERSION);
	if (own)
		spec->uts_release = strdup(release);
	return spec->uts_version == NULL || (own && spec->uts_release == NULL) ? nrd_nomem(err) : 0;
}

static int
spec_of(const struct zone_config *config, const struct zone_boot_request *request,
	struct zone_spec *ret_spec, struct nrd_err *err)
{
	NRD_AUTO(zone_spec) spec = { 0 };
	NRD_CLOSE int root = -1;
	int r = brand_spec_common(config, &spec, err);

	if (r == 0)
		r = brand_spec_platform(&spec, BRAND_ZONE_DIR "/sbin", "/native/usr/sbin",
					ZONE_MOUNT_OPTIONAL | ZONE_MOUNT_IF_PLACE, err);
	if (r == 0)
		r = brand_spec_control(config, "/native/.zonecontrol", &spec, err);
	if (r == 0)
		r = brand_spec_argv(config, request, init_of(config), &spec, err);
	if (r == 0 && config->init_user != NULL && config->init_user[0] != '\0')
		r = spec_user(config, &spec, err);
	if (r == 0)
		r = spec_uts(config, &spec, err);
	if (r < 0)
		return r;
	if (!config->docker && brand_root_open(config, &root, NULL) == 0) {
		spec.tty1 = brand_init_tty1(root);
		/* OpenRC knows few names, and mounts and sets clocks where it knows none. */
		if (brand_root_has(root, "sbin/openrc") && brand_env_set(&spec.env, "container=lxc") < 0)
			return nrd_nomem(err);
	}
	*ret_spec = spec;
	spec = (struct zone_spec){ 0 };
	return 0;
}

/*
 * Programs are asked before signals: what they are called is the same everywhere, what a signal
 * means to an init is not. systemd and busybox are known well enough.
 */
static int
stop(const struct zone_config *config, bool reboot, struct brand_stop *ret_stop,
     struct nrd_err *err)
{
	static const char *const halt_argv[] = { "/sbin/shutdown", "-h", "now", NULL };
	static const char *const reboot_argv[] = { "/sbin/shutdown", "-r", "now", NULL };
	static const char *const openrc_halt[] = { "/sbin/openrc-shutdown", "--poweroff", "now",
						   NULL };
	static const char *const openrc_reboot[] = { "/sbin/openrc-shutdown", "--reboot", "now",
						     NULL };
	NRD_CLOSE int root = -1;
	int r = brand_root_open(config, &root, err);

	if (r < 0)
		return r;
	*ret_stop = (struct brand_stop){ 0 };
	if (config->docker) {
		ret_stop->signal = SIGTERM;
		return 0;
	}
	switch (brand_init_kind(root, init_of(config))) {
	case BRAND_INIT_SYSTEMD:
		ret_stop->signal = SIGRTMIN + (reboot ? 5 : 4);
		break;
	case BRAND_INIT_BUSYBOX:
		ret_stop->signal = reboot ? SIGTERM : SIGUSR2;
		break;
	case BRAND_INIT_OPENRC:
		ret_stop->argv = reboot ? openrc_reboot : openrc_halt;
		break;
	default:
		ret_stop->signal = SIGTERM;
		if (brand_root_has(root, "sbin/shutdown"))
			ret_stop->argv = reboot ? reboot_argv : halt_argv;
	}
	return 0;
}

const struct brand brand_lx = {
	.id = ZONE_LX,
	.name = "lx",
	.source = true,
	.install = install,
	.identify = identify,
	.verify = verify,
	.spec = spec_of,
	.stop = stop,
};
