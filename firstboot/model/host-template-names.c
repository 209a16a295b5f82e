/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Every key of a host is a name "host.KEY", in the kind of its type; keys whose value has
 * parts have names for them. A name is optional unless every host with one of the
 * template's roles has a value.
 */
#include "firstboot/model/feature.h"
#include "firstboot/model/host-template.h"
#include "firstboot/model/host-value.h"
#include "firstboot/model/template-parts.h"

#define HOSTS "hosts"

/* --- names ------------------------------------------------------------------------- */

/* Writes "PREFIX.NAME" with '_' for each '-' to `out`, at most TEMPLATE_NAME_MAX bytes.
 * Returns `out`. */
#define NAME_LEN (TEMPLATE_NAME_MAX + 1)
static char *name_of(char out[static NAME_LEN], const char *prefix, const char *name,
		     const char *suffix)
{
	const char *const parts[] = {prefix, ".", name, suffix};
	size_t n = 0;

	for (size_t i = 0; i < ARRAY_SIZE(parts); i++)
		for (const char *s = parts[i]; *s && n + 1 < NAME_LEN; s++)
			out[n++] = *s == '-' ? '_' : *s;
	out[n] = '\0';
	return out;
}

static void add(struct template_schema *s, const struct host_key *k, const char *suffix,
		enum template_kind kind, bool optional, const char *sample)
{
	static const struct template_key pair[] = {
		{.name = "name", .kind = TEMPLATE_TEXT, .sample = "HTTP_PROXY"},
		{.name = "value",
		 .kind = TEMPLATE_TEXT,
		 .sample = "http://192.0.2.1:3128"},
		{.name = NULL},
	};
	char name[NAME_LEN];
	const struct template_key key = {
		.name = name_of(name, "host", k->name, suffix),
		.kind = kind,
		.optional = optional,
		.sample = sample,
		.members = kind == TEMPLATE_GROUPS ? pair : NULL,
	};

	(void)!template_schema_add(s, &key);
}

static void add_number(struct template_schema *s, const struct host_key *k,
		       const char *suffix, bool optional)
{
	add(s, k, suffix, TEMPLATE_NUMBER, optional, NULL);
}

static void add_key(struct template_schema *s, const struct host_key *k, bool optional)
{
	switch (k->type) {
	case HOST_T_BOOL:
		add(s, k, "", TEMPLATE_FLAG, false, NULL);
		break;
	case HOST_T_U32:
	case HOST_T_AS:
		add_number(s, k, "", true);
		break;
	case HOST_T_STR:
	case HOST_T_MAC:
		add(s, k, "", TEMPLATE_TEXT, optional, k->sample);
		break;
	case HOST_T_ADDR:
		add(s, k, "", TEMPLATE_TEXT, optional, "192.0.2.1");
		break;
	case HOST_T_CIDR_OR_DHCP:
		add(s, k, "", TEMPLATE_TEXT, optional, "192.0.2.2");
		add_number(s, k, ".prefix", optional);
		break;
	case HOST_T_CIDR:
	case HOST_T_NETWORK:
		add(s, k, "", TEMPLATE_TEXT, optional, "192.0.2.0/24");
		add(s, k, ".ip", TEMPLATE_TEXT, optional, "192.0.2.0");
		add_number(s, k, ".prefix", optional);
		break;
	case HOST_T_HOSTPORT:
		add(s, k, "", TEMPLATE_TEXT, optional, "192.0.2.1:4001");
		add(s, k, ".ip", TEMPLATE_TEXT, optional, "192.0.2.1");
		add_number(s, k, ".port", optional);
		break;
	case HOST_T_STRV:
	case HOST_T_CIDRV:
		add(s, k, "", k->pairs ? TEMPLATE_GROUPS : TEMPLATE_TEXTS, false,
		    k->sample);
		break;
	}
	add(s, k, ".given", TEMPLATE_FLAG, false, NULL);
}

/* Returns true for keys that no template may have the value of. */
static bool is_hidden(const struct host_key *k)
{
	return host_key_is_secret(k->id) || k->id == HOST_REPORT || k->id == HOST_SECRETS;
}

/* Sets *any to the features that at least one of the template's roles has, *all to those
 * that every one of them has. */
static void features_of(const struct host_template *t, const struct roles *roles,
			uint32_t *any, uint32_t *all)
{
	*any = 0;
	*all = FEATURES_ALL;
	for (size_t i = 0; i < roles->n; i++) {
		if (!host_template_is_for(t, &roles->v[i]))
			continue;
		*any |= roles->v[i].features;
		*all &= roles->v[i].features;
	}
}

