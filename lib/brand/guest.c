/* SPDX-License-Identifier: MPL-2.0 */
/* Copyright 2026 The Nereid authors */
#include "brand/guest.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "brand/brand-priv.h"
#include "brand/guest-device.h"
#include "brand/seed.h"
#include "brand/tpm.h"
#include "nrd/mem.h"
#include "nrd/str.h"
#include "zone/config-check.h"
#include "zone/config-guest.h"
#include "zone/state.h"

#define QEMU      "/usr/bin/qemu-system-x86_64"
#define MACHINE   "pc-q35-10.0,usb=off,vmport=off,hpet=off,dump-guest-core=off"
/* What a Linux kernel finds by ACPI alone; PCIe, so that all devices are those of a q35. */
#define MICROVM   "microvm,acpi=on,pcie=on,rtc=on,usb=off,dump-guest-core=off"
#define NOBODY    "1:1" /* any user that is not root and owns nothing */
#define IDE_PORTS 6     /* of the machine's controller */
#define EXTRA_MAX 8

/* A command line that is put together; the first failure sticks. */
struct line {
	const struct zone_config *config;
	struct zone_spec *spec;
	unsigned set;   /* next fdset */
	unsigned order; /* next place in the order it boots from */
	unsigned ide;
	bool scsi;
	int failed;
	/* For this boot alone: */
	char *boot;              /* "cd"; owned, as the paths are; NULL: as configured */
	struct zone_disk extra[EXTRA_MAX];
	size_t n_extra;
};

static void
line_cleanup(struct line *l)
{
	free(l->boot);
	for (size_t i = 0; i < l->n_extra; i++) {
		free(l->extra[i].path);
		free(l->extra[i].model);
	}
}

__attribute__((format(printf, 2, 3))) static void
add(struct line *l, const char *fmt, ...)
{
	NRD_AUTO(nrd_buf) text = { 0 };
	va_list ap;

	va_start(ap, fmt);
	(void)nrd_buf_vprintf(&text, fmt, ap);
	va_end(ap);
	if (l->failed == 0)
		l->failed = text.failed < 0 ? text.failed : nrd_strv_add(&l->spec->argv, nrd_buf_str(&text));
}

#define OPTION(l, name, ...) (add(l, name), add(l, __VA_ARGS__))

/* What it is handed; its number there. */
static int
hand(struct line *l, enum zone_hand_kind kind, const char *path, int flags)
{
	int fd = -1;

	if (l->failed == 0)
		l->failed = zone_spec_hand(l->spec, kind, path, flags, &fd);
	return fd;
}

/* The same, as a file that QEMU opens by the name /dev/fdset/N; an option of its own, and no part of another. */
static unsigned
hand_set(struct line *l, const char *path, int flags)
{
	int fd = hand(l, ZONE_HAND_FILE, path, flags);

	OPTION(l, "-add-fd", "fd=%d,set=%u", fd, ++l->set);
	return l->set;
}

static void
add_channel(struct line *l, const char *name)
{
	char path[128];

	(void)snprintf(path, sizeof(path), ZONE_RUN_DIR "/%.64s/%s", l->config->zonename, name);
	OPTION(l, "-chardev", "socket,id=%s,fd=%d,server=on,wait=off", name, hand(l, ZONE_HAND_LISTEN, path, 0));
}

/* ---- what it is ---- */

/* "20261126T224223Z", as uname says it. */
static void
platform_stamp(char ret_stamp[32])
{
	struct utsname name;
	const char *at = uname(&name) == 0 ? strstr(name.version, "nereid_") : NULL;

	(void)snprintf(ret_stamp, 32, "%.*s", at != NULL ? (int)strcspn(at + 7, " ") : 0, at != NULL ? at + 7 : "");
}

static void
add_identity(struct line *l)
{
	const struct zone_config *c = l->config;
	char uuid[NRD_UUID_TEXT], stamp[32];

	nrd_uuid_format(&c->uuid, uuid);
	OPTION(l, "-name", "guest=%s,debug-threads=on", c->zonename);
	OPTION(l, "-uuid", "%s", uuid);
	platform_stamp(stamp);
	/* By these cloud-init's SmartOS source knows where it is. */
	OPTION(l, "-smbios", "type=1,manufacturer=Joyent,product=SmartDC HVM,version=7.%s,serial=%s,sku=001,family=Virtual Machine",
	       stamp, uuid);
}

