/* SPDX-License-Identifier: MPL-2.0 */
/* Copyright 2026 The Nereid authors */
#include "nrd-test.h"

#include <fcntl.h>

#include "disk/inventory.h"
#include "nrd/file.h"
#include "nrd/mem.h"
#include "nrd/proc.h"
#include "nrd/str.h"

/* A made-up sysfs: attributes by path, links from block/ to the devices. */
static char root[64];

static void
put_bytes(const char *path, const void *data, size_t len)
{
	NRD_FREE char *full = nrd_format("%s/%s", root, path);
	NRD_FREE char *dir = nrd_format("%s/%s", root, path);
	struct nrd_err err = { 0 };

	CHECK(full != NULL && dir != NULL);
	*strrchr(dir, '/') = '\0';
	CHECK_OK(nrd_mkdir_p(dir, 0755, &err), err);
	CHECK_OK(nrd_file_write(full, data, len, 0644, &err), err);
}

static void
put(const char *path, const char *text)
{
	put_bytes(path, text, strlen(text));
}

static void
put_link(const char *path, const char *target)
{
	NRD_FREE char *full = nrd_format("%s/%s", root, path);
	NRD_FREE char *dir = nrd_format("%s/%s", root, path);
	struct nrd_err err = { 0 };

	CHECK(full != NULL && dir != NULL);
	*strrchr(dir, '/') = '\0';
	CHECK_OK(nrd_mkdir_p(dir, 0755, &err), err);
	CHECK_INT(symlink(target, full), 0);
}

/* A block device below devices/PARENT, with its queue and a `device` link to the parent. */
static void
put_disk(const char *parent, const char *name, const char *sectors, bool rotational)
{
	NRD_FREE char *dir = nrd_format("sys/devices/%s/block/%s", parent, name);
	NRD_FREE char *link = nrd_format("sys/block/%s", name);
	NRD_FREE char *target = nrd_format("../devices/%s/block/%s", parent, name);
	NRD_FREE char *size = nrd_format("%s/size", dir);
	NRD_FREE char *queue = nrd_format("%s/queue/rotational", dir);
	NRD_FREE char *device = nrd_format("%s/device", dir);

	put(size, sectors);
	put(queue, rotational ? "1\n" : "0\n");
	put_link(device, "../..");
	put_link(link, target);
}

static void
put_attr(const char *parent, const char *attribute, const char *text)
{
	NRD_FREE char *path = nrd_format("sys/devices/%s/%s", parent, attribute);

	put(path, text);
}

