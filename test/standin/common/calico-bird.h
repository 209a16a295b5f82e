/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Runs BIRD in the container calico-node, configured from etcd.
 */
#pragma once

#include "test/standin/common/calico.h"

#include <jansson.h>

/* These paths are on the host; in the container they are below the host's root. */
#define CALICO_RUN_DIR     "/run/calico-node-standin"
#define CALICO_BIRD_CFG    CALICO_RUN_DIR "/bird.cfg"
#define CALICO_BIRD_SOCKET CALICO_RUN_DIR "/bird.ctl"

/*
 * Renders bird.cfg for `host`, whose address is `ip`, from `tree`: etcd's node /calico/v1
 * with everything below it. Returns 0 with *ret owned by the caller, or -1 with confd's
 * error message in `e`: one invalid key makes the whole file fail.
 */
int calico_bird_render(const json_t *tree, const char *host, const char *ip, char **ret,
		       struct err *e) _must_check_;

/*
 * Does the container's work until SIGTERM or SIGINT, then returns 0. Runs the host's BIRD
 * with the file that calico_bird_render() returns; without BIRD on the host it only
 * sleeps. Returns -1 when the first rendering fails.
 */
int calico_service(struct calico *c, struct err *e) _must_check_;

/* Prints BIRD's BGP protocols in BIRD's own format. Returns -1 when BIRD does not
 * answer. */
int calico_bird_show(struct err *e) _must_check_;
