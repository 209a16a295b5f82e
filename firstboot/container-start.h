/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Tests whether Docker can start containers. A daemon that answers and loads images may
 * still start none, and a node without a single working container is Ready for
 * Kubernetes: so one is created, started and removed, once in a boot.
 */
#pragma once

#include "firstboot/firstboot.h"
#include "firstboot/model/host.h"

/* Returns whether the test is to be made: the role has Docker, a container image is baked
 * in, and the test has not been passed yet. */
bool container_start_applies(const struct firstboot *fb, const struct role *role);

/* Makes the test with the smallest of the image's containers that has a command. 0:
 * passed, which is marked in RUN_DIR; -1: not passed yet, with the reason. Removes the
 * container in any case. Takes at most some two minutes when Docker does not answer. */
int container_start(const struct firstboot *fb, struct err *e) _must_check_;
