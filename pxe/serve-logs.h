/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The servers' logs. None of them grows much beyond serve->log_max bytes: then it becomes
 * LOG.old, which replaces the earlier one.
 */
#pragma once

#include "pxe/serve.h"

/* Creates an empty log; the previous one is renamed to LOG.old. Returns its descriptor,
 * or -1. */
int serve_log_open(const char *path, struct err *e) _must_check_;

/* Bounds the logs of the servers that run. An error is logged once. */
void serve_logs_bound(struct serve *s);
