/* SPDX-License-Identifier: Apache-2.0 */
/*
 * `docker standin-runc ARGS...`: an OCI runtime with a trait of Docker 1.7.0: its
 * libnetwork copies the host's /etc/resolv.conf into every container and starts none when
 * it cannot open that file. Everything else is left to the real runc.
 */
#pragma once

#define DOCKER_RUNC_WORD "standin-runc"

/*
 * Becomes runc with the arguments in `argv`, unless they create a container on a host
 * without /etc/resolv.conf: then reports that as runc reports its errors, in the file of
 * the option --log and on standard error. Returns 1; on success it does not return.
 *
 * RACKSTRAP_STANDIN_RUNC names another runc than /usr/sbin/runc or /usr/bin/runc.
 */
int docker_runc(int argc, char **argv);
