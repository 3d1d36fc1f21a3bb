/* SPDX-License-Identifier: MPL-2.0 */
/* Copyright 2026 The Nereid authors */
#include "log.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "clock.h"
#include "json.h"
#include "mem.h"

#define LINE_MAX_BYTES ((size_t)8 << 10)

static struct {
	const char *name;
	enum nrd_level level;
	int fd;
	enum nrd_log_format format;
} logger = { .name = "nereid", .level = NRD_INFO, .fd = STDERR_FILENO };

static const struct {
	const char *name;
	enum nrd_level level;
} levels[] = {
	{ "trace", NRD_TRACE }, { "debug", NRD_DEBUG }, { "info", NRD_INFO },
	{ "warn", NRD_WARN },   { "error", NRD_ERROR }, { "fatal", NRD_FATAL },
};

void
nrd_log_init(const char *name, enum nrd_level level)
{
	logger.name = name;
	logger.level = level;
}

void
nrd_log_set_level(enum nrd_level level)
{
	logger.level = level;
}

void
nrd_log_set_output(int fd, enum nrd_log_format format)
{
	logger.fd = fd;
	logger.format = format;
}

int
nrd_level_parse(const char *s, enum nrd_level *ret_level, struct nrd_err *err)
{
	for (size_t i = 0; i < nrd_count(levels); i++) {
		if (strcmp(s, levels[i].name) == 0) {
			*ret_level = levels[i].level;
			return 0;
		}
	}
	return nrd_fail(err, EINVAL, "BadLevel",
			"\"%.40s\" is not one of trace, debug, info, warn, error, fatal", s);
}

static const char *
level_name(enum nrd_level level)
{
	for (size_t i = 0; i < nrd_count(levels); i++) {
		if (levels[i].level == level)
			return levels[i].name;
	}
	return "log";
}

static void
json_kv(struct nrd_jw *w, const struct nrd_kv *kv)
{
	nrd_jw_key(w, kv->key);
	switch (kv->type) {
	case NRD_KV_STR:
		nrd_jw_str(w, kv->s);
		break;
	case NRD_KV_U64:
		nrd_jw_u64(w, kv->u);
		break;
	case NRD_KV_I64:
		nrd_jw_i64(w, kv->i);
		break;
	case NRD_KV_BOOL:
		nrd_jw_bool(w, kv->b);
		break;
	case NRD_KV_ERR:
		nrd_jw_obj_open(w);
		nrd_jw_kstr(w, "code", kv->err->code);
		nrd_jw_kstr(w, "message", kv->err->msg);
		nrd_jw_obj_close(w);
		break;
	}
}

static int
format_json(struct nrd_buf *b, enum nrd_level level, const char *msg, const struct nrd_kv *kv)
{
	char when[NRD_DATE_TEXT], host[65] = "";
	struct nrd_jw w;

	nrd_date_format(nrd_date_ms(), when);
	(void)gethostname(host, sizeof(host) - 1);
	nrd_jw_init(&w, b, NRD_JW_COMPACT);
	nrd_jw_obj_open(&w);
	nrd_jw_kstr(&w, "name", logger.name);
	nrd_jw_kstr(&w, "hostname", host);
	nrd_jw_ki64(&w, "pid", getpid());
	nrd_jw_ku64(&w, "level", level);
	for (; kv != NULL && kv->key != NULL; kv++)
		json_kv(&w, kv);
	nrd_jw_kstr(&w, "msg", msg);
	nrd_jw_kstr(&w, "time", when);
	nrd_jw_ku64(&w, "v", 0);
	nrd_jw_obj_close(&w);
	(void)nrd_jw_finish(&w, NULL);
	return nrd_buf_addc(b, '\n');
}

/*
 * Values with blanks or control characters are quoted, so that a line stays one line and can be
 * cut at blanks.
 */
static void
text_str(struct nrd_buf *b, const char *s)
{
	if (s == NULL) {
		(void)nrd_buf_addc(b, '-');
		return;
	}
	bool plain = *s != '\0';

	for (const char *p = s; plain && *p != '\0'; p++)
		plain = *p > ' ' && *p != '"' && *p != '\\' && *p != 0x7f;
	if (plain) {
		(void)nrd_buf_adds(b, s);
		return;
	}
	struct nrd_jw w;

	nrd_jw_init(&w, b, NRD_JW_COMPACT);
	nrd_jw_str(&w, s);
}

static void
text_kv(struct nrd_buf *b, const struct nrd_kv *kv)
{
	(void)nrd_buf_printf(b, " %s=", kv->key);
	switch (kv->type) {
	case NRD_KV_STR:
		text_str(b, kv->s);
		break;
	case NRD_KV_U64:
		(void)nrd_buf_printf(b, "%" PRIu64, kv->u);
		break;
	case NRD_KV_I64:
		(void)nrd_buf_printf(b, "%" PRId64, kv->i);
		break;
	case NRD_KV_BOOL:
		(void)nrd_buf_adds(b, kv->b ? "true" : "false");
		break;
	case NRD_KV_ERR:
		text_str(b, kv->err->msg);
		break;
	}
}

static int
format_text(struct nrd_buf *b, enum nrd_level level, const char *msg, const struct nrd_kv *kv)
{
	char when[NRD_DATE_TEXT];

	nrd_date_format(nrd_date_ms(), when);
	(void)nrd_buf_printf(b, "%s %-5s %s: %s", when, level_name(level), logger.name, msg);
	for (; kv != NULL && kv->key != NULL; kv++)
		text_kv(b, kv);
	return nrd_buf_addc(b, '\n');
}

void
nrd_log_write(enum nrd_level level, const char *msg, const struct nrd_kv *kv)
{
	if (level < logger.level)
		return;
	int saved = errno;
	NRD_AUTO(nrd_buf) b = NRD_BUF_INIT(LINE_MAX_BYTES);
	bool text = logger.format == NRD_LOG_TEXT ||
		    (logger.format == NRD_LOG_AUTO && isatty(logger.fd) == 1);
	int (*format)(struct nrd_buf *, enum nrd_level, const char *, const struct nrd_kv *) =
		text ? format_text : format_json;

	/* A line that is too long goes out without its values rather than broken or not at all. */
	if (format(&b, level, msg, kv) < 0) {
		nrd_buf_reset(&b);
		(void)format(&b, level, msg, NULL);
	}
	if (b.failed == 0)
		(void)!write(logger.fd, b.data, b.len);
	errno = saved;
}
