/* SPDX-License-Identifier: MPL-2.0 */
/* Copyright 2026 The Nereid authors */
#pragma once

#include <stdint.h>

/*
 * bpf(2), for those who only use what is loaded: libbpf, its ELF reader and its decompressors stay
 * out of programs that run all the time. 0 or a descriptor (close-on-exec), or -errno.
 */
int link_bpf_open(const char *path);
int link_bpf_pin(int fd, const char *path);
int link_bpf_get(int map, const void *key, void *ret_value);
int link_bpf_set(int map, const void *key, const void *value);
int link_bpf_add(int map, const void *key, const void *value); /* -EEXIST */
int link_bpf_del(int map, const void *key);
int link_bpf_next(int map, const void *key, void *ret_key);    /* key NULL: the first; -ENOENT */

/* Attaches a tcx program to an interface; what is given is the link. */
int link_bpf_tcx_attach(int prog, unsigned ifindex, unsigned attach_type);
/* At once: closing and unlinking its last reference does so only some time later. */
int link_bpf_detach(int link);
int link_bpf_tcx_replace(int link, int prog);

/* The interface of a tcx link: 0 in ret_ifindex when that is gone. */
int link_bpf_tcx_ifindex(int link, unsigned *ret_ifindex);
