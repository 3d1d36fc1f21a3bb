/* SPDX-License-Identifier: MPL-2.0 */
/* Copyright 2026 The Nereid authors */

#include "node/sysinfo.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/kvm.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "disk/inventory.h"
#include "node/sysinfo-priv.h"
#include "nrd/file.h"
#include "nrd/mem.h"
#include "nrd/str.h"

#define TEXT_MAX ((size_t)64 << 10)
#define CACHE_MAX ((size_t)4 << 20)

char *
sysinfo_path(const struct node_sysinfo_env *env, const char *path)
{
	return nrd_format("%s%s", env->root == NULL ? "" : env->root, path);
}

char *
sysinfo_text(const struct node_sysinfo_env *env, const char *path, size_t max)
{
	NRD_AUTO(nrd_buf) buf = NRD_BUF_INIT(max);
	NRD_FREE char *full = sysinfo_path(env, path);

	if (full == NULL)
		return NULL;
	/* Of a file beyond the maximum its beginning is what is wanted. */
	(void)nrd_buf_read_file(&buf, full, NULL);
	return nrd_format("%s", nrd_buf_str(&buf));
}

/* KEY=VALUE lines as in os-release, or "KEY VALUE" as in /proc: the value's first word, unquoted. */
static bool
text_value(const char *text, const char *key, char sep, char *dst, size_t size)
{
	struct nrd_str rest = nrd_str(text), line;

	while (nrd_str_split(&rest, '\n', &line)) {
		struct nrd_str name, value = line, word;
		size_t len;

		if (!nrd_str_split(&value, sep, &name) || value.data == NULL ||
		    !nrd_str_eq(nrd_str_trim(name), key) || !nrd_str_word(&value, &word))
			continue;
		if (word.len >= 2 && word.data[0] == '"' && word.data[word.len - 1] == '"')
			word = nrd_strn(word.data + 1, word.len - 2);
		len = word.len < size ? word.len : size - 1;
		memcpy(dst, word.data, len);
		dst[len] = '\0';
		return true;
	}
	return false;
}

static void
fact_live_image(const struct sysinfo *info, const char *key, struct nrd_jw *w)
{
	NRD_FREE char *text = sysinfo_text(info->env, "/etc/os-release", TEXT_MAX);
	char stamp[128];

	if (text != NULL && text_value(text, "VERSION_ID", '=', stamp, sizeof(stamp)))
		nrd_jw_kstr(w, key, stamp);
}

static void
fact_system_type(const struct sysinfo *info, const char *key, struct nrd_jw *w)
{
	struct utsname name;

	(void)info;
	if (uname(&name) == 0)
		nrd_jw_kstr(w, key, name.sysname);
}

static void
fact_hostname(const struct sysinfo *info, const char *key, struct nrd_jw *w)
{
	struct utsname name;

	(void)info;
	if (uname(&name) == 0)
		nrd_jw_kstr(w, key, name.nodename);
}

static void
fact_boot_time(const struct sysinfo *info, const char *key, struct nrd_jw *w)
{
	/* Behind one line a processor and one for all interrupts. */
	NRD_FREE char *text = sysinfo_text(info->env, "/proc/stat", CACHE_MAX);
	char value[32];

	if (text != NULL && text_value(text, "btime", ' ', value, sizeof(value)))
		nrd_jw_kstr(w, key, value);
}

static void
fact_memory(const struct sysinfo *info, const char *key, struct nrd_jw *w)
{
	NRD_FREE char *text = sysinfo_text(info->env, "/proc/meminfo", TEXT_MAX);
	char value[32];
	uint64_t kib;

	if (text == NULL || !text_value(text, "MemTotal", ':', value, sizeof(value)) ||
	    nrd_parse_u64(value, 0, UINT64_MAX, &kib, NULL) < 0)
		return;
	(void)snprintf(value, sizeof(value), "%llu", (unsigned long long)(kib >> 10));
	nrd_jw_kstr(w, key, value);
}