static void
make_tree(void)
{
	static const unsigned char page[] = { 0, 0x80, 0, 8, ' ', ' ', 'W', 'D', '-', '7', '7', 0 };
	const char *sata = "pci0000:00/0000:00:1f.2/ata3/host2/target2:0:0/2:0:0:0";
	const char *sas = "pci0000:00/0000:02:00.0/host0/port-0:0/end_device-0:0/target0:0:0/0:0:0:0";
	const char *usb = "pci0000:00/0000:00:14.0/usb2/2-1/2-1:1.0/host6/target6:0:0/6:0:0:0";
	const char *nvme = "pci0000:00/0000:03:00.0/nvme/nvme10";
	const char *vscsi = "pci0000:00/0000:00:05.0/virtio3/host1/target1:0:0/1:0:0:0";

	test_mkdir(root);

	put_disk("pci0000:00/0000:00:04.0/virtio1", "vda", "83886080\n", true);
	put_attr("pci0000:00/0000:00:04.0/virtio1", "block/vda/serial", "root-disk\n");
	put_attr("pci0000:00/0000:00:04.0/virtio1", "vendor", "0x1af4\n");
	put_attr("pci0000:00/0000:00:04.0/virtio1", "block/vda/ro", "1\n");

	put_disk(sata, "sdb", "1953525168\n", true);
	put_attr(sata, "vendor", "ATA     \n");
	put_attr(sata, "model", "WDC WD10EZEX-08W\n");
	NRD_FREE char *page_path = nrd_format("sys/devices/%s/vpd_pg80", sata);
	put_bytes(page_path, page, sizeof(page));
	put_attr(sata, "block/sdb/queue/logical_block_size", "4096\n");

	put_disk(sas, "sdaa", "7814037168\n", true);
	put_attr(sas, "vendor", "SEAGATE \n");
	put_attr(sas, "model", "ST4000NM0023    \n");
	put("sys/devices/enc/0:0:9:0/id", "0x5000ccab\n");
	put("sys/devices/enc/0:0:9:0/Slot 03/fault", "0\n");
	put("sys/devices/enc/0:0:9:0/Slot 03/locate", "1\n");
	NRD_FREE char *bay = nrd_format("sys/devices/%s/enclosure_device:Slot 03", sas);
	NRD_FREE char *bay_target = nrd_format("%s/sys/devices/enc/0:0:9:0/Slot 03", root);
	put_link(bay, bay_target);

	put_disk(usb, "sdc", "15728640\n", true);
	put_attr(usb, "vendor", "SanDisk \n");
	put_attr(usb, "model", "Cruzer          \n");
	put_attr(usb, "block/sdc/removable", "1\n");
	put_attr("pci0000:00/0000:00:14.0/usb2/2-1", "idVendor", "0781\n");
	put_attr("pci0000:00/0000:00:14.0/usb2/2-1", "serial", "4C53000123\n");

	put_disk(nvme, "nvme10n1", "976773168\n", false);
	put_attr(nvme, "model", "Samsung SSD 990 \n");
	put_attr(nvme, "serial", "S6Z1NJ0W\n");
	put("sys/bus/pci/slots/7/address", "0000:09:00\n");
	put("sys/bus/pci/slots/4/address", "0000:03:00\n");
	put_disk("pci0000:00/0000:04:00.0/nvme/nvme2", "nvme2n1", "976773168\n", false);

	put_disk(vscsi, "sda", "20971520\n", false);
	put_attr(vscsi, "vendor", "QEMU    \n");
	put_attr(vscsi, "model", "QEMU HARDDISK   \n");

	/* None of these is a disk. */
	put_disk("virtual", "loop0", "1000\n", false);
	put_disk("virtual", "ram0", "1000\n", false);
	put_disk("virtual", "zram0", "1000\n", false);
	put_disk("virtual", "zd16", "1000\n", false);
	put_disk("virtual", "dm-0", "1000\n", false);
	put_disk("virtual", "md127", "1000\n", false);
	put_disk("virtual", "md_d0", "1000\n", false);
	put_disk("virtual", "sr0", "1000\n", false);
	put_disk("virtual", "fd0", "8\n", false);
	put_disk("virtual", "nbd3", "1000\n", false);
	put_disk("mmc_host/mmc0/mmc0:0001", "mmcblk0boot0", "1000\n", false);
	/* A card reader without a card, and a hidden path of a multipath device. */
	put_disk("virtual", "sdz", "0\n", false);
	put_disk("virtual", "nvme3c3n1", "1000\n", false);
	put_attr("virtual", "block/nvme3c3n1/hidden", "1\n");
	/* A link to what is gone meanwhile. */
	put_link("sys/block/sdq", "../devices/gone");

	put_disk("mmc_host/mmc0/mmc0:0001", "mmcblk0", "61071360\n", false);
	put_attr("mmc_host/mmc0/mmc0:0001", "name", "SD32G\n");
	put_attr("mmc_host/mmc0/mmc0:0001", "serial", "0x1234\n");
}

static void
read_tree(unsigned flags, struct disk_list *list)
{
	NRD_FREE char *sys = nrd_format("%s/sys", root);
	NRD_FREE char *dev = nrd_format("%s/dev", root);
	const struct disk_paths paths = { .sys = sys, .dev = dev };
	struct nrd_err err = { 0 };

	CHECK_OK(disk_list_read(&paths, flags, list, &err), err);
}

static const struct disk *
find(const struct disk_list *list, const char *name)
{
	const struct disk *disk = disk_list_find(list, name);

	if (disk == NULL)
		test_fail(__FILE__, __LINE__, "%s is not in the list", name);
	return disk;
}

static void
lists_disks_in_order(void)
{
	static const char *const want[] = { "mmcblk0", "nvme2n1", "nvme10n1", "sda",
					    "sdb",     "sdc",     "sdaa",     "vda" };
	NRD_AUTO(disk_list) list = { 0 };

	make_tree();
	read_tree(0, &list);
	for (size_t i = 0; i < list.len && i < nrd_count(want); i++)
		CHECK_STR(list.data[i].name, want[i]);
	CHECK_INT(list.len, nrd_count(want));
}

static void
tells_what_they_are(void)
{
	NRD_AUTO(disk_list) list = { 0 };
	const struct disk *disk;

	read_tree(0, &list);

	disk = find(&list, "vda");
	CHECK_INT(disk->bus, DISK_BUS_VIRTIO);
	CHECK_STR(disk->vid, "VirtIO");
	CHECK_STR(disk->pid, "Block Device");
	CHECK_STR(disk->serial, "root-disk");
	CHECK_INT(disk->size_bytes, 83886080LL * 512);
	CHECK_INT(disk->sector_bytes, 512);
	CHECK(!disk->ssd && !disk->removable && disk->read_only);
	CHECK(disk->location == NULL && disk->use == NULL && disk->fault == DISK_FLAG_UNKNOWN);

	disk = find(&list, "sdb");
	CHECK_INT(disk->bus, DISK_BUS_SATA);
	CHECK_STR(disk->vid, "ATA");
	CHECK_STR(disk->pid, "WDC WD10EZEX-08W");
	CHECK_STR(disk->serial, "WD-77");
	CHECK_INT(disk->sector_bytes, 4096);

	disk = find(&list, "sdaa");
	CHECK_INT(disk->bus, DISK_BUS_SAS);
	CHECK_STR(disk->location, "[0x5000ccab] Slot 03");
	CHECK_INT(disk->fault, DISK_FLAG_NO);
	CHECK_INT(disk->locate, DISK_FLAG_YES);
	CHECK(disk->serial == NULL);

	disk = find(&list, "sdc");
	CHECK_INT(disk->bus, DISK_BUS_USB);
	CHECK_STR(disk->serial, "4C53000123");
	CHECK(disk->removable);

	disk = find(&list, "nvme10n1");
	CHECK_INT(disk->bus, DISK_BUS_NVME);
	CHECK_STR(disk->vid, "NVMe");
	CHECK_STR(disk->pid, "Samsung SSD 990");
	CHECK_STR(disk->serial, "S6Z1NJ0W");
	CHECK_STR(disk->location, "slot 4");
	CHECK(disk->ssd);
	CHECK(find(&list, "nvme2n1")->location == NULL);

	CHECK_INT(find(&list, "sda")->bus, DISK_BUS_SCSI);
	CHECK_INT(find(&list, "mmcblk0")->bus, DISK_BUS_MMC);
	CHECK_STR(find(&list, "mmcblk0")->pid, "SD32G");
}

