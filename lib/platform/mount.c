/* SPDX-License-Identifier: MPL-2.0 */
/* Copyright 2026 The Nereid authors */
#include <errno.h>
#include <fcntl.h>
#include <linux/loop.h>
#include <sched.h>
#include <stdbool.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <time.h>
#include <unistd.h>

#include "nrd/file.h"
#include "nrd/mem.h"
#include "nrd/proc.h"
#include "platform/platform-priv.h"

/* quiet: FAT has no modes, and refusing to set one would fail every careful copy. */
#define FAT_OPTIONS "fmask=0133,dmask=0022,quiet,errors=remount-ro"
#define FAT32_STATE 65 /* of the boot sector: bit 0 says "not unmounted" */
#define FAT32_DIRTY 1
#define FSCK_MS (300 * 1000)
#define LOOP_TRIES 16
#define BUSY_TRIES 50

int
platform_mounts_private(struct nrd_err *err)
{
	static bool done;

	if (done)
		return 0;
	if (unshare(CLONE_NEWNS) < 0)
		return nrd_fail(err, errno, "Mount", "make a private mount namespace: %m");
	/* Slave, not private: a file system the node unmounts shall be gone here as well. */
	if (mount(NULL, "/", NULL, MS_REC | MS_SLAVE, NULL) < 0)
		return nrd_fail(err, errno, "Mount", "make mounts private: %m");
	done = true;
	return 0;
}

/*
 * While a file system is mounted, by whomever and wherever, its device cannot be had exclusively;
 * then it is no wonder that it does not say "unmounted".
 */
static bool
is_dirty(const char *device)
{
	NRD_CLOSE int fd = open(device, O_RDONLY | O_EXCL | O_CLOEXEC);
	unsigned char state = 0;

	return fd >= 0 && pread(fd, &state, 1, FAT32_STATE) == 1 && (state & FAT32_DIRTY) != 0;
}

/*
 * After a power cut in the middle of a change the allocation table and the directories may not
 * agree, and FAT turns read-only when it meets that. fsck exits with 1 when it repaired.
 */
static int
fat_repair(const char *device, struct nrd_err *err)
{
	const char *const argv[] = { "fsck.vfat", "-a", device, NULL };
	const struct nrd_proc proc = { .argv = argv, .timeout_ms = FSCK_MS };
	int status, r;

	r = nrd_run(&proc, NULL, &status, err);
	if (r < 0)
		return r;
	if (status > 1)
		return nrd_fail(err, EIO, "VolumeCorrupt",
				"its file system is damaged and fsck.vfat cannot repair it "
				"(status %d)", status);
	return 0;
}

static int
mount_fail(const char *device, struct nrd_err *err)
{
	switch (errno) {
	case EROFS:
	case EACCES:
		return nrd_fail(err, EROFS, "VolumeReadOnly", "%s is write-protected", device);
	case EBUSY:
		return nrd_fail(err, EBUSY, "VolumeBusy",
				"%s is mounted read-only or in use elsewhere; unmount it first",
				device);
	case ENXIO:
	case ENODEV:
	case ENOENT:
	case ENOMEDIUM:
		return nrd_fail(err, errno, "VolumeGone", "%s is gone; was it pulled out?",
				device);
	default:
		return nrd_fail(err, errno, "Mount", "mount %s: %m", device);
	}
}

static int
fat_mount(const char *device, const char *dir, unsigned long flags)
{
	flags |= MS_NOSUID | MS_NODEV | MS_NOEXEC | MS_NOATIME;
	return mount(device, dir, "vfat", flags, FAT_OPTIONS);
}

/*
 * A file system is mounted either for reading or for writing, whoever asks. Where somebody reads
 * (piadm list does, for moments), writing has to wait: the kernel has no event for it. Only then
 * can be seen whether it needs repair.
 */
