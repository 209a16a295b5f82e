/* SPDX-License-Identifier: Apache-2.0 */
/* The option --limit of the commands that read a disk image. */
#pragma once

#include "lib/command.h"

/* Its row in a command's table; `id_` is its value there. */
#define LIMIT_OPTION(id_)                                                                \
	{                                                                                \
		.name = "limit", .arg = "SIZE", .id = (id_),                             \
		.help = "the largest size to which IMAGE may unpack (default: 64G)",     \
	}

/* Sets *ret to the option's value, or its default. Returns 0, or -1 with `e` set. */
int limit_arg_parse(uint64_t *ret, const struct command_line *line, int id,
		    struct err *e) _must_check_;
