/* SPDX-License-Identifier: Apache-2.0 */
/*
 * `apt-get indextargets` lists every index that apt has downloaded, with the Release it
 * belongs to. The Release's Origin tells apart archives that have the same suite. The
 * signing key is not in that list; it is read from the source entry that apt names.
 *
 * Limit: an archive whose index this machine has not downloaded is not found; `apt-get
 * update` downloads it.
 */
#include "builder/base/apt.h"

#include "lib/file.h"
#include "lib/log.h"
#include "lib/run.h"
#include "lib/url.h"

#define SOURCE_MAX (4U << 20)

static const char *const target_format =
	"$(CREATED_BY)\t$(ORIGIN)\t$(CODENAME)\t$(SUITE)\t$(RELEASE)\t$(COMPONENT)\t"
	"$(REPO_URI)\t$(SOURCESENTRY)";

enum { CREATED_BY, ORIGIN, CODENAME, SUITE, RELEASE, COMPONENT, REPO_URI, ENTRY, FIELDS };

static const char *const pockets[] = {"", "-updates", "-security"};

/* A suite of an archive, with those of its components that the recipe names. */
struct source {
	char *uri, *release, *codename, *entry;
	char **components;
};

struct sources {
	struct source *v;
	size_t n;
};

static void sources_done(struct sources *s)
{
	for (size_t i = 0; i < s->n; i++) {
		free(s->v[i].uri);
		free(s->v[i].release);
		free(s->v[i].codename);
		free(s->v[i].entry);
		strv_free(s->v[i].components);
	}
	free(s->v);
}
#define _cleanup_sources_ _cleanup_(sources_done)

/* --- the key ----------------------------------------------------------------------- */

/* Returns the key of a line "deb [arch=amd64 signed-by=/x.gpg] http://...", or NULL.
 * Owned. */
static char *one_line_key(const char *line)
{
	const char *p = strchr(line, '['), *end = p ? strchr(p, ']') : NULL;
	_cleanup_free_ char *options = NULL;
	_cleanup_strv_ char **words = NULL;

	if (!end)
		return NULL;
	options = xstrndup(p + 1, (size_t)(end - p - 1));
	words = strv_split(options, " \t");
	for (size_t i = 0; words && words[i]; i++)
		if (strncasecmp(words[i], "signed-by=", 10) == 0)
			return xstrdup(words[i] + 10);
	return NULL;
}

/* Returns the field Signed-By of a stanza with its continuation lines, or NULL. Owned. */
static char *stanza_key(char *const *lines)
{
	struct buf b = {0};
	bool in = false;

	for (; *lines && **lines; lines++) {
		if (**lines == '#')
			continue;
		if (**lines == ' ' || **lines == '\t') {
			if (in)
				buf_printf(&b, "\n%s", *lines);
			continue;
		}
		in = strncasecmp(*lines, "Signed-By:", 10) == 0;
		if (in)
			buf_puts(&b, *lines + 10 + strspn(*lines + 10, " \t"));
	}
	return b.len > 0 ? buf_take(&b) : NULL;
}

/* Splits into lines and keeps empty ones, unlike strv_split(): they end a stanza. Owned.
 */
static char **split_lines(const char *text)
{
	struct strv_builder lines = {0};

	while (*text) {
		size_t n = strcspn(text, "\n");

		strv_builder_addf(&lines, "%.*s", (int)n, text);
		text += n + (text[n] == '\n');
	}
	return strv_builder_take(&lines);
}

char *apt_signed_by(const char *file, unsigned n)
{
	_cleanup_free_ char *text = NULL;
	_cleanup_strv_ char **lines = NULL;
	bool stanzas = str_ends(file, ".sources"), begins = true;
	unsigned at = 0;

	if (n == 0 || file_read_regular_at(AT_FDCWD, file, SOURCE_MAX, &text, NULL) < 0)
		return NULL;
	lines = split_lines(text);
	if (!stanzas)
		return n <= strv_len(lines) ? one_line_key(lines[n - 1]) : NULL;
	for (size_t i = 0; lines && lines[i]; i++) {
		if (*lines[i] && *lines[i] != '#' && begins && ++at == n)
			return stanza_key(lines + i);
		begins = !*lines[i] || (*lines[i] == '#' && begins);
	}
	return NULL;
}