static void
fact_dmi(const struct sysinfo *info, const char *key, struct nrd_jw *w)
{
	static const struct {
		const char *key, *file;
	} files[] = {
		{ "Manufacturer", "sys_vendor" },
		{ "Product", "product_name" },
		{ "Serial Number", "product_serial" },
		{ "SKU Number", "product_sku" },
		{ "HW Version", "product_version" },
		{ "HW Family", "product_family" },
	};

	for (size_t i = 0; i < nrd_count(files); i++) {
		NRD_FREE char *path = NULL;
		char text[256] = "";

		if (!nrd_streq(files[i].key, key))
			continue;
		path = nrd_format("%s/sys/class/dmi/id/%s",
				  info->env->root == NULL ? "" : info->env->root, files[i].file);
		/* Firmware that says nothing is told as that: SmartOS prints empty text. */
		if (path != NULL && nrd_attr_read(AT_FDCWD, path, text, sizeof(text), NULL) < 0)
			text[0] = '\0';
		nrd_jw_kstr(w, key, text);
	}
}

static void
fact_config(const struct sysinfo *info, const char *key, struct nrd_jw *w)
{
	const char *value = NULL;

	if (info->config != NULL)
		value = node_config_get_filled(info->config, "datacenter_name");
	if (value != NULL)
		nrd_jw_kstr(w, key, value);
}

static void
fact_setup(const struct sysinfo *info, const char *key, struct nrd_jw *w)
{
	nrd_jw_kstr(w, key, info->config != NULL && info->pool.name[0] != '\0' ? "true" : "false");
}

static void
fact_kvm(const struct sysinfo *info, const char *key, struct nrd_jw *w)
{
	nrd_jw_kbool(w, key, info->kvm);
}

static void
fact_max_vcpus(const struct sysinfo *info, const char *key, struct nrd_jw *w)
{
	nrd_jw_ku64(w, key, info->max_vcpus);
}

static void
fact_cpu_type(const struct sysinfo *info, const char *key, struct nrd_jw *w)
{
	nrd_jw_kstr(w, key, info->cpu.model);
}

static void
fact_cpu_virt(const struct sysinfo *info, const char *key, struct nrd_jw *w)
{
	nrd_jw_kstr(w, key, info->cpu.virt);
}

static void
fact_sockets(const struct sysinfo *info, const char *key, struct nrd_jw *w)
{
	if (info->cpu.sockets > 0)
		nrd_jw_ku64(w, key, info->cpu.sockets);
}

static void
fact_cores(const struct sysinfo *info, const char *key, struct nrd_jw *w)
{
	if (info->cpu.cores > 0)
		nrd_jw_ku64(w, key, info->cpu.cores);
}

static void
fact_online(const struct sysinfo *info, const char *key, struct nrd_jw *w)
{
	if (info->cpu.online > 0)
		nrd_jw_ku64(w, key, info->cpu.online);
}

static void
fact_cpus(const struct sysinfo *info, const char *key, struct nrd_jw *w)
{
	if (info->cpu.present > 0)
		nrd_jw_ku64(w, key, info->cpu.present);
}

static void
fact_psrinfo(const struct sysinfo *info, const char *key, struct nrd_jw *w)
{
	nrd_jw_key(w, key);
	nrd_jw_obj_open(w);
	fact_sockets(info, "sockets", w);
	fact_cores(info, "cores", w);
	fact_cpus(info, "cpus", w);
	fact_online(info, "online", w);
	nrd_jw_obj_close(w);
}

static void
fact_admin_tag(const struct sysinfo *info, const char *key, struct nrd_jw *w)
{
	nrd_jw_kstr(w, key, sysinfo_admin_tag(info));
}

static void
fact_admin_ip(const struct sysinfo *info, const char *key, struct nrd_jw *w)
{
	char ip[LINK_ADDR_TEXT];

	sysinfo_admin_ip(info, ip);
	nrd_jw_kstr(w, key, ip);
}

