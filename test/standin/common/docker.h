/* SPDX-License-Identifier: Apache-2.0 */
/* Docker's remote API over its socket: the part that calicoctl and the kubelet use. */
#pragma once

#include "test/standin/common/etcd.h"

#define DOCKER_SOCKET "/var/run/docker.sock"

/* Parses "unix:///var/run/docker.sock" (also with two slashes, as docker-py writes
 * it). */
int docker_target_parse(const char *s, struct http_target *ret,
			struct err *e) _must_check_;

/* Sends one request. Sets *ret to the answer, or to JSON null when it is not JSON.
 * Returns the HTTP status or -1. */
int docker_call(const struct http_target *t, const char *method, const char *path,
		const json_t *body, json_t **ret, struct err *e) _must_check_;

/* Returns the API version, "1.19" as 1019, or -1 when Docker does not answer. `version`
 * may be NULL. */
int docker_api_version(const struct http_target *t, char **version,
		       struct err *e) _must_check_;

const char *docker_message(const json_t *answer);