/* Adds the names of a key of which the template's roles have no feature, or which is
 * hidden, as absent ones. */
static void add_absent(struct template_schema *s, const struct host_key *k,
		       const struct feature *f)
{
	_cleanup_template_schema_ struct template_schema *names = template_schema_new();
	_cleanup_free_ char *why = NULL;

	if (k->id == HOST_SECRETS)
		why = xstrdup("no template has a secret: it is the file "
			      "/run/rackstrap/secrets/NAME on the host");
	else if (is_hidden(k))
		why = xstrdup("no template has it");
	else
		why = xasprintf("feature '%s' has it", f->name);
	add_key(names, k, false);
	for (size_t i = 0; i < names->n; i++)
		template_schema_add_absent(s, names->rows[i].name, why);
}

/* Adds the names of a feature's values as absent ones. `some`: a role of the template
 * has the feature. */
static void add_absent_values(struct template_schema *s, const struct feature *f,
			      bool some)
{
	_cleanup_free_ char *why = xasprintf(
		some ? "only a template whose roles all have feature '%s' has it"
		     : "feature '%s' has it",
		f->name);

	for (const struct template_key *k = f->values; k && k->name; k++)
		template_schema_add_absent(s, k->name, why);
}

static void add_hosts(struct template_schema *s, const struct roles *roles)
{
	static const struct template_key members[] = {
		{.name = "name", .kind = TEMPLATE_TEXT, .sample = "host"},
		{.name = "role", .kind = TEMPLATE_TEXT, .sample = "role"},
		{.name = "address",
		 .kind = TEMPLATE_TEXT,
		 .optional = true,
		 .sample = "192.0.2.1"},
		{.name = NULL},
	};
	struct template_key key = {
		.name = HOSTS, .kind = TEMPLATE_GROUPS, .members = members};
	char name[NAME_LEN];

	(void)!template_schema_add(s, &key);
	for (size_t i = 0; i < roles->n; i++) {
		key.name = name_of(name, HOSTS, roles->v[i].name, "");
		(void)!template_schema_add(s, &key);
	}
}

struct template_schema *host_template_schema(const struct host_template *t,
					     const struct roles *roles)
{
	static const struct template_key cluster[] = {
		{.name = "cluster.name", .kind = TEMPLATE_TEXT, .sample = "demo"},
		{.name = NULL},
	};
	struct template_schema *s = template_schema_new();
	uint32_t any, all;

	features_of(t, roles, &any, &all);
	for (enum host_key_id id = 0; id < HOST_KEY_COUNT; id++) {
		const struct host_key *k = host_key(id);
		const struct feature *f = feature_of_key(id);
		bool always = k->always && (!f || all & FEATURE_BIT(f->id));

		if (is_hidden(k) || (f && !(any & FEATURE_BIT(f->id)))) {
			add_absent(s, k, f);
			continue;
		}
		if (id == HOST_ADDRESS)
			always = features_need_address(all);
		add_key(s, k, !always);
	}
	for (size_t i = 0; i < FEATURE_COUNT; i++)
		if (!(all & FEATURE_BIT(i)))
			add_absent_values(s, features[i], any & FEATURE_BIT(i));
		else if (features[i]->values)
			template_schema_add_table(s, features[i]->values);
	template_schema_add_table(s, cluster);
	for (size_t i = 0; i < roles->n; i++) {
		char name[NAME_LEN];
		const struct template_key key = {
			.name = name_of(name, "role", roles->v[i].name, ""),
			.kind = TEMPLATE_FLAG};

		(void)!template_schema_add(s, &key);
	}
	add_hosts(s, roles);
	return s;
}

/* --- values ------------------------------------------------------------------------ */

static void add_member(struct template_values *v, const char *list,
		       const struct rack_member *m)
{
	struct template_values *g = template_values_group(v, list);
	char addr[NET_ADDR_LEN];

	template_values_text(g, "name", m->name);
	template_values_text(g, "role", m->role);
	template_values_text(g, "address",
			     m->address ? net_format_addr(m->address, addr) : NULL);
}

struct template_values *host_template_values(const struct roles *roles,
					     const struct rack_hosts *hosts)
{
	struct template_values *v = template_values_new();
	char name[NAME_LEN];

	for (size_t i = 0; i < hosts->n; i++) {
		add_member(v, HOSTS, &hosts->v[i]);
		if (roles_find(roles, hosts->v[i].role))
			add_member(v, name_of(name, HOSTS, hosts->v[i].role, ""),
				   &hosts->v[i]);
	}
	return v;
}

static void set_text(struct template_values *v, const struct host_key *k,
		     const char *suffix, const char *text)
{
	char name[NAME_LEN];

	template_values_text(v, name_of(name, "host", k->name, suffix), text);
}

