/* SPDX-License-Identifier: Apache-2.0 */
#include "builder/common/tool.h"

#include "lib/run.h"
#include "lib/str.h"

#define MISSING "%s: not found in PATH; it is in the package %s"

int tools_check(const struct tool *tools, struct err *e)
{
	for (; tools && tools->program; tools++)
		if (!run_have(tools->program))
			return err_set(e, ERR_UNABLE, MISSING, tools->program,
				       tools->package);
	return 0;
}

void tools_missing(const struct tool *tools, const char *prefix, struct diag *d)
{
	for (; tools && tools->program; tools++) {
		_cleanup_free_ char *line =
			xasprintf(MISSING, tools->program, tools->package);
		bool said = false;

		if (run_have(tools->program))
			continue;
		for (size_t i = 0; i < d->n; i++)
			said |= str_ends(d->lines[i], line);
		if (!said)
			diag_add(d, "%s%s", prefix, line);
	}
}
