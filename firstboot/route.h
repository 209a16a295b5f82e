/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Whether there is a way out. kube-proxy and Calico's plugin for the kubelet want to know
 * the address that the default route goes out from, and do nothing without one.
 */
#pragma once

#include "firstboot/firstboot.h"
#include "firstboot/model/host.h"

/*
 * Why there is no default route ("no default route: eth0 has no carrier"), owned by the
 * caller; NULL: there is one, or the kernel does not say. `uplink` NULL: not known.
 */
char *route_missing(const struct firstboot *fb, const struct host *h, const char *uplink);
