/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Makes the links in /etc/systemd/system that `systemctl enable` would make on the node
 * (systemd.unit(5), [Install]), when the image is built. Nothing is enabled or reloaded
 * on a node.
 */
#pragma once

#include "builder/root/layer.h"

/* Returns whether unit_links() may need the text of the base's file `path`: it is a unit,
 * whatever the recipe enables, so that one index of the base serves all recipes. */
bool unit_links_reads(const char *path);

/* Adds to a forecast of a base, which has the texts of its units, the links that enabling
 * each of them makes: which ones the packages will enable is not known. */
void unit_links_forecast(struct index *base);

/*
 * Adds the links of the recipe's enable, mask and roles to the layer, and marks the
 * base's links of units in disable and mask as dropped. Complaints (no such unit, also in
 * a template, a unit without [Install]) go to l->d.
 */
void unit_links(struct layer *l, struct index *base, const struct recipe *r);
