/* SPDX-License-Identifier: MPL-2.0 */
/* Copyright 2026 The Nereid authors */
#include "zonecfg/session.h"

#include "nrd-test.h"
#include "nrd-tree.h"
#include "nrd/mem.h"
#include "nrd/str.h"

static char dir[64];
static int answer; /* of who is asked */
static unsigned asked, locked;
static const char *meanwhile; /* what another command writes before the lock is had */

static int
ask(void *arg, const char *question)
{
	(void)arg;
	CHECK(question[0] != '\0');
	asked++;
	return answer;
}

static int
lock(void *arg, const char *name, int *ret_fd, struct nrd_err *err)
{
	(void)arg;
	(void)err;
	(void)ret_fd;
	CHECK(name[0] != '\0');
	locked++;
	if (meanwhile != NULL)
		tree_file(dir, "z1.json", meanwhile);
	return 0;
}

static const struct cfg_host host = { .ask = ask, .lock = lock };

static void
begin(void)
{
	test_mkdir(dir);
	answer = -1;
	asked = locked = 0;
	meanwhile = NULL;
}

static void
end(void)
{
	tree_remove(dir);
}

/* One session of these lines; its result, and what it said in *ret_out when that is wanted. */
static int
session(const char *name, const char *lines, char **ret_out, struct nrd_err *err)
{
	NRD_AUTO(cfg_session) s = { 0 };
	struct nrd_str rest = nrd_str(lines), part;
	int r = cfg_open(&s, dir, name, &host, err);

	*err = (struct nrd_err){ 0 };
	while (r >= 0 && !s.over && nrd_str_split(&rest, '\n', &part)) {
		NRD_FREE char *line = nrd_str_dup(part);

		r = cfg_run(&s, line, err);
	}
	if (r >= 0)
		r = cfg_finish(&s, err);
	if (ret_out != NULL)
		*ret_out = strdup(nrd_buf_str(&s.out));
	return r;
}

static void
good(const char *name, const char *lines)
{
	struct nrd_err err = { 0 };

	CHECK_OK(session(name, lines, NULL, &err), err);
}

static void
prints(const char *name, const char *lines, const char *want)
{
	NRD_FREE char *out = NULL;
	struct nrd_err err = { 0 };

	CHECK_OK(session(name, lines, &out, &err), err);
	CHECK_STR(out, want);
}

/* Must fail so, and leave the zone's file as it was. */
static void
fails(const char *name, const char *lines, const char *code, const char *says)
{
	NRD_FREE char *before = NULL;
	NRD_FREE char *after = NULL;
	struct nrd_err err = { 0 };
	char file[80];

	(void)snprintf(file, sizeof(file), "%s.json", name);
	(void)nrd_file_read(tree_path(dir, file), 1 << 20, &before, NULL, NULL);
	if (session(name, lines, NULL, &err) >= 0 || strcmp(err.code, code) != 0 ||
	    strstr(err.msg, says) == NULL)
		test_fail(__FILE__, __LINE__, "%s: %s %s", lines, err.code, err.msg);
	(void)nrd_file_read(tree_path(dir, file), 1 << 20, &after, NULL, NULL);
	CHECK(nrd_streq(before, after));
}

static void
read_zone(const char *name, struct zone_config *c)
{
	struct nrd_err err = { 0 };

	zone_config_fini(c);
	CHECK_OK(zone_config_read(dir, name, c, &err), err);
}

static const char everything[] =
	"create\n"
	"set brand=lx; set autoboot=true; set bootargs=\"-m verbose\"\n"
	"set limitpriv=default,sys_time; set hostid=0xDEADbeef; set fs-allowed=ext4,xfs\n"
	"set max-shm-memory=2g; set quota=20g; set tmpfs=64m\n"
	"set init-args=[\"-c\",\"echo a,b; \\\"c\\\"\"]; set init-env=A=b,c\n"
	"set resolvers=1.1.1.1,2606:4700::1; set alias=\"a b\"\n"
	"add net; set physical=net0; set global-nic=admin; set mac-addr=2:8:20:0:0:1\n"
	"set vlan-id=5; set defrouter=10.0.0.1; set allowed-address=10.0.1.0/24\n"
	"add property (name=ips,value=\"10.0.0.2/24,dhcp\")\n"
	"add property (name=primary,value=true); end\n"
	"add fs; set dir=/data; set special=/zones/shared; set type=lofs; add options ro\n"
	"add options [nodev,size=1m]; end\n"
	"add fs; set dir=/scratch; set type=tmpfs; add options size=64m; end\n"
	"add device; set match=/dev/zvol/*; end\n"
	"add dataset; set name=zones/z1/data; end\n"
	"add attr; set name=note; set type=string; set value=\"x=\\\"y\\\", z\"; end\n"
	"add capped-cpu; set ncpus=1.5; end\n"
	"add capped-memory; set physical=1g; set swap=1536m; set locked=512m; end\n";

