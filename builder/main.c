/* SPDX-License-Identifier: Apache-2.0 */
#include "builder/commands.h"
#include "lib/log.h"
#include "lib/str.h"

#include <sys/stat.h>

/* Makes $TMPDIR right for the programs that read it themselves, in folders of their own:
 * one that is empty is removed from the environment, a relative one becomes absolute. */
static void settle_tempdir(void)
{
	const char *dir = getenv("TMPDIR");
	_cleanup_free_ char *real = NULL;

	if (!dir || *dir == '/')
		return;
	if (!*dir) {
		unsetenv("TMPDIR");
		return;
	}
	real = realpath(dir, NULL); /* a missing one is kept, for the message */
	if (real)
		setenv("TMPDIR", real, 1);
}

int main(int argc, char **argv)
{
	struct err e = {0};

	log_setup("rackstrap", LOG_LEVEL_INFO);
	settle_tempdir();
	umask(022); /* images, caches and boot trees are for other users, too */
	return command_exit(command_main(&rackstrap, argc, argv, &e), &e);
}
