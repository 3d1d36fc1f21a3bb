/* SPDX-License-Identifier: MPL-2.0 */
/* Copyright 2026 The Nereid authors */
#include "nrd/sock.h"

#include <errno.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "nrd/mem.h"
#include "nrd/str.h"

int
nrd_sock_connect(const char *path, int type, int *ret_fd)
{
	struct sockaddr_un addr = { .sun_family = AF_UNIX };
	NRD_CLOSE int fd = socket(AF_UNIX, type | SOCK_CLOEXEC, 0);

	if (nrd_strcpy_to(addr.sun_path, sizeof(addr.sun_path), path) < 0)
		return -ENAMETOOLONG;
	if (fd < 0 || connect(fd, (const struct sockaddr *)&addr, sizeof(addr)) < 0)
		return -errno;
	*ret_fd = nrd_take_fd(&fd);
	return 0;
}
