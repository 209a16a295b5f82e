/* SPDX-License-Identifier: Apache-2.0 */
/* The roles of an image, from its recipe. The builder writes them into the image. */
#pragma once

#include "firstboot/model/conf.h"
#include "firstboot/model/features.h"
#include "lib/intern.h"

/* A role of the image, from the recipe's `roles`. */
struct role {
	char *name;   /* "" and not NULL if roles_load() complained that it is missing */
	char **units; /* in starting order; firstboot waits for them and reports them */
	char **ready; /* URLs that answer 2xx when the role works, see READY_CONDITION */
	uint32_t features; /* see features.h; with those that they include */
};

/*
 * An entry of `ready` is a URL, in which ${NAME} is replaced by the value in
 * /etc/network-environment. A condition may follow:
 * "http://.../api/v1/nodes/10.0.0.1 condition=Ready". Then the answer must be a
 * Kubernetes object with a condition of that type in status.conditions whose status is
 * "True".
 */
#define READY_CONDITION " condition="

struct roles {
	struct role *v;
	size_t n;
	bool any;            /* no image is given: every role and feature is accepted,
			      * and `v` is empty */
	char *image;         /* the image's name for messages, or NULL */
	struct intern names; /* for roles_find(): all names in the order of v, or it is
			      * not used */
};

/* The roles of the image, written by the builder: roles = ( { name = ...; units = [ ...
 * ]; ready = [ ... ]; features = [ "cbr0" ]; }, ... ); */
#define ROLES_PATH "usr/lib/rackstrap/roles.cfg"

/* Reads such a file. Returns 0, or -1 with complaints; `d` may be NULL. */
int roles_read(struct roles *ret, const char *path, struct diag *d) _must_check_;
/* Reads ROLES_PATH below a root (lib/root.h). Returns 0, or -1 with complaints; `d` may
 * not be NULL. */
int roles_read_root(struct roles *ret, int rootfd, struct diag *d) _must_check_;

/* Loads a list of roles, which has the same form in a recipe. *ret must be zeroed; the
 * caller empties it, also after a failure, when it has a role for each entry of the list
 * all the same. Returns 0, or -1 with complaints. */
int roles_load(struct roles *ret, const struct conf_node *list,
	       struct diag *d) _must_check_;
/* Adds the names to the index, after which roles_find() takes the logarithm of n. No two
 * roles may have one name. */
void roles_index(struct roles *r);
/* Returns the role of this name, or NULL. */
const struct role *roles_find(const struct roles *r, const char *name);
/* Returns true when the role has the feature. */
static inline bool role_has(const struct role *r, enum feature_id id)
{
	return r->features & FEATURE_BIT(id);
}

/* Returns the features that any of the roles has; all when no image is given. */
uint32_t roles_features(const struct roles *r);
void roles_done(struct roles *r);
#define _cleanup_roles_ _cleanup_(roles_done)