static int
fat_mount_writable(const char *device, const char *dir, bool *ret_repaired, struct nrd_err *err)
{
	static const struct timespec pause = { .tv_nsec = 200 * 1000 * 1000 };

	*ret_repaired = false;
	for (int i = 0; i < BUSY_TRIES; i++) {
		if (is_dirty(device)) {
			int r = fat_repair(device, err);

			if (r < 0)
				return r;
			*ret_repaired = true;
		}
		if (fat_mount(device, dir, 0) == 0)
			return 0;
		if (errno != EBUSY)
			return mount_fail(device, err);
		(void)nanosleep(&pause, NULL);
	}
	errno = EBUSY;
	return mount_fail(device, err);
}

int
platform_mount_fat(const char *device, const char *dir, bool write, bool *ret_repaired,
		   struct nrd_err *err)
{
	int r = platform_mounts_private(err);

	if (r == 0)
		r = nrd_mkdir_p(dir, 0700, err);
	if (r < 0)
		return r;
	if (write)
		return fat_mount_writable(device, dir, ret_repaired, err);
	*ret_repaired = false;
	/* Where it is open for writing, reading goes along with that. */
	if (fat_mount(device, dir, MS_RDONLY) == 0 ||
	    (errno == EBUSY && fat_mount(device, dir, 0) == 0))
		return 0;
	return mount_fail(device, err);
}

int
platform_mount_iso(const char *device, const char *dir, struct nrd_err *err)
{
	int r = platform_mounts_private(err);

	if (r == 0)
		r = nrd_mkdir_p(dir, 0700, err);
	if (r < 0)
		return r;
	if (mount(device, dir, "iso9660", MS_NOSUID | MS_NODEV | MS_NOEXEC | MS_RDONLY, NULL) < 0)
		return mount_fail(device, err);
	return 0;
}

/* A loop device over fd that goes away with its last user; ret_fd keeps it until then. */
static int
loop_open(int fd, char *ret_path, size_t size, int *ret_fd, struct nrd_err *err)
{
	NRD_CLOSE int control = open("/dev/loop-control", O_RDWR | O_CLOEXEC);

	if (control < 0)
		return nrd_fail(err, errno, "Mount", "open /dev/loop-control: %m");
	for (int i = 0; i < LOOP_TRIES; i++) {
		struct loop_config config = {
			.fd = (uint32_t)fd,
			.info.lo_flags = LO_FLAGS_READ_ONLY | LO_FLAGS_AUTOCLEAR,
		};
		NRD_CLOSE int loop = -1;
		int number = ioctl(control, LOOP_CTL_GET_FREE);

		if (number < 0)
			return nrd_fail(err, errno, "Mount", "get a loop device: %m");
		(void)snprintf(ret_path, size, "/dev/loop%d", number);
		loop = open(ret_path, O_RDONLY | O_CLOEXEC);
		if (loop >= 0 && ioctl(loop, LOOP_CONFIGURE, &config) == 0) {
			*ret_fd = nrd_take_fd(&loop);
			return 0;
		}
		/* Somebody else was faster: ask for another one. */
		if (errno != EBUSY)
			return nrd_fail(err, errno, "Mount", "set up %s: %m", ret_path);
	}
	return nrd_fail(err, EBUSY, "Mount", "get a loop device: all are in use");
}

int
platform_mount_iso_fd(int fd, const char *dir, struct nrd_err *err)
{
	NRD_CLOSE int loop = -1;
	char path[32];
	int r = loop_open(fd, path, sizeof(path), &loop, err);

	return r < 0 ? r : platform_mount_iso(path, dir, err);
}

int
platform_unmount(const char *dir, struct nrd_err *err)
{
	NRD_CLOSE int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int sync_errno = fd >= 0 && syncfs(fd) < 0 ? errno : 0;

	nrd_closep(&fd);
	fd = -1;
	if (umount2(dir, UMOUNT_NOFOLLOW) < 0 && umount2(dir, MNT_DETACH) < 0)
		return nrd_fail(err, errno, "Mount", "unmount %s: %m", dir);
	(void)rmdir(dir);
	if (sync_errno != 0)
		return nrd_fail(err, sync_errno, "FileWrite", "write %s: %s", dir,
				strerror(sync_errno));
	return 0;
}
