/* SPDX-License-Identifier: Apache-2.0 */
/* rackstrap completion: prints the script that completes rackstrap's command lines. */
#include "builder/commands.h"
#include "lib/completion.h"
#include "lib/out.h"

static int run_completion(const struct command_line *line, struct err *e)
{
	_cleanup_buf_ struct buf b = {0};

	(void)e;
	completion_write_bash(line->program, &b);
	out_text(b.p);
	return 0;
}

const struct command command_completion = {
	.name = "completion",
	.synopsis = "",
	.summary = "print the script that completes command lines in bash",
	.run = run_completion,
};
