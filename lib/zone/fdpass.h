/* SPDX-License-Identifier: MPL-2.0 */
/* Copyright 2026 The Nereid authors */
#pragma once

#include <stddef.h>
#include <sys/types.h>

#include "nrd/err.h"

/* Descriptors through a socket of the SEQPACKET kind, one a message. */

/* A message with it, also through a stream; all of it is sent. "FdPass". */
int zone_fd_send_with(int sock, const void *data, size_t len, int fd, struct nrd_err *err);

/* The message is one byte. "FdPass". */
int zone_fd_send(int sock, int fd, struct nrd_err *err);

/*
 * Receives one message of at most size bytes and what descriptor came with it (-1: none; caller
 * closes; CLOEXEC). As recv(2): 0 at the end, -1 with errno.
 */
ssize_t zone_fd_receive(int sock, void *data, size_t size, int *ret_fd);
