/* SPDX-License-Identifier: MPL-2.0 */
/* Copyright 2026 The Nereid authors */
#pragma once

#include "node/answers.h"
#include "node/ask.h"
#include "node/setup.h"
#include "nrd/err.h"

/*
 * One terminal at a time: "SetupBusy" (-EBUSY) names the other one. The lock ends with the
 * descriptor.
 */
int setup_lock(int *ret_fd, struct nrd_err *err);

/*
 * Asks everything, filling answers; what is in them already is offered again as default. "AskAgain"
 * and "AskEnd" as ask_text.
 */
int setup_dialogue(struct ask *ask, const struct node_setup *setup, struct node_answers *answers,
		   struct nrd_err *err);

/* The part about disks: which ones and in what layout. */
int setup_ask_disks(struct ask *ask, const struct node_setup *setup, struct node_answers *answers,
		    struct nrd_err *err);

/* Takes an answer into a field, "" as not given; owns text. */
void setup_take(struct node_answers *answers, size_t offset, char *text);

#define SETUP_TAKE(answers, member, text) \
	setup_take((answers), NRD_OFFSET(struct node_answers, member, char *), (text))

/* For a dialogue on a node that is set up: its configuration as answers. */
int setup_from_config(const struct node_config *config, struct node_answers *answers,
		      struct nrd_err *err);