/* --- the sources ------------------------------------------------------------------- */

static bool is_pocket(const char *name, const char *suite)
{
	const char *rest = str_after(name, suite);

	for (size_t i = 0; rest && i < ARRAY_SIZE(pockets); i++)
		if (streq(rest, pockets[i]))
			return true;
	return false;
}

static void source_add(struct sources *s, char *const *f)
{
	struct source *x = NULL;

	for (size_t i = 0; i < s->n && !x; i++)
		if (streq(s->v[i].uri, f[REPO_URI]) &&
		    streq(s->v[i].release, f[RELEASE]) && streq(s->v[i].entry, f[ENTRY]))
			x = &s->v[i];
	if (!x) {
		s->v = xgrow(s->v, s->n, sizeof(*s->v));
		x = &s->v[s->n++];
		*x = (struct source){
			.uri = xstrdup(f[REPO_URI]),
			.release = xstrdup(f[RELEASE]),
			.codename = xstrdup(f[CODENAME]),
			.entry = xstrdup(f[ENTRY]),
		};
	}
	if (!strv_has(x->components, f[COMPONENT]))
		strv_add(&x->components, f[COMPONENT]);
}

/* Adds the sources of a suite that are in `targets`, the output of apt-get indextargets.
 * With `suite` NULL every suite of the origin. */
static void parse_targets(struct sources *s, const char *targets, const char *origin,
			  const char *suite, char *const *components)
{
	_cleanup_strv_ char **lines = strv_split(targets, "\n");

	for (size_t i = 0; lines && lines[i]; i++) {
		_cleanup_strv_ char **f = strv_split(lines[i], "\t");

		if (strv_len(f) == FIELDS && streq(f[CREATED_BY], "Packages") &&
		    streq(f[ORIGIN], origin) && strv_has(components, f[COMPONENT]) &&
		    (!suite || is_pocket(f[CODENAME], suite) ||
		     is_pocket(f[SUITE], suite)) &&
		    !str_after(f[REPO_URI], "cdrom:"))
			source_add(s, f);
	}
}

static void append_source(struct buf *out, const struct source *x)
{
	_cleanup_free_ char *components = strv_join(x->components, " ");
	_cleanup_free_ char *file = xstrdup(x->entry), *key = NULL;
	char *colon = strrchr(file, ':');
	uint64_t n = 0;

	if (colon && str_to_u64(colon + 1, UINT32_MAX, &n) == 0) {
		*colon = '\0';
		key = apt_signed_by(file, (unsigned)n);
	}
	buf_printf(out, "%sTypes: deb\nURIs: %s\nSuites: %s\nComponents: %s\n",
		   out->len > 0 ? "\n" : "", x->uri, x->release, components);
	if (key)
		buf_printf(out, "Signed-By: %s\n", key);
}

static bool is_main(const struct source *x)
{
	return !str_ends(x->codename, pockets[1]) && !str_ends(x->codename, pockets[2]);
}

/*
 * Adds sources for a suite that apt does not know: this machine's own sources with the
 * suite's name replaced. An archive has all suites side by side, with one keyring.
 */
static void derive_sources(struct sources *s, const char *targets, const char *origin,
			   const char *suite, char *const *components)
{
	_cleanup_sources_ struct sources all = {0};
	_cleanup_free_ char *own = NULL;

	parse_targets(&all, targets, origin, NULL, components);
	for (size_t i = 0; i < all.n && !own; i++)
		if (is_main(&all.v[i]))
			own = xstrdup(all.v[i].codename);
	for (size_t i = 0; own && i < all.n; i++) {
		const char *pocket = str_after(all.v[i].codename, own);
		struct source *x = &all.v[i];

		if (!pocket || !is_pocket(x->codename, own))
			continue;
		free(x->release);
		x->release = xasprintf("%s%s", suite, pocket);
		s->v = xgrow(s->v, s->n, sizeof(*s->v));
		s->v[s->n++] = *x;
		*x = (struct source){0};
	}
	if (s->n > 0)
		log_info("suite %s: not in apt's sources; using the archives of %s",
			 suite, own);
}

static bool is_of(const struct source *x, const char *pocket)
{
	_cleanup_free_ char *end = xasprintf("-%s", pocket);

	return str_ends(x->codename, end);
}

/* Returns whether the source is of the suite itself or of one of the pockets in `only`;
 * true without `only`. */
