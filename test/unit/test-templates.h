/* SPDX-License-Identifier: Apache-2.0 */
/* The templates of the recipes of 2015, images/bookworm and those that include it. */
#pragma once

#include "firstboot/model/host-template.h"
#include "lib/file.h"

#include <fcntl.h>

/* Templates for a root of the tests, for any features of these roles. */
#define TEST_TEMPLATES                                                                   \
	"templates = ( { path = \"/etc/network-environment\"; mode = \"0644\";\n"        \
	"  format = \"environment\"; roles = [ \"master\", \"node\" ];\n"                \
	"  text = \"environment\"; },\n"                                                 \
	"{ path = \"/etc/default/docker\"; mode = \"0644\"; format = \"environment\";\n" \
	"  roles = [ \"master\", \"node\" ]; text = \"docker\"; } );\n"
#define TEST_ENVIRONMENT                                                                 \
	"# Written by a test.\n"                                                         \
	"{{#host.address}}\nDEFAULT_IPV4={{host.address}}\n{{/host.address}}\n"          \
	"{{#host.master}}\nKUBERNETES_MASTER={{host.master}}\n{{/host.master}}\n"        \
	"{{#host.etcd}}\nETCD_AUTHORITY={{host.etcd}}\n{{/host.etcd}}\n"                 \
	"{{#host.environment}}\n{{name}}={{value}}\n{{/host.environment}}\n"
#define TEST_DOCKER                                                                      \
	"DOCKER_OPTS=\"{{#host.docker_options}} {{.}}{{/host.docker_options}}\"\n"

#define TEMPLATES_DIR_2015 "images/common/templates/"

static inline void template_2015(struct host_templates *t, const char *path,
				 const char *file)
{
	static char *roles[] = {(char *)"master", (char *)"node", NULL};
	_cleanup_free_ char *text = NULL;
	struct host_template one = {.path = (char *)path,
				    .mode = 0644,
				    .format = TEMPLATE_ENVIRONMENT,
				    .roles = roles,
				    .name = (char *)file};

	if (file_read_at(AT_FDCWD, file, TEMPLATE_MAX, &text, NULL) < 0)
		abort();
	one.text = text;
	host_templates_add(t, &one);
}

/* Sets the templates, compiled for the roles, which include master and node. */
static inline void templates_2015(struct host_templates *ret, const struct roles *roles)
{
	struct diag d = {0};

	*ret = (struct host_templates){0};
	template_2015(ret, "/etc/network-environment",
		      TEMPLATES_DIR_2015 "network-environment");
	template_2015(ret, "/etc/default/docker", TEMPLATES_DIR_2015 "docker");
	if (host_templates_compile(ret, roles, NULL, &d) < 0)
		abort();
}

/* Renders them for a derived host. */
static inline int templates_2015_render(struct host_templates *ret,
					const struct roles *roles, const struct host *h,
					struct diag *d)
{
	const struct rack_hosts none = {0};
	_cleanup_template_values_ struct template_values *v =
		host_template_values(roles, &none);

	templates_2015(ret, roles);
	return host_templates_render(ret, h, roles, v, d);
}