static void
all_reaches_the_file(void)
{
	struct zone_config c = { 0 };

	begin();
	good("z1", everything);
	CHECK_INT(locked, 1);
	read_zone("z1", &c);
	CHECK_INT(c.brand, ZONE_LX);
	CHECK_INT(c.installed, ZONE_CONFIGURED);
	CHECK(!nrd_uuid_is_nil(&c.uuid));
	CHECK_INT(c.zonedid, 1);
	CHECK_INT(c.id_base, 0);
	CHECK_INT(c.autoboot, true);
	CHECK_STR(c.bootargs, "-m verbose");
	CHECK_STR(c.limit_priv[1], "sys_time");
	CHECK_INT(c.hostid, 0xdeadbeef);
	CHECK_STR(c.fs_allowed[1], "xfs");
	CHECK_INT(c.max_lwps, 2000);
	CHECK_INT(c.max_shm_memory, 2048);
	CHECK_INT(c.quota, 20);
	CHECK_INT(c.tmpfs, 64);
	CHECK_STR(c.init_args[1], "echo a,b; \"c\"");
	CHECK_STR(c.init_env[0], "A=b,c");
	CHECK(c.init_env[1] == NULL);
	CHECK_STR(c.resolvers[1], "2606:4700::1");
	CHECK_INT(c.n_nics, 1);
	CHECK_STR(c.nics[0].interface, "net0");
	CHECK_STR(c.nics[0].nic_tag, "admin");
	CHECK_INT(c.nics[0].mac.b[0], 2);
	CHECK_INT(c.nics[0].vlan_id, 5);
	CHECK_STR(c.nics[0].ips[1], "dhcp");
	CHECK_STR(c.nics[0].gateways[0], "10.0.0.1");
	CHECK_STR(c.nics[0].allowed_ips[0], "10.0.1.0/24");
	CHECK_INT(c.nics[0].primary, true);
	CHECK_INT(c.n_filesystems, 2);
	CHECK_STR(c.filesystems[0].options[2], "size=1m");
	CHECK_STR(c.filesystems[1].type, "tmpfs");
	CHECK_STR(c.filesystems[1].options[0], "size=64m");
	CHECK_STR(c.devices[0].match, "/dev/zvol/*");
	CHECK_STR(c.datasets[0], "zones/z1/data");
	CHECK_STR(c.attrs[0].value, "x=\"y\", z");
	CHECK_INT(c.cpu_cap, 150);
	CHECK_INT(c.max_physical_memory, 1024);
	CHECK_INT(c.max_swap, 1536);
	CHECK_INT(c.max_locked_memory, 512);
	zone_config_fini(&c);
	end();
}

static void
export_makes_it_again(void)
{
	NRD_FREE char *first = NULL;
	NRD_FREE char *second = NULL;
	struct zone_config c = { 0 };
	struct nrd_err err = { 0 };

	begin();
	good("z1", everything);
	CHECK_OK(session("z1", "export", &first, &err), err);
	CHECK(strncmp(first, "create -b\n", 10) == 0);
	/* Two zones would have one delegated dataset. */
	CHECK_FAILS(session("other", first, NULL, &err), err, EINVAL, "BadConfig");
	CHECK_HAS(err.msg, "zones/z1/data");
	err = (struct nrd_err){ 0 };
	good("z1", "delete -F");
	good("other", first);
	CHECK_OK(session("other", "export", &second, &err), err);
	CHECK_STR(second, first);
	read_zone("other", &c);
	CHECK_STR(c.zonepath, "/zones/other");
	CHECK_STR(c.zfs_filesystem, "zones/other");
	zone_config_fini(&c);
	/* Into a file as well. */
	good("other", "export -f /dev/null");
	end();
}

