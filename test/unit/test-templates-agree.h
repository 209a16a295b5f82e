/* SPDX-License-Identifier: Apache-2.0 */
/* Templates of an image and of the root of its machine, which use most values: what check
 * makes of them is what firstboot makes. */
#pragma once

#include "firstboot/config.h"
#include "pxe/rack-image.h"
#include "test-firstboot-root.h"

#define AGREE_LIST                                                                       \
	"{{#hosts}}\n{{name}} {{role}}{{#address}} "                                     \
	"{{address}}{{/address}}\n{{/hosts}}\n"                                          \
	"{{#hosts.node}}{{name}}{{^last}},{{/last}}{{/hosts.node}}\n"
#define AGREE_INI                                                                        \
	"[{{host.name}}]\naddress = {{host.address}}\n"                                  \
	"prefix = {{host.address.prefix}}\n"                                             \
	"{{#host.gateway}}\ngateway = {{host.gateway}}\n{{/host.gateway}}\n"             \
	"{{#host.dns}}\ndns = {{.}}\n{{/host.dns}}\n"                                    \
	"{{#host.mtu}}\nmtu = {{host.mtu}}\n{{/host.mtu}}\n"                             \
	"{{#host.docker_options}}\noption = {{.}}\n{{/host.docker_options}}\n"           \
	"etcd = {{host.etcd.ip}} {{host.etcd.port}}\n"                                   \
	"{{#role.node}}\nnode = {{cluster.name}}\n{{/role.node}}\n"
#define AGREE_ENVIRONMENT                                                                \
	"{{#host.environment}}\n{{name}}={{value}}\n{{/host.environment}}\n"

static const struct {
	const char *path;
	enum template_format format;
	const char *text; /* NULL: a flag of each key that tells if it is given */
} agree_templates[] = {
	{"/etc/list", TEMPLATE_PLAIN, AGREE_LIST},
	{"/etc/ini", TEMPLATE_INI, AGREE_INI},
	{"/etc/environment", TEMPLATE_ENVIRONMENT, AGREE_ENVIRONMENT},
	{"/etc/given", TEMPLATE_JSON, NULL},
};

/* Returns a template of JSON with a flag for each key of every role. */
static inline char *agree_given(const struct roles *roles)
{
	struct buf b = {0};

	for (enum host_key_id id = 0; id < HOST_KEY_COUNT; id++) {
		const struct feature *f = feature_of_key(id);
		bool all = id != HOST_REPORT && id != HOST_REPORT_TOKEN &&
			   id != HOST_SECRETS;

		for (size_t i = 0; f && i < roles->n; i++)
			all = all && role_has(&roles->v[i], f->id);
		if (all)
			buf_printf(&b, "%s\"%s\": {{host.%s.given}}", b.len ? ", " : "{ ",
				   host_key(id)->name, host_key(id)->name);
	}
	buf_puts(&b, " }\n");
	return buf_take(&b);
}

/* Adds the templates, compiled for the roles, and writes them to the machine's root. */
static inline void agree_setup(struct host_templates *t, const struct roles *roles,
			       const struct machine *m)
{
	_cleanup_free_ char *given = agree_given(roles);
	_cleanup_buf_ struct buf b = {0};
	_cleanup_diag_ struct diag d = {0};

	buf_puts(&b, "templates = (");
	for (size_t i = 0; i < ARRAY_SIZE(agree_templates); i++) {
		const char *text =
			agree_templates[i].text ? agree_templates[i].text : given;
		_cleanup_free_ char *file = xasprintf(TEMPLATES_DIR "/%zu", i);
		const struct host_template one = {
			.path = (char *)agree_templates[i].path,
			.mode = 0644,
			.format = agree_templates[i].format,
			.text = (char *)text,
			.name = (char *)agree_templates[i].path,
		};

		host_templates_add(t, &one);
		write_file(m, file, text);
		buf_printf(
			&b,
			"%s\n{ path = \"%s\"; mode = \"0644\"; format = \"%s\"; text = "
			"\"%zu\"; }",
			i ? "," : "", one.path, template_format_name(one.format), i);
	}
	buf_puts(&b, " );\n");
	write_file(m, TEMPLATES_CFG, b.p);
	if (host_templates_compile(t, roles, NULL, &d) < 0)
		fail_msg("%s", d.lines[0]);
}

/* Returns the path of a file that firstboot makes otherwise than check, or NULL. */
static inline const char *agree_differs(struct host_templates *t,
					const struct roles *roles,
					const struct rack *rack, const struct host *h,
					const struct config *c)
{
	_cleanup_template_values_ struct template_values *v = NULL;
	_cleanup_rack_hosts_ struct rack_hosts hosts = {0};
	_cleanup_diag_ struct diag d = {0};

	rack_hosts_of(&hosts, rack);
	v = host_template_values(roles, &hosts);
	if (host_templates_render(t, h, roles, v, &d) < 0)
		return d.lines[0];
	for (size_t i = 0; i < t->n; i++)
		if (i >= c->templates.n || !c->templates.v[i].output ||
		    !streq(t->v[i].output, c->templates.v[i].output))
			return t->v[i].path;
	return NULL;
}
