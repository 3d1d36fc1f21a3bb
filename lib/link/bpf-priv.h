/* SPDX-License-Identifier: MPL-2.0 */
/* Copyright 2026 The Nereid authors */
#pragma once

#include <stdbool.h>
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

/* Attaches a program to an interface, where type (BPF_TCX_INGRESS, BPF_NETKIT_PEER...) says; what is given is the link. */
int link_bpf_attach(int prog, unsigned ifindex, unsigned type);
/* At once: closing and unlinking its last reference does so only some time later. */
int link_bpf_detach(int link);

/*
 * Whether a link is at that interface still. One at the far end of a netkit pair is where the pair is: an index of another
 * namespace says nothing.
 */
bool link_bpf_is_at(int link, unsigned ifindex);
