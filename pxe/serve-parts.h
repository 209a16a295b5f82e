/* SPDX-License-Identifier: Apache-2.0 */
/* Functions shared by serve.c and serve-reload.c only. */
#pragma once

#include "pxe/serve.h"

/* Makes what a tree may lack, and protects its secrets; `first`: before the start. */
int serve_prepare(const struct serve *s, bool first, struct err *e) _must_check_;

/* Return the servers' argument vectors. Owned by the caller. */
char **serve_nginx_argv(const struct serve *s);
char **serve_dnsmasq_argv(const struct serve *s);

/* Returns true if dnsmasq has read the configuration that the tree has now. */
bool serve_dnsmasq_is_current(const struct serve *s);

/* Stops dnsmasq, starts it, and waits until it listens. */
int serve_restart_dnsmasq(struct serve *s, struct err *e) _must_check_;

/* Does the same with nginx, for the address and port of s->info. */
int serve_restart_nginx(struct serve *s, struct err *e) _must_check_;