static bool is_selected(const struct source *x, char *const *only)
{
	bool selected = !only || is_main(x);

	for (size_t i = 0; only && only[i] && !selected; i++)
		selected = is_of(x, only[i]);
	return selected;
}

/* Checks that every pocket in `only` has a source. */
static int check_pockets(const struct sources *s, const char *suite, char *const *only,
			 const char *where, struct err *e)
{
	for (size_t i = 0; only && only[i]; i++) {
		bool have = false;

		for (size_t k = 0; k < s->n && !have; k++)
			have = is_of(&s->v[k], only[i]);
		if (!have)
			return err_set(e, ERR_FAILED,
				       "%s: pockets: apt on this machine knows no "
				       "archive of %s-%s: take '%s' out, or add it to "
				       "apt's sources",
				       where, suite, only[i], only[i]);
	}
	return 0;
}

/* A user name in the machine's sources would get into the cache and into messages. */
static int check_userinfo(const struct sources *s, const char *where, struct err *e)
{
	for (size_t i = 0; i < s->n; i++)
		if (url_has_userinfo(s->v[i].uri))
			return err_set(e, ERR_FAILED,
				       "%s: apt's source %s has a user name or password "
				       "in its URI: put them into apt_auth.conf(5)",
				       where, s->v[i].entry);
	return 0;
}

const char *apt_suite_guess(const char *suite)
{
	static const char *const known[] = {
		"wheezy",   "jessie",  "stretch", "buster", "bullseye",  "bookworm",
		"trixie",   "forky",   "sid",     "stable", "oldstable", "testing",
		"unstable", "precise", "trusty",  "utopic", "vivid",     "wily",
		"xenial",   "bionic",  "focal",   "jammy",  "noble",     NULL,
	};
	const char *near = str_nearest(suite, known);

	return near && !streq(near, suite) ? near : NULL;
}

/* Returns the components that apt lists for a suite of the origin, or with `suite` NULL
 * for all. Owned by the caller. */
static char **known_components(const char *targets, const char *origin, const char *suite)
{
	_cleanup_strv_ char **lines = strv_split(targets, "\n");
	char **known = NULL;

	for (size_t i = 0; lines && lines[i]; i++) {
		_cleanup_strv_ char **f = strv_split(lines[i], "\t");

		if (strv_len(f) == FIELDS && streq(f[CREATED_BY], "Packages") &&
		    streq(f[ORIGIN], origin) &&
		    (!suite || is_pocket(f[CODENAME], suite) ||
		     is_pocket(f[SUITE], suite)) &&
		    !strv_has(known, f[COMPONENT]))
			strv_add(&known, f[COMPONENT]);
	}
	return known;
}

/* Checks the components against those of the suite, or of the archives from which
 * derive_sources() takes it: one must be known, and none a misspelling. */
static int check_components(const char *targets, const char *origin, const char *suite,
			    char *const *components, const char *where, struct err *e)
{
	_cleanup_strv_ char **known = known_components(targets, origin, suite);
	_cleanup_free_ char *names = NULL;
	const char *unknown = NULL, *near = NULL;
	bool have = false;

	if (!known)
		known = known_components(targets, origin, NULL);
	for (size_t i = 0; known && components[i] && !near; i++) {
		if (strv_has(known, components[i])) {
			have = true;
			continue;
		}
		near = str_nearest(components[i], (const char *const *)known);
		unknown = near || !unknown ? components[i] : unknown;
	}
	if (!unknown || (have && !near))
		return 0;
	names = strv_join(known, ", ");
	return err_set(e, ERR_FAILED,
		       "%s: base: components: '%s': apt on this machine knows only %s of "
		       "%s %s%s%s%s",
		       where, unknown, names, origin, suite,
		       near ? " (did you mean '" : "", near ? near : "",
		       near ? "'?)" : "");
}

