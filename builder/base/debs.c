/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The archive is one folder: the packages, Packages with their control files, and Release
 * with the suite's name, which mmdebstrap looks for. It has no signature: the source says
 * that it is trusted, and apt checks the digests in Packages, which are those of the lock
 * or of the archive's signed indexes. The packages are copied because apt and mmdebstrap
 * read them as other users, who cannot read the cache.
 */
#include "builder/base/debs.h"

#include "builder/base/apt-resolve.h"
#include "builder/base/apt-root.h"
#include "builder/common/archive.h"
#include "lib/file.h"
#include "lib/intern.h"
#include "lib/log.h"
#include "lib/str.h"

#include <limits.h>
#include <sys/stat.h>
#include <time.h>

#define CONTROL_MAX (1U << 20)
#define REPORT_MAX  10
#define DOWNLOAD    "download" /* the folder in the archive that apt fills */

/* --- fetching ---------------------------------------------------------------------- */

static int want_package(struct wants *w, const struct lock_base *b,
			const struct lock_package *p, const char *sources, struct err *e)
{
	_cleanup_free_ char *archive = apt_archive_of(sources, p->release);

	if (!archive)
		return err_set(e, ERR_FAILED,
			       "%s: package %s is of the release '%s', but no source of "
			       "this machine has that release",
			       p->where, p->name, p->release);
	w->v[w->n] = (struct want){
		.name = p->name,
		.url = wants_keep(w, xasprintf("package:%s/%s", b->origin, p->path)),
		.source = wants_keep(w, xasprintf("%s/%s", archive, p->path)),
		.where = wants_keep(w, xasprintf("%s: package %s", p->where, p->name)),
		.type = DIGEST_SHA256,
		.digest = p->sha256,
		.size = p->size,
		.by = p->where,
		.blob = {.fd = -1},
	};
	w->n++;
	return 0;
}

size_t debs_diff(const struct lock_base *was, const struct lock_base *now, size_t max,
		 struct diag *d)
{
	size_t n = 0;

	for (size_t i = 0; i < was->n_packages; i++) {
		const struct lock_package *p = &was->packages[i];
		const struct lock_package *q = lock_package_find(now, p->name, p->arch);

		if (q && streq(p->version, q->version))
			continue;
		if (n++ >= max)
			continue;
		if (q)
			diag_add(d, "package %s is now %s, the lock has %s (%s)", p->name,
				 q->version, p->version, p->where);
		else
			diag_add(d,
				 "package %s is no longer needed, the lock has %s (%s)",
				 p->name, p->version, p->where);
	}
	for (size_t i = 0; i < now->n_packages; i++) {
		const struct lock_package *q = &now->packages[i];

		if (!lock_package_find(was, q->name, q->arch) && n++ < max)
			diag_add(d, "package %s is now %s, the lock does not have it",
				 q->name, q->version);
	}
	return n;
}

/* Replaces the error of a failed fetch if the cause is that the archive has other
 * versions now: the new error names them. Always returns -1. */
static int report_changes(const struct lock_base *b, const struct recipe *r,
			  const char *sources, const struct obtain_options *o,
			  struct err *e)
{
	_cleanup_lock_base_ struct lock_base now = {0};
	_cleanup_diag_ struct diag d = {0};
	size_t n;

	if (apt_resolve(&now, r, sources, o->mirrors, NULL) < 0)
		return -1;
	n = debs_diff(b, &now, REPORT_MAX, &d);
	if (n == 0)
		return -1;
	if (n > REPORT_MAX)
		diag_add(&d, "and %zu more packages", n - REPORT_MAX);
	diag_add(&d,
		 "%s no longer has all packages of the lock: run `rackstrap lock %s` to "
		 "lock the new ones",
		 b->suite, r->file);
	if (diag_err(&d, e) < 0 && e)
		e->code = ERR_FAILED; /* not ERR_CONFIG: the recipe is valid */
	return -1;
}

