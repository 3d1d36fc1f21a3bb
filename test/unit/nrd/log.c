/* SPDX-License-Identifier: MPL-2.0 */
/* Copyright 2026 The Nereid authors */
#include "nrd/log.h"

#include <sys/mman.h>

#include "nrd-test.h"
#include "nrd/json.h"
#include "nrd/mem.h"

static char line[16384];
static int out = -1;

static const char *
last_line(void)
{
	ssize_t n = pread(out, line, sizeof(line) - 1, 0);

	CHECK(n >= 0);
	line[n] = '\0';
	CHECK_INT(ftruncate(out, 0), 0);
	CHECK_INT(lseek(out, 0, SEEK_SET), 0);
	return line;
}

static void
setup(void)
{
	out = memfd_create("log", MFD_CLOEXEC);
	CHECK(out >= 0);
	nrd_log_init("zoneadmd", NRD_INFO);
}

static void
writes_bunyan(void)
{
	struct nrd_err err = { 0 };
	NRD_AUTO(nrd_json) *doc = NULL;
	uint64_t u = 0;
	bool b = false;

	nrd_log_set_output(out, NRD_LOG_AUTO);
	(void)nrd_fail(&err, EIO, "DiskGone", "read: %m");
	nrd_log(NRD_ERROR, "a \"b\"\n", NRD_S("zone", "web\t0"), NRD_U("ms", UINT64_MAX),
		NRD_I("i", -1), NRD_B("b", true), NRD_S("none", NULL), NRD_ERR(&err));
	const char *text = last_line();

	CHECK_INT(strchr(text, '\n') - text, strlen(text) - 1);
	CHECK_OK(nrd_json_parse(text, strlen(text), NULL, &doc, &err), err);
	const struct nrd_val *root = nrd_json_root(doc);

	CHECK_STR(nrd_get_str(root, "name"), "zoneadmd");
	CHECK(nrd_get_u64(root, "level", &u) && u == 50);
	CHECK(nrd_get_u64(root, "v", &u) && u == 0);
	CHECK(nrd_get_u64(root, "pid", &u) && u == (uint64_t)getpid());
	CHECK_STR(nrd_get_str(root, "msg"), "a \"b\"\n");
	CHECK_STR(nrd_get_str(root, "zone"), "web\t0");
	CHECK(nrd_get_u64(root, "ms", &u) && u == UINT64_MAX);
	CHECK(nrd_get_bool(root, "b", &b) && b);
	CHECK_STR(nrd_get_str(nrd_val_get(root, "err"), "code"), "DiskGone");
	CHECK_INT(strlen(nrd_get_str(root, "time")), 24);
}

static void
writes_text(void)
{
	nrd_log_set_output(out, NRD_LOG_TEXT);
	nrd_log(NRD_WARN, "slow, retrying", NRD_S("zone", "web0"), NRD_S("why", "a b\n"),
		NRD_U("n", 2), NRD_S("x", NULL));
	CHECK_STR(last_line() + 24,
		  " warn  zoneadmd: slow, retrying zone=web0 why=\"a b\\n\" n=2 x=-\n");
}

static void
obeys_the_level(void)
{
	struct nrd_err err = { 0 };
	enum nrd_level level = NRD_INFO;

	nrd_log(NRD_DEBUG, "no");
	CHECK_STR(last_line(), "");
	CHECK_OK(nrd_level_parse("debug", &level, &err), err);
	nrd_log_set_level(level);
	nrd_log(NRD_DEBUG, "yes");
	CHECK_HAS(last_line(), "debug zoneadmd: yes\n");
	CHECK_FAILS(nrd_level_parse("loud", &level, &err), err, EINVAL, "BadLevel");
}

/* The line goes out without its values, whole. */
static void
keeps_lines_short(void)
{
	static char big[8192];

	memset(big, 'x', sizeof(big) - 1);
	nrd_log_set_output(out, NRD_LOG_JSON);
	errno = ENOTTY;
	nrd_log(NRD_INFO, "msg", NRD_S("big", big));
	CHECK_INT(errno, ENOTTY);
	const char *text = last_line();

	CHECK_HAS(text, "\"msg\":\"msg\"");
	CHECK(strstr(text, "xxx") == NULL);
	CHECK(text[strlen(text) - 1] == '\n');
}

TEST_MAIN(setup, writes_bunyan, writes_text, obeys_the_level, keeps_lines_short)
