/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Checks the default route. kube-proxy and Calico's plugin for the kubelet use the source
 * address of the default route and do not work without one.
 */
#pragma once

#include "firstboot/firstboot.h"
#include "firstboot/model/host.h"

/*
 * Returns why there is no default route ("no default route: eth0 has no carrier"), owned
 * by the caller; NULL when there is one or the kernel's table cannot be read. `uplink`:
 * the name of the interface, or NULL when it is not known.
 */
char *route_missing(const struct firstboot *fb, const struct host *h, const char *uplink);
