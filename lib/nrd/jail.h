/* SPDX-License-Identifier: MPL-2.0 */
/* Copyright 2026 The Nereid authors */
#pragma once

#include <stddef.h>
#include <sys/types.h>

/*
 * The beginning of a command line for a program that reads what strangers wrote, and may be taken over by it: util-linux puts the
 * jail together (prlimit, unshare, setpriv). It has no capabilities and gains none, no network and no other process to see; of all
 * files it reaches its libraries and what it is given. What is left to it is processor time, 4 GiB of memory, and to
 * do what it likes with what it was given.
 */

/* A file or a directory with all below it; rights are setpriv(1)'s names of landlock's: "read-file,write-file". */
struct nrd_jail_path {
	const char *path; /* it must be there */
	const char *rights;
};

/* What goes on reading and writing in a directory of its own. */
#define NRD_JAIL_OWN_DIR "read-file,write-file,truncate,read-dir,make-reg,remove-file"

struct nrd_jail {
	const struct nrd_jail_path *paths;
	size_t n_paths;
	uid_t uid; /* and gid; 0: root, who owns what the program writes to */
};

/* Adds it to *argv; the program's own words come behind. -ENOMEM. */
int nrd_jail_add(const struct nrd_jail *jail, char ***argv);
