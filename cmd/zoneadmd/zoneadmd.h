/* SPDX-License-Identifier: MPL-2.0 */
/* Copyright 2026 The Nereid authors */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "agent.h"
#include "dhcp.h"
#include "guest.h"
#include "mdata.h"
#include "nics.h"
#include "nrd/err.h"
#include "provision.h"
#include "restart.h"
#include "zone/boot.h"
#include "zone/client.h"
#include "zone/config.h"
#include "zone/spec.h"
#include "zone/state.h"

#define CLIENTS_MAX 32
#define RING_BYTES 65536
#define PIECE 4096 /* read or written at once */
#define DRAIN_PIECES 512 /* more cannot have been on its way when a zone went down */

/* What the console said before anybody listened. */
struct ring {
	char data[RING_BYTES];
	size_t start, len;
};

/*
 * What was typed and not taken yet: while there is something in it, who types is not read, so the
 * one that waits is the operator's terminal and not we.
 */
struct sink {
	char data[PIECE];
	size_t start, len;
};

enum client_kind {
	CLIENT_NONE,
	CLIENT_REQUESTS,
	CLIENT_CONSOLE,   /* types and looks on */
	CLIENT_SPECTATOR, /* looks on */
	CLIENT_STDIO,     /* standard input and output of a process without a terminal */
	CLIENT_STDOUT,    /* its output alone */
	CLIENT_STDERR,
};

struct client {
	int fd;
	enum client_kind kind;
	bool waits_for_down; /* its shutdown is answered when the zone is down */
	bool no_input;       /* it has said that no more comes */
	bool keeps_input;    /* which is not the end of what the process reads */
	bool gone;           /* and so has its other end; what it typed before is still taken */
	const char *asks;    /* a guest's agent, and waits for the answer; NULL */
	bool holds;          /* a guest's filesystems stand still for it */
};

enum shutdown_kind {
	SHUTDOWN_NONE,
	SHUTDOWN_HALT,
	SHUTDOWN_REBOOT,
};

/* All of one zone. The state file says what others need to know of it, at any moment. */
struct zoneadmd {
	const char *name;
	struct zone_config config; /* as it was at ready */
	struct zone_spec spec;
	struct zone_run run;
	struct zone_boot boot;
	struct ring ring; /* never copied: memory that was not written yet costs nothing */
	struct client clients[CLIENTS_MAX];
	int listener;
	int alive;           /* /run/zones/.alive */
	int console;         /* the terminal's master, -1 */
	int console_peer;    /* its other end */
	struct sink to_console;
	int stdio[3];        /* our ends of the streams of a process without a terminal, -1 */
	struct sink to_stdin;
	int stdio_log;       /* what it says, -1 */
	enum shutdown_kind shutting; /* init was asked to end */
	int64_t deadline_ms; /* then it is killed; 0: none */
	struct mdata mdata;
	struct provision provision;
	struct restart restart;
	struct nics_watch nics;
	struct dhcp dhcp;
	struct guest guest;
	struct agent agent;
	int asker;           /* the program that asks it to, a child of ours; -1 */
	bool adopted;        /* init is not our child */
	int exits;           /* where its end is told then, -1 */
	bool end_known;      /* and what was told: a wait(2) status */
	int end_status;
	bool died;           /* init ended, and nobody had wished it */
	uint64_t quick_deaths;
	int64_t booted_ms;
};

/* ---- zone.c: the zone up and down; spec.c: as its brand wants it ---- */

/* What the zone's brand wants to be started. */
int spec_make(const struct zone_config *config, const struct zone_boot_request *how,
	      struct zone_spec *ret_spec, struct nrd_err *err);

/* Asks init to end, in the way its kind understands: by a signal, or a program in the zone. */
int spec_ask_init(struct zoneadmd *z, bool reboot, struct nrd_err *err);

/*
 * That program has ended, perhaps. Until it is reaped the kernel does not let init of the zone end:
 * a pid namespace goes when its last process has gone.
 */
void spec_reap(struct zoneadmd *z);

/* What a zone's boot makes of its NICs. */
extern const struct zone_network zone_network;

/* They write the state file and the event before others can see the difference. */
int zone_op_ready(struct zoneadmd *z, struct nrd_err *err);
int zone_op_boot(struct zoneadmd *z, const struct zone_boot_request *how, struct nrd_err *err);
int zone_op_halt(struct zoneadmd *z, struct nrd_err *err);
int zone_op_reboot(struct zoneadmd *z, const struct zone_boot_request *how, struct nrd_err *err);
/* Asks init to end, and kills it after that time; the rest happens when it has ended. */
int zone_op_shutdown(struct zoneadmd *z, bool reboot, unsigned timeout_s, struct nrd_err *err);
int zone_op_apply(struct zoneadmd *z, struct nrd_err *err);

/* Tells others what is in force: z->config. */
void zone_record(const struct zoneadmd *z);

/* Init has ended: what it meant by that is done. */
void zone_init_ended(struct zoneadmd *z);

/* Takes over what runs already: after zoneadmd was killed. */
int zone_adopt(struct zoneadmd *z, struct nrd_err *err);

/* ---- exits.c ---- */

/* Caller closes. */
int exits_listen(struct nrd_err *err);

/* Reads what is there; true when the end of pid was told: a wait(2) status. */
bool exits_find(int fd, pid_t pid, int *ret_status);

/* ---- console.c: the terminal, and who looks on ---- */
void console_readable(struct zoneadmd *z);
void console_drain(struct zoneadmd *z); /* what it said last */
void console_set(struct zoneadmd *z, int master); /* takes it */
void console_say(struct zoneadmd *z, const char *fmt, ...)
	__attribute__((format(printf, 2, 3))); /* "[NOTICE: Zone rebooting]" */
void console_attach(struct zoneadmd *z, struct client *c, enum client_kind kind);

/* To those who look on, and kept for who comes later. */
void console_show(struct zoneadmd *z, const char *data, size_t len);

/* To all clients of a kind. */
void console_spread(struct zoneadmd *z, enum client_kind kind, const char *data, size_t len);

/* What to poll for: a client, and the places what it types goes to. */
short console_client_events(const struct zoneadmd *z, const struct client *c);
void console_client_ready(struct zoneadmd *z, struct client *c, short revents);
void sink_flush(struct sink *sink, int fd);

/* ---- stdio.c: standard input, output and error that are no terminal ---- */

/* Makes them for the boot that is to come, when its spec wants them: z->boot.stdio. "ZoneStdio". */
int stdio_open(struct zoneadmd *z, struct nrd_err *err);

/* After the boot: the other ends are the zone's alone. */
void stdio_started(struct zoneadmd *z);

/* Those of a process that runs already. */
void stdio_adopt(struct zoneadmd *z);
void stdio_close(struct zoneadmd *z);
void stdio_readable(struct zoneadmd *z, int stream);
void stdio_drain(struct zoneadmd *z);
void stdio_end_input(struct zoneadmd *z);

/* Into the log of the process, when there is one. */
void stdio_log(struct zoneadmd *z, const char *stream, const char *data, size_t len);

/* ---- server.c ---- */
int server_listen(struct zoneadmd *z, struct nrd_err *err);
void server_unlisten(const struct zoneadmd *z);
void server_accept(struct zoneadmd *z);
void server_ready(struct zoneadmd *z, struct client *c, short revents);
void server_answer(struct client *c, int r, const struct nrd_err *err);
void server_answer_with(struct client *c, const char *text); /* what was asked for, as JSON */
void server_drop(struct client *c);
void server_tell_down(struct zoneadmd *z, int r, const struct nrd_err *err);
