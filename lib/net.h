/* SPDX-License-Identifier: Apache-2.0 */
/*
 * IPv4 and Ethernet address arithmetic, without sockets. Addresses are in host byte
 * order. Text forms are strict: four decimal numbers without leading zeros, a prefix of 0
 * to 32 without sign, six hexadecimal numbers of two digits.
 */
#pragma once

#include "lib/cleanup.h"

struct cidr {
	uint32_t addr; /* with its host bits */
	uint8_t prefix;
};

struct mac {
	uint8_t b[6];
};

struct hostport {
	uint32_t addr;
	uint16_t port;
};

/* Sizes of the text forms, with NUL. */
#define NET_ADDR_LEN     16 /* "255.255.255.255" */
#define NET_CIDR_LEN     19
#define NET_MAC_LEN      18
#define NET_HOSTPORT_LEN 22

/* Parse a whole string. Return 0, or -EINVAL and leave *ret unchanged. */
int net_parse_addr(const char *s, uint32_t *ret) _must_check_;
int net_parse_cidr(const char *s, struct cidr *ret) _must_check_; /* with a prefix */
int net_parse_mac(const char *s, struct mac *ret) _must_check_;   /* ':' or '-' between */
int net_parse_hostport(const char *s, struct hostport *ret) _must_check_; /* port not 0 */

/* Write the text form to `out` and return it. */
const char *net_format_addr(uint32_t addr, char out[static NET_ADDR_LEN]);
const char *net_format_cidr(struct cidr c, char out[static NET_CIDR_LEN]);
const char *net_format_mac(struct mac m, char sep, char out[static NET_MAC_LEN]);
const char *net_format_hostport(struct hostport h, char out[static NET_HOSTPORT_LEN]);

uint32_t net_mask(uint8_t prefix);
uint32_t net_network(struct cidr c);   /* the address without host bits */
uint32_t net_broadcast(struct cidr c); /* the address with all host bits set */
bool net_contains(struct cidr net, uint32_t addr);
bool net_overlap(struct cidr a, struct cidr b);
bool net_inside(struct cidr inner, struct cidr outer);
bool net_is_network(struct cidr c); /* no host bit is set */

/* Returns true when a host can have this address: it is not the network or broadcast
 * address of its network. Both addresses of a /31 and that of a /32 are usable. */
bool net_is_host(struct cidr c);

/* Returns true when some machine can have this address: it is not of 0.0.0.0/8, of
 * 127.0.0.0/8, a group's, reserved or 255.255.255.255. */
bool net_is_machine(uint32_t addr);

bool mac_is_unicast(struct mac m); /* not multicast, not all zeros */