int debs_obtain(const struct lock_base *b, const struct recipe *r, const char *sources,
		const struct cache *c, const struct obtain_options *o,
		size_t *ret_fetched, struct err *e)
{
	_cleanup_wants_ struct wants w = {
		.v = xcalloc(b->n_packages + 1, sizeof(struct want))};
	struct obtain_options oo = *o;

	oo.closed = oo.quiet = true;
	for (size_t i = 0; i < b->n_packages; i++)
		if (want_package(&w, b, &b->packages[i], sources, e) < 0)
			return -1;
	if (obtain(w.v, w.n, c, &oo, e) < 0)
		return o->offline ? -1 : report_changes(b, r, sources, o, e);
	*ret_fetched = 0;
	for (size_t i = 0; i < w.n; i++)
		*ret_fetched += w.v[i].fetched;
	return 0;
}

/* --- the archive ------------------------------------------------------------------- */

static int read_control(struct archive_in *tar, struct buf *out, const char *name,
			struct err *e)
{
	const struct entry *entry;
	int r;

	while ((r = archive_in_next(tar, &entry, e)) > 0) {
		_cleanup_free_ char *path = archive_path_normal(entry->path);

		if (!path || !streq(path, "control"))
			continue;
		r = archive_in_text(tar, CONTROL_MAX, out, e);
		if (r == 0)
			return err_set(e, ERR_FAILED,
				       "%s: its control file has more than %u MiB: "
				       "refused",
				       name, CONTROL_MAX >> 20);
		return r < 0 ? -1 : 0;
	}
	return r < 0 ? -1 : err_set(e, ERR_FAILED, "%s: has no control file", name);
}

/* Reads the file "control" from control.tar.* in a package, which is an ar archive
 * (deb(5)). */
static int get_control(int fd, const char *name, struct buf *out, struct err *e)
{
	_cleanup_archive_in_ struct archive_in *deb = NULL;
	struct archive_limit limit = {.bytes = APT_DEB_MAX};
	const struct entry *entry;
	int r;

	if (archive_in_open(
		    &deb,
		    &(struct archive_source){.name = name, .fd = fd, .limit = &limit},
		    e) < 0)
		return -1;
	while ((r = archive_in_next(deb, &entry, e)) > 0) {
		_cleanup_archive_in_ struct archive_in *tar = NULL;

		if (!str_after(entry->path, "control.tar"))
			continue;
		if (archive_in_open(&tar,
				    &(struct archive_source){.name = name, .outer = deb},
				    e) < 0)
			return -1;
		return read_control(tar, out, name, e);
	}
	return r < 0 ? -1
		     : err_set(e, ERR_FAILED, "%s: not a package: it has no control.tar",
			       name);
}

static void append_stanza(struct buf *out, const struct lock_package *p, const char *file,
			  const char *control)
{
	size_t n = strlen(control);

	while (n > 0 && control[n - 1] == '\n')
		n--;
	buf_add(out, control, n);
	buf_printf(out, "\nFilename: %s\nSize: %llu\nSHA256: %s\n\n", file,
		   (unsigned long long)p->size, p->sha256);
}

/* A package's file in the cache. */
static int open_cached(const struct lock_package *p, const struct cache *c, int *ret,
		       struct err *e)
{
	struct blob blob;
	int r = cache_blob_open(c, DIGEST_SHA256, p->sha256, &blob, e);

	if (r == 0)
		return err_set(e, ERR_FAILED,
			       "%s: package %s: was removed from the cache meanwhile",
			       p->where, p->name);
	*ret = blob.fd;
	return r < 0 ? -1 : 0;
}

/* Returns the field Installed-Size, which is in KiB, in bytes, or 0. */
static uint64_t installed_size(const char *control)
{
	static const char field[] = "\nInstalled-Size: ";
	const char *s = strstr(control, field);
	uint64_t kib = 0;

	if (s) {
		s += strlen(field);
		kib = strtoull(s, NULL, 10);
	}
	return kib < UINT64_C(1) << 32 ? kib << 10 : 0;
}

