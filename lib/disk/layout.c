/* SPDX-License-Identifier: MPL-2.0 */
/* Copyright 2026 The Nereid authors */
#include "layout.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "layout-priv.h"
#include "nrd/mem.h"
#include "nrd/str.h"
#include "nrd/vec.h"

/*
 * From disks to a pool, in four steps: disks of one make (bus, size class, flash or not) form
 * groups; groups of nearly one size are merged; each group gets a role (storage, log, cache);
 * the storage group is cut into vdevs and spares. Rules, figures and messages are those of
 * SmartOS's disklayout, which scripts and operators know.
 */

enum {
	RAIDZ1_MIN = 3,
	RAIDZ1_MAX = 6,
	RAIDZ2_MIN = 7,
	RAIDZ2_MAX = 12,
	RAIDZ3_MIN = 9,
	RAIDZ3_MAX = 20,
	SPARES_MAX = 2,         /* that we choose before looking for a width */
	LOG_DISKS = 5,          /* a flash group below this is for logs */
	MANY_DISKS = 16,        /* above: raidz2 */
	MIRROR_SPARE_EVERY = 16,
};

#define LARGE_DISK_BYTES (UINT64_C(1500) * 1000 * 1000 * 1000)
#define MEGABYTE         (UINT64_C(1000) * 1000)
#define SAME_SIZE        0.05 /* sizes that differ by no more are one size */

typedef const struct disk *disk_ref;

struct disk_refs {
	disk_ref *data; /* the disks are borrowed */
	size_t len;
	size_t cap;
};

struct group {
	enum disk_bus bus;
	uint64_t size_mb; /* as marketed; the class the group was made for */
	bool ssd;
	struct disk_refs disks;
	uint64_t smallest_bytes;
};

struct groups {
	struct group *data;
	size_t len;
	size_t cap;
};

struct roles {
	struct disk_refs storage;
	struct disk_refs logs;
	struct disk_refs cache;
};

/* A raidz level and how wide its vdevs may be. */
struct raidz {
	const char *type;
	size_t parity;
	size_t min_width;
	size_t max_width;
	size_t tight[2];      /* with exactly so many disks: one vdev of all of them */
	size_t disks_a_spare;
};

static const struct raidz raidz1 = { "raidz", 1, RAIDZ1_MIN, RAIDZ1_MAX, { 0, 0 }, 7 };
static const struct raidz raidz2 = { "raidz2", 2, RAIDZ2_MIN, RAIDZ2_MAX, { 5, 6 }, 12 };
static const struct raidz raidz3 = { "raidz3", 3, RAIDZ3_MIN, RAIDZ3_MAX, { 7, 8 }, 15 };

struct cut;
typedef int cut_fn(struct cut *cut, const struct raidz *raidz, struct nrd_err *err);

/* The storage disks on their way into vdevs. */
struct cut {
	const struct disk_layout_opts *opts;
	const struct disk_refs *disks;
	struct disk_layout *layout;
	const char *type;  /* of the vdevs */
	size_t width;
	size_t spares;
	size_t parity;     /* disks a vdev that hold no data */
};

static cut_fn cut_single, cut_mirror, cut_raidz;

static const struct layout_kind {
	const char *name;
	cut_fn *cut;
	const struct raidz *raidz;
} kinds[] = {
	{ "single", cut_single, NULL },     { "mirror", cut_mirror, NULL },
	{ "raidz1", cut_raidz, &raidz1 }, { "raidz2", cut_raidz, &raidz2 },
	{ "raidz3", cut_raidz, &raidz3 },
};

const char *const disk_layout_names[] = { "single", "mirror", "raidz1", "raidz2", "raidz3", NULL };

