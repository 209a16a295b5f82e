/* SPDX-License-Identifier: Apache-2.0 */
/* Checks that hold for the plan of every host, used by the fuzzers of its sources. */
#pragma once

#include "../unit/test-roles.h"
#include "../unit/test-templates.h"
#include "firstboot/feature/calico.h"
#include "firstboot/feature/etcd.h"
#include "firstboot/model/host-check.h"
#include "firstboot/plan/plan.h"

static void demand(bool what, const char *story)
{
	if (what)
		return;
	fprintf(stderr, "%s\n", story);
	abort();
}

/* Demands complete lines of characters that a text file may contain. */
static void demand_text(const char *text)
{
	for (const char *c = text; *c; c++)
		demand((unsigned char)*c >= 0x20 || *c == '\n' || *c == '\t', text);
	demand(text[0] && text[strlen(text) - 1] == '\n', text);
}

/* Demands comments and lines NAME=VALUE, with VALUE in double quotes or unquoted and
 * nothing that a shell expands. */
static void demand_environment(const char *text)
{
	_cleanup_strv_ char **lines = strv_split(text, "\n");

	for (size_t i = 0; lines && lines[i]; i++) {
		const char *value = strchr(lines[i], '='), *quote;

		if (lines[i][0] == '#')
			continue;
		demand(value && value > lines[i], lines[i]);
		demand(!strpbrk(value, "\\$`'"), lines[i]);
		quote = strchr(value, '"');
		demand(!quote || (quote == value + 1 &&
				  strchr(quote + 1, '"') ==
					  lines[i] + strlen(lines[i]) - 1),
		       lines[i]);
	}
}

/* Demands sections and lines KEY=VALUE, neither part empty, and exactly one interface per
 * file. */
static void demand_networkd(const char *text)
{
	_cleanup_strv_ char **lines = strv_split(text, "\n");
	size_t matches = 0;

	for (size_t i = 0; lines[i]; i++) {
		const char *value = strchr(lines[i], '=');

		if (lines[i][0] == '#')
			continue;
		if (streq(lines[i], "[Match]") || streq(lines[i], "[NetDev]"))
			matches++;
		if (lines[i][0] == '[')
			demand(lines[i][strlen(lines[i]) - 1] == ']', lines[i]);
		else
			demand(value && value > lines[i] && value[1], lines[i]);
	}
	demand(matches == 1, text);
}

/* Demands keys of etcd that need no escaping in a URL, each with one value. */
static void demand_keys(const struct host *h, const struct role *role)
{
	_cleanup_calico_keys_ struct calico_keys k = {0};

	calico_keys_make(&k, h, role);
	for (size_t i = 0; i < k.n; i++) {
		demand(str_after(k.v[i].key, "/calico/v1/") != NULL, k.v[i].key);
		for (const char *c = k.v[i].key; *c; c++)
			demand(strchr("abcdefghijklmnopqrstuvwxyz0123456789/._-", *c),
			       k.v[i].key);
		demand(etcd_contains(k.v[i].want, k.v[i].want, NULL), k.v[i].want);
		for (size_t j = 0; j < i; j++)
			demand(!streq(k.v[i].key, k.v[j].key), k.v[i].key);
	}
}

static void demand_plan(const struct plan *p, const struct host *h)
{
	_cleanup_free_ char *text = plan_text(p);

	demand_text(text);
	for (size_t i = 0; i < p->n_files; i++) {
		const struct plan_file *f = &p->files[i];
		size_t lines = 0;

		if (f->kind != PLAN_FILE)
			continue;
		demand_text(f->data);
		for (const char *c = f->data; *c; c++)
			lines += *c == '\n';
		if (str_after(f->path, "etc/systemd/network/"))
			demand_networkd(f->data);
		if (strstr(f->path, "network-environment"))
			demand_environment(f->data);
		if (strstr(f->path, "authorized_keys"))
			demand(lines == strv_len(h->ssh_keys) + 1, f->data);
		if (strstr(f->path, "default/docker"))
			demand(lines == 2, f->data);
		if (strstr(f->path, "hostname"))
			demand(lines == 1, f->data);
	}
}

/* Derives and checks the host; makes its plan and its rescue plan and checks them. */
static void plan_any(struct host *h, bool loaded)
{
	_cleanup_roles_ struct roles roles = {0};
	_cleanup_host_templates_ struct host_templates templates = {0};
	_cleanup_diag_ struct diag d = {0};
	_cleanup_plan_ struct plan p = {0}, rescue = {0};
	bool bad[HOST_KEY_COUNT] = {false};

	roles_2015(&roles);
	host_derive(h, &roles);
	if (host_check_keys(h, &roles, &d, bad) == 0 && loaded) {
		demand(d.n == 0, "passed with a complaint");
		demand(templates_2015_render(&templates, &roles, h, &d) == 0,
		       "a template that cannot be rendered");
		plan_make(&p, h, roles_find(&roles, h->role), &templates, "eth0");
		demand_keys(h, roles_find(&roles, h->role));
		demand_plan(&p, h);
		demand(!(p.features & FEATURE_BIT(FEATURE_CBR0)) ||
			       h->f.cbr0.address.prefix == 24,
		       "cbr0");
	}
	for (size_t i = 0; i < HOST_KEY_COUNT; i++)
		bad[i] = bad[i] || h->bad[i];
	plan_make_rescue(&rescue, h, bad, "eth0");
	demand_plan(&rescue, h);
}
