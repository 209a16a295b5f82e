/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Complaints are compared as text: without the place, without the names of hosts, and
 * loosely without double-quoted values and words with a digit. A host that has a line
 * keeps all its lines, unless they are very many: only complaints of other hosts are
 * folded. A complaint about no host, as about an element of a list, is folded by itself.
 *
 * Limit: complaints that differ in a value in single quotes, such as an unknown key, are
 * of several kinds.
 */
#include "pxe/rack-fold.h"

#include "lib/intern.h"
#include "lib/text.h"

#define NAMED_MAX 4  /* hosts or lines in a detail */
#define KEPT_MAX  10 /* complaints of a kind that keep their lines */
#define OWN_MAX   20 /* complaints of a kind that one host keeps */
#define LEAST     2  /* a detail stands for so many complaints at least */

#define HOST "host '"

struct group {
	bool of_hosts;                 /* the complaints are about hosts */
	size_t exact;                  /* number of the first one's exact text */
	bool same;                     /* all have that text */
	unsigned line;                 /* of the first one, or 0 */
	const char *file;              /* of the first one, or NULL */
	bool one_file;                 /* all are about that file */
	size_t kept[KEPT_MAX], n_kept; /* subjects that keep their lines */
	size_t lines[KEPT_MAX];        /* how many they have */
	size_t own;                    /* complaints of theirs that are folded */
	size_t folded;                 /* complaints of the others */
	size_t subjects;               /* number of the others */
	size_t last;                   /* line that gets the detail */
	struct buf more;               /* names or lines */
	size_t named;
	unsigned named_line; /* without a host, the last one */
};

/* Returns whether the message begins with the name of a host. */
static bool about_host(const char *message)
{
	return str_after(message, HOST);
}

static char *host_of(const char *message)
{
	const char *name = message + strlen(HOST);

	return xstrndup(name, strcspn(name, "'"));
}

/* Returns the text without hosts' names. Owned by the caller. */
static char *exact_text(const char *s)
{
	struct buf b = {0};

	for (const char *at; (at = strstr(s, HOST)); s = at + strcspn(at, "'")) {
		buf_add(&b, s, (size_t)(at - s));
		buf_puts(&b, HOST);
		at += strlen(HOST);
	}
	buf_puts(&b, s);
	return buf_take(&b);
}

/* Returns the text without quoted values and words that have a digit. Owned by the
 * caller. */
