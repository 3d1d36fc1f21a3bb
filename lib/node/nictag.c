/* SPDX-License-Identifier: MPL-2.0 */
/* Copyright 2026 The Nereid authors */

#include "node/nictag.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "node/check.h"
#include "nrd/file.h"
#include "nrd/json.h"
#include "nrd/mem.h"
#include "nrd/str.h"
#include "nrd/vec.h"

#define KEY_MAX (NODE_NICTAG_MAX + 16)
#define DEVICE "_device"
#define OVERLAY_PREFIX "overlay_rule_"
#define VNETID_MAX 16777215
#define NAMED_MAX 5 /* machines an error names one by one */

const char *
node_nictag_type_name(enum node_nictag_type type)
{
	static const char *const names[] = {
#define X(id, name) [id] = (name),
		NODE_NICTAG_TYPES(X)
#undef X
	};

	return names[type];
}

static const char *
config_path(const struct node_nictag_env *env)
{
	return env != NULL && env->config != NULL ? env->config : NODE_CONFIG_PATH;
}

/* "TAG_nic" and its like, in the caller's array; tags were checked, so it always fits. */
static const char *
key_of(char dst[KEY_MAX], const char *tag, const char *suffix)
{
	(void)snprintf(dst, KEY_MAX, "%s%s", tag, suffix);
	return dst;
}

static void
link_take(struct node_nictag *tag, const struct link_nic *nic)
{
	tag->down = nic == NULL || !nic->admin_up || nic->state == LINK_DOWN;
	if (nic == NULL)
		return;
	(void)nrd_strcpy_to(tag->link, sizeof(tag->link), nic->name);
	if (nic->has_mac) {
		tag->has_mac = true;
		tag->mac = nic->physical ? nic->perm_mac : nic->mac;
	}
}

/* What `TAG_nic=VALUE` means on this node. */
static void
nic_take(struct node_nictag *tag, const char *value, const struct link_nics *nics)
{
	const struct link_nic *nic;
	struct nrd_mac mac;

	if (node_check_aggr(value, NULL) == 0) {
		tag->type = NODE_NICTAG_AGGR;
		link_take(tag, link_nics_by_name(nics, value));
		return;
	}
	tag->type = NODE_NICTAG_NORMAL;
	if (nrd_mac_parse(value, &mac, NULL) < 0) {
		tag->down = true;
		return;
	}
	/* An aggregation or a VNIC may wear the MAC of a NIC that is gone. */
	nic = link_nics_by_mac(nics, &mac);
	link_take(tag, nic != NULL && nic->physical ? nic : NULL);
	tag->has_mac = true;
	tag->mac = mac;
}

struct tag_list {
	struct node_nictag *data;
	size_t len;
	size_t cap;
};

static int
tag_add(struct tag_list *list, struct nrd_str name, struct node_nictag tag)
{
	if (name.len == 0 || name.len >= sizeof(tag.name))
		return 0;
	memcpy(tag.name, name.data, name.len);
	tag.name[name.len] = '\0';
	if (node_check_tag(tag.name, NULL) < 0 && node_check_etherstub(tag.name, NULL) < 0)
		return 0;
	return nrd_vec_push(list, tag);
}

static int
line_take(const struct node_config *config, const char *key, const char *value,
	  const struct link_nics *nics, struct tag_list *list)
{
	const char *rule = nrd_starts(key, OVERLAY_PREFIX);
	struct node_nictag tag = { 0 };
	char mtu[KEY_MAX];
	size_t len;

	if (rule != NULL) {
		tag.type = NODE_NICTAG_OVERLAY;
		return tag_add(list, nrd_str(rule), tag);
	}
	if (!nrd_ends(key, "_nic") || value[0] == '\0')
		return 0;
	len = strlen(key) - strlen("_nic");
	if (len == 0 || len >= NODE_NICTAG_MAX)
		return 0;
	nic_take(&tag, value, nics);
	(void)snprintf(mtu, sizeof(mtu), "%.*s_mtu", (int)len, key);
	value = node_config_get_filled(config, mtu);
	if (value != NULL)
		(void)nrd_parse_u64(value, NODE_MTU_MIN, NODE_MTU_MAX, &tag.mtu, NULL);
	return tag_add(list, nrd_strn(key, len), tag);
}

