/* SPDX-License-Identifier: Apache-2.0 */
/* The folder of a rack (`rackstrap rack --dir`). */
#pragma once

#include "lib/err.h"

/*
 * Makes the folder and its parts, and locks it: *ret_lock is the descriptor. Removes the
 * disks of an earlier run if `fresh`, its temporary files, and its reports, which would
 * be taken for this one's. Refuses a folder with other content, one of another user, and
 * another user's link to one.
 */
int rack_folder_open(const char *dir, bool fresh, int *ret_lock,
		     struct err *e) _must_check_;
