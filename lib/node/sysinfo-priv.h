/* SPDX-License-Identifier: MPL-2.0 */
/* Copyright 2026 The Nereid authors */
#pragma once

#include <stdint.h>

#include "link/nic.h"
#include "node/config.h"
#include "node/nictag.h"
#include "node/sysinfo.h"
#include "nrd/uuid.h"

/*
 * What is asked once and told in many fields. Everything is best effort: what a node cannot tell
 * stays at zero and its field is left out.
 */
struct sysinfo_cpu {
	char model[128];
	const char *virt; /* "svm", "vmx", "none" */
	uint64_t sockets, cores, online, present;
};

struct sysinfo_pool {
	char name[64];          /* "": no system pool */
	char kind[16];          /* its profile */
	char **disks;           /* kernel names */
	bool known;             /* the members below were told */
	bool encrypted;
	uint64_t creation;      /* seconds */
	uint64_t size_bytes;    /* what data sets can use: used and available */
};

struct sysinfo {
	const struct node_sysinfo_env *env;
	struct sysinfo_cpu cpu;
	struct sysinfo_pool pool;
	struct node_config *config; /* NULL: none */
	struct link_nics nics;
	struct node_nictags tags;
	char **boot;                /* boot parameters: key, value, ..., NULL */
	char uuid[NRD_UUID_TEXT];   /* "": none */
	bool kvm;
	uint64_t max_vcpus;
};

/* root + path; caller frees. NULL: no memory. */
char *sysinfo_path(const struct node_sysinfo_env *env, const char *path);

/* A whole small file, "" when it cannot be read; caller frees. NULL: no memory. */
char *sysinfo_text(const struct node_sysinfo_env *env, const char *path, size_t max);

/* The value of a boot parameter, or NULL. */
const char *sysinfo_boot(const struct sysinfo *info, const char *key);

/*
 * The kernel's command line as key, value, ..., NULL: the last one of a key counts, a key without
 * "=" is "true". 0 or -ENOMEM.
 */
int sysinfo_boot_parse(const char *cmdline, char ***ret_pairs);

void sysinfo_cpu_read(const struct node_sysinfo_env *env, struct sysinfo_cpu *cpu);

/* How many numbers "0-3,8" names; 0 for nonsense. first: the smallest one. */
uint64_t sysinfo_list_count(const char *list, uint64_t *ret_first);

/* The pool that holds /var, its facts, and the node's UUID (which lives on it). */
int sysinfo_pool_read(struct sysinfo *info, struct nrd_err *err);
void sysinfo_pool_fini(struct sysinfo_pool *pool);

/* The dataset mounted on /var out of /proc/mounts; false when that is no ZFS. */
bool sysinfo_pool_of(const char *mounts, char *dst, size_t size);

void sysinfo_nics_write(const struct sysinfo *info, struct nrd_jw *w);
void sysinfo_vnics_write(const struct sysinfo *info, struct nrd_jw *w);
void sysinfo_aggrs_write(const struct sysinfo *info, struct nrd_jw *w);

/* The admin network's address, "" when there is none. */
void sysinfo_admin_ip(const struct sysinfo *info, char ret_text[LINK_ADDR_TEXT]);
const char *sysinfo_admin_tag(const struct sysinfo *info);
