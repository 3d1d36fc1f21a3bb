/* SPDX-License-Identifier: MPL-2.0 */
/* Copyright 2026 The Nereid authors */
#pragma once

#include <dirent.h>
#include <stddef.h>
#include <stdio.h>

/*
 * Ownership, spelled. Every owning local is initialised where it is declared and carries one of
 * these:
 *
 *	NRD_FREE char *name = NULL;                    free()
 *	NRD_CLOSE int fd = -1;                         close(), -1 is "no descriptor"; errno is kept
 *	NRD_CLOSEDIR DIR *dir = NULL;                  closedir()
 *	NRD_FCLOSE FILE *f = NULL;                     fclose()
 *	NRD_AUTO(nrd_buf) buf = NRD_BUF_INIT(4096);    nrd_buf_cleanup(&buf)
 *	NRD_AUTO(nrd_json) *doc = NULL;                nrd_json_cleanup(&doc)
 *
 * Giving away is NRD_TAKE(pointer) or nrd_take_fd(&fd).
 */
#define NRD_FREE     __attribute__((cleanup(nrd_freep)))
#define NRD_CLOSE    __attribute__((cleanup(nrd_closep)))
#define NRD_CLOSEDIR __attribute__((cleanup(nrd_closedirp)))
#define NRD_FCLOSE   __attribute__((cleanup(nrd_fclosep)))

#define NRD_AUTO(type) __attribute__((cleanup(type##_cleanup))) struct type

#define NRD_TAKE(p)                         \
	({                                  \
		__auto_type take_ = (p);    \
		(p) = NULL;                 \
		take_;                      \
	})

/* 0 when cond holds, a compile error when not; for use inside constant expressions. */
#define NRD_MUST_BE(cond) (sizeof(char[1 - 2 * !(cond)]) - 1)

/* offsetof that refuses to compile unless the member has the type. */
#define NRD_OFFSET(type, member, member_type)                                                      \
	(offsetof(type, member) + NRD_MUST_BE(__builtin_types_compatible_p(                        \
					  __typeof__(((type *)NULL)->member), member_type)))

/* Number of elements of an array; a pointer is refused at compile time. */
#define nrd_count(a)                                                                               \
	(sizeof(a) / sizeof((a)[0]) +                                                              \
	 NRD_MUST_BE(!__builtin_types_compatible_p(__typeof__(a), __typeof__(&(a)[0]))))

void nrd_freep(void *p); /* p: address of any data pointer */
void nrd_closep(const int *fd);
void nrd_closedirp(DIR **dir);
void nrd_fclosep(FILE **f);

/* Returns *fd and leaves -1 there. */
int nrd_take_fd(int *fd);
