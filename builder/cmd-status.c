/* SPDX-License-Identifier: Apache-2.0 */
/* rackstrap status: what the hosts of a boot tree reported, as a table or as JSON. */
#include "builder/command.h"
#include "pxe/status.h"

static int run_status(const struct command *self, int argc, char **argv, struct err *e)
{
	static const struct option options[] = {{"json", no_argument, NULL, 'j'},
						{"help", no_argument, NULL, 'h'},
						{NULL, 0, NULL, 0}};
	_cleanup_status_ struct status s = {0};
	_cleanup_free_ char *text = NULL;
	bool json = false;
	int c;

	while ((c = command_getopt(self, argc, argv, options, e)) != -1) {
		if (c != 'j')
			return -1;
		json = true;
	}
	if (argc - optind != 1)
		return err_set(e, ERR_USAGE,
			       "status: name one boot tree or folder of reports");
	if (status_load(&s, argv[optind], e) < 0)
		return -1;
	if (json) {
		text = status_json(&s, time(NULL));
	} else {
		struct buf b = {0};

		status_table(&s, time(NULL), &b);
		text = buf_take(&b);
	}
	fputs(text, stdout);
	return status_verdict(&s, e);
}

const struct command command_status = {
	.name = "status",
	.args = "TREE|DIR [--json]",
	.summary = "show what the hosts of a rack reported",
	.help = "  --json            as JSON\n",
	.run = run_status,
};
