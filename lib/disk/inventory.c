/* SPDX-License-Identifier: MPL-2.0 */
/* Copyright 2026 The Nereid authors */
#include "inventory.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "nrd/file.h"
#include "nrd/mem.h"
#include "nrd/str.h"
#include "nrd/vec.h"
#include "signature.h"

#define SECTOR_BYTES 512 /* sysfs counts in these, whatever the disk does */

/* Kernel names of what is no disk; each is followed by a digit. */
static const char *const not_disks[] = {
	"loop", "ram", "zram", "zd", "dm-", "md", "md_d", "sr", "fd", "nbd", "mtdblock",
};

static const char *const bus_names[] = {
#define DISK_BUS_TEXT(value, text) [value] = text,
	DISK_BUSES(DISK_BUS_TEXT)
#undef DISK_BUS_TEXT
};

/*
 * The kind of attachment, told by the directories between the root of sysfs and the disk. The
 * first row that matches wins: a USB disk is a SCSI disk as well.
 */
static const struct {
	const char *component;
	bool digit; /* what follows the component is a number; else it is the whole name */
	enum disk_bus bus;
} bus_marks[] = {
	{ "usb", true, DISK_BUS_USB },        { "session", true, DISK_BUS_ISCSI },
	{ "rport-", true, DISK_BUS_FC },      { "end_device-", true, DISK_BUS_SAS },
	{ "ata", true, DISK_BUS_SATA },       { "nvme", false, DISK_BUS_NVME },
	{ "nvme-subsystem", false, DISK_BUS_NVME }, { "mmc_host", false, DISK_BUS_MMC },
	{ "vbd-", true, DISK_BUS_XEN },       { "host", true, DISK_BUS_SCSI },
	{ "virtio", true, DISK_BUS_VIRTIO },
};

const char *
disk_bus_name(enum disk_bus bus)
{
	return bus_names[bus];
}

enum disk_bus
disk_bus_parse(const char *text)
{
	for (size_t i = 0; text != NULL && i < nrd_count(bus_names); i++) {
		if (strcasecmp(bus_names[i], text) == 0)
			return (enum disk_bus)i;
	}
	return DISK_BUS_UNKNOWN;
}

void
disk_fini(struct disk *disk)
{
	free(disk->name);
	free(disk->path);
	free(disk->vid);
	free(disk->pid);
	free(disk->serial);
	free(disk->location);
	free(disk->use);
	free(disk->use_error);
	*disk = (struct disk){ 0 };
}

static void
disk_cleanup(struct disk *disk)
{
	disk_fini(disk);
}

void
disk_list_fini(struct disk_list *list)
{
	nrd_vec_each(disk, list)
		disk_fini(disk);
	nrd_vec_fini(list);
}

void
disk_list_cleanup(struct disk_list *list)
{
	disk_list_fini(list);
}

/*
 * Names are a driver's prefix, then letters or numbers that count: within the same first two
 * letters the shorter run of letters comes first, numbers compare as numbers.
 */
static int
run_compare(const char *a, size_t len_a, const char *b, size_t len_b, bool number)
{
	size_t shorter = len_a < len_b ? len_a : len_b;
	int r = number ? 0 : strncmp(a, b, shorter < 2 ? shorter : 2);

	if (r != 0 || len_a == len_b)
		return r != 0 ? r : strncmp(a, b, len_a);
	return len_a < len_b ? -1 : 1;
}

int
disk_name_compare(const char *a, const char *b)
{
	static const char digits[] = "0123456789";
	int r = 0;

	while (r == 0 && *a != '\0' && *b != '\0') {
		bool number = isdigit((unsigned char)*a) != 0;
		size_t len_a, len_b;

		if (number != (isdigit((unsigned char)*b) != 0))
			return number ? -1 : 1;
		if (number) {
			a += strspn(a, "0");
			b += strspn(b, "0");
		}
		len_a = number ? strspn(a, digits) : strcspn(a, digits);
		len_b = number ? strspn(b, digits) : strcspn(b, digits);
		r = run_compare(a, len_a, b, len_b, number);
		a += len_a;
		b += len_b;
	}
	return r != 0 ? r : (*a != '\0') - (*b != '\0');
}

static int
disk_compare(const void *va, const void *vb)
{
	const struct disk *a = va, *b = vb;

	return disk_name_compare(a->name, b->name);
}

