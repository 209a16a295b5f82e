/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The templates of an image: files that firstboot writes on a host, with values of the
 * host, its cluster and its rack (template.h has the language, rackstrap-template(5) the
 * names). The builder checks them, and writes them into the image and its manifest:
 *
 *	templates = ( { path = "/etc/x.conf"; mode = "0644"; format = "ini";
 *			roles = [ "node" ]; units = [ "x.service" ];
 *			text = "1-x.conf"; }, ... );
 *
 * in TEMPLATES_CFG, with the texts in files in TEMPLATES_DIR.
 */
#pragma once

#include "firstboot/model/rack-hosts.h"
#include "firstboot/model/template.h"

#define TEMPLATES_CFG "usr/lib/rackstrap/templates.cfg"
#define TEMPLATES_DIR "usr/lib/rackstrap/templates"

#define HOST_TEMPLATES_MAX 256 /* templates of an image, and roles if it has any */
#define HOST_TEMPLATES_TEXT_MAX                                                          \
	(2 * 1024 * 1024) /* bytes of their texts, which are in the manifest */

struct host_template {
	char *path; /* absolute */
	unsigned mode;
	enum template_format format;
	char **roles; /* NULL: all */
	char **units; /* to restart when the file changes; NULL: those that have it as
		       * EnvironmentFile= */
	char *text;
	char *name;                /* in messages: the path, or the recipe's file */
	struct template *compiled; /* NULL before host_templates_compile() */
	bool shared;  /* it makes the same on all hosts of a rack that have its roles */
	char *output; /* host_templates_render(); NULL: not of the role */
};

struct host_templates {
	struct host_template *v;
	size_t n;
};
void host_templates_done(struct host_templates *t);
#define _cleanup_host_templates_ _cleanup_(host_templates_done)

/* Adds a template, of which everything is copied, and returns it. */
struct host_template *host_templates_add(struct host_templates *t,
					 const struct host_template *from);

/* Reads the templates below a root; there are none when TEMPLATES_CFG is absent. Returns
 * 0, or -1 with complaints. */
int host_templates_read(struct host_templates *ret, int rootfd,
			struct diag *d) _must_check_;

bool host_template_is_for(const struct host_template *t, const struct role *role);

/* Returns the names that a template may use: of the features of its roles. Owned by the
 * caller. */
struct template_schema *host_template_schema(const struct host_template *t,
					     const struct roles *roles);

/* Compiles the templates of one of an image's roles, or all of them if `role` is NULL.
 * Returns 0, or -1 with complaints. */
int host_templates_compile(struct host_templates *t, const struct roles *roles,
			   const struct role *role, struct diag *d) _must_check_;

/* Returns the name of a template that loops over the hosts of the rack; NULL when there
 * is none. `role`: only those of the role; NULL: all. */
const char *host_templates_use_hosts(const struct host_templates *t,
				     const struct role *role);

/* Renders the templates of a checked, derived host's role. Returns 0, or -1 with
 * complaints. */
int host_templates_render(struct host_templates *t, const struct host *h,
			  const struct roles *roles, struct template_values *values,
			  struct diag *d) _must_check_;

/* Checks that they can be rendered. `checked` has a flag for each template: those that
 * are set are left out, and are set for templates that make the same for all hosts of
 * the rack. Returns 0, or -1 with complaints. */
int host_templates_check(const struct host_templates *t, const struct host *h,
			 const struct roles *roles, struct template_values *values,
			 bool *checked, struct diag *d) _must_check_;

/* Values of one host after the other of a rack. `hosts` are those that templates loop
 * over. */
struct template_values *host_template_values(const struct roles *roles,
					     const struct rack_hosts *hosts);
/* Sets the values of a checked, derived host in them, in place of the last one's. */
void host_template_values_set(struct template_values *v, const struct host *h,
			      const struct roles *roles);
