/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "lib/cleanup.h"

/* Returns the first line of the file at the printf-like path below the directory `root`,
 * without blanks at its ends; NULL when there is no such file or the line is empty.
 * Owned. */
char *device_line(int root, const char *fmt, ...) _printf_(2, 3);
