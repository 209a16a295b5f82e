/* SPDX-License-Identifier: Apache-2.0 */
/* HTTP requests with the image's curl. All of them have a timeout. */
#pragma once

#include "lib/err.h"

/* Sets *status and, unless `body` is NULL, *body, owned by the caller. Returns 0, or -1
 * when there was no response. */
int http_get(const char *url, unsigned *status, char **body, struct err *e) _must_check_;

/* Does what http_get does; a body of more than `max` bytes is an error. */
int http_get_config(const char *url, size_t max, unsigned *status, char **body,
		    struct err *e) _must_check_;

/* Sends a form field, "NAME=VALUE", with PUT, as etcd expects it. Returns as http_get. */
int http_put_form(const char *url, const char *field, unsigned *status,
		  struct err *e) _must_check_;

/* Sends a JSON text with PUT, and `token` in REPORT_TOKEN_HEADER unless it is NULL.
 * Returns 0 when the status was 2xx, else -1. */
int http_put_json(const char *url, const char *json, const char *token,
		  struct err *e) _must_check_;
