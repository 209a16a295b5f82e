/* SPDX-License-Identifier: Apache-2.0 */
/* A small scanner reads one word at a time; a table says what each keyword sets. */
#include "builder/input/netrc.h"

#include "lib/file.h"
#include "lib/str.h"

#include <ctype.h>

#define NETRC_MAX (1024 * 1024)

/* --- words ------------------------------------------------------------------------- */

struct scan {
	const char *s, *file;
	unsigned line;
};

/* Skips white space and comments. */
static void skip_blanks(struct scan *c)
{
	bool begins = c->line == 0; /* a line */

	c->line += begins;
	for (;; c->s++) {
		if (*c->s == '#' && begins)
			c->s += strcspn(c->s, "\n");
		if (!isspace((unsigned char)*c->s))
			return;
		begins |= *c->s == '\n';
		c->line += *c->s == '\n';
	}
}

static char unescape(char c)
{
	return c == 'n' ? '\n' : c == 'r' ? '\r' : c == 't' ? '\t' : c;
}

/* Reads the rest of a quoted word. Returns 0, or -EINVAL when its end is missing. */
static int read_quoted(struct scan *c, struct buf *b)
{
	for (; *c->s && *c->s != '"' && *c->s != '\n'; c->s++) {
		char plain = *c->s;

		if (plain == '\\' && c->s[1])
			plain = unescape(*++c->s);
		buf_add(b, &plain, 1);
	}
	if (*c->s != '"')
		return -EINVAL;
	c->s++;
	return 0;
}

/* Sets *ret to the next word, owned by the caller, or NULL at the end. Returns 0, or -1
 * when it is malformed. */
static int next_word(struct scan *c, char **ret, struct err *e)
{
	struct buf b = {0};
	size_t n;

	*ret = NULL;
	skip_blanks(c);
	if (!*c->s)
		return 0;
	if (*c->s == '"') {
		c->s++;
		if (read_quoted(c, &b) < 0) {
			buf_done(&b);
			return err_set(e, ERR_FAILED, "%s:%u: a quote without its end",
				       c->file, c->line);
		}
		*ret = buf_take(&b);
		return 0;
	}
	for (n = 0; c->s[n] && !isspace((unsigned char)c->s[n]);)
		n++;
	*ret = xstrndup(c->s, n);
	c->s += n;
	return 0;
}

/* Skips the lines of a macro, which ends at an empty line. */
static void skip_macro(struct scan *c)
{
	while (*c->s && !str_after(c->s, "\n\n")) {
		c->line += *c->s == '\n';
		c->s++;
	}
}

/* --- entries ----------------------------------------------------------------------- */

static void entry_done(struct netrc_entry *x)
{
	char **const v[] = {&x->machine, &x->login, &x->password};

	for (size_t i = 0; i < ARRAY_SIZE(v); i++) {
		if (*v[i])
			explicit_bzero(*v[i], strlen(*v[i]));
		free(*v[i]);
	}
}

static struct netrc_entry *add_entry(struct netrc *n)
{
	n->v = xgrow(n->v, n->n, sizeof(*n->v));
	n->v[n->n] = (struct netrc_entry){0};
	return &n->v[n->n++];
}

/* Returns the member that a keyword's value is stored in. *ret_skip is a value that is
 * not kept. NULL for an unknown keyword, and outside an entry. */
static char **member_of(struct netrc *n, const char *word, char **ret_skip)
{
	struct netrc_entry *x = n->n > 0 ? &n->v[n->n - 1] : NULL;

	if (streq(word, "machine"))
		return &add_entry(n)->machine;
	if (streq(word, "macdef"))
		return ret_skip;
	if (!x)
		return NULL;
	return streq(word, "login")      ? &x->login
	       : streq(word, "password") ? &x->password
	       : streq(word, "account")  ? ret_skip
					 : NULL;
}

/* Reads a keyword and its value. Returns 1, 0 at the end, or -1. */
static int parse_one(struct netrc *n, struct scan *c, struct err *e)
{
	_cleanup_free_ char *word = NULL, *skipped = NULL;
	char **member;

	if (next_word(c, &word, e) < 0)
		return -1;
	if (!word)
		return 0;
	if (streq(word, "default")) { /* an entry for no machine */
		add_entry(n);
		return 1;
	}
	member = member_of(n, word, &skipped);
	if (!member)
		return err_set(e, ERR_FAILED,
			       "%s:%u: must be machine, login, password, account, "
			       "macdef or default here",
			       c->file, c->line);
	free(TAKE_PTR(*member));
	if (next_word(c, member, e) < 0)
		return -1;
	if (!*member)
		return err_set(e, ERR_FAILED, "%s:%u: %s: its value is missing", c->file,
			       c->line, word);
	if (streq(word, "macdef"))
		skip_macro(c);
	return 1;
}

int netrc_parse(struct netrc *ret, const char *text, const char *file, struct err *e)
{
	_cleanup_netrc_ struct netrc n = {0};
	struct scan c = {.s = text, .file = file};
	int r;

	while ((r = parse_one(&n, &c, e)) > 0)
		;
	if (r < 0)
		return -1;
	*ret = n;
	n = (struct netrc){0};
	return 0;
}

int netrc_read(struct netrc *ret, const char *path, struct err *e)
{
	char *text = NULL;
	size_t len = 0;
	struct stat st;
	int r;

	if (stat(path, &st) < 0)
		return err_errno(e, errno, "netrc file %s", path);
	if (!S_ISREG(st.st_mode))
		return err_set(e, ERR_FAILED, "netrc file %s: is not a regular file",
			       path);
	if (st.st_mode & 077)
		return err_set(e, ERR_FAILED,
			       "netrc file %s: others may read the passwords in it (its "
			       "mode is %04o): run chmod 600 on it",
			       path, st.st_mode & 07777);
	r = file_read_regular_at(AT_FDCWD, path, NETRC_MAX, &text, &len);
	if (r < 0)
		return err_errno(e, r, "netrc file %s", path);
	r = netrc_parse(ret, text, path, e);
	explicit_bzero(text, len);
	free(text);
	return r;
}

const struct netrc_entry *netrc_find(const struct netrc *n, const char *host)
{
	size_t skip = *host == '[', len = strlen(host) - 2 * skip;

	for (size_t i = 0; n && i < n->n; i++) {
		const struct netrc_entry *x = &n->v[i];

		if (x->machine && x->login && x->password && strlen(x->machine) == len &&
		    strncasecmp(x->machine, host + skip, len) == 0)
			return x;
	}
	return NULL;
}

void netrc_done(struct netrc *n)
{
	for (size_t i = 0; i < n->n; i++)
		entry_done(&n->v[i]);
	free(n->v);
	*n = (struct netrc){0};
}