static bool
is_disk_name(const char *name)
{
	const char *rest;

	for (size_t i = 0; i < nrd_count(not_disks); i++) {
		rest = nrd_starts(name, not_disks[i]);
		if (rest != NULL && isdigit((unsigned char)*rest))
			return false;
	}
	/* The boot and RPMB areas of an eMMC are block devices of their own. */
	rest = nrd_starts(name, "mmcblk");
	return rest == NULL || strpbrk(rest, "br") == NULL;
}

/* A text attribute, NULL when missing or empty. *ret is replaced. */
static int
read_text(int dir_fd, const char *path, char **ret)
{
	char text[256];

	if (nrd_attr_read(dir_fd, path, text, sizeof(text), NULL) < 0 || text[0] == '\0')
		return 0;
	return nrd_str_set(ret, text);
}

static uint64_t
read_number(int dir_fd, const char *path, uint64_t missing)
{
	uint64_t v;

	return nrd_attr_read_u64(dir_fd, path, &v, NULL) < 0 ? missing : v;
}

static enum disk_flag
read_flag(int dir_fd, const char *path)
{
	uint64_t v;

	if (nrd_attr_read_u64(dir_fd, path, &v, NULL) < 0)
		return DISK_FLAG_UNKNOWN;
	return v != 0 ? DISK_FLAG_YES : DISK_FLAG_NO;
}

static enum disk_bus
bus_of(const char *devpath, const char *vendor)
{
	enum disk_bus bus = DISK_BUS_UNKNOWN;
	size_t best = nrd_count(bus_marks);
	struct nrd_str rest = nrd_str(devpath), part;

	while (nrd_str_split(&rest, '/', &part)) {
		for (size_t i = 0; i < best; i++) {
			size_t len = strlen(bus_marks[i].component);

			if (part.len < len || memcmp(part.data, bus_marks[i].component, len) != 0)
				continue;
			if (bus_marks[i].digit ? part.len > len && isdigit((unsigned char)part.data[len])
					       : part.len == len) {
				best = i;
				bus = bus_marks[i].bus;
			}
		}
	}
	/* SATA disks behind a SAS controller say so by their vendor. */
	if ((bus == DISK_BUS_SAS || bus == DISK_BUS_SCSI) && nrd_streq(vendor, "ATA"))
		return DISK_BUS_SATA;
	return bus;
}

/* The unit serial number page of SCSI: four bytes of header, the last its length, then text. */
static int
read_scsi_serial(int disk_fd, char **ret)
{
	NRD_CLOSE int fd = openat(disk_fd, "device/vpd_pg80", O_RDONLY | O_CLOEXEC);
	unsigned char page[4 + 255];
	ssize_t n = fd < 0 ? -1 : read(fd, page, sizeof(page));
	NRD_FREE char *text = NULL;
	size_t len;

	if (n <= 4)
		return 0;
	len = page[3] < n - 4 ? page[3] : (size_t)n - 4;
	for (size_t i = 0; i < len; i++) {
		if (!isprint(page[4 + i]))
			page[4 + i] = ' ';
	}
	text = nrd_str_dup(nrd_str_trim(nrd_strn((const char *)page + 4, len)));
	if (text == NULL)
		return -ENOMEM;
	return *text != '\0' ? nrd_str_set(ret, text) : 0;
}

/* The serial number of the USB device a disk is part of: the nearest directory with a vendor id. */
static int
read_usb_serial(const char *devpath, char **ret)
{
	NRD_FREE char *dir = strdup(devpath);
	char *slash;

	if (dir == NULL)
		return -ENOMEM;
	while ((slash = strrchr(dir, '/')) != NULL && slash != dir) {
		NRD_FREE char *vendor = NULL;
		NRD_FREE char *serial = NULL;

		*slash = '\0';
		vendor = nrd_path_join(dir, "idVendor");
		serial = nrd_path_join(dir, "serial");
		if (vendor == NULL || serial == NULL)
			return -ENOMEM;
		if (nrd_path_exists(vendor))
			return read_text(AT_FDCWD, serial, ret);
	}
	return 0;
}

static int
read_serial(int disk_fd, const char *devpath, struct disk *disk)
{
	static const char *const paths[] = { "serial", "device/serial" };
	int r = 0;

	for (size_t i = 0; r == 0 && disk->serial == NULL && i < nrd_count(paths); i++)
		r = read_text(disk_fd, paths[i], &disk->serial);
	if (r == 0 && disk->serial == NULL)
		r = read_scsi_serial(disk_fd, &disk->serial);
	if (r == 0 && disk->serial == NULL && disk->bus == DISK_BUS_USB)
		r = read_usb_serial(devpath, &disk->serial);
	return r;
}

