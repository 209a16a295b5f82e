/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The commands of `rackstrap`: one row each in commands.c's table, one file each
 * (cmd-NAME.c).
 */
#pragma once

#include "lib/command.h"

extern const struct command command_new, command_build, command_lock, command_fetch,
	command_cache, command_check, command_diff, command_pxe, command_serve,
	command_discover, command_rack, command_ssh, command_status, command_write,
	command_inspect, command_customize, command_verify, command_completion;

extern const struct program rackstrap;
