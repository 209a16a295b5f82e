/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The mark of a state disk, which says whose it is. A state disk is found by its label,
 * which every state disk has, so that the disk of another machine would be taken, with
 * that host's data and host.cfg. The boot script (pxe/initramfs/rackstrap-state)
 * therefore asks `firstboot claim` about every disk that has the label, and marks the one
 * that it uses.
 *
 * The mark is the file rackstrap/owner.cfg on the disk's filesystem, in libconfig syntax.
 * Each key may be missing, and unknown ones are ignored:
 *
 *	name = "node-1";                  the host's name
 *	cluster = "demo";                 its rack
 *	serial = "CZ1234";                the machine's SMBIOS serial number and
 *	uuid = "4c4c4544-0051-...";       UUID, unless they are placeholders
 *	macs = [ "52:54:00:25:00:11" ];   its network cards
 *
 * A disk without a mark was made by an earlier version, or by hand. Its /etc/hostname, if
 * it has one, says whose it is.
 */
#pragma once

#include "firstboot/machine-id.h"
#include "firstboot/model/host.h"

#define OWNER_CFG "rackstrap/owner.cfg" /* below the disk's root folder */

struct owner {
	char *name, *cluster;      /* NULL: not known */
	struct machine_id machine; /* without placeholders */
};
void owner_done(struct owner *o);
#define _cleanup_owner_ _cleanup_(owner_done)

/* The relation of a disk's mark to this host, best first. */
enum claim {
	CLAIM_SAME,       /* the same host, or the same machine if a name is not known */
	CLAIM_REPLACED,   /* the same host, but another machine: its mainboard is new */
	CLAIM_RENAMED,    /* the same machine and rack, but the host has another name */
	CLAIM_GIVEN,      /* another's, and rackstrap.state_from= gives it to this host */
	CLAIM_UNMARKED,   /* no mark, and no other host's name */
	CLAIM_UNSURE,     /* this host's name is not known yet, and the machine is another
			 * one or cannot be compared */
	CLAIM_UNREADABLE, /* the mark cannot be read */
	CLAIM_OTHER,      /* another host's */
};

/* Returns the word for it, "same". */
const char *claim_name(enum claim c);

/* Loads the sources that do not need a state disk or a network, without complaints. The
 * caller empties it. */
void host_load_early(struct host *ret, const struct firstboot *fb);

/* Reads who this host is from the sources that do not need a state disk or a network. */
void owner_of_host(struct owner *ret, const struct firstboot *fb);

/* Reads the text of a mark. Returns 0, or -1 with a message. */
int owner_parse(struct owner *ret, const char *text, size_t len,
		struct err *e) _must_check_;

/* Reads the mark below `dirfd`. Returns 1; 0 when there is none, or one that names no
 * host and no machine, and *ret then has the name in the disk's /etc/hostname, if any; or
 * -1 with a message. */
int owner_read(struct owner *ret, int dirfd, struct err *e) _must_check_;

/* Returns true if the host has a name or its machine is known: others have no mark. */
bool owner_is_known(const struct owner *o);

/* Compares. `marked`: `disk` is a mark. `from` is the value of rackstrap.state_from=:
 * "NAME", "CLUSTER/NAME", "CLUSTER/" for the host's own name, or, for a disk without a
 * name, its machine's serial number, UUID or a MAC address; or NULL. */
enum claim owner_compare(const struct owner *host, const struct owner *disk, bool marked,
			 const char *from);

/* Returns "host 'node-1' of rack 'demo' (serial ...)" for a message. Owned by the
 * caller. */
char *owner_text(const struct owner *o);

/* Returns the mark for a disk that becomes the host's: values of `host`, and those of
 * `disk` where they are not known. Owned by the caller. */
char *owner_mark(const struct owner *host, const struct owner *disk);
