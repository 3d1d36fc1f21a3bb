/* SPDX-License-Identifier: MPL-2.0 */
/* Copyright 2026 The Nereid authors */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <unistd.h>

#include "disk/inventory.h"
#include "nrd/cli.h"
#include "nrd/mem.h"
#include "nrd/table.h"

struct diskinfo_opts {
	struct nrd_table_opts table;
	bool condensed;
	bool physical;
};

static const struct nrd_opt opts_table[] = {
	NRD_OPT_FLAG('c', "condensed", struct diskinfo_opts, condensed,
		     "serial number, lamps and flags (FLRS) beside the rest"),
	NRD_OPT_FLAG('P', "physical", struct diskinfo_opts, physical,
		     "where the disks are: serial number, lamps, location"),
	NRD_OPT_FLAG('H', "no-header", struct diskinfo_opts, table.no_header,
		     "for programs: no header, fields parted by tabs"),
	NRD_OPT_FLAG('p', "parsable", struct diskinfo_opts, table.parsable,
		     "as -H, sizes in bytes"),
	NRD_OPT_STR('o', "output", struct diskinfo_opts, table.columns, "FIELD,...",
		    "which columns, in this order; \"all\" for all"),
	NRD_OPT_FLAG('j', "json", struct diskinfo_opts, table.json, "print JSON"),
	NRD_OPT_END(struct diskinfo_opts),
};

enum {
	COL_TYPE,
	COL_DISK,
	COL_VID,
	COL_PID,
	COL_SIZE,
	COL_RMV,
	COL_SSD,
	COL_SERIAL,
	COL_FLT,
	COL_LOC,
	COL_LOCATION,
	COL_FLRS,
	COL_RO,
	COL_BOOT,
	COL_BUSY,
	COL_USE,
	COLS,
};

static const struct nrd_col cols[COLS] = {
	[COL_TYPE] = { "type", 6 },
	[COL_DISK] = { "disk", 8 },
	[COL_VID] = { "vid", 8 },
	[COL_PID] = { "pid", 16 },
	[COL_SIZE] = { "size", 12, NRD_COL_NUM },
	[COL_RMV] = { "rmv", 3, NRD_COL_BOOL },
	[COL_SSD] = { "ssd", 3, NRD_COL_BOOL },
	[COL_SERIAL] = { "serial", 20, NRD_COL_HIDDEN },
	[COL_FLT] = { "flt", 3, NRD_COL_HIDDEN | NRD_COL_BOOL },
	[COL_LOC] = { "loc", 3, NRD_COL_HIDDEN | NRD_COL_BOOL },
	[COL_LOCATION] = { "location", 8, NRD_COL_HIDDEN },
	[COL_FLRS] = { "flrs", 4, NRD_COL_HIDDEN },
	[COL_RO] = { "ro", 3, NRD_COL_HIDDEN | NRD_COL_BOOL },
	[COL_BOOT] = { "boot", 4, NRD_COL_HIDDEN | NRD_COL_BOOL },
	[COL_BUSY] = { "busy", 4, NRD_COL_HIDDEN | NRD_COL_BOOL },
	[COL_USE] = { "use", 8, NRD_COL_HIDDEN },
};

/* How yes, no and not known are written: for JSON they become true, false and null. */
struct words {
	const char *flag[3];
	const char *missing;
};

static const struct words text_words = { { "-", "no", "yes" }, "-" };
static const struct words json_words = { { NULL, "false", "true" }, NULL };

static const char *
word_of(const struct words *words, bool yes)
{
	return words->flag[yes ? DISK_FLAG_YES : DISK_FLAG_NO];
}

static const char *
text_or(const struct words *words, const char *text)
{
	return text != NULL && *text != '\0' ? text : words->missing;
}