static int
etherstubs_take(const struct node_config *config, struct tag_list *list)
{
	const char *stubs = node_config_get_filled(config, "etherstub");
	struct nrd_str rest = nrd_str(stubs), part;

	if (stubs == NULL)
		return 0;
	while (nrd_str_split(&rest, ',', &part)) {
		struct node_nictag tag = { .type = NODE_NICTAG_ETHERSTUB };

		if (tag_add(list, part, tag) < 0)
			return -ENOMEM;
	}
	return 0;
}

int
node_nictags_from(const struct node_config *config, const struct link_nics *nics,
		  struct node_nictags *ret_tags, struct nrd_err *err)
{
	struct tag_list list = { 0 };
	const char *key, *value;
	char device[KEY_MAX];
	size_t pos = 0;
	int r = 0;

	while (r == 0 && node_config_next(config, &pos, &key, &value))
		r = line_take(config, key, value, nics, &list);
	if (r == 0)
		r = etherstubs_take(config, &list);
	if (r < 0) {
		nrd_vec_fini(&list);
		return nrd_nomem(err);
	}
	for (size_t i = 0; i < list.len; i++)
		list.data[i].netkit = nrd_streq(node_config_get_filled(config, key_of(device, list.data[i].name, DEVICE)), "netkit");
	*ret_tags = (struct node_nictags){ .tags = list.data, .n = list.len };
	return 0;
}

void
node_nictags_fini(struct node_nictags *tags)
{
	free(tags->tags);
	*tags = (struct node_nictags){ 0 };
}

void
node_nictags_cleanup(struct node_nictags *tags)
{
	node_nictags_fini(tags);
}

const struct node_nictag *
node_nictags_find(const struct node_nictags *tags, const char *name)
{
	for (size_t i = 0; i < tags->n; i++)
		if (nrd_streq(tags->tags[i].name, name))
			return &tags->tags[i];
	return NULL;
}

int
node_nictags_of(const struct node_nictags *tags, const char *nic_tag, const struct node_nictag **ret_tag, uint64_t *ret_vnetid,
		struct nrd_err *err)
{
	const char *slash = strchr(nic_tag, '/');
	NRD_FREE char *name = nrd_str_dup(nrd_strn(nic_tag, slash != NULL ? (size_t)(slash - nic_tag) : strlen(nic_tag)));
	const struct node_nictag *tag;

	if (name == NULL)
		return nrd_nomem(err);
	tag = node_nictags_find(tags, name);
	if (tag == NULL || (slash != NULL && tag->type != NODE_NICTAG_OVERLAY))
		return nrd_fail(err, EINVAL, "BadNicTag", "Invalid nic tag \"%s\"; nictagadm list shows those there are", nic_tag);
	*ret_vnetid = 0;
	if (tag->type == NODE_NICTAG_OVERLAY && slash == NULL)
		return nrd_fail(err, EINVAL, "BadNicTag", "nic tag \"%s\" is an overlay rule, which needs a network's number: %s/NUMBER",
				nic_tag, nic_tag);
	if (slash != NULL && nrd_parse_u64(slash + 1, 0, VNETID_MAX, ret_vnetid, NULL) < 0)
		return nrd_fail(err, EINVAL, "BadNicTag", "nic tag \"%s\": behind the slash is a network's number, at most %d", nic_tag,
				VNETID_MAX);
	*ret_tag = tag;
	return 0;
}

int
node_nictag_rule(const struct node_nictag_env *env, const char *name, char **ret_rule, struct nrd_err *err)
{
	NRD_AUTO(node_config) *config = NULL;
	char key[KEY_MAX];
	const char *rule;
	int r = node_config_read(config_path(env), &config, err);

	if (r < 0)
		return r;
	(void)snprintf(key, sizeof(key), OVERLAY_PREFIX "%s", name);
	rule = node_config_get_filled(config, key);
	if (rule == NULL)
		return nrd_fail(err, ENOENT, "BadNicTag", "nic tag \"%s\": there is no %s in " NODE_CONFIG_PATH, name, key);
	*ret_rule = nrd_format("%s", rule);
	return *ret_rule == NULL ? nrd_nomem(err) : 0;
}