static void
says_what_is(void)
{
	begin();
	good("z1", "create -b; set zonepath=/pool/z1; add net; set physical=net0; end");
	prints("z1", "info zonepath; info autoboot; info bootargs", "zonepath: /pool/z1\n"
								    "autoboot: false\n"
								    "bootargs: \n");
	prints("z1", "info net",
	       "net:\n\tallowed-address not specified\n\tdefrouter not specified\n"
	       "\tglobal-nic not specified\n\tmac-addr not specified\n\tphysical: net0\n"
	       "\tvlan-id not specified\n");
	prints("z1", "info net physical=net1; info fs", "");
	prints("z1", "set max-lwps=5; select net; info physical; cancel; info max-lwps; exit -F",
	       "\tphysical: net0\n[max-lwps: 5]\n");
	prints("z1", "info max-lwps", "max-lwps: \n");
	prints("z1", "set cpu-shares=7; info rctl; exit -F",
	       "rctl:\n\tname: zone.cpu-shares\n"
	       "\tvalue: (priv=privileged,limit=7,action=deny)\n");
	end();
}

static void
scopes(void)
{
	begin();
	fails("z1", "info", "ZoneNotFound", "z1: No such zone configured");
	good("z1", "create");
	fails("z1", "add net; commit", "Usage", "not inside a resource");
	fails("z1", "end", "Usage", "only inside");
	fails("z1", "add net; set physical=net0", "BadProperty", "net was not ended");
	fails("z1", "bogus", "Usage", "no verb");
	fails("z1", "creat", "Usage", "did you mean create");
	fails("z1", "add nett", "Usage", "did you mean net");
	fails("z1", "set autobot=true", "Usage", "did you mean autoboot");
	fails("z1", "create -Z", "Usage", "-Z");
	fails("z1", "verify now", "Usage", "no arguments");
	fails("z1", "set a=b c=d", "Usage", "quotes");
	good("z1", "add net; set physical=net0; cancel");
	prints("z1", "info net", "");
	end();
}

static void
bad_values(void)
{
	begin();
	good("z1", "create; add net; set physical=net0; end");
	fails("z1", "set cpu-shares=70000", "BadProperty", "cpu-shares: 70000 is above 65535");
	fails("z1", "set max-shm-memory=100k", "BadProperty", "whole MiB");
	fails("z1", "set quota=100m", "BadProperty", "whole GiB");
	fails("z1", "set hostid=ffffffff", "BadProperty", "hexadecimal");
	fails("z1", "set hostid=0x", "BadProperty", "hexadecimal");
	fails("z1", "set hostid=123456789", "BadProperty", "hexadecimal");
	fails("z1", "set autoboot=perhaps", "BadProperty", "autoboot: ");
	fails("z1", "set autoboot=[true]", "BadProperty", "one value");
	fails("z1", "set brand=sparse", "BadProperty", "native, lx, kvm");
	fails("z1", "set ip-type=shared", "BadProperty", "own network stack");
	fails("z1", "set zonepath=zones/z1", "BadPath", "zonepath: ");
	fails("z1", "set zonepath=/etc", "BadConfig", "node's own");
	fails("z1", "set zonename=a/b", "BadName", "zonename: ");
	fails("z1", "clear zonename", "BadProperty", "has a name");
	fails("z1", "set resolvers=1.1.1.1,nowhere", "BadAddress", "resolvers");
	fails("z1", "set pool=p", "Refused", "dedicated-cpu");
	fails("z1", "set scheduling-class=FSS", "Refused", "cpu-shares");
	fails("z1", "add pool", "Refused", "dedicated-cpu");
	fails("z1", "add admin", "Refused", "no roles");
	fails("z1", "add security-flags", "Refused", "random layout");
	fails("z1", "add net; set address=10.0.0.1", "Refused", "ips");
	fails("z1", "add net; set physical=net0; end", "BadProperty", "already");
	fails("z1", "add net; end", "MissingProperty", "physical is not set");
	fails("z1", "add net; add property (name=nonsense,value=1)", "BadProperty", "nonsense");
	fails("z1", "add net; add property x", "BadProperty", "(name=");
	fails("z1", "add fs; set dir=/x; set type=proc", "BadFilesystem", "not given");
	fails("z1", "add fs; set raw=/dev/rdsk/x", "Refused", "raw");
	fails("z1", "add fs; set dir=/x; set type=lofs; end", "BadConfig", "special is not set");
	fails("z1", "add capped-memory; end", "MissingProperty", "nothing is set");
	fails("z1", "add capped-cpu; set ncpus=0; end", "BadProperty", "above 0");
	fails("z1", "add capped-cpu; set ncpus=1.234", "BadProperty", "above 0");
	fails("z1", "add dedicated-cpu; set importance=1", "Refused", "pools");
	fails("z1", "add attr; set name=a; set type=int; set value=x; end", "BadProperty",
	      "no int");
	fails("z1", "add attr; set name=zonex", "BadName", "reserved");
	fails("z1", "add dataset; set name=zones//x", "BadDataset", "name: ");
	fails("z1", "add dataset; set name=zones/z1; end", "BadConfig", "own root");
	fails("z1", "add device; set match=/etc/shadow", "BadPath", "/dev");
	fails("z1", "add rctl; set name=zone.bogus", "BadProperty", "no resource control");
	fails("z1", "add rctl; set name=zone.max-lwps; add value (priv=basic,limit=1,action=deny)",
	      "BadProperty", "privileged");
	end();
}

