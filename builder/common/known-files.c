/* SPDX-License-Identifier: Apache-2.0 */
#include "builder/common/known-files.h"

#include "builder/common/digest.h"
#include "builder/common/leftovers.h"
#include "lib/file.h"
#include "lib/str.h"

#define DIR "files"

void known_files_open(struct known_digests *ret, const char *cache)
{
	_cleanup_free_ char *dir = cache ? xstrdup(cache) : cache_dir_default();
	_cleanup_free_ char *path = dir ? xasprintf("%s/" DIR, dir) : NULL;

	*ret = (struct known_digests){.fd = -1, .digest = digest_range};
	if (path && mkdir_p_at(AT_FDCWD, path, 0755) == 0)
		ret->fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
}

void known_files_done(struct known_digests *k)
{
	if (k->fd >= 0)
		close(k->fd);
	k->fd = -1;
}

int known_files_self(const struct known_digests *k, char out[static KNOWN_DIGEST_LEN])
{
	_cleanup_close_ int fd = file_open_regular_at(AT_FDCWD, "/proc/self/exe");

	return fd < 0 ? fd : known_digest_file(k, fd, out, NULL);
}
