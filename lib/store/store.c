/* SPDX-License-Identifier: MPL-2.0 */
/* Copyright 2026 The Nereid authors */
#include "store.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <unistd.h>

#include "nrd/clock.h"
#include "nrd/file.h"
#include "nrd/mem.h"
#include "store-priv.h"

#define LIVE_POLL_MS 50

/*
 * /dev/zfs appears while the module still tells sysfs which properties it knows, and libzfs reads
 * that once, when it is opened: too early, and there is no property "mountpoint". "live" is said
 * when all of it is done.
 */
bool
store_present(void)
{
	char state[16] = "";

	return access(STORE_DEVICE, R_OK | W_OK) == 0 &&
	       nrd_attr_read(AT_FDCWD, "/sys/module/zfs/initstate", state, sizeof(state), NULL) >= 0 &&
	       strcmp(state, "live") == 0;
}

static int
missing(struct nrd_err *err)
{
	return nrd_fail(err, ENODEV, "ZfsMissing", "the ZFS module is not loaded");
}

int
store_wait(unsigned timeout_ms, struct nrd_err *err)
{
	int64_t end = nrd_now_ms() + timeout_ms;
	NRD_CLOSE int fd = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);

	/* ATTRIB as well: udev sets the mode of the node after the kernel made it. */
	if (fd < 0 || inotify_add_watch(fd, "/dev", IN_CREATE | IN_ATTRIB) < 0)
		return nrd_fail(err, errno, "ZfsWait", "watch /dev: %m");
	while (!store_present()) {
		int64_t left = end - nrd_now_ms();
		struct pollfd p = { .fd = fd, .events = POLLIN };
		char events[4096];

		if (left <= 0)
			return missing(err);
		/* Nothing tells when the module is live, which is a moment after the device is made. */
		if (left > LIVE_POLL_MS && access(STORE_DEVICE, F_OK) == 0)
			left = LIVE_POLL_MS;
		(void)poll(&p, 1, (int)left);
		while (read(fd, events, sizeof(events)) > 0)
			;
	}
	return 0;
}

int
store_open(struct store **ret_store, struct nrd_err *err)
{
	struct store *store;

	if (!store_present())
		return missing(err);
	store = calloc(1, sizeof(*store));
	if (store == NULL)
		return nrd_nomem(err);
	if (store_libzfs_load(err) < 0) {
		free(store);
		return -ENOENT;
	}
	store->zfs = libzfs_init();
	if (store->zfs == NULL) {
		int num = errno;

		free(store);
		return nrd_fail(err, num ? num : EIO, "ZfsOpen", "open ZFS: %s",
				libzfs_error_init(num));
	}
	libzfs_print_on_error(store->zfs, B_FALSE);
	*ret_store = store;
	return 0;
}

void
store_close(struct store *store)
{
	if (store == NULL)
		return;
	libzfs_fini(store->zfs);
	free(store);
}

void
store_cleanup(struct store **store)
{
	store_close(*store);
}

static const struct {
	int zfs;
	int num;
	const char *code;
} codes[] = {
	{ EZFS_NOENT, ENOENT, "ZfsNotFound" },
	{ EZFS_EXISTS, EEXIST, "ZfsExists" },
	{ EZFS_BUSY, EBUSY, "ZfsBusy" },
	{ EZFS_NOSPC, ENOSPC, "ZfsNoSpace" },
	{ EZFS_PERM, EPERM, "ZfsPermission" },
	{ EZFS_NOMEM, ENOMEM, "NoMemory" },
	{ EZFS_IO, EIO, "ZfsIo" },
	{ EZFS_POOLUNAVAIL, EIO, "ZfsPoolUnavailable" },
	{ EZFS_INVALIDNAME, EINVAL, "ZfsBadName" },
	{ EZFS_BADPROP, EINVAL, "ZfsBadProperty" },
	{ EZFS_PROPREADONLY, EINVAL, "ZfsBadProperty" },
	{ EZFS_PROPTYPE, EINVAL, "ZfsBadProperty" },
	{ EZFS_ACTIVE_POOL, EBUSY, "ZfsPoolActiveElsewhere" },
	{ EZFS_BADVERSION, ENOTSUP, "ZfsBadVersion" },
	{ EZFS_CRYPTOFAILED, EACCES, "ZfsLocked" },
};

int
store_fail(struct store *store, struct nrd_err *err, const char *fmt, ...)
{
	int zfs = libzfs_errno(store->zfs);
	int num = EIO;
	const char *code = "ZfsFailed";
	char context[200];
	va_list ap;

	for (size_t i = 0; i < nrd_count(codes); i++)
		if (codes[i].zfs == zfs) {
			num = codes[i].num;
			code = codes[i].code;
		}
	va_start(ap, fmt);
	(void)vsnprintf(context, sizeof(context), fmt, ap);
	va_end(ap);
	return nrd_fail(err, num, code, "%s: %s", context,
			libzfs_error_description(store->zfs));
}

void
store_zfs_closep(zfs_handle_t **zhp)
{
	if (*zhp != NULL)
		zfs_close(*zhp);
}

void
store_pool_closep(zpool_handle_t **zhp)
{
	if (*zhp != NULL)
		zpool_close(*zhp);
}

void
store_nvlist_freep(nvlist_t **nvl)
{
	nvlist_free(*nvl);
}
