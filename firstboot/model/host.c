/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The loaders of a host's values. A value comes from libconfig or from a word on the
 * kernel command line; both use the same parser for its type (host-value.c), so that both
 * accept the same values. A value that cannot be read is reported and marked as bad, and
 * host_check ignores it.
 *
 * Limit: lists on the command line are separated by commas, so that an element that
 * contains a comma is possible only in a file.
 */
#include "firstboot/model/conf-note.h"
#include "firstboot/model/feature.h"
#include "firstboot/model/host-value.h"

#define LIST_MAX 256 /* elements of a list: some checks compare each with all others */

void host_set_origin(struct host *h, enum host_key_id id, const char *file, unsigned line)
{
	char *copy = xstrdup(file);

	free(h->origin[id].file);
	h->origin[id] = (struct origin){.file = copy, .line = line};
}

void host_init(struct host *h)
{
	*h = (struct host){.features = FEATURES_ALL};
	for (size_t i = 0; i < FEATURE_COUNT; i++)
		if (features[i]->init)
			features[i]->init(h);
}

void host_done(struct host *h)
{
	for (enum host_key_id id = 0; id < HOST_KEY_COUNT; id++) {
		host_value_done(h, host_key(id));
		free(h->origin[id].file);
	}
	*h = (struct host){0};
}

void host_clear(struct host *h, enum host_key_id id)
{
	host_value_clear(h, host_key(id));
	free(h->origin[id].file);
	h->origin[id] = (struct origin){0};
	h->set[id] = h->shared[id] = h->bad[id] = false;
}

uint32_t host_used(const struct host *h)
{
	uint32_t set = 0;

	for (size_t i = 0; i < FEATURE_COUNT; i++)
		for (size_t k = 0; k < features[i]->n_keys; k++)
			if (h->set[features[i]->keys[k].id])
				set |= FEATURE_BIT(i);
	return features_close(set);
}

void host_limit(struct host *h, uint32_t set)
{
	h->features = set;
	for (size_t i = 0; i < FEATURE_COUNT; i++) {
		const struct feature *f = features[i];

		if (set & FEATURE_BIT(i))
			continue;
		for (size_t k = 0; k < f->n_keys; k++)
			if (!h->set[f->keys[k].id] || h->shared[f->keys[k].id])
				host_clear(h, f->keys[k].id);
		if (f->drop)
			f->drop(h);
	}
}

/* --- from libconfig --------------------------------------------------------------- */

/* Returns a single value as text, owned by the caller. */
static char *scalar_text(const struct conf_node *n)
{
	const char *s = "";
	bool b = false;
	int i = 0;

	switch (conf_type(n)) {
	case CONF_BOOL:
		return xstrdup(conf_bool(n, &b, NULL) == 0 && b ? "true" : "false");
	case CONF_INT:
		return conf_int(n, &i, NULL) == 0 ? xasprintf("%d", i) : NULL;
	default:
		return conf_str(n, &s, NULL) == 0 ? xstrdup(s) : NULL;
	}
}

static int load_list(struct host *h, const struct host_key *k, const struct conf_node *n,
		     const char *prefix, struct diag *d)
{
	_cleanup_free_ char *must = NULL;
	_cleanup_strv_builder_ struct strv_builder v = {0};
	size_t wrong;

	if (conf_len(n) > LIST_MAX)
		return conf_complain(n, d, "%s%s: %zu entries, at most %d are allowed",
				     prefix, k->name, conf_len(n), LIST_MAX);
	for (size_t i = 0; i < conf_len(n); i++) {
		const char *s = "";
		int r = conf_str(conf_at(n, i), &s, NULL);

		if (r < 0) {
			must = host_value_must_be(k, i + 1, "");
			return conf_complain(conf_at(n, i), d, "%s%s: %s", prefix,
					     k->name, must);
		}
		strv_builder_add(&v, s);
	}
	wrong = host_value_types[k->type].parse_list(h, k, v.v);
	if (wrong == 0)
		return 0;
	must = host_value_must_be(k, wrong, v.v[wrong - 1]);
	return conf_complain(conf_at(n, wrong - 1), d, "%s%s: %s", prefix, k->name, must);
}

