/* SPDX-License-Identifier: MPL-2.0 */
/* Copyright 2026 The Nereid authors */
#include "node/config.h"

#include <fcntl.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>

#include "nrd-test.h"
#include "nrd/file.h"
#include "nrd/mem.h"

static struct nrd_err err;

static struct node_config *
parse(const char *text)
{
	struct node_config *config = NULL;

	CHECK_OK(node_config_parse(text, strlen(text), &config, &err), err);
	return config;
}

static void
same_text(const struct node_config *config, const char *want)
{
	NRD_AUTO(nrd_buf) out = NRD_BUF_INIT(0);

	CHECK_OK(node_config_format(config, &out, &err), err);
	CHECK_STR(nrd_buf_str(&out), want);
}

static void
values_as_a_shell(void)
{
	NRD_AUTO(node_config) *c = parse("# the node\n"
					 "\n"
					 "bare=abc,def\n"
					 "  indented=1 # why\n"
					 "export exported=yes\n"
					 "single='$HOME `x` \"'\n"
					 "double=\"a \\\"b\\\" \\\\ \\$ \\n\"\n"
					 "joined=a'b c'\"d\"\\ e\n"
					 "empty=\n"
					 "hash=a#b\n"
					 "dos=text\r\n"
					 "last=1");

	CHECK(node_config_problem_at(c, 0) == NULL);
	CHECK_STR(node_config_get(c, "bare"), "abc,def");
	CHECK_STR(node_config_get(c, "indented"), "1");
	CHECK_STR(node_config_get(c, "exported"), "yes");
	CHECK_STR(node_config_get(c, "single"), "$HOME `x` \"");
	CHECK_STR(node_config_get(c, "double"), "a \"b\" \\ $ \\n");
	CHECK_STR(node_config_get(c, "joined"), "ab cd e");
	CHECK_STR(node_config_get(c, "empty"), "");
	CHECK(node_config_get_filled(c, "empty") == NULL);
	CHECK_STR(node_config_get(c, "hash"), "a#b");
	CHECK_STR(node_config_get(c, "dos"), "text");
	CHECK_STR(node_config_get(c, "last"), "1");
	CHECK(node_config_get(c, "none") == NULL);
}

static void
damaged_lines_are_told_and_skipped(void)
{
	static const struct {
		unsigned line;
		const char *key, *what;
	} want[] = {
		{ 2, NULL, "is not KEY=VALUE" },
		{ 3, "open", "not closed" },
		{ 4, "run", "single quotes" },
		{ 5, "two", "text after the value" },
		{ 6, "admin_ip", "admin_ip: \"10.0.0.300\" is not" },
		{ 7, NULL, "control characters" },
		{ 8, NULL, "is not KEY=VALUE" },
		{ 10, "good", "set a second time" },
		{ 11, "expand", "single quotes" },
		{ 12, "goes", "backslash" },
	};
	static const char text[] = "good=1\n"
				   "nonsense\n"
				   "open='abc\n"
				   "run=a;reboot\n"
				   "two=a b\n"
				   "admin_ip=10.0.0.300\n"
				   "ctl=a\x01\n"
				   "bad-key=1\n"
				   "after=2\n"
				   "good=3\n"
				   "expand=\"$(reboot)\"\n"
				   "goes=on\\\n";
	NRD_AUTO(node_config) *c = parse(text);

	for (size_t i = 0; i < nrd_count(want); i++) {
		const struct node_config_problem *p = node_config_problem_at(c, i);

		CHECK(p != NULL);
		CHECK_INT(p->line, want[i].line);
		if (want[i].key == NULL)
			CHECK(p->key == NULL);
		else
			CHECK_STR(p->key, want[i].key);
		CHECK_HAS(p->what, want[i].what);
	}
	CHECK(node_config_problem_at(c, nrd_count(want)) == NULL);
	CHECK_STR(node_config_get(c, "good"), "3");
	CHECK_STR(node_config_get(c, "after"), "2");
	CHECK(node_config_get(c, "admin_ip") == NULL);
	CHECK(node_config_get(c, "open") == NULL);
	same_text(c, text);
}

static void
bytes_survive(void)
{
	static const char text[] = "a=1\n\0\0binary\xff\n b = 2\nc=3\n";
	NRD_AUTO(node_config) *c = NULL;
	NRD_AUTO(nrd_buf) out = NRD_BUF_INIT(0);

	CHECK_OK(node_config_parse(text, sizeof(text) - 1, &c, &err), err);
	CHECK_STR(node_config_get(c, "c"), "3");
	CHECK_OK(node_config_format(c, &out, &err), err);
	CHECK_INT(out.len, sizeof(text) - 1);
	CHECK(memcmp(out.data, text, out.len) == 0);
}

static void
next_gives_each_key_once(void)
{
	NRD_AUTO(node_config) *c = parse("a=1\nb=2\na=3\nbroken='\n");
	const char *key, *value;
	char seen[64] = "";
	size_t pos = 0;

	while (node_config_next(c, &pos, &key, &value)) {
		strcat(seen, key);
		strcat(seen, value);
	}
	CHECK_STR(seen, "b2a3");
}

