/* SPDX-License-Identifier: MPL-2.0 */
/* Copyright 2026 The Nereid authors */
#include "fixture.h"

#include "brand/guest-device.h"
#include "brand/guest.h"
#include "zone/config-guest.h"

#define DISKS                                                                                                                   \
	",\"ram\":512,\"vcpus\":2,\"disks\":["                                                                                  \
	"{\"path\":\"/dev/zvol/zones/k/disk0\",\"size\":8,\"model\":\"virtio\",\"media\":\"disk\"},"                            \
	"{\"path\":\"/dev/zvol/zones/k/disk1\",\"size\":8,\"model\":\"scsi\",\"media\":\"disk\",\"boot\":true},"                \
	"{\"path\":\"/iso/a.iso\",\"model\":\"ide\",\"media\":\"cdrom\"}],"                                                     \
	"\"nics\":[{\"interface\":\"net0\",\"mac\":\"02:00:00:00:00:01\",\"model\":\"virtio\"},"                                \
	"{\"interface\":\"net1\",\"mac\":\"02:00:00:00:00:02\",\"model\":\"e1000\"}]"

static char *
line_of(const struct zone_spec *spec)
{
	return nrd_strv_join(NRD_CSTRV(spec->argv), " ");
}

static const struct zone_hand *
hand_of(const struct zone_spec *spec, const char *path)
{
	for (size_t i = 0; i < spec->n_hands; i++)
		if (nrd_streq(spec->hands[i].path, path))
			return &spec->hands[i];
	test_fail(__FILE__, __LINE__, "%s is not handed over", path);
}

/* All that it opens by name is its own firmware; everything else has a number. */
static void
handed(void)
{
	NRD_AUTO(zone_config) c = { 0 };
	NRD_AUTO(zone_spec) spec = { 0 };
	struct fixture f;

	fixture_init(&f);
	add_zone(&f, "k", "kvm", DISKS, &c);
	CHECK_OK(guest_spec(&c, NULL, &spec, &f.err), f.err);
	NRD_FREE char *line = line_of(&spec);

	CHECK_INT(hand_of(&spec, "/dev/zvol/zones/k/disk0")->flags, O_RDWR | O_DIRECT);
	CHECK_INT(hand_of(&spec, "/iso/a.iso")->flags, O_RDONLY);
	CHECK_INT(hand_of(&spec, "net0")->kind, ZONE_HAND_NIC);
	CHECK_INT(hand_of(&spec, "/run/zones/k/qmp")->kind, ZONE_HAND_LISTEN);
	CHECK_INT(hand_of(&spec, "/run/zones/k/agent")->kind, ZONE_HAND_LISTEN);
	CHECK_INT(hand_of(&spec, "/dev/kvm")->kind, ZONE_HAND_FILE);
	CHECK(strstr(line, "/dev/zvol") == NULL);
	CHECK(strstr(line, "/iso/") == NULL);
	CHECK_HAS(line, "-S");
	CHECK_HAS(line, "-run-with chroot=/var/empty,user=1:1");
	CHECK_HAS(line, "spawn=deny");
	CHECK_HAS(line, "-accel kvm,device=/dev/fdset/1");
	CHECK_HAS(line, "-smp 2,sockets=1,cores=2,threads=1 -m 512");
	CHECK_HAS(line, "product=SmartDC HVM");
	CHECK_HAS(line, "virtserialport,bus=serial.0,chardev=agent,name=org.qemu.guest_agent.0");
	CHECK_HAS(line, "-display none -vnc none,password=on,");
	/* A queue for each processor, where the device has queues. */
	CHECK_HAS(line, "{\"type\":\"tap\",\"id\":\"net0\",\"fds\":\"308:309\",\"vhost\":true,\"vhostfds\":\"310:311\"} -device "
			"{\"driver\":\"virtio-net-pci\",\"id\":\"net0-dev\",\"bus\":\"net0-port\",\"netdev\":\"net0\","
			"\"mac\":\"02:00:00:00:00:01\",\"mq\":true,\"vectors\":6");
	CHECK_HAS(line, "{\"type\":\"tap\",\"id\":\"net1\",\"fd\":\"312\"} -device {\"driver\":\"e1000\",");
	/* The disk that is said to boot, the other, the cdrom; NICs are not in the order. */
	CHECK_HAS(line, "{\"driver\":\"scsi-hd\",\"id\":\"disk1-dev\",\"bus\":\"scsi.0\",\"scsi-id\":1,\"drive\":\"disk1\",\"serial\":\"disk1\","
			"\"bootindex\":1,\"werror\":\"stop\"");
	CHECK_HAS(line, "{\"driver\":\"virtio-blk-pci\",\"id\":\"disk0-dev\",\"bus\":\"disk0-port\",\"drive\":\"disk0\",\"serial\":\"disk0\","
			"\"bootindex\":2,\"werror\":\"stop\"");
	CHECK_HAS(line, "{\"driver\":\"ide-cd\",\"id\":\"cdrom0-dev\",\"bus\":\"ide.0\",\"drive\":\"cdrom0\",\"serial\":\"cdrom0\",\"bootindex\":3");
	CHECK_HAS(line, "{\"driver\":\"e1000\",\"id\":\"net1-dev\",\"bus\":\"net1-port\",\"netdev\":\"net1\",\"mac\":\"02:00:00:00:00:02\"}");
	CHECK_HAS(line, "\"cache\":{\"direct\":true}");
	fixture_fini(&f);
}

