/* SPDX-License-Identifier: MPL-2.0 */
/* Copyright 2026 The Nereid authors */
#include "challenge.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "nrd/buf.h"
#include "nrd/json.h"
#include "nrd/mem.h"
#include "nrd/str.h"

#define VALUE_MAX 2048
#define TOKEN_MAX 16384
#define LETTERS   "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
#define DIGITS    "0123456789"
#define WORD      LETTERS DIGITS "!#$%&'*+-.^_`|~"

void
image_challenge_fini(struct image_challenge *c)
{
	free(c->realm);
	free(c->service);
	free(c->scope);
	*c = (struct image_challenge){ 0 };
}

void
image_challenge_cleanup(struct image_challenge *c)
{
	image_challenge_fini(c);
}

/* A word, or text between quotes with backslashes; NULL when there is neither. */
static char *
value_of(const char **at)
{
	NRD_AUTO(nrd_buf) out = NRD_BUF_INIT(VALUE_MAX);
	const char *p = *at;
	size_t len;

	if (*p != '"') {
		len = strspn(p, WORD "/:=");
		*at = p + len;
		return nrd_str_dup(nrd_strn(p, len));
	}
	for (p++; *p != '"'; p++) {
		if (*p == '\\')
			p++;
		if (*p == '\0')
			return NULL;
		(void)nrd_buf_addc(&out, *p);
	}
	*at = p + 1;
	return out.failed < 0 ? NULL : out.len > 0 ? nrd_buf_take(&out) : nrd_format("%s", "");
}

static void
keep(struct image_challenge *c, struct nrd_str key, char *value)
{
	const struct {
		const char *key;
		char **to;
	} kept[] = { { "realm", &c->realm }, { "service", &c->service }, { "scope", &c->scope } };

	for (size_t i = 0; i < nrd_count(kept); i++)
		if (key.len == strlen(kept[i].key) && strncasecmp(key.data, kept[i].key, key.len) == 0 &&
		    *kept[i].to == NULL) {
			*kept[i].to = value;
			return;
		}
	free(value);
}

bool
image_challenge_parse(const char *text, struct image_challenge *ret_c)
{
	NRD_AUTO(image_challenge) c = { 0 };
	bool bearer = false;
	const char *p = text;

	for (;;) {
		struct nrd_str word;
		char *value;

		p += strspn(p, " \t,");
		word = nrd_strn(p, strspn(p, WORD));
		p += word.len;
		if (word.len == 0)
			break;
		/* A word with nothing behind it is a scheme, and what follows is its. */
		if (*p != '=') {
			if (bearer)
				break;
			bearer = word.len == 6 && strncasecmp(word.data, "Bearer", 6) == 0;
			continue;
		}
		p++;
		value = value_of(&p);
		if (value == NULL)
			break;
		if (bearer)
			keep(&c, word, value);
		else
			free(value);
	}
	if (c.realm == NULL || c.realm[0] == '\0')
		return false;
	*ret_c = c;
	c = (struct image_challenge){ 0 };
	return true;
}

static void
add_escaped(struct nrd_buf *url, const char *s)
{
	for (; *s != '\0'; s++)
		if (strchr(LETTERS DIGITS "-._~", *s) != NULL)
			(void)nrd_buf_addc(url, *s);
		else
			(void)nrd_buf_printf(url, "%%%02X", (unsigned char)*s);
}

char *
image_challenge_url(const struct image_challenge *c, const char *fallback)
{
	const char *sep = strchr(c->realm, '?') != NULL ? "&" : "?";
	NRD_AUTO(nrd_buf) url = NRD_BUF_INIT(4 * VALUE_MAX + VALUE_MAX);

	(void)nrd_buf_adds(&url, c->realm);
	if (c->service != NULL) {
		(void)nrd_buf_printf(&url, "%sservice=", sep);
		add_escaped(&url, c->service);
		sep = "&";
	}
	(void)nrd_buf_printf(&url, "%sscope=", sep);
	add_escaped(&url, c->scope != NULL ? c->scope : fallback);
	return nrd_buf_take(&url);
}

int
image_token_parse(const char *text, size_t len, char **ret_token, struct nrd_err *err)
{
	NRD_AUTO(nrd_json) *doc = NULL;
	const char *token;
	size_t n;

	if (nrd_json_parse(text, len, NULL, &doc, NULL) < 0)
		return nrd_fail(err, EINVAL, "ImageToken", "what is answered is no JSON");
	token = nrd_get_str(nrd_json_root(doc), "token") ?: nrd_get_str(nrd_json_root(doc), "access_token");
	n = token != NULL ? strlen(token) : 0;
	/* It becomes a line of a request. */
	if (n == 0 || n > TOKEN_MAX || strspn(token, LETTERS DIGITS "-._~+/=") != n)
		return nrd_fail(err, EINVAL, "ImageToken", "there is no token in what is answered");
	*ret_token = nrd_format("%s", token);
	return *ret_token != NULL ? 0 : nrd_nomem(err);
}