static char *loose_text(const char *s)
{
	static const char letters[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVW"
				      "XYZ0123456789.:/_-";
	struct buf b = {0};

	while (*s) {
		size_t n = strspn(s, letters);

		if (*s == '"') {
			for (s++; *s && *s != '"'; s++)
				s += *s == '\\' && s[1];
			s += *s == '"';
			buf_puts(&b, "\"");
		} else if (n > 0) {
			if (strcspn(s, "0123456789") < n)
				buf_puts(&b, "#");
			else
				buf_add(&b, s, n);
			s += n;
		} else {
			buf_add(&b, s++, 1);
		}
	}
	return buf_take(&b);
}

static bool same_file(const char *a, const char *b)
{
	return a && b ? streq(a, b) : a == b;
}

/* Appends a complaint's subject: the host with its line unless that is the first one's,
 * or the line; with the file if the group's complaints are about several. */
static void name_subject(struct group *g, const char *message,
			 const struct diag_place *at)
{
	_cleanup_free_ char *host = g->of_hosts ? host_of(message) : NULL;
	unsigned last = g->named_line ? g->named_line : g->line;

	if (!host && (!at->line || (g->one_file && at->line == last)))
		return;
	g->named_line = host ? 0 : at->line;
	if (g->named++ >= NAMED_MAX)
		return;
	if (g->named > 1)
		buf_puts(&g->more, ", ");
	if (host)
		buf_puts(&g->more, host);
	if (!at->line || (host && g->one_file && at->line == g->line))
		return;
	buf_puts(&g->more, !host ? "" : g->one_file ? " (line " : " (");
	if (!g->one_file) {
		_cleanup_free_ char *file = xstrdup(at->file);

		text_clean(file);
		buf_printf(&g->more, "%s:", file);
	}
	buf_printf(&g->more, "%u%s", at->line, host ? ")" : "");
}

struct fold {
	struct diag *d;
	struct intern loose, exact, hosts, counted;
	struct group *v;
	/* By line: */
	size_t *group;   /* SIZE_MAX: none */
	size_t *subject; /* number of its host, or one that no other complaint has */
	bool *other;     /* its subject is none of those that keep their lines */
};

static void add_to_group(struct fold *f, size_t i)
{
	const char *message = diag_message(f->d, i), *file = f->d->about[i].at.file;
	const bool of_host = about_host(message);
	_cleanup_free_ char *exact = exact_text(message), *loose = loose_text(exact);
	_cleanup_free_ char *host = of_host ? host_of(message) : NULL;
	const size_t n = intern(&f->exact, exact, NULL);
	bool is_new = false;
	const size_t k = intern(&f->loose, loose, &is_new);

	if (is_new) {
		f->v = xgrow(f->v, k, sizeof(*f->v));
		f->v[k] = (struct group){
			.of_hosts = of_host,
			.exact = n,
			.same = true,
			.file = file,
			.line = f->d->about[i].at.line,
			.one_file = true,
		};
	}
	f->group[i] = k;
	f->subject[i] = host ? intern(&f->hosts, host, NULL) : SIZE_MAX - i;
	f->v[k].same = f->v[k].same && f->v[k].exact == n;
	f->v[k].one_file = f->v[k].one_file && same_file(f->v[k].file, file);
}

/* Puts each complaint without a detail into its group. */
static void sort(struct fold *f)
{
	for (size_t i = 0; i < f->d->n; i++) {
		f->group[i] = SIZE_MAX;
		if (!f->d->details[i])
			add_to_group(f, i);
	}
}

/* Returns the index of the subject among those that keep their lines, or n_kept. */
static size_t kept_at(const struct group *g, size_t subject)
{
	size_t i = 0;

	while (i < g->n_kept && g->kept[i] != subject)
		i++;
	return i;
}

/* Finds the complaints of other subjects than the first ones of each group, and those
 * that are too many of one. */
static void find_others(struct fold *f)
{
	for (size_t i = 0; i < f->d->n; i++) {
		struct group *g = f->group[i] == SIZE_MAX ? NULL : &f->v[f->group[i]];

		size_t k = g ? kept_at(g, f->subject[i]) : 0;

		if (!g)
			continue;
		if (k == g->n_kept && k < (g->of_hosts && g->same ? 1 : KEPT_MAX))
			g->kept[g->n_kept++] = f->subject[i];
		if (k < g->n_kept && g->lines[k]++ < OWN_MAX)
			continue;
		f->other[i] = true;
		g->folded++;
	}
}

/* Counts a complaint that is removed, and its subject if it is new in the group. */
static void count_other(struct fold *f, struct group *g, size_t i)
{
	_cleanup_free_ char *pair = xasprintf("%zu %zu", f->group[i], f->subject[i]);
	bool is_new = false;

	if (kept_at(g, f->subject[i]) < g->n_kept) {
		g->own++;
		return;
	}
	intern(&f->counted, pair, &is_new);
	if (!is_new)
		return;
	g->subjects++;
	name_subject(g, diag_message(f->d, i), &f->d->about[i].at);
}

/* Removes the complaints of the other subjects, and counts these in their group. */
static void remove_others(struct fold *f)
{
	struct diag *d = f->d;
	size_t to = 0;

	for (size_t i = 0; i < d->n; i++) {
		struct group *g = f->group[i] == SIZE_MAX ? NULL : &f->v[f->group[i]];

		if (g && f->other[i] && g->folded >= LEAST) {
			count_other(f, g, i);
			diag_drop(d, i);
			continue;
		}
		if (g)
			g->last = to;
		d->details[to] = d->details[i];
		d->folded[to] = d->folded[i];
		d->about[to] = d->about[i];
		d->lines[to++] = d->lines[i];
	}
	d->n = to;
}

/* Gives the group's last line the number of the others. */
static void add_detail(const struct fold *f, const struct group *g)
{
	_cleanup_buf_ struct buf b = {0};
	const char *hosts = g->subjects == 1 ? " host" : " hosts";
	const char *lines = g->named == 1 ? "line " : "lines ";

	if (g->subjects > 0)
		buf_printf(&b, "    and %zu more%s%s%s%s%s", g->subjects,
			   g->of_hosts ? hosts : "", g->named ? ": " : "",
			   g->named && g->one_file && !g->of_hosts ? lines : "",
			   g->more.p ? g->more.p : "",
			   g->named > NAMED_MAX ? ", ..." : "");
	if (g->own > 0)
		buf_printf(&b, "%s    and %zu more of the host%s above",
			   g->subjects > 0 ? "\n" : "", g->own, g->n_kept > 1 ? "s" : "");
	f->d->folded[g->last] = g->folded;
	f->d->details[g->last] = buf_take(&b);
}

static void fold(struct diag *d)
{
	struct fold f = {
		.d = d,
		.group = xcalloc(d->n + 1, sizeof(*f.group)),
		.subject = xcalloc(d->n + 1, sizeof(*f.subject)),
		.other = xcalloc(d->n + 1, sizeof(*f.other)),
	};

	sort(&f);
	find_others(&f);
	remove_others(&f);
	for (size_t k = 0; k < f.loose.n; k++) {
		if (f.v[k].subjects > 0 || f.v[k].own > 0)
			add_detail(&f, &f.v[k]);
		buf_done(&f.v[k].more);
	}
	free(f.v);
	free(f.group);
	free(f.subject);
	free(f.other);
	intern_done(&f.loose);
	intern_done(&f.exact);
	intern_done(&f.hosts);
	intern_done(&f.counted);
}

void rack_fold(struct diag *d)
{
	if (!d->whole)
		fold(d);
}
