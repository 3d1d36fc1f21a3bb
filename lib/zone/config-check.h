/* SPDX-License-Identifier: MPL-2.0 */
/* Copyright 2026 The Nereid authors */
#pragma once

#include "nrd/err.h"

/*
 * Rules of single values, in the form the tables of the configuration take. All refuse with
 * -EINVAL and a message that says the rule; the property is named by the caller.
 */
int zone_check_path(const char *s, struct nrd_err *err);     /* absolute, tidy; "BadPath" */
int zone_check_line(const char *s, struct nrd_err *err);     /* no control characters; "BadText" */
int zone_check_dataset(const char *s, struct nrd_err *err);  /* "BadDataset" */
int zone_check_address(const char *s, struct nrd_err *err);  /* IPv4 or IPv6; "BadAddress" */
int zone_check_prefix(const char *s, struct nrd_err *err);   /* the same, "/24" allowed */
int zone_check_mac(const char *s, struct nrd_err *err);
int zone_check_priority(const char *s, struct nrd_err *err); /* high, medium, low */
int zone_check_ip(const char *s, struct nrd_err *err);       /* address/prefix, dhcp, addrconf */
int zone_check_host(const char *s, struct nrd_err *err);     /* a name for gethostname; "BadHost" */
int zone_check_word(const char *s, struct nrd_err *err);     /* no blanks, no commas; "BadText" */
int zone_check_release(const char *s, struct nrd_err *err);  /* as uname -r says it; "BadRelease" */
int zone_check_env(const char *s, struct nrd_err *err);      /* NAME=value; "BadText" */
int zone_check_cpus(const char *s, struct nrd_err *err);     /* "2" or "1-4"; "BadCpus" */
int zone_check_interface(const char *s, struct nrd_err *err); /* "BadInterface" */
int zone_check_nic_tag(const char *s, struct nrd_err *err);  /* "BadNicTag" */
int zone_check_attr(const char *s, struct nrd_err *err);     /* the name of an attr; "BadName" */
int zone_check_namespace(const char *s, struct nrd_err *err); /* of metadata; "BadName" */
int zone_check_device(const char *s, struct nrd_err *err);   /* a pattern below /dev; "BadPath" */
int zone_check_fs_type(const char *s, struct nrd_err *err);  /* "BadFilesystem" */
int zone_check_compression(const char *s, struct nrd_err *err); /* of a dataset; "BadCompression" */
/* Of a guest's hardware; "BadHardware". */
int zone_check_disk_model(const char *s, struct nrd_err *err);
int zone_check_nic_model(const char *s, struct nrd_err *err);
int zone_check_media(const char *s, struct nrd_err *err);
int zone_check_cpu_type(const char *s, struct nrd_err *err);
int zone_check_machine(const char *s, struct nrd_err *err);
int zone_check_bootrom(const char *s, struct nrd_err *err);
int zone_check_datasource(const char *s, struct nrd_err *err);
int zone_check_boot_order(const char *s, struct nrd_err *err);
