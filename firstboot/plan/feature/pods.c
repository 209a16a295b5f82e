/* SPDX-License-Identifier: Apache-2.0 */
/* A host with pods forwards IPv4 packets. */
#include "firstboot/plan/feature.h"

#define SYSCTL_FILE "etc/sysctl.d/90-rackstrap.conf" /* sysctl.d(5) */

static void plan(struct plan *p, bool has)
{
	plan_add_file(p, SYSCTL_FILE, 0644,
		      has ? xstrdup(PLAN_MARK "\nnet.ipv4.ip_forward = 1\n") : NULL);
}

static void text(struct buf *b, const struct plan *p _unused_)
{
	buf_puts(b, "sysctl net.ipv4.ip_forward 1\n");
}

const struct feature_plan plan_pods = {
	.id = FEATURE_PODS,
	.plan = plan,
	.text = text,
};
