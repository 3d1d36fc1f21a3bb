/* SPDX-License-Identifier: MPL-2.0 */
/* Copyright 2026 The Nereid authors */
#include "nrd-test.h"
#include "nrd-tree.h"

#include <fcntl.h>
#include <sys/stat.h>

#include "nrd/mem.h"
#include "nrd/schema.h"
#include "nrd/str.h"
#include "vm/docker.h"

static char dir[] = "/tmp/docker-XXXXXX";
static int root = -1;

static void
begin(void)
{
	CHECK(mkdtemp(dir) != NULL);
	tree_file(dir, "opt/bin/app", "program");
	tree_file(dir, "bin/sh", "program");
	tree_file(dir, "bin/text", "text");
	tree_file(dir, "work/run.sh", "program");
	CHECK(chmod(tree_path(dir, "opt/bin/app"), 0755) == 0 && chmod(tree_path(dir, "bin/sh"), 0755) == 0);
	root = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	CHECK(root >= 0);
}

/* What image (its docker:config) and payload (a configuration) become. */
static int
fill(const char *image, const char *payload, struct zone_config *c, struct nrd_err *err)
{
	NRD_FREE char *tags = nrd_format("{\"docker:repo\":\"r/app\",\"docker:id\":\"sha256:1\",\"docker:tag:1\":true,"
					 "\"docker:config\":%s}", image);
	NRD_FREE char *text = nrd_format("{\"zonename\":\"z\",\"brand\":\"lx\",\"docker\":true%s%s}",
					 payload[0] != '\0' ? "," : "", payload);
	NRD_AUTO(nrd_json) *doc = NULL;

	CHECK_OK(nrd_json_parse(tags, strlen(tags), NULL, &doc, err), *err);
	zone_config_fini(c);
	CHECK_OK(nrd_decode_text(&zone_config_schema, text, strlen(text), NULL, 0, c, err), *err);
	return vm_docker_fill_from(c, nrd_json_root(doc), root, err);
}

static void
is_map(char *const *map, const char *want)
{
	NRD_FREE char *have = nrd_strv_join(NRD_CSTRV(map), " ");

	CHECK_STR(have, want);
}

#define IMAGE "{\"Entrypoint\":[\"app\",\"-x\"],\"Cmd\":[\"a b\"],\"Env\":[\"PATH=/bin:/opt/bin\",\"A=1\",\"bad\"]," \
	      "\"WorkingDir\":\"/work/\",\"User\":\"web\"}"

static void
what_the_image_says(void)
{
	NRD_AUTO(zone_config) c = { 0 };
	struct nrd_err err = { 0 };

	CHECK_OK(fill(IMAGE, "", &c, &err), err);
	CHECK_STR(c.init_name, "/opt/bin/app");
	is_map(c.init_args, "-x a b");
	is_map(c.init_env, "PATH=/bin:/opt/bin A=1");
	CHECK_STR(c.init_dir, "/work");
	CHECK_STR(c.init_user, "web");
	is_map(c.internal_metadata, "docker:imageid sha256:1 docker:imagename r/app:1 docker:entrypoint [\"app\",\"-x\"] "
	       "docker:cmd [\"a b\"] docker:env [\"PATH=/bin:/opt/bin\",\"A=1\",\"bad\"] docker:workdir /work/ docker:user web");
}

static void
what_the_payload_says(void)
{
	NRD_AUTO(zone_config) c = { 0 };
	struct nrd_err err = { 0 };

	CHECK_OK(fill(IMAGE, "\"internal_metadata\":{\"docker:cmd\":\"[]\",\"docker:env\":\"[\\\"A=2\\\",\\\"B=3\\\"]\"}", &c, &err),
		 err);
	is_map(c.init_args, "-x");
	is_map(c.init_env, "PATH=/bin:/opt/bin A=2 B=3");
	CHECK_OK(fill(IMAGE, "\"internal_metadata\":{\"docker:entrypoint\":\"[\\\"sh\\\"]\"}", &c, &err), err);
	CHECK_STR(c.init_name, "/bin/sh");
	CHECK(c.init_args == NULL);
	CHECK_OK(fill(IMAGE, "\"init_name\":\"/x\",\"init_dir\":\"/\",\"init_user\":\"0\",\"init_env\":[\"C=1\"]", &c, &err), err);
	CHECK_STR(c.init_name, "/x");
	CHECK_STR(c.init_user, "0");
	is_map(c.init_env, "C=1");
	CHECK(c.init_args == NULL);
}

static void
programs_by_path(void)
{
	NRD_AUTO(zone_config) c = { 0 };
	struct nrd_err err = { 0 };

	CHECK_OK(fill("{\"Cmd\":[\"./run.sh\"],\"WorkingDir\":\"/opt/..//work/.\"}", "", &c, &err), err);
	CHECK_STR(c.init_name, "/work/run.sh");
	CHECK_STR(c.init_dir, "/work");
	CHECK_OK(fill("{\"Cmd\":[\"../../../bin/sh\"]}", "", &c, &err), err);
	CHECK_STR(c.init_name, "/bin/sh");
	CHECK(c.init_dir == NULL);
	CHECK_OK(fill("{\"Cmd\":[\"sh\"]}", "", &c, &err), err);
	CHECK_STR(c.init_name, "/bin/sh");
}

static void
what_cannot_be_run(void)
{
	static const struct {
		const char *image, *payload, *says;
	} cases[] = {
		{ "{}", "", "says no program" },
		{ "{\"Cmd\":[]}", "", "says no program" },
		{ "{\"Cmd\":[\"none\"]}", "", "no program \"none\"" },
		{ "{\"Cmd\":[\"text\"]}", "", "no program \"text\"" },
		{ "{\"Cmd\":[\"sh\"],\"WorkingDir\":\"/none\"}", "", "no directory /none" },
		{ "{\"Cmd\":[\"sh\"]}", "\"internal_metadata\":{\"docker:cmd\":\"sh\"}", "docker:cmd: must be" },
		{ "{\"Cmd\":[\"sh\"]}", "\"internal_metadata\":{\"docker:env\":\"[1]\"}", "docker:env: must be" },
	};

	for (size_t i = 0; i < nrd_count(cases); i++) {
		NRD_AUTO(zone_config) c = { 0 };
		struct nrd_err err = { 0 };

		CHECK_FAILS(fill(cases[i].image, cases[i].payload, &c, &err), err, EINVAL, "BadPayload");
		CHECK_HAS(err.msg, cases[i].says);
	}
}

static void
end(void)
{
	(void)close(root);
	tree_remove(dir);
}

TEST_MAIN(begin, what_the_image_says, what_the_payload_says, programs_by_path, what_cannot_be_run, end)
