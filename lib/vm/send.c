/* SPDX-License-Identifier: MPL-2.0 */
/* Copyright 2026 The Nereid authors */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "brand/brand.h"
#include "nrd/clock.h"
#include "nrd/file.h"
#include "nrd/mem.h"
#include "nrd/proc.h"
#include "nrd/str.h"
#include "store/dataset.h"
#include "vm/bundle.h"
#include "vm/history.h"
#include "vm/object.h"
#include "vm/power.h"
#include "vm/sending.h"
#include "vm/transfer.h"

#define STOP_S  60
#define TICK_MS 1000
#define PIECE   ((size_t)128 << 10)

int
vm_sending_forget(struct store *store, const char *dataset, struct nrd_err *err)
{
	NRD_FREE char *top = nrd_format("%s@" VM_SENDING, dataset);
	NRD_STRV char **below = NULL;
	int r = top == NULL ? nrd_nomem(err) : store_dataset_list(store, dataset, STORE_LIST_DEEP, &below, err);

	for (size_t i = 0; r == 0 && below != NULL && below[i] != NULL; i++) {
		NRD_FREE char *one = nrd_format("%s@" VM_SENDING, below[i]);

		r = one == NULL ? nrd_nomem(err) : store_dataset_destroy(store, one, err);
	}
	return r == 0 ? store_dataset_destroy(store, top, err) : r;
}

/* ---- the machine's object ---- */

static int
write_part(int fd, const char *name, const struct nrd_buf *data, struct nrd_err *err)
{
	char header[VM_BUNDLE_HEADER];
	const char zeros[VM_BUNDLE_HEADER] = { 0 };
	size_t len = data != NULL ? data->len : 0, rest = len % VM_BUNDLE_HEADER;
	int r = vm_bundle_header_make(name, len, header);

	if (r < 0)
		return nrd_fail(err, -r, "SendError", "dataset %s has too long a name", name);
	r = nrd_write_all(fd, header, sizeof(header), err);
	if (r == 0 && len > 0)
		r = nrd_write_all(fd, nrd_buf_str(data), len, err);
	return r == 0 && rest > 0 ? nrd_write_all(fd, zeros, sizeof(zeros) - rest, err) : r;
}

static int
write_object(const struct vm *vm, int fd, struct nrd_err *err)
{
	NRD_AUTO(nrd_buf) text = { 0 };
	struct nrd_jw w;
	int r;

	nrd_jw_init(&w, &text, NRD_JW_PRETTY);
	r = vm_write(vm, 0, NULL, &w, err);
	if (r == 0)
		r = nrd_jw_finish(&w, err);
	return r == 0 ? write_part(fd, VM_BUNDLE_JSON, &text, err) : r;
}

/* ---- its datasets ---- */

static int
pass_on(int from, const struct vm_transfer *t, struct nrd_err *err)
{
	int64_t told = nrd_now_ms();
	uint64_t bytes = 0;
	NRD_FREE char *piece = malloc(PIECE);
	int r = piece == NULL ? nrd_nomem(err) : 0;

	while (r == 0) {
		ssize_t n = read(from, piece, PIECE);

		if (t->stop != NULL && *t->stop)
			return nrd_fail(err, EINTR, "Interrupted", "interrupted");
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return n < 0 ? nrd_fail(err, errno, "SendError", "read from zfs: %m") : 0;
		r = nrd_write_all(t->fd, piece, (size_t)n, err);
		bytes += (uint64_t)n;
		if (t->progress != NULL && nrd_now_ms() - told >= TICK_MS) {
			told = nrd_now_ms();
			t->progress(bytes);
		}
	}
	return r;
}

static int
write_stream(const char *snapshot, const struct vm_transfer *t, struct nrd_err *err)
{
	const char *const argv[] = { "zfs", "send", "-R", snapshot, NULL };
	NRD_CLOSE int pidfd = -1;
	NRD_CLOSE int from = -1;
	int fds[2], status = 0, r, waited;

	if (pipe2(fds, O_CLOEXEC) < 0)
		return nrd_fail(err, errno, "SendError", "pipe: %m");
	from = fds[0];
	r = nrd_spawn(&(struct nrd_proc){ .argv = argv, .stdout_fd = fds[1],
					  .flags = NRD_PROC_STDERR | NRD_PROC_SAME_GROUP | NRD_PROC_WITH_US },
		      &pidfd, NULL, err);
	(void)close(fds[1]);
	if (r < 0)
		return r;
	r = pass_on(from, t, err);
	/* When nobody takes it any more, this is what ends zfs. */
	nrd_closep(&from);
	from = -1;
	waited = nrd_pidfd_wait(pidfd, -1, &status, r == 0 ? err : NULL);
	if (r < 0 || waited < 0)
		return r < 0 ? r : waited;
	return status == 0 ? 0 : nrd_fail(err, EIO, "SendError", "zfs send %s ended with status %d", snapshot, status);
}

static int
write_dataset(struct store *store, const char *dataset, const struct vm_transfer *t, struct nrd_err *err)
{
	NRD_FREE char *snapshot = nrd_format("%s@" VM_SENDING, dataset);
	int r = snapshot == NULL ? nrd_nomem(err) : vm_sending_forget(store, dataset, err);

	if (r == 0)
		r = store_dataset_snapshot(store, dataset, VM_SENDING, true, err);
	if (r < 0)
		return r;
	r = write_part(t->fd, dataset, NULL, err);
	if (r == 0)
		r = write_stream(snapshot, t, err);
	return vm_sending_forget(store, dataset, r == 0 ? err : NULL) < 0 && r == 0 ? -EIO : r;
}

/* Stopping needs no lock, and what the machine says on its way down needs it free. */
static int
stop(const char *uuid, struct nrd_err *err)
{
	NRD_AUTO(vm) vm = { 0 };
	int r = vm_read(uuid, &vm, err);

	if (r == 0 && !brand_has_dataset(&vm.config))
		return nrd_fail(err, ENOTSUP, "VmNotSendable", "its root is a plain directory, which is no dataset");
	if (r == 0)
		r = vm_stop(&vm, VM_STOP_ASK, STOP_S, err);
	return r > 0 ? 0 : r;
}

int
vm_send(const char *uuid, const struct vm_transfer *t, struct nrd_err *err)
{
	NRD_AUTO(store) *store = NULL;
	NRD_AUTO(vm) vm = { 0 };
	NRD_CLOSE int lock = -1;
	int r = stop(uuid, err);

	if (r == 0)
		r = vm_open(uuid, &vm, &lock, err);
	if (r == 0 && (vm.run.state > ZONE_ST_INSTALLED || vm.config.installed != ZONE_INSTALLED))
		r = nrd_fail(err, EBUSY, "VmWrongState", "it is %s: it must be stopped", vm_state(&vm));
	if (r == 0)
		r = store_open(&store, err);
	if (r == 0)
		r = write_object(&vm, t->fd, err);
	if (r == 0)
		r = write_dataset(store, vm.config.zfs_filesystem, t, err);
	return r == 0 ? vm_history_add(&vm.config, "send", NULL, err) : r;
}
