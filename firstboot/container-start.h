/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Whether Docker can start containers. A daemon that answers and loads images may still
 * start none, and a node without a single working container is Ready for Kubernetes: so
 * one is created, started and removed, once in a boot.
 */
#pragma once

#include "firstboot.h"
#include "host.h"

/* Returns whether the test is to be made: the role has Docker, a container image is baked
 * in, and the test has not been passed in this boot. */
bool container_start_applies(const struct firstboot *fb, const struct role *role);

/* Makes the test with the smallest of the image's containers. 0: passed, which is marked
 * in RUN_DIR; -1: not passed yet, with the reason. Leaves no container behind. */
int container_start(const struct firstboot *fb, struct err *e) _must_check_;
