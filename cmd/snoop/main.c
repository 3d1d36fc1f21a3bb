/* SPDX-License-Identifier: MPL-2.0 */
/* Copyright 2026 The Nereid authors */
#include <string.h>

#include "nrd/cli.h"
#include "nrd/mem.h"
#include "nrd/str.h"
#include "snoop.h"

static const struct nrd_opt opts_table[] = {
	NRD_OPT_STR('d', NULL, struct snoop_opts, device, "LINK", "watch this link: LINK, or ZONE/LINK"),
	NRD_OPT_STR('D', NULL, struct snoop_opts, drops, "LINK", "frames of it that the switch dropped, and why"),
	NRD_OPT_STR('z', NULL, struct snoop_opts, zone, "ZONE", "the link is this zone's"),
	NRD_OPT_STR('i', NULL, struct snoop_opts, in, "FILE", "read frames from a file (pcap)"),
	NRD_OPT_STR('o', NULL, struct snoop_opts, out, "FILE", "write them to a file (pcap) and print none"),
	NRD_OPT_U64('c', NULL, struct snoop_opts, count, 1, UINT64_MAX, "COUNT", "end after so many"),
	NRD_OPT_U64('s', NULL, struct snoop_opts, snaplen, 1, SNAPLEN_MAX, "BYTES", "take so many bytes of each"),
	NRD_OPT_STR('p', NULL, struct snoop_opts, range, "FIRST[,LAST]", "with -i: these only"),
	NRD_OPT_STR('t', NULL, struct snoop_opts, times, "r|a|d", "times: since the first, of the day, since the one before"),
	NRD_OPT_STR('x', NULL, struct snoop_opts, hex, "OFFSET[,LENGTH]", "its bytes too"),
	NRD_OPT_FLAG('r', NULL, struct snoop_opts, names, "addresses, not names; it is always so"),
	NRD_OPT_FLAG('v', NULL, struct snoop_opts, verbose, "a line for each field"),
	NRD_OPT_FLAG('V', NULL, struct snoop_opts, layers, "a line for each protocol"),
	NRD_OPT_FLAG('S', NULL, struct snoop_opts, sizes, "the length of each"),
	NRD_OPT_FLAG('q', NULL, struct snoop_opts, quiet, "say nothing but frames"),
	NRD_OPT_FLAG('P', NULL, struct snoop_opts, quiet_nic, "a NIC: only what it takes in anyway"),
	NRD_OPT_FLAG('j', NULL, struct snoop_opts, json, "print JSON, an object a line"),
	NRD_OPT_END(struct snoop_opts),
};

/* "A" or "A,B". */
static int
pair(const char *text, uint64_t min, uint64_t *ret_a, uint64_t *ret_b, const char *what, struct nrd_err *err)
{
	const char *comma = strchr(text, ',');
	NRD_FREE char *a = nrd_str_dup(comma != NULL ? nrd_strn(text, (size_t)(comma - text)) : nrd_str(text));

	if (a == NULL)
		return nrd_nomem(err);
	if (nrd_parse_u64(a, min, UINT32_MAX, ret_a, NULL) < 0 ||
	    (comma != NULL && nrd_parse_u64(comma + 1, 1, UINT32_MAX, ret_b, NULL) < 0))
		return nrd_usage(err, "%s: \"%.40s\" is no number, nor two by a comma", what, text);
	return 0;
}

static int
settle(struct snoop *s, struct nrd_err *err)
{
	const struct snoop_opts *o = s->opts;
	uint64_t from = 0, bytes = 0;
	int r = 0;

	if ((o->device != NULL) + (o->drops != NULL) + (o->in != NULL) != 1)
		return nrd_usage(err, "frames of what? one of -d LINK, -D LINK, -i FILE");
	if (o->range != NULL && o->in == NULL)
		return nrd_usage(err, "-p goes with -i");
	if (o->times != NULL && (strlen(o->times) != 1 || strchr("rad", o->times[0]) == NULL))
		return nrd_usage(err, "-t: \"%.40s\" is none of r, a, d", o->times);
	if (o->verbose && o->layers)
		return nrd_usage(err, "-v or -V, not both");
	if (o->range != NULL) {
		r = pair(o->range, 1, &s->first, &s->last, "-p", err);
		if (r == 0 && s->last == 0)
			s->last = s->first;
		if (r == 0 && s->last < s->first)
			r = nrd_usage(err, "-p: %s: the last is before the first", o->range);
	}
	if (r == 0 && o->hex != NULL)
		r = pair(o->hex, 0, &from, &bytes, "-x", err);
	s->hex = o->hex != NULL;
	s->hex_from = from;
	s->hex_bytes = bytes;
	s->how = o->verbose ? FRAME_VERBOSE : o->layers ? FRAME_LAYERS : FRAME_SUMMARY;
	s->numbered = o->in != NULL;
	s->times = o->times != NULL ? o->times[0] : o->in != NULL ? 'd' : '\0';
	return r;
}

static int
cmd_snoop(const struct nrd_args *args, struct nrd_err *err)
{
	struct snoop s = { .opts = args->opts };
	NRD_FREE char *filter = nrd_strv_join(NRD_CSTRV(args->argv), " ");
	int r = settle(&s, err);

	if (r < 0)
		return r;
	if (filter == NULL)
		return nrd_nomem(err);
	s.filter = args->argc > 0 ? filter : NULL;
	if (s.opts->in != NULL)
		r = capture_file(&s, err);
	else
		r = s.opts->drops != NULL ? capture_drops(&s, err) : capture_live(&s, err);
	return r < 0 ? r : NRD_EXIT_OK;
}

static const struct nrd_cmd only = {
	"snoop", cmd_snoop, opts_table,
	"-d LINK | -D LINK | -i FILE [-o FILE] [-c COUNT] [-s BYTES] [-p FIRST[,LAST]] [-t r|a|d] [-x OFFSET[,LENGTH]] [-rvVSqPj] "
	"[-z ZONE] [EXPRESSION]",
	"show frames of a link", NRD_CMD_STOP_EARLY,
};

static const struct nrd_cli cli = {
	.prog = "snoop",
	.summary = "show frames of a link, and those that were dropped",
	.only = &only,
};

int
main(int argc, char **argv)
{
	return nrd_cli_main(&cli, argc, argv);
}
