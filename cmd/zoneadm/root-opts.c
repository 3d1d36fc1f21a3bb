/* SPDX-License-Identifier: MPL-2.0 */
/* Copyright 2026 The Nereid authors */
#include "zoneadm.h"

const struct nrd_opt attach_opts[] = {
	NRD_OPT_FLAG('F', NULL, struct attach_opts, force, "without looking whether it will boot"),
	NRD_OPT_STR('n', NULL, struct attach_opts, manifest, "MANIFEST",
		    "only say whether the zone of this manifest (-: standard input) could be attached"),
	NRD_OPT_END(struct attach_opts),
};

const struct nrd_opt clone_opts[] = {
	NRD_OPT_STR('m', NULL, struct clone_opts, method, "copy",
		    "copy the files, though a clone of the dataset could be made"),
	NRD_OPT_STR('s', NULL, struct clone_opts, snapshot, "SNAPSHOT",
		    "of the source's dataset, instead of a new one"),
	NRD_OPT_END(struct clone_opts),
};

const struct nrd_opt detach_opts[] = {
	NRD_OPT_FLAG('n', NULL, struct detach_opts, only_show,
		     "only print the manifest that would be written"),
	NRD_OPT_END(struct detach_opts),
};

const struct nrd_opt install_opts[] = {
	NRD_OPT_STR('x', NULL, struct install_opts, without, "nodataset",
		    "no dataset: the zonepath is a plain directory"),
	NRD_OPT_STR('t', NULL, struct install_opts, tar, "FILE", "lx: the root, as a tar file"),
	NRD_OPT_STR('d', NULL, struct install_opts, dir, "DIRECTORY",
		    "lx: the root, a directory that is copied"),
	NRD_OPT_END(struct install_opts),
};

const struct nrd_opt uninstall_opts[] = {
	NRD_OPT_FLAG('F', NULL, struct uninstall_opts, force, "do not ask"),
	NRD_OPT_END(struct uninstall_opts),
};