static void
add_machine(struct line *l)
{
	const struct zone_config *c = l->config;
	unsigned set = hand_set(l, GUEST_KVM, O_RDWR);

	OPTION(l, "-machine", "%s", zone_is_microvm(c) ? MICROVM : MACHINE);
	OPTION(l, "-accel", "kvm,device=/dev/fdset/%u", set);
	OPTION(l, "-cpu", "%s", c->cpu_type != NULL ? c->cpu_type : "host");
	OPTION(l, "-smp", "%" PRIu64 ",sockets=1,cores=%" PRIu64 ",threads=1", c->vcpus, c->vcpus);
	OPTION(l, "-m", "%" PRIu64, c->ram);
	OPTION(l, "-rtc", "base=utc,driftfix=slew");
}

const struct guest_firmware *
guest_firmware(const struct zone_config *config)
{
	static const struct guest_firmware all[] = {
		{ "uefi", "OVMF_CODE_4M.fd", "OVMF_VARS_4M.fd", "uefi-vars.fd", false },
		/* With Microsoft's keys, by which distributions are signed too. */
		{ "uefi-secure", "OVMF_CODE_4M.secboot.fd", "OVMF_VARS_4M.ms.fd", "uefi-secure-vars.fd", true },
	};

	for (size_t i = 0; i < nrd_count(all); i++)
		if (nrd_streq(all[i].bootrom, config->bootrom))
			return &all[i];
	return NULL;
}

static void
add_firmware(struct line *l)
{
	const struct guest_firmware *f = guest_firmware(l->config);
	char path[1024];
	unsigned set;

	if (f == NULL)
		return;
	(void)snprintf(path, sizeof(path), "%s/%s", l->config->zonepath, f->vars);
	set = hand_set(l, path, O_RDWR);
	if (f->secure)
		OPTION(l, "-global", "driver=cfi.pflash01,property=secure,value=on");
	OPTION(l, "-blockdev", "driver=raw,node-name=uefi-code,read-only=on,file.driver=file,file.read-only=on,file.filename=" GUEST_OVMF "%s",
	       f->code);
	OPTION(l, "-blockdev", "driver=raw,node-name=uefi-vars,file.driver=file,file.filename=/dev/fdset/%u", set);
	OPTION(l, "-machine", "pflash0=uefi-code,pflash1=uefi-vars");
}

/* QEMU reads it while it still has its /proc, by the number it was handed under. */
static void
add_boot_file(struct line *l, const char *option, const char *path)
{
	if (path == NULL)
		return;
	add(l, "%s", option);
	add(l, "/proc/self/fd/%d", hand(l, ZONE_HAND_FILE, path, O_RDONLY));
}

static void
add_kernel(struct line *l)
{
	const struct zone_config *c = l->config;

	add_boot_file(l, "-kernel", c->kernel);
	add_boot_file(l, "-initrd", c->initrd);
	if (c->kernel_args != NULL)
		OPTION(l, "-append", "%s", c->kernel_args);
}

static void
add_jail(struct line *l)
{
	OPTION(l, "-run-with", "chroot=/" GUEST_EMPTY ",user=" NOBODY);
	/* Becoming another user is its own last step; what is denied here it cannot do from the very start. */
	OPTION(l, "-sandbox", "on,obsolete=deny,elevateprivileges=allow,spawn=deny,resourcecontrol=deny");
	OPTION(l, "-msg", "timestamp=on");
}

