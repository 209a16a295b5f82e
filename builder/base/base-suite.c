/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Parses and checks the recipe's keys about a distribution's archive, and says which of
 * them determine the base. mmdebstrap.c makes a base of type suite.
 */
#include "builder/base/apt-resolve.h"
#include "builder/base/apt.h"
#include "builder/base/base-archive.h"
#include "builder/base/base.h"
#include "builder/base/mmdebstrap.h"
#include "builder/recipe/recipe-parse.h"
#include "lib/file.h"
#include "lib/text.h"

const char *const base_archive_keys[] = {
	"type",         "suite",   "components", "mirror", "pockets",
	"origin",       "keyring", "archived",   "kernel", "packages",
	"path_exclude", "limit",   NULL,
};

const struct tool base_archive_tools[] = {
	{"mmdebstrap", "mmdebstrap"},
	{NULL, NULL},
};

/* --- recipe ------------------------------------------------------------------------ */

static bool is_package(const char *s)
{
	static const char ok[] = "abcdefghijklmnopqrstuvwxyz0123456789+-.:";

	return s[0] != '-' && *s && !s[strspn(s, ok)];
}

static bool is_suite(const char *s)
{
	static const char ok[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
				 "0123456789-._/";

	return s[0] != '-' && *s && !s[strspn(s, ok)];
}

/* Sets keys that the group has to "", so that base_archive_check() does not report a
 * wrong value as missing too. */
static void mark_present(struct recipe_base *b, const struct conf_node *group)
{
	if (!b->suite && !conf_is_missing(group, "suite"))
		b->suite = xstrdup("");
	if (!b->components && (conf_len(conf_member(group, "components")) > 0 ||
			       (!conf_member(group, "components") &&
				!conf_is_missing(group, "components"))))
		strv_add(&b->components, "");
	if (!b->kernel && !conf_is_missing(group, "kernel"))
		b->kernel = xstrdup("");
}

void base_archive_parse(struct recipe_base *b, const struct conf_node *group,
			struct diag *d)
{
	_cleanup_free_ char *keyring = NULL;

	mark_present(b, group);
	if (recipe_get_word(group, "suite", &b->suite, d) > 0 && !is_suite(b->suite))
		conf_complain(conf_member(group, "suite"), d,
			      "suite: '%s' is not the name of a suite", b->suite);
	(void)!recipe_get_words(group, "components", &b->components, d);
	if (recipe_get_word(group, "mirror", &b->mirror, d) > 0)
		(void)!recipe_check_url(group, "mirror", b->mirror,
					"put them into apt_auth.conf(5)", d);
	if (recipe_get_words(group, "pockets", &b->pockets, d) > 0 && !b->pockets)
		b->pockets = xcalloc(1, sizeof(*b->pockets)); /* none */
	(void)!recipe_get_text(group, "origin", &b->origin, d);
	if (recipe_get_text(group, "keyring", &keyring, d) > 0) {
		free(b->keyring);
		b->keyring = recipe_beside(group, keyring);
		recipe_check_file(conf_member(group, "keyring"), "keyring", b->keyring,
				  d);
	}
	(void)!conf_get_bool(group, "archived", &b->archived, d);
	if (recipe_get_word(group, "kernel", &b->kernel, d) > 0 && !is_package(b->kernel))
		conf_complain(conf_member(group, "kernel"), d,
			      "kernel: '%s' is not the name of a package", b->kernel);
	(void)!recipe_get_words(group, "path_exclude", &b->path_exclude, d);
	if (recipe_get_words(group, "packages", &b->packages, d) <= 0)
		return;
	for (size_t i = 0; b->packages && b->packages[i]; i++)
		if (!is_package(b->packages[i]))
			conf_complain(conf_member(group, "packages"), d,
				      "packages: '%s' is not the name of a package",
				      b->packages[i]);
}

void base_archive_check(const struct recipe_base *b, bool needed, struct diag *d)
{
	if (!b->suite && needed)
		diag_add(d, "%s: base: suite: missing, as in suite = \"bookworm\";",
			 b->where);
	if (!b->components && (needed || b->suite))
		diag_add(
			d,
			"%s: base: components: missing, as in components = [ \"main\" ];",
			b->where);
	if (b->mirror && b->origin)
		diag_add(d, "%s: base: with a mirror, origin has no effect: leave it out",
			 b->where);
	if (!b->mirror && b->keyring)
		diag_add(d,
			 "%s: base: without a mirror, keyring has no effect: give the "
			 "mirror, or leave it out",
			 b->where);
	if (!b->keyring && b->archived)
		diag_add(d,
			 "%s: base: without a keyring, archived has no effect: give the "
			 "keyring, or leave it out",
			 b->where);
}

static void check_suite(const struct recipe *r, struct diag *d)
{
	const struct recipe_base *b = &r->base;

	base_archive_check(b, true, d);
	if (!b->kernel)
		diag_add(d,
			 "%s: base: kernel: missing: the package with the kernel, as in "
			 "kernel = \"linux-image-amd64\";",
			 b->where);
}

static void describe_words(struct buf *out, const char *key, char *const *v)
{
	for (size_t i = 0; v && v[i]; i++)
		text_append(out, "%s%s", i > 0 ? " " : key, v[i]);
	if (v && v[0])
		buf_puts(out, "\n");
}

void base_archive_describe(const struct recipe_base *b, struct buf *out)
{
	if (b->suite)
		text_line(out, "suite %s", b->suite);
	describe_words(out, "components ", b->components);
	if (b->mirror)
		text_line(out, "mirror %s", b->mirror);
	describe_words(out, "pockets ", b->pockets);
	if (b->pockets && !b->pockets[0])
		text_line(out, "pockets none");
	if (b->origin)
		text_line(out, "origin %s", b->origin);
	if (b->keyring)
		text_line(out, "keyring %s", b->keyring);
	if (b->archived)
		text_line(out, "archived");
	if (b->kernel)
		text_line(out, "kernel %s", b->kernel);
	describe_words(out, "packages ", b->packages);
	describe_words(out, "path_exclude ", b->path_exclude);
}

/* --- what determines the base ------------------------------------------------------ */

static void append_mirror(struct buf *out, const struct recipe_base *b)
{
	_cleanup_free_ char *components = strv_join(b->components, " ");

	buf_printf(out, "Types: deb\nURIs: %s\nSuites: %s", b->mirror, b->suite);
	for (size_t i = 0; b->pockets && b->pockets[i]; i++)
		buf_printf(out, " %s-%s", b->suite, b->pockets[i]);
	buf_printf(out, "\nComponents: %s\n", components);
}

int base_archive_prepare(const struct recipe *r, const char *cache, struct buf *inputs,
			 struct buf *sources, struct err *e)
{
	const struct recipe_base *b = &r->base;
	char sha256[DIGEST_HEX_MAX];

	if (!b->suite)
		return 0; /* nothing is installed */
	buf_printf(inputs, "suite %s\n", b->suite);
	if (b->archived)
		buf_puts(inputs, "archived\n");
	describe_words(inputs, "components ", b->components);
	if (b->keyring) {
		_cleanup_close_ int fd = file_open_regular_at(AT_FDCWD, b->keyring);
		int n = fd < 0 ? fd : digest_fd(fd, DIGEST_SHA256, sha256, NULL);

		if (n < 0)
			return err_set(e, ERR_FAILED, "keyring %s: %s", b->keyring,
				       file_strerror(n));
		buf_printf(inputs, "keyring %s\n", sha256);
	}
	if (b->mirror) {
		append_mirror(sources, b);
		return 0;
	}
	return apt_sources(sources, b->origin ? b->origin : "Debian", b->suite,
			   b->components, b->pockets, cache, b->where, e);
}

static int make_suite(const struct base_work *w, struct err *e)
{
	return mmdebstrap_make(w, NULL, NULL, e);
}

const struct base_type base_suite = {
	.name = "suite",
	.keys = base_archive_keys,
	.parse = base_archive_parse,
	.check = check_suite,
	.describe = base_archive_describe,
	.prepare = base_archive_prepare,
	.resolve = apt_resolve,
	.tools = base_archive_tools,
	.make = make_suite,
};
