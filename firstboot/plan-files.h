/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What stands in each file, as text owned by the caller; NULL: this host needs no such
 * file. Each begins with PLAN_MARK.
 */
#pragma once

#include "host.h"

#define FILE_UNMANAGED "etc/systemd/network/05-rackstrap-unmanaged.network"
#define FILE_UPLINK    "etc/systemd/network/10-rackstrap-uplink.network"
#define FILE_RESCUE    "etc/systemd/network/90-rackstrap-rescue.network"

char *file_hosts(const struct host *h); /* hosts(5) */
char *file_unmanaged(void);             /* systemd.network(5) */
char *file_uplink(const struct host *h, const char *uplink);
char *file_rescue(void);
char *file_resolv_conf(const struct host *h); /* resolv.conf(5) */
char *file_sysctl(void);                      /* sysctl.d(5) */
char *file_docker(const struct host *h, const struct role *role);
char *file_authorized_keys(char *const *keys); /* sshd(8) */
char *file_environment(const struct host *h, const struct role *role);