/* The configuration, the NICs and the tags they make: what every verb starts from. */
struct work {
	struct node_config *config;
	struct link_nics nics;
	struct node_nictags tags;
	int lock;
};

static void
work_cleanup(struct work *w)
{
	node_nictags_fini(&w->tags);
	link_nics_fini(&w->nics);
	node_config_free(w->config);
	nrd_closep(&w->lock);
}

static int
no_config(const char *path, struct nrd_err *err)
{
	return nrd_fail(err, ENOENT, "NoPersistentConfig",
			"there is no %s: the pool is not imported or the node is not set up; import "
			"the pool or run nereid-setup",
			path);
}

static int
work_open(const struct node_nictag_env *env, bool lock, struct work *w, struct nrd_err *err)
{
	const char *path = config_path(env);
	int r;

	*w = (struct work){ .lock = -1 };
	if (lock) {
		r = node_config_lock(path, &w->lock, err);
		if (r == -ENOENT || r == -ENOTDIR)
			return no_config(path, err);
		if (r < 0)
			return r;
	}
	r = node_config_read(path, &w->config, err);
	if (nrd_err_is(err, "ConfigMissing"))
		return no_config(path, err);
	if (r < 0)
		return r;
	r = link_nics_read(env == NULL ? NULL : env->sysfs, 0, &w->nics, err);
	return r < 0 ? r : node_nictags_from(w->config, &w->nics, &w->tags, err);
}

int
node_nictag_list(const struct node_nictag_env *env, struct node_nictags *ret_tags,
		 struct nrd_err *err)
{
	__attribute__((cleanup(work_cleanup))) struct work w = { .lock = -1 };
	struct nrd_err why = { 0 };
	int r = work_open(env, false, &w, &why);

	if (r < 0)
		return nrd_fail(err, why.num, why.code, "%s", why.msg);
	*ret_tags = w.tags;
	w.tags = (struct node_nictags){ 0 };
	return 0;
}

/* The NIC behind what the operator gave; the aggregation may not be up yet but must be defined. */
static int
nic_known(const struct work *w, const char *nic, const struct link_nic **ret_nic,
	  struct nrd_err *err)
{
	struct nrd_mac mac;
	char key[KEY_MAX];
	int r = node_check_nic(nic, err);

	if (r < 0)
		return nrd_fail(err, EINVAL, "NicTagBadNic", "\"%.80s\" is neither the MAC address "
				"of a NIC nor an aggregation such as aggr0", nic);
	if (node_check_aggr(nic, NULL) == 0) {
		*ret_nic = link_nics_by_name(&w->nics, nic);
		if (*ret_nic == NULL &&
		    node_config_get_filled(w->config, key_of(key, nic, "_aggr")) == NULL)
			return nrd_fail(err, ENODEV, "NicTagNoNic",
					"the node has no aggregation %s", nic);
		return 0;
	}
	r = nrd_mac_parse(nic, &mac, err);
	if (r < 0)
		return r;
	*ret_nic = link_nics_by_mac(&w->nics, &mac);
	if (*ret_nic == NULL || !(*ret_nic)->physical)
		return nrd_fail(err, ENODEV, "NicTagNoNic",
				"the node has no NIC with the MAC address %s; sysinfo lists those it "
				"has",
				nic);
	return 0;
}

static int
mtu_check(const char *mtu, const struct link_nic *nic, struct nrd_err *err)
{
	uint64_t v;

	if (nrd_parse_u64(mtu, NODE_MTU_MIN, NODE_MTU_MAX, &v, NULL) < 0)
		return nrd_fail(err, EINVAL, "NicTagBadMtu",
				"\"%.40s\" is not an MTU between %d and %d", mtu, NODE_MTU_MIN,
				NODE_MTU_MAX);
	if (nic != NULL && nic->max_mtu >= 68 && v > nic->max_mtu)
		return nrd_fail(err, EINVAL, "NicTagBadMtu", "NIC %s can do an MTU of %u at most",
				nic->name, nic->max_mtu);
	return 0;
}