static void
set_keeps_everything_else(void)
{
	NRD_AUTO(node_config) *c = parse("# top\na=1   # one\n\nb='x y'\nhostname=-bad-\nc=3");

	CHECK_OK(node_config_set(c, "a", "2", &err), err);
	CHECK_OK(node_config_set(c, "hostname", "node1", &err), err);
	CHECK_OK(node_config_set(c, "d", "it's $5 \"x\"", &err), err);
	CHECK_OK(node_config_set(c, "e", "", &err), err);
	CHECK_STR(node_config_get(c, "hostname"), "node1");
	CHECK_STR(node_config_get(c, "d"), "it's $5 \"x\"");
	same_text(c, "# top\na=2\n\nb='x y'\nhostname=node1\nc=3\n"
		     "d='it'\\''s $5 \"x\"'\ne=\n");
	node_config_unset(c, "a");
	node_config_unset(c, "nobody");
	CHECK(node_config_get(c, "a") == NULL);
	CHECK_OK(node_config_set(c, "a", "4", &err), err);
	same_text(c, "# top\n\nb='x y'\nhostname=node1\nc=3\nd='it'\\''s $5 \"x\"'\ne=\na=4\n");
}

static void
what_was_written_reads_back(void)
{
	static const char *const values[] = { "", " ", "'", "''", "\"", "\\", "a\tb", "#x", "$(a)",
					      "a=b", "\xc3\xa4", "!*?[]{}~" };
	NRD_AUTO(node_config) *c = NULL;
	NRD_AUTO(node_config) *again = NULL;
	NRD_AUTO(nrd_buf) out = NRD_BUF_INIT(0);
	char key[16];

	CHECK_OK(node_config_new(&c, &err), err);
	for (size_t i = 0; i < nrd_count(values); i++) {
		(void)snprintf(key, sizeof(key), "k%zu", i);
		CHECK_OK(node_config_set(c, key, values[i], &err), err);
	}
	CHECK_OK(node_config_format(c, &out, &err), err);
	CHECK_OK(node_config_parse(nrd_buf_str(&out), out.len, &again, &err), err);
	CHECK(node_config_problem_at(again, 0) == NULL);
	for (size_t i = 0; i < nrd_count(values); i++) {
		(void)snprintf(key, sizeof(key), "k%zu", i);
		CHECK_STR(node_config_get(again, key), values[i]);
	}
}

static void
set_refuses(void)
{
	NRD_AUTO(node_config) *c = parse("a=1\n");
	char big[NODE_CONFIG_LINE_MAX + 1];

	memset(big, 'x', sizeof(big));
	big[sizeof(big) - 1] = '\0';
	CHECK_FAILS(node_config_set(c, "a-b", "1", &err), err, EINVAL, "ConfigBadKey");
	CHECK_FAILS(node_config_set(c, "", "1", &err), err, EINVAL, "ConfigBadKey");
	CHECK_FAILS(node_config_set(c, "a", "1\nb=2", &err), err, EINVAL, "ConfigBadValue");
	CHECK_FAILS(node_config_set(c, "a", big, &err), err, EINVAL, "ConfigBadValue");
	CHECK_FAILS(node_config_set(c, "admin_netmask", "255.0.255.0", &err), err, EINVAL,
		    "ConfigBadValue");
	CHECK_HAS(err.msg, "admin_netmask: \"255.0.255.0\" is not a netmask");
	same_text(c, "a=1\n");
}

static void
sizes_have_limits(void)
{
	NRD_AUTO(nrd_buf) text = NRD_BUF_INIT(0);
	NRD_AUTO(node_config) *c = NULL;
	const struct node_config_problem *p;

	for (int i = 0; i < 4097; i++)
		CHECK_INT(nrd_buf_printf(&text, "k%d=%d\n", i, i), 0);
	CHECK_OK(node_config_parse(nrd_buf_str(&text), text.len, &c, &err), err);
	CHECK_STR(node_config_get(c, "k4095"), "4095");
	CHECK(node_config_get(c, "k4096") == NULL);
	p = node_config_problem_at(c, 0);
	CHECK(p != NULL && p->line == 4097);
	CHECK_FAILS(node_config_set(c, "more", "1", &err), err, ENOSPC, "ConfigTooBig");
	CHECK_OK(node_config_set(c, "k7", "1", &err), err);

	nrd_buf_reset(&text);
	while (text.len <= NODE_CONFIG_MAX)
		CHECK_INT(nrd_buf_adds(&text, "# much ado about nothing\n"), 0);
	node_config_free(NRD_TAKE(c));
	CHECK_FAILS(node_config_parse(nrd_buf_str(&text), text.len, &c, &err), err, EFBIG,
		    "ConfigTooBig");
}

static void
files(void)
{
	NRD_AUTO(node_config) *c = NULL;
	NRD_CLOSE int lock = -1;
	NRD_CLOSE int other = -1;
	char dir[64], path[80];
	struct stat st;

	test_mkdir(dir);
	(void)snprintf(path, sizeof(path), "%s/config", dir);
	CHECK_FAILS(node_config_read(path, &c, &err), err, ENOENT, "ConfigMissing");
	CHECK_OK(node_config_new(&c, &err), err);
	CHECK_OK(node_config_set(c, "hostname", "node1", &err), err);
	CHECK_OK(node_config_lock(path, &lock, &err), err);
	CHECK_OK(node_config_write(c, path, &err), err);
	CHECK(stat(path, &st) == 0);
	CHECK_INT(st.st_mode & 07777, 0600);
	/* The lock outlasts the replaced file. */
	other = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	CHECK(flock(other, LOCK_EX | LOCK_NB) < 0 && errno == EWOULDBLOCK);
	node_config_free(NRD_TAKE(c));
	CHECK_OK(node_config_read(path, &c, &err), err);
	CHECK_STR(node_config_get(c, "hostname"), "node1");
	CHECK(unlink(path) == 0 && rmdir(dir) == 0);
	CHECK_FAILS(node_config_lock(path, &lock, &err), err, ENOENT, "ConfigLock");
}

TEST_MAIN(values_as_a_shell, damaged_lines_are_told_and_skipped, bytes_survive,
	  next_gives_each_key_once, set_keeps_everything_else, what_was_written_reads_back,
	  set_refuses, sizes_have_limits, files)
