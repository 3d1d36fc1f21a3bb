/* SPDX-License-Identifier: MPL-2.0 */
/* Copyright 2026 The Nereid authors */
#include <errno.h>
#include <linux/bpf.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "link/bpf-priv.h"

#define PTR(p) ((uint64_t)(uintptr_t)(p))

static int
call(int cmd, union bpf_attr *attr)
{
	long r;

	do
		r = syscall(SYS_bpf, cmd, attr, sizeof(*attr));
	while (r < 0 && errno == EINTR);
	return r < 0 ? -errno : (int)r;
}

int
link_bpf_open(const char *path)
{
	union bpf_attr attr = { .pathname = PTR(path) };

	return call(BPF_OBJ_GET, &attr);
}

int
link_bpf_pin(int fd, const char *path)
{
	union bpf_attr attr = { .pathname = PTR(path), .bpf_fd = (uint32_t)fd };

	return call(BPF_OBJ_PIN, &attr);
}

int
link_bpf_get(int map, const void *key, void *ret_value)
{
	union bpf_attr attr = { .map_fd = (uint32_t)map, .key = PTR(key), .value = PTR(ret_value) };

	return call(BPF_MAP_LOOKUP_ELEM, &attr);
}

static int
update(int map, const void *key, const void *value, uint64_t flags)
{
	union bpf_attr attr = {
		.map_fd = (uint32_t)map, .key = PTR(key), .value = PTR(value), .flags = flags,
	};

	return call(BPF_MAP_UPDATE_ELEM, &attr);
}

int
link_bpf_set(int map, const void *key, const void *value)
{
	return update(map, key, value, BPF_ANY);
}

int
link_bpf_add(int map, const void *key, const void *value)
{
	return update(map, key, value, BPF_NOEXIST);
}

int
link_bpf_del(int map, const void *key)
{
	union bpf_attr attr = { .map_fd = (uint32_t)map, .key = PTR(key) };

	return call(BPF_MAP_DELETE_ELEM, &attr);
}

int
link_bpf_next(int map, const void *key, void *ret_key)
{
	union bpf_attr attr = { .map_fd = (uint32_t)map, .key = PTR(key), .next_key = PTR(ret_key) };

	return call(BPF_MAP_GET_NEXT_KEY, &attr);
}

int
link_bpf_attach(int prog, unsigned ifindex, unsigned type)
{
	union bpf_attr attr = {
		.link_create = {
			.prog_fd = (uint32_t)prog,
			.target_ifindex = ifindex,
			.attach_type = type,
		},
	};

	return call(BPF_LINK_CREATE, &attr);
}

int
link_bpf_detach(int link)
{
	union bpf_attr attr = { .link_detach = { .link_fd = (uint32_t)link } };

	return call(BPF_LINK_DETACH, &attr);
}

bool
link_bpf_is_at(int link, unsigned ifindex)
{
	struct bpf_link_info info = { 0 };
	union bpf_attr attr = {
		.info = { .bpf_fd = (uint32_t)link, .info_len = sizeof(info), .info = PTR(&info) },
	};

	if (call(BPF_OBJ_GET_INFO_BY_FD, &attr) < 0)
		return false;
	return info.type == BPF_LINK_TYPE_NETKIT ? info.netkit.ifindex != 0 : info.tcx.ifindex == ifindex;
}
