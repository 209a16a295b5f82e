/* SPDX-License-Identifier: Apache-2.0 */
#include "builder/commands.h"

#include "builder/common/leftovers.h"
#include "lib/log.h"

static const struct command *const commands[] = {
	&command_new,
	&command_build,
	&command_lock,
	&command_fetch,
	&command_cache,
	&command_check,
	&command_diff,
	&command_pxe,
	&command_serve,
	&command_discover,
	&command_rack,
	&command_ssh,
	&command_status,
	&command_write,
	&command_inspect,
	&command_customize,
	&command_verify,
	&command_completion,
	NULL,
};

enum {
	OPT_VERBOSE = 1000, /* ids that no command has */
	OPT_QUIET,
};

static const struct command_option options[] = {
	{.name = "verbose",
	 .letter = 'v',
	 .id = OPT_VERBOSE,
	 .help = "print the programs that are run and what they print"},
	{.name = "quiet",
	 .letter = 'q',
	 .id = OPT_QUIET,
	 .help = "print results, warnings and errors only"},
	{.name = NULL},
};

static int before(const struct command_line *line, struct err *e)
{
	const bool verbose = command_has(line, OPT_VERBOSE);

	if (command_has(line, OPT_QUIET) && verbose)
		return err_set(e, ERR_USAGE,
			       "options '--verbose' and '--quiet' exclude each other");
	if (command_has(line, OPT_QUIET))
		log_setup("rackstrap", LOG_LEVEL_WARN);
	else if (verbose)
		log_setup("rackstrap", LOG_LEVEL_DEBUG);
	return 0;
}

const struct program rackstrap = {
	.name = "rackstrap",
	.version = RACKSTRAP_VERSION,
	.summary = "Turns a rack of blank machines into a working cluster by switching "
		   "them on.",
	.manual = "rackstrap(1)",
	.command_manuals = true,
	.options = options,
	.commands = commands,
	.before = before,
	.sweep = leftovers_sweep,
};
