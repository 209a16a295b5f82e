/* SPDX-License-Identifier: Apache-2.0 */
/* The parts of serve_check(): checks for what could keep the boot server from starting.
 * Each returns 0, or -1 with a complaint for each obstacle. */
#pragma once

#include "pxe/serve.h"

int serve_check_programs(const struct serve *s, struct diag *d) _must_check_;
int serve_check_address(const struct serve *s, struct diag *d) _must_check_;
/* With `running` not NULL, only the ports that it does not use are checked. */
int serve_check_ports(const struct serve *s, const struct serve *running,
		      struct diag *d) _must_check_;
int serve_check_access(const struct serve *s, struct diag *d) _must_check_;
/* Warns if a file of the image is not in the tree: it may come from elsewhere. */
void serve_warn_image(const struct serve *s);
