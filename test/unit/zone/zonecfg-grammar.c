/* SPDX-License-Identifier: MPL-2.0 */
/* Copyright 2026 The Nereid authors */
#include "zonecfg/grammar.h"

#include "nrd-test.h"
#include "nrd/mem.h"
#include "nrd/str.h"

static struct cfg_line line;

static void
parse(const char *text)
{
	struct nrd_err err = { 0 };

	cfg_line_fini(&line);
	CHECK_OK(cfg_parse(text, &line, &err), err);
}

static const struct cfg_arg *
arg(size_t command, size_t i)
{
	CHECK(command < line.commands.len && i < line.commands.data[command].args.len);
	return &line.commands.data[command].args.data[i];
}

static void
commands(void)
{
	parse("");
	CHECK_INT(line.commands.len, 0);
	parse("  ;; ; # add net");
	CHECK_INT(line.commands.len, 0);
	parse("create -b; add net ;end; # gone");
	CHECK_INT(line.commands.len, 3);
	CHECK_STR(line.commands.data[0].verb, "create");
	CHECK_STR(arg(0, 0)->word, "-b");
	CHECK_INT(arg(0, 0)->value.kind, CFG_NONE);
	CHECK_STR(arg(1, 0)->word, "net");
	CHECK_STR(line.commands.data[2].verb, "end");
	CHECK_INT(line.commands.data[2].args.len, 0);
	cfg_line_fini(&line);
}

static void
simple_values(void)
{
	parse("set a=b;set c = d ; set e=\"f ; g\"; set h=i=j; set k=l,m; set n=/dev/x[01]*");
	CHECK_STR(arg(0, 0)->word, "a");
	CHECK_INT(arg(0, 0)->value.kind, CFG_SIMPLE);
	CHECK_STR(arg(0, 0)->value.items[0], "b");
	CHECK_STR(arg(1, 0)->value.items[0], "d");
	CHECK_STR(arg(2, 0)->value.items[0], "f ; g");
	CHECK_STR(arg(3, 0)->value.items[0], "i=j");
	CHECK_STR(arg(4, 0)->value.items[0], "l,m");
	CHECK_STR(arg(5, 0)->value.items[0], "/dev/x[01]*");
	parse("set x=\"a\\\"b\\\\c\\nd\\e\"; set y=\"\"; info \"-F\"");
	CHECK_STR(arg(0, 0)->value.items[0], "a\"b\\c\nd\\e");
	CHECK_STR(arg(1, 0)->value.items[0], "");
	CHECK(arg(2, 0)->quoted);
	cfg_line_fini(&line);
}

static void
lists_and_complex_values(void)
{
	parse("add options [ro, \"a,b\"]; set o=(ro,nodev);set o=[];add p (ro,size=64m)");
	CHECK(arg(0, 1)->word == NULL);
	CHECK_INT(arg(0, 1)->value.kind, CFG_LIST);
	CHECK_STR(arg(0, 1)->value.items[0], "ro");
	CHECK_STR(arg(0, 1)->value.items[1], "a,b");
	CHECK_INT(arg(1, 0)->value.kind, CFG_LIST);
	CHECK_STR(arg(1, 0)->value.items[1], "nodev");
	CHECK_INT(arg(2, 0)->value.kind, CFG_LIST);
	CHECK_INT(nrd_strv_len(NRD_CSTRV(arg(2, 0)->value.items)), 0);
	CHECK_INT(arg(3, 1)->value.kind, CFG_LIST);
	CHECK_STR(arg(3, 1)->value.items[1], "size=64m");
	parse("add value (priv=privileged, limit = 5 ,action=\"deny\");"
	      "add property (name=ips,value=[a,b])");
	CHECK_INT(arg(0, 1)->value.kind, CFG_COMPLEX);
	CHECK_STR(arg(0, 1)->value.items[2], "limit");
	CHECK_STR(arg(0, 1)->value.items[3], "5");
	CHECK_STR(arg(0, 1)->value.items[5], "deny");
	CHECK_STR(arg(1, 1)->value.items[3], "a,b");
	cfg_line_fini(&line);
}

static void
refused(void)
{
	static const char *const texts[] = {
		"set a=\"b",	"set a=\"b\"c",	  "set a=b\"c\"", "set a=",	"set =b",
		"add o [a",	"add o [a b]",	  "add o [a,]",	  "add o (a",	"add o ()",
		"add o (a=)",	"add o [a]b",	  "add o (a=[b)", "=",		"\"a",
		"add o (a=b]",	"set a=b\\\"c\"", NULL,
	};
	struct nrd_err err = { 0 };
	char *many = calloc(1, CFG_LINE_MAX + 2);

	CHECK(many != NULL);
	for (size_t i = 0; texts[i] != NULL; i++) {
		struct cfg_line none = { 0 };

		if (cfg_parse(texts[i], &none, &err) != -EINVAL ||
		    strcmp(err.code, "BadSyntax") != 0 || none.commands.len != 0)
			test_fail(__FILE__, __LINE__, "%s: %s", texts[i], err.msg);
	}
	memset(many, 'a', CFG_LINE_MAX + 1);
	CHECK_FAILS(cfg_parse(many, &line, &err), err, EINVAL, "BadSyntax");
	for (size_t i = 0; i < CFG_LINE_MAX; i++)
		many[i] = i % 2 ? ' ' : 'a';
	CHECK_FAILS(cfg_parse(many, &line, &err), err, EINVAL, "BadSyntax");
	free(many);
}

/* Whatever is in a word, it is one word again after quoting. */
static void
quoting(void)
{
	static const char *const words[] = { "",    "plain", "a b", "a\"b", "a\\b",  "a\nb", "#x",
					     "a;b", "[a]",   "(",   "a=b",  "\\\"n", ",",    NULL };

	for (size_t i = 0; words[i] != NULL; i++) {
		NRD_FREE char *quoted = cfg_quote(words[i]);
		NRD_FREE char *text = nrd_format("set x=%s; add y [%s,z]", quoted, quoted);

		parse(text);
		CHECK_INT(line.commands.len, 2);
		CHECK_STR(arg(0, 0)->value.items[0], words[i]);
		CHECK_STR(arg(1, 1)->value.items[0], words[i]);
		CHECK_STR(arg(1, 1)->value.items[1], "z");
	}
	cfg_line_fini(&line);
}

TEST_MAIN(commands, simple_values, lists_and_complex_values, refused, quoting)
