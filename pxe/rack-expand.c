/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Checks only what the expansion needs. rack.c checks the values, also those of profiles
 * that no host takes.
 */
#include "pxe/rack-expand.h"

#include <ctype.h>

#include "firstboot/model/conf-note.h"
#include "firstboot/model/rack-entry.h"
#include "pxe/rack-range.h"
#include "pxe/rack-spread.h"

struct expansion {
	struct conf *to;
	struct conf_node *hosts; /* the new list */
	const struct conf_node *profiles;
	struct rack_tables *tables;
	bool files;
	struct diag *d;
};

/* One entry of `hosts`, or the rack's own hosts_file. */
struct entry {
	const struct conf_node *n;
	char *prefix; /* of complaints */
	struct rack_range names;
	size_t count;
	struct rack_rows *rows; /* or NULL */
	struct rack_spread **values;
};

static void entry_done(struct entry *en)
{
	for (size_t i = 0; en->values && i < conf_len(en->n); i++)
		rack_spread_free(en->values[i]);
	free(en->values);
	rack_range_done(&en->names);
	free(en->prefix);
}
#define _cleanup_entry_ _cleanup_(entry_done)

/* --- profiles --------------------------------------------------------------------- */

bool rack_key_is_of_host(const char *key)
{
	return streq(key, "name") || streq(key, "profiles") || streq(key, "hosts_file") ||
	       rack_key_is_of_machine(key);
}

/* Complains about a name that no profile has. Returns -1. */
static int unknown_profile(const struct expansion *x, const struct entry *en,
			   const struct conf_node *n, const char *name)
{
	_cleanup_free_ const char **names =
		xcalloc(conf_len(x->profiles) + 1, sizeof(*names));
	_cleanup_free_ char *hint = NULL;

	for (size_t i = 0; i < conf_len(x->profiles); i++)
		names[i] = conf_key(conf_at(x->profiles, i));
	hint = str_hint(str_nearest(name, names));
	return conf_complain(n, x->d, "%sprofiles: there is no profile '%.60s'%s",
			     en->prefix, name, hint);
}

/* Adds the values of a profile to the host; `n` is its name in a list. */
static int add_profile(const struct expansion *x, const struct entry *en,
		       const struct conf_node *n, struct conf_node *host)
{
	const struct conf_node *profile;
	const char *name = NULL;

	if (conf_str(n, &name, NULL) < 0)
		return conf_complain(n, x->d,
				     "%sprofiles: must be a list of names: [ \"...\" ]%s",
				     en->prefix, conf_type_note(n, CONF_STRING));
	profile = conf_member(x->profiles, name);
	if (!profile)
		return unknown_profile(x, en, n, name);
	if (conf_type(profile) != CONF_GROUP)
		return 0; /* rack.c complains about it */
	for (size_t i = 0; i < conf_len(profile); i++)
		if (!rack_key_is_of_host(conf_key(conf_at(profile, i))))
			conf_merge(x->to, host, conf_at(profile, i));
	return 0;
}

static int add_profiles(const struct expansion *x, const struct entry *en,
			const struct conf_node *list, struct conf_node *host)
{
	int r = 0;

	if (conf_type(list) != CONF_LIST)
		return add_profile(x, en, list, host);
	for (size_t i = 0; i < conf_len(list); i++)
		if (add_profile(x, en, conf_at(list, i), host) < 0)
			r = -1;
	return r;
}

/* --- an entry --------------------------------------------------------------------- */

/* Returns true for a key that the expansion has read. */
static bool is_done(const char *key)
{
	return streq(key, "name") || streq(key, "profiles") || streq(key, "hosts_file");
}

/* Reads the table of the entry. */
static int read_rows(const struct expansion *x, struct entry *en)
{
	const struct conf_node *n = conf_member(en->n, "hosts_file");

	if (!n)
		return 0;
	if (!x->files)
		return conf_complain(n, x->d,
				     "%shosts_file: is not allowed in this file, which "
				     "has no folder: write its hosts out with `rackstrap "
				     "check --expand`",
				     en->prefix);
	en->rows = rack_rows_read(x->tables, n, en->prefix, x->d);
	return en->rows ? 0 : -1;
}

/* Returns true for names that are the same but for case, signs, and zeros before a
 * number: "node-7" and "Node07". */
static bool is_same_name(const char *a, const char *b)
{
	while (*a || *b) {
		if (*a && !isalnum((unsigned char)*a)) {
			a++;
		} else if (*b && !isalnum((unsigned char)*b)) {
			b++;
		} else if (isdigit((unsigned char)*a) && isdigit((unsigned char)*b)) {
			size_t m = strspn(a += strspn(a, "0"), "0123456789");
			size_t n = strspn(b += strspn(b, "0"), "0123456789");

			if (m != n || memcmp(a, b, m) != 0)
				return false;
			a += m;
			b += n;
		} else if (tolower((unsigned char)*a++) != tolower((unsigned char)*b++)) {
			return false;
		}
	}
	return true;
}

