/* SPDX-License-Identifier: Apache-2.0 */
/* Functions shared by the files serve*.c only. */
#pragma once

#include "pxe/serve.h"

/* --- serve.c --- */

/* Makes what a tree may lack, and protects its secrets; `first`: before the start. */
int serve_prepare(const struct serve *s, bool first, struct err *e) _must_check_;

/* Starts a server, with `env` added to the environment, unless it is NULL, and with
 * `user` not NULL as that user, who gets the log. */
int serve_child_start(const struct serve *s, struct serve_child *c, char *const *argv,
		      char *const *env, const struct run_user *user,
		      struct err *e) _must_check_;
/* Waits until the server's log has the text behind `offset`, or fails when it ends. */
int serve_child_await_line(struct serve_child *c, off_t offset, const char *text,
			   struct err *e) _must_check_;
void serve_child_stop(struct serve_child *c);

/* Returns nginx's argument vector. Owned by the caller. */
char **serve_nginx_argv(const struct serve *s);
/* Stops nginx, starts it, and waits until it listens on the address and port of
 * s->info. */
int serve_restart_nginx(struct serve *s, struct err *e) _must_check_;

/* --- serve-dhcp.c --- */

/* Starts the tree's DHCP server, and dnsmasq for TFTP, and waits until they listen. */
int serve_dhcp_start(struct serve *s, struct err *e) _must_check_;
/* Makes them test the configurations of the tree. */
int serve_dhcp_test(const struct serve *s, struct err *e) _must_check_;
/* Makes them use the hosts and configurations that the tree has now: what did not change
 * goes on, else they read them again or are started again. If one does not start again,
 * s->lost is its name. */
int serve_dhcp_reload(struct serve *s, struct err *e) _must_check_;
void serve_dhcp_done(struct serve *s);

/* --- serve-dnsmasq.c, for dhcp_servers[] --- */

char **serve_dnsmasq_argv(const struct serve *s, bool test);
bool serve_dnsmasq_can_reload(const char *const old[2], const char *const new[2]);
int serve_dnsmasq_reload(struct serve *s, struct err *e) _must_check_;

/* --- serve-kea.c, for dhcp_servers[] --- */

char **serve_kea_argv(const struct serve *s, bool test);
char **serve_kea_env(const struct serve *s);
int serve_kea_prepare(const struct serve *s, struct err *e) _must_check_;
bool serve_kea_can_reload(const char *const old[2], const char *const new[2]);
int serve_kea_reload(struct serve *s, struct err *e) _must_check_;