static int
name_check(const struct work *w, const struct node_nictag_spec *spec, struct nrd_err *err)
{
	struct nrd_err why = { 0 };
	int r = spec->etherstub ? node_check_etherstub(spec->name, &why) :
				  node_check_tag(spec->name, &why);

	if (r < 0)
		return nrd_fail(err, EINVAL, "NicTagBadName", "%s", why.msg);
	if (nrd_starts(spec->name, OVERLAY_PREFIX) != NULL)
		return nrd_fail(err, EINVAL, "NicTagBadName",
				"names that begin with " OVERLAY_PREFIX " are overlay rules");
	if (node_nictags_find(&w->tags, spec->name) != NULL)
		return nrd_fail(err, EEXIST, "NicTagExists", "there is a NIC tag of that name");
	if (spec->etherstub && link_nics_by_name(&w->nics, spec->name) != NULL)
		return nrd_fail(err, EEXIST, "NicTagBadName",
				"the node has a network interface of that name");
	return 0;
}

/* MACs are written as the node prints them, whatever case and length the operator typed. */
static int
nic_store(struct node_config *config, const char *tag, const char *nic, struct nrd_err *err)
{
	char key[KEY_MAX], text[NRD_MAC_TEXT];
	struct nrd_mac mac;

	if (nrd_mac_parse(nic, &mac, NULL) == 0) {
		nrd_mac_format(&mac, text);
		nic = text;
	}
	return node_config_set(config, key_of(key, tag, "_nic"), nic, err);
}

static int
spec_store(struct work *w, const struct node_nictag_spec *spec, struct nrd_err *err)
{
	char key[KEY_MAX];
	int r = 0;

	if (spec->nic != NULL)
		r = nic_store(w->config, spec->name, spec->nic, err);
	if (r == 0 && spec->mtu != NULL)
		r = node_config_set(w->config, key_of(key, spec->name, "_mtu"), spec->mtu, err);
	return r;
}

static int
device_store(struct work *w, const struct node_nictag_spec *spec, struct nrd_err *err)
{
	struct nrd_err why = { 0 };
	char key[KEY_MAX];

	if (spec->device == NULL)
		return 0;
	(void)key_of(key, spec->name, DEVICE);
	if (spec->device[0] == '\0') {
		node_config_unset(w->config, key);
		return 0;
	}
	if (node_check_device(spec->device, &why) < 0)
		return nrd_fail(err, EINVAL, "NicTagBadDevice", "%s", why.msg);
	return node_config_set(w->config, key, spec->device, err);
}

/* Whole: what is there and what is given have to fit together. */
static int
pool_store(struct work *w, const struct node_nictag_spec *spec, struct nrd_err *err)
{
	struct node_dhcp pool;
	int r = 0;

	for (int i = 0; r == 0 && i < NODE_DHCP_N; i++) {
		NRD_FREE char *key = spec->dhcp[i] != NULL ? nrd_format("%s_%s", spec->name, node_dhcp_names[i]) : NULL;

		if (spec->dhcp[i] != NULL && key == NULL)
			return nrd_nomem(err);
		if (spec->dhcp[i] != NULL && spec->dhcp[i][0] == '\0')
			node_config_unset(w->config, key);
		else if (spec->dhcp[i] != NULL)
			r = node_config_set(w->config, key, spec->dhcp[i], err);
	}
	if (r == 0)
		r = node_dhcp_from(w->config, spec->name, &pool, err);
	return r < 0 ? nrd_fail(err, -r, "NicTagBadPool", "%s", err != NULL ? err->msg : "") : 0;
}

static int
etherstub_store(struct work *w, const char *name, struct nrd_err *err)
{
	const char *stubs = node_config_get_filled(w->config, "etherstub");
	NRD_FREE char *list = stubs == NULL ? nrd_format("%s", name) :
					      nrd_format("%s,%s", stubs, name);

	return list == NULL ? nrd_nomem(err) : node_config_set(w->config, "etherstub", list, err);
}

