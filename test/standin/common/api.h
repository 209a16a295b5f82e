/* SPDX-License-Identifier: Apache-2.0 */
/* The Kubernetes API as its clients among the stand-ins use it: JSON in, JSON out. */
#pragma once

#include "test/standin/common/etcd.h"

/*
 * *ret is the answer's object (new reference) whatever the status, which is returned;
 * -1 when there was no answer or it was not JSON. `body` may be NULL.
 */
int api_call(const struct http_target *t, const char *method, const char *path,
	     const json_t *body, json_t **ret, struct err *e) _must_check_;

/* What a Status object says, or "". */
const char *api_message(const json_t *answer);

/* The Ready condition of a node, borrowed, or NULL. */
json_t *api_node_ready(const json_t *node);
const char *api_node_name(const json_t *node);

struct flags;

/* The server that --master names; without it the default, with the original's warning.
 * Exits as the original does when it cannot be one. */
void api_master(const struct flags *flags, struct http_target *ret);