static int
read_identity(int disk_fd, const char *devpath, size_t root_len, struct disk *disk)
{
	int r = 0;

	/* virtio's "vendor" is a PCI id, and NVMe's model begins with its maker. */
	r = read_text(disk_fd, "device/vendor", &disk->vid);
	disk->bus = bus_of(devpath + root_len, disk->vid);
	if (r == 0)
		r = read_text(disk_fd, disk->bus == DISK_BUS_MMC ? "device/name" : "device/model",
			      &disk->pid);
	if (r == 0 && disk->bus == DISK_BUS_VIRTIO) {
		r = nrd_str_set(&disk->vid, "VirtIO");
		if (r == 0)
			r = nrd_str_set(&disk->pid, "Block Device");
	} else if (r == 0 && disk->bus == DISK_BUS_NVME) {
		r = nrd_str_set(&disk->vid, "NVMe");
	}
	return r == 0 ? read_serial(disk_fd, devpath, disk) : r;
}

/* The bay of an enclosure that knows its disks (SES): a link named after the bay. */
static int
read_enclosure(int disk_fd, struct disk *disk)
{
	NRD_CLOSE int fd = openat(disk_fd, "device", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	NRD_CLOSEDIR DIR *dir = fd >= 0 ? fdopendir(fd) : NULL;
	struct dirent *entry;

	if (dir == NULL)
		return 0;
	(void)nrd_take_fd(&fd);
	while ((entry = readdir(dir)) != NULL) {
		const char *bay = nrd_starts(entry->d_name, "enclosure_device:");
		NRD_CLOSE int bay_fd = -1;
		char id[64] = "";

		if (bay == NULL)
			continue;
		bay_fd = openat(dirfd(dir), entry->d_name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		if (bay_fd < 0)
			return 0;
		disk->fault = read_flag(bay_fd, "fault");
		disk->locate = read_flag(bay_fd, "locate");
		(void)nrd_attr_read(bay_fd, "../id", id, sizeof(id), NULL);
		disk->location = id[0] != '\0' ? nrd_format("[%s] %s", id, bay) : strdup(bay);
		return disk->location != NULL ? 0 : -ENOMEM;
	}
	return 0;
}

/* The slot a PCI device sits in, where the firmware numbers them. */
static int
read_pci_slot(const char *sys, const char *devpath, struct disk *disk)
{
	NRD_FREE char *slots = nrd_path_join(sys, "bus/pci/slots");
	NRD_CLOSEDIR DIR *dir = slots != NULL ? opendir(slots) : NULL;
	struct dirent *entry;

	if (slots == NULL)
		return -ENOMEM;
	while (dir != NULL && (entry = readdir(dir)) != NULL) {
		NRD_FREE char *path = NULL;
		NRD_FREE char *mark = NULL;
		char address[64];

		if (entry->d_name[0] == '.')
			continue;
		path = nrd_format("%s/address", entry->d_name);
		if (path == NULL)
			return -ENOMEM;
		/* "0000:03:00" here, "0000:03:00.0" in the device's path. */
		if (nrd_attr_read(dirfd(dir), path, address, sizeof(address), NULL) < 0)
			continue;
		mark = nrd_format("/%s.", address);
		if (mark == NULL)
			return -ENOMEM;
		if (strstr(devpath, mark) == NULL)
			continue;
		disk->location = nrd_format("slot %s", entry->d_name);
		return disk->location != NULL ? 0 : -ENOMEM;
	}
	return 0;
}

/* 0: *ret is a disk; 1: left out. */
static int
read_disk(const struct disk_paths *paths, int block_fd, const char *name, size_t root_len,
	  struct disk *ret)
{
	struct disk disk __attribute__((cleanup(disk_cleanup))) = { 0 };
	NRD_CLOSE int fd = openat(block_fd, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	NRD_FREE char *link = nrd_format("%s/block/%s", paths->sys, name);
	NRD_FREE char *devpath = link != NULL ? realpath(link, NULL) : NULL;
	uint64_t sectors = fd >= 0 ? read_number(fd, "size", 0) : 0;
	int r;

	if (link == NULL)
		return -ENOMEM;
	/* Gone meanwhile, no medium, or a path of a multipath device that is listed as well. */
	if (fd < 0 || devpath == NULL || sectors == 0 || read_number(fd, "hidden", 0) != 0)
		return 1;
	disk.size_bytes = sectors * SECTOR_BYTES;
	disk.sector_bytes = read_number(fd, "queue/logical_block_size", SECTOR_BYTES);
	disk.ssd = read_number(fd, "queue/rotational", 1) == 0;
	disk.removable = read_number(fd, "removable", 0) != 0;
	disk.read_only = read_number(fd, "ro", 0) != 0;

	disk.name = strdup(name);
	if (disk.name == NULL)
		return -ENOMEM;
	for (char *c = disk.name; (c = strchr(c, '!')) != NULL;)
		*c = '/';
	disk.path = nrd_path_join(paths->dev, disk.name);
	if (disk.path == NULL)
		return -ENOMEM;
	r = read_identity(fd, devpath, strlen(devpath) >= root_len ? root_len : 0, &disk);
	if (r == 0)
		r = read_enclosure(fd, &disk);
	if (r == 0 && disk.location == NULL && disk.bus == DISK_BUS_NVME)
		r = read_pci_slot(paths->sys, devpath, &disk);
	if (r < 0)
		return r;
	*ret = disk;
	disk = (struct disk){ 0 };
	return 0;
}

static int
read_use(struct disk *disk)
{
	NRD_AUTO(disk_use) use = { 0 };
	struct nrd_err err = { 0 };
	NRD_CLOSE int fd = open(disk->path, O_RDONLY | O_EXCL | O_CLOEXEC | O_NONBLOCK);

	disk->busy = fd < 0 && errno == EBUSY;
	if (disk_use_read(disk->path, &use, &err) < 0) {
		disk->use = strdup("");
		disk->use_error = strdup(err.msg);
		return disk->use != NULL && disk->use_error != NULL ? 0 : -ENOMEM;
	}
	disk->blank = disk_use_is_blank(&use);
	disk->boot_medium = disk_use_is_boot_medium(&use);
	disk->use = disk_use_words(&use);
	return disk->use != NULL ? 0 : -ENOMEM;
}

static int
read_all(const struct disk_paths *paths, DIR *block, struct disk_list *list, struct nrd_err *err)
{
	NRD_FREE char *root = realpath(paths->sys, NULL);
	struct dirent *entry;

	while (errno = 0, (entry = readdir(block)) != NULL) {
		struct disk disk __attribute__((cleanup(disk_cleanup))) = { 0 };
		int r;

		if (entry->d_name[0] == '.' || !is_disk_name(entry->d_name))
			continue;
		r = read_disk(paths, dirfd(block), entry->d_name, root != NULL ? strlen(root) : 0,
			      &disk);
		if (r == 0)
			r = nrd_vec_push(list, disk);
		if (r < 0)
			return nrd_nomem(err);
		if (r == 0)
			disk = (struct disk){ 0 };
	}
	if (errno != 0)
		return nrd_fail(err, errno, "DiskList", "list disks: read %s/block: %m", paths->sys);
	return 0;
}

int
disk_list_read(const struct disk_paths *paths, unsigned flags, struct disk_list *ret_list,
	       struct nrd_err *err)
{
	const struct disk_paths where = {
		.sys = paths != NULL && paths->sys != NULL ? paths->sys : "/sys",
		.dev = paths != NULL && paths->dev != NULL ? paths->dev : "/dev",
	};
	NRD_AUTO(disk_list) list = { 0 };
	NRD_FREE char *path = nrd_path_join(where.sys, "block");
	NRD_CLOSEDIR DIR *block = path != NULL ? opendir(path) : NULL;
	int r;

	if (path == NULL)
		return nrd_nomem(err);
	if (block == NULL)
		return nrd_fail(err, errno, "DiskList", "list disks: open %s: %m", path);
	r = read_all(&where, block, &list, err);
	if (r < 0)
		return r;
	if (list.len > 0)
		qsort(list.data, list.len, sizeof(list.data[0]), disk_compare);
	if ((flags & DISK_LIST_USE) != 0) {
		nrd_vec_each(disk, &list) {
			if (read_use(disk) < 0)
				return nrd_nomem(err);
		}
	}
	*ret_list = list;
	list = (struct disk_list){ 0 };
	return 0;
}

const struct disk *
disk_list_find(const struct disk_list *list, const char *name)
{
	NRD_FREE char *real = *name == '/' ? realpath(name, NULL) : NULL;
	const char *base = nrd_starts(name, "/dev/");
	const struct disk *by_serial = NULL;
	size_t serials = 0;

	nrd_vec_each(disk, list) {
		if (nrd_streq(disk->name, base != NULL ? base : name) ||
		    (*name == '/' && nrd_streq(disk->path, name)) ||
		    (real != NULL && nrd_streq(disk->path, real)))
			return disk;
		if (nrd_streq(disk->serial, name)) {
			by_serial = disk;
			serials++;
		}
	}
	return serials == 1 ? by_serial : NULL;
}