static void
one_boot(void)
{
	static const char *const wrong[] = { "floppy=/x", "order=x", "order=c order=d", "disk=/nowhere,virtio", "disk=/../x,virtio",
					     "cdrom=/once.iso,floppy" };
	NRD_AUTO(zone_config) c = { 0 };
	NRD_AUTO(zone_spec) spec = { 0 };
	struct fixture f;

	fixture_init(&f);
	add_zone(&f, "k", "kvm", DISKS, &c);
	put(c.zonepath, "root/once.iso", "x", 0600);
	CHECK_OK(guest_spec(&c, "order=nd cdrom=/once.iso,ide", &spec, &f.err), f.err);
	NRD_FREE char *line = line_of(&spec);
	NRD_FREE char *path = nrd_format("%s/root//once.iso", c.zonepath);

	CHECK_INT(hand_of(&spec, path)->flags, O_RDONLY);
	CHECK_HAS(line, "\"netdev\":\"net0\",\"mac\":\"02:00:00:00:00:01\",\"mq\":true,\"vectors\":6,\"bootindex\":1");
	CHECK_HAS(line, "\"drive\":\"once0\",\"serial\":\"once0\",\"bootindex\":3");
	CHECK(strstr(line, "\"serial\":\"disk0\",\"bootindex\"") == NULL);
	for (size_t i = 0; i < nrd_count(wrong); i++) {
		NRD_AUTO(zone_spec) none = { 0 };

		CHECK(guest_spec(&c, wrong[i], &none, &f.err) < 0);
	}
	fixture_fini(&f);
}

static void
firmware(void)
{
	NRD_AUTO(zone_config) c = { 0 };
	NRD_AUTO(zone_spec) spec = { 0 };
	struct fixture f;

	fixture_init(&f);
	add_zone(&f, "k", "kvm", ",\"ram\":64,\"vcpus\":1,\"bootrom\":\"uefi\",\"tpm\":true,\"vnc_port\":-1,\"qemu_extra_opts\":\"-device  pvpanic\"", &c);
	CHECK_OK(guest_spec(&c, NULL, &spec, &f.err), f.err);
	NRD_FREE char *line = line_of(&spec);
	NRD_FREE char *vars = nrd_format("%s/uefi-vars.fd", c.zonepath);
	NRD_FREE char *secure_vars = nrd_format("%s/uefi-secure-vars.fd", c.zonepath);

	CHECK_INT(hand_of(&spec, vars)->flags, O_RDWR);
	CHECK_HAS(line, "pflash0=uefi-code,pflash1=uefi-vars");
	CHECK(nrd_ends(line, " -device pvpanic"));
	CHECK_INT(hand_of(&spec, spec.service.socket)->kind, ZONE_HAND_CONNECT);
	CHECK_HAS(line, "-tpmdev emulator,id=tpm0,chardev=tpm -device tpm-crb,tpmdev=tpm0");
	NRD_FREE char *tpm = nrd_strv_join(NRD_CSTRV(spec.service.argv), " ");

	CHECK_HAS(tpm, " --landlock-rule path-beneath:read-file,write-file,truncate,read-dir,make-reg,remove-file:/");
	CHECK_HAS(tpm, "-- swtpm socket --tpm2 ");
	CHECK(strstr(line, "secure") == NULL);
	CHECK_OK(nrd_str_set(&c.bootrom, "uefi-secure"), f.err);
	NRD_AUTO(zone_spec) secure = { 0 };

	CHECK_OK(guest_spec(&c, NULL, &secure, &f.err), f.err);
	NRD_FREE char *secure_line = line_of(&secure);

	CHECK_INT(hand_of(&secure, secure_vars)->flags, O_RDWR);
	CHECK_HAS(secure_line, "driver=cfi.pflash01,property=secure,value=on");
	CHECK_HAS(secure_line, "OVMF_CODE_4M.secboot.fd");
	CHECK(strstr(line, "-vnc") == NULL);
	fixture_fini(&f);
}

