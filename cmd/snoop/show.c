/* SPDX-License-Identifier: MPL-2.0 */
/* Copyright 2026 The Nereid authors */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <time.h>

#include "nrd/json.h"
#include "nrd/mem.h"
#include "nrd/str.h"
#include "snoop.h"

#define US_A_SECOND 1000000

static struct timeval
since(const struct timeval *then, const struct timeval *now)
{
	struct timeval d = { .tv_sec = now->tv_sec - then->tv_sec, .tv_usec = now->tv_usec - then->tv_usec };

	if (d.tv_usec < 0) {
		d.tv_sec--;
		d.tv_usec += US_A_SECOND;
	}
	return d;
}

/* The time as it was asked for. */
static void
time_text(const struct snoop *s, const struct timeval *now, char ret[40])
{
	struct timeval d;
	struct tm tm;
	size_t n;

	if (s->times == 'a') {
		(void)localtime_r(&now->tv_sec, &tm);
		n = strftime(ret, 40, "%H:%M:%S", &tm);
		(void)snprintf(ret + n, 40 - n, ".%05ld", (long)now->tv_usec / 10);
		return;
	}
	d = since(s->times == 'r' ? &s->begin : &s->before, now);
	(void)snprintf(ret, 40, "%3lld.%05ld", (long long)d.tv_sec, (long)d.tv_usec / 10);
}

/* What stands before each of its lines. */
static int
head_of(const struct snoop *s, const struct packet *p, struct nrd_buf *out)
{
	char time[40];

	if (s->numbered)
		(void)nrd_buf_printf(out, "%3" PRIu64 " ", s->seen);
	if (s->times != 0) {
		time_text(s, &p->time, time);
		(void)nrd_buf_printf(out, "%s ", time);
	}
	if (p->reason != NULL)
		(void)nrd_buf_printf(out, "%s: ", p->reason);
	if (s->opts->sizes)
		(void)nrd_buf_printf(out, "length: %4zu ", p->len);
	return out->failed;
}

static int
print_json(const struct snoop *s, const struct packet *p, struct nrd_err *err)
{
	NRD_AUTO(nrd_buf) text = { 0 };
	NRD_AUTO(nrd_buf) line = { 0 };
	struct nrd_str rest, part;
	char time[40];
	struct nrd_jw w;
	int r = frame_text(p->bytes, p->caught, p->len, p->vid, s->how, "", &text);

	if (r < 0)
		return nrd_nomem(err);
	(void)snprintf(time, sizeof(time), "%lld.%06ld", (long long)p->time.tv_sec, (long)p->time.tv_usec);
	nrd_jw_init(&w, &line, NRD_JW_COMPACT);
	nrd_jw_obj_open(&w);
	nrd_jw_ku64(&w, "number", s->seen);
	nrd_jw_key(&w, "time");
	nrd_jw_number(&w, time);
	nrd_jw_ku64(&w, "length", p->len);
	nrd_jw_ku64(&w, "caught", p->caught);
	nrd_jw_kstr(&w, "reason", p->reason);
	nrd_jw_key(&w, "lines");
	nrd_jw_arr_open(&w);
	for (rest = nrd_str(nrd_buf_str(&text)); nrd_str_split(&rest, '\n', &part);) {
		part = nrd_str_trim(part);
		if (part.len > 0)
			nrd_jw_strn(&w, part.data, part.len);
	}
	nrd_jw_arr_close(&w);
	nrd_jw_obj_close(&w);
	r = nrd_jw_finish(&w, err);
	if (r == 0 && puts(nrd_buf_str(&line)) == EOF)
		r = nrd_fail(err, errno, "SnoopWrite", "write: %m");
	return r;
}

static int
print(const struct snoop *s, const struct packet *p, struct nrd_err *err)
{
	NRD_AUTO(nrd_buf) head = { 0 };
	NRD_AUTO(nrd_buf) text = { 0 };
	int r = head_of(s, p, &head);

	if (r == 0)
		r = frame_text(p->bytes, p->caught, p->len, p->vid, s->how, nrd_buf_str(&head), &text);
	if (r == 0 && s->hex)
		r = frame_hex(p->bytes, p->caught, s->hex_from, s->hex_bytes, &text);
	if (r == 0 && s->how != FRAME_SUMMARY)
		r = nrd_buf_addc(&text, '\n');
	if (r < 0)
		return nrd_nomem(err);
	if (fputs(nrd_buf_str(&text), stdout) == EOF)
		return nrd_fail(err, errno, "SnoopWrite", "write: %m");
	return 0;
}

int
snoop_packet(struct snoop *s, const struct packet *p, struct nrd_err *err)
{
	struct pcap_pkthdr header = { .ts = p->time, .caplen = (bpf_u_int32)p->caught, .len = (bpf_u_int32)p->len };
	int r = 0;

	s->seen++;
	if (s->first != 0 && s->seen < s->first)
		return 0;
	if (s->shown == 0)
		s->begin = s->before = p->time;
	s->shown++;
	if (s->dump != NULL)
		pcap_dump((unsigned char *)s->dump, &header, p->bytes);
	else
		r = s->opts->json ? print_json(s, p, err) : print(s, p, err);
	s->before = p->time;
	if (r < 0)
		return r;
	return (s->opts->count != 0 && s->shown >= s->opts->count) || (s->last != 0 && s->seen >= s->last) ? 1 : 0;
}