static void
resources_change(void)
{
	struct zone_config c = { 0 };

	begin();
	good("z1", everything);
	good("z1", "select net physical=net0; clear vlan-id; remove property (name=primary)\n"
		   "remove allowed-address 10.0.1.0/24; set physical=net7; end\n"
		   "select fs dir=/data; remove options nodev; end\n"
		   "select dataset; set name=zones/z1/more; end\n"
		   "select capped-memory physical=1024m; clear swap; set physical=512m; end\n"
		   "remove fs type=tmpfs; remove attr; remove capped-cpu\n"
		   "remove resolvers 1.1.1.1; clear alias; set bootargs=\"\"\n"
		   "remove -F device match=/dev/none");
	read_zone("z1", &c);
	CHECK_STR(c.nics[0].interface, "net7");
	CHECK_INT(c.nics[0].vlan_id, 0);
	CHECK_INT(c.nics[0].primary, false);
	CHECK(c.nics[0].allowed_ips == NULL);
	CHECK_INT(c.n_filesystems, 1);
	CHECK_STR(c.filesystems[0].options[1], "size=1m");
	CHECK_STR(c.datasets[0], "zones/z1/more");
	CHECK_INT(c.max_physical_memory, 512);
	CHECK_INT(c.max_swap, 0);
	CHECK_INT(c.n_attrs, 0);
	CHECK_INT(c.cpu_cap, 0);
	CHECK_STR(c.resolvers[0], "2606:4700::1");
	CHECK(c.alias == NULL && c.bootargs == NULL);
	zone_config_fini(&c);
	good("z1", "add net; set physical=net1; end");
	fails("z1", "select net", "BadProperty", "2 of its net");
	fails("z1", "select net physical=net9", "BadProperty", "no such net");
	fails("z1", "remove net physical=net9", "BadProperty", "no such net");
	fails("z1", "remove net", "Refused", "-F");
	CHECK_INT(asked, 1);
	fails("z1", "add capped-memory", "BadProperty", "select capped-memory");
	fails("z1", "select net physical=net1; set physical=net7; end", "BadProperty", "already");
	good("z1", "remove -F net");
	prints("z1", "info net", "");
	end();
}

static void
controls_by_illumos_names(void)
{
	struct zone_config c = { 0 };

	begin();
	good("z1", "create -b\n"
		   "add rctl; set name=zone.cpu-shares; add value (priv=privileged,limit=20,"
		   "action=none); end\n"
		   "add rctl; set name=zone.max-swap; add value (priv=privileged,"
		   "limit=1073741824,action=deny); end\n"
		   "set max-processes=30");
	read_zone("z1", &c);
	CHECK_INT(c.cpu_shares, 20);
	CHECK_INT(c.max_swap, 1024);
	CHECK_INT(c.max_lwps, 300);
	good("z1", "remove rctl name=zone.cpu-shares\n"
		   "select rctl name=zone.max-swap; set value=(priv=privileged,limit=2g); end");
	read_zone("z1", &c);
	CHECK_INT(c.cpu_shares, 0);
	CHECK_INT(c.max_swap, 2048);
	zone_config_fini(&c);
	end();
}

