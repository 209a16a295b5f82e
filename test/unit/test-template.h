/* SPDX-License-Identifier: Apache-2.0 */
/* A schema and values for tests of templates, and functions that compile and render. */
#pragma once

#include "firstboot/model/template.h"

static const struct template_key template_members[] = {
	{.name = "name", .kind = TEMPLATE_TEXT},
	{.name = "address",
	 .kind = TEMPLATE_TEXT,
	 .optional = true,
	 .sample = "10.0.0.1"},
	{.name = "port", .kind = TEMPLATE_NUMBER},
	{.name = "master", .kind = TEMPLATE_FLAG},
	{.name = "roles", .kind = TEMPLATE_TEXTS},
	{.name = NULL},
};

static const struct template_key template_keys[] = {
	{.name = "host.name", .kind = TEMPLATE_TEXT},
	{.name = "host.gateway", .kind = TEMPLATE_TEXT, .optional = true},
	{.name = "host.mtu", .kind = TEMPLATE_NUMBER, .optional = true},
	{.name = "host.vlan", .kind = TEMPLATE_NUMBER},
	{.name = "host.dhcp", .kind = TEMPLATE_FLAG},
	{.name = "host.dns", .kind = TEMPLATE_TEXTS},
	{.name = "x", .kind = TEMPLATE_TEXT},
	{.name = "y", .kind = TEMPLATE_TEXT, .optional = true},
	{.name = "hosts", .kind = TEMPLATE_GROUPS, .members = template_members},
	{.name = NULL},
};

static inline struct template_schema *template_test_schema(void)
{
	struct template_schema *s = template_schema_new();

	template_schema_add_table(s, template_keys);
	return s;
}

static inline void template_test_host(struct template_values *v, const char *name,
				      const char *address, unsigned port, bool master)
{
	struct template_values *h = template_values_group(v, "hosts");
	char *const roles[] = {(char *)"a", (char *)"b", NULL};

	template_values_text(h, "name", name);
	template_values_text(h, "address", address);
	template_values_number(h, "port", port);
	template_values_flag(h, "master", master);
	if (master)
		template_values_texts(h, "roles", roles);
}

/* Returns values of which `x` is that text. */
static inline struct template_values *template_test_values(const char *x)
{
	struct template_values *v = template_values_new();
	char *const dns[] = {(char *)"10.0.0.2", (char *)"10.0.0.3", NULL};

	template_values_text(v, "host.name", "node-1");
	template_values_number(v, "host.vlan", 7);
	template_values_flag(v, "host.dhcp", true);
	template_values_texts(v, "host.dns", dns);
	template_values_text(v, "x", x);
	template_test_host(v, "m", "10.0.0.1", 80, true);
	template_test_host(v, "n", NULL, 81, false);
	return v;
}

/* Compiles a text. Returns its complaints, one a line, or NULL. Owned by the caller. */
static inline char *template_test_compile(struct template **ret, const char *text,
					  enum template_format format)
{
	_cleanup_template_schema_ struct template_schema *s = template_test_schema();
	_cleanup_diag_ struct diag d = {0};
	struct err e = {0};

	if (template_compile(ret, text, strlen(text), "t", format, s, &d) < 0)
		return diag_err(&d, &e) < 0 ? xstrdup(e.msg) : xstrdup("no complaint");
	return d.n > 0 ? xstrdup("a complaint without an error") : NULL;
}

/* Returns the rendered text, the complaints of compiling or the error of rendering. */
static inline char *template_test_render(const char *text, enum template_format format,
					 const char *x)
{
	_cleanup_template_values_ struct template_values *v = template_test_values(x);
	_cleanup_template_ struct template *t = NULL;
	char *wrong = template_test_compile(&t, text, format), *out = NULL;
	struct err e = {0};

	if (wrong)
		return wrong;
	if (template_render(t, v, &out, &e) < 0)
		return xstrdup(e.msg);
	return out;
}
