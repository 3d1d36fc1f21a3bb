/* SPDX-License-Identifier: MPL-2.0 */
/* Copyright 2026 The Nereid authors */

/*
 * The ring buffer of dropped frames, as the kernel lays it out: a page with the reader's
 * position, a page with the writer's, the data twice in a row. Each record has an 8-byte head.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/bpf.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <unistd.h>

#include "link/bpf-priv.h"
#include "link/switch-priv.h"

#define RING_BYTES ((size_t)256 << 10)

struct switch_samples {
	int lock;
	int map;
	uint64_t *reader;
	const uint64_t *writer;
	const unsigned char *data;
	size_t page;
};

/* The lock is a directory's: every opening of a pinned map is one and the same file's. */
static int
lock_ring(struct link_switch *sw, struct switch_samples *s, struct nrd_err *err)
{
	char path[SWITCH_PATH_MAX];

	(void)snprintf(path, sizeof(path), "%s/maps", sw->dir);
	s->lock = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (s->lock >= 0 && flock(s->lock, LOCK_EX | LOCK_NB) == 0)
		return 0;
	if (errno == EWOULDBLOCK)
		return nrd_fail(err, EBUSY, "SamplesBusy",
				"read dropped frames: another reader does, and there can be one");
	return nrd_fail(err, errno, "SamplesOpen", "read dropped frames: lock %s: %m", path);
}

static int
map_ring(struct link_switch *sw, struct switch_samples *s, struct nrd_err *err)
{
	char path[SWITCH_PATH_MAX];
	void *p;

	(void)snprintf(path, sizeof(path), "%s/maps/%s", sw->dir, switch_map_names[MAP_samples]);
	s->map = link_bpf_open(path);
	if (s->map < 0)
		return nrd_fail(err, -s->map, "SamplesOpen", "open %s: %m", path);
	p = mmap(NULL, s->page, PROT_READ | PROT_WRITE, MAP_SHARED, s->map, 0);
	if (p == MAP_FAILED)
		return nrd_fail(err, errno, "SamplesOpen", "map the dropped frames: %m");
	s->reader = p;
	p = mmap(NULL, s->page + 2 * RING_BYTES, PROT_READ, MAP_SHARED, s->map, (off_t)s->page);
	if (p == MAP_FAILED)
		return nrd_fail(err, errno, "SamplesOpen", "map the dropped frames: %m");
	s->writer = p;
	s->data = (const unsigned char *)p + s->page;
	return 0;
}

int
switch_samples_open(struct link_switch *sw, struct switch_samples **ret_samples, struct nrd_err *err)
{
	struct switch_samples *s = calloc(1, sizeof(*s));
	int r;

	if (s == NULL)
		return nrd_nomem(err);
	s->lock = s->map = -1;
	s->page = (size_t)sysconf(_SC_PAGESIZE);
	r = lock_ring(sw, s, err);
	if (r >= 0)
		r = map_ring(sw, s, err);
	if (r < 0) {
		switch_samples_close(s);
		return r;
	}
	__atomic_store_n(s->reader, __atomic_load_n(s->writer, __ATOMIC_ACQUIRE), __ATOMIC_RELEASE);
	*ret_samples = s;
	return 0;
}

int
switch_samples_fd(const struct switch_samples *samples)
{
	return samples->map;
}

int
switch_samples_next(struct switch_samples *s, struct switch_sample *ret_sample)
{
	uint64_t at = *s->reader;

	while (at < __atomic_load_n(s->writer, __ATOMIC_ACQUIRE)) {
		const unsigned char *record = s->data + (at & (RING_BYTES - 1));
		uint32_t head = __atomic_load_n((const uint32_t *)(const void *)record, __ATOMIC_ACQUIRE);
		uint32_t len = head & ~(BPF_RINGBUF_BUSY_BIT | BPF_RINGBUF_DISCARD_BIT);
		bool got = (head & BPF_RINGBUF_DISCARD_BIT) == 0 && len == sizeof(*ret_sample);

		if ((head & BPF_RINGBUF_BUSY_BIT) != 0)
			return 0;
		if (got)
			memcpy(ret_sample, record + BPF_RINGBUF_HDR_SZ, sizeof(*ret_sample));
		at += (len + BPF_RINGBUF_HDR_SZ + 7u) & ~7u;
		__atomic_store_n(s->reader, at, __ATOMIC_RELEASE);
		if (got)
			return 1;
	}
	return 0;
}

void
switch_samples_close(struct switch_samples *s)
{
	if (s == NULL)
		return;
	if (s->reader != NULL)
		(void)munmap(s->reader, s->page);
	if (s->writer != NULL)
		(void)munmap((void *)(uintptr_t)s->writer, s->page + 2 * RING_BYTES);
	nrd_closep(&s->map);
	nrd_closep(&s->lock);
	free(s);
}