static void
fact_uuid(const struct sysinfo *info, const char *key, struct nrd_jw *w)
{
	if (info->uuid[0] != '\0')
		nrd_jw_kstr(w, key, info->uuid);
}

static void
fact_pool(const struct sysinfo *info, const char *key, struct nrd_jw *w)
{
	if (info->pool.name[0] != '\0')
		nrd_jw_kstr(w, key, info->pool.name);
}

static void
fact_pool_encrypted(const struct sysinfo *info, const char *key, struct nrd_jw *w)
{
	if (info->pool.known)
		nrd_jw_kbool(w, key, info->pool.encrypted);
}

static void
fact_pool_disks(const struct sysinfo *info, const char *key, struct nrd_jw *w)
{
	NRD_FREE char *list = NULL;

	if (!info->pool.known)
		return;
	list = nrd_strv_join(NRD_CSTRV(info->pool.disks), ",");
	nrd_jw_kstr(w, key, list == NULL ? "" : list);
}

static void
fact_pool_profile(const struct sysinfo *info, const char *key, struct nrd_jw *w)
{
	if (info->pool.known)
		nrd_jw_kstr(w, key, info->pool.kind);
}

static void
fact_pool_creation(const struct sysinfo *info, const char *key, struct nrd_jw *w)
{
	if (info->pool.known)
		nrd_jw_ku64(w, key, info->pool.creation);
}

static void
fact_pool_size(const struct sysinfo *info, const char *key, struct nrd_jw *w)
{
	if (info->pool.known)
		nrd_jw_ku64(w, key, info->pool.size_bytes >> 30);
}

static void
fact_disks(const struct sysinfo *info, const char *key, struct nrd_jw *w)
{
	NRD_FREE char *sys = sysinfo_path(info->env, "/sys");
	NRD_FREE char *dev = sysinfo_path(info->env, "/dev");
	NRD_AUTO(disk_list) disks = { 0 };
	struct disk_paths paths = { .sys = sys, .dev = dev };

	if (sys == NULL || dev == NULL || disk_list_read(&paths, 0, &disks, NULL) < 0)
		return;
	nrd_jw_key(w, key);
	nrd_jw_obj_open(w);
	for (size_t i = 0; i < disks.len; i++) {
		if (disks.data[i].removable)
			continue;
		nrd_jw_key(w, disks.data[i].name);
		nrd_jw_obj_open(w);
		nrd_jw_ku64(w, "Size in GB", disks.data[i].size_bytes / 1000000000);
		nrd_jw_obj_close(w);
	}
	nrd_jw_obj_close(w);
}

static void
fact_boot_params(const struct sysinfo *info, const char *key, struct nrd_jw *w)
{
	nrd_jw_key(w, key);
	nrd_jw_obj_open(w);
	for (size_t i = 0; info->boot != NULL && info->boot[i] != NULL; i += 2)
		nrd_jw_kstr(w, info->boot[i], info->boot[i + 1]);
	nrd_jw_obj_close(w);
}

static void
fact_agents(const struct sysinfo *info, const char *key, struct nrd_jw *w)
{
	(void)info;
	nrd_jw_key(w, key);
	nrd_jw_strv(w, NULL);
}

static void
fact_nics(const struct sysinfo *info, const char *key, struct nrd_jw *w)
{
	nrd_jw_key(w, key);
	sysinfo_nics_write(info, w);
}

static void
fact_vnics(const struct sysinfo *info, const char *key, struct nrd_jw *w)
{
	nrd_jw_key(w, key);
	sysinfo_vnics_write(info, w);
}

static void
fact_aggrs(const struct sysinfo *info, const char *key, struct nrd_jw *w)
{
	nrd_jw_key(w, key);
	sysinfo_aggrs_write(info, w);
}

