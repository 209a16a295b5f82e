/* SPDX-License-Identifier: Apache-2.0 */
/*
 * apt-get prints the URLs of the packages that it would install; the stanzas of the
 * indexes have their digests.
 *
 * Limit: mmdebstrap installs in two steps, here apt resolves everything in one. Where a
 * dependency has alternatives the two may choose differently. That does no harm: a base
 * is made from the packages chosen here alone (debs.c), and they are complete.
 */
#include "builder/base/apt-resolve.h"

#include "builder/base/apt-root.h"
#include "builder/base/apt.h"
#include "builder/common/progress.h"
#include "lib/dir.h"
#include "lib/file.h"

#include <ctype.h>
#include <time.h>

#define INDEX_MAX   (1U << 30)
#define RELEASE_MAX (16U << 20)
#define STANZA_MAX  (1U << 20)
#define CHUNK       (64 * 1024)

struct resolver {
	const struct recipe *r;
	struct apt_root root;
	bool added;           /* the packages are added to an installed system */
	const char *download; /* the folder for the packages, or NULL */
	struct lock_base *out;
};

char **apt_requested(const struct recipe *r)
{
	char **v = strv_dup(r->base.packages);

	if (r->base.kernel)
		strv_add(&v, r->base.kernel);
	strv_sort(v);
	return v;
}

/* --- stanzas ----------------------------------------------------------------------- */

/* Returns the value of a field in the stanza that begins at `s`, or NULL. Owned. */
static char *field(const char *s, const char *name)
{
	size_t n = strlen(name);

	for (; *s && *s != '\n'; s += strcspn(s, "\n"), s += *s == '\n')
		if (strncmp(s, name, n) == 0 && s[n] == ':') {
			s += n + 1;
			s += strspn(s, " \t");
			return xstrndup(s, strcspn(s, "\n"));
		}
	return NULL;
}

static const char *next_stanza(const char *s)
{
	const char *end = strstr(s, "\n\n");

	return end ? end + 2 + strspn(end + 2, "\n") : NULL;
}

char *apt_archive_of(const char *sources, const char *release)
{
	for (const char *s = sources; s && *s; s = next_stanza(s)) {
		_cleanup_free_ char *suites = field(s, "Suites");
		_cleanup_free_ char *uris = field(s, "URIs");
		_cleanup_strv_ char **names = suites ? strv_split(suites, " ") : NULL;

		if (!uris || !strv_has(names, release))
			continue;
		uris[strcspn(uris, " ")] = '\0';
		while (str_ends(uris, "/"))
			uris[strlen(uris) - 1] = '\0';
		return TAKE_PTR(uris);
	}
	return NULL;
}

/* Returns the release of the first stanza whose archive contains the URL, or NULL. Owned.
 * *ret_path is the path in that archive, a part of `url`. */
static char *release_of(const char *sources, const char *url, const char **ret_path)
{
	for (const char *s = sources; s && *s; s = next_stanza(s)) {
		_cleanup_free_ char *suites = field(s, "Suites");
		_cleanup_free_ char *uri = NULL;
		const char *rest;

		if (!suites)
			continue;
		suites[strcspn(suites, " ")] = '\0';
		uri = apt_archive_of(s, suites);
		rest = uri ? str_after(url, uri) : NULL;
		if (!rest || *rest != '/')
			continue;
		*ret_path = rest + 1;
		return TAKE_PTR(suites);
	}
	return NULL;
}

/* --- URLs -------------------------------------------------------------------------- */

static int by_path(const void *a, const void *b)
{
	return strcmp(((const struct lock_package *)a)->path,
		      ((const struct lock_package *)b)->path);
}

/* Decodes "%2b" to '+' and the like: apt encodes URLs, but not its indexes. Owned. */
static char *decode(const char *s)
{
	struct buf b = {0};

	for (; *s; s++) {
		int byte = *s == '%' ? str_hex_byte(s + 1) : -EINVAL;
		char c = byte < 0 ? *s : (char)byte;

		if (byte >= 0)
			s += 2;
		buf_add(&b, &c, 1);
	}
	return buf_take(&b);
}