static int
add(const struct node_nictag_env *env, const struct node_nictag_spec *spec, struct nrd_err *err)
{
	__attribute__((cleanup(work_cleanup))) struct work w = { .lock = -1 };
	const struct link_nic *nic = NULL;
	int r = work_open(env, true, &w, err);

	if (r < 0 || (r = name_check(&w, spec, err)) < 0)
		return r;
	if (spec->etherstub) {
		r = etherstub_store(&w, spec->name, err);
		if (r == 0)
			r = device_store(&w, spec, err);
		if (r == 0)
			r = pool_store(&w, spec, err);
		return r < 0 ? r : node_config_write(w.config, config_path(env), err);
	}
	if (spec->nic == NULL)
		return nrd_fail(err, EINVAL, "NicTagBadNic",
				"give the MAC address of a NIC or an aggregation");
	r = nic_known(&w, spec->nic, &nic, err);
	if (r == 0 && spec->mtu != NULL)
		r = mtu_check(spec->mtu, nic, err);
	if (r == 0)
		r = spec_store(&w, spec, err);
	if (r == 0)
		r = device_store(&w, spec, err);
	if (r == 0)
		r = pool_store(&w, spec, err);
	return r < 0 ? r : node_config_write(w.config, config_path(env), err);
}

int
node_nictag_add(const struct node_nictag_env *env, const struct node_nictag_spec *spec,
		struct nrd_err *err)
{
	struct nrd_err why = { 0 };
	int r = add(env, spec, &why);

	return r == 0 ? 0 : nrd_fail(err, why.num, why.code, "NIC tag %.64s: %s", spec->name, why.msg);
}

static int
missing(struct nrd_err *err)
{
	return nrd_fail(err, ENOENT, "NicTagMissing", "there is no such tag; nictagadm list shows "
			"those there are");
}

static int
update(const struct node_nictag_env *env, const struct node_nictag_spec *spec, struct nrd_err *err)
{
	__attribute__((cleanup(work_cleanup))) struct work w = { .lock = -1 };
	const struct link_nic *nic = NULL;
	const struct node_nictag *tag;
	int r = work_open(env, true, &w, err);

	if (r < 0)
		return r;
	tag = node_nictags_find(&w.tags, spec->name);
	if (tag == NULL)
		return missing(err);
	if ((spec->nic != NULL || spec->mtu != NULL) && (tag->type == NODE_NICTAG_ETHERSTUB || tag->type == NODE_NICTAG_OVERLAY))
		return nrd_fail(err, EINVAL, "NicTagFixed",
				"it is an %s: it has neither a NIC nor an MTU of its own",
				node_nictag_type_name(tag->type));
	if (spec->nic != NULL)
		r = nic_known(&w, spec->nic, &nic, err);
	else
		nic = link_nics_by_name(&w.nics, tag->link);
	if (r == 0 && spec->mtu != NULL)
		r = mtu_check(spec->mtu, nic, err);
	if (r == 0)
		r = spec_store(&w, spec, err);
	if (r == 0)
		r = device_store(&w, spec, err);
	if (r == 0)
		r = pool_store(&w, spec, err);
	return r < 0 ? r : node_config_write(w.config, config_path(env), err);
}

int
node_nictag_update(const struct node_nictag_env *env, const struct node_nictag_spec *spec,
		   struct nrd_err *err)
{
	struct nrd_err why = { 0 };
	int r = update(env, spec, &why);

	return r == 0 ? 0 : nrd_fail(err, why.num, why.code, "NIC tag %.64s: %s", spec->name, why.msg);
}

/* A machine that uses the tag. */
struct user {
	char *uuid;
	char *alias; /* or NULL */
};

struct users {
	struct user *data;
	size_t len;
	size_t cap;
};

static void
users_cleanup(struct users *users)
{
	nrd_vec_each(u, users) {
		free(u->uuid);
		free(u->alias);
	}
	nrd_vec_fini(users);
}

static int
user_compare(const void *a, const void *b)
{
	return strcmp(((const struct user *)a)->uuid, ((const struct user *)b)->uuid);
}

/* "tag", or "tag/vnetid" on an overlay. */
static bool
machine_uses(const struct nrd_val *machine, const char *tag)
{
	struct nrd_iter it = nrd_iter(nrd_val_get(machine, "nics"));

	while (nrd_iter_next(&it)) {
		const char *nic_tag = nrd_get_str(it.val, "nic_tag");
		const char *rest = nic_tag == NULL ? NULL : nrd_starts(nic_tag, tag);

		if (rest != NULL && (*rest == '\0' || *rest == '/'))
			return true;
	}
	return false;
}

static int
machine_read(const char *dir, const char *file, const char *tag, struct users *users,
	     struct nrd_err *err)
{
	NRD_FREE char *path = nrd_path_join(dir, file);
	NRD_AUTO(nrd_json) *doc = NULL;
	const struct nrd_val *root;
	const char *uuid, *alias;
	struct user user = { 0 };
	int r;