int apt_parse_sources(struct buf *out, const char *targets, const char *origin,
		      const char *suite, char *const *components, char *const *only,
		      const char *where, struct err *e)
{
	_cleanup_sources_ struct sources s = {0};
	bool have = false;

	if (check_components(targets, origin, suite, components, where, e) < 0)
		return -1;
	parse_targets(&s, targets, origin, suite, components);
	if (s.n == 0)
		derive_sources(&s, targets, origin, suite, components);
	for (size_t i = 0; i < s.n; i++)
		have |= is_main(&s.v[i]);
	if (!have)
		return err_set(
			e, ERR_FAILED,
			"%s: apt on this machine knows no archive of %s with the "
			"suite '%s': run apt-get update, add it to apt's sources, or "
			"give base a 'mirror'",
			where, origin, suite);
	if (check_pockets(&s, suite, only, where, e) < 0 ||
	    check_userinfo(&s, where, e) < 0)
		return -1;
	for (size_t i = 0; i < s.n; i++)
		if (is_selected(&s.v[i], only))
			append_source(out, &s.v[i]);
	return 0;
}

/* Removes what is at the path and no regular file: apt would wait for a writer of a FIFO
 * and follow a link. Returns 0 or -errno. */
static int remove_other_than_file(const char *path)
{
	struct stat st;

	if (lstat(path, &st) < 0)
		return errno == ENOENT ? 0 : -errno;
	return S_ISREG(st.st_mode) ? 0 : rm_rf_at(AT_FDCWD, path);
}

/* Adds the options that make apt keep its parsed lists in `cache`. In containers
 * (docker-clean) and for ordinary users apt otherwise parses all of them each time.
 * Returns the path of their file, or NULL. Owned by the caller. */
static char *add_cache_options(char ***argv, const char *cache)
{
	_cleanup_free_ char *dir = xasprintf("%s/apt", cache), *real = NULL;
	char *file;

	if (mkdir_p_at(AT_FDCWD, dir, 0755) < 0 || !(real = realpath(dir, NULL)))
		return NULL;
	file = xasprintf("%s/pkgcache.bin", real);
	if (remove_other_than_file(file) < 0) {
		free(file);
		return NULL;
	}
	strv_add(argv, "-o");
	strv_addf(argv, "Dir::Cache::pkgcache=%s", file);
	strv_add(argv, "-o");
	strv_add(argv, "Dir::Cache::srcpkgcache=");
	return file;
}

const struct tool apt_tools[] = {
	{"apt-get", "apt"},
	{"apt-cache", "apt"},
	{"dpkg", "dpkg"},
	{NULL, NULL},
};

int apt_sources(struct buf *out, const char *origin, const char *suite,
		char *const *components, char *const *only, const char *cache,
		const char *where, struct err *e)
{
	const char *const env[] = {"LC_ALL=C", NULL};
	_cleanup_strv_ char **argv = NULL;
	struct run r = {.env = env};
	_cleanup_free_ char *targets = NULL, *file = NULL;

	if (tools_check(apt_tools, e) < 0)
		return -1;
	strv_add(&argv, "apt-get");
	if (cache)
		file = add_cache_options(&argv, cache);
	strv_add(&argv, "indextargets");
	strv_add(&argv, "--format");
	strv_add(&argv, target_format);
	r.argv = (const char *const *)argv;
	if (run_capture(&r, &targets, NULL, e) < 0)
		return err_wrap(e, "asking apt for its sources");
	if (file)
		(void)!utimensat(AT_FDCWD, file, NULL,
				 AT_SYMLINK_NOFOLLOW); /* used now */
	return apt_parse_sources(out, targets, origin, suite, components, only, where, e);
}

/* --- options ----------------------------------------------------------------------- */

char **apt_options(void)
{
	static const char *const names[] = {
		"Acquire::http::Proxy",       "Acquire::https::Proxy",
		"Acquire::Check-Valid-Until", "Acquire::Check-Date",
		"Acquire::Retries",
	};
	const char *const argv[] = {"apt-config", "dump", "--no-empty", NULL};
	struct run r = {.argv = argv};
	_cleanup_free_ char *text = NULL;
	_cleanup_strv_ char **lines = NULL;
	struct strv_builder options = {0};

	if (!run_have(argv[0]) || run_capture(&r, &text, NULL, NULL) < 0)
		return NULL;
	lines = strv_split(text, "\n");
	for (size_t i = 0; lines && lines[i]; i++)
		for (size_t k = 0; k < ARRAY_SIZE(names); k++) {
			const char *rest = str_after(lines[i], names[k]);

			if (rest && (*rest == ' ' || str_after(rest, "::")))
				strv_builder_add(&options, lines[i]);
		}
	return strv_builder_take(&options);
}
