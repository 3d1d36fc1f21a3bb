/* SPDX-License-Identifier: MPL-2.0 */
/* Copyright 2026 The Nereid authors */

/* Frames the switch dropped: samples of them, their first 64 bytes and why. */
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <time.h>

#include "link/find.h"
#include "link/switch.h"
#include "nrd/mem.h"
#include "snoop.h"

struct drops {
	struct snoop *s;
	struct link_switch *sw;         /* owned */
	struct switch_samples *samples; /* owned */
	pcap_t *like;                   /* owned */
	struct bpf_program program;
	bool compiled;
	unsigned ifindex;
	uint32_t port;                  /* 0: the link is no port */
	uint32_t segment;               /* of an etherstub; 0: of one link */
};

static void
drops_cleanup(struct drops *d)
{
	if (d->compiled)
		pcap_freecode(&d->program);
	if (d->like != NULL)
		pcap_close(d->like);
	switch_samples_close(d->samples);
	switch_close(d->sw);
}

/* The link is a VNIC, an etherstub, for all of its ports, or a NIC: for what came in by it. */
static int
find_link(struct drops *d, struct nrd_err *err)
{
	NRD_AUTO(link_found) found = { 0 };
	struct switch_port port;
	int r = link_find(d->s->opts->zone, d->s->opts->drops, &found, err);

	if (r == 0)
		r = switch_open(NULL, &d->sw, err);
	if (r < 0)
		return r;
	d->ifindex = found.ifindex;
	if (found.has_record && found.d.class_ == DATALINK_ETHERSTUB)
		return switch_segment_get(d->sw, found.d.name, &d->segment, err);
	if (switch_port_get(d->sw, found.ifindex, &port, NULL) == 0)
		d->port = port.port;
	return 0;
}

/* Whose it is: the port's that it counts for, which may be its receiver. */
static bool
is_ours(struct drops *d, const struct switch_sample *sample)
{
	struct switch_port port;

	if (d->segment != 0)
		return switch_port_get(d->sw, sample->ifindex, &port, NULL) == 0 && port.segment == d->segment;
	return d->port != 0 ? sample->port == d->port : sample->port == 0 && sample->ifindex == d->ifindex;
}

/* Samples tell the time since the node's start. */
static struct timeval
time_of(uint64_t mono_ns)
{
	struct timespec mono, real;
	int64_t ns;

	(void)clock_gettime(CLOCK_MONOTONIC, &mono);
	(void)clock_gettime(CLOCK_REALTIME, &real);
	ns = (real.tv_sec - mono.tv_sec) * INT64_C(1000000000) + (real.tv_nsec - mono.tv_nsec) + (int64_t)mono_ns;
	return (struct timeval){ .tv_sec = ns / 1000000000, .tv_usec = ns % 1000000000 / 1000 };
}

static int
take(struct drops *d, const struct switch_sample *sample, struct nrd_err *err)
{
	const char *name = switch_drop_name(sample->reason), *counter = switch_drop_counter(sample->reason);
	struct pcap_pkthdr header = { .caplen = sample->caught, .len = sample->len };
	char reason[80];
	const struct packet p = {
		.time = time_of(sample->time_ns),
		.caught = sample->caught < SWITCH_SAMPLE_BYTES ? sample->caught : SWITCH_SAMPLE_BYTES,
		.len = sample->len,
		.vid = sample->vid,
		.bytes = sample->bytes,
		.reason = reason,
	};

	if (!is_ours(d, sample) || pcap_offline_filter(&d->program, &header, sample->bytes) == 0)
		return 0;
	if (counter[0] != '\0' && !d->s->opts->json)
		(void)snprintf(reason, sizeof(reason), "%s (%s)", name, counter);
	else
		(void)snprintf(reason, sizeof(reason), "%s", name);
	return snoop_packet(d->s, &p, err);
}

static int
run(struct drops *d, int signals, struct nrd_err *err)
{
	struct pollfd fds[] = {
		{ .fd = signals, .events = POLLIN },
		{ .fd = switch_samples_fd(d->samples), .events = POLLIN },
	};
	struct switch_sample sample;
	int r = 0;

	while (r == 0) {
		if (poll(fds, nrd_count(fds), -1) < 0)
			return nrd_fail(err, errno, "SnoopRead", "wait for frames: %m");
		if (fds[0].revents != 0)
			return 0;
		while (r == 0 && switch_samples_next(d->samples, &sample) == 1)
			r = take(d, &sample, err);
		if (d->s->dump == NULL && fflush(stdout) != 0)
			return nrd_fail(err, errno, "SnoopWrite", "write: %m");
	}
	return r;
}

int
capture_drops(struct snoop *s, struct nrd_err *err)
{
	__attribute__((cleanup(drops_cleanup))) struct drops d = { .s = s };
	NRD_CLOSE int signals = -1;
	int closed, r = signals_hold(&signals, err);

	if (r == 0)
		r = find_link(&d, err);
	if (r < 0)
		return r;
	d.like = pcap_open_dead(DLT_EN10MB, SWITCH_SAMPLE_BYTES);
	if (d.like == NULL)
		return nrd_nomem(err);
	r = filter_compile(s, d.like, &d.program, err);
	d.compiled = r == 0;
	if (r == 0)
		r = switch_samples_open(d.sw, &d.samples, err);
	if (r == 0)
		r = dump_open(s, d.like, err);
	if (r < 0)
		return r;
	if (!s->opts->quiet)
		(void)fprintf(stderr, "Using frames that the switch dropped of %s\n", s->opts->drops);
	r = run(&d, signals, err);
	closed = dump_close(s, r < 0 ? NULL : err);
	return r < 0 ? r : closed;
}