static void
templates(void)
{
	struct zone_config c = { 0 }, first = { 0 };

	begin();
	good("z1", everything);
	good("z2", "create -t z1; select dataset; set name=zones/z2/data; end");
	read_zone("z1", &first);
	read_zone("z2", &c);
	CHECK_STR(c.zonepath, "/zones/z2");
	CHECK(!nrd_uuid_equal(&c.uuid, &first.uuid));
	CHECK(nrd_mac_is_zero(&c.nics[0].mac));
	CHECK_STR(c.nics[0].interface, "net0");
	CHECK_INT(c.max_physical_memory, 1024);
	CHECK(c.alias == NULL);
	CHECK_INT(c.zonedid, 2);
	fails("z3", "create -t nothing", "ZoneNotFound", "nothing: No such");
	fails("z3", "create -b -X", "Usage", "exclude");
	fails("z3", "create -X", "ZoneNotFound", "z3");
	good("z4", "create -t SUNWblank");
	read_zone("z4", &c);
	CHECK_INT(c.max_lwps, 0);
	good("z1", "create -X; set alias=x");

	tree_file(dir, "gone/" ZONE_DETACHED_FILE,
		  "{\"zonename\":\"old\",\"id_base\":5,\"zone_installed\":\"installed\","
		  "\"brand\":\"lx\",\"nics\":[{\"interface\":\"net0\","
		  "\"mac\":\"02:00:00:00:00:09\"}]}");
	NRD_FREE char *line = nrd_format("create -a %s", tree_path(dir, "gone"));

	good("z5", line);
	read_zone("z5", &c);
	CHECK_STR(c.zonepath, tree_path(dir, "gone"));
	CHECK_INT(c.brand, ZONE_LX);
	CHECK_INT(c.installed, ZONE_CONFIGURED);
	CHECK_INT(c.id_base, 0);
	CHECK_INT(c.nics[0].mac.b[5], 9);
	fails("z6", "create -a /nowhere", "BadZoneFile", "/nowhere");
	zone_config_fini(&c);
	zone_config_fini(&first);
	end();
}

static void
confirmations(void)
{
	begin();
	good("z1", "create");
	fails("z1", "create", "Refused", "-F");
	fails("z1", "delete", "Refused", "-F");
	answer = 0;
	fails("z1", "delete", "Refused", "not done");
	fails("z1", "set alias=x; revert; bogus", "Refused", "not done");
	answer = 1;
	prints("z1", "set alias=x; revert; info alias", "alias: \n");
	good("z1", "create");
	good("z1", "delete");
	CHECK(!nrd_path_exists(tree_path(dir, "z1.json")));
	answer = -1;
	good("z1", "create; exit -F");
	CHECK(!nrd_path_exists(tree_path(dir, "z1.json")));
	good("z1", "create; exit; bogus");
	good("z1", "delete -F; create -b");
	end();
}

static void
names_change(void)
{
	struct zone_config c = { 0 };

	begin();
	good("z1", "create; set alias=me");
	good("z2", "create");
	fails("z1", "set zonename=z2", "BadConfig", "zone 'z2'");
	good("z1", "set zonename=z9");
	CHECK(!nrd_path_exists(tree_path(dir, "z1.json")));
	read_zone("z9", &c);
	CHECK_STR(c.zonepath, "/zones/z9");
	CHECK_STR(c.zfs_filesystem, "zones/z9");
	CHECK_STR(c.alias, "me");
	good("z9", "set zpool=tank");
	read_zone("z9", &c);
	CHECK_STR(c.zonepath, "/tank/z9");
	CHECK_STR(c.zfs_filesystem, "tank/z9");
	good("z9", "set zfs-filesystem=\"\"; set zonepath=/srv/z");
	read_zone("z9", &c);
	CHECK_STR(c.zfs_filesystem, "");
	good("z9", "clear zonepath; clear zpool");
	read_zone("z9", &c);
	CHECK_STR(c.zonepath, "/zones/z9");
	fails("z9", "set zonepath=/zones/z2/x", "BadConfig", "zone 'z2'");
	zone_config_fini(&c);
	end();
}

static const char installed[] =
	"{\"zonename\":\"z1\",\"uuid\":\"6ba7b810-9dad-11d1-80b4-00c04fd430c8\","
	"\"zone_installed\":\"installed\",\"zonedid\":3,\"id_base\":1000000,\"brand\":\"lx\"}";

static void
installed_zones(void)
{
	begin();
	tree_file(dir, "z1.json", installed);
	fails("z1", "set brand=native", "ZoneWrongState", "installed");
	fails("z1", "set zonepath=/zones/other", "ZoneWrongState", "installed");
	fails("z1", "set zonename=z2", "ZoneWrongState", "installed");
	fails("z1", "delete -F", "ZoneWrongState", "uninstall");
	fails("z1", "create -F", "ZoneWrongState", "anew");
	good("z1", "set alias=x");
	end();
}

