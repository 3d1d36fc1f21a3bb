/* SPDX-License-Identifier: MPL-2.0 */
/* Copyright 2026 The Nereid authors */
#include "bootlog.h"

#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

#include "nrd/file.h"

struct node_bootlog
node_bootlog_open(bool quiet)
{
	return (struct node_bootlog){
		.fd = open(NODE_BOOT_LOG, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644),
		.quiet = quiet,
	};
}

void
node_bootlog_close(struct node_bootlog *log)
{
	if (log->fd >= 0)
		(void)close(log->fd);
	log->fd = -1;
}

void
node_bootlog_say(const struct node_bootlog *log, const char *fmt, ...)
{
	char line[768];
	struct timespec ts;
	int n, head;
	va_list ap;

	(void)clock_gettime(CLOCK_BOOTTIME, &ts);
	head = snprintf(line, sizeof(line), "%3lld.%03ld ", (long long)ts.tv_sec,
			ts.tv_nsec / 1000000);
	va_start(ap, fmt);
	n = head + vsnprintf(line + head, sizeof(line) - (size_t)head - 1, fmt, ap);
	va_end(ap);
	if (n > (int)sizeof(line) - 2)
		n = (int)sizeof(line) - 2;
	line[n++] = '\n';
	if (log->fd >= 0)
		(void)nrd_write_all(log->fd, line, (size_t)n, NULL);
	if (!log->quiet)
		(void)nrd_write_all(STDERR_FILENO, line + head, (size_t)(n - head), NULL);
}
