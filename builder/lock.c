/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The lock file. It is data that a program wrote: includes are refused, and every entry
 * has all of its members.
 */
#include "lock.h"

#include "firstboot/conf.h"
#include "lib/file.h"

static const char *const lock_keys[] = {"version", "inputs", NULL};
static const char *const input_keys[] = {"url", "size", "sha256", NULL};

static void parse_input(struct lock *l, const struct conf_node *n, struct diag *d)
{
	const char *url = NULL, *size = NULL, *sha256 = NULL;
	struct lock_entry *entry;
	size_t before = d->n;
	uint64_t bytes = 0;

	if (conf_type(n) != CONF_GROUP) {
		conf_complain(n, d, "inputs: must be groups: { url = ...; }");
		return;
	}
	(void)!conf_check_keys(n, input_keys, d);
	if (conf_get_str(n, "url", &url, d) == 0 ||
	    conf_get_str(n, "size", &size, d) == 0 ||
	    conf_get_str(n, "sha256", &sha256, d) == 0)
		conf_complain(n, d, "an input has url, size and sha256");
	if (size && str_to_u64(size, INT64_MAX, &bytes) < 0)
		conf_complain(conf_member(n, "size"), d,
			      "size: must be a number of bytes, not '%s'", size);
	if (sha256 && !digest_is_hex(sha256, DIGEST_SHA256))
		conf_complain(conf_member(n, "sha256"), d,
			      "sha256: must be 64 lower-case hex digits");
	if (url && lock_find(l, url))
		conf_complain(n, d, "'%s' is there already (%s)", url,
			      lock_find(l, url)->where);
	if (d->n > before)
		return;
	lock_add(l, url, bytes, sha256);
	entry = &l->v[l->n - 1];
	entry->where = xasprintf("%s:%u", conf_file(n), conf_line(n));
}

static int parse(struct lock *l, const struct conf *c, struct diag *d)
{
	const struct conf_node *root = conf_root(c), *list = NULL;
	size_t before = d->n;
	int version = 0;

	(void)!conf_check_keys(root, lock_keys, d);
	if (conf_get_int(root, "version", 1, 1, &version, d) == 0)
		diag_add(d, "%s: version: missing", conf_name(c));
	(void)!conf_get_list(root, "inputs", &list, d);
	for (size_t i = 0; i < conf_len(list); i++)
		parse_input(l, conf_at(list, i), d);
	return d->n > before ? -1 : 0;
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
	if (conf_read_at(&c, AT_FDCWD, path, path, CONF_MAX_RACK, CONF_NO_INCLUDE,
			 &own) == 0)
		(void)!parse(&l, c, &own);
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

void lock_done(struct lock *l)
{
	for (size_t i = 0; i < l->n; i++) {
		free(l->v[i].url);
		free(l->v[i].sha256);
		free(l->v[i].where);
	}
	free(l->v);
	*l = (struct lock){0};
}

const struct lock_entry *lock_find(const struct lock *l, const char *url)
{
	for (size_t i = 0; i < l->n; i++)
		if (streq(l->v[i].url, url))
			return &l->v[i];
	return NULL;
}

void lock_add(struct lock *l, const char *url, uint64_t size, const char *sha256)
{
	l->v = xrealloc(l->v, (l->n + 1) * sizeof(*l->v));
	l->v[l->n++] = (struct lock_entry){
		.url = xstrdup(url),
		.size = size,
		.sha256 = xstrdup(sha256),
	};
}

char *lock_render(const struct lock *l)
{
	struct buf b = {0};

	buf_puts(&b, "# Made by `rackstrap lock`: what each input was. Keep it with the "
		     "recipe.\nversion = 1;\ninputs = (");
	for (size_t i = 0; i < l->n; i++) {
		buf_printf(&b, "%s\n\t{\n\t\turl = ", i > 0 ? "," : "");
		conf_quote(&b, l->v[i].url);
		buf_printf(&b, ";\n\t\tsize = \"%llu\";\n\t\tsha256 = ",
			   (unsigned long long)l->v[i].size);
		conf_quote(&b, l->v[i].sha256);
		buf_puts(&b, ";\n\t}");
	}
	buf_puts(&b, "\n);\n");
	return buf_take(&b);
}

int lock_write(const struct lock *l, const char *path, struct err *e)
{
	_cleanup_free_ char *text = lock_render(l);
	int r = file_update_at(AT_FDCWD, path, text, strlen(text), 0644);

	return r < 0 ? err_errno(e, r, "%s: cannot be written", path) : 0;
}
