/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdbool.h>

/*
 * Tells whether a cgroup v1 hierarchy with that controller is mounted, as libcontainer
 * and cAdvisor of 2015 look for it in /proc/self/mounts; they know no cgroup v2. A file
 * that cannot be read has none.
 *
 * RACKSTRAP_STANDIN_MOUNTS names another file, for tests.
 */
bool cgroup_v1_mounted(const char *controller);
