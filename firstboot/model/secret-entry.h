/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The entries of host.cfg's `secrets`, like "munge.key munge 0400" or "tls.key www:tls
 * 0440": the secret's name, the user and group that own it, and its mode. Without a group
 * it is the user's own. More words are reserved, for a secret that is sealed to a host's
 * key. The bytes of a secret are in no host.cfg: they come as a file of their own.
 */
#pragma once

#include "firstboot/model/conf.h"

#include <sys/types.h>

#define SECRET_NAME_MAX 64          /* systemd allows 255 in the name of a credential */
#define SECRET_USER_MAX 32          /* useradd(8) */
#define SECRET_SIZE_MAX (64 * 1024) /* bytes of one secret */
#define SECRETS_MAX     64          /* secrets of one host */

struct secret_entry {
	char name[SECRET_NAME_MAX + 1];
	char user[SECRET_USER_MAX + 1];
	char group[SECRET_USER_MAX + 1]; /* "": the user's own */
	mode_t mode;
};

/* Parse an entry and its parts. Return NULL and set *ret, or return the mistake, to
 * follow the word in a message (words.h). secret_owner_parse() sets user and group. */
const char *secret_entry_parse(const char *s, struct secret_entry *ret) _must_check_;
const char *secret_owner_parse(const char *s, struct secret_entry *ret) _must_check_;
const char *secret_mode_parse(const char *s, mode_t *ret) _must_check_;

/* Check an entry and a name in the same way. */
const char *secret_entry_wrong(const char *s);
const char *secret_name_wrong(const char *s);