static int load_value(struct host *h, const struct host_key *k, const struct conf_node *n,
		      const char *prefix, struct diag *d)
{
	const struct host_value_type *t = &host_value_types[k->type];
	_cleanup_free_ char *text = NULL, *must = NULL;

	if (conf_type(n) == t->conf ||
	    (k->type == HOST_T_AS && conf_type(n) == CONF_INT)) {
		if (t->parse_list)
			return load_list(h, k, n, prefix, d);
		text = scalar_text(n);
		if (t->parse(h, k, text) == 0)
			return 0;
	}
	must = host_value_must_be(k, 0, text ? text : "");
	return conf_complain(n, d, "%s%s: %s%s", prefix, k->name, must,
			     text ? "" : conf_type_note(n, t->conf));
}

/* Returns the word that is nearest to `name` among the keys that the host may have and
 * `others`; NULL when none is near. */
static const char *nearest_key(const struct host *h, const char *name,
			       const struct other_key *others)
{
	const char *words[HOST_KEY_COUNT + 32] = {NULL};
	size_t n = 0;

	for (enum host_key_id id = 0; id < HOST_KEY_COUNT; id++) {
		const struct feature *f = feature_of_key(id);

		if (!f || h->features & FEATURE_BIT(f->id))
			words[n++] = host_key(id)->name;
	}
	for (; others && others->name && n + 1 < ARRAY_SIZE(words); others++)
		words[n++] = others->name;
	return str_nearest(name, words);
}

/* Complains about an unknown key. The key that it is a misspelling of counts as given and
 * wrong, so that nothing else is reported about it. */
static int unknown_key(struct host *h, const struct conf_node *group,
		       const struct conf_node *n, const char *prefix,
		       const struct other_key *others, struct diag *d)
{
	const char *near = nearest_key(h, conf_key(n), others);
	const struct host_key *k = near ? host_key_find(near) : NULL;

	if (k && !conf_member(group, near))
		h->bad[k->id] = true;
	return conf_complain_unknown(n, prefix, near, d);
}

static const struct other_key *other_find(const struct other_key *others,
					  const char *name)
{
	for (; others && others->name; others++)
		if (streq(others->name, name))
			return others;
	return NULL;
}

/* Complains about a key of rack.cfg that does not belong in this group. The host's key of
 * that name, if there is one, counts as given and wrong. */
static int refuse_key(struct host *h, const struct conf_node *n, const char *prefix,
		      const char *why, struct diag *d)
{
	const struct host_key *k = host_key_find(conf_key(n));

	if (k)
		h->bad[k->id] = true;
	return conf_complain(n, d, "%s%s %s", prefix, conf_key(n), why);
}

static int load_key(struct host *h, const struct host_key *k, const struct conf_node *n,
		    const char *prefix, bool shared, struct diag *d)
{
	h->set[k->id] = true;
	h->shared[k->id] = shared;
	h->bad[k->id] = load_value(h, k, n, prefix, d) < 0;
	host_set_origin(h, k->id, conf_file(n), conf_line(n));
	return h->bad[k->id] ? -1 : 0;
}

/* Returns true for a key that the group must not have. One of a feature that the host
 * cannot have is no such key: host_check() says that it is unknown. */
static bool is_refused(const struct host *h, const struct host_key *k,
		       const struct host_group *how)
{
	const struct feature *f = feature_of_key(k->id);

	return how->refusal && k->level == how->refused &&
	       (!f || h->features & FEATURE_BIT(f->id));
}

int host_load_group(struct host *h, const struct conf_node *group, const char *prefix,
		    const struct host_group *how, struct diag *d)
{
	int r = 0;

	for (size_t i = 0; i < conf_len(group); i++) {
		const struct conf_node *n = conf_at(group, i);
		const struct other_key *other = other_find(how->others, conf_key(n));
		const struct host_key *k = host_key_find(conf_key(n));
		int one = 0;

		if (other)
			one = other->refused ? refuse_key(h, n, prefix, other->refused, d)
					     : 0;
		else if (!k)
			one = unknown_key(h, group, n, prefix, how->others, d);
		else if (is_refused(h, k, how))
			one = refuse_key(h, n, prefix, how->refusal, d);
		else if (!how->shared || !k->names_host)
			one = load_key(h, k, n, prefix, how->shared, d);
		if (one < 0)
			r = -1;
	}
	return r;
}

