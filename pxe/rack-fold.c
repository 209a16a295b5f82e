/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Complaints are compared as text: "FILE:LINE: host 'NAME'..." without the place and the
 * name, and loosely without quoted values and words with a digit. A host that has a line
 * keeps all its lines: only complaints of other hosts are folded.
 */
#include "pxe/rack-fold.h"

#include "lib/intern.h"

#define NAMED_MAX 4 /* hosts in a detail */
#define LOOSE_MAX 3 /* hosts of a loose group that keep their lines */
#define LEAST     2 /* a detail stands for so many complaints at least */

#define HOST "host '"

struct group {
	size_t exact;     /* number of the first one's exact text */
	bool same;        /* all have that text */
	const char *file; /* of the first one, followed by more text */
	size_t file_len;
	bool one_file;                  /* all are about that file */
	size_t kept[LOOSE_MAX], n_kept; /* hosts that keep their lines */
	size_t folded;                  /* complaints of the others */
	size_t hosts, host;             /* number of the others, the last one */
	size_t last;                    /* line that gets the detail */
	struct buf more;                /* names of hosts */
	size_t named;
};

/* Returns the part of a complaint about a host after its place, or NULL. */
static const char *about_host(const char *line)
{
	const char *rest = strstr(line, ": " HOST);

	return rest ? rest + strlen(": ") : NULL;
}

static char *host_of(const char *rest)
{
	const char *name = rest + strlen(HOST);

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

/* Returns the line number in "FILE:LINE: ", or 0, and sets *ret_file to the length of
 * FILE. */
static unsigned line_of(const char *line, const char *rest, size_t *ret_file)
{
	uint64_t n = 0;
	const char *at = rest - strlen(": ");
	_cleanup_free_ char *digits = NULL;

	while (at > line && at[-1] >= '0' && at[-1] <= '9')
		at--;
	digits = xstrndup(at, (size_t)(rest - at) - strlen(": "));
	*ret_file = at > line ? (size_t)(at - line) - 1 : 0;
	return at > line && at[-1] == ':' && str_to_u64(digits, INT32_MAX, &n) == 0
		       ? (unsigned)n
		       : 0;
}

/* Names the host of a complaint, with the line, and with the file if the group's
 * complaints are about several. */
static void name_host(struct group *g, const char *host, const char *line,
		      const char *rest)
{
	size_t file;
	unsigned n = line_of(line, rest, &file);

	if (g->named++ >= NAMED_MAX)
		return;
	buf_printf(&g->more, "%s%s", g->named > 1 ? ", " : "", host);
	if (n && g->one_file)
		buf_printf(&g->more, " (line %u)", n);
	else if (n)
		buf_printf(&g->more, " (%.*s:%u)", (int)file, line, n);
}

struct fold {
	struct diag *d;
	struct intern loose, exact, hosts;
	struct group *v;
	/* By line: */
	size_t *group; /* SIZE_MAX: none */
	size_t *host;
	bool *other; /* its host is none of those that keep their lines */
};

/* Puts each complaint about a host into its group. */
static void sort(struct fold *f)
{
	for (size_t i = 0; i < f->d->n; i++) {
		const char *rest = about_host(f->d->lines[i]);
		_cleanup_free_ char *exact = rest ? exact_text(rest) : NULL;
		_cleanup_free_ char *loose = exact ? loose_text(exact) : NULL;
		_cleanup_free_ char *host = rest ? host_of(rest) : NULL;
		bool is_new = false;
		size_t k, n, len = 0;

		f->group[i] = SIZE_MAX;
		if (!rest || f->d->details[i])
			continue;
		line_of(f->d->lines[i], rest, &len);
		n = intern(&f->exact, exact, NULL);
		k = intern(&f->loose, loose, &is_new);
		if (is_new) {
			f->v = xgrow(f->v, k, sizeof(*f->v));
			f->v[k] = (struct group){
				.exact = n,
				.same = true,
				.file = f->d->lines[i],
				.file_len = len,
				.one_file = true,
			};
		}
		f->group[i] = k;
		f->host[i] = intern(&f->hosts, host, NULL);
		f->v[k].same = f->v[k].same && f->v[k].exact == n;
		f->v[k].one_file = f->v[k].one_file && f->v[k].file_len == len &&
				   memcmp(f->v[k].file, f->d->lines[i], len) == 0;
	}
}

static bool keeps_lines(const struct group *g, size_t host)
{
	for (size_t i = 0; i < g->n_kept; i++)
		if (g->kept[i] == host)
			return true;
	return false;
}

/* Finds the complaints of other hosts than the first ones of each group. */
static void find_others(struct fold *f)
{
	for (size_t i = 0; i < f->d->n; i++) {
		struct group *g = f->group[i] == SIZE_MAX ? NULL : &f->v[f->group[i]];

		if (!g || keeps_lines(g, f->host[i]))
			continue;
		if (g->n_kept < (g->same ? 1 : LOOSE_MAX)) {
			g->kept[g->n_kept++] = f->host[i];
			continue;
		}
		f->other[i] = true;
		g->folded++;
	}
}

/* Removes the complaints of the other hosts, and counts the hosts in their group. */
static void remove_others(struct fold *f)
{
	struct diag *d = f->d;
	size_t to = 0;

	for (size_t i = 0; i < d->n; i++) {
		struct group *g = f->group[i] == SIZE_MAX ? NULL : &f->v[f->group[i]];

		if (g && f->other[i] && g->folded >= LEAST) {
			const char *rest = about_host(d->lines[i]);
			_cleanup_free_ char *host = host_of(rest);

			if (g->hosts == 0 || g->host != f->host[i]) {
				g->hosts++;
				name_host(g, host, d->lines[i], rest);
			}
			g->host = f->host[i];
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

static void fold(struct diag *d)
{
	struct fold f = {
		.d = d,
		.group = xcalloc(d->n + 1, sizeof(*f.group)),
		.host = xcalloc(d->n + 1, sizeof(*f.host)),
		.other = xcalloc(d->n + 1, sizeof(*f.other)),
	};

	sort(&f);
	find_others(&f);
	remove_others(&f);
	for (size_t k = 0; k < f.loose.n; k++) {
		struct group *g = &f.v[k];

		if (g->hosts > 0) {
			d->folded[g->last] = g->folded;
			d->details[g->last] =
				xasprintf("    and %zu more host%s: %s%s", g->hosts,
					  g->hosts == 1 ? "" : "s", g->more.p,
					  g->named > NAMED_MAX ? ", ..." : "");
		}
		buf_done(&g->more);
	}
	free(f.v);
	free(f.group);
	free(f.host);
	free(f.other);
	intern_done(&f.loose);
	intern_done(&f.exact);
	intern_done(&f.hosts);
}

void rack_fold(struct diag *d)
{
	if (!d->whole)
		fold(d);
}
