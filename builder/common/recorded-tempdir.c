/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The record is written before the folder is made, so a build that is killed at any
 * instant leaves no folder without a record.
 */
#include "builder/common/recorded-tempdir.h"

#include "lib/file.h"
#include "lib/log.h"
#include "lib/str.h"

#include <inttypes.h>
#include <limits.h>
#include <sys/random.h>

void recorded_tempdir_remove(const char *dir, const char *record)
{
	_cleanup_free_ char *left = NULL;

	if (!dir && file_read_foreign_at(AT_FDCWD, record, PATH_MAX, &left, NULL) == 0) {
		log_debug("removing the folder of a killed build: %s", left);
		dir = left;
	}
	if (dir && dir[0] == '/')
		rm_rf_at(AT_FDCWD, dir);
	unlink(record);
}

int recorded_tempdir_make(const char *record, const char *name, char **ret, struct err *e)
{
	const char *tmp = getenv("TMPDIR");
	_cleanup_free_ char *dir = NULL;
	uint64_t random;
	int n;

	recorded_tempdir_remove(NULL, record);
	if (getrandom(&random, sizeof(random), 0) != (ssize_t)sizeof(random))
		return err_errno(e, errno, "getrandom");
	dir = xasprintf("%s/%s.%016" PRIx64, tmp && tmp[0] == '/' ? tmp : "/tmp", name,
			random);
	n = file_write_at(AT_FDCWD, record, dir, strlen(dir), 0644);
	if (n < 0)
		return err_errno(e, n, "%s", record);
	if (mkdir(dir, 0700) < 0) {
		n = errno;
		unlink(record);
		return err_errno(e, n, "TMPDIR: %s", dir);
	}
	*ret = TAKE_PTR(dir);
	return 0;
}
