/* SPDX-License-Identifier: MPL-2.0 */
/* Copyright 2026 The Nereid authors */
#include "vm/image.h"

#include <errno.h>
#include <stdlib.h>

#include "nrd/mem.h"
#include "nrd/str.h"
#include "store/dataset.h"
#include "store/store.h"

/* Of what each brand's roots are made. */
static const struct {
	unsigned types; /* 1u << enum image_type */
	const char *names;
} wanted[] = {
	[ZONE_NATIVE] = { 1u << IMAGE_TYPE_ZONE_DATASET, "zone-dataset" },
	[ZONE_LX] = { 1u << IMAGE_TYPE_LX_DATASET | 1u << IMAGE_TYPE_DOCKER, "lx-dataset or docker" },
	[ZONE_KVM] = { 1u << IMAGE_TYPE_ZONE_DATASET, "zone-dataset" },
};

void
vm_image_fini(struct vm_image *image)
{
	free(image->snapshot);
	image_fini(&image->image);
	image->snapshot = NULL;
}

void
vm_image_cleanup(struct vm_image *image)
{
	vm_image_fini(image);
}

/* What was received by hand says nothing of itself: its root is looked at when it is installed. */
static int
check_type(const struct zone_config *config, const struct image *image, struct nrd_err *err)
{
	if (!image->known || (wanted[config->brand].types & 1u << image->manifest.type) != 0)
		return 0;
	return nrd_fail(err, EINVAL, "BadImage", "image_uuid: image %s (%s) is of type %s; a machine of brand %s is "
			"made of type %s", config->image_uuid, image->manifest.name,
			image_type_names[image->manifest.type], zone_brand_names[config->brand],
			wanted[config->brand].names);
}

int
vm_image_find(const struct zone_config *config, struct vm_image *ret_image, struct nrd_err *err)
{
	NRD_AUTO(store) *store = NULL;
	NRD_AUTO(vm_image) found = { 0 };
	char bytes[32];
	int r;

	if (config->image_uuid == NULL || config->image_uuid[0] == '\0')
		return 0;
	r = store_open(&store, err);
	if (r == 0)
		r = image_read_in(store, config->zpool, config->image_uuid, &found.image, err);
	if (r == 0 && !found.image.final)
		r = nrd_fail(err, EINVAL, "BadImage", "image_uuid: image %s has no snapshot @" IMAGE_SNAPSHOT
			     ": imgadm update %s", config->image_uuid, config->image_uuid);
	if (r == -ENOENT)
		return nrd_fail(err, ENOENT, "ImageNotInstalled", "image_uuid: image %s is not installed: "
				"imgadm import %s", config->image_uuid, config->image_uuid);
	if (r == 0)
		r = check_type(config, &found.image, err);
	if (r < 0)
		return r;
	found.snapshot = nrd_format("%s/%s@" IMAGE_SNAPSHOT, config->zpool, config->image_uuid);
	if (found.snapshot == NULL)
		return nrd_nomem(err);
	if (store_dataset_get(store, found.snapshot, "referenced", bytes, sizeof(bytes), NULL) < 0 ||
	    nrd_parse_u64(bytes, 0, INT64_MAX, &found.bytes, NULL) < 0)
		found.bytes = 0;
	*ret_image = found;
	found = (struct vm_image){ 0 };
	return 0;
}
