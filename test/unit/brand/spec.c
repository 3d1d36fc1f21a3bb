/* SPDX-License-Identifier: MPL-2.0 */
/* Copyright 2026 The Nereid authors */
#include "fixture.h"

#include <signal.h>

static void
spec_of(const struct zone_config *c, const struct zone_boot_request *request, struct zone_spec *ret)
{
	const struct brand *brand;
	struct nrd_err err = { 0 };

	CHECK_OK(brand_of(c, &brand, &err), err);
	CHECK_OK(brand->spec(c, request, ret, &err), err);
}

#define CHECK_ARGV(spec, want)                                            \
	do {                                                              \
		NRD_FREE char *argv_ = nrd_strv_join(NRD_CSTRV((spec).argv), " "); \
		CHECK_STR(argv_, want);                                   \
	} while (0)

static const struct zone_mount *
mount_at(const struct zone_spec *spec, const char *target)
{
	for (size_t i = 0; i < spec->n_mounts; i++)
		if (strcmp(spec->mounts[i].target, target) == 0)
			return &spec->mounts[i];
	test_fail(__FILE__, __LINE__, "nothing is mounted at %s", target);
}

/* What a zone is given of its zoneadmd can be connected to, and nothing else. */
static void
has_control(const struct zone_spec *spec, const char *target, const char *source)
{
	const unsigned flags = ZONE_MOUNT_RO | ZONE_MOUNT_NOSUID | ZONE_MOUNT_NODEV |
			       ZONE_MOUNT_NOEXEC | ZONE_MOUNT_OPTIONAL | ZONE_MOUNT_IF_PLACE;
	const struct zone_mount *m = mount_at(spec, target);

	CHECK_STR(m->source, source);
	CHECK_INT(m->flags, flags);
}

static void
native(void)
{
	NRD_AUTO(zone_config) c = { 0 };
	struct fixture f;

	fixture_init(&f);
	add_zone(&f, "n1", "native", ",\"bootargs\":\"a  b\",\"init_env\":[\"TERM=dumb\",\"X=1\"]", &c);
	NRD_AUTO(zone_spec) spec = { 0 };
	NRD_FREE char *usr = nrd_path_join(f.platform, "base/usr");

	spec_of(&c, NULL, &spec);
	CHECK_ARGV(spec, "/usr/lib/systemd/systemd a b");
	CHECK(spec.volatile_dirs);
	CHECK_INT(spec.n_mounts, 5);
	has_control(&spec, "/.zonecontrol", "/run/zones/n1/zonecontrol");
	CHECK_HAS(mount_at(&spec, "/usr/local")->source, "/nereid/usr/lib/nereid/zone");
	CHECK_STR(spec.mounts[0].source, usr);
	CHECK_STR(spec.mounts[0].target, "/usr");
	CHECK((spec.mounts[0].flags & ZONE_MOUNT_RO) != 0);
	CHECK((spec.mounts[0].flags & (ZONE_MOUNT_NOSUID | ZONE_MOUNT_PLAIN)) == 0);
	CHECK(nrd_strv_has(NRD_CSTRV(spec.env), "container=nereid"));
	CHECK(nrd_strv_has(NRD_CSTRV(spec.env),
			   "container_uuid=00006e31-2222-3333-4444-555555555555"));
	CHECK(nrd_strv_has(NRD_CSTRV(spec.env), "TERM=dumb"));
	CHECK(!nrd_strv_has(NRD_CSTRV(spec.env), "TERM=xterm"));
	zone_spec_fini(&spec);
	spec_of(&c, &(struct zone_boot_request){ .single_user = true, .init = "/bin/sh", .args = "x" },
		&spec);
	CHECK_ARGV(spec, "/bin/sh x -s");
	fixture_fini(&f);
}

static void
lx_docker(void)
{
	NRD_AUTO(zone_config) c = { 0 };
	NRD_AUTO(zone_spec) spec = { 0 };
	struct brand_stop stop;
	const struct brand *brand;
	struct fixture f;

	fixture_init(&f);
	add_zone(&f, "d1", "lx",
		 ",\"docker\":true,\"init_name\":\"/usr/sbin/nginx\",\"init_args\":[\"-g\",\"daemon off;\"],"
		 "\"init_user\":\"web\",\"init_dir\":\"/srv\",\"kernel_version\":\"4.3.0\"", &c);
	put(c.zonepath, "root/etc/passwd", "web:x:70:71::/:/bin/sh\n", 0644);
	spec_of(&c, NULL, &spec);
	CHECK_INT(nrd_strv_len(NRD_CSTRV(spec.argv)), 3);
	CHECK_STR(spec.argv[0], "/usr/sbin/nginx");
	CHECK_STR(spec.argv[2], "daemon off;");
	CHECK_STR(spec.user, "70:71");
	CHECK_STR(spec.dir, "/srv");
	CHECK_STR(spec.uts_version, "BrandZ virtual linux");
	CHECK_STR(spec.uts_release, "4.3.0");
	CHECK(!spec.volatile_dirs);
	CHECK(nrd_strv_has(NRD_CSTRV(spec.env), "HOSTNAME=d1"));
	CHECK_OK(brand_of(&c, &brand, &f.err), f.err);
	CHECK_OK(brand->stop(&c, false, &stop, &f.err), f.err);
	CHECK(stop.argv == NULL && stop.signal == SIGTERM);
	fixture_fini(&f);
}

