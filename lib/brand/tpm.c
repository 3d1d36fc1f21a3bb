/* SPDX-License-Identifier: MPL-2.0 */
/* Copyright 2026 The Nereid authors */
#include "brand/tpm.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "nrd/jail.h"
#include "nrd/mem.h"
#include "nrd/str.h"
#include "zone/state.h"

#define OPENSSL_CONF "/etc/ssl/openssl.cnf"

static uid_t
id_of(const struct zone_config *config)
{
	return (uid_t)config->id_base + GUEST_TPM_ID;
}

/*
 * A machine that was cloned or received has other ids. What lies there was written by a program that a guest may have taken over:
 * only plain files with one name are given away.
 */
static int
own(DIR *dir, uid_t id, struct nrd_err *err)
{
	const struct dirent *e;
	struct stat st;
	int at = dirfd(dir);

	while ((e = readdir(dir)) != NULL) {
		if (fstatat(at, e->d_name, &st, AT_SYMLINK_NOFOLLOW) < 0 || !S_ISREG(st.st_mode) || st.st_nlink != 1 || st.st_uid == id)
			continue;
		if (fchownat(at, e->d_name, id, id, AT_SYMLINK_NOFOLLOW) < 0)
			return nrd_fail(err, errno, "TpmState", "%s of its TPM: change its owner: %m", e->d_name);
	}
	return fchown(at, id, id) < 0 ? nrd_fail(err, errno, "TpmState", "directory of its TPM: change its owner: %m") : 0;
}

static void
dir_cleanup(DIR **dir)
{
	if (*dir != NULL)
		(void)closedir(*dir);
}

int
tpm_prepare(const struct zone_config *config, struct nrd_err *err)
{
	NRD_FREE char *path = nrd_format("%s/" GUEST_TPM, config->zonepath);

	if (!config->tpm)
		return 0;
	if (path == NULL)
		return nrd_nomem(err);
	if (mkdir(path, 0700) < 0 && errno != EEXIST)
		return nrd_fail(err, errno, "TpmState", "make %s: %m", path);
	__attribute__((cleanup(dir_cleanup))) DIR *dir = opendir(path);

	return dir == NULL ? nrd_fail(err, errno, "TpmState", "open %s: %m", path) : own(dir, id_of(config), err);
}

/* It is in its directory, and calls it ".": those above let nobody but root through. */
static int
add_program(const struct zone_config *config, const char *dir, char ***argv)
{
	static const char *const words[] = { "swtpm", "socket", "--tpm2", "--ctrl", "type=unixio,fd=3", "--log", "fd=4,level=1",
					     "--terminate", "--seccomp", "action=kill", "--tpmstate", "dir=.,mode=0600" };
	const struct nrd_jail_path paths[] = { { dir, NRD_JAIL_OWN_DIR }, { OPENSSL_CONF, "read-file" } };
	int r = nrd_jail_add(&(const struct nrd_jail){ .paths = paths, .n_paths = access(OPENSSL_CONF, F_OK) == 0 ? 2 : 1,
						       .uid = id_of(config) }, argv);

	for (size_t i = 0; r == 0 && i < nrd_count(words); i++)
		r = nrd_strv_add(argv, words[i]);
	return r;
}

int
tpm_service(const struct zone_config *config, struct zone_service *service)
{
	service->dir = nrd_format("%s/" GUEST_TPM, config->zonepath);
	service->socket = nrd_format(ZONE_RUN_DIR "/%s/" GUEST_TPM, config->zonename);
	service->log = nrd_format("%s/" ZONE_LOGS_DIR "/" GUEST_TPM_LOG, config->zonepath);
	if (service->dir == NULL || service->socket == NULL || service->log == NULL)
		return -ENOMEM;
	return add_program(config, service->dir, &service->argv);
}
