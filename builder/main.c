/* SPDX-License-Identifier: Apache-2.0 */
#include "builder/commands.h"
#include "lib/log.h"

#include <sys/stat.h>

int main(int argc, char **argv)
{
	struct err e = {0};

	log_setup("rackstrap", LOG_LEVEL_INFO);
	umask(022); /* images, caches and boot trees are for other users, too */
	return command_exit(command_main(&rackstrap, argc, argv, &e), &e);
}
