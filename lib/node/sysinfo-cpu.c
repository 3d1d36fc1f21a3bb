/* SPDX-License-Identifier: MPL-2.0 */
/* Copyright 2026 The Nereid authors */

#include <dirent.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "node/sysinfo-priv.h"
#include "nrd/file.h"
#include "nrd/mem.h"
#include "nrd/str.h"

#define CPUINFO_MAX 16384 /* the first processor's part is enough */
#define LIST_TEXT 4096

uint64_t
sysinfo_list_count(const char *list, uint64_t *ret_first)
{
	struct nrd_str rest = nrd_str(list), part;
	uint64_t n = 0;

	while (nrd_str_split(&rest, ',', &part)) {
		NRD_FREE char *text = nrd_str_dup(nrd_str_trim(part));
		char *dash = text == NULL ? NULL : strchr(text, '-');
		uint64_t low, high;

		if (dash != NULL)
			*dash++ = '\0';
		if (text == NULL || nrd_parse_u64(text, 0, UINT32_MAX, &low, NULL) < 0 ||
		    nrd_parse_u64(dash == NULL ? text : dash, low, UINT32_MAX, &high, NULL) < 0)
			return 0;
		if (n == 0)
			*ret_first = low;
		n += high - low + 1;
	}
	return n;
}

static uint64_t
list_count(int dirfd, const char *path)
{
	char text[LIST_TEXT];
	uint64_t first;

	return nrd_attr_read(dirfd, path, text, sizeof(text), NULL) < 0 ?
		       0 :
		       sysinfo_list_count(text, &first);
}

/* Is this processor the first of its core or socket? Counting those counts cores and sockets. */
static bool
first_of(int cpu, const char *path, uint64_t number)
{
	char text[LIST_TEXT];
	uint64_t first = 0;

	return nrd_attr_read(cpu, path, text, sizeof(text), NULL) == 0 &&
	       sysinfo_list_count(text, &first) > 0 && first == number;
}

static void
topology_read(int fd, struct sysinfo_cpu *cpu)
{
	NRD_CLOSEDIR DIR *dir = fdopendir(fd);
	const struct dirent *e;

	if (dir == NULL) {
		nrd_closep(&fd);
		return;
	}
	cpu->present = list_count(fd, "present");
	cpu->online = list_count(fd, "online");
	while ((e = readdir(dir)) != NULL) {
		const char *digits = nrd_starts(e->d_name, "cpu");
		NRD_CLOSE int one = -1;
		uint64_t number;

		if (digits == NULL || nrd_parse_u64(digits, 0, UINT32_MAX, &number, NULL) < 0)
			continue;
		one = openat(dirfd(dir), e->d_name, O_PATH | O_DIRECTORY | O_CLOEXEC);
		if (one < 0)
			continue;
		cpu->cores += first_of(one, "topology/core_cpus_list", number);
		cpu->sockets += first_of(one, "topology/package_cpus_list", number);
	}
}

static void
cpuinfo_line(struct nrd_str line, struct sysinfo_cpu *cpu)
{
	struct nrd_str key, value = line, word;

	if (!nrd_str_split(&value, ':', &key) || value.data == NULL)
		return;
	key = nrd_str_trim(key);
	value = nrd_str_trim(value);
	if (nrd_str_eq(key, "model name") && cpu->model[0] == '\0') {
		size_t len = value.len < sizeof(cpu->model) ? value.len : sizeof(cpu->model) - 1;

		memcpy(cpu->model, value.data, len);
		cpu->model[len] = '\0';
	}
	if (!nrd_str_eq(key, "flags"))
		return;
	while (nrd_str_word(&value, &word)) {
		if (nrd_str_eq(word, "svm"))
			cpu->virt = "svm";
		else if (nrd_str_eq(word, "vmx"))
			cpu->virt = "vmx";
	}
}

void
sysinfo_cpu_read(const struct node_sysinfo_env *env, struct sysinfo_cpu *cpu)
{
	NRD_FREE char *text = sysinfo_text(env, "/proc/cpuinfo", CPUINFO_MAX);
	NRD_FREE char *path = sysinfo_path(env, "/sys/devices/system/cpu");
	struct nrd_str rest = nrd_str(text), line;
	int fd = path == NULL ? -1 : open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	cpu->virt = "none";
	while (text != NULL && nrd_str_split(&rest, '\n', &line))
		cpuinfo_line(line, cpu);
	if (fd >= 0)
		topology_read(fd, cpu);
}
