/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The program of `rackstrap rack --run`, which runs in the rack's namespaces when every
 * host is ready. Its environment has
 *
 *	RACK_DIR		the rack's folder, absolute
 *	RACK_HOSTS		the names of the hosts, with blanks between them
 *	RACK_ADDRESS_node_1	the address of each; what no variable may have is '_'
 *	PATH			begins with ssh, scp and sftp that know the hosts
 */
#pragma once

#include "builder/rack/rack-run.h"

/* Checks that the program can be started later. Returns 0, or -1 with `e` set. */
int rack_program_check(char *const *argv, const char *dir, struct err *e) _must_check_;

/*
 * Runs r->program, with this process's standard input, output and error, and follows the
 * rack meanwhile. Logs how it ended. Returns 0 if it exited with 0; else -1 with `e` set:
 * its code is the program's exit status, 128 and the number of the signal that killed it,
 * or ERR_INTERRUPTED.
 */
int rack_program_run(struct rack_run *r, struct err *e) _must_check_;
