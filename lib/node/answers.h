/* SPDX-License-Identifier: MPL-2.0 */
/* Copyright 2026 The Nereid authors */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "nrd/buf.h"
#include "nrd/err.h"
#include "nrd/mac.h"
#include "nrd/schema.h"

/*
 * What a node is set up with, as answers.json (nereid-answers(5)) gives it or the dialogue fills
 * it in. The keys are SmartOS's and a few of ours. Text "<default>" means: not given.
 */
#define NODE_ANSWERS_MAX ((size_t)256 << 10)
#define NODE_ANSWERS_LIST_MAX 64

struct node_answers {
	struct nrd_present present;

	char *hostname;
	char *admin_nic; /* MAC, or the link's name */
	char *admin_ip;  /* or "dhcp" */
	char *admin_netmask;
	char *headnode_default_gateway; /* or "none" */
	uint64_t admin_vlan_id;
	char *dns_resolver1;
	char *dns_resolver2;
	char **dns_resolvers;
	char *dns_search;
	char *ntp_host; /* names or addresses by commas */

	char *zpool_layout; /* "default", a name of disk_layout_names; "yes" is "default" */
	char *zpool_confirm_layout;
	char **disks;           /* use these and no others: names, serials, /dev/disk/by-id paths */
	char **overwrite_disks; /* these may lose what they hold */

	char *root_password;
	char *root_password_hash;
	char **root_authorized_keys;

	/* Taken for SmartOS's sake; what they asked for there does not exist or is never asked. */
	char *config_console;
	char *bootpool;
	char *pisource;
	char *install_pkgsrc;
	bool skip_instructions;
	bool simple_headers;
	bool skip_ntp_check;
	bool skip_final_confirm;
	bool skip_final_summary;
};

extern const struct nrd_schema node_answers_schema;

/*
 * Decodes and checks answers.json, the rules between its values included. One line on failure:
 * "answers: admin_ip: ..." with the codes of schema.h, "BadAnswers", or BadJson.
 */
int node_answers_parse(const char *text, size_t len, struct node_answers *ret_answers,
		       struct nrd_err *err);
int node_answers_read(const char *path, struct node_answers *ret_answers, struct nrd_err *err);
void node_answers_fini(struct node_answers *answers);
void node_answers_cleanup(struct node_answers *answers);

/* The rules between values alone, for a struct filled by hand. "BadAnswers", "BadNetwork". */
int node_answers_check(const struct node_answers *answers, struct nrd_err *err);

/* Those of the network among them. */
int node_answers_check_network(const struct node_answers *answers, struct nrd_err *err);

/* The check for one key's text, for a dialogue; NULL when the key has none. */
nrd_check_fn *node_answers_rule(const char *key);

/* Not empty, no control characters, at most 512 bytes. The message does not repeat it. */
int node_check_password(const char *s, struct nrd_err *err);

/* One line of an authorized_keys file: a type we know and base64. "BadKey". */
int node_check_ssh_key(const char *s, struct nrd_err *err);
