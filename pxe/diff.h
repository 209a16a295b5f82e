/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Compares two descriptions of a rack: rack files or boot trees. Meanings are compared,
 * not texts. What a change makes of a running host comes from the code that firstboot
 * acts on (firstboot/plan/).
 *
 * Hosts are the same host by their name; a host whose name is new and that has the MAC
 * address of one whose name is gone was renamed.
 */
#pragma once

#include "pxe/image.h"
#include "pxe/rack.h"
#include "pxe/tree.h"

/* One of the two descriptions. */
struct diff_side {
	const char *name;        /* for messages */
	const struct rack *rack; /* NULL: a tree, or nothing */
	const char *dir;         /* of a tree */
	struct tree_info info;   /* of a tree */
	struct image *image;     /* whose roles and templates the hosts have; NULL: not
				     * known */
	char *image_name, *image_id, *image_cmdline; /* NULL: not known */
	char *rack_name;                             /* NULL: nothing is there */
	const struct tree_options *options;          /* of a rack; NULL: not known */
	uint32_t boot_server;
	uint16_t http_port;             /* 0: not known */
	struct rack_hosts hosts;        /* for templates */
	struct template_values *values; /* NULL without image */
	struct intern names;            /* of the hosts, in their order */
};

/* Describe a rack, with what is known of its image and its tree (each may be NULL); a
 * tree, whose image is `image` if that has its id; and the tree that is not there. The
 * arguments must live as long as *ret. */
void diff_side_rack(struct diff_side *ret, const char *name, const struct rack *rack,
		    struct image *image, const struct tree_options *options);
int diff_side_tree(struct diff_side *ret, const char *dir, struct image *image,
		   struct err *e) _must_check_;
void diff_side_none(struct diff_side *ret, const char *name);
void diff_side_done(struct diff_side *s);
#define _cleanup_diff_side_ _cleanup_(diff_side_done)

/* A value that differs, as texts for people; NULL: the side has none. */
struct diff_value {
	const char *key; /* of a rack file */
	char *old, *new;
};

/* The effect of a change on a running host. All lists are NULL: nothing. */
struct diff_effect {
	char **boot;    /* the reasons why it needs a boot */
	char **units;   /* that `firstboot apply` restarts */
	char **with;    /* of the role, that systemd restarts with these */
	char **live;    /* what else it changes: "/etc/hosts", "cbr0" */
	char **unknown; /* what is not known */
};

/* Returns "boot", "unknown", "restart", "live" or "nothing": the first that applies. */
const char *diff_effect_kind(const struct diff_effect *f);

struct diff_change {
	const char *name;
	const char *was; /* the name before; NULL: the same */
	struct diff_value *v;
	size_t n;
	struct diff_effect effect;
};

/* A host that only one of them has. */
struct diff_member {
	const char *name, *role;
	struct mac mac;
	uint32_t address; /* 0: by DHCP */
};

struct diff_members {
	struct diff_member *v;
	size_t n;
};

struct diff {
	const struct diff_side *old, *new;
	struct diff_value *v; /* of the rack as a whole */
	size_t n;
	struct diff_effect effect; /* on every host */
	struct diff_members appear, vanish;
	struct diff_change *changes; /* in the new order */
	size_t n_changes;
	char **unknown; /* what could not be compared */
};

/* Compares them. *ret keeps pointers to both. Returns 0 or -1 (ERR_UNABLE). */
int diff_make(struct diff *ret, const struct diff_side *old, const struct diff_side *new,
	      struct err *e) _must_check_;
bool diff_is_same(const struct diff *d);
void diff_done(struct diff *d);
#define _cleanup_diff_ _cleanup_(diff_done)

/* Return the result for people, with hosts that change alike in one paragraph, and as
 * JSON. Owned by the caller. */
char *diff_text(const struct diff *d);
char *diff_json(const struct diff *d);
