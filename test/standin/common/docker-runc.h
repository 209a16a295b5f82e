/* SPDX-License-Identifier: Apache-2.0 */
/*
 * `docker standin-runc ARGS...`: an OCI runtime that adds one behaviour of Docker 1.7.0
 * to runc. The libnetwork of 1.7.0 copies the host's /etc/resolv.conf into every
 * container and starts no container when it cannot open that file. Everything else is
 * left to the real runc.
 */
#pragma once

#define DOCKER_RUNC_WORD "standin-runc"

/*
 * Executes runc with the arguments in `argv`, unless they create a container on a host
 * without /etc/resolv.conf. In that case it reports the error as runc does: in the file
 * of the option --log and on standard error. Returns 1 on failure; on success it does not
 * return.
 *
 * RACKSTRAP_STANDIN_RUNC names another runc than /usr/sbin/runc or /usr/bin/runc.
 */
int docker_runc(int argc, char **argv);
