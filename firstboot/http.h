/* SPDX-License-Identifier: Apache-2.0 */
/* HTTP by the image's curl, always by argument vector and always bounded in time. */
#pragma once

#include "lib/err.h"

/* The response's status; its body in *body, owned by the caller, unless body is NULL.
 * -1: there was no response. */
int http_get(const char *url, unsigned *status, char **body, struct err *e) _must_check_;

/* As http_get, for a body of at most `max` bytes. */
int http_get_config(const char *url, size_t max, unsigned *status, char **body,
		    struct err *e) _must_check_;

/* PUT of a form field, as etcd takes it. */
int http_put_form(const char *url, const char *field, unsigned *status,
		  struct err *e) _must_check_;

/* PUT of a file as application/json. 0 only when the answer was 2xx. */
int http_put_file(const char *url, const char *path, struct err *e) _must_check_;
