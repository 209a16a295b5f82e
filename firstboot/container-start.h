/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Tests whether Docker can start containers. A daemon that answers and loads images may
 * still start none, and a node without a single working container is Ready for
 * Kubernetes. Therefore one is created, started and removed, once in a boot.
 */
#pragma once

#include "firstboot/firstboot.h"
#include "firstboot/model/host.h"

/* Returns true when the test is necessary: the role has Docker, a container image is
 * baked in, and the test has not been passed in this boot. */
bool container_start_applies(const struct firstboot *fb, const struct role *role);

/* Runs the test with the smallest of the image's containers that has a command, and
 * removes the container. Returns 0 when it passed, which is recorded in RUN_DIR, 0 also
 * when no container has a command, or -1 with the reason. Takes at most about two minutes
 * when Docker stops answering. */
int container_start(const struct firstboot *fb, struct err *e) _must_check_;