int apt_parse_urls(struct lock_base *b, const char *sources, const char *text,
		   struct err *e)
{
	_cleanup_strv_ char **lines = strv_split(text, "\n");

	for (size_t i = 0; lines && lines[i]; i++) {
		_cleanup_free_ char *url = NULL;
		const char *path = NULL;
		struct lock_package *p;
		char *release;

		if (lines[i][0] != '\'')
			continue;
		url = xstrndup(lines[i] + 1, strcspn(lines[i] + 1, "'"));
		release = release_of(sources, url, &path);
		if (!release)
			return err_set(e, ERR_FAILED,
				       "%s: in none of the base's archives", url);
		p = lock_package_add(b);
		p->release = release;
		p->path = decode(path);
	}
	if (b->n_packages > 0)
		qsort(b->packages, b->n_packages, sizeof(*b->packages), by_path);
	return 0;
}

/* --- running apt ------------------------------------------------------------------- */

static bool have_package(const struct resolver *x, const char *name)
{
	const char *const argv[] = {"apt-cache", "show", "--no-all-versions", name, NULL};
	_cleanup_free_ char *text = NULL;

	return apt_root_run(&x->root, argv, APT_INDEX_MAX, &text, NULL) == 0;
}

/* Returns the command line of apt-get to install the packages. Owned. */
static char **install_argv(const struct resolver *x, const char *how)
{
	char **argv = NULL;

	strv_add(&argv, "apt-get");
	strv_add(&argv, "-qq");
	strv_add(&argv, "--yes");
	strv_add(&argv, how);
	if (x->download)
		strv_addf(&argv, "-oDir::Cache::archives=%s", x->download);
	strv_add(&argv, "install");
	if (!x->added)
		strv_add(&argv, "?essential");
	strv_add(&argv, "initramfs-tools");
	/* mmdebstrap's hook merged-usr installs it too. */
	if (!x->added && have_package(x, "usr-is-merged"))
		strv_add(&argv, "usr-is-merged");
	strv_extend(&argv, x->out->wanted);
	return argv;
}

/* Adds every package that apt would install to x->out, with its URL's path. */
static int list_urls(const struct resolver *x, struct err *e)
{
	_cleanup_strv_ char **argv = install_argv(x, "--print-uris");
	_cleanup_free_ char *text = NULL;

	if (apt_root_run(&x->root, (const char *const *)argv, APT_INDEX_MAX, &text, e) <
	    0)
		return err_wrap(e, "the packages of %s", x->r->base.where);
	return apt_parse_urls(x->out, x->root.sources, text, e);
}

static int download(const struct resolver *x, struct err *e)
{
	_cleanup_strv_ char **argv = install_argv(x, "--download-only");
	_cleanup_free_ char *partial = xasprintf("%s/partial", x->download);
	_cleanup_free_ char *text = NULL;

	if (mkdir(partial, 0755) < 0)
		return err_errno(e, errno, "%s", partial);
	if (apt_root_run(&x->root, (const char *const *)argv, APT_DEB_MAX, &text, e) < 0)
		return err_wrap(e, "the packages of %s", x->r->base.where);
	return 0;
}

/* --- the indexes ------------------------------------------------------------------- */

/* Fills in the package of the stanza at `s`, if the lock has a package of that path. */
static void parse_stanza(struct lock_base *b, const char *s)
{
	struct lock_package key = {.path = field(s, "Filename")}, *p;
	_cleanup_free_ char *size = NULL;

	p = key.path && b->n_packages > 0
		    ? bsearch(&key, b->packages, b->n_packages, sizeof(key), by_path)
		    : NULL;
	free(key.path);
	if (!p || p->name)
		return;
	p->name = field(s, "Package");
	if (!p->name)
		return;
	p->version = field(s, "Version");
	p->arch = field(s, "Architecture");
	p->sha256 = field(s, "SHA256");
	size = field(s, "Size");
	if (!size || str_to_u64(size, INT64_MAX, &p->size) < 0)
		p->size = 0;
}

