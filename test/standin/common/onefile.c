/* SPDX-License-Identifier: Apache-2.0 */
#include "test/standin/common/onefile.h"

#include "lib/file.h"
#include "lib/str.h"

#include <signal.h>
#include <sys/statvfs.h>

#define LIBRARY     "libpython2.7.so.1.0"
#define EXIT_LOADER 255 /* the loader's main() returns -1 */

static char folder[4096];

/* Sets `folder` to a new folder in `dir`. Returns false when it cannot be made. */
static bool make_folder(const char *dir)
{
	if (!dir || !*dir ||
	    snprintf(folder, sizeof(folder), "%s/_MEIXXXXXX", dir) >= (int)sizeof(folder))
		return false;
	return mkdtemp(folder) != NULL;
}

static bool make_some_folder(void)
{
	static const char *const variables[] = {"TMPDIR", "TEMP", "TMP"};
	static const char *const dirs[] = {"/tmp", "/var/tmp", "/usr/tmp"};

	for (size_t i = 0; i < ARRAY_SIZE(variables); i++)
		if (make_folder(getenv(variables[i])))
			return true;
	for (size_t i = 0; i < ARRAY_SIZE(dirs); i++)
		if (make_folder(dirs[i]))
			return true;
	return false;
}

static void remove_folder(void)
{
	rm_rf_at(AT_FDCWD, folder);
}

void onefile_unpack(void)
{
	static const char data[] = "rackstrap's stand-in: not the real library\n";
	_cleanup_free_ char *path = NULL;
	_cleanup_close_ int fd = -1;
	struct statvfs fs;

	if (!make_some_folder()) {
		fprintf(stderr, "INTERNAL ERROR: cannot create temporary directory!\n");
		exit(EXIT_LOADER);
	}
	atexit(remove_folder);
	signal(SIGPIPE, SIG_IGN); /* as Python does */
	path = xasprintf("%s/%s", folder, LIBRARY);
	fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0700);
	if (fd < 0 || write_all(fd, data, strlen(data)) < 0) {
		fprintf(stderr, "Error extracting %s\n", LIBRARY);
		exit(EXIT_LOADER);
	}
	if (fstatvfs(fd, &fs) == 0 && (fs.f_flag & ST_NOEXEC)) {
		fprintf(stderr,
			"Error loading Python lib '%s': %s: failed to map segment from "
			"shared object: Operation not permitted\n",
			path, path);
		exit(EXIT_LOADER);
	}
}