/* The object, in this order. */
static const struct fact {
	const char *key;
	void (*write)(const struct sysinfo *info, const char *key, struct nrd_jw *w);
} facts[] = {
	{ "Live Image", fact_live_image },
	{ "System Type", fact_system_type },
	{ "Boot Time", fact_boot_time },
	{ "Datacenter Name", fact_config },
	{ "Manufacturer", fact_dmi },
	{ "Product", fact_dmi },
	{ "Serial Number", fact_dmi },
	{ "SKU Number", fact_dmi },
	{ "HW Version", fact_dmi },
	{ "HW Family", fact_dmi },
	{ "Setup", fact_setup },
	{ "VM Capable", fact_kvm },
	{ "Bhyve Capable", fact_kvm },
	{ "Bhyve Max Vcpus", fact_max_vcpus },
	{ "HVM API", fact_kvm },
	{ "CPU Type", fact_cpu_type },
	{ "CPU Virtualization", fact_cpu_virt },
	{ "CPU Physical Cores", fact_sockets },
	{ "Admin NIC Tag", fact_admin_tag },
	{ "Admin IP", fact_admin_ip },
	{ "UUID", fact_uuid },
	{ "Hostname", fact_hostname },
	{ "CPU Total Cores", fact_cpus },
	{ "CPU Socket Count", fact_sockets },
	{ "CPU Core Count", fact_cores },
	{ "CPU Online Count", fact_online },
	{ "CPU Count", fact_cpus },
	{ "MiB of Memory", fact_memory },
	{ "Zpool", fact_pool },
	{ "Zpool Encrypted", fact_pool_encrypted },
	{ "Zpool Disks", fact_pool_disks },
	{ "Zpool Profile", fact_pool_profile },
	{ "Zpool Creation", fact_pool_creation },
	{ "Zpool Size in GiB", fact_pool_size },
	{ "Disks", fact_disks },
	{ "Boot Parameters", fact_boot_params },
	{ "Psrinfo", fact_psrinfo },
	{ "SDC Agents", fact_agents },
	{ "Network Interfaces", fact_nics },
	{ "Virtual Network Interfaces", fact_vnics },
	{ "Link Aggregations", fact_aggrs },
};

/* That the device is there says nothing: does it make a machine? */
static void
kvm_read(struct sysinfo *info)
{
	NRD_FREE char *path = sysinfo_path(info->env, "/dev/kvm");
	NRD_CLOSE int kvm = path == NULL ? -1 : open(path, O_RDWR | O_CLOEXEC);
	NRD_CLOSE int vm = -1;
	int max;

	if (kvm < 0 || ioctl(kvm, KVM_GET_API_VERSION, 0) != KVM_API_VERSION)
		return;
	vm = ioctl(kvm, KVM_CREATE_VM, 0);
	if (vm < 0)
		return;
	info->kvm = true;
	max = ioctl(kvm, KVM_CHECK_EXTENSION, KVM_CAP_MAX_VCPUS);
	info->max_vcpus = max > 0 ? (uint64_t)max : 0;
}

static void
info_cleanup(struct sysinfo *info)
{
	sysinfo_pool_fini(&info->pool);
	node_nictags_fini(&info->tags);
	link_nics_fini(&info->nics);
	node_config_free(info->config);
	nrd_strv_free(info->boot);
}

static int
info_read(struct sysinfo *info, struct nrd_err *err)
{
	const struct node_sysinfo_env *env = info->env;
	NRD_FREE char *cmdline = sysinfo_text(env, "/proc/cmdline", TEXT_MAX);
	NRD_FREE char *config = sysinfo_path(env, NODE_CONFIG_PATH);
	NRD_FREE char *sysfs = sysinfo_path(env, "/sys");

	if (cmdline == NULL || config == NULL || sysfs == NULL ||
	    sysinfo_boot_parse(cmdline, &info->boot) < 0)
		return nrd_nomem(err);
	(void)node_config_read(config, &info->config, NULL);
	(void)link_nics_read(env->root == NULL || env->root[0] == '\0' ? NULL : sysfs, 0,
			     &info->nics, NULL);
	if (info->config != NULL &&
	    node_nictags_from(info->config, &info->nics, &info->tags, err) < 0)
		return nrd_nomem(err);
	sysinfo_cpu_read(env, &info->cpu);
	kvm_read(info);
	return sysinfo_pool_read(info, err);
}

