/* SPDX-License-Identifier: MPL-2.0 */
/* Copyright 2026 The Nereid authors */
#pragma once

#include <stddef.h>

/*
 * A growing array of any type. The all-zero struct is an empty vector; the vector owns its array
 * and not what the elements point at.
 *
 *	NRD_VEC(struct vm_nic) nics = { 0 };
 *	r = nrd_vec_push(&nics, nic);                  0 or -ENOMEM
 *	nrd_vec_each(nic, &nics) ... nic->mac ...      nic is a pointer into the array
 *	nrd_vec_fini(&nics);
 */
#define NRD_VEC(type)           \
	struct {                \
		type *data;     \
		size_t len;     \
		size_t cap;     \
	}

#define nrd_vec_reserve(v, more)                                                                   \
	nrd_vec_grow(&(v)->data, (v)->len, &(v)->cap, (more), sizeof(*(v)->data))

#define nrd_vec_push(v, ...)                                         \
	({                                                           \
		int push_r_ = nrd_vec_reserve(v, 1);                 \
		if (push_r_ == 0)                                    \
			(v)->data[(v)->len++] = (__VA_ARGS__);       \
		push_r_;                                             \
	})

/* Takes element i out and closes the gap; order is kept. */
#define nrd_vec_remove(v, i) nrd_vec_cut((v)->data, &(v)->len, (i), sizeof(*(v)->data))

#define nrd_vec_each(it, v)                                                                        \
	for (__typeof__((v)->data + 0) it = (v)->data;                                             \
	     it != NULL && it < (v)->data + (v)->len; it++)

#define nrd_vec_fini(v) nrd_vec_drop(&(v)->data, &(v)->len, &(v)->cap)

/* What the macros call; datap is the address of the data member. */
int nrd_vec_grow(void *datap, size_t len, size_t *cap, size_t more, size_t size);
void nrd_vec_cut(void *data, size_t *len, size_t i, size_t size);
void nrd_vec_drop(void *datap, size_t *len, size_t *cap);