static void
add_channels(struct line *l)
{
	add_channel(l, GUEST_QMP);
	OPTION(l, "-mon", "chardev=" GUEST_QMP ",mode=control");
	add_channel(l, GUEST_COM1);
	OPTION(l, "-serial", "chardev:" GUEST_COM1);
	add_channel(l, GUEST_COM2);
	if (zone_is_microvm(l->config)) /* which has one of its own */
		OPTION(l, "-device", "isa-serial,chardev=" GUEST_COM2 ",iobase=0x2f8,irq=3");
	else
		OPTION(l, "-serial", "chardev:" GUEST_COM2);
	add_channel(l, GUEST_AGENT);
	/* The first port is a console's. */
	OPTION(l, "-device", "virtio-serial-pci,id=serial,max_ports=2");
	OPTION(l, "-device", "virtserialport,bus=serial.0,chardev=" GUEST_AGENT ",name=org.qemu.guest_agent.0");
}

static void
add_tpm(struct line *l)
{
	struct zone_service *service = &l->spec->service;

	if (!l->config->tpm || l->failed < 0)
		return;
	l->failed = tpm_service(l->config, service);
	if (l->failed < 0)
		return;
	OPTION(l, "-chardev", "socket,id=tpm,fd=%d", hand(l, ZONE_HAND_CONNECT, service->socket, 0));
	OPTION(l, "-tpmdev", "emulator,id=tpm0,chardev=tpm");
	OPTION(l, "-device", "tpm-crb,tpmdev=tpm0");
}

/*
 * It listens nowhere until zoneadmd gives it a socket, and lets nobody in without a password, of which there is none yet. Of those
 * who have not shown it there is one at a time: the next one takes the place.
 */
static void
add_screen(struct line *l)
{
	OPTION(l, "-display", "none");
	if (zone_guest_has_vnc(l->config))
		OPTION(l, "-vnc", "none,password=on,connections=1");
	if (!zone_is_microvm(l->config))
		OPTION(l, "-device", "VGA");
}

/* ---- disks ---- */

/* Its place in the order it boots from; 0: it has none. */
static unsigned
next_in_order(struct line *l, bool boots)
{
	return boots ? ++l->order : 0;
}

/* What is said in JSON. */
static void
add_json(struct line *l, const char *option, const struct nrd_buf *json)
{
	if (l->failed == 0)
		l->failed = json->failed;
	add(l, "%s", option);
	add(l, "%s", nrd_buf_str(json));
}

static void
add_ports(struct line *l)
{
	for (unsigned n = 0; !zone_is_microvm(l->config); n++) {
		NRD_AUTO(nrd_buf) port = { 0 };

		if (!guest_port_device_add(&port, n))
			break;
		add_json(l, "-device", &port);
	}
}

static void
add_scsi(struct line *l)
{
	NRD_AUTO(nrd_buf) scsi = { 0 };

	if (l->scsi)
		return;
	guest_scsi_device_add(&scsi, l->config);
	add_json(l, "-device", &scsi);
	l->scsi = true;
}

static void
add_disk(struct line *l, const struct zone_disk *d, size_t index, bool boots)
{
	bool once = index >= l->config->n_disks;
	NRD_AUTO(nrd_buf) node = { 0 };
	NRD_AUTO(nrd_buf) device = { 0 };
	char name[GUEST_NAME];
	enum guest_place place;
	int fd = -1;

	if (once)
		(void)snprintf(name, sizeof(name), "once%zu", index - l->config->n_disks);
	else
		guest_disk_name(l->config, index, name);
	place = guest_disk_place(l->config, d, name);
	if (l->failed == 0)
		l->failed = guest_disk_hand(l->spec, d, once, &fd);
	/* By its name what is in the set is found again. */
	OPTION(l, "-add-fd", "fd=%d,set=%u,opaque=%s", fd, ++l->set, name);
	guest_disk_blockdev_add(&node, d, name, once, l->set);
	add_json(l, "-blockdev", &node);
	if (place == GUEST_PLACE_SCSI)
		add_scsi(l);
	guest_disk_device_add(&device, l->config, d, name, place == GUEST_PLACE_IDE ? l->ide++ : 0, next_in_order(l, boots));
	add_json(l, "-device", &device);
}

