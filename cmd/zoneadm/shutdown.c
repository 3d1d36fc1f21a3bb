/* SPDX-License-Identifier: MPL-2.0 */
/* Copyright 2026 The Nereid authors */
#include <errno.h>

#include "zoneadm.h"

struct shutdown_opts {
	bool reboot;
	uint64_t timeout;
};

const struct nrd_opt shutdown_opts[] = {
	NRD_OPT_FLAG('r', NULL, struct shutdown_opts, reboot, "boot it again afterwards"),
	NRD_OPT_U64('t', "timeout", struct shutdown_opts, timeout, 0, 86400, "SECONDS",
		    "how long its services have; then it is halted"),
	NRD_OPT_END(struct shutdown_opts),
};

/* Shutting down with arguments for the boot after it is two acts, the second a plain boot. */
static int
boot_again(const char *name, const struct boot_words *words, struct nrd_err *err)
{
	NRD_CLOSE int fd = -1;
	int r = zone_client_open(name, &fd, err);

	return r == 0 ? zone_client_boot(fd, &words->request, err) : r;
}

int
cmd_shutdown(const struct nrd_args *args, struct nrd_err *err)
{
	__attribute__((cleanup(target_cleanup))) struct target t = TARGET_NONE;
	__attribute__((cleanup(boot_words_cleanup))) struct boot_words words = { 0 };
	const struct shutdown_opts *opts = args->opts;
	unsigned timeout = nrd_given(args, 't') ? (unsigned)opts->timeout : SHUTDOWN_SECONDS;
	bool with_words = args->argc > 0;
	NRD_CLOSE int fd = -1;
	int r;

	if (with_words && !opts->reboot)
		return nrd_usage(err, "arguments for a boot go with -r");
	r = boot_words_parse(args, &words, err);
	if (r == 0)
		r = target_open(args, 0, &t, err);
	if (r == 0 && t.run.state != ZONE_ST_RUNNING)
		r = nrd_fail(err, EINVAL, "ZoneWrongState",
			     "must be running before shutdown: it is %s.",
			     zone_state_name(zone_state_of(t.config.installed, &t.run)));
	if (r == 0)
		r = zone_client_open(t.name, &fd, err);
	if (r == 0)
		r = zone_client_shutdown(fd, opts->reboot && !with_words, timeout, err);
	if (r == 0 && opts->reboot && with_words)
		r = boot_again(t.name, &words, err);
	return told(args, t.name, r, err);
}
