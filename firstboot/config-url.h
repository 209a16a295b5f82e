/* SPDX-License-Identifier: Apache-2.0 */
/*
 * rackstrap.config=URL: a host.cfg from a web server. apply fetches it and writes it to
 * CONFIG_CFG, which is a source like the others. When it cannot be fetched, the last good
 * file from that URL is used instead. Without either the host is not configured, because
 * the remaining sources could describe another host.
 *
 * The network is up at that time because the boot script configures it (by DHCP, or as
 * ip= says) when this word is on the command line.
 */
#pragma once

#include "firstboot/firstboot.h"
#include "lib/str.h"

#define CONFIG_CFG    RUN_DIR "/config.cfg"
#define LAST_GOOD_CFG "var/lib/rackstrap/config.cfg"

/* Returns the URL on the command line, or NULL. Owned by the caller. */
char *config_url(const struct firstboot *fb);

/* Fetches the file if there is a URL. Adds failures to `warnings`. */
void config_url_fetch(const struct firstboot *fb, char ***warnings);

/* Keeps the fetched file as the last good one; for a file whose host may be configured.
 * Returns 0, also when there is none, or -1. */
int config_url_keep(const struct firstboot *fb, struct err *e) _must_check_;