/* Returns a note about a row that is most likely meant as the host's, or "". Owned by the
 * caller. */
static char *similar_row(const struct rack_rows *rows, const char *name)
{
	for (size_t i = 0; i < rows->n; i++) {
		const char *other = rack_rows_name(rows, i);

		if (is_same_name(name, other))
			return xasprintf(": line %u has '%.63s'", rack_rows_line(rows, i),
					 other);
	}
	return xstrdup("");
}

/* Complains about hosts of the entry without a row of their name. */
static int check_names(const struct expansion *x, const struct entry *en)
{
	_cleanup_free_ char *first = NULL, *others = NULL, *note = NULL;
	size_t missing = 0;

	for (size_t i = 0; i < en->count; i++) {
		_cleanup_free_ char *name = rack_range_at(&en->names, i);

		if (!rack_rows_find(en->rows, name, NULL) && missing++ == 0)
			first = TAKE_PTR(name);
	}
	if (missing == 0)
		return 0;
	if (missing > 1)
		others = xasprintf(" and %zu other host%s", missing - 1,
				   missing > 2 ? "s" : "");
	note = similar_row(en->rows, first);
	return conf_complain(conf_member(en->n, "hosts_file"), x->d,
			     "%shosts_file: %s has no row for '%s'%s%s", en->prefix,
			     en->rows->path, first, others ? others : "", note);
}

/* Finds the number of the entry's hosts, and checks that the table has as many. */
static int count_hosts(const struct expansion *x, struct entry *en,
		       const struct conf_node *name)
{
	const struct rack_rows *rows = en->rows;

	if (name)
		en->count = en->names.count;
	else if (rows)
		en->count = rows->n;
	else
		en->count = 1;
	if (en->count > RACK_MAX_HOSTS)
		return conf_complain(en->n, x->d, "%smore than %d hosts", en->prefix,
				     RACK_MAX_HOSTS);
	if (!rows)
		return 0;
	if (!name && !rows->is_named)
		return conf_complain(conf_member(en->n, "hosts_file"), x->d,
				     "%shosts_file: %s has no column 'name', and the "
				     "entry has no name either",
				     en->prefix, rows->path);
	if (name && rows->is_named)
		return check_names(x, en);
	if (rows->n != en->count)
		return conf_complain(conf_member(en->n, "hosts_file"), x->d,
				     "%shosts_file: %s has %zu row%s for %zu host%s, "
				     "and no column 'name'",
				     en->prefix, rows->path, rows->n,
				     rows->n == 1 ? "" : "s", en->count,
				     en->count == 1 ? "" : "s");
	return 0;
}

/* Returns what is wrong with a name that has brackets and no range, or NULL. */
static char *bracket_wrong(const struct rack_range *names, const char *name)
{
	if (names->n > 0 || !strpbrk(name, "[{"))
		return NULL;
	return xstrdup("has brackets, and no range in them: a range is written like "
		       "[1-40] or [01-20,31]");
}

/* Reads the name of the entry. A name that is no string is reported with the host. */
static int read_name(const struct expansion *x, struct entry *en, size_t number)
{
	const struct conf_node *n = conf_member(en->n, "name");
	_cleanup_free_ char *wrong = NULL;
	const char *name = "";

	if (!n)
		en->prefix = conf_member(en->n, "hosts_file")
				     ? xstrdup("")
				     : xasprintf("host %zu: ", number);
	if (!n || conf_str(n, &name, NULL) < 0)
		return 0;
	wrong = rack_range_parse(&en->names, name);
	if (!wrong)
		wrong = bracket_wrong(&en->names, name);
	free(en->prefix);
	en->prefix = xasprintf(
		"host%s '%.80s': ", !wrong && en->names.count == 1 ? "" : "s", name);
	return wrong ? conf_complain(n, x->d, "%sname: %s", en->prefix, wrong) : 0;
}

/* Prepares the values of a member. Those of a host whose name has no range have none
 * either, as in a rack in which no entry stands for several hosts. */
static int make_values(const struct expansion *x, struct entry *en, size_t i)
{
	const struct conf_node *n = conf_at(en->n, i);

	if (is_done(conf_key(n)))
		return 0;
	return en->names.count && en->names.n == 0
		       ? rack_spread_make_one(&en->values[i], n, en->prefix, x->d)
		       : rack_spread_make(&en->values[i], n, en->count, en->prefix, x->d);
}

static int prepare(const struct expansion *x, struct entry *en, size_t number)
{
	const struct conf_node *name = conf_member(en->n, "name");
	int r = 0;

	if (read_name(x, en, number) < 0)
		return -1;
	if (!en->prefix)
		en->prefix = xasprintf("host %zu: ", number);
	if (read_rows(x, en) < 0 || count_hosts(x, en, en->names.count ? name : NULL) < 0)
		return -1;
	en->values = xcalloc(conf_len(en->n) + 1, sizeof(*en->values));
	for (size_t i = 0; i < conf_len(en->n); i++) {
		if (make_values(x, en, i) < 0)
			r = -1;
		if (en->count > 1)
			conf_share(conf_at(en->n, i));
	}
	return r;
}