static int
refuse(struct nrd_err *err, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

static int
refuse(struct nrd_err *err, const char *fmt, ...)
{
	NRD_AUTO(nrd_buf) text = NRD_BUF_INIT(sizeof(err->msg));
	va_list ap;

	va_start(ap, fmt);
	(void)nrd_buf_vprintf(&text, fmt, ap);
	va_end(ap);
	return nrd_fail(err, EINVAL, "DiskLayout", "%s", nrd_buf_str(&text));
}

static bool
same_size(uint64_t a, uint64_t b)
{
	double difference = a > b ? (double)(a - b) : (double)(b - a);

	return difference / (double)b <= SAME_SIZE;
}

/*
 * The size a disk was sold as, in MB. Disks come in few sizes, and those of one size differ by a
 * little. Each step's nearest multiple is a candidate; the best is near and a small multiple of
 * a large step. 0: so small and so odd that it is no disk for a pool.
 */
static uint64_t
marketed_mb(uint64_t bytes)
{
	static const double steps[] = { 500000, 150000, 80000, 20000, 4500, 1000 };
	double mb = (double)bytes / (double)MEGABYTE;
	double best = 0, best_badness = 0;

	for (size_t i = 0; i < nrd_count(steps); i++) {
		double times = (double)(uint64_t)((mb + (double)(uint64_t)(steps[i] / 2)) / steps[i]);
		double size = times * steps[i];
		double off = size > mb ? size - mb : mb - size;
		double badness = off * off * times * times * times * times;

		if (size <= 0 || off / mb > SAME_SIZE)
			continue;
		if (best <= 0 || badness < best_badness) {
			best = size;
			best_badness = badness;
		}
	}
	if (best > 0)
		return (uint64_t)best;
	return (uint64_t)(mb / 1000 + 0.5) * 1000;
}

static void
groups_cleanup(struct groups *groups)
{
	nrd_vec_each(group, groups)
		nrd_vec_fini(&group->disks);
	nrd_vec_fini(groups);
}

static void
roles_cleanup(struct roles *roles)
{
	nrd_vec_fini(&roles->storage);
	nrd_vec_fini(&roles->logs);
	nrd_vec_fini(&roles->cache);
}

static bool
named(const char *const *names, const struct disk *disk, const struct disk_list *disks)
{
	for (; *names != NULL; names++) {
		if (disk_list_find(disks, *names) == disk)
			return true;
	}
	return false;
}

static int
check_names(const struct disk_list *disks, const char *const *names, struct nrd_err *err)
{
	for (; names != NULL && *names != NULL; names++) {
		if (disk_list_find(disks, *names) == NULL)
			return nrd_fail(err, ENOENT, "DiskNotFound", "no such disk: %s", *names);
	}
	return 0;
}

static bool
usable(const struct disk *disk, const struct disk_list *disks, const struct disk_layout_opts *opts)
{
	if (disk->removable || disk->read_only || disk->boot_medium || disk->busy ||
	    disk->use_error != NULL)
		return false;
	if (opts->blank_only && !disk->blank)
		return false;
	if (opts->exclude != NULL && named(opts->exclude, disk, disks))
		return false;
	return opts->only == NULL || named(opts->only, disk, disks);
}

static int
group_add(struct groups *groups, const struct disk *disk, uint64_t size_mb, struct nrd_err *err)
{
	struct group new = { .bus = disk->bus, .size_mb = size_mb, .ssd = disk->ssd };

	nrd_vec_each(group, groups) {
		if (group->bus == disk->bus && group->size_mb == size_mb && group->ssd == disk->ssd)
			return nrd_vec_push(&group->disks, disk) < 0 ? nrd_nomem(err) : 0;
	}
	if (nrd_vec_push(&new.disks, disk) < 0)
		return nrd_nomem(err);
	if (nrd_vec_push(groups, new) < 0) {
		nrd_vec_fini(&new.disks);
		return nrd_nomem(err);
	}
	return 0;
}

static int
refs_append(struct disk_refs *to, const struct disk_refs *from, struct nrd_err *err)
{
	nrd_vec_each(ref, from) {
		if (nrd_vec_push(to, *ref) < 0)
			return nrd_nomem(err);
	}
	return 0;
}

/* One size on two buses is one group: the smaller joins the larger. */
static int
groups_merge(struct groups *groups, struct nrd_err *err)
{
	for (size_t i = 0; i < groups->len; i++) {
		for (size_t j = 0; j < groups->len; j++) {
			struct group *a = &groups->data[i], *b = &groups->data[j];
			bool a_stays = a->disks.len > b->disks.len;
			int r;

			if (i == j || a->disks.len == 0 || b->disks.len == 0 || a->ssd != b->ssd ||
			    !same_size(a->size_mb, b->size_mb))
				continue;
			r = refs_append(a_stays ? &a->disks : &b->disks,
					a_stays ? &b->disks : &a->disks, err);
			if (r < 0)
				return r;
			(a_stays ? b : a)->disks.len = 0;
		}
	}
	for (size_t i = 0; i < groups->len;) {
		if (groups->data[i].disks.len > 0) {
			i++;
			continue;
		}
		nrd_vec_fini(&groups->data[i].disks);
		nrd_vec_remove(groups, i);
	}
	return 0;
}

static int
ref_compare(const void *va, const void *vb)
{
	const struct disk *a = *(const disk_ref *)va, *b = *(const disk_ref *)vb;

	if (a->size_bytes != b->size_bytes)
		return a->size_bytes < b->size_bytes ? -1 : 1;
	return disk_name_compare(a->name, b->name);
}

/* Spinning groups first, then by their smallest disk. */
static int
group_compare(const void *va, const void *vb)
{
	const struct group *a = va, *b = vb;

	if (a->ssd != b->ssd)
		return a->ssd ? 1 : -1;
	if (a->smallest_bytes != b->smallest_bytes)
		return a->smallest_bytes < b->smallest_bytes ? -1 : 1;
	return ref_compare(&a->disks.data[0], &b->disks.data[0]);
}

static int
groups_make(const struct disk_list *disks, const struct disk_layout_opts *opts,
	    struct groups *groups, struct nrd_err *err)
{
	int r = 0;

	nrd_vec_each(disk, disks) {
		uint64_t size_mb = marketed_mb(disk->size_bytes);

		if (size_mb == 0 || !usable(disk, disks, opts))
			continue;
		r = group_add(groups, disk, size_mb, err);
		if (r < 0)
			return r;
	}
	r = groups_merge(groups, err);
	nrd_vec_each(group, groups) {
		qsort(group->disks.data, group->disks.len, sizeof(disk_ref), ref_compare);
		group->smallest_bytes = group->disks.data[0]->size_bytes;
	}
	if (r == 0 && groups->len > 0)
		qsort(groups->data, groups->len, sizeof(struct group), group_compare);
	return r;
}

/*
 * The largest spinning group stores, without spinning disks the largest flash group. The
 * smallest flash group that is left is for logs if it has few disks. The rest is cache.
 */
static int
roles_assign(const struct groups *groups, const struct disk_layout_opts *opts, struct roles *roles,
	     struct nrd_err *err)
{
	size_t storage, first_ssd = 0;
	bool logs = false;
	int r;

	if (groups->len == 0)
		return refuse(err, "no primary storage disks available");
	while (first_ssd < groups->len && !groups->data[first_ssd].ssd)
		first_ssd++;
	storage = (first_ssd > 0 ? first_ssd : groups->len) - 1;
	r = refs_append(&roles->storage, &groups->data[storage].disks, err);
	for (size_t i = 0; r == 0 && i < groups->len; i++) {
		const struct group *group = &groups->data[i];

		if (i == storage)
			continue;
		if (group->ssd && i == first_ssd && group->disks.len < LOG_DISKS && !logs) {
			logs = true;
			r = refs_append(&roles->logs, &group->disks, err);
		} else if (!opts->no_cache) {
			r = refs_append(&roles->cache, &group->disks, err);
		}
	}
	return r;
}

static int
member_set(struct disk_member *member, const struct disk *disk)
{
	member->size = disk->size_bytes;
	member->solid_state = disk->ssd;
	return nrd_str_set(&member->name, disk->name) < 0 ||
			       nrd_str_set(&member->vid, disk->vid) < 0 ||
			       nrd_str_set(&member->pid, disk->pid) < 0 ?
		       -ENOMEM :
		       0;
}

static int
members_make(disk_ref const *disks, size_t n, struct disk_member **ret, size_t *ret_n,
	     struct nrd_err *err)
{
	struct disk_member *members = n > 0 ? calloc(n, sizeof(*members)) : NULL;

	if (n > 0 && members == NULL)
		return nrd_nomem(err);
	for (size_t i = 0; i < n; i++) {
		if (member_set(&members[i], disks[i]) < 0) {
			disk_members_free(members, n);
			return nrd_nomem(err);
		}
	}
	*ret = members;
	*ret_n = n;
	return 0;
}

/* Spares are the last, that is the largest: they can stand in for any other. */
static int
cut_vdevs(struct cut *cut, struct nrd_err *err)
{
	size_t in_vdevs = cut->disks->len - cut->spares;
	size_t n = in_vdevs / cut->width;
	struct disk_layout *layout = cut->layout;
	int r;

	layout->vdevs = calloc(n, sizeof(*layout->vdevs));
	if (layout->vdevs == NULL)
		return nrd_nomem(err);
	layout->n_vdevs = n;
	for (size_t i = 0; i < n; i++) {
		disk_ref const *disks = cut->disks->data + i * cut->width;
		struct disk_vdev *vdev = &layout->vdevs[i];

		if (cut->type != NULL && nrd_str_set(&vdev->type, cut->type) < 0)
			return nrd_nomem(err);
		r = members_make(disks, cut->width, &vdev->devices, &vdev->n_devices, err);
		if (r < 0)
			return r;
		layout->capacity += (cut->width - cut->parity) * disks[0]->size_bytes;
	}
	return members_make(cut->disks->data + in_vdevs, cut->spares, &layout->spares,
			    &layout->n_spares, err);
}

static int
cut_single(struct cut *cut, const struct raidz *raidz, struct nrd_err *err)
{
	const struct disk_refs one = { .data = cut->disks->data, .len = 1 };

	(void)raidz;
	if (cut->opts->spares_given && cut->opts->spares > 0)
		return refuse(err, "spares are not allowed for a single disk pool");
	cut->disks = &one;
	cut->type = NULL;
	cut->width = 1;
	cut->spares = 0;
	cut->parity = 0;
	return cut_vdevs(cut, err);
}

static int
bad_spares(size_t spares, size_t disks, struct nrd_err *err)
{
	return refuse(err, "%zu is an invalid number of spares for %zu disks", spares, disks);
}

static int
cut_mirror(struct cut *cut, const struct raidz *raidz, struct nrd_err *err)
{
	size_t disks = cut->disks->len;
	size_t spares = cut->opts->spares_given ? cut->opts->spares : 0;
	size_t width = cut->opts->width > 0 ? cut->opts->width : 2;

	(void)raidz;
	if (disks < 2)
		return refuse(err, "at least 2 disks are required for mirroring");
	if (spares >= disks)
		return bad_spares(spares, disks, err);
	if (width < 2 || (cut->opts->width > 0 && width > disks - spares))
		return refuse(err, "%zu is an invalid width for mirroring and %zu disks", width,
			      disks - spares);
	if (!cut->opts->spares_given && cut->opts->width > 0) {
		spares = disks % width;
	} else if (!cut->opts->spares_given && disks != 2 && disks != 4) {
		spares = (disks + MIRROR_SPARE_EVERY - 1) / MIRROR_SPARE_EVERY;
		spares += (disks - spares) % width;
	}
	/* A given width may leave disks over, ours may not: half a mirror is none. */
	if (spares > disks - width || (cut->opts->width == 0 && (disks - spares) % width != 0))
		return bad_spares(spares, disks, err);
	cut->type = "mirror";
	cut->width = width;
	cut->spares = spares;
	cut->parity = width - 1;
	return cut_vdevs(cut, err);
}

/* The narrowest width that uses up the disks; 0: none. */
static size_t
raidz_width(size_t disks, size_t min, size_t max)
{
	for (size_t width = min; width <= max; width++) {
		if (disks >= width && disks % width == 0)
			return width;
	}
	return 0;
}

/* The width an operator gave may be wider than what we would choose, never narrower. */
static int
raidz_given_width(const struct cut *cut, const char *type, size_t min, size_t max,
		  size_t *ret_spares, struct nrd_err *err)
{
	size_t disks = cut->disks->len, width = cut->opts->width;

	if (width < min || width > disks)
		return refuse(err,
			      "%zu is an invalid width for %s and %zu disks "
			      "(min: %zu, default max: %zu)",
			      width, type, disks, min, max);
	if (!cut->opts->spares_given)
		*ret_spares = disks % width;
	else if (disks - *ret_spares < width)
		return refuse(err, "%zu is an invalid width for %s and %zu spares", width, type,
			      *ret_spares);
	return 0;
}

static int
cut_raidz(struct cut *cut, const struct raidz *raidz, struct nrd_err *err)
{
	size_t disks = cut->disks->len;
	size_t min = raidz->min_width, max = raidz->max_width;
	size_t spares = disks / raidz->disks_a_spare;
	size_t width = cut->opts->width;
	int r;

	if (disks == raidz->tight[0] || disks == raidz->tight[1])
		min = max = disks;
	if (spares > SPARES_MAX)
		spares = SPARES_MAX;
	if (cut->opts->spares_given)
		spares = cut->opts->spares;
	if (spares > disks)
		return bad_spares(spares, disks, err);
	if (width > 0) {
		r = raidz_given_width(cut, raidz->type, min, max, &spares, err);
		if (r < 0)
			return r;
	} else {
		for (; disks >= spares + min; spares++) {
			width = raidz_width(disks - spares, min, max);
			if (width > 0)
				break;
			if (cut->opts->spares_given)
				return refuse(err,
					      "no acceptable %s layout is possible with %zu disks "
					      "and %zu %s",
					      raidz->type, disks, spares,
					      spares == 1 ? "spare" : "spares");
		}
	}
	if (disks < spares + min)
		return refuse(err, "no acceptable %s layout is possible with %zu disks",
			      raidz->type, disks);
	cut->type = raidz->type;
	cut->width = width;
	cut->spares = spares;
	cut->parity = raidz->parity;
	return cut_vdevs(cut, err);
}

static const char *
layout_for_width(uint64_t width)
{
	if (width <= 2)
		return "mirror";
	if (width <= RAIDZ1_MAX)
		return "raidz1";
	return width <= RAIDZ2_MAX ? "raidz2" : "raidz3";
}

/* Many or large disks: a second failure while one is rebuilt must be survived. */
static const char *
layout_for_many(size_t disks, bool spares_given)
{
	if (!spares_given || raidz_width(disks, RAIDZ2_MIN, RAIDZ2_MAX) > 0)
		return "raidz2";
	return disks == 13 ? "raidz3" : "raidz1";
}

static const char *
layout_default(const struct disk_refs *disks, const struct disk_layout_opts *opts)
{
	bool given = opts->spares_given;
	size_t n = disks->len - (given ? opts->spares : 0);
	bool ssd = disks->data[0]->ssd;

	if (opts->width > 0)
		return layout_for_width(opts->width);
	if (n <= 2)
		return n == 1 ? "single" : "mirror";
	if (n <= 4)
		return "raidz1";
	if (n <= RAIDZ1_MAX)
		return ssd || given ? "raidz1" : "raidz2";
	if (n > MANY_DISKS || (n > RAIDZ2_MIN && disks->data[0]->size_bytes > LARGE_DISK_BYTES))
		return layout_for_many(n, given);
	if (ssd && n < RAIDZ2_MAX)
		return "raidz2";
	/* An odd number gives mirrors and a spare, unless the spares are fixed. */
	if (n % 2 == 0 || !given)
		return "mirror";
	if (n == 15)
		return "raidz1";
	return n == 13 ? "raidz3" : "raidz2";
}

/*
 * With a fixed number of spares, a prime number of disks above what one vdev takes cannot be
 * divided.
 */
static bool
is_large_prime(size_t n)
{
	if (n < 17 || n > 67)
		return false;
	for (size_t i = 2; i * i <= n; i++) {
		if (n % i == 0)
			return false;
	}
	return true;
}

static int
check_spares(const struct disk_refs *disks, const struct disk_layout_opts *opts,
	     struct nrd_err *err)
{
	if (!opts->spares_given)
		return 0;
	if (opts->spares > 0 && (opts->spares >= disks->len || disks->len - opts->spares < 2))
		return refuse(err, "too many spares (%" PRIu64 ") for this disk configuration",
			      opts->spares);
	if (is_large_prime(disks->len - opts->spares))
		return refuse(err, "invalid number of spares (%" PRIu64 ") for this disk configuration",
			      opts->spares);
	return 0;
}

static int
layout_storage(const struct disk_refs *disks, const struct disk_layout_opts *opts,
	       struct disk_layout *layout, struct nrd_err *err)
{
	struct cut cut = { .opts = opts, .disks = disks, .layout = layout };
	const char *name = opts->layout;
	int r = check_spares(disks, opts, err);

	if (r < 0)
		return r;
	if (name == NULL)
		name = layout_default(disks, opts);
	for (size_t i = 0; i < nrd_count(kinds); i++) {
		if (nrd_streq(kinds[i].name, name))
			return kinds[i].cut(&cut, kinds[i].raidz, err);
	}
	return refuse(err, "unknown layout %s", name);
}

int
disk_layout_compute(const struct disk_list *disks, const struct disk_layout_opts *opts,
		    struct disk_layout *ret_layout, struct nrd_err *err)
{
	static const struct disk_layout_opts defaults = { 0 };
	struct groups groups __attribute__((cleanup(groups_cleanup))) = { 0 };
	struct roles roles __attribute__((cleanup(roles_cleanup))) = { 0 };
	NRD_AUTO(disk_layout) layout = { 0 };
	int r;

	if (opts == NULL)
		opts = &defaults;
	r = check_names(disks, opts->exclude, err);
	if (r == 0)
		r = check_names(disks, opts->only, err);
	if (r == 0)
		r = groups_make(disks, opts, &groups, err);
	if (r == 0)
		r = roles_assign(&groups, opts, &roles, err);
	if (r == 0)
		r = layout_storage(&roles.storage, opts, &layout, err);
	if (r == 0)
		r = members_make(roles.logs.data, roles.logs.len, &layout.logs, &layout.n_logs,
				 err);
	if (r == 0)
		r = members_make(roles.cache.data, roles.cache.len, &layout.cache, &layout.n_cache,
				 err);
	if (r < 0)
		return r;
	*ret_layout = layout;
	layout = (struct disk_layout){ 0 };
	return 0;
}

void
disk_layout_fini(struct disk_layout *layout)
{
	for (size_t i = 0; i < layout->n_vdevs; i++) {
		free(layout->vdevs[i].type);
		disk_members_free(layout->vdevs[i].devices, layout->vdevs[i].n_devices);
	}
	free(layout->vdevs);
	disk_members_free(layout->spares, layout->n_spares);
	disk_members_free(layout->logs, layout->n_logs);
	disk_members_free(layout->cache, layout->n_cache);
	*layout = (struct disk_layout){ 0 };
}

void
disk_layout_cleanup(struct disk_layout *layout)
{
	disk_layout_fini(layout);
}

bool
disk_layout_next(const struct disk_layout *layout, size_t *i,
		 const struct disk_member **ret_member)
{
	const struct {
		const struct disk_member *members;
		size_t n;
	} rest[] = {
		{ layout->spares, layout->n_spares },
		{ layout->logs, layout->n_logs },
		{ layout->cache, layout->n_cache },
	};
	size_t at = *i;

	for (size_t v = 0; v < layout->n_vdevs; v++) {
		if (at < layout->vdevs[v].n_devices) {
			*ret_member = &layout->vdevs[v].devices[at];
			(*i)++;
			return true;
		}
		at -= layout->vdevs[v].n_devices;
	}
	for (size_t l = 0; l < nrd_count(rest); l++) {
		if (at < rest[l].n) {
			*ret_member = &rest[l].members[at];
			(*i)++;
			return true;
		}
		at -= rest[l].n;
	}
	return false;
}
