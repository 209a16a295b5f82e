/* SPDX-License-Identifier: Apache-2.0 */
/*
 * rackstrap.config=URL: a host.cfg from a web server. apply fetches it and keeps it in
 * CONFIG_CFG, where it is a source like the others; when the server has it not, the last
 * one that was fetched from that URL and was good comes in its place. Without either the
 * host is not configured: it could be another one than was meant.
 *
 * The network is up by then only because the boot script brings it up (by DHCP, or as ip=
 * says) when the word is there.
 */
#pragma once

#include "firstboot/firstboot.h"
#include "lib/str.h"

#define CONFIG_CFG    RUN_DIR "/config.cfg"
#define LAST_GOOD_CFG "var/lib/rackstrap/config.cfg"

/* The URL on the command line, or NULL. Owned by the caller. */
char *config_url(const struct firstboot *fb);

/* Fetches, if there is an URL. What went wrong goes to `warnings`. */
void config_url_fetch(const struct firstboot *fb, char ***warnings);

/* What was fetched made a host that may be configured: from now on it is the last good
 * one. -1: it could not be kept. */
int config_url_keep(const struct firstboot *fb, struct err *e) _must_check_;
