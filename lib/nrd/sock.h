/* SPDX-License-Identifier: MPL-2.0 */
/* Copyright 2026 The Nereid authors */
#pragma once

/*
 * A socket of the unix domain, connected to path; type is socket(2)'s, closed at exec. Caller closes. -ENAMETOOLONG, or errno.
 */
int nrd_sock_connect(const char *path, int type, int *ret_fd);
