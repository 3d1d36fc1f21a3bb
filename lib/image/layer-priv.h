/* SPDX-License-Identifier: MPL-2.0 */
/* Copyright 2026 The Nereid authors */
#pragma once

#include "image/layer.h"
#include "image/tar.h"

/* A root that layers are laid over. */
struct image_tree {
	int root;           /* borrowed */
	char *path;         /* of the directory that was used last, owned; NULL: none */
	int dir;            /* that; owned */
	char *piece;        /* of a file's contents on their way; owned */
	struct nrd_buf times; /* of directories, set when what is in them is there */
	uint64_t strangers; /* members whose owner no zone has */
};

void image_tree_init(struct image_tree *tree, int root);
void image_tree_fini(struct image_tree *tree);
void image_tree_cleanup(struct image_tree *tree);

/*
 * A member's name, without "." and slashes that mean nothing; "" is the root itself. "LayerPath"
 * when it has "..", is too long or empty. The caller frees.
 */
int image_tree_path(const char *name, char **ret_path, struct nrd_err *err);

/* Puts a member at its place; tar has its contents. */
int image_tree_put(struct image_tree *tree, const char *path, const struct image_tar_entry *entry,
		   struct image_tar *tar, struct nrd_err *err);

/* Fine when there is nothing. inside: of a directory all that is in it, and not itself. */
int image_tree_remove(struct image_tree *tree, const char *path, bool inside, struct nrd_err *err);

/* Gives the directories their times. */
int image_tree_finish(struct image_tree *tree, struct nrd_err *err);
