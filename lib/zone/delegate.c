/* SPDX-License-Identifier: MPL-2.0 */
/* Copyright 2026 The Nereid authors */
#include "delegate.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "nrd/buf.h"
#include "nrd/fault.h"
#include "nrd/file.h"
#include "nrd/mem.h"
#include "nrd/proc.h"
#include "nrd/str.h"
#include "zone/ids.h"
#include "zone/mountapi.h"

#define VERSION_PATH "/sys/module/zfs/version"
#define LOOK_MS      60000

/* 2.3.9: administration and fault injection ask for the node's own root, not just for a root. */
static const uint64_t oldest[] = { 2, 3, 9 };

bool
zone_delegate_version_ok(const char *version)
{
	for (size_t i = 0; i < nrd_count(oldest); i++) {
		size_t n = strspn(version, "0123456789");
		char digits[16];
		uint64_t v;

		if (n == 0 || n >= sizeof(digits))
			return false;
		memcpy(digits, version, n);
		digits[n] = '\0';
		if (nrd_parse_u64(digits, 0, UINT32_MAX, &v, NULL) < 0)
			return false;
		if (v != oldest[i])
			return v > oldest[i];
		version += n;
		if (*version == '.')
			version++;
	}
	return true;
}

static int
check_version(struct nrd_err *err)
{
	char version[64] = "";

	(void)nrd_attr_read(AT_FDCWD, VERSION_PATH, version, sizeof(version), NULL);
	if (zone_delegate_version_ok(version))
		return 0;
	return nrd_fail(err, ENOTSUP, "ZfsTooOld",
			"datasets are delegated with OpenZFS 2.3.9 or newer only; this node runs %s",
			version[0] != '\0' ? version : "none");
}

/* ---- what zfs get says ---- */

#define MARK "org.nereid:canmount"
#define BATCH 64

/* One line: name, property, value, source. */
struct line {
	struct nrd_str part[4];
	size_t n;
};

static struct line
line_of(struct nrd_str text)
{
	struct line l = { .n = 0 };

	while (l.n < 4 && nrd_str_split(&text, '\t', &l.part[l.n]))
		l.n++;
	return l;
}

/* The delegated dataset that name is or is below; NULL: it is no business of ours. */
static const char *
root_of(struct nrd_str name, const char *const *datasets)
{
	for (const char *const *d = datasets; *d != NULL; d++) {
		size_t len = strlen(*d);

		if (name.len >= len && memcmp(name.data, *d, len) == 0 &&
		    (name.len == len || name.data[len] == '/'))
			return *d;
	}
	return NULL;
}

/* Its mountpoint comes from above what was delegated: below the zone's own path, or nowhere. */
static bool
mounts_at_home(const struct line *l, const char *root)
{
	static const char inherited[] = "inherited from ";
	struct nrd_str source = l->part[3];
	const char *const roots[] = { root, NULL };

	if (nrd_str_eq(l->part[2], "none") || nrd_str_eq(l->part[2], "legacy"))
		return true;
	if (l->n < 4 || source.len < sizeof(inherited) ||
	    memcmp(source.data, inherited, sizeof(inherited) - 1) != 0)
		return l->n == 4 && nrd_str_eq(source, "default");
	source.data += sizeof(inherited) - 1;
	source.len -= sizeof(inherited) - 1;
	return root_of(source, roots) == NULL;
}

/* What is known of the filesystem whose lines are being read. */
struct seen {
	struct nrd_str name;
	bool on, abroad, noauto, marked, zoned, files;
	bool is_root;
};

static void
see(struct seen *s, const struct line *l, const char *root)
{
	struct nrd_str prop = l->part[1];
	struct nrd_str value = l->n > 2 ? l->part[2] : nrd_str("");

	/* Never taken back by a later line: that may be the end of some value. */
	s->on |= nrd_str_eq(prop, "canmount") && nrd_str_eq(value, "on");
	s->noauto |= nrd_str_eq(prop, "canmount") && nrd_str_eq(value, "noauto");
	s->files |= nrd_str_eq(prop, "canmount") && !nrd_str_eq(value, "-");
	s->zoned |= nrd_str_eq(prop, "zoned") && nrd_str_eq(value, "on");
	s->marked |= nrd_str_eq(prop, MARK) && nrd_str_eq(value, "on") && l->n == 4 &&
		     nrd_str_eq(l->part[3], "local");
	s->abroad |= nrd_str_eq(prop, "mountpoint") && !mounts_at_home(l, root);
	s->is_root = s->name.len == strlen(root);
}

