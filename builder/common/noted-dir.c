/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The note is written before the folder is made: there is no instant at which a kill
 * leaves it unknown.
 */
#include "builder/common/noted-dir.h"

#include "lib/file.h"
#include "lib/log.h"
#include "lib/str.h"

#include <inttypes.h>
#include <limits.h>
#include <sys/random.h>

void noted_dir_remove(const char *dir, const char *note)
{
	_cleanup_free_ char *left = NULL;

	if (!dir && file_read_at(AT_FDCWD, note, PATH_MAX, &left, NULL) == 0) {
		log_debug("removes what a killed build left: %s", left);
		dir = left;
	}
	if (dir && dir[0] == '/')
		rm_rf_at(AT_FDCWD, dir);
	unlink(note);
}

int noted_dir_make(const char *note, const char *name, char **ret, struct err *e)
{
	const char *tmp = getenv("TMPDIR");
	_cleanup_free_ char *dir = NULL;
	uint64_t random;
	int n;

	noted_dir_remove(NULL, note);
	if (getrandom(&random, sizeof(random), 0) != (ssize_t)sizeof(random))
		return err_errno(e, errno, "getrandom");
	dir = xasprintf("%s/%s.%016" PRIx64, tmp && tmp[0] == '/' ? tmp : "/tmp", name,
			random);
	n = file_write_at(AT_FDCWD, note, dir, strlen(dir), 0644);
	if (n < 0)
		return err_errno(e, n, "%s", note);
	if (mkdir(dir, 0700) < 0) {
		n = errno;
		unlink(note);
		return err_errno(e, n, "TMPDIR: %s", dir);
	}
	*ret = TAKE_PTR(dir);
	return 0;
}