/* What is handed over has room for all: few of many NICs each get a share. */
static void
queues_of_many_nics(void)
{
	NRD_AUTO(nrd_buf) nics = { 0 };
	NRD_AUTO(zone_config) c = { 0 };
	NRD_AUTO(zone_spec) spec = { 0 };
	struct fixture f;

	fixture_init(&f);
	(void)nrd_buf_adds(&nics, ",\"ram\":64,\"vcpus\":255,\"nics\":[");
	for (int i = 0; i < 32; i++)
		(void)nrd_buf_printf(&nics, "%s{\"interface\":\"net%d\",\"mac\":\"02:00:00:00:00:%02x\"}", i > 0 ? "," : "", i, i);
	(void)nrd_buf_adds(&nics, "]");
	add_zone(&f, "k", "kvm", nrd_buf_str(&nics), &c);
	CHECK_OK(guest_spec(&c, NULL, &spec, &f.err), f.err);
	CHECK_INT(zone_nic_queues(&c, &c.nics[31]), 2);
	c.n_nics = 8;
	CHECK_INT(zone_nic_queues(&c, &c.nics[0]), 8);
	c.vcpus = 1;
	CHECK_INT(zone_nic_queues(&c, &c.nics[0]), 1);
	c.n_nics = 32;
	fixture_fini(&f);
}

static void
straight_into_a_kernel(void)
{
	NRD_AUTO(zone_config) c = { 0 };
	NRD_AUTO(zone_spec) spec = { 0 };
	NRD_AUTO(zone_spec) none = { 0 };
	struct fixture f;

	fixture_init(&f);
	add_zone(&f, "k", "kvm", ",\"machine\":\"microvm\",\"kernel\":\"/bin/sh\",\"kernel_args\":\"console=ttyS0 a,b\"", &c);
	CHECK_OK(guest_spec(&c, NULL, &spec, &f.err), f.err);
	NRD_FREE char *line = line_of(&spec);

	CHECK_INT(hand_of(&spec, "/bin/sh")->flags, O_RDONLY);
	CHECK_HAS(line, "-machine microvm,");
	CHECK_HAS(line, "-kernel /proc/self/fd/3");
	CHECK_HAS(line, "-append console=ttyS0 a,b ");
	CHECK_HAS(line, "isa-serial,chardev=com2");
	CHECK(strstr(line, "VGA") == NULL && strstr(line, "-initrd") == NULL);
	CHECK_OK(nrd_str_set(&c.initrd, "/nowhere/initrd"), f.err);
	CHECK_FAILS(guest_spec(&c, NULL, &none, &f.err), f.err, ENOENT, "BadKernel");
	fixture_fini(&f);
}

static void
not_a_microvm(void)
{
	static const struct {
		const char *machine, *kernel, *bootrom, *args, *model, *why;
	} wrong[] = {
		{ "microvm", NULL, "bios", NULL, "virtio", "say which (kernel)" },
		{ "microvm", "/k", "uefi", NULL, "virtio", "no firmware" },
		{ "microvm", "/k", "bios", NULL, "ide", "no ide" },
		{ "q35", NULL, "bios", "quiet", "ide", "kernel_args goes with a kernel" },
	};
	char name[] = "k", path[] = "/d";
	struct fixture f;

	fixture_init(&f);
	for (size_t i = 0; i < nrd_count(wrong); i++) {
		struct zone_disk disk = { .path = path, .size = 1, .model = (char *)(uintptr_t)wrong[i].model };
		struct zone_config c = {
			.zonename = name, .brand = ZONE_KVM, .disks = &disk, .n_disks = 1,
			.machine = (char *)(uintptr_t)wrong[i].machine, .kernel = (char *)(uintptr_t)wrong[i].kernel,
			.bootrom = (char *)(uintptr_t)wrong[i].bootrom, .kernel_args = (char *)(uintptr_t)wrong[i].args,
		};

		CHECK_FAILS(zone_guest_verify(&c, &f.err), f.err, EINVAL, "BadConfig");
		CHECK_HAS(f.err.msg, wrong[i].why);
	}
	fixture_fini(&f);
}