/* Behind all others: what the guest calls them does not change with it. */
static void
add_seed(struct line *l)
{
	NRD_AUTO(nrd_buf) device = { 0 };
	char path[1024];
	unsigned set;

	if (!seed_wanted(l->config))
		return;
	(void)snprintf(path, sizeof(path), "%s/" GUEST_SEED, l->config->zonepath);
	set = hand_set(l, path, O_RDONLY);
	OPTION(l, "-blockdev", "driver=raw,node-name=seed,read-only=on,file.driver=file,file.read-only=on,file.filename=/dev/fdset/%u", set);
	guest_seed_device_add(&device, l->config);
	add_json(l, "-device", &device);
}

/* Those of a kind; the one to boot from before the others. */
static void
add_disks(struct line *l, bool volumes, bool boots)
{
	const struct zone_config *c = l->config;

	/* What is there for this boot alone is what it is for. */
	for (size_t i = 0; i < l->n_extra; i++)
		if (zone_disk_is_volume(&l->extra[i]) == volumes)
			add_disk(l, &l->extra[i], c->n_disks + i, boots);
	for (int turn = 0; turn < 2; turn++)
		for (size_t i = 0; i < c->n_disks; i++)
			if (zone_disk_is_volume(&c->disks[i]) == volumes && c->disks[i].boot == (turn == 0))
				add_disk(l, &c->disks[i], i, boots);
}

/* ---- NICs ---- */

static void
add_nic(struct line *l, const struct zone_nic *nic, bool boots)
{
	NRD_AUTO(nrd_buf) netdev = { 0 };
	NRD_AUTO(nrd_buf) device = { 0 };
	struct guest_nic_hands hands = { 0 };

	if (l->failed == 0)
		l->failed = guest_nic_hand(l->spec, l->config, nic, &hands);
	guest_nic_netdev_add(&netdev, nic, &hands, false);
	add_json(l, "-netdev", &netdev);
	guest_nic_device_add(&device, l->config, nic, false, next_in_order(l, boots));
	add_json(l, "-device", &device);
}

static void
add_nics(struct line *l, bool boots)
{
	for (size_t i = 0; i < l->config->n_nics; i++)
		add_nic(l, &l->config->nics[i], boots);
}

/* ---- all of it ---- */

/* Each kind in its turn, and what the order does not name after all others. */
static void
add_bootable(struct line *l)
{
	const char *order = l->boot != NULL ? l->boot : l->config->boot != NULL ? l->config->boot + strlen("order=") : "cd";
	static const char kinds[] = "cdn";

	for (int named = 1; named >= 0; named--) {
		const char *all = named ? order : kinds;

		for (const char *kind = all; *kind != '\0'; kind++) {
			if (!named && strchr(order, *kind) != NULL)
				continue;
			if (*kind == 'n')
				add_nics(l, named != 0);
			else
				add_disks(l, *kind == 'c', named != 0);
		}
	}
}

static void
add_extra(struct line *l)
{
	NRD_STRV char **words = NULL;

	if (l->config->qemu_extra_opts == NULL || l->failed < 0)
		return;
	l->failed = nrd_strv_split(l->config->qemu_extra_opts, ' ', &words);
	for (size_t i = 0; l->failed == 0 && words != NULL && words[i] != NULL; i++)
		l->failed = nrd_strv_add(&l->spec->argv, words[i]);
}

/* "PATH,MODEL" */
static int
add_once(struct line *l, const char *said, const char *media, struct nrd_err *err)
{
	struct zone_disk *d = &l->extra[l->n_extra];
	size_t len = strcspn(said, ",");
	const char *model = said[len] == ',' ? said + len + 1 : "ide";
	int r = zone_check_disk_model(model, err);

	if (r < 0)
		return r;
	if (l->n_extra == EXTRA_MAX)
		return nrd_fail(err, E2BIG, "BadBoot", "%.60s: more than %d disks for one boot", said, EXTRA_MAX);
	if (len == 0 || strstr(said, "..") != NULL)
		return nrd_fail(err, EINVAL, "BadBoot", "\"%.60s\" is not PATH,MODEL", said);
	l->n_extra++;
	d->path = nrd_format("%s/root/%.*s", l->config->zonepath, (int)len, said);
	d->model = nrd_format("%s", model);
	d->media = (char *)(uintptr_t)media; /* a literal, which line_cleanup leaves */
	if (d->path == NULL || d->model == NULL)
		return nrd_nomem(err);
	return access(d->path, R_OK) < 0 ? nrd_fail(err, errno, "BadBoot", "%s: %m", d->path) : 0;
}

