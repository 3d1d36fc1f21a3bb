/* SPDX-License-Identifier: MPL-2.0 */
/* Copyright 2026 The Nereid authors */
#include "brand.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#include "brand-priv.h"
#include "nrd/mem.h"
#include "nrd/str.h"
#include "zone/state.h"

static const struct brand *const brands[] = { &brand_native, &brand_lx, &brand_kvm };

static const char *platform_dir = BRAND_PLATFORM_DIR;

void
brand_platform_use(const char *dir)
{
	platform_dir = dir != NULL ? dir : BRAND_PLATFORM_DIR;
}

const char *
brand_platform(void)
{
	return platform_dir;
}

int
brand_of(const struct zone_config *config, const struct brand **ret_brand, struct nrd_err *err)
{
	for (size_t i = 0; i < nrd_count(brands); i++)
		if (brands[i]->id == config->brand) {
			*ret_brand = brands[i];
			return 0;
		}
	return nrd_fail(err, ENOTSUP, "BrandNotHere",
			"this platform runs no zones of brand %s",
			zone_brand_names[config->brand]);
}

int
brand_root_open(const struct zone_config *config, int *ret_fd, struct nrd_err *err)
{
	NRD_CLOSE int fd = -1, path = open(config->zonepath, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	struct stat st;

	/* In two steps: nobody but the node's root has a say above "root". */
	if (path >= 0)
		fd = openat(path, "root", O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0 || fstat(fd, &st) < 0)
		return nrd_fail(err, errno,
				errno == ENOENT ? "ZoneRootMissing" : "ZoneRootBad",
				"its root %s/root: %m%s", config->zonepath,
				errno == ENOENT ? "; was its dataset removed?" : "");
	*ret_fd = nrd_take_fd(&fd);
	return 0;
}

const char *
brand_hostname(const struct zone_config *config)
{
	return config->hostname != NULL && config->hostname[0] != '\0' ? config->hostname
									: config->zonename;
}

void
brand_machine_id(const struct zone_config *config, char ret_text[34])
{
	char uuid[NRD_UUID_TEXT];
	size_t n = 0;

	nrd_uuid_format(&config->uuid, uuid);
	for (const char *c = uuid; *c != '\0'; c++)
		if (*c != '-')
			ret_text[n++] = *c;
	ret_text[n++] = '\n';
	ret_text[n] = '\0';
}

/* ---- the common parts of a spec ---- */

static const struct {
	const char *name;
	unsigned set, clear;
} options[] = {
	{ "ro", ZONE_MOUNT_RO, 0 },         { "rw", 0, ZONE_MOUNT_RO },
	{ "nosuid", ZONE_MOUNT_NOSUID, 0 }, { "suid", 0, ZONE_MOUNT_NOSUID },
	{ "nodev", ZONE_MOUNT_NODEV, 0 },   { "nodevices", ZONE_MOUNT_NODEV, 0 },
	{ "noexec", ZONE_MOUNT_NOEXEC, 0 }, { "exec", 0, ZONE_MOUNT_NOEXEC },
	{ "optional", ZONE_MOUNT_OPTIONAL, 0 },
};

static bool
option(const char *text, unsigned *flags)
{
	for (size_t i = 0; i < nrd_count(options); i++)
		if (nrd_streq(options[i].name, text)) {
			*flags = (*flags | options[i].set) & ~options[i].clear;
			return true;
		}
	return false;
}

/* What a tmpfs takes beside the common options. */
static bool
tmpfs_option(const char *text)
{
	static const char *const names[] = { "size=", "mode=", "nr_inodes=", NULL };

	for (size_t i = 0; names[i] != NULL; i++) {
		const char *value = nrd_starts(text, names[i]);

		if (value != NULL)
			return value[0] != '\0' && strchr(value, ',') == NULL;
	}
	return false;
}

int
brand_fs_check(const struct zone_fs *fs, struct nrd_err *err)
{
	bool tmpfs = nrd_streq(fs->type, "tmpfs");
	unsigned flags = 0;

	if (!tmpfs && !nrd_streq(fs->type, "lofs"))
		return nrd_fail(err, EINVAL, "BadFilesystem",
				"fs %s: a zone gets filesystems of type lofs and tmpfs, not %s: mount "
				"it on the node and give it as lofs", fs->target, fs->type);
	for (size_t i = 0; fs->options != NULL && fs->options[i] != NULL; i++)
		if (!option(fs->options[i], &flags) && !(tmpfs && tmpfs_option(fs->options[i])))
			return nrd_fail(err, EINVAL, "BadFilesystem",
					"fs %s: \"%s\" is no option of a %s filesystem", fs->target,
					fs->options[i], fs->type);
	return 0;
}

static int
add_fs(struct zone_spec *spec, const struct zone_fs *fs, struct nrd_err *err)
{
	NRD_AUTO(nrd_buf) data = NRD_BUF_INIT(4096);
	bool tmpfs = nrd_streq(fs->type, "tmpfs");
	struct zone_mount m = {
		.source = tmpfs ? NULL : fs->source,
		.target = fs->target,
		.type = fs->type,
		.flags = ZONE_MOUNT_NODEV | ZONE_MOUNT_TREE,
	};
	char bind[] = "bind";
	int r = brand_fs_check(fs, err);

	if (r < 0)
		return r;
	if (tmpfs)
		m.flags = ZONE_MOUNT_NODEV | ZONE_MOUNT_NOSUID;
	else
		m.type = bind;
	for (size_t i = 0; fs->options != NULL && fs->options[i] != NULL; i++)
		if (!option(fs->options[i], &m.flags))
			(void)nrd_buf_printf(&data, "%s%s", data.len > 0 ? "," : "",
					     fs->options[i]);
	m.data = data.len > 0 ? data.data : NULL;
	if (data.failed < 0 || zone_spec_mount(spec, &m) < 0)
		return nrd_nomem(err);
	return 0;
}

/* /tmp in memory, of the size that is configured; a filesystem that is given for it comes on top. */
static int
add_tmp(const struct zone_config *config, struct zone_spec *spec)
{
	char target[] = "/tmp", type[] = "tmpfs";
	char data[64];
	const struct zone_mount m = {
		.target = target,
		.type = type,
		.data = data,
		.flags = ZONE_MOUNT_NODEV | ZONE_MOUNT_NOSUID,
	};

	(void)snprintf(data, sizeof(data), "mode=1777,size=%lluM", (unsigned long long)config->tmpfs);
	return config->tmpfs == 0 ? 0 : zone_spec_mount(spec, &m);
}

int
brand_env_set(char ***env, const char *text)
{
	size_t len = strcspn(text, "=") + 1;

	for (size_t i = 0; *env != NULL && (*env)[i] != NULL; i++)
		if (strncmp((*env)[i], text, len) == 0)
			return nrd_str_set(&(*env)[i], text);
	return nrd_strv_add(env, text);
}

static int
add_env(const struct zone_config *config, struct zone_spec *spec)
{
	static const char *const fixed[] = {
		"container=nereid",
		"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
		"HOME=/root",
		"TERM=xterm",
	};
	char uuid[NRD_UUID_TEXT];
	int r = 0;

	for (size_t i = 0; r == 0 && i < nrd_count(fixed); i++)
		r = nrd_strv_add(&spec->env, fixed[i]);
	nrd_uuid_format(&config->uuid, uuid);
	if (r == 0)
		r = nrd_strv_addf(&spec->env, "container_uuid=%s", uuid);
	if (r == 0 && config->docker)
		r = nrd_strv_addf(&spec->env, "HOSTNAME=%s", brand_hostname(config));
	for (size_t i = 0; r == 0 && config->init_env != NULL && config->init_env[i] != NULL; i++)
		r = brand_env_set(&spec->env, config->init_env[i]);
	return r;
}

static int
add_bind(struct zone_spec *spec, char *source, const char *target, unsigned flags)
{
	NRD_FREE char *to = nrd_format("%s", target);
	char bind[] = "bind";
	const struct zone_mount m = {
		.source = source,
		.target = to,
		.type = bind,
		.flags = ZONE_MOUNT_RO | ZONE_MOUNT_NODEV | flags,
	};

	return source == NULL || to == NULL ? -ENOMEM : zone_spec_mount(spec, &m);
}

int
brand_spec_platform(struct zone_spec *spec, const char *layer, const char *target, unsigned flags,
		    struct nrd_err *err)
{
	NRD_FREE char *source = nrd_format("%s/%s", brand_platform(), layer);

	return add_bind(spec, source, target, flags) < 0 ? nrd_nomem(err) : 0;
}

/* Not the socket: the one a later zoneadmd makes is found in the same directory. */
int
brand_spec_control(const struct zone_config *config, const char *target, struct zone_spec *spec,
		   struct nrd_err *err)
{
	NRD_FREE char *source = nrd_format(ZONE_RUN_DIR "/%s/" ZONE_CONTROL, config->zonename);

	return add_bind(spec, source, target,
			ZONE_MOUNT_NOSUID | ZONE_MOUNT_NOEXEC | ZONE_MOUNT_OPTIONAL |
				ZONE_MOUNT_IF_PLACE) < 0 ?
		       nrd_nomem(err) :
		       0;
}

int
brand_spec_common(const struct zone_config *config, struct zone_spec *spec, struct nrd_err *err)
{
	int r = 0;

	spec->root = nrd_format("%s/root", config->zonepath);
	spec->volatile_dirs = !config->docker;
	spec->nesting = config->nesting;
	spec->run_mib = (config->max_physical_memory + 1) / 2;
	spec->shm_mib = config->max_shm_memory != 0 ? config->max_shm_memory : spec->run_mib;
	if (spec->root == NULL || add_env(config, spec) < 0 || add_tmp(config, spec) < 0)
		return nrd_nomem(err);
	if (config->init_dir != NULL && config->init_dir[0] != '\0' &&
	    nrd_str_set(&spec->dir, config->init_dir) < 0)
		return nrd_nomem(err);
	for (size_t i = 0; r == 0 && i < config->n_filesystems; i++)
		r = add_fs(spec, &config->filesystems[i], err);
	return r;
}

int
brand_spec_argv(const struct zone_config *config, const struct zone_boot_request *request,
		const char *init, struct zone_spec *spec, struct nrd_err *err)
{
	const char *args = config->bootargs;
	NRD_STRV char **words = NULL;
	int r;

	if (request != NULL && request->init != NULL)
		init = request->init;
	if (request != NULL && request->args != NULL)
		args = request->args;
	r = nrd_strv_add(&spec->argv, init);
	for (size_t i = 0; r == 0 && config->init_args != NULL && config->init_args[i] != NULL; i++)
		r = nrd_strv_add(&spec->argv, config->init_args[i]);
	if (r == 0 && args != NULL)
		r = nrd_strv_split(args, ' ', &words);
	for (size_t i = 0; r == 0 && words != NULL && words[i] != NULL; i++)
		r = nrd_strv_add(&spec->argv, words[i]);
	/* What systemd, sysvinit and their like all understand. */
	if (r == 0 && request != NULL && request->single_user)
		r = nrd_strv_add(&spec->argv, "-s");
	return r < 0 ? nrd_nomem(err) : 0;
}