	if (path == NULL)
		return nrd_nomem(err);
	r = nrd_json_read_file(path, NULL, &doc, err);
	if (r == -ENOENT)
		return 0; /* deleted while we looked */
	if (r < 0)
		return nrd_wrap(err, r, "%s", path);
	root = nrd_json_root(doc);
	if (!machine_uses(root, tag))
		return 0;
	uuid = nrd_get_str(root, "uuid");
	alias = nrd_get_str(root, "alias");
	user.uuid = uuid != NULL ? nrd_format("%s", uuid) :
				   nrd_format("%.*s", (int)(strlen(file) - strlen(".json")), file);
	user.alias = alias != NULL ? nrd_format("%s", alias) : NULL;
	if (user.uuid == NULL || (alias != NULL && user.alias == NULL) ||
	    nrd_vec_push(users, user) < 0) {
		free(user.uuid);
		free(user.alias);
		return nrd_nomem(err);
	}
	return 0;
}

/* Goes on behind a damaged file: the first trouble is returned at the end. */
static int
users_read(const struct node_nictag_env *env, const char *tag, struct users *users,
	   struct nrd_err *err)
{
	const char *path = env != NULL && env->zones != NULL ? env->zones : NODE_ZONES_DIR;
	NRD_CLOSEDIR DIR *dir = opendir(path);
	struct nrd_err why = { 0 };
	const struct dirent *e;

	if (dir == NULL && errno == ENOENT)
		return 0;
	if (dir == NULL)
		return nrd_fail(err, errno, "NicTagMachines", "open %s: %m", path);
	while ((e = readdir(dir)) != NULL) {
		struct nrd_err one = { 0 };

		if (e->d_name[0] == '.' || !nrd_ends(e->d_name, ".json"))
			continue;
		if (machine_read(path, e->d_name, tag, users, &one) < 0 && why.num == 0)
			why = one;
	}
	if (users->len > 1)
		qsort(users->data, users->len, sizeof(*users->data), user_compare);
	return why.num == 0 ? 0 : nrd_fail(err, why.num, "NicTagMachines", "%s", why.msg);
}

int
node_nictag_vms(const struct node_nictag_env *env, const char *name, char ***ret_vms,
		struct nrd_err *err)
{
	__attribute__((cleanup(users_cleanup))) struct users users = { 0 };
	__attribute__((cleanup(work_cleanup))) struct work w = { .lock = -1 };
	NRD_STRV char **vms = NULL;
	struct nrd_err why = { 0 };
	int r = work_open(env, false, &w, &why);

	if (r == 0 && node_nictags_find(&w.tags, name) == NULL)
		r = missing(&why);
	if (r < 0)
		return nrd_fail(err, why.num, why.code, "NIC tag %.64s: %s", name, why.msg);
	r = users_read(env, name, &users, err);
	nrd_vec_each(u, &users)
		if (nrd_strv_add(&vms, u->uuid) < 0)
			return nrd_nomem(err);
	*ret_vms = NRD_TAKE(vms);
	return r;
}

static int
in_use(const struct users *users, struct nrd_err *err)
{
	NRD_AUTO(nrd_buf) text = NRD_BUF_INIT(1024);

	for (size_t i = 0; i < users->len && i < NAMED_MAX; i++) {
		(void)nrd_buf_printf(&text, "%s%.36s", i == 0 ? "" : ", ", users->data[i].uuid);
		if (users->data[i].alias != NULL)
			(void)nrd_buf_printf(&text, " (%.20s)", users->data[i].alias);
	}
	if (users->len > NAMED_MAX)
		(void)nrd_buf_printf(&text, " and %zu more", users->len - NAMED_MAX);
	return nrd_fail(err, EBUSY, "NicTagInUse", "in use by %s; -f deletes it all the same",
			nrd_buf_str(&text));
}

/* The global zone's own VNICs on a tag: TAG0_ip and so on. */
static const char *
vnic_key(const struct node_config *config, const char *tag)
{
	const char *key, *value;
	size_t pos = 0;

	while (node_config_next(config, &pos, &key, &value)) {
		const char *rest = nrd_starts(key, tag);

		if (rest == NULL || value[0] == '\0')
			continue;
		rest += strspn(rest, "0123456789");
		if (nrd_streq(rest, "_ip") || nrd_streq(rest, "_ip6"))
			return key;
	}
	return NULL;
}