static int
keep(const struct seen *s, enum zone_delegate_what what, char ***names)
{
	const bool is[] = {
		[ZONE_DELEGATE_THERE] = s->is_root,
		[ZONE_DELEGATE_FILES] = s->is_root && s->files,
		[ZONE_DELEGATE_ZONED] = s->is_root && s->zoned,
		[ZONE_DELEGATE_WILD] = s->on && s->abroad,
		[ZONE_DELEGATE_TAMED] = s->noauto && s->marked,
	};

	if (s->name.len == 0 || !is[what])
		return 0;
	return nrd_strv_addf(names, "%.*s", NRD_STR_ARG(s->name));
}

static bool
same(struct nrd_str a, struct nrd_str b)
{
	return a.len == b.len && a.len > 0 && memcmp(a.data, b.data, a.len) == 0;
}

int
zone_delegate_pick(const char *text, const char *const *datasets, enum zone_delegate_what what,
		   char ***ret_names)
{
	NRD_STRV char **names = NULL;
	struct nrd_str rest = nrd_str(text), one;
	struct seen seen = { 0 };
	int r = 0;

	while (r == 0 && nrd_str_split(&rest, '\n', &one)) {
		struct line l = line_of(one);
		const char *root = l.n >= 2 ? root_of(l.part[0], datasets) : NULL;

		if (root == NULL)
			continue;
		if (!same(seen.name, l.part[0])) {
			r = keep(&seen, what, &names);
			seen = (struct seen){ .name = l.part[0] };
		}
		see(&seen, &l, root);
	}
	if (r == 0)
		r = keep(&seen, what, &names);
	if (r == 0)
		*ret_names = NRD_TAKE(names);
	return r;
}

/* ---- the zfs command ---- */

static int
look(const char *const *datasets, struct nrd_buf *out, struct nrd_err *err)
{
	static const char *const start[] = {
		"zfs", "get", "-rHp", "-t", "filesystem,volume", "-o", "name,property,value,source",
		"zoned,canmount,mountpoint," MARK, NULL,
	};
	NRD_STRV char **argv = NULL;
	int status = 0;
	int r = nrd_strv_copy(start, &argv);

	for (const char *const *d = datasets; r == 0 && *d != NULL; d++)
		r = nrd_strv_add(&argv, *d);
	if (r < 0)
		return nrd_nomem(err);
	/* Its status says no more than that one of them is not there. */
	return nrd_run(&(struct nrd_proc){ .argv = NRD_CSTRV(argv), .timeout_ms = LOOK_MS }, out,
		       &status, err);
}

/*
 * "zfs VERB ARGUMENTS NAMES", as many at a time as fit well. One that cannot be changed keeps no
 * other from it.
 */
static int
change(const char *const *verb, char **names, struct nrd_err *err)
{
	size_t n = nrd_strv_len(NRD_CSTRV(names));
	int worst = 0;

	for (size_t i = 0; i < n; i += BATCH) {
		NRD_STRV char **argv = NULL;
		int r = nrd_strv_copy(verb, &argv);

		for (size_t j = i; r == 0 && j < n && j < i + BATCH; j++)
			r = nrd_strv_add(&argv, names[j]);
		if (r < 0)
			return nrd_nomem(err);
		r = nrd_run(&(struct nrd_proc){ .argv = NRD_CSTRV(argv), .timeout_ms = LOOK_MS },
			    NULL, NULL, worst < 0 ? NULL : err);
		if (r < 0 && worst == 0)
			worst = r;
	}
	return worst;
}

int
zone_delegate_tame(const char *const *datasets, struct nrd_err *err)
{
	static const char *const tame[] = { "zfs", "set", "canmount=noauto", MARK "=on", NULL };
	NRD_AUTO(nrd_buf) out = { 0 };
	NRD_STRV char **wild = NULL;
	int r;

	if (datasets == NULL || datasets[0] == NULL)
		return 0;
	r = look(datasets, &out, err);
	if (r >= 0 && zone_delegate_pick(nrd_buf_str(&out), datasets, ZONE_DELEGATE_WILD, &wild) < 0)
		r = nrd_nomem(err);
	return r < 0 ? r : change(tame, wild, err);
}

static int
give_back(const char *text, const char *const *datasets, struct nrd_err *err)
{
	static const char *const on[] = { "zfs", "set", "canmount=on", NULL };
	static const char *const forget[] = { "zfs", "inherit", MARK, NULL };
	NRD_STRV char **tamed = NULL;
	int r;

	if (zone_delegate_pick(text, datasets, ZONE_DELEGATE_TAMED, &tamed) < 0)
		return nrd_nomem(err);
	r = change(on, tamed, err);
	return r < 0 ? r : change(forget, tamed, err);
}

