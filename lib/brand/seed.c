/* SPDX-License-Identifier: MPL-2.0 */
/* Copyright 2026 The Nereid authors */
#include "brand/seed.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "brand/brand-priv.h"
#include "nrd/file.h"
#include "nrd/json.h"
#include "nrd/mem.h"
#include "nrd/proc.h"
#include "nrd/str.h"
#include "zone/config-guest.h"

#define TEXTS_DIR  "seed"
#define TEXT_MAX   ((size_t)4 << 20)
#define TIMEOUT_MS 30000

/* cloud-init reads YAML, of which JSON is a part. */
static const struct {
	const char *name;
	void (*write)(const struct zone_config *config, struct nrd_buf *text);
} texts[] = {
	{ "meta-data", seed_meta_data },
	{ "user-data", seed_user_data },
	{ "network-config", seed_network_config },
};

bool
seed_wanted(const struct zone_config *c)
{
	return zone_is_guest(c) && nrd_streq(c->cloudinit_datasource, "nocloud");
}

/* ---- what is in it ---- */

static const char *
metadata(const struct zone_config *c, const char *key)
{
	char **map = c->customer_metadata;

	for (size_t i = 0; map != NULL && map[i] != NULL; i += 2)
		if (nrd_streq(map[i], key))
			return nrd_scalar_text(map[i + 1]);
	return NULL;
}

void
seed_meta_data(const struct zone_config *c, struct nrd_buf *text)
{
	const char *said = metadata(c, "root_authorized_keys");
	NRD_STRV char **keys = NULL;
	char uuid[NRD_UUID_TEXT];
	struct nrd_jw w;

	if (said != NULL && nrd_strv_split(said, '\n', &keys) < 0)
		text->failed = -ENOMEM;
	nrd_uuid_format(&c->uuid, uuid);
	nrd_jw_init(&w, text, NRD_JW_PRETTY);
	nrd_jw_obj_open(&w);
	nrd_jw_kstr(&w, "instance-id", uuid);
	nrd_jw_kstr(&w, "local-hostname", brand_hostname(c));
	nrd_jw_key(&w, "public-keys");
	nrd_jw_strv(&w, NRD_CSTRV(keys));
	nrd_jw_obj_close(&w);
	(void)nrd_jw_finish(&w, NULL);
}

/* As SmartOS has it, what is for cloud-init before what any program may take for its own. */
void
seed_user_data(const struct zone_config *c, struct nrd_buf *text)
{
	const char *said = metadata(c, "cloud-init:user-data");

	if (said == NULL)
		said = metadata(c, "user-data");
	(void)nrd_buf_adds(text, said != NULL ? said : "#cloud-config\n{}\n");
}

static void
write_addresses(const struct zone_nic *nic, struct nrd_jw *w)
{
	bool dhcp4 = false, auto6 = false;

	nrd_jw_key(w, "addresses");
	nrd_jw_arr_open(w);
	for (size_t i = 0; nic->ips != NULL && nic->ips[i] != NULL; i++) {
		if (nrd_streq(nic->ips[i], "dhcp"))
			dhcp4 = true;
		else if (nrd_streq(nic->ips[i], "addrconf"))
			auto6 = true;
		else
			nrd_jw_str(w, nic->ips[i]);
	}
	nrd_jw_arr_close(w);
	nrd_jw_kbool(w, "dhcp4", dhcp4);
	nrd_jw_kbool(w, "accept-ra", auto6);
}

static void
write_routes(const struct zone_nic *nic, struct nrd_jw *w)
{
	nrd_jw_key(w, "routes");
	nrd_jw_arr_open(w);
	for (size_t i = 0; nic->primary && nic->gateways != NULL && nic->gateways[i] != NULL; i++) {
		nrd_jw_obj_open(w);
		nrd_jw_kstr(w, "to", strchr(nic->gateways[i], ':') != NULL ? "::/0" : "0.0.0.0/0");
		nrd_jw_kstr(w, "via", nic->gateways[i]);
		nrd_jw_obj_close(w);
	}
	nrd_jw_arr_close(w);
}

static void
write_resolvers(const struct zone_config *c, struct nrd_jw *w)
{
	const char *const search[] = { c->dns_domain, NULL };

	nrd_jw_key(w, "nameservers");
	nrd_jw_obj_open(w);
	nrd_jw_key(w, "addresses");
	nrd_jw_strv(w, NRD_CSTRV(c->resolvers));
	if (zone_config_has_domain(c)) {
		nrd_jw_key(w, "search");
		nrd_jw_strv(w, search);
	}
	nrd_jw_obj_close(w);
}