static void
finds_by_path_and_serial(void)
{
	NRD_AUTO(disk_list) list = { 0 };

	read_tree(0, &list);
	CHECK_STR(find(&list, "/dev/sdb")->name, "sdb");
	CHECK_STR(find(&list, "S6Z1NJ0W")->name, "nvme10n1");
	CHECK(disk_list_find(&list, "sdx") == NULL);
	CHECK(disk_list_find(&list, "loop0") == NULL);
	CHECK(disk_list_find(&list, "") == NULL);
}

static void
orders_names(void)
{
	static const char *const sorted[] = { "mmcblk0",  "nvme0n1", "nvme0n2", "nvme2n1",
					      "nvme10n1", "sda",     "sdz",     "sdaa",
					      "vda",      "vdb",     "xvda" };

	for (size_t i = 0; i < nrd_count(sorted); i++) {
		for (size_t j = 0; j < nrd_count(sorted); j++) {
			int r = disk_name_compare(sorted[i], sorted[j]);

			CHECK((r > 0) - (r < 0) == (i > j) - (i < j));
		}
	}
	CHECK(disk_name_compare("sd", "sd1") < 0);
	CHECK(disk_name_compare("sd1", "sda") < 0);
	CHECK_INT(disk_name_compare("", ""), 0);
}

/* Disks are files here: what they hold is read all the same. */
static void
tells_what_they_hold(void)
{
	NRD_FREE char *vda = nrd_format("%s/dev/vda", root);
	NRD_FREE char *sdc = nrd_format("%s/dev/sdc", root);
	NRD_AUTO(disk_list) list = { 0 };
	struct nrd_err err = { 0 };

	put("dev/vda", "");
	CHECK_INT(truncate(vda, 8 << 20), 0);
	put("dev/sdc", "");
	CHECK_INT(truncate(sdc, 64 << 20), 0);
	CHECK_OK(nrd_run_argv(NULL, &err, "mkfs.vfat", "-n", "NEREID", sdc, NULL), err);

	read_tree(DISK_LIST_USE, &list);
	CHECK(find(&list, "vda")->blank);
	CHECK_STR(find(&list, "vda")->use, "");
	CHECK(find(&list, "vda")->use_error == NULL);
	CHECK(!find(&list, "vda")->boot_medium);
	CHECK_STR(find(&list, "sdc")->use, "vfat 'NEREID'");
	CHECK(find(&list, "sdc")->boot_medium);
	CHECK(!find(&list, "sdc")->blank);
	/* Its node is missing. */
	CHECK(!find(&list, "sdb")->blank);
	CHECK_HAS(find(&list, "sdb")->use_error, "No such file");
	CHECK_OK(nrd_run_argv(NULL, &err, "rm", "-r", root, NULL), err);
}

static void
no_sysfs(void)
{
	const struct disk_paths paths = { .sys = "/nowhere" };
	NRD_AUTO(disk_list) list = { 0 };
	struct nrd_err err = { 0 };

	CHECK_FAILS(disk_list_read(&paths, 0, &list, &err), err, ENOENT, "DiskList");
}

static void
bus_names(void)
{
	CHECK_INT(disk_bus_parse("sata"), DISK_BUS_SATA);
	CHECK_INT(disk_bus_parse("NVME"), DISK_BUS_NVME);
	CHECK_INT(disk_bus_parse("ide"), DISK_BUS_UNKNOWN);
	CHECK_INT(disk_bus_parse(NULL), DISK_BUS_UNKNOWN);
	CHECK_STR(disk_bus_name(DISK_BUS_UNKNOWN), "-");
}

TEST_MAIN(lists_disks_in_order, tells_what_they_are, finds_by_path_and_serial, orders_names,
	  tells_what_they_hold, no_sysfs, bus_names)
