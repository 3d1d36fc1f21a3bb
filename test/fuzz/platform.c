/* SPDX-License-Identifier: MPL-2.0 */
/* Copyright 2026 The Nereid authors */

/*
 * What a boot volume, a download or an index can hold, by the first byte: 'g' an environment
 * block (what is read is written back the same), 'm' a manifest, 'i' an index, 't' a tar file.
 */
#include <assert.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "nrd/mem.h"
#include "platform/grubenv.h"
#include "platform/manifest.h"
#include "platform/source.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
grubenv(const char *data, size_t size)
{
	struct platform_grubenv env, again;
	char block[PLATFORM_GRUBENV_BYTES], text[PLATFORM_GRUBENV_BYTES];

	/* Short inputs are filled up as GRUB does, or hardly any would get past the size. */
	if (size < sizeof(block)) {
		memset(block, '#', sizeof(block));
		memcpy(block, data, size);
		data = block;
		size = sizeof(block);
	}
	if (platform_grubenv_parse(data, size, &env, NULL) < 0)
		return;
	/* `tries` without `next` means nothing and is not written. */
	if (env.next[0] == '\0')
		env.tries = 0;
	if (platform_grubenv_format(&env, text, NULL) < 0)
		return;
	assert(platform_grubenv_parse(text, sizeof(text), &again, NULL) == 0);
	assert(memcmp(&env, &again, sizeof(env)) == 0);
}

static void
manifest_sound(const struct platform_manifest *m)
{
	assert(platform_stamp_valid(m->stamp));
	assert(m->n_files >= 2 && m->n_files <= PLATFORM_FILES_MAX);
	for (size_t i = 0; i < m->n_files; i++)
		assert(strchr(m->files[i].name, '/') == NULL && m->files[i].name[0] != '.');
}

static void
manifest(const char *data, size_t size)
{
	__attribute__((cleanup(platform_manifest_cleanup))) struct platform_manifest m = { 0 };

	if (platform_manifest_parse(data, size, &m, NULL) == 0)
		manifest_sound(&m);
}

static void
index_of(const char *data, size_t size)
{
	NRD_AUTO(platform_index) index = { 0 };

	if (platform_index_parse(data, size, &index, NULL) < 0)
		return;
	for (size_t i = 0; i < index.len; i++) {
		manifest_sound(&index.data[i]);
		assert(i == 0 || strcmp(index.data[i - 1].stamp, index.data[i].stamp) <= 0);
	}
}

static void
tar(const char *data, size_t size)
{
	__attribute__((cleanup(platform_source_cleanup))) struct platform_source src = { 0 };
	NRD_CLOSE int fd = memfd_create("tar", MFD_CLOEXEC);

	assert(fd >= 0 && write(fd, data, size) == (ssize_t)size);
	if (platform_source_open_tar(fd, &src, NULL) < 0)
		return;
	manifest_sound(&src.manifest);
	assert(src.len == src.manifest.n_files);
	for (size_t i = 0; i < src.len; i++)
		assert(src.data[i].offset + src.data[i].size <= size);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *text = (const char *)data + 1;

	if (size == 0)
		return 0;
	switch (data[0]) {
	case 'g':
		grubenv(text, size - 1);
		break;
	case 'm':
		manifest(text, size - 1);
		break;
	case 'i':
		index_of(text, size - 1);
		break;
	case 't':
		tar(text, size - 1);
		break;
	default:
		break;
	}
	return 0;
}
