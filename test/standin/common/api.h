/* SPDX-License-Identifier: Apache-2.0 */
/* Calls the Kubernetes API for the stand-ins that are its clients: JSON in, JSON out. */
#pragma once

#include "test/standin/common/etcd.h"

/*
 * Sends one request; `body` may be NULL. Returns the HTTP status, whatever it is, and
 * sets *ret to the answer's object (new reference). Returns -1 when there was no answer
 * or it was not JSON.
 */
int api_call(const struct http_target *t, const char *method, const char *path,
	     const json_t *body, json_t **ret, struct err *e) _must_check_;

/* Returns the message of a Status object, or "". */
const char *api_message(const json_t *answer);

/* Returns the Ready condition of a node, borrowed, or NULL. */
json_t *api_node_ready(const json_t *node);
const char *api_node_name(const json_t *node);

struct flags;

/* Sets *ret to the server that --master names. Without --master it uses the default and
 * logs the original's warning. Exits as the original does when the value is not
 * usable. */
void api_master(const struct flags *flags, struct http_target *ret);
