/* SPDX-License-Identifier: MPL-2.0 */
/* Copyright 2026 The Nereid authors */
#include "conf.h"

#include <errno.h>

#include "installed.h"
#include "nrd/file.h"
#include "nrd/mem.h"

int
image_conf_read(const char *name, const char *code, struct nrd_json **ret_doc, struct nrd_err *err)
{
	NRD_FREE char *path = nrd_path_join(image_dir(), name);
	struct nrd_err why = { 0 };
	int r;

	if (path == NULL)
		return nrd_nomem(err);
	r = nrd_json_read_file(path, NULL, ret_doc, &why);
	if (r == -ENOENT)
		return 0;
	if (r == 0 && nrd_val_type(nrd_json_root(*ret_doc)) != NRD_VAL_OBJ)
		return nrd_fail(err, EINVAL, code, "%s: must be an object", path);
	return r < 0 ? nrd_fail(err, -r, code, "%s: %s", path, why.msg) : 0;
}
