/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Logging in on the hosts of a rack that runs here: a key that is made for one run, and
 * what ssh(1) needs to know about the hosts. All of it is in the rack's folder:
 *
 *	run/ssh/key key.pub		 root's key on every host of this run
 *	run/ssh/config			 for ssh -F; needs $RACK_DIR, the rack's folder
 *	run/ssh/known_hosts.NAME	 the host's own keys, since its last boot
 *	run/ssh/bin/ssh scp sftp	 these programs with that config, for $PATH
 *
 * The key is removed at the end of the run. A host of an image that boots from memory
 * makes new host keys at each boot, so its file is removed when it loads its boot script;
 * ssh trusts the first key that it then sees. Nothing but the rack's machines is on their
 * network.
 */
#pragma once

#include "builder/rack/rack-run.h"

/* Path of the configuration in the rack's folder. */
#define RACK_SSH_CONFIG "run/ssh/config"
/* Folder of the programs in the rack's folder. */
#define RACK_SSH_BIN "run/ssh/bin"

/* Makes the key and adds it to the keys of each host of the rack, whose tree is not yet
 * rendered. Removes what an earlier run left. */
int rack_ssh_make_key(struct rack *rack, const char *dir, struct err *e) _must_check_;

/* Writes the configuration for the machines of a run. A host without a fixed address is
 * in it after its report. */
int rack_ssh_write_config(const struct rack_run *r, struct err *e) _must_check_;

/* Returns the address of a machine, written to `out`, or NULL if it is not known. */
const char *rack_ssh_address(const struct machine *m, char out[static NET_ADDR_LEN]);

/* Forgets the host keys of a host, which boots. */
void rack_ssh_forget(const char *dir, const char *host);

/* Removes the key and everything else. */
void rack_ssh_remove(const char *dir);