static int
delete_check(const struct node_nictag_env *env, const struct work *w, const char *name,
	     struct nrd_err *err)
{
	__attribute__((cleanup(users_cleanup))) struct users users = { 0 };
	const char *vnic = vnic_key(w->config, name);
	int r = users_read(env, name, &users, err);

	if (users.len > 0)
		return in_use(&users, err);
	if (r < 0)
		return nrd_wrap(err, r, "cannot tell whether a machine uses it (-f does not ask)");
	if (vnic != NULL)
		return nrd_fail(err, EBUSY, "NicTagInUse",
				"in use by the node itself (%s in %s); -f deletes it all the same",
				vnic, config_path(env));
	return 0;
}

static int
etherstub_drop(struct node_config *config, const char *name, struct nrd_err *err)
{
	const char *stubs = node_config_get_filled(config, "etherstub");
	NRD_STRV char **parts = NULL;
	NRD_STRV char **kept = NULL;
	NRD_FREE char *list = NULL;

	if (nrd_strv_split(stubs == NULL ? "" : stubs, ',', &parts) < 0)
		return nrd_nomem(err);
	for (size_t i = 0; i < nrd_strv_len(NRD_CSTRV(parts)); i++)
		if (!nrd_streq(parts[i], name) && nrd_strv_add(&kept, parts[i]) < 0)
			return nrd_nomem(err);
	if (nrd_strv_len(NRD_CSTRV(kept)) == 0) {
		node_config_unset(config, "etherstub");
		return 0;
	}
	list = nrd_strv_join(NRD_CSTRV(kept), ",");
	return list == NULL ? nrd_nomem(err) : node_config_set(config, "etherstub", list, err);
}

static bool
is_admin(const struct node_config *config, const char *name)
{
	const char *tag = node_config_get_filled(config, "admin_tag");

	return nrd_streq(name, tag == NULL ? "admin" : tag);
}

static void
pool_drop(struct node_config *config, const char *tag)
{
	for (int i = 0; i < NODE_DHCP_N; i++) {
		NRD_FREE char *key = nrd_format("%s_%s", tag, node_dhcp_names[i]);

		if (key != NULL)
			node_config_unset(config, key);
	}
}

static int
delete(const struct node_nictag_env *env, const char *name, bool force, struct nrd_err *err)
{
	__attribute__((cleanup(work_cleanup))) struct work w = { .lock = -1 };
	const struct node_nictag *tag;
	char key[KEY_MAX];
	int r = work_open(env, true, &w, err);

	if (r < 0)
		return r;
	tag = node_nictags_find(&w.tags, name);
	if (tag == NULL)
		return missing(err);
	if (is_admin(w.config, name))
		return nrd_fail(err, EBUSY, "NicTagAdmin",
				"it is the node's admin network; nictagadm update moves it to "
				"another NIC");
	if (!force)
		r = delete_check(env, &w, name, err);
	if (r < 0)
		return r;
	switch (tag->type) {
	case NODE_NICTAG_ETHERSTUB:
		r = etherstub_drop(w.config, name, err);
		break;
	case NODE_NICTAG_OVERLAY:
		(void)snprintf(key, sizeof(key), OVERLAY_PREFIX "%s", name);
		node_config_unset(w.config, key);
		break;
	case NODE_NICTAG_NORMAL:
	case NODE_NICTAG_AGGR:
		node_config_unset(w.config, key_of(key, name, "_nic"));
		node_config_unset(w.config, key_of(key, name, "_mtu"));
		break;
	}
	pool_drop(w.config, name);
	node_config_unset(w.config, key_of(key, name, DEVICE));
	return r < 0 ? r : node_config_write(w.config, config_path(env), err);
}

int
node_nictag_delete(const struct node_nictag_env *env, const char *name, bool force,
		   struct nrd_err *err)
{
	struct nrd_err why = { 0 };
	int r = delete(env, name, force, &why);

	return r == 0 ? 0 : nrd_fail(err, why.num, why.code, "NIC tag %.64s: %s", name, why.msg);
}