/* Returns the row of host `i`, and sets it to used. */
static size_t row_of(const struct entry *en, const char *name, size_t i)
{
	size_t row = i;

	if (name && en->rows->is_named)
		(void)!rack_rows_find(en->rows, name, &row);
	en->rows->used[row] = true;
	return row;
}

/* Adds host `i` of the entry to the list. */
static int add_host(const struct expansion *x, const struct entry *en, size_t i)
{
	const struct conf_node *profiles = conf_member(en->n, "profiles"), *own = NULL,
			       *name = conf_member(en->n, "name");
	_cleanup_free_ char *text = en->names.count ? rack_range_at(&en->names, i) : NULL;
	struct conf_node *host = conf_make(x->to, CONF_GROUP, NULL, en->n);
	size_t row = en->rows ? row_of(en, text, i) : 0;

	if (en->rows) {
		rack_rows_place(en->rows, row, host);
		own = rack_rows_profiles(en->rows, row, x->to);
	}
	if (name)
		conf_add(x->to, host,
			 text ? conf_make_str(x->to, "name", text, name) : name);
	if (own || profiles)
		if (add_profiles(x, en, own ? own : profiles, host) < 0)
			return -1;
	for (size_t k = 0; k < conf_len(en->n); k++)
		if (en->values[k])
			conf_merge(x->to, host, rack_spread_at(en->values[k], x->to, i));
	if (en->rows)
		rack_rows_add(en->rows, row, x->to, host);
	conf_add(x->to, x->hosts, host);
	return 0;
}

static int expand_entry(const struct expansion *x, const struct conf_node *n,
			size_t number)
{
	_cleanup_entry_ struct entry en = {.n = n};
	const size_t before = x->d ? x->d->n : 0;
	int r = prepare(x, &en, number);

	if (r == 0 && conf_len(x->hosts) + en.count > RACK_MAX_HOSTS)
		r = conf_complain(n, x->d, "%smore than %d hosts", en.prefix,
				  RACK_MAX_HOSTS);
	for (size_t i = 0; i < en.count && r == 0; i++)
		r = add_host(x, &en, i);
	if (r < 0 && en.names.count == 1) {
		_cleanup_free_ char *name = rack_range_at(&en.names, 0);

		diag_host_from(x->d, before, name);
	}
	return r;
}

/* --- the file --------------------------------------------------------------------- */

static int expand_hosts(const struct expansion *x, const struct conf_node *hosts)
{
	int r = 0;

	for (size_t i = 0; i < conf_len(hosts); i++) {
		const struct conf_node *n = conf_at(hosts, i);

		if (conf_type(n) != CONF_GROUP)
			conf_add(x->to, x->hosts, n); /* rack.c complains about it */
		else if (expand_entry(x, n, i + 1) < 0)
			r = -1;
	}
	return r;
}

/* Returns `profiles`, whose values are shared by hosts; NULL when there is none. */
static const struct conf_node *find_profiles(const struct conf_node *root)
{
	const struct conf_node *n = conf_member(root, "profiles");

	if (n && conf_type(n) == CONF_GROUP)
		conf_share(n);
	return n && conf_type(n) == CONF_GROUP ? n : NULL;
}

/* Returns an entry that has the rack's own hosts_file. */
static const struct conf_node *entry_of_file(const struct expansion *x,
					     const struct conf_node *file)
{
	struct conf_node *n = conf_make(x->to, CONF_GROUP, NULL, file);

	conf_add(x->to, n, file);
	return n;
}

int rack_expand(struct conf **ret, const struct conf_node *root, bool files,
		struct rack_tables *tables, struct diag *d)
{
	const struct conf_node *hosts = conf_member(root, "hosts"),
			       *file = conf_member(root, "hosts_file");
	struct expansion x = {
		.to = conf_new(conf_file(root)),
		.profiles = find_profiles(root),
		.tables = tables,
		.files = files,
		.d = d,
	};
	struct conf_node *to = conf_make(x.to, CONF_GROUP, NULL, root);
	int r = 0;

	*ret = x.to;
	for (size_t i = 0; i < conf_len(root); i++) {
		const struct conf_node *n = conf_at(root, i);

		if (n != hosts && n != file && !streq(conf_key(n), "profiles"))
			conf_add(x.to, to, n);
	}
	if (hosts && conf_type(hosts) != CONF_LIST) {
		conf_add(x.to, to, hosts); /* rack.c complains about it */
		return 0;
	}
	if (!hosts && !file)
		return 0;
	x.hosts = conf_make(x.to, CONF_LIST, "hosts", hosts ? hosts : file);
	conf_add(x.to, to, x.hosts);
	if (expand_hosts(&x, hosts) < 0)
		r = -1;
	if (file && expand_entry(&x, entry_of_file(&x, file), 0) < 0)
		r = -1;
	if (r == 0 && rack_rows_check_used(tables, d) < 0)
		r = -1;
	return r;
}