static void
filesystems(void)
{
	NRD_AUTO(zone_config) c = { 0 };
	NRD_AUTO(zone_config) bad = { 0 };
	NRD_AUTO(zone_spec) spec = { 0 };
	const struct brand *brand;
	struct fixture f;

	fixture_init(&f);
	add_zone(&f, "l1", "lx",
		 ",\"filesystems\":[{\"source\":\"/data\",\"target\":\"/mnt\",\"type\":\"lofs\","
		 "\"options\":[\"ro\",\"nosuid\"]},{\"target\":\"/scratch\",\"type\":\"tmpfs\","
		 "\"options\":[\"size=64m\",\"mode=1777\"]}]", &c);
	spec_of(&c, NULL, &spec);
	CHECK_INT(spec.n_mounts, 4);
	has_control(&spec, "/native/.zonecontrol", "/run/zones/l1/zonecontrol");
	CHECK_HAS(mount_at(&spec, "/native/usr/sbin")->source, "/nereid/usr/lib/nereid/zone/sbin");
	CHECK((mount_at(&spec, "/native/usr/sbin")->flags & (ZONE_MOUNT_RO | ZONE_MOUNT_IF_PLACE)) ==
	      (ZONE_MOUNT_RO | ZONE_MOUNT_IF_PLACE));
	CHECK_STR(spec.mounts[0].type, "bind");
	CHECK_STR(spec.mounts[0].source, "/data");
	CHECK((spec.mounts[0].flags & (ZONE_MOUNT_RO | ZONE_MOUNT_NOSUID | ZONE_MOUNT_NODEV)) ==
	      (ZONE_MOUNT_RO | ZONE_MOUNT_NOSUID | ZONE_MOUNT_NODEV));
	CHECK(spec.mounts[1].source == NULL);
	CHECK(spec.uts_version != NULL && spec.uts_release == NULL);
	CHECK_STR(spec.mounts[1].data, "size=64m,mode=1777");
	add_zone(&f, "l2", "lx",
		 ",\"filesystems\":[{\"source\":\"/data\",\"target\":\"/mnt\",\"type\":\"lofs\","
		 "\"options\":[\"colour\"]}]", &bad);
	zone_spec_fini(&spec);
	CHECK_OK(brand_of(&bad, &brand, &f.err), f.err);
	CHECK_FAILS(brand->spec(&bad, NULL, &spec, &f.err), f.err, EINVAL, "BadFilesystem");
	CHECK_HAS(f.err.msg, "colour");
	fixture_fini(&f);
}

static void
stops(void)
{
	NRD_AUTO(zone_config) c = { 0 };
	const struct brand *brand;
	struct brand_stop stop;
	struct fixture f;

	fixture_init(&f);
	add_zone(&f, "l1", "lx", "", &c);
	CHECK_OK(brand_of(&c, &brand, &f.err), f.err);
	CHECK_FAILS(brand->stop(&c, false, &stop, &f.err), f.err, ENOENT, "ZoneRootMissing");
	put(c.zonepath, "root/bin/busybox", "", 0755);
	put(c.zonepath, "root/sbin/halt", "", 0755);
	NRD_FREE char *init = in_root(&c, "sbin/init");
	NRD_FREE char *shutdown = in_root(&c, "sbin/shutdown");

	CHECK(symlink("/bin/busybox", init) == 0);
	CHECK_OK(brand->stop(&c, false, &stop, &f.err), f.err);
	CHECK(stop.argv == NULL && stop.signal == SIGUSR2);
	CHECK_OK(brand->stop(&c, true, &stop, &f.err), f.err);
	CHECK_INT(stop.signal, SIGTERM);
	CHECK(unlink(init) == 0);
	put(c.zonepath, "root/sbin/init", "", 0755);
	put(c.zonepath, "root/sbin/shutdown", "", 0755);
	CHECK_OK(brand->stop(&c, true, &stop, &f.err), f.err);
	CHECK(stop.argv != NULL);
	CHECK_STR(stop.argv[1], "-r");
	CHECK(shutdown != NULL);
	fixture_fini(&f);
}

TEST_MAIN(native, lx_docker, filesystems, stops)
