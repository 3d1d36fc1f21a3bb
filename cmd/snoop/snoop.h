/* SPDX-License-Identifier: MPL-2.0 */
/* Copyright 2026 The Nereid authors */
#pragma once

#include <pcap/pcap.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/time.h>

#include "link/frame-text.h"
#include "nrd/err.h"

#define SNAPLEN_MAX 262144

struct snoop_opts {
	const char *device, *drops, *in, *out, *zone, *times, *hex, *range;
	uint64_t count, snaplen;
	bool names, verbose, layers, quiet, sizes, quiet_nic, json;
};

/* One frame, from wherever it came. */
struct packet {
	struct timeval time;
	size_t caught, len;
	unsigned vid;          /* of a tag that is not in bytes; 0: none */
	const uint8_t *bytes;
	const char *reason;    /* why it was dropped; NULL: it was not, as far as is known */
};

/* What is done with frames, and what was. */
struct snoop {
	const struct snoop_opts *opts;
	const char *filter;    /* pcap-filter(7); NULL: all */
	enum frame_text how;
	char times;            /* r, a, d; 0: no times */
	bool numbered;
	uint64_t first, last;  /* -p: which numbers are shown; 0: all */
	size_t hex_from, hex_bytes;
	bool hex;
	pcap_dumper_t *dump;   /* -o; not owned */
	uint64_t seen, shown;
	struct timeval begin, before;
};

/* 1: that was the last one that is wanted. */
int snoop_packet(struct snoop *s, const struct packet *p, struct nrd_err *err);

/* Where they come from: until there are enough, or a signal. */
int capture_live(struct snoop *s, struct nrd_err *err);
int capture_file(struct snoop *s, struct nrd_err *err);
int capture_drops(struct snoop *s, struct nrd_err *err);

/* SIGINT, SIGTERM, SIGHUP are read from it; a reader of ours that went away is an error of write. */
int signals_hold(int *ret_fd, struct nrd_err *err);

/* handle's, for the filter; "SnoopFilter". */
int filter_compile(struct snoop *s, pcap_t *handle, struct bpf_program *ret_program, struct nrd_err *err);

/* -o, when there is one: closed with *ret_dump. "SnoopWrite". */
int dump_open(struct snoop *s, pcap_t *like, struct nrd_err *err);
int dump_close(struct snoop *s, struct nrd_err *err);