int host_load_conf(struct host *h, const struct conf_node *group, const char *prefix,
		   struct diag *d)
{
	static const struct host_group all_keys = {.others = NULL};

	/* For the complaint about a host of which nothing is given. */
	if (conf_len(group) == 0 && !h->origin[HOST_NAME].file)
		host_set_origin(h, HOST_NAME, conf_file(group), 0);
	return host_load_group(h, group, prefix, &all_keys, d);
}

/* --- from text -------------------------------------------------------------------- */

/* Returns NULL when the value was set, else the complaint, "must be ...", owned by the
 * caller. */
static char *set_value(struct host *h, const struct host_key *k, const char *text)
{
	const struct host_value_type *t = &host_value_types[k->type];
	_cleanup_strv_ char **v = NULL;
	size_t wrong;

	if (!t->parse_list)
		return t->parse(h, k, text) < 0 ? host_value_must_be(k, 0, text) : NULL;
	v = strv_split(text, ",");
	wrong = t->parse_list(h, k, v);
	return wrong ? host_value_must_be(k, wrong, v[wrong - 1]) : NULL;
}

int host_set(struct host *h, const char *name, const char *value, const char *file,
	     unsigned line, struct diag *d)
{
	const struct host_key *k = host_key_find(name);
	const char *prefix = line ? "" : "rackstrap."; /* a word on the command line */
	const struct diag_place at = {.file = file, .line = line};
	_cleanup_free_ char *must = NULL;

	if (!k) {
		const char *near = nearest_key(h, name, NULL);

		if (!near)
			return diag_add_at(d, &at, "unknown key '%s%s'", prefix, name);
		k = host_key_find(near);
		h->bad[k->id] = h->bad[k->id] || !h->set[k->id];
		return diag_add_at(d, &at, "unknown key '%s%s' (did you mean '%s%s'?)",
				   prefix, name, prefix, near);
	}
	must = set_value(h, k, value ? value : k->type == HOST_T_BOOL ? "true" : "");
	h->set[k->id] = true;
	h->shared[k->id] = false;
	h->bad[k->id] = must != NULL;
	host_set_origin(h, k->id, file, line);
	if (!must)
		return 0;
	return diag_add_at(d, &at, "%s%s: %s", prefix, k->name, must);
}

/* --- derived values --------------------------------------------------------------- */

#define MIIMON_MS 100

static void derive_bond(struct host *h)
{
	if (strv_len(h->bond) == 0 || h->bad[HOST_BOND])
		return;
	if (!h->set[HOST_BOND_MODE]) {
		free(h->bond_mode);
		h->bond_mode = xstrdup("active-backup");
		host_set_origin(h, HOST_BOND_MODE, "default", 0);
	}
	if (!h->set[HOST_BOND_MIIMON]) {
		h->bond_miimon = MIIMON_MS;
		host_set_origin(h, HOST_BOND_MIIMON, "default", 0);
	}
}

void host_derive(struct host *h, const struct roles *roles)
{
	const struct role *role =
		h->role && !h->bad[HOST_ROLE] ? roles_find(roles, h->role) : NULL;

	if (roles->any)
		host_limit(h, host_used(h));
	else
		host_limit(h, role ? role->features : FEATURES_ALL);
	derive_bond(h);
	for (size_t i = 0; i < FEATURE_COUNT; i++)
		if (h->features & FEATURE_BIT(i) && features[i]->derive)
			features[i]->derive(h, role);
}

struct diag_place host_place(const struct host *h, enum host_key_id id)
{
	const struct origin *o = &h->origin[id];

	return (struct diag_place){.file = o->file ? o->file : "not given",
				   .line = o->file ? o->line : 0};
}

const char *host_where(const struct host *h, enum host_key_id id, char *out, size_t size)
{
	const struct origin *o = &h->origin[id];

	if (!o->file)
		snprintf(out, size, "not given");
	else if (o->line)
		snprintf(out, size, "%s:%u", o->file, o->line);
	else
		snprintf(out, size, "%s", o->file);
	return out;
}
