/* SPDX-License-Identifier: Apache-2.0 */
#include "builder/commands.h"

#include "builder/common/leftovers.h"

static const struct command *const commands[] = {
	&command_build,     &command_lock,   &command_fetch,      &command_cache,
	&command_check,     &command_pxe,    &command_serve,      &command_rack,
	&command_ssh,       &command_status, &command_write,      &command_inspect,
	&command_customize, &command_verify, &command_completion, NULL,
};

const struct program rackstrap = {
	.name = "rackstrap",
	.version = RACKSTRAP_VERSION,
	.summary = "Turns a rack of blank machines into a working cluster by switching "
		   "them on.",
	.manual = "rackstrap(1)",
	.command_manuals = true,
	.commands = commands,
	.before = leftovers_sweep,
};
