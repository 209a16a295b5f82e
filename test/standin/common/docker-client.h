/* SPDX-License-Identifier: Apache-2.0 */
/* The client commands of Docker 1.7.0 that firstboot and the units run, with the messages
 * of 1.7.0. */
#pragma once

/*
 * Runs `load -i FILE`, `inspect --format={{.Id}} IMAGE`, `create [--name NAME] IMAGE
 * [COMMAND]`, `start NAME...`, `wait NAME` or `rm -f NAME...` and returns the exit
 * status; -1 when `argv` is none of these. DOCKER_HOST names another socket than the
 * default one.
 */
int docker_client(int argc, char **argv);
