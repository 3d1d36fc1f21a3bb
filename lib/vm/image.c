/* SPDX-License-Identifier: MPL-2.0 */
/* Copyright 2026 The Nereid authors */
#include "vm/image.h"

#include <errno.h>

#include "nrd/mem.h"
#include "nrd/str.h"
#include "store/dataset.h"

#define FINAL "@final"

int
vm_image_find(const struct zone_config *config, char **ret_snapshot, struct nrd_err *err)
{
	NRD_AUTO(store) *store = NULL;
	NRD_STRV char **snapshots = NULL;
	NRD_FREE char *dataset = NULL;
	NRD_FREE char *snapshot = NULL;
	int r;

	*ret_snapshot = NULL;
	if (config->image_uuid == NULL || config->image_uuid[0] == '\0')
		return 0;
	dataset = nrd_format("%s/%s", config->zpool, config->image_uuid);
	snapshot = dataset == NULL ? NULL : nrd_format("%s" FINAL, dataset);
	if (snapshot == NULL)
		return nrd_nomem(err);
	r = store_open(&store, err);
	if (r < 0)
		return r;
	if (store_dataset_list(store, dataset, STORE_LIST_SNAPSHOTS, &snapshots, NULL) < 0 ||
	    !nrd_strv_has(NRD_CSTRV(snapshots), snapshot))
		return nrd_fail(err, ENOENT, "ImageNotInstalled",
				"image_uuid: image %s is not installed: imgadm import %s", config->image_uuid,
				config->image_uuid);
	*ret_snapshot = NRD_TAKE(snapshot);
	return 0;
}