/* Fault and locate lamps, removable, solid state: a letter for yes, '-' for no, '?' not known. */
static void
format_flrs(const struct disk *disk, char ret[5])
{
	const enum disk_flag flags[4] = {
		disk->fault,
		disk->locate,
		disk->removable ? DISK_FLAG_YES : DISK_FLAG_NO,
		disk->ssd ? DISK_FLAG_YES : DISK_FLAG_NO,
	};

	for (size_t i = 0; i < 4; i++)
		ret[i] = flags[i] == DISK_FLAG_UNKNOWN ? '?' :
			 flags[i] == DISK_FLAG_YES     ? "FLRS"[i] :
							 '-';
	ret[4] = '\0';
}

static void
add_row(struct nrd_table *table, const struct disk *disk, const struct diskinfo_opts *opts)
{
	const struct words *words = opts->table.json ? &json_words : &text_words;
	char size[32], flrs[5];

	if (opts->table.parsable || opts->table.json)
		(void)snprintf(size, sizeof(size), "%" PRIu64, disk->size_bytes);
	else
		(void)snprintf(size, sizeof(size), "%7.2f GiB",
			       (double)disk->size_bytes / (1024.0 * 1024 * 1024));
	format_flrs(disk, flrs);

	const char *cells[COLS] = {
		[COL_TYPE] = text_or(words, disk_bus_name(disk->bus)),
		[COL_DISK] = disk->name,
		[COL_VID] = text_or(words, disk->vid),
		[COL_PID] = text_or(words, disk->pid),
		[COL_SIZE] = size,
		[COL_RMV] = word_of(words, disk->removable),
		[COL_SSD] = word_of(words, disk->ssd),
		[COL_SERIAL] = text_or(words, disk->serial),
		[COL_FLT] = words->flag[disk->fault],
		[COL_LOC] = words->flag[disk->locate],
		[COL_LOCATION] = text_or(words, disk->location),
		[COL_FLRS] = flrs,
		[COL_RO] = word_of(words, disk->read_only),
		[COL_BOOT] = word_of(words, disk->boot_medium),
		[COL_BUSY] = word_of(words, disk->busy),
		[COL_USE] = disk->use_error != NULL ? disk->use_error : text_or(words, disk->use),
	};

	nrd_table_row(table, cells);
}

static int
cmd_diskinfo(const struct nrd_args *args, struct nrd_err *err)
{
	struct diskinfo_opts opts = *(const struct diskinfo_opts *)args->opts;
	NRD_AUTO(nrd_table) *table = NULL;
	NRD_AUTO(disk_list) disks = { 0 };
	bool use;
	int r;

	if (opts.condensed && opts.physical)
		return nrd_usage(err, "-c and -P exclude each other");
	if (opts.table.columns == NULL && opts.physical)
		opts.table.columns = "disk,vid,pid,serial,flt,loc,location";
	if (opts.table.columns == NULL && opts.condensed)
		opts.table.columns = "type,disk,vid,pid,serial,size,flrs,location";

	/* -H and -p differ in the size only, which is a cell; both are the table's parsable form. */
	struct nrd_table_opts shown = opts.table;

	shown.parsable = shown.parsable || shown.no_header;
	shown.sep = "\t";
	r = nrd_table_new(cols, COLS, &shown, &table, err);
	if (r < 0)
		return r;
	use = nrd_table_wants(table, COL_BOOT) || nrd_table_wants(table, COL_BUSY) ||
	      nrd_table_wants(table, COL_USE);
	r = disk_list_read(NULL, use ? DISK_LIST_USE : 0, &disks, err);
	if (r < 0)
		return r;
	for (size_t i = 0; i < disks.len; i++)
		add_row(table, &disks.data[i], &opts);
	return nrd_table_print(table, STDOUT_FILENO, err);
}

int
main(int argc, char **argv)
{
	static const struct nrd_cmd only = {
		.fn = cmd_diskinfo,
		.opts = opts_table,
		.synopsis = "[-Hjp] [-c | -P] [-o FIELD,...]",
		.summary = "Lists the node's disks.",
		.max_args = NRD_ARGS_NONE,
	};
	const struct nrd_cli cli = { .prog = "diskinfo", .only = &only };

	return nrd_cli_main(&cli, argc, argv);
}
