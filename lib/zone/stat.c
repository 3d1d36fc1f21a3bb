/* SPDX-License-Identifier: MPL-2.0 */
/* Copyright 2026 The Nereid authors */
#include "stat.h"

#include <stdio.h>
#include <string.h>

#include "nrd/mem.h"
#include "nrd/str.h"

static bool
number(struct nrd_str s, uint64_t *ret_v)
{
	char text[24];

	if (s.len == 0 || s.len >= sizeof(text))
		return false;
	memcpy(text, s.data, s.len);
	text[s.len] = '\0';
	return nrd_parse_u64(text, 0, UINT64_MAX, ret_v, NULL) == 0;
}

/* The parts of a line: its key and its value. */
static bool
split(struct nrd_str line, enum zone_stat_format format, struct nrd_str *ret_key, uint64_t *ret_v)
{
	struct nrd_str value, unit;

	if (!nrd_str_word(&line, ret_key))
		return false;
	if (format == ZONE_STAT_KSTAT && !nrd_str_word(&line, &value))
		return false;
	if (!nrd_str_word(&line, &value) || !number(value, ret_v))
		return false;
	if (format != ZONE_STAT_MEMINFO)
		return true;
	if (ret_key->data[ret_key->len - 1] != ':')
		return false;
	ret_key->len--;
	if (nrd_str_word(&line, &unit) && nrd_str_eq(unit, "kB")) {
		if (*ret_v > UINT64_MAX / 1024)
			return false;
		*ret_v *= 1024;
	}
	return true;
}

size_t
zone_stat_keys(const char *text, enum zone_stat_format format, const struct zone_stat_key *keys,
	       size_t n_keys, void *obj)
{
	struct nrd_str rest = nrd_str(text), line, key;
	size_t n = 0;

	while (nrd_str_split(&rest, '\n', &line)) {
		uint64_t v;

		if (!split(line, format, &key, &v))
			continue;
		for (size_t i = 0; i < n_keys; i++) {
			if (!nrd_str_eq(key, keys[i].key))
				continue;
			memcpy((char *)obj + keys[i].offset, &v, sizeof(v));
			n++;
		}
	}
	return n;
}

void
zone_stat_pressure(const char *text, struct zone_pressure *pressure)
{
	struct nrd_str rest = nrd_str(text), line;

	while (nrd_str_split(&rest, '\n', &line)) {
		struct nrd_str kind, word;
		uint64_t v;

		if (!nrd_str_word(&line, &kind))
			continue;
		while (nrd_str_word(&line, &word)) {
			if (word.len <= 6 || memcmp(word.data, "total=", 6) != 0 ||
			    !number(nrd_strn(word.data + 6, word.len - 6), &v))
				continue;
			if (nrd_str_eq(kind, "some"))
				pressure->some_us = v;
			else if (nrd_str_eq(kind, "full"))
				pressure->full_us = v;
		}
	}
}

bool
zone_stat_limit(const char *text, uint64_t *ret_v)
{
	struct nrd_str s = nrd_str_trim(nrd_str(text));

	if (nrd_str_eq(s, "max")) {
		*ret_v = ZONE_STAT_NONE;
		return true;
	}
	return number(s, ret_v);
}

bool
zone_stat_cpu_cap(const char *text, uint64_t *ret_percent)
{
	struct nrd_str rest = nrd_str_trim(nrd_str(text)), quota, period;
	uint64_t q, p;

	if (!nrd_str_word(&rest, &quota) || !nrd_str_word(&rest, &period) || !number(period, &p) ||
	    p == 0)
		return false;
	if (nrd_str_eq(quota, "max")) {
		*ret_percent = ZONE_STAT_NONE;
		return true;
	}
	if (!number(quota, &q) || q > UINT64_MAX / 100)
		return false;
	*ret_percent = q * 100 / p;
	return true;
}

/* user nice system idle iowait irq softirq steal; time of guests is in the user's already. */
static bool
busy_ticks(struct nrd_str line, uint64_t *ret_busy)
{
	uint64_t busy = 0, v;
	struct nrd_str word;

	for (int i = 0; i < 8 && nrd_str_word(&line, &word); i++) {
		if (!number(word, &v))
			return false;
		if (i != 3 && i != 4)
			busy += v;
	}
	*ret_busy = busy;
	return true;
}

bool
zone_stat_cpus(const char *text, uint64_t *ret_busy_ticks, uint64_t *ret_n)
{
	struct nrd_str rest = nrd_str(text), line, word;
	bool found = false;
	uint64_t n = 0;

	while (nrd_str_split(&rest, '\n', &line)) {
		if (!nrd_str_word(&line, &word) || word.len < 3 || memcmp(word.data, "cpu", 3) != 0)
			continue;
		if (word.len > 3)
			n++;
		else
			found = busy_ticks(line, ret_busy_ticks);
	}
	*ret_n = n;
	return found && n > 0;
}

bool
zone_stat_objset(const char *text, char ret_dataset[ZONE_DATASET_MAX], struct zone_io *ret_io)
{
	static const struct zone_stat_key keys[] = {
		{ "reads", offsetof(struct zone_io, reads) },
		{ "nread", offsetof(struct zone_io, nread) },
		{ "writes", offsetof(struct zone_io, writes) },
		{ "nwritten", offsetof(struct zone_io, nwritten) },
	};
	struct nrd_str rest = nrd_str(text), line, key, type;
	struct zone_io io = { 0 };

	while (nrd_str_split(&rest, '\n', &line)) {
		if (!nrd_str_word(&line, &key) || !nrd_str_eq(key, "dataset_name") ||
		    !nrd_str_word(&line, &type))
			continue;
		line = nrd_str_trim(line);
		if (line.len == 0 || line.len >= ZONE_DATASET_MAX)
			return false;
		memcpy(ret_dataset, line.data, line.len);
		ret_dataset[line.len] = '\0';
		(void)zone_stat_keys(text, ZONE_STAT_KSTAT, keys, nrd_count(keys), &io);
		*ret_io = io;
		return true;
	}
	return false;
}

bool
zone_stat_zone_of(const char *cgroup, char *ret_zone, size_t size)
{
	struct nrd_str rest = nrd_str(cgroup), line;

	while (nrd_str_split(&rest, '\n', &line)) {
		const char *path = line.len > 10 && memcmp(line.data, "0::/zones/", 10) == 0 ?
					   line.data + 10 :
					   NULL;
		size_t len = 0;

		if (path == NULL)
			continue;
		while (len < line.len - 10 && path[len] != '/')
			len++;
		if (len == 0 || len >= size)
			return false;
		memcpy(ret_zone, path, len);
		ret_zone[len] = '\0';
		return true;
	}
	return false;
}