static int
take_once(struct line *l, const char *once, struct nrd_err *err)
{
	NRD_STRV char **words = NULL;
	int r = once != NULL && nrd_strv_split(once, ' ', &words) < 0 ? nrd_nomem(err) : 0;

	for (size_t i = 0; r == 0 && words != NULL && words[i] != NULL; i++) {
		const char *cdrom = nrd_starts(words[i], "cdrom="), *disk = nrd_starts(words[i], "disk=");

		if (cdrom != NULL || disk != NULL)
			r = add_once(l, cdrom != NULL ? cdrom : disk, cdrom != NULL ? "cdrom" : "disk", err);
		else if (nrd_starts(words[i], "order=") == NULL)
			r = nrd_fail(err, EINVAL, "BadBoot", "\"%.60s\" is none of order=, cdrom=, disk=", words[i]);
		else if (l->boot != NULL)
			r = nrd_fail(err, EINVAL, "BadBoot", "order= is said twice");
		else if ((r = zone_check_boot_order(words[i], err)) == 0)
			r = nrd_str_set(&l->boot, words[i] + strlen("order=")) < 0 ? nrd_nomem(err) : 0;
	}
	return r;
}

static int
check_ide(const struct zone_config *c, struct nrd_err *err)
{
	size_t n = 0;

	for (size_t i = 0; i < c->n_disks; i++)
		n += nrd_streq(c->disks[i].model, "ide") || nrd_streq(c->disks[i].model, "ahci") ||
		     (!zone_disk_is_volume(&c->disks[i]) && nrd_streq(c->disks[i].model, "nvme"));
	if (n <= IDE_PORTS)
		return 0;
	return nrd_fail(err, E2BIG, "BadDisk", "it has %zu disks of model ide, and there are %d ports: take virtio or scsi", n, IDE_PORTS);
}

/* QEMU is nobody of the node's already when it reads them. */
static int
check_boot_file(const char *what, const char *path, struct nrd_err *err)
{
	struct stat st;

	if (path == NULL)
		return 0;
	if (stat(path, &st) < 0)
		return nrd_fail(err, errno, "BadKernel", "%s %s: %m", what, path);
	if (!S_ISREG(st.st_mode) || (st.st_mode & S_IROTH) == 0)
		return nrd_fail(err, EACCES, "BadKernel", "%s %s: it is no file that everybody may read, as the guest's QEMU must: "
				"chmod a+r", what, path);
	return 0;
}

static int
check_config(const struct zone_config *c, struct nrd_err *err)
{
	int r = check_ide(c, err);

	if (r == 0)
		r = check_boot_file("kernel", c->kernel, err);
	return r == 0 ? check_boot_file("initrd", c->initrd, err) : r;
}

int
guest_spec(const struct zone_config *config, const char *once, struct zone_spec *spec, struct nrd_err *err)
{
	__attribute__((cleanup(line_cleanup))) struct line l = { .config = config, .spec = spec };
	int r = check_config(config, err);

	if (r == 0)
		r = take_once(&l, once, err);
	if (r < 0)
		return r;
	add(&l, QEMU);
	add(&l, "-nodefaults");
	add(&l, "-no-user-config");
	add(&l, "-S");
	add_identity(&l);
	add_machine(&l);
	add_firmware(&l);
	add_jail(&l);
	add_channels(&l);
	add_kernel(&l);
	add_tpm(&l);
	add_screen(&l);
	OPTION(&l, "-object", "rng-builtin,id=rng");
	OPTION(&l, "-device", "virtio-rng-pci,rng=rng");
	add_ports(&l);
	add_bootable(&l);
	add_seed(&l);
	add_extra(&l);
	return l.failed < 0 ? (l.failed == -E2BIG ? nrd_fail(err, E2BIG, "BadDisk", "it has too many disks and NICs") : nrd_nomem(err)) : 0;
}
