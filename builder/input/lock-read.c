/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reads the lock file. A program wrote it, so includes are refused, and every entry must
 * have all of its members.
 */
#include "builder/input/lock-read.h"

#include "firstboot/model/conf.h"
#include "lib/file.h"
#include "lib/url.h"

const char *const lock_keys[] = {"version", "inputs", "base", NULL};
const char *const lock_input_keys[] = {"url", "size", "sha256", "when", "from", NULL};
const char *const lock_base_keys[] = {"suite",    "origin",   "when", "wanted",
				      "releases", "packages", NULL};
const char *const lock_release_keys[] = {"name", "date", "sha256", NULL};
const char *const lock_package_keys[] = {"name", "version", "arch",   "release",
					 "path", "size",    "sha256", NULL};

static char *where_of(const struct conf_node *n)
{
	return xasprintf("%s:%u", conf_file(n), conf_line(n));
}

/* Reads a mandatory string. Owned by the caller. */
static void need(const struct conf_node *n, const char *key, char **ret, struct diag *d)
{
	const char *s = NULL;

	if (conf_get_str(n, key, &s, d) == 0 && conf_is_missing(n, key))
		conf_complain(n, d, "%s: missing", key);
	*ret = xstrdup(s);
}

static void may(const struct conf_node *n, const char *key, char **ret, struct diag *d)
{
	const char *s = NULL;

	(void)!conf_get_str(n, key, &s, d);
	*ret = xstrdup(s);
}

static void need_size(const struct conf_node *n, uint64_t *ret, struct diag *d)
{
	_cleanup_free_ char *s = NULL;

	need(n, "size", &s, d);
	if (s && str_to_u64(s, INT64_MAX, ret) < 0)
		conf_complain(conf_member(n, "size"), d,
			      "size: must be a number of bytes, not '%s'", s);
}

static void need_sha256(const struct conf_node *n, char **ret, struct diag *d)
{
	need(n, "sha256", ret, d);
	if (*ret && !digest_is_hex(*ret, DIGEST_SHA256))
		conf_complain(conf_member(n, "sha256"), d,
			      "sha256: must be 64 lower-case hex digits");
}

/* Checks that a member of a list is a group with these keys. */
static bool is_group(const struct conf_node *n, const char *list, const char *const *keys,
		     struct diag *d)
{
	if (conf_type(n) != CONF_GROUP) {
		conf_complain(n, d, "%s: must be groups: { %s = ...; }", list, keys[0]);
		return false;
	}
	(void)!conf_check_keys(n, keys, d);
	return true;
}

static void parse_input(struct lock *l, const struct conf_node *n, struct diag *d)
{
	_cleanup_free_ char *url = NULL, *sha256 = NULL;
	const struct lock_entry *same;
	struct lock_entry *x;
	uint64_t size = 0;

	if (!is_group(n, "inputs", lock_input_keys, d))
		return;
	need(n, "url", &url, d);
	need_size(n, &size, d);
	need_sha256(n, &sha256, d);
	same = url ? lock_find(l, url) : NULL;
	if (same)
		conf_complain(n, d, "'%s' is already defined (%s)", url, same->where);
	if (same || !url)
		return;
	x = lock_add(l, url, size, sha256 ? sha256 : "");
	may(n, "when", &x->when, d);
	may(n, "from", &x->from, d);
	if (x->from) /* an earlier version kept the user name */
		url_strip_secrets(x->from);
	x->where = where_of(n);
}

static void parse_release(struct lock_base *b, const struct conf_node *n, struct diag *d)
{
	struct lock_release *x;

	if (!is_group(n, "releases", lock_release_keys, d))
		return;
	x = lock_release_add(b);
	need(n, "name", &x->name, d);
	need(n, "date", &x->date, d);
	need_sha256(n, &x->sha256, d);
}

/* Checks a path that is appended to an archive's URL, and whose last part becomes a file
 * name. */
static bool is_pool_path(const char *s)
{
	return s[0] && s[0] != '/' && !strstr(s, "..") && !str_ends(s, "/");
}

