/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The lock in memory, and its text. lock-read.c reads it.
 *
 * Lines are short, and the order is the recipe's and then the alphabet's, so that a diff
 * of two locks is easy to read.
 */
#include "builder/input/lock.h"

#include "builder/common/leftovers.h"
#include "firstboot/model/conf.h"
#include "lib/file.h"

#include <time.h>

void lock_base_done(struct lock_base *b)
{
	for (size_t i = 0; i < b->n_releases; i++) {
		free(b->releases[i].name);
		free(b->releases[i].date);
		free(b->releases[i].sha256);
	}
	for (size_t i = 0; i < b->n_packages; i++) {
		struct lock_package *p = &b->packages[i];

		free(p->name);
		free(p->version);
		free(p->arch);
		free(p->release);
		free(p->path);
		free(p->sha256);
		free(p->where);
	}
	free(b->releases);
	free(b->packages);
	free(b->suite);
	free(b->origin);
	free(b->when);
	strv_free(b->wanted);
	free(b->where);
	*b = (struct lock_base){0};
}

void lock_done(struct lock *l)
{
	for (size_t i = 0; i < l->n; i++) {
		free(l->v[i].url);
		free(l->v[i].sha256);
		free(l->v[i].when);
		free(l->v[i].from);
		free(l->v[i].where);
	}
	free(l->v);
	intern_done(&l->urls);
	lock_base_done(&l->base);
	*l = (struct lock){0};
}

const struct lock_entry *lock_find(const struct lock *l, const char *url)
{
	size_t i;

	return intern_find(&l->urls, url, &i) ? &l->v[i] : NULL;
}

struct lock_entry *lock_add(struct lock *l, const char *url, uint64_t size,
			    const char *sha256)
{
	intern(&l->urls, url, NULL);
	l->v = xgrow(l->v, l->n, sizeof(*l->v));
	l->v[l->n] = (struct lock_entry){
		.url = xstrdup(url),
		.size = size,
		.sha256 = xstrdup(sha256),
	};
	return &l->v[l->n++];
}

static int by_package(const void *a, const void *b)
{
	const struct lock_package *x = a, *y = b;
	int r = strcmp(x->name, y->name);

	return r != 0 ? r : strcmp(x->arch, y->arch);
}

const struct lock_package *lock_package_find(const struct lock_base *b, const char *name,
					     const char *arch)
{
	struct lock_package key = {.name = (char *)name, .arch = (char *)arch};

	return b->n_packages > 0 ? bsearch(&key, b->packages, b->n_packages, sizeof(key),
					   by_package)
				 : NULL;
}

struct lock_release *lock_release_add(struct lock_base *b)
{
	b->releases = xgrow(b->releases, b->n_releases, sizeof(*b->releases));
	b->releases[b->n_releases] = (struct lock_release){0};
	return &b->releases[b->n_releases++];
}

struct lock_package *lock_package_add(struct lock_base *b)
{
	b->packages = xgrow(b->packages, b->n_packages, sizeof(*b->packages));
	b->packages[b->n_packages] = (struct lock_package){0};
	return &b->packages[b->n_packages++];
}

static int by_release(const void *a, const void *b)
{
	return strcmp(((const struct lock_release *)a)->name,
		      ((const struct lock_release *)b)->name);
}

void lock_base_sort(struct lock_base *b)
{
	if (b->n_releases > 0)
		qsort(b->releases, b->n_releases, sizeof(*b->releases), by_release);
	if (b->n_packages > 0)
		qsort(b->packages, b->n_packages, sizeof(*b->packages), by_package);
}

char *lock_time(time_t t)
{
	char text[32];
	struct tm tm;

	gmtime_r(&t, &tm);
	strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%SZ", &tm);
	return xstrdup(text);
}

/* --- writing ----------------------------------------------------------------------- */

static void append_str(struct buf *b, const char *before, const char *key,
		       const char *value)
{
	if (!value)
		return;
	buf_printf(b, "%s%s = ", before, key);
	conf_quote(b, value);
	buf_puts(b, ";");
}

static void append_size(struct buf *b, const char *before, uint64_t size)
{
	buf_printf(b, "%ssize = \"%llu\";", before, (unsigned long long)size);
}

static void append_inputs(struct buf *b, const struct lock *l)
{
	buf_puts(b, "inputs = (");
	for (size_t i = 0; i < l->n; i++) {
		buf_printf(b, "%s\n\t{", i > 0 ? "," : "");
		append_str(b, "\n\t\t", "url", l->v[i].url);
		append_size(b, "\n\t\t", l->v[i].size);
		append_str(b, "\n\t\t", "sha256", l->v[i].sha256);
		append_str(b, "\n\t\t", "when", l->v[i].when);
		append_str(b, "\n\t\t", "from", l->v[i].from);
		buf_puts(b, "\n\t}");
	}
	buf_puts(b, "\n);\n");
}

static void append_base(struct buf *b, const struct lock_base *base)
{
	buf_puts(b, "base = {");
	append_str(b, "\n\t", "suite", base->suite);
	append_str(b, "\n\t", "origin", base->origin);
	append_str(b, "\n\t", "when", base->when);
	buf_puts(b, "\n\twanted = [");
	for (size_t i = 0; base->wanted && base->wanted[i]; i++) {
		buf_puts(b, i > 0 ? ",\n\t\t" : "\n\t\t");
		conf_quote(b, base->wanted[i]);
	}
	buf_puts(b, "\n\t];\n\treleases = (");
	for (size_t i = 0; i < base->n_releases; i++) {
		buf_puts(b, i > 0 ? ",\n\t\t{" : "\n\t\t{");
		append_str(b, " ", "name", base->releases[i].name);
		append_str(b, " ", "date", base->releases[i].date);
		append_str(b, "\n\t\t  ", "sha256", base->releases[i].sha256);
		buf_puts(b, " }");
	}
	buf_puts(b, "\n\t);\n\tpackages = (");
	for (size_t i = 0; i < base->n_packages; i++) {
		const struct lock_package *p = &base->packages[i];

		buf_puts(b, i > 0 ? ",\n\t\t{" : "\n\t\t{");
		append_str(b, " ", "name", p->name);
		append_str(b, " ", "version", p->version);
		append_str(b, " ", "arch", p->arch);
		append_str(b, " ", "release", p->release);
		append_str(b, "\n\t\t  ", "path", p->path);
		append_size(b, "\n\t\t  ", p->size);
		append_str(b, " ", "sha256", p->sha256);
		buf_puts(b, " }");
	}
	buf_puts(b, "\n\t);\n};\n");
}

char *lock_render(const struct lock *l)
{
	struct buf b = {0};

	buf_puts(&b, "# Made by `rackstrap lock`: what each input was. Keep it with the "
		     "recipe.\nversion = 1;\n");
	append_inputs(&b, l);
	if (l->base.n_packages > 0)
		append_base(&b, &l->base);
	return buf_take(&b);
}

int lock_write(const struct lock *l, const char *path, struct err *e)
{
	_cleanup_free_ char *text = lock_render(l);

	if (file_is_at(AT_FDCWD, path, text, strlen(text), 0644))
		return 0;
	if (leftovers_write_file(path, text, strlen(text), 0644, e) < 0)
		return err_wrap(e, "%s: cannot be written", path);
	return 0;
}
