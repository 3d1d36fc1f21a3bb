/* SPDX-License-Identifier: MPL-2.0 */
/* Copyright 2026 The Nereid authors */
#pragma once

#include <poll.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/stat.h>

#include "nrd/buf.h"
#include "nrd/err.h"
#include "nrd/json.h"

#define MDATA_CLIENTS 8
#define MDATA_POLLS (1 + MDATA_CLIENTS) /* entries of a poll set */

/* Buffers are there while there is something in them. */
struct mdata_client {
	int fd;             /* -1: nobody */
	struct nrd_buf in;  /* lines not answered yet */
	size_t looked;      /* at so much of in: there is no line end */
	struct nrd_buf out;
	size_t sent;        /* of out */
	bool ended;         /* no more comes */
	bool guest;         /* a guest's serial port, which makes room for nobody */
	int64_t active_ms;  /* when something last came or went */
	int64_t blocked_ms; /* since when its change waits for the zone's lock; 0: it does not */
};

/* The metadata service of one zone. */
struct mdata {
	int listener; /* -1: there is none */
	struct mdata_client clients[MDATA_CLIENTS];
	int64_t credit_us;  /* of work it may do; below 0 it rests */
	int64_t counted_us; /* up to when there was credit given */
	int64_t retry_ms;   /* when a change that waits is tried again */
	int64_t event_ms;   /* of the last event */
	bool event_due;
	int64_t logged_ms;
	struct nrd_json *config, *sysinfo; /* NULL: not read */
	struct stat read;                  /* the file that config is */
};

struct zoneadmd;

/* Makes the directory that the zone sees and listens in it. "Zoneadmd". */
int mdata_listen(struct zoneadmd *z, struct nrd_err *err);

/* A guest's serial port becomes a client; takes the descriptor. */
void mdata_serve(struct zoneadmd *z, int fd);

/* Whether there is such a client: one that does not fetch its answers is dropped as any other. */
bool mdata_serves(const struct mdata *m);

/* What to wait for, and for how long at most (*timeout_ms may become less; -1: for ever). */
void mdata_poll(const struct mdata *m, struct pollfd p[MDATA_POLLS], int *timeout_ms);

/* A bounded piece of work, for what poll(2) found. */
void mdata_turn(struct zoneadmd *z, const struct pollfd p[MDATA_POLLS]);