/* Adds the release of a file such as "..._dists_bookworm-updates_InRelease", which is of
 * the release bookworm-updates. */
int apt_parse_release(struct lock_base *b, int dirfd, const char *file, struct err *e)
{
	const char *dists = strstr(file, "_dists_"), *end;
	_cleanup_free_ char *text = NULL;
	struct lock_release *x;
	char sha256[DIGEST_HEX_MAX];
	size_t len = 0;
	int r = file_read_regular_at(dirfd, file, RELEASE_MAX, &text, &len);

	if (r < 0)
		return err_errno(e, r, "%s", file);
	dists = dists ? dists + strlen("_dists_") : NULL;
	end = dists ? strrchr(dists, '_') : NULL;
	if (!end)
		return 0;
	x = lock_release_add(b);
	x->name = xstrndup(dists, (size_t)(end - dists));
	x->sha256 = xstrdup(digest_text(DIGEST_SHA256, text, len, sha256));
	/* In a file that holds its own signature the text begins after the first empty
	 * line. */
	if (str_after(text, "-----BEGIN") && next_stanza(text)) {
		x->date = field(next_stanza(text), "Date");
		if (!b->origin)
			b->origin = field(next_stanza(text), "Origin");
	} else {
		x->date = field(text, "Date");
		if (!b->origin)
			b->origin = field(text, "Origin");
	}
	if (!x->date)
		x->date = xstrdup("");
	return 0;
}

/* Parses the stanzas that are complete and removes them from the text. */
static void parse_stanzas(struct lock_base *b, struct buf *text)
{
	char *s = text->p, *end;

	while ((end = memmem(s, text->len - (size_t)(s - text->p), "\n\n", 2))) {
		end[1] = '\0';
		parse_stanza(b, s);
		s = end + 2;
	}
	text->len -= (size_t)(s - text->p);
	memmove(text->p, s, text->len + 1);
}

int apt_parse_index(struct lock_base *b, int dirfd, const char *file, struct err *e)
{
	_cleanup_close_ int fd = file_open_regular_at(dirfd, file);
	_cleanup_free_ char *chunk = xmalloc(CHUNK);
	_cleanup_buf_ struct buf text = {0};
	uint64_t size = 0;
	ssize_t n;

	while (fd >= 0 && (n = read(fd, chunk, CHUNK)) != 0) {
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return err_errno(e, errno, "%s", file);
		size += (uint64_t)n;
		buf_add(&text, chunk, (size_t)n);
		parse_stanzas(b, &text);
		if (size > INDEX_MAX || text.len > STANZA_MAX)
			return err_set(e, ERR_FAILED,
				       "%s: has more than %u MiB%s: refused", file,
				       size > INDEX_MAX ? INDEX_MAX >> 20
							: STANZA_MAX >> 20,
				       size > INDEX_MAX ? "" : " without an empty line");
	}
	if (fd < 0)
		return err_set(e, ERR_FAILED, "%s: %s", file, file_strerror(fd));
	if (text.p)
		parse_stanza(b, text.p);
	return 0;
}

static int parse_lists(const struct resolver *x, struct err *e)
{
	_cleanup_free_ char *path = xasprintf("%s/state/lists", x->root.tmp);
	_cleanup_close_ int dir = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	_cleanup_strv_ char **names = NULL;
	int r = dir < 0 ? -errno : dir_names_at(dir, ".", &names);

	if (r < 0)
		return err_errno(e, r, "%s", path);
	for (size_t i = 0; r == 0 && names && names[i]; i++) {
		if (str_ends(names[i], "_Packages"))
			r = apt_parse_index(x->out, dir, names[i], e);
		else if (str_ends(names[i], "_InRelease") ||
			 str_ends(names[i], "_Release"))
			r = apt_parse_release(x->out, dir, names[i], e);
	}
	return r;
}

/* Returns true when `s` begins with a letter or digit, and all of it is in `letters`. */
static bool is_word(const char *s, const char *letters)
{
	return isalnum((unsigned char)*s) && !s[strspn(s, letters)];
}

