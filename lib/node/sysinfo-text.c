/* SPDX-License-Identifier: MPL-2.0 */
/* Copyright 2026 The Nereid authors */

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "node/sysinfo-priv.h"
#include "nrd/mem.h"
#include "nrd/str.h"

#define SHELL_KEY_MAX 512
#define SHELL_DEPTH_MAX 8

/* Cuts the next parameter off *rest; blanks inside double quotes belong to it, as the kernel
 * reads it. */
static bool
boot_word(struct nrd_str *rest, struct nrd_str *ret_word)
{
	bool quoted = false;
	size_t from = 0, i;

	while (from < rest->len && isspace((unsigned char)rest->data[from]))
		from++;
	for (i = from; i < rest->len && (quoted || !isspace((unsigned char)rest->data[i])); i++)
		if (rest->data[i] == '"')
			quoted = !quoted;
	*ret_word = nrd_strn(rest->data + from, i - from);
	*rest = nrd_strn(rest->data + i, rest->len - i);
	return ret_word->len > 0;
}

static struct nrd_str
unquote(struct nrd_str s)
{
	if (s.len > 0 && s.data[0] == '"')
		s = nrd_strn(s.data + 1, s.len - 1);
	if (s.len > 0 && s.data[s.len - 1] == '"')
		s.len--;
	return s;
}

static size_t
pair_find(char *const *pairs, struct nrd_str key)
{
	size_t i = 0;

	while (pairs != NULL && pairs[i] != NULL && !nrd_str_eq(key, pairs[i]))
		i += 2;
	return i;
}

static int
pair_set(char ***pairs, struct nrd_str key, struct nrd_str value)
{
	size_t at = pair_find(*pairs, key);
	char *text;

	if (*pairs != NULL && (*pairs)[at] != NULL) {
		text = nrd_str_dup(value);
		if (text == NULL)
			return -ENOMEM;
		nrd_freep(&(*pairs)[at + 1]);
		(*pairs)[at + 1] = text;
		return 0;
	}
	/* Never a key without its value, not even when memory runs out: the caller gives up. */
	if (nrd_strv_take(pairs, nrd_str_dup(key)) < 0)
		return -ENOMEM;
	return nrd_strv_take(pairs, nrd_str_dup(value));
}

int
sysinfo_boot_parse(const char *cmdline, char ***ret_pairs)
{
	struct nrd_str rest = nrd_str(cmdline), word;
	NRD_STRV char **pairs = NULL;

	while (boot_word(&rest, &word)) {
		struct nrd_str key, value = unquote(word);

		/* What follows is for init. */
		if (nrd_str_eq(word, "--"))
			break;
		(void)nrd_str_split(&value, '=', &key);
		if (key.len == 0)
			continue;
		value = value.data == NULL ? nrd_str("true") : unquote(value);
		if (pair_set(&pairs, key, value) < 0)
			return -ENOMEM;
	}
	*ret_pairs = NRD_TAKE(pairs);
	return 0;
}

const char *
sysinfo_boot(const struct sysinfo *info, const char *key)
{
	size_t at = pair_find(info->boot, nrd_str(key));

	return info->boot == NULL || info->boot[at] == NULL ? NULL : info->boot[at + 1];
}

static void
shell_quote(struct nrd_buf *out, const char *s)
{
	(void)nrd_buf_addc(out, '\'');
	for (; *s != '\0'; s++) {
		if (*s == '\'')
			(void)nrd_buf_adds(out, "'\\''");
		else
			(void)nrd_buf_addc(out, *s);
	}
	(void)nrd_buf_adds(out, "'\n");
}

static void
scalar_add(struct nrd_buf *out, const struct nrd_val *v)
{
	double number;
	uint64_t u;
	bool b;

	if (nrd_val_str(v) != NULL)
		(void)nrd_buf_adds(out, nrd_val_str(v));
	else if (nrd_val_bool(v, &b))
		(void)nrd_buf_adds(out, b ? "true" : "false");
	else if (nrd_val_u64(v, &u))
		(void)nrd_buf_printf(out, "%llu", (unsigned long long)u);
	else if (nrd_val_double(v, &number))
		(void)nrd_buf_printf(out, "%.15g", number);
}

static bool
is_scalar_list(const struct nrd_val *v)
{
	struct nrd_iter it = nrd_iter(v);

	if (nrd_val_type(v) != NRD_VAL_ARR)
		return false;
	while (nrd_iter_next(&it))
		if (nrd_val_type(it.val) == NRD_VAL_OBJ || nrd_val_type(it.val) == NRD_VAL_ARR)
			return false;
	return true;
}

static void
shell_value(const char *key, const struct nrd_val *v, unsigned depth, struct nrd_buf *out)
{
	NRD_AUTO(nrd_buf) text = NRD_BUF_INIT(0);
	struct nrd_iter it = nrd_iter(v);
	bool list = is_scalar_list(v);

	if (!list && (nrd_val_type(v) == NRD_VAL_OBJ || nrd_val_type(v) == NRD_VAL_ARR)) {
		while (depth < SHELL_DEPTH_MAX && nrd_iter_next(&it)) {
			char name[SHELL_KEY_MAX];
			size_t prefix = strlen(key);
			int n = it.key != NULL ?
					snprintf(name, sizeof(name), "%s%s%s", key,
						 prefix == 0 ? "" : "_", it.key) :
					snprintf(name, sizeof(name), "%s_%zu", key, it.index);

			if (n < 0 || (size_t)n >= sizeof(name))
				continue; /* no shell variable is that long */
			for (char *p = name; *p != '\0'; p++)
				if (!isalnum((unsigned char)*p))
					*p = '_';
			shell_value(name, it.val, depth + 1, out);
		}
		return;
	}
	if (list) {
		while (nrd_iter_next(&it)) {
			if (it.index > 0)
				(void)nrd_buf_addc(&text, ',');
			scalar_add(&text, it.val);
		}
	} else {
		scalar_add(&text, v);
	}
	if (text.failed < 0)
		out->failed = text.failed;
	(void)nrd_buf_printf(out, "%s=", key);
	shell_quote(out, nrd_buf_str(&text));
}

int
node_sysinfo_shell(const struct nrd_val *info, struct nrd_buf *out, struct nrd_err *err)
{
	shell_value("", info, 0, out);
	if (out->failed < 0)
		return nrd_fail(err, -out->failed, "SysinfoText", "write it for a shell: %m");
	return 0;
}
