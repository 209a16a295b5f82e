/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Checks of single words of a configuration. Each function returns NULL when the word is
 * right, else the mistake, to follow the word in a message: `"a b" has a blank in it`.
 */
#pragma once

#include "lib/cleanup.h"

/* The name of a bonded uplink. Not "bond0": the kernel's module makes a bond of that name
 * when it is loaded, and networkd would not change its settings. */
#define UPLINK_BOND "bond-uplink"

/* Checks one label of a host name (RFC 1123) in lower case: at most 63 of a-z 0-9 '-'. */
const char *word_label_wrong(const char *s);

/* Checks a domain name: labels between dots, at most 253 characters; RFC 1123 allows
 * capitals. */
const char *word_domain_wrong(const char *s);

/* Checks for printable ASCII without blanks and without the special characters of shells
 * and systemd. */
const char *word_plain_wrong(const char *s);

/* Checks the name of a network interface: the kernel must accept it, and it may not be
 * one that rackstrap or a feature's programs make. */
const char *word_interface_wrong(const char *s);

/* Checks a link of a bond: a MAC address, or the name of an interface. */
const char *word_bond_link_wrong(const char *s);

/* Checks a value of "console=" on the kernel's command line. */
const char *word_console_wrong(const char *s);

/* Checks a line of an authorized_keys file (sshd(8), AUTHORIZED_KEYS FILE FORMAT):
 * options if any, a key type of OpenSSH, and base64 that begins with that type's name. */
const char *word_ssh_key_wrong(const char *s);

/* Checks a URL: http:// or https://, a host, and no character that needs quoting. */
const char *word_url_wrong(const char *s);