/* Sets a number; one that is not given is missing. */
static void set_number(struct template_values *v, const struct host_key *k,
		       const char *suffix, bool given, uint64_t number)
{
	char name[NAME_LEN];

	name_of(name, "host", k->name, suffix);
	if (given)
		template_values_number(v, name, number);
	else
		template_values_clear(v, name);
}

static void set_pairs(struct template_values *v, const char *name, char *const *pairs)
{
	template_values_clear(v, name);
	for (size_t i = 0; pairs && pairs[i]; i++) {
		struct template_values *g = template_values_group(v, name);
		size_t len = strcspn(pairs[i], "=");
		_cleanup_free_ char *key = xstrndup(pairs[i], len);

		template_values_text(g, "name", key);
		template_values_text(g, "value", pairs[i] + len + (pairs[i][len] == '='));
	}
}

static void set_cidr(struct template_values *v, const struct host_key *k, struct cidr net)
{
	char text[NET_CIDR_LEN], ip[NET_ADDR_LEN];
	bool whole = k->type != HOST_T_CIDR_OR_DHCP;

	net_format_addr(net.addr, ip);
	if (whole)
		set_text(v, k, "", net.prefix ? net_format_cidr(net, text) : NULL);
	set_text(v, k, whole ? ".ip" : "", net.prefix ? ip : NULL);
	set_number(v, k, ".prefix", net.prefix, net.prefix);
}

static void set_hostport(struct template_values *v, const struct host_key *k,
			 struct hostport server)
{
	char text[NET_HOSTPORT_LEN], ip[NET_ADDR_LEN];

	set_text(v, k, "", server.addr ? net_format_hostport(server, text) : NULL);
	set_text(v, k, ".ip", server.addr ? net_format_addr(server.addr, ip) : NULL);
	set_number(v, k, ".port", server.addr, server.port);
}

static void set_key(struct template_values *v, const struct host *h,
		    const struct host_key *k)
{
	const void *at = (const char *)h + k->offset;
	char name[NAME_LEN], text[NET_CIDR_LEN];
	const struct cidrv *cidrs = at;
	_cleanup_strv_builder_ struct strv_builder texts = {0};

	name_of(name, "host", k->name, "");
	switch (k->type) {
	case HOST_T_BOOL:
		template_values_flag(v, name, *(const bool *)at);
		break;
	case HOST_T_U32:
	case HOST_T_AS:
		set_number(v, k, "", *(const uint32_t *)at, *(const uint32_t *)at);
		break;
	case HOST_T_STR:
		template_values_text(v, name, *(char *const *)at);
		break;
	case HOST_T_MAC:
		template_values_text(
			v, name,
			h->has_mac ? net_format_mac(*(const struct mac *)at, ':', text)
				   : NULL);
		break;
	case HOST_T_ADDR:
		template_values_text(
			v, name,
			*(const uint32_t *)at
				? net_format_addr(*(const uint32_t *)at, text)
				: NULL);
		break;
	case HOST_T_CIDR_OR_DHCP:
	case HOST_T_CIDR:
	case HOST_T_NETWORK:
		set_cidr(v, k, *(const struct cidr *)at);
		break;
	case HOST_T_HOSTPORT:
		set_hostport(v, k, *(const struct hostport *)at);
		break;
	case HOST_T_STRV:
		if (k->pairs)
			set_pairs(v, name, *(char *const *const *)at);
		else
			template_values_texts(v, name, *(char *const *const *)at);
		break;
	case HOST_T_CIDRV:
		for (size_t i = 0; i < cidrs->n; i++)
			strv_builder_add(&texts, net_format_cidr(cidrs->v[i], text));
		template_values_texts(v, name, texts.v);
		break;
	}
	template_values_flag(v, name_of(name, "host", k->name, ".given"), h->set[k->id]);
}

void host_template_values_set(struct template_values *v, const struct host *h,
			      const struct roles *roles)
{
	char name[NAME_LEN];

	for (enum host_key_id id = 0; id < HOST_KEY_COUNT; id++)
		if (!is_hidden(host_key(id)))
			set_key(v, h, host_key(id));
	for (size_t i = 0; i < FEATURE_COUNT; i++)
		if (h->features & FEATURE_BIT(i) && features[i]->fill)
			features[i]->fill(v, h);
	template_values_text(v, "cluster.name", h->cluster);
	for (size_t i = 0; i < roles->n; i++)
		template_values_flag(v, name_of(name, "role", roles->v[i].name, ""),
				     h->role && streq(h->role, roles->v[i].name));
}