/* Adds the package in the file `from` to the archive in `dirfd`. */
static int add_package(const struct lock_package *p, int from, int dirfd, struct buf *out,
		       uint64_t *installed, struct err *e)
{
	_cleanup_free_ char *file = xasprintf(
		"./%s", strrchr(p->path, '/') ? strrchr(p->path, '/') + 1 : p->path);
	_cleanup_buf_ struct buf control = {0};
	_cleanup_close_ int to = -1;
	char sha256[DIGEST_HEX_MAX];
	int r;

	if (get_control(from, p->path, &control, e) < 0)
		return -1;
	append_stanza(out, p, file, control.p);
	*installed += installed_size(control.p);
	to = openat(dirfd, file, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
	if (to < 0 || lseek(from, 0, SEEK_SET) < 0)
		return err_errno(e, errno, "%s", file);
	r = digest_copy_fd(from, to, DIGEST_SHA256, sha256);
	if (r < 0)
		return err_errno(e, r, "%s", file);
	return streq(sha256, p->sha256)
		       ? 0
		       : err_set(e, ERR_FAILED,
				 "package %s: its file changed while it was read: run "
				 "again",
				 p->name);
}

/* The date is the recipe's epoch: apt only refuses dates in the future. */
static char *release_text(const struct lock_base *b, const struct recipe *r,
			  const char *packages, size_t len)
{
	time_t epoch = (time_t)r->epoch;
	char sha256[DIGEST_HEX_MAX], date[64];
	struct tm tm;

	gmtime_r(&epoch, &tm);
	strftime(date, sizeof(date), "%a, %d %b %Y %H:%M:%S UTC", &tm);
	digest_text(DIGEST_SHA256, packages, len, sha256);
	return xasprintf("Origin: %s\nSuite: %s\nCodename: %s\nDate: %s\n"
			 "Architectures: amd64\nSHA256:\n %s %zu Packages\n",
			 b->origin, b->suite, b->suite, date, sha256, len);
}

/* Writes the index of the packages, and Release. */
static int write_index(const struct lock_base *b, const struct recipe *r, int dirfd,
		       const struct buf *packages)
{
	const char *text = packages->p ? packages->p : "";
	_cleanup_free_ char *release = release_text(b, r, text, packages->len);
	int n = file_write_at(dirfd, "Packages", text, packages->len, 0644);

	return n < 0 ? n
		     : file_write_at(dirfd, "Release", release, strlen(release), 0644);
}

/* Fills the archive in `dir` with the packages in the cache, or, with c NULL, with those
 * in its folder "download". */
static int fill(const struct lock_base *b, const struct recipe *r, const struct cache *c,
		const char *dir, uint64_t *installed, struct err *e)
{
	_cleanup_close_ int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	_cleanup_buf_ struct buf packages = {0};
	int n;

	if (fd < 0 || fchmod(fd, 0755) < 0)
		return err_errno(e, errno, "%s", dir);
	for (size_t i = 0; i < b->n_packages; i++) {
		const struct lock_package *p = &b->packages[i];
		_cleanup_free_ char *name = apt_archive_name(p);
		_cleanup_free_ char *path = xasprintf(DOWNLOAD "/%s", name);
		_cleanup_close_ int from = -1;

		if (c && open_cached(p, c, &from, e) < 0)
			return -1;
		if (!c)
			from = file_open_regular_at(fd, path);
		if (from < 0)
			return err_set(e, ERR_FAILED, "%s/%s: %s", dir, path,
				       file_strerror(from));
		if (add_package(p, from, fd, &packages, installed, e) < 0)
			return -1;
		if (!c)
			unlinkat(fd, path, 0);
	}
	n = write_index(b, r, fd, &packages);
	return n < 0 ? err_errno(e, n, "%s", dir) : 0;
}

static void append_repo(struct buf *out, const char *dir)
{
	buf_printf(out, "Types: deb\nURIs: copy:%s\nSuites: ./\nTrusted: yes\n", dir);
}

int debs_repo(const struct lock_base *b, const struct recipe *r, const struct cache *c,
	      struct scratch *s, struct buf *out, uint64_t *ret_installed, struct err *e)
{
	*ret_installed = 0;
	if (leftovers_make(s, NULL, "debs", e) < 0 ||
	    fill(b, r, c, s->path, ret_installed, e) < 0)
		return -1;
	append_repo(out, s->path);
	return 0;
}

int debs_repo_now(const struct recipe *r, const char *sources, char *const *mirrors,
		  const char *status, struct scratch *s, struct buf *out,
		  uint64_t *ret_installed, struct err *e)
{
	_cleanup_lock_base_ struct lock_base b = {0};
	_cleanup_free_ char *download = NULL;

	*ret_installed = 0;
	if (leftovers_make(s, NULL, "debs", e) < 0)
		return -1;
	download = xasprintf("%s/" DOWNLOAD, s->path);
	/* apt may download as another user (apt-root.c). */
	if (chmod(s->path, 0711) < 0 || mkdir(download, 0755) < 0)
		return err_errno(e, errno, "%s", download);
	if (apt_download(&b, r, sources, mirrors, status, download, e) < 0 ||
	    fill(&b, r, NULL, s->path, ret_installed, e) < 0)
		return -1;
	append_repo(out, s->path);
	return 0;
}

/* --- checks ------------------------------------------------------------------------ */

static void add_words(struct intern *in, char *const *v)
{
	for (; v && *v; v++)
		intern(in, *v, NULL);
}

void debs_check_recipe(const struct lock_base *b, const struct recipe *r, struct diag *d)
{
	_cleanup_strv_ char **requested = apt_requested(r);
	_cleanup_intern_ struct intern locked = {0}, wanted = {0};

	if (!streq(b->suite, r->base.suite)) {
		diag_add(d,
			 "%s: base: suite is '%s', the lock has '%s' (%s): run "
			 "`rackstrap lock %s`",
			 r->base.where, r->base.suite, b->suite, b->where, r->file);
		return;
	}
	add_words(&locked, b->wanted);
	add_words(&wanted, requested);
	for (size_t i = 0; requested && requested[i]; i++)
		if (!intern_find(&locked, requested[i], NULL))
			diag_add(d,
				 "%s: base: package %s was not in the recipe when the "
				 "base was locked (%s): run `rackstrap lock %s`",
				 r->base.where, requested[i], b->where, r->file);
	for (size_t i = 0; b->wanted && b->wanted[i]; i++)
		if (!intern_find(&wanted, b->wanted[i], NULL))
			diag_add(d,
				 "%s: base: package %s is no longer in the recipe, but "
				 "was when the base was locked (%s): run `rackstrap "
				 "lock %s`",
				 r->base.where, b->wanted[i], b->where, r->file);
}

int debs_check_installed(const struct lock_base *b, const char *packages, struct err *e)
{
	_cleanup_strv_ char **lines = strv_split(packages, "\n");
	_cleanup_diag_ struct diag d = {0};

	for (size_t i = 0; lines && lines[i]; i++) {
		_cleanup_strv_ char **f = strv_split(lines[i], " ");
		const struct lock_package *p =
			strv_len(f) == 3 ? lock_package_find(b, f[0], f[2]) : NULL;

		if (!p)
			diag_add(&d,
				 "package %s is in the base, but not in the lock (%s)",
				 lines[i], b->where);
		else if (!streq(p->version, f[1]))
			diag_add(&d, "package %s is %s in the base, the lock has %s (%s)",
				 f[0], f[1], p->version, p->where);
	}
	return diag_err(&d, e);
}
