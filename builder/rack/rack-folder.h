/* SPDX-License-Identifier: Apache-2.0 */
/* The folder of a rack (`rackstrap rack --dir`). */
#pragma once

#include "lib/err.h"

/* The process whose namespaces the rack is in, while it runs. In the folder. */
#define RACK_PID_FILE "run/ns.pid"

/*
 * Makes the folder and its parts, and locks it: *ret_lock is the descriptor. Removes the
 * disks of an earlier run if `fresh`, its temporary files, and its process id and
 * reports, which would be taken for this one's. Refuses a folder with other content, one
 * of another user, and another user's link to one.
 */
int rack_folder_open(const char *dir, bool fresh, int *ret_lock,
		     struct err *e) _must_check_;
