/* SPDX-License-Identifier: Apache-2.0 */
/* rackstrap status: prints what the hosts of a boot tree reported. */
#include "builder/commands.h"
#include "builder/status-watch.h"
#include "lib/out.h"
#include "pxe/status.h"

enum {
	OPT_JSON = 1,
	OPT_WATCH,
};

static int run_status(const struct command_line *line, struct err *e)
{
	_cleanup_status_ struct status s = {0};
	_cleanup_free_ char *text = NULL;

	if (command_has(line, OPT_WATCH) && command_has(line, OPT_JSON))
		return err_set(e, ERR_USAGE,
			       "status: options '--watch' and '--json' exclude each "
			       "other");
	if (command_has(line, OPT_WATCH))
		return status_watch(line->args[0], e);
	if (status_load(&s, line->args[0], e) < 0)
		return -1;
	if (command_has(line, OPT_JSON)) {
		text = status_json(&s, time(NULL));
	} else {
		struct buf b = {0};

		status_table(&s, time(NULL), &b);
		text = buf_take(&b);
	}
	out_text(text);
	return status_verdict(&s, e);
}

static const struct command_option options[] = {
	{.name = "json", .id = OPT_JSON, .help = "print JSON instead of a table"},
	{.name = "watch",
	 .id = OPT_WATCH,
	 .help = "show what each host does now, until Ctrl-C"},
	{.name = NULL},
};

const struct command command_status = {
	.name = "status",
	.synopsis = "DIR [--json | --watch]",
	.summary = "show what the hosts of a rack reported",
	.options = options,
	.operands =
		{{.name = "DIR",
		  .kind = ARG_DIR,
		  .help = "a boot tree, the folder of a rack, or a folder of reports"}},
	.min_args = 1,
	.max_args = 1,
	.run = run_status,
};
