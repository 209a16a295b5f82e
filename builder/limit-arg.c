/* SPDX-License-Identifier: Apache-2.0 */
#include "builder/limit-arg.h"

#include "builder/disk/disk-image.h"
#include "lib/str.h"

int limit_arg_parse(uint64_t *ret, const struct command_line *line, int id, struct err *e)
{
	const char *text = command_arg(line, id, NULL);

	*ret = DISK_LIMIT;
	if (text && (str_to_size(text, ret) < 0 || *ret == 0))
		return err_set(e, ERR_USAGE,
			       "%s: option '--limit' must be a size, as in 100G, not "
			       "'%s'",
			       line->command->name, text);
	return 0;
}