/* Version 2, NICs by their MAC addresses: what a guest calls them follows from where they are plugged. */
void
seed_network_config(const struct zone_config *c, struct nrd_buf *text)
{
	char mac[NRD_MAC_TEXT];
	struct nrd_jw w;

	nrd_jw_init(&w, text, NRD_JW_PRETTY);
	nrd_jw_obj_open(&w);
	nrd_jw_ku64(&w, "version", 2);
	nrd_jw_key(&w, "ethernets");
	nrd_jw_obj_open(&w);
	for (size_t i = 0; i < c->n_nics; i++) {
		const struct zone_nic *nic = &c->nics[i];

		nrd_mac_format(&nic->mac, mac);
		nrd_jw_key(&w, nic->interface);
		nrd_jw_obj_open(&w);
		nrd_jw_key(&w, "match");
		nrd_jw_obj_open(&w);
		nrd_jw_kstr(&w, "macaddress", mac);
		nrd_jw_obj_close(&w);
		write_addresses(nic, &w);
		write_routes(nic, &w);
		if (nic->mtu != 0)
			nrd_jw_ku64(&w, "mtu", nic->mtu);
		if (nic->primary)
			write_resolvers(c, &w);
		nrd_jw_obj_close(&w);
	}
	nrd_jw_obj_close(&w);
	nrd_jw_obj_close(&w);
	(void)nrd_jw_finish(&w, NULL);
}

/* ---- the disk ---- */

struct files {
	char *image, *image_new, *dir;
	char *paths[nrd_count(texts)];
	struct nrd_buf data[nrd_count(texts)];
};

static void
files_cleanup(struct files *f)
{
	free(f->image);
	free(f->image_new);
	free(f->dir);
	for (size_t i = 0; i < nrd_count(texts); i++) {
		free(f->paths[i]);
		nrd_buf_fini(&f->data[i]);
	}
}

static int
files_init(const struct zone_config *c, struct files *f, struct nrd_err *err)
{
	bool whole;

	f->image = nrd_path_join(c->zonepath, GUEST_SEED);
	f->image_new = nrd_path_join(c->zonepath, GUEST_SEED ".new");
	f->dir = nrd_path_join(c->zonepath, TEXTS_DIR);
	whole = f->image != NULL && f->image_new != NULL && f->dir != NULL;
	for (size_t i = 0; whole && i < nrd_count(texts); i++) {
		f->paths[i] = nrd_path_join(f->dir, texts[i].name);
		f->data[i].max = TEXT_MAX;
		texts[i].write(c, &f->data[i]);
		whole = f->paths[i] != NULL && f->data[i].failed == 0;
	}
	return whole ? 0 : nrd_nomem(err);
}

static bool
is_as(const char *path, const struct nrd_buf *data)
{
	NRD_FREE char *have = NULL;
	size_t len = 0;

	return nrd_file_read(path, TEXT_MAX, &have, &len, NULL) == 0 && len == data->len &&
	       memcmp(have, nrd_buf_str(data), len) == 0;
}

static bool
is_made(const struct files *f)
{
	bool same = nrd_path_exists(f->image);

	for (size_t i = 0; same && i < nrd_count(texts); i++)
		same = is_as(f->paths[i], &f->data[i]);
	return same;
}

/* The texts twice over is more than its clusters take, and the rest is what the tables need. */
static int
make_image(const struct files *f, struct nrd_err *err)
{
	/* ASCII, for which libc needs no module of its own: the node has none for mtools' own, 850. */
	static const char *const env[] = { "MTOOLS_SKIP_CHECK=1", "DEFAULT_CODEPAGE=367", NULL };
	size_t bytes = 0;
	char kib[32];
	int r;

	for (size_t i = 0; i < nrd_count(texts); i++)
		bytes += f->data[i].len;
	(void)snprintf(kib, sizeof(kib), "%zu", 1024 + bytes * 2 / 1024);

	const char *const mkfs[] = { "mkfs.vfat", "-C", "-n", "CIDATA", f->image_new, kib, NULL };
	const char *const copy[] = { "mcopy", "-o", "-i", f->image_new, f->paths[0], f->paths[1], f->paths[2], "::/", NULL };

	(void)unlink(f->image_new);
	r = nrd_run(&(struct nrd_proc){ .argv = mkfs, .timeout_ms = TIMEOUT_MS }, NULL, NULL, err);
	if (r == 0 && chmod(f->image_new, 0600) < 0)
		r = nrd_fail(err, errno, "SeedFailed", "chmod %s: %m", f->image_new);
	if (r == 0)
		r = nrd_run(&(struct nrd_proc){ .argv = copy, .env = env, .timeout_ms = TIMEOUT_MS }, NULL, NULL, err);
	if (r == 0 && rename(f->image_new, f->image) < 0)
		r = nrd_fail(err, errno, "SeedFailed", "rename %s: %m", f->image_new);
	return r;
}

int
seed_make(const struct zone_config *config, struct nrd_err *err)
{
	__attribute__((cleanup(files_cleanup))) struct files f = { 0 };
	int r = seed_wanted(config) ? files_init(config, &f, err) : 0;

	if (r < 0 || !seed_wanted(config) || is_made(&f))
		return r;
	/* Whatever ends us here, an image is of the texts beside it. */
	(void)unlink(f.image);
	r = nrd_mkdir_p(f.dir, 0700, err);
	for (size_t i = 0; r == 0 && i < nrd_count(texts); i++)
		r = nrd_file_write(f.paths[i], nrd_buf_str(&f.data[i]), f.data[i].len, 0600, err);
	if (r == 0)
		r = make_image(&f, err);
	return nrd_wrap(err, r, "make the seed disk %s", f.image);
}
