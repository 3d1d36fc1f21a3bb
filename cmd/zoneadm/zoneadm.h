/* SPDX-License-Identifier: MPL-2.0 */
/* Copyright 2026 The Nereid authors */
#pragma once

#include <stdbool.h>

#include "brand/lifecycle.h"
#include "nrd/cli.h"
#include "nrd/mem.h"
#include "nrd/str.h"
#include "zone/client.h"
#include "zone/config.h"
#include "zone/state.h"

extern const struct nrd_opt attach_opts[], clone_opts[], detach_opts[], halt_all_opts[],
	install_opts[], list_opts[], shutdown_opts[], uninstall_opts[];

nrd_cmd_fn cmd_adopt, cmd_attach, cmd_boot, cmd_boot_all, cmd_clone, cmd_detach, cmd_halt,
	cmd_halt_all, cmd_install, cmd_list, cmd_mark, cmd_move, cmd_ready, cmd_reboot, cmd_shutdown,
	cmd_uninstall, cmd_verify, cmd_views;

/* As they were given to main(). */
extern char **zoneadm_argv;

/*
 * There are two programs of these verbs. zoneadm is static, as it is started often: a library costs
 * a tenth of a zone's boot. What is done with datasets and roots is in the other, which has all
 * verbs and can load libzfs; zoneadm becomes it when such a verb, or a boot that has to mount the
 * zone's dataset first, asks for that.
 */
#define ZONEADM_ZFS "/usr/lib/nereid/zoneadm-zfs"

/* Before the verb. */
struct global_opts {
	const char *zone; /* -z */
	const char *uuid; /* -u: beats -z when there is a zone of that uuid */
	const char *root; /* -R: another system's root, for list and mark */
};

struct attach_opts {
	bool force;
	const char *manifest;
};

struct clone_opts {
	const char *method;
	const char *snapshot;
};

struct detach_opts {
	bool only_show;
};

struct install_opts {
	const char *without;
	const char *tar;
	const char *dir;
};

struct uninstall_opts {
	bool force;
};

/* The zone of -z or -u. */
struct target {
	struct brand_place place;
	struct zone_config config;
	struct zone_run run;
	char *name;
	char *dir; /* place.dir */
	int lock;  /* zone_lock, -1 */
};

#define TARGET_NONE { .lock = -1 }
void target_cleanup(struct target *t);

enum target_flags {
	TARGET_LOCK = 1u << 0, /* it will be changed: nobody else may work on it */
	TARGET_ROOT = 1u << 1, /* -R is understood */
};

/* "Usage" without -z or -u, "ZoneNotFound", "ZoneBusy". */
int target_open(const struct nrd_args *args, unsigned flags, struct target *t,
		struct nrd_err *err);

/* Directory of the zones' files that -R means; NULL: the node's own. Caller frees. */
int global_dir(const struct nrd_args *args, char **ret_dir, struct nrd_err *err);
/* -z's name, or that of the zone of -u; NULL when neither is given. Caller frees. */
int global_name(const struct nrd_args *args, const char *dir, char **ret_name,
		struct nrd_err *err);

/*
 * How a verb ends: what went wrong is told as illumos' zoneadm tells it, "zoneadm: zone 'z1': ...",
 * and is exit status 1, whatever it was; usage errors stay nrd_cli_main's. name NULL: no zone.
 */
int told(const struct nrd_args *args, const char *name, int r, struct nrd_err *err);

/*
 * From here on the terminal's signals no longer end us in the middle of what we do to a zone: either
 * the steps are walked back (undo), or they are finished.
 */
void hold_signals(bool undo);

/* brand_root_ready(), by the program that can. */
int root_ready(const struct nrd_args *args, const struct zone_config *config, struct nrd_err *err);

/* The words behind "--" of boot and reboot. */
struct boot_words {
	struct zone_boot_request request;
	char *args; /* owned; request.args */
};
void boot_words_cleanup(struct boot_words *words);
int boot_words_parse(const struct nrd_args *args, struct boot_words *ret_words,
		     struct nrd_err *err);

/* A zone that boots though something is wrong with it: tells what. */
void boot_warn(const struct nrd_args *args, const char *name);

/* Seconds init has to end after it was asked to. */
#define SHUTDOWN_SECONDS 60
