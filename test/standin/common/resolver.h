/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Looks a name up like the resolver of glibc 2.19 to 2.36: with the same name servers,
 * the same order of attempts and the same timeouts (resolv/res_send.c, res_query.c,
 * res_init.c; resolv.conf(5)). The stand-ins are static and cannot call glibc's resolver.
 * They do not need the address: only the duration of a lookup matters.
 *
 * Not implemented: `options` other than timeout, attempts and ndots, `sortlist`, TCP,
 * AAAA (glibc sends A and AAAA together and waits for both), RES_OPTIONS and LOCALDOMAIN.
 */
#pragma once

#include "lib/cleanup.h"

#include <sys/socket.h>

#define RESOLVER_SERVERS 3 /* glibc's MAXNS */
#define RESOLVER_DOMAINS 6 /* glibc's MAXDNSRCH */

struct resolver {
	struct sockaddr_storage servers[RESOLVER_SERVERS];
	size_t n_servers;
	char **search; /* owned */
	unsigned timeout_s, attempts, ndots;
};

/*
 * Parses the text of a resolv.conf; NULL stands for a missing file. Without a name server
 * it uses 127.0.0.1; without a search domain, the domain of `hostname`.
 */
void resolver_parse(struct resolver *r, const char *text, const char *hostname);
void resolver_done(struct resolver *r);

/* Returns how long an attempt waits for the server with that index, in seconds. */
unsigned resolver_timeout_s(const struct resolver *r, size_t server);

/* Returns how long one name takes when all servers are silent, in seconds. */
unsigned resolver_silence_s(const struct resolver *r);

enum resolver_result {
	RESOLVER_FOUND,
	RESOLVER_NO_DATA,  /* the name has no address */
	RESOLVER_NO_NAME,  /* NXDOMAIN */
	RESOLVER_FAILURE,  /* a server failed, and no other gave an answer */
	RESOLVER_TIMEOUT,  /* no server answered, at least one was silent */
	RESOLVER_UNREACHED /* every server refused or was unreachable */
};

/* Looks `name` up, by itself and within the search domains, like glibc's res_search. */
enum resolver_result resolver_lookup(const struct resolver *r, const char *name);

/* Returns a short description for a log. */
const char *resolver_strresult(enum resolver_result result);
