/* SPDX-License-Identifier: Apache-2.0 */
/* The `rackstrap` command: one row a subcommand. */
#include "builder/command-main.h"
#include "lib/log.h"

static const struct command *const commands[] = {
	&command_build,  &command_lock,  &command_fetch,   &command_cache,
	&command_check,  &command_pxe,   &command_serve,   &command_rack,
	&command_status, &command_write, &command_inspect, &command_customize,
	&command_verify, NULL,
};

int main(int argc, char **argv)
{
	struct err e = {0};

	log_setup("rackstrap", LOG_LEVEL_INFO);
	return command_exit(command_main(commands, argc, argv, &e), &e);
}
