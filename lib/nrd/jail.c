/* SPDX-License-Identifier: MPL-2.0 */
/* Copyright 2026 The Nereid authors */
#include "nrd/jail.h"

#include "nrd/mem.h"
#include "nrd/str.h"

#define MEMORY_ARG "--as=4294967296"

static const char *const begin[] = {
	"prlimit", MEMORY_ARG, "--core=0", "--nofile=64", "--nproc=64", "--",
	"unshare", "--net", "--ipc", "--uts", "--pid", "--mount", "--fork", "--kill-child", "--",
	"setpriv", "--no-new-privs", "--bounding-set=-all", "--inh-caps=-all", "--landlock-access", "fs",
};

static const struct nrd_jail_path libraries[] = {
	{ "/usr", "read-file,read-dir,execute" },
	{ "/etc/ld.so.cache", "read-file" },
	{ "/dev/null", "read-file,write-file" },
};

static int
add_paths(char ***argv, const struct nrd_jail_path *paths, size_t n)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < n; i++) {
		r = nrd_strv_add(argv, "--landlock-rule");
		if (r == 0)
			r = nrd_strv_addf(argv, "path-beneath:%s:%s", paths[i].rights, paths[i].path);
	}
	return r;
}

static int
add_user(char ***argv, uid_t uid)
{
	int r = nrd_strv_addf(argv, "--reuid=%u", uid);

	if (r == 0)
		r = nrd_strv_addf(argv, "--regid=%u", uid);
	return r == 0 ? nrd_strv_add(argv, "--clear-groups") : r;
}

int
nrd_jail_add(const struct nrd_jail *jail, char ***argv)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < nrd_count(begin); i++)
		r = nrd_strv_add(argv, begin[i]);
	if (r == 0 && jail->uid != 0)
		r = add_user(argv, jail->uid);
	if (r == 0)
		r = add_paths(argv, libraries, nrd_count(libraries));
	if (r == 0)
		r = add_paths(argv, jail->paths, jail->n_paths);
	return r == 0 ? nrd_strv_add(argv, "--") : r;
}
