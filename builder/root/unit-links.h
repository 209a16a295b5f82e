/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What `systemctl enable` would do on the node, done when the image is built
 * (systemd.unit(5), [Install]): links in /etc/systemd/system. Nothing is enabled or
 * reloaded on a node.
 */
#pragma once

#include "builder/root/layer.h"

/* Whether the base's file of that path is a unit that unit_links will want to read. */
bool unit_links_want(const char *path, void *recipe);

/*
 * Adds the links of the recipe's enable, mask and roles to the layer, and marks those
 * links of the base as dropped that disable, mask and enable replace. Complaints (no
 * such unit, nothing to enable) go to l->d.
 */
void unit_links(struct layer *l, struct index *base, const struct recipe *r);