static const struct node_sysinfo_env real_env;

int
node_sysinfo_collect(const struct node_sysinfo_env *env, struct nrd_buf *out, struct nrd_err *err)
{
	__attribute__((cleanup(info_cleanup))) struct sysinfo info = {
		.env = env == NULL ? &real_env : env,
	};
	struct nrd_jw w;
	int r = info_read(&info, err);

	if (r < 0)
		return r;
	nrd_jw_init(&w, out, NRD_JW_PRETTY);
	nrd_jw_obj_open(&w);
	for (size_t i = 0; i < nrd_count(facts); i++)
		facts[i].write(&info, facts[i].key, &w);
	nrd_jw_obj_close(&w);
	return nrd_jw_finish(&w, err);
}

/*
 * The cache is good as long as none of these was replaced or written since it was made: the
 * configuration, what networkd knows of links and leases, how far the node has come. What they
 * looked like is kept beside it; comparing that needs no clock, and clocks are set at boot.
 */
static const char *const sources[] = {
	NODE_CONFIG_PATH,
	"/run/systemd/netif/state",
	"/run/nereid/state",
};

#define SOURCES_FILE "sysinfo.sources"
#define SOURCES_TEXT (96 * sizeof(sources) / sizeof(sources[0]))

static void
sources_look(const struct node_sysinfo_env *env, char ret_text[SOURCES_TEXT])
{
	size_t len = 0;

	ret_text[0] = '\0';
	for (size_t i = 0; i < nrd_count(sources); i++) {
		NRD_FREE char *path = sysinfo_path(env, sources[i]);
		struct stat st = { 0 };
		int n;

		if (path == NULL || stat(path, &st) < 0)
			memset(&st, 0, sizeof(st));
		n = snprintf(ret_text + len, SOURCES_TEXT - len, "%llu %lld.%09ld\n",
			     (unsigned long long)st.st_ino, (long long)st.st_mtim.tv_sec,
			     st.st_mtim.tv_nsec);
		if (n > 0)
			len += (size_t)n;
	}
}

static char *
sources_path(const struct node_sysinfo_env *env)
{
	return nrd_format("%s/%s", env->run == NULL ? NODE_SYSINFO_DIR : env->run, SOURCES_FILE);
}

static bool
sources_same(const struct node_sysinfo_env *env)
{
	NRD_FREE char *path = sources_path(env);
	NRD_FREE char *then = NULL;
	char now[SOURCES_TEXT];

	sources_look(env, now);
	return path != NULL && nrd_file_read(path, SOURCES_TEXT, &then, NULL, NULL) == 0 &&
	       nrd_streq(then, now);
}

/* Where the cache is, and the names SmartOS knows it by. */
static const struct {
	const char *file, *link;
} cached[] = {
	{ "sysinfo.json", ".sysinfo.json" },
	{ "sysinfo.parsable", ".sysinfo.parsable" },
};

static char *
cache_path(const struct node_sysinfo_env *env, size_t i)
{
	return nrd_format("%s/%s", env->run == NULL ? NODE_SYSINFO_DIR : env->run, cached[i].file);
}

/*
 * Everybody can write to /tmp, so nothing is ever written through a name in it: the name is made
 * a link to the real file. Whatever stood there is removed, not followed.
 */
static void
link_make(const struct node_sysinfo_env *env, size_t i)
{
	NRD_FREE char *target = cache_path(env, i);
	NRD_FREE char *name = nrd_format("%s/%s", env->tmp == NULL ? "/tmp" : env->tmp,
					 cached[i].link);
	char now[256];
	ssize_t n;

	if (target == NULL || name == NULL)
		return;
	n = readlink(name, now, sizeof(now));
	if (n > 0 && (size_t)n == strlen(target) && memcmp(now, target, (size_t)n) == 0)
		return;
	(void)unlink(name);
	if (symlink(target, name) < 0)
		return; /* somebody was quicker: then without the old name */
}

