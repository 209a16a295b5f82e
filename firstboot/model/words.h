/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a single word of a configuration may look like. Each function returns NULL when
 * the word is fine, else what is wrong with it, to stand after the word in a message:
 * `"a b" has a blank in it`.
 */
#pragma once

#include "lib/cleanup.h"

/* The uplink's own interface where it is a bond. Not "bond0": the kernel's module makes
 * one of that name when it is loaded, and networkd would take it as it is. */
#define UPLINK_BOND "bond-uplink"

/* One label of a host name, as RFC 1123 has it, in lower case: 63 of a-z 0-9 '-'. */
const char *word_label_wrong(const char *s);

/* Labels between dots, at most 253 characters; RFC 1123 allows capitals. */
const char *word_domain_wrong(const char *s);

/* A name the kernel takes for a network interface, and not one of ours. */
const char *word_interface_wrong(const char *s);

/* A link of a bond: a MAC address, or a name. */
const char *word_bond_link_wrong(const char *s);

/* What stands behind "console=" on the kernel's command line. */
const char *word_console_wrong(const char *s);

/* An option that can stand in DOCKER_OPTS="..." (systemd's EnvironmentFile syntax, split
 * at blanks) and does not contradict what rackstrap gives Docker itself. */
const char *word_docker_option_wrong(const char *s);

/* NAME=VALUE that means the same to systemd's EnvironmentFile= and to a shell that
 * sources it, once env_quote() has written it. */
const char *word_environment_wrong(const char *s);

/* One line of an authorized_keys file (sshd(8), AUTHORIZED_KEYS FILE FORMAT): options if
 * any, a key type that OpenSSH knows, base64 that begins with that type's name. */
const char *word_ssh_key_wrong(const char *s);

/* http:// or https://, a host, nothing that needs quoting. */
const char *word_url_wrong(const char *s);
