/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdbool.h>

/*
 * Returns whether a cgroup v1 hierarchy with that controller is mounted. Looks in
 * /proc/self/mounts like libcontainer and cAdvisor of 2015, which do not know cgroup v2.
 * Returns false when the file cannot be read.
 *
 * RACKSTRAP_STANDIN_MOUNTS names another file, for tests.
 */
bool cgroup_v1_mounted(const char *controller);
