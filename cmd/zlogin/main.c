/* SPDX-License-Identifier: MPL-2.0 */
/* Copyright 2026 The Nereid authors */
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <unistd.h>

#include "nrd/cli.h"
#include "nrd/mem.h"
#include "nrd/str.h"
#include "zlogin.h"
#include "zone/state.h"

static const struct nrd_opt opts_table[] = {
	NRD_OPT_STR('l', NULL, struct zlogin_opts, user, "USER", "log in as this user, not as root"),
	NRD_OPT_FLAG('C', NULL, struct zlogin_opts, console, "the zone's console"),
	NRD_OPT_FLAG('I', NULL, struct zlogin_opts, stdio,
		     "standard input and output of a zone whose life is one process"),
	NRD_OPT_FLAG('N', NULL, struct zlogin_opts, no_eof, "with -I: do not pass on the end of input"),
	NRD_OPT_FLAG('d', NULL, struct zlogin_opts, disconnect,
		     "with -C or -I: leave when the zone halts"),
	NRD_OPT_FLAG('S', NULL, struct zlogin_opts, safe,
		     "neither login nor su, for a zone that is broken"),
	NRD_OPT_FLAG('i', NULL, struct zlogin_opts, interactive, "the command gets a terminal"),
	NRD_OPT_FLAG('n', NULL, struct zlogin_opts, no_input, "input comes from /dev/null; with -C or -I: only look on"),
	NRD_OPT_STR('e', NULL, struct zlogin_opts, escape, "CHAR", "escape character instead of ~"),
	NRD_OPT_FLAG('E', NULL, struct zlogin_opts, no_escape, "no escape character"),
	NRD_OPT_FLAG('Q', NULL, struct zlogin_opts, quiet, "no messages of connection"),
	NRD_OPT_END(struct zlogin_opts),
};

int
zlogin_escape(const struct zlogin_opts *opts, int *ret_ch, struct nrd_err *err)
{
	*ret_ch = opts->no_escape ? -1 : '~';
	return opts->escape == NULL || opts->no_escape ? 0 :
							 zone_escape_parse(opts->escape, ret_ch, err);
}

void
zlogin_say(const struct zlogin_opts *opts, const char *fmt, ...)
{
	va_list ap;

	if (opts->quiet)
		return;
	va_start(ap, fmt);
	(void)vprintf(fmt, ap);
	va_end(ap);
	(void)fflush(stdout);
}

static int
check_options(const struct zlogin_opts *opts, int argc, struct nrd_err *err)
{
	bool console = opts->console || opts->stdio;
	int ch;

	if (opts->console && opts->stdio)
		return nrd_usage(err, "-C and -I exclude each other");
	if (console && (opts->user != NULL || opts->safe || opts->interactive))
		return nrd_usage(err, "-%c goes with none of -l, -S and -i",
				 opts->console ? 'C' : 'I');
	if (console && argc > 1)
		return nrd_usage(err, "-%c takes no command", opts->console ? 'C' : 'I');
	if (opts->disconnect && !console)
		return nrd_usage(err, "-d goes with -C or -I only");
	if (opts->no_eof && !opts->stdio)
		return nrd_usage(err, "-N goes with -I only");
	if (opts->safe && opts->user != NULL)
		return nrd_usage(err, "-S is root's: it does not go with -l");
	if (opts->interactive && argc == 1)
		return nrd_usage(err, "-i needs a command");
	return zlogin_escape(opts, &ch, err);
}

/* Descriptors we open must not become 0, 1 or 2, which would be the operator's. */
static int
fill_stdio(struct nrd_err *err)
{
	for (int fd = 0; fd < 3; fd++) {
		if (fcntl(fd, F_GETFD) < 0 && open("/dev/null", O_RDWR) < 0)
			return nrd_fail(err, errno, "FileOpen", "open /dev/null: %m");
	}
	return 0;
}

/* By its name, or by the uuid it has. */
static int
find_zone(const char *name, struct zone_config *ret_config, struct nrd_err *err)
{
	NRD_FREE char *by_uuid = NULL;
	int r;

	if (nrd_streq(name, "global"))
		return nrd_fail(err, EINVAL, "GlobalZone", "zone 'global' is where you are");
	if (zone_name_check(name, NULL) < 0)
		return nrd_fail(err, EINVAL, "BadName", "zone '%.64s' unknown", name);
	r = zone_config_read(NULL, name, ret_config, err);
	if (r == -ENOENT && zone_config_by_uuid(NULL, name, &by_uuid, NULL) >= 0)
		return zone_config_read(NULL, by_uuid, ret_config, err);
	if (r == -ENOENT)
		return nrd_fail(err, ENOENT, "ZoneNotFound", "zone '%s' unknown", name);
	return r;
}

static int
check_state(const struct zone_config *config, bool console, struct nrd_err *err)
{
	struct zone_run run = { 0 };
	int r = zone_run_read(config->zonename, &run, err);
	enum zone_state state = zone_state_of(config->installed, &run);

	if (r < 0)
		return r;
	if (state < ZONE_ST_INSTALLED)
		return nrd_fail(err, EINVAL, "ZoneWrongState",
				"cannot login to a zone which is '%s'", zone_state_name(state));
	if (!console && state != ZONE_ST_RUNNING)
		return nrd_fail(err, EINVAL, "ZoneWrongState",
				"login allowed only to running zones (%s is '%s').",
				config->zonename, zone_state_name(state));
	return 0;
}

static int
enter(const struct nrd_args *args, struct nrd_err *err)
{
	const struct zlogin_opts *opts = args->opts;
	NRD_AUTO(zone_config) config = { 0 };
	bool console = opts->console || opts->stdio;
	int r;

	if (geteuid() != 0)
		return nrd_fail(err, EPERM, "NotRoot",
				"only root of the global zone may enter a zone");
	r = find_zone(args->argv[0], &config, err);
	if (r == 0)
		r = check_state(&config, console, err);
	if (r < 0)
		return r;
	if (console)
		return console_run(&config, opts, err);
	return session_run(&config, opts, NRD_CSTRV(args->argv + 1), err);
}

/* Exit 1 whatever kept us out: 3 would be the command's. */
static int
cmd_zlogin(const struct nrd_args *args, struct nrd_err *err)
{
	int r = check_options(args->opts, args->argc, err);

	if (r < 0)
		return r;
	r = fill_stdio(err);
	if (r == 0)
		r = enter(args, err);
	if (r < 0)
		return NRD_EXIT_FAIL;
	/* A status of the command's is no failure of ours. */
	*err = (struct nrd_err){ 0 };
	return r;
}

static const struct nrd_cmd only = {
	NULL, cmd_zlogin, opts_table,
	"[-CdEiINnQS] [-e CHAR] [-l USER] ZONE [COMMAND [ARGUMENT...]]",
	.flags = NRD_CMD_STOP_EARLY, .min_args = 1,
};

static const struct nrd_cli cli = {
	.prog = "zlogin",
	.summary = "enter a zone",
	.only = &only,
};

int
main(int argc, char **argv)
{
	return nrd_cli_main(&cli, argc, argv);
}
