/* SPDX-License-Identifier: MPL-2.0 */
/* Copyright 2026 The Nereid authors */
#pragma once

#include "err.h"

/*
 * Fault injection, for tests. What can fail passes a point just before it is tried; NEREID_FAULT=N
 * in the environment makes the Nth point of the first attempt fail, the N+1st of the second, and
 * so on until an attempt passes fewer and succeeds. Children that were forked meanwhile count
 * along. Without that variable a point costs one comparison.
 */

/* Reads the variable; to be called before there are children. */
void nrd_fault_init(void);

/* An attempt begins. */
void nrd_fault_begin(void);

/* 0, or -EIO and "Fault" with the number and name of this point. */
int nrd_fault(struct nrd_err *err, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