/* Checks names as Debian Policy (5.6) has them: paths are made of them. */
static bool is_valid(const struct lock_package *p)
{
	static const char lower[] = "abcdefghijklmnopqrstuvwxyz0123456789+-.";
	static const char all[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
				  "0123456789+-.~:_";

	return is_word(p->name, lower) && is_word(p->version, all) &&
	       is_word(p->arch, lower);
}

static int check_all(const struct lock_base *b, struct err *e)
{
	for (size_t i = 0; i < b->n_packages; i++) {
		const struct lock_package *p = &b->packages[i];

		if (!p->name || !p->version || !p->arch || !p->sha256 ||
		    !digest_is_hex(p->sha256, DIGEST_SHA256) || p->size == 0)
			return err_set(
				e, ERR_FAILED,
				"%s: no index of the archive has its SHA-256 and size",
				p->path);
		if (!is_valid(p))
			return err_set(
				e, ERR_FAILED,
				"%s: package '%s', version '%s', architecture '%s': "
				"no valid names: archive refused",
				p->path, p->name, p->version, p->arch);
	}
	return 0;
}

/* Names the suite that was probably meant when the archive does not have it: apt prints a
 * line for each of the suite's pockets. Returns -1. */
static int update_error(const struct recipe_base *b, struct err *e)
{
	const char *near = apt_suite_guess(b->suite);

	if (!near || !e || !strstr(e->msg, "does not have a Release file"))
		return err_wrap(e, "the archive of %s", b->suite);
	return err_set(e, ERR_FAILED,
		       "%s: base: suite: the archive has no '%s' (did you mean '%s'?)",
		       b->where, b->suite, near);
}

static int resolve(struct resolver *x, struct err *e)
{
	static const char *const update[] = {"apt-get", "-qq", "--error-on=any", "update",
					     NULL};
	struct lock_base *b = x->out;
	_cleanup_free_ char *output = NULL;

	b->suite = xstrdup(x->r->base.suite);
	b->wanted = apt_requested(x->r);
	b->when = lock_time(time(NULL));
	if (apt_root_run(&x->root, update, APT_INDEX_MAX, &output, e) < 0)
		return update_error(&x->r->base, e);
	if (list_urls(x, e) < 0 || parse_lists(x, e) < 0 || check_all(b, e) < 0)
		return -1;
	if ((b->n_packages == 0 && !x->added) || b->n_releases == 0)
		return err_set(e, ERR_FAILED, "apt-get printed no packages to install");
	if (x->download && b->n_packages > 0) {
		stages_start("fetching the packages", NULL);
		if (download(x, e) < 0)
			return -1;
	}
	if (!b->origin)
		b->origin = xstrdup(b->suite);
	lock_base_sort(b);
	return 0;
}

int apt_download(struct lock_base *ret, const struct recipe *r, const char *sources,
		 char *const *mirrors, const char *status, const char *dir, struct err *e)
{
	_cleanup_lock_base_ struct lock_base b = {0};
	struct resolver x = {.r = r, .added = status, .download = dir, .out = &b};
	int result;

	stages_start("choosing the packages", NULL);
	if (apt_root_open(&x.root, r, sources, mirrors, status, e) < 0)
		return -1;
	result = resolve(&x, e);
	apt_root_done(&x.root);
	if (result < 0)
		return -1;
	*ret = b;
	b = (struct lock_base){0};
	return 0;
}

int apt_resolve(struct lock_base *ret, const struct recipe *r, const char *sources,
		char *const *mirrors, struct err *e)
{
	return apt_download(ret, r, sources, mirrors, NULL, NULL, e);
}

char *apt_archive_name(const struct lock_package *p)
{
	struct buf b = {0};

	buf_printf(&b, "%s_", p->name);
	for (const char *v = p->version; *v; v++)
		if (strchr("_:%", *v))
			buf_printf(&b, "%%%02x", (unsigned)*v);
		else
			buf_add(&b, v, 1);
	buf_printf(&b, "_%s.deb", p->arch);
	return buf_take(&b);
}