static void parse_package(struct lock_base *b, const struct conf_node *n, struct diag *d)
{
	struct lock_package *x;

	if (!is_group(n, "packages", lock_package_keys, d))
		return;
	x = lock_package_add(b);
	need(n, "name", &x->name, d);
	need(n, "version", &x->version, d);
	need(n, "arch", &x->arch, d);
	need(n, "release", &x->release, d);
	need(n, "path", &x->path, d);
	if (x->path && !is_pool_path(x->path))
		conf_complain(conf_member(n, "path"), d,
			      "path: must be a path in the archive, not '%s'", x->path);
	need_size(n, &x->size, d);
	need_sha256(n, &x->sha256, d);
	x->where = where_of(n);
}

/* Sorts the base, if no name is missing, and complains about packages that are there
 * twice. */
static void sort_base(struct lock_base *b, struct diag *d)
{
	for (size_t i = 0; i < b->n_releases; i++)
		if (!b->releases[i].name)
			return;
	for (size_t i = 0; i < b->n_packages; i++)
		if (!b->packages[i].name || !b->packages[i].arch)
			return;
	lock_base_sort(b);
	for (size_t i = 1; i < b->n_packages; i++) {
		const struct lock_package *p = &b->packages[i];

		if (streq(p->name, p[-1].name) && streq(p->arch, p[-1].arch))
			diag_add(d, "%s: package '%s' for %s is already defined (%s)",
				 p->where, p->name, p->arch, p[-1].where);
	}
}

static void parse_base(struct lock_base *b, const struct conf_node *n, struct diag *d)
{
	const struct conf_node *releases = NULL, *packages = NULL;

	(void)!conf_check_keys(n, lock_base_keys, d);
	need(n, "suite", &b->suite, d);
	need(n, "origin", &b->origin, d);
	may(n, "when", &b->when, d);
	(void)!conf_get_strv(n, "wanted", &b->wanted, d);
	(void)!conf_get_list(n, "releases", &releases, d);
	(void)!conf_get_list(n, "packages", &packages, d);
	for (size_t i = 0; i < conf_len(releases); i++)
		parse_release(b, conf_at(releases, i), d);
	for (size_t i = 0; i < conf_len(packages); i++)
		parse_package(b, conf_at(packages, i), d);
	if (conf_len(packages) == 0 && (packages || conf_is_missing(n, "packages")))
		conf_complain(n, d, "packages: missing");
	b->where = where_of(n);
	sort_base(b, d);
}

static void parse(struct lock *l, const struct conf *c, struct diag *d)
{
	const struct conf_node *root = conf_root(c), *list = NULL, *base = NULL;
	int version = 0;

	(void)!conf_check_keys(root, lock_keys, d);
	if (conf_get_int(root, "version", 1, 1, &version, d) == 0 &&
	    conf_is_missing(root, "version"))
		diag_add(d, "%s: version: missing", conf_name(c));
	(void)!conf_get_list(root, "inputs", &list, d);
	for (size_t i = 0; i < conf_len(list); i++)
		parse_input(l, conf_at(list, i), d);
	if (conf_get_group(root, "base", &base, d) > 0)
		parse_base(&l->base, base, d);
}

int lock_read(struct lock *ret, const char *path, struct diag *d)
{
	_cleanup_conf_ struct conf *c = NULL;
	_cleanup_lock_ struct lock l = {0};
	struct diag own = {0};

	if (access(path, F_OK) < 0 && errno == ENOENT) {
		*ret = l;
		return 0;
	}
	if (conf_read_at(&c, AT_FDCWD, path, path, CONF_MAX_IMAGE, CONF_NO_INCLUDE,
			 &own) == 0)
		parse(&l, c, &own);
	for (size_t i = 0; i < own.n; i++)
		diag_add(d, "%s", own.lines[i]);
	if (own.n > 0) {
		diag_done(&own);
		return -1;
	}
	*ret = l;
	l = (struct lock){0};
	return 0;
}