/* from: what the sources looked like before the node was asked. */
static int
cache_write(const struct node_sysinfo_env *env, const struct nrd_buf *json, struct nrd_json *doc,
	    const char *from, struct nrd_err *err)
{
	NRD_AUTO(nrd_buf) shell = NRD_BUF_INIT(CACHE_MAX);
	NRD_FREE char *sources_file = sources_path(env);
	const char *dir = env->run == NULL ? NODE_SYSINFO_DIR : env->run;
	int r = node_sysinfo_shell(nrd_json_root(doc), &shell, err);

	if (sources_file == NULL)
		return nrd_nomem(err);
	if (r == 0)
		r = nrd_mkdir_p(dir, 0755, err);
	for (size_t i = 0; r == 0 && i < nrd_count(cached); i++) {
		NRD_FREE char *path = cache_path(env, i);
		const struct nrd_buf *text = i == 0 ? json : &shell;

		if (path == NULL)
			return nrd_nomem(err);
		/* Boot parameters may hold a password's hash: for root only. */
		r = nrd_file_write(path, nrd_buf_str(text), text->len, 0600, err);
		if (r == 0)
			link_make(env, i);
	}
	return r < 0 ? r : nrd_file_write(sources_file, from, strlen(from), 0600, err);
}

static int
collect(const struct node_sysinfo_env *env, struct nrd_buf *json, struct nrd_json **ret_doc,
	struct nrd_err *err)
{
	int r = node_sysinfo_collect(env, json, err);

	return r < 0 ? r : nrd_json_parse(nrd_buf_str(json), json->len, NULL, ret_doc, err);
}

int
node_sysinfo_update(const struct node_sysinfo_env *env, struct nrd_err *err)
{
	NRD_AUTO(nrd_buf) json = NRD_BUF_INIT(CACHE_MAX);
	NRD_AUTO(nrd_json) *doc = NULL;
	char from[SOURCES_TEXT];
	int r;

	if (env == NULL)
		env = &real_env;
	sources_look(env, from);
	r = collect(env, &json, &doc, err);
	if (r < 0)
		return r;
	return nrd_wrap(err, cache_write(env, &json, doc, from, err), "keep the system's facts");
}

void
node_sysinfo_forget(const struct node_sysinfo_env *env)
{
	for (size_t i = 0; i < nrd_count(cached); i++) {
		NRD_FREE char *path = cache_path(env == NULL ? &real_env : env, i);

		if (path != NULL)
			(void)unlink(path);
	}
}

int
node_sysinfo_fresh(const struct node_sysinfo_env *env, struct nrd_json **ret_info,
		   struct nrd_err *err)
{
	NRD_AUTO(nrd_buf) json = NRD_BUF_INIT(CACHE_MAX);
	NRD_AUTO(nrd_json) *doc = NULL;
	char from[SOURCES_TEXT];
	int r;

	if (env == NULL)
		env = &real_env;
	sources_look(env, from);
	r = collect(env, &json, &doc, err);
	if (r < 0)
		return r;
	(void)cache_write(env, &json, doc, from, NULL);
	*ret_info = NRD_TAKE(doc);
	return 0;
}

int
node_sysinfo_get(const struct node_sysinfo_env *env, struct nrd_json **ret_info,
		 struct nrd_err *err)
{
	NRD_AUTO(nrd_json) *doc = NULL;
	NRD_FREE char *path = NULL;

	if (env == NULL)
		env = &real_env;
	path = cache_path(env, 0);
	if (path == NULL)
		return nrd_nomem(err);
	/* A cache that is missing, damaged or not ours to read is no reason to fail. */
	if (!sources_same(env) || nrd_json_read_file(path, NULL, &doc, NULL) < 0 ||
	    nrd_val_type(nrd_json_root(doc)) != NRD_VAL_OBJ)
		return node_sysinfo_fresh(env, ret_info, err);
	*ret_info = NRD_TAKE(doc);
	return 0;
}
