/* SPDX-License-Identifier: Apache-2.0 */
/* http/status/metrics of a boot server. */
#pragma once

#include "pxe/tracker.h"

/*
 * Returns the metrics in Prometheus' text format 0.0.4
 * (https://prometheus.io/docs/instrumenting/exposition_formats/), which
 * rackstrap-serve(1) lists. Owned by the caller.
 */
char *status_metrics(const struct tracker *t, uint64_t now_ms);
