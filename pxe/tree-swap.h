/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Puts a new boot tree in the place of the old one, whose reports and logs ("collected"
 * below) it keeps. They are linked into the new tree before it is swapped in, so there is
 * no instant at which the tree has lost them. What arrives in the old tree after that,
 * and what could not be linked, is moved after the swap; of two reports of one name the
 * later one counts. If the process is killed in between, tree_rescue() moves it.
 */
#pragma once

#include "lib/scratch.h"

/* Returns whether the folder is a boot tree. */
bool tree_is(const char *dir);

/* Checks that the collected files of the tree `dir` can be moved. */
int tree_swap_check(const char *dir, struct err *e) _must_check_;

/* Links the collected files of the tree `old` into the tree `new`; both are open
 * folders. */
int tree_swap_link(int old, int new, struct err *e) _must_check_;

/* Completes a swap in three renames (file_exchange) during which an earlier process was
 * killed. Sets *exists to true when it has restored the old tree. */
int tree_swap_recover(const char *dir, bool *exists, struct err *e) _must_check_;

/* Moves the new tree to `dir`. On success the old one is at s->path, to be removed. */
int tree_swap_publish(struct scratch *s, const char *dir, struct err *e) _must_check_;