/* While somebody edits, zoneadm installs: that is kept. Another editor's change is not run over. */
static void
others_at_work(void)
{
	struct zone_config c = { 0 };

	begin();
	tree_file(dir, "z1.json",
		  "{\"zonename\":\"z1\",\"uuid\":\"6ba7b810-9dad-11d1-80b4-00c04fd430c8\","
		  "\"zonedid\":3,\"brand\":\"lx\"}");
	meanwhile = installed;
	good("z1", "set alias=x");
	read_zone("z1", &c);
	CHECK_STR(c.alias, "x");
	CHECK_INT(c.installed, ZONE_INSTALLED);
	CHECK_INT(c.id_base, 1000000);
	zone_config_fini(&c);

	struct nrd_err err = { 0 };

	tree_file(dir, "z1.json", "{\"zonename\":\"z1\",\"brand\":\"lx\",\"zonedid\":3}");
	meanwhile = "{\"zonename\":\"z1\",\"brand\":\"lx\",\"zonedid\":3,"
		    "\"zone_installed\":\"installed\"}";
	CHECK_FAILS(session("z1", "set zonepath=/zones/y", NULL, &err), err, EBUSY,
		    "ZoneWrongState");
	tree_file(dir, "z1.json", "{\"zonename\":\"z1\",\"brand\":\"lx\",\"zonedid\":3}");
	meanwhile = "{\"zonename\":\"z1\",\"brand\":\"lx\",\"zonedid\":3,\"alias\":\"theirs\"}";
	CHECK_FAILS(session("z1", "set quota=1g", NULL, &err), err, EBUSY, "ZoneChanged");
	tree_remove(dir);
	test_mkdir(dir);
	CHECK_FAILS(session("z1", "create", NULL, &err), err, EBUSY, "ZoneChanged");
	end();
}

/* Every verb, resource and property is helped with; every refusal says why. */
static void
helps(void)
{
	NRD_AUTO(nrd_buf) out = { 0 };
	struct nrd_err err = { 0 };

	for (const struct cfg_verb *v = cfg_verbs; v->name != NULL; v++) {
		nrd_buf_reset(&out);
		CHECK_OK(cfg_help(v->name, &out, &err), err);
		CHECK_HAS(nrd_buf_str(&out), v->help);
	}
	for (const struct cfg_res *res = cfg_resources; res->name != NULL; res++) {
		nrd_buf_reset(&out);
		CHECK_OK(cfg_help(res->name, &out, &err), err);
		CHECK_HAS(nrd_buf_str(&out), res->help);
	}
	nrd_buf_reset(&out);
	CHECK_OK(cfg_help(NULL, &out, &err), err);
	for (const struct cfg_prop *p = cfg_zone.props; p->name != NULL; p++)
		CHECK_HAS(nrd_buf_str(&out), p->name);
	CHECK_FAILS(cfg_help("nothing", &out, &err), err, EINVAL, "Usage");
	nrd_buf_reset(&out);
	cfg_dump_words(&out);
	CHECK_HAS(nrd_buf_str(&out), "property\tglobal\tbrand\tnative lx kvm\n");
	CHECK_HAS(nrd_buf_str(&out), "resource\tcapped-memory\n");
	CHECK_HAS(nrd_buf_str(&out), "verb\tselect\n");
}

/* The tables name what is there: every key of a property is one of the file's. */
static void
tables_agree(void)
{
	struct nrd_err err = { 0 };

	for (const struct cfg_res *res = cfg_resources; res->name != NULL; res++) {
		NRD_AUTO(cfg_item) item = { 0 };

		if (res->store == CFG_STORE_REFUSED)
			continue;
		CHECK_OK(cfg_item_new(res, &item, &err), err);
		for (const struct cfg_prop *p = res->props; p->name != NULL; p++) {
			if (p->kind != CFG_REFUSED && p->kind != CFG_PAIRS)
				CHECK(nrd_schema_find(item.schema, p->key) != NULL);
		}
	}
	for (const struct cfg_prop *p = cfg_zone.props; p->name != NULL; p++) {
		if (p->kind != CFG_REFUSED && p->kind != CFG_IP_TYPE)
			CHECK(nrd_schema_find(&zone_config_schema, p->key) != NULL);
	}
	for (const struct cfg_rctl_name *n = cfg_rctl_names; n->name != NULL; n++) {
		CHECK(nrd_schema_find(&zone_config_schema, n->key) != NULL);
		CHECK_HAS(cfg_prop_find(cfg_res_find("rctl"), "name")->values, n->name);
	}
}

TEST_MAIN(all_reaches_the_file, export_makes_it_again, says_what_is, scopes, bad_values,
	  resources_change, controls_by_illumos_names, templates, confirmations, names_change,
	  installed_zones, others_at_work, helps, tables_agree)