static bool
in_range(uid_t id, uint64_t base)
{
	return id >= base && id - base < ZONE_IDS_COUNT;
}

/* One whose key is not loaded yet shows nobody its directory, and is no error. */
static int
give_directory(const char *dataset, uint64_t id_base, struct nrd_err *err)
{
	NRD_FREE char *source = nrd_format("source=%s", dataset);
	NRD_CLOSE int mount = -1;
	struct stat st;
	int r;

	if (source == NULL)
		return nrd_nomem(err);
	r = zone_fs_make("zfs", source, MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC,
			 &mount, err);
	if (r < 0)
		return r == -EACCES ? 0 : r;
	if (fstat(mount, &st) < 0)
		return nrd_fail(err, errno, "ZoneDelegate", "look at its directory: %m");
	if (in_range(st.st_uid, id_base) && in_range(st.st_gid, id_base))
		return 0;
	if (fchownat(mount, "", (uid_t)id_base, (gid_t)id_base, AT_EMPTY_PATH) < 0)
		return nrd_fail(err, errno, "ZoneDelegate", "give its directory to the zone: %m");
	return 0;
}

/* What zfs said of the datasets before anything was changed. */
struct found {
	char **there, **files, **zoned;
};

static void
found_cleanup(struct found *f)
{
	nrd_strv_free(f->there);
	nrd_strv_free(f->files);
	nrd_strv_free(f->zoned);
}

static int
attach(const struct found *found, const char *dataset, const char *ns, uint64_t id_base,
       struct nrd_err *err)
{
	struct nrd_err why = { 0 };
	int r = nrd_fault(&why, "delegate");

	if (r >= 0 && !nrd_strv_has(NRD_CSTRV(found->zoned), dataset))
		r = nrd_run_argv(NULL, &why, "zfs", "set", "zoned=on", dataset, NULL);
	if (r >= 0 && nrd_strv_has(NRD_CSTRV(found->files), dataset))
		r = give_directory(dataset, id_base, &why);
	if (r >= 0)
		r = nrd_run_argv(NULL, &why, "zfs", "zone", ns, dataset, NULL);
	return r < 0 ? nrd_fail(err, -r, "ZoneDelegate", "delegate dataset %s: %s", dataset, why.msg)
		     : 0;
}

static int
pick(const char *text, const char *const *datasets, struct found *ret_found, struct nrd_err *err)
{
	int r = zone_delegate_pick(text, datasets, ZONE_DELEGATE_THERE, &ret_found->there);

	if (r >= 0)
		r = zone_delegate_pick(text, datasets, ZONE_DELEGATE_FILES, &ret_found->files);
	if (r >= 0)
		r = zone_delegate_pick(text, datasets, ZONE_DELEGATE_ZONED, &ret_found->zoned);
	return r < 0 ? nrd_nomem(err) : 0;
}

static int
delegate(const struct zone_config *config, const char *ns, char **ret_missing, struct nrd_err *err)
{
	const char *const *datasets = NRD_CSTRV(config->datasets);
	NRD_AUTO(nrd_buf) out = { 0 };
	NRD_AUTO(found) found = { 0 };
	NRD_FREE char *missing = NULL;
	int r = look(datasets, &out, err);

	if (r < 0)
		return nrd_wrap(err, r, "look at its datasets");
	r = pick(nrd_buf_str(&out), datasets, &found, err);
	for (const char *const *d = datasets; r >= 0 && *d != NULL; d++) {
		if (nrd_strv_has(NRD_CSTRV(found.there), *d))
			r = attach(&found, *d, ns, config->id_base, err);
		else if (missing == NULL && (missing = nrd_format("%s", *d)) == NULL)
			r = nrd_nomem(err);
	}
	if (r >= 0)
		r = give_back(nrd_buf_str(&out), datasets, err);
	if (r >= 0)
		*ret_missing = NRD_TAKE(missing);
	return r;
}

int
zone_delegate(const struct zone_config *config, pid_t init, char **ret_missing,
	      struct nrd_err *err)
{
	char ns[64];
	int r;

	if (config->datasets == NULL || config->datasets[0] == NULL)
		return 0;
	r = check_version(err);
	(void)snprintf(ns, sizeof(ns), "/proc/%d/ns/user", (int)init);
	return r < 0 ? r : delegate(config, ns, ret_missing, err);
}
