/* SPDX-License-Identifier: Apache-2.0 */
#include "builder/common/tool.h"

#include "lib/run.h"

int tools_check(const struct tool *tools, struct err *e)
{
	for (; tools && tools->program; tools++)
		if (!run_have(tools->program))
			return err_set(e, ERR_FAILED,
				       "%s: not found in PATH; it is in the package %s",
				       tools->program, tools->package);
	return 0;
}
