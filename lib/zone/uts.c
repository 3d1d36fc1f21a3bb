/* SPDX-License-Identifier: MPL-2.0 */
/* Copyright 2026 The Nereid authors */
#include "uts.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "nrd/fault.h"
#include "nrd/file.h"
#include "nrd/mem.h"

#define PARAMETER "/sys/module/nereid_uts/parameters/zone"

int
zone_uts_set(const struct zone_spec *spec, int pidfd, struct nrd_err *err)
{
	NRD_CLOSE int own = -1;
	struct nrd_err why = { 0 };
	struct utsname most;
	char text[sizeof(most.release) + sizeof(most.version) + 2];
	int r = nrd_fault(err, "say what its uname says");

	if (r < 0 || (spec->uts_release == NULL && spec->uts_version == NULL))
		return r;
	(void)snprintf(text, sizeof(text), "%s\n%s", spec->uts_release != NULL ? spec->uts_release : "",
		       spec->uts_version != NULL ? spec->uts_version : "");
	own = open("/proc/self/ns/uts", O_RDONLY | O_CLOEXEC);
	if (own < 0 || setns(pidfd, CLONE_NEWUTS) < 0)
		return nrd_fail(err, errno, "ZoneUname", "join its uts namespace: %m");
	r = nrd_attr_write(AT_FDCWD, PARAMETER, text, &why);
	if (setns(own, CLONE_NEWUTS) < 0)
		return nrd_fail(err, errno, "ZoneUname", "leave its uts namespace: %m");
	return r < 0 && r != -ENOENT ? nrd_fail(err, -r, "ZoneUname", "say what its uname says: %s", why.msg) : 0;
}