static void
disks_fit_into_their_room(void)
{
	static const struct {
		uint64_t room, quota;
		const char *why;
	} cases[] = { { 30, 1, NULL }, { 0, 0, NULL }, { 29, 1, "below the sum of its disks' sizes (30 MiB)" }, { 30, 0, "goes with a quota" } };
	struct fixture f;

	fixture_init(&f);
	for (size_t i = 0; i < nrd_count(cases); i++) {
		static char a[] = "/a", b[] = "/b", disk[] = "disk", q35[] = "q35", bios[] = "bios";
		struct zone_disk disks[] = { { .path = a, .size = 10, .media = disk }, { .path = b, .size = 20, .media = disk } };
		struct zone_config c = { .zonename = a, .brand = ZONE_KVM, .disks = disks, .n_disks = 2, .machine = q35, .bootrom = bios,
					 .flexible_disk_size = cases[i].room, .quota = cases[i].quota };

		if (cases[i].why == NULL) {
			CHECK_OK(zone_guest_verify(&c, &f.err), f.err);
			continue;
		}
		CHECK_FAILS(zone_guest_verify(&c, &f.err), f.err, EINVAL, "BadConfig");
		CHECK_HAS(f.err.msg, cases[i].why);
	}
	fixture_fini(&f);
}

static void
more_ide_than_there_are_ports(void)
{
	NRD_AUTO(nrd_buf) disks = { 0 };
	NRD_AUTO(zone_config) c = { 0 };
	NRD_AUTO(zone_spec) spec = { 0 };
	struct fixture f;

	fixture_init(&f);
	(void)nrd_buf_adds(&disks, ",\"disks\":[");
	for (int i = 0; i < 7; i++)
		(void)nrd_buf_printf(&disks, "%s{\"path\":\"/d/%d\",\"size\":1,\"model\":\"ide\"}", i > 0 ? "," : "", i);
	(void)nrd_buf_adds(&disks, "]");
	add_zone(&f, "k", "kvm", nrd_buf_str(&disks), &c);
	CHECK_FAILS(guest_spec(&c, NULL, &spec, &f.err), f.err, E2BIG, "BadDisk");
	fixture_fini(&f);
}


/* Where it is does not depend on what else there is; who has no such place does not come or go while the guest runs. */
static void
places(void)
{
	static const struct {
		const char *path, *model, *media;
		enum guest_place place;
		bool plugs;
	} disks[] = {
		{ "/z/disk0", "virtio", "disk", GUEST_PLACE_PORT, true },  { "/z/disk7", "nvme", "disk", GUEST_PLACE_PORT, true },
		{ "/z/disk8", "virtio", "disk", GUEST_PLACE_SLOT, false }, { "/z/disk8", "scsi", "disk", GUEST_PLACE_SCSI, true },
		{ "/z/disk1", "ide", "disk", GUEST_PLACE_IDE, false },	   { "/a.iso", "scsi", "cdrom", GUEST_PLACE_SCSI, false },
	};
	struct zone_nic net8 = { .interface = (char *)(uintptr_t)"net8" }, other = { .interface = (char *)(uintptr_t)"wan" };
	struct zone_config c = { .brand = ZONE_KVM };
	struct nrd_err err = { 0 };
	unsigned ports = 0;

	for (size_t i = 0; i < nrd_count(disks); i++) {
		struct zone_disk d = { .path = (char *)(uintptr_t)disks[i].path, .model = (char *)(uintptr_t)disks[i].model,
				       .media = (char *)(uintptr_t)disks[i].media };

		CHECK_INT(guest_disk_place(&c, &d, strrchr(d.path, '/') + 1), disks[i].place);
		CHECK_INT(guest_disk_plugs(&c, &d, &err) == 0, disks[i].plugs);
	}
	CHECK_FAILS(guest_nic_plugs(&c, &net8, &err), err, EINVAL, "GuestNoPlace");
	CHECK_FAILS(guest_nic_plugs(&c, &other, &err), err, EINVAL, "GuestNoPlace");
	for (;; ports++) {
		NRD_AUTO(nrd_buf) port = { 0 };

		if (!guest_port_device_add(&port, ports))
			break;
	}
	CHECK_INT(ports, 2 * GUEST_PORTS + 2);
}

TEST_MAIN(handed, one_boot, firmware, queues_of_many_nics, straight_into_a_kernel, not_a_microvm, disks_fit_into_their_room, more_ide_than_there_are_ports, places)
