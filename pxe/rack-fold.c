/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Complaints are compared as text: "FILE:LINE: host 'NAME'..." without the place and the
 * name, and loosely without quoted values and words with a digit.
 */
#include "pxe/rack-fold.h"

#include "lib/intern.h"

#define NAMED_MAX 4 /* hosts in a detail */
#define LOOSE_MAX 3 /* complaints of a loose group that are left */
#define LEAST     2 /* a detail stands for so many complaints at least */

#define HOST "host '"

struct group {
	size_t n, left;  /* complaints, and those that keep their line */
	size_t hosts;    /* other hosts than the first */
	size_t exact;    /* number of the first one's exact text */
	bool same;       /* all have that text */
	size_t last;     /* line that gets the detail */
	char *host;      /* of the last complaint that was counted */
	struct buf more; /* names of hosts */
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

/* Returns the line number in "FILE:LINE: ", or 0. */
static unsigned line_of(const char *line, const char *rest)
{
	uint64_t n = 0;
	const char *at = rest - strlen(": ");
	_cleanup_free_ char *digits = NULL;

	while (at > line && at[-1] >= '0' && at[-1] <= '9')
		at--;
	digits = xstrndup(at, (size_t)(rest - at) - strlen(": "));
	return at > line && at[-1] == ':' && str_to_u64(digits, INT32_MAX, &n) == 0
		       ? (unsigned)n
		       : 0;
}

static void name_host(struct group *g, const char *host, unsigned line)
{
	if (g->named++ >= NAMED_MAX)
		return;
	buf_printf(&g->more, "%s%s", g->named > 1 ? ", " : "", host);
	if (line)
		buf_printf(&g->more, " (line %u)", line);
}

struct fold {
	struct diag *d;
	struct intern loose, exact;
	struct group *v;
	size_t *group; /* by line; SIZE_MAX: none */
};

/* Puts each complaint about a host into its group. */
static void sort(struct fold *f)
{
	for (size_t i = 0; i < f->d->n; i++) {
		const char *rest = about_host(f->d->lines[i]);
		_cleanup_free_ char *exact = rest ? exact_text(rest) : NULL;
		_cleanup_free_ char *loose = exact ? loose_text(exact) : NULL;
		bool is_new = false;
		size_t k, n;

		f->group[i] = SIZE_MAX;
		if (!rest || f->d->details[i])
			continue;
		n = intern(&f->exact, exact, NULL);
		k = intern(&f->loose, loose, &is_new);
		if (is_new) {
			f->v = xgrow(f->v, k, sizeof(*f->v));
			f->v[k] = (struct group){.exact = n, .same = true};
		}
		f->group[i] = k;
		f->v[k].n++;
		f->v[k].same = f->v[k].same && f->v[k].exact == n;
	}
	for (size_t k = 0; k < f->loose.n; k++) {
		struct group *g = &f->v[k];

		g->left = g->same ? 1 : LOOSE_MAX;
		if (g->n < g->left + LEAST)
			g->left = g->n;
	}
}

/* Removes the complaints that are not left, and counts them in their group. */
static void remove_others(struct fold *f)
{
	struct diag *d = f->d;
	size_t to = 0;

	for (size_t i = 0; i < d->n; i++) {
		struct group *g = f->group[i] == SIZE_MAX ? NULL : &f->v[f->group[i]];
		const char *rest = g ? about_host(d->lines[i]) : NULL;
		_cleanup_free_ char *host = rest ? host_of(rest) : NULL;

		if (g && g->left == 0) {
			if (!g->host || !streq(g->host, host)) {
				g->hosts++;
				name_host(g, host, line_of(d->lines[i], rest));
			}
			d->folded++;
		}
		if (g) {
			free(g->host);
			g->host = TAKE_PTR(host);
		}
		if (g && g->left == 0) {
			free(d->lines[i]);
			continue;
		}
		if (g && --g->left == 0)
			g->last = to;
		d->details[to] = d->details[i];
		d->lines[to++] = d->lines[i];
	}
	d->n = to;
}

void rack_fold(struct diag *d)
{
	struct fold f = {.d = d, .group = xcalloc(d->n + 1, sizeof(*f.group))};

	sort(&f);
	remove_others(&f);
	for (size_t k = 0; k < f.loose.n; k++) {
		struct group *g = &f.v[k];

		if (g->hosts > 0)
			d->details[g->last] =
				xasprintf("    and %zu more host%s: %s%s", g->hosts,
					  g->hosts == 1 ? "" : "s", g->more.p,
					  g->named > NAMED_MAX ? ", ..." : "");
		buf_done(&g->more);
		free(g->host);
	}
	free(f.v);
	free(f.group);
	intern_done(&f.loose);
	intern_done(&f.exact);
}
