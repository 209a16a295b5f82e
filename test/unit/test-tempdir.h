/* SPDX-License-Identifier: Apache-2.0 */
/* Temporary folders of tests. The product's are made by lib/scratch.h. */
#pragma once

#include "lib/str.h"

/* Makes the folder "DIR/NAME.<random>" with mode 0700. *ret, its path, is owned by the
 * caller. Returns 0 or -errno. */
static inline int tempdir_make(const char *dir, const char *name, char **ret)
{
	char *path = xasprintf("%s/%s.XXXXXX", dir, name);

	if (!mkdtemp(path)) {
		free(path);
		return -errno;
	}
	*ret = path;
	return 0;
}
