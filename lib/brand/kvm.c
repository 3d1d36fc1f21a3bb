/* SPDX-License-Identifier: MPL-2.0 */
/* Copyright 2026 The Nereid authors */

/*
 * A guest's zone: QEMU is its only process. Its root is made of empty directories and the platform's /usr, for the time until
 * QEMU has read its firmware; from the guest's first instruction on it is an empty directory.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "brand-priv.h"
#include "brand/guest.h"
#include "brand/root.h"
#include "brand/seed.h"
#include "brand/tpm.h"
#include "nrd/file.h"
#include "nrd/mem.h"
#include "nrd/proc.h"
#include "nrd/str.h"

#define QEMU      "base/usr/bin/qemu-system-x86_64"
#define VARS_MAX  ((size_t)16 << 20)
#define KVM_WAIT_S "45"

static int
install(const struct zone_config *config, int root, const struct brand_source *source, struct nrd_err *err)
{
	static const char *const dirs[] = { "dev", "etc", "proc", "run", "sys", "tmp", "usr", GUEST_EMPTY };
	static const char *const links[][2] = { { "bin", "usr/bin" }, { "lib", "usr/lib" }, { "lib64", "usr/lib64" } };
	int r = 0;

	(void)config;
	(void)source;
	for (size_t i = 0; r == 0 && i < nrd_count(dirs); i++)
		r = brand_root_mkdir(root, dirs[i], 0755, err);
	for (size_t i = 0; r == 0 && i < nrd_count(links); i++)
		r = brand_root_symlink(root, links[i][0], links[i][1], err);
	return r;
}

/* Who a guest is its own disk says. */
static int
identify(const struct zone_config *config, int root, struct nrd_err *err)
{
	(void)config;
	(void)root;
	(void)err;
	return 0;
}

static int
verify(const struct zone_config *config, int root, struct nrd_err *err)
{
	NRD_FREE char *qemu = nrd_format("%s/" QEMU, brand_platform());

	(void)config;
	if (qemu == NULL)
		return nrd_nomem(err);
	if (access(qemu, X_OK) < 0)
		return nrd_fail(err, errno, "PlatformMissing", "%s: %m", qemu);
	if (!brand_root_has(root, GUEST_EMPTY))
		return nrd_fail(err, ENOENT, "ZoneRootBad", "there is no /" GUEST_EMPTY " in its root");
	return 0;
}

/* What a guest's firmware remembers is the machine's, from its first boot on. */
static int
make_vars(const struct zone_config *config, struct nrd_err *err)
{
	const struct guest_firmware *f = guest_firmware(config);
	NRD_FREE char *from = f != NULL ? nrd_format("%s/base" GUEST_OVMF "%s", brand_platform(), f->template) : NULL;
	NRD_FREE char *to = f != NULL ? nrd_format("%s/%s", config->zonepath, f->vars) : NULL;
	NRD_FREE char *data = NULL;
	size_t len = 0;
	int r;

	if (f == NULL)
		return 0;
	if (from == NULL || to == NULL)
		return nrd_nomem(err);
	if (nrd_path_exists(to))
		return 0;
	r = nrd_file_read(from, VARS_MAX, &data, &len, err);
	return r < 0 ? r : nrd_file_write(to, data, len, 0600, err);
}

/* A node that boots is loading what its processors need while it boots its zones. */
static bool
has_kvm(void)
{
	if (access(GUEST_KVM, F_OK) < 0)
		(void)nrd_run_argv(NULL, NULL, "udevadm", "settle", "--timeout=" KVM_WAIT_S, "--exit-if-exists=" GUEST_KVM, NULL);
	return access(GUEST_KVM, F_OK) == 0;
}

static int
spec_of(const struct zone_config *config, const struct zone_boot_request *request, struct zone_spec *ret_spec, struct nrd_err *err)
{
	NRD_AUTO(zone_spec) spec = { 0 };
	int r = brand_spec_platform(&spec, "base/usr", "/usr", 0, err);

	if (r == 0 && !has_kvm())
		return nrd_fail(err, ENODEV, "NoKvm", "this node runs no guests: there is no " GUEST_KVM ", as its processors cannot, or "
				"their firmware does not let them (VT-x, AMD-V)");
	spec.root = nrd_format("%s/root", config->zonepath);
	spec.sealed = true;
	if (r == 0 && (spec.root == NULL || nrd_strv_add(&spec.env, "PATH=/usr/bin") < 0))
		r = nrd_nomem(err);
	if (r == 0)
		r = make_vars(config, err);
	if (r == 0)
		r = seed_make(config, err);
	if (r == 0)
		r = tpm_prepare(config, err);
	if (r == 0)
		r = guest_spec(config, request != NULL ? request->args : NULL, &spec, err);
	if (r < 0)
		return r;
	*ret_spec = spec;
	spec = (struct zone_spec){ 0 };
	return 0;
}

/* By its monitor, and not a signal: that would be the end of QEMU, not of what runs in it. */
static int
stop(const struct zone_config *config, bool reboot, struct brand_stop *ret_stop, struct nrd_err *err)
{
	(void)config;
	(void)reboot;
	(void)err;
	*ret_stop = (struct brand_stop){ .powerdown = true };
	return 0;
}

const struct brand brand_kvm = {
	.id = ZONE_KVM,
	.name = "kvm",
	.install = install,
	.identify = identify,
	.verify = verify,
	.spec = spec_of,
	.stop = stop,
};
