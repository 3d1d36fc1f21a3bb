/* SPDX-License-Identifier: MPL-2.0 */
/* Copyright 2026 The Nereid authors */
#include "spec.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "nrd/str.h"

static void
mount_fini(struct zone_mount *m)
{
	free(m->source);
	free(m->target);
	free(m->type);
	free(m->data);
}

static bool
copy(char **dst, const char *src)
{
	*dst = src != NULL ? strdup(src) : NULL;
	return src == NULL || *dst != NULL;
}

int
zone_spec_mount(struct zone_spec *spec, const struct zone_mount *mount)
{
	struct zone_mount m = { .flags = mount->flags };
	struct zone_mount *more = reallocarray(spec->mounts, spec->n_mounts + 1, sizeof(*more));

	if (more == NULL)
		return -ENOMEM;
	spec->mounts = more;
	if (!copy(&m.source, mount->source) || !copy(&m.target, mount->target) ||
	    !copy(&m.type, mount->type) || !copy(&m.data, mount->data)) {
		mount_fini(&m);
		return -ENOMEM;
	}
	spec->mounts[spec->n_mounts++] = m;
	return 0;
}

int
zone_spec_hand(struct zone_spec *spec, enum zone_hand_kind kind, const char *path, int flags, int *ret_fd)
{
	struct zone_hand *more = reallocarray(spec->hands, spec->n_hands + 1, sizeof(*more));
	struct zone_hand h = { .kind = kind, .flags = flags };

	if (more == NULL)
		return -ENOMEM;
	spec->hands = more;
	if (spec->n_hands == ZONE_HANDS_MAX)
		return -E2BIG;
	if (!copy(&h.path, path))
		return -ENOMEM;
	*ret_fd = ZONE_HAND_FIRST + (int)spec->n_hands;
	spec->hands[spec->n_hands++] = h;
	return 0;
}

bool
zone_spec_volatile(const struct zone_spec *spec)
{
	return spec->volatile_dirs;
}

bool
zone_spec_nesting(const struct zone_spec *spec)
{
	return spec->nesting;
}

void
zone_spec_fini(struct zone_spec *spec)
{
	for (size_t i = 0; i < spec->n_mounts; i++)
		mount_fini(&spec->mounts[i]);
	free(spec->mounts);
	for (size_t i = 0; i < spec->n_hands; i++)
		free(spec->hands[i].path);
	free(spec->hands);
	nrd_strv_free(spec->service.argv);
	free(spec->service.dir);
	free(spec->service.socket);
	free(spec->service.log);
	free(spec->root);
	nrd_strv_free(spec->argv);
	nrd_strv_free(spec->env);
	free(spec->dir);
	free(spec->user);
	free(spec->groups);
	free(spec->uts_release);
	free(spec->uts_version);
	*spec = (struct zone_spec){ 0 };
}

void
zone_spec_cleanup(struct zone_spec *spec)
{
	zone_spec_fini(spec);
}
