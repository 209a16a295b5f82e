/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Strict reading with libconfig. conf-source.c reads the text and the files that it
 * includes, and checks them for mistakes that libconfig 1.5 accepts. Then libconfig
 * parses it. Every getter checks in the same order whether the member is present, has the
 * right type and is in range.
 *
 * Limits: only the operator's own files may include others. After a syntax error, which
 * conf-syntax.c describes, the rest of a file is not checked.
 */
#include "firstboot/model/conf.h"
#include "firstboot/model/conf-note.h"
#include "firstboot/model/conf-syntax.h"
#include "firstboot/model/conf-tree.h"
#include "lib/file.h"
#include "lib/root.h"

#include <string.h>

#include <libconfig.h>

/*
 * libconfig 1.5 leaks the string that it was reading when it finds a syntax error. The
 * programs here end soon after one. LeakSanitizer ignores this leak.
 */
#if defined(__SANITIZE_ADDRESS__)
#define CONF_UNDER_ASAN 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define CONF_UNDER_ASAN 1
#endif
#endif
#ifdef CONF_UNDER_ASAN
const char *__lsan_default_suppressions(void);
const char *__lsan_default_suppressions(void)
{
	/* Without the library's symbols its internal functions have no names. */
	return "leak:strbuf_append\nleak:libconfig_yylex\n";
}
#endif

/* --- reading ---------------------------------------------------------------------- */

/* Reports why libconfig refused the text. */
static int report_refused(const struct conf *c, const config_t *parsed, struct diag *d)
{
	const struct conf_lines lines = conf_source_lines(&c->source);
	const char *why = config_error_text(parsed);

	if (conf_syntax_report(&lines, d) < 0)
		return -1;
	if (streq(why, "syntax error"))
		why = "syntax error, here or on the line before";
	return conf_syntax_report_line(&lines, (unsigned)config_error_line(parsed), why,
				       d);
}

static enum conf_type type_of(const config_setting_t *s)
{
	switch (config_setting_type(s)) {
	case CONFIG_TYPE_STRING:
		return CONF_STRING;
	case CONFIG_TYPE_INT:
		return CONF_INT;
	case CONFIG_TYPE_BOOL:
		return CONF_BOOL;
	case CONFIG_TYPE_GROUP:
		return CONF_GROUP;
	case CONFIG_TYPE_LIST:
	case CONFIG_TYPE_ARRAY:
		return CONF_LIST;
	default:
		return CONF_OTHER;
	}
}

/* Returns a number that no format here uses, as libconfig reads it again. */
static const char *other_text(struct conf *c, const config_setting_t *s)
{
	const bool is_float = config_setting_type(s) == CONFIG_TYPE_FLOAT;
	_cleanup_free_ char *text =
		is_float ? xasprintf("%.17g", config_setting_get_float(s))
			 : xasprintf("%lldL", config_setting_get_int64(s));
	_cleanup_free_ char *whole = xasprintf("%s.0", text);

	return conf_copy(c, is_float && !strpbrk(text, ".en") ? whole : text);
}

/* Sets a node without others in it. */
static void copy_value(struct conf *c, struct conf_node *n, const config_setting_t *s)
{
	switch (n->type) {
	case CONF_STRING:
		n->s = conf_copy(c, config_setting_get_string(s));
		break;
	case CONF_INT:
		n->i = config_setting_get_int(s);
		break;
	case CONF_BOOL:
		n->b = config_setting_get_bool(s) != 0;
		break;
	case CONF_OTHER:
		n->s = other_text(c, s);
		break;
	default:
		break;
	}
}

/* Copies a setting and those in it. conf_scan() has limited their depth. */
static struct conf_node *copy_setting(struct conf *c, const config_setting_t *s)
{
	const struct conf_lines lines = conf_source_lines(&c->source);
	const char *key = config_setting_name(s);
	struct conf_node *n = conf_make(c, type_of(s), NULL, NULL);

	n->key = key ? conf_copy(c, key) : NULL;
	n->line = config_setting_source_line(s);
	n->file = n->line ? conf_lines_place(&lines, n->line, &n->line) : c->name;
	n->array = config_setting_type(s) == CONFIG_TYPE_ARRAY;
	copy_value(c, n, s);
	if (n->type != CONF_GROUP && n->type != CONF_LIST)
		return n;
	for (int i = 0; i < config_setting_length(s); i++)
		conf_add(c, n, copy_setting(c, config_setting_get_elem(s, (unsigned)i)));
	return n;
}

static int conf_load(struct conf *c, const char *text, size_t len, const char *path,
		     size_t max, unsigned flags, struct diag *d)
{
	config_t parsed;
	int r = 0;

	if (conf_source_load(&c->source, text, len, c->name, path, max, flags, d) < 0)
		return -1;
	config_init(&parsed);
	if (config_read_string(&parsed, c->source.text.p) == CONFIG_TRUE)
		(void)!copy_setting(c, config_root_setting(&parsed));
	else
		r = report_refused(c, &parsed, d);
	config_destroy(&parsed);
	buf_done(&c->source.text);
	return r;
}

static int complain_large(const char *name, size_t max, struct diag *d)
{
	return diag_add_at(d, &(struct diag_place){.file = name}, "larger than %zu bytes",
			   max);
}

int conf_parse(struct conf **ret, const char *text, size_t len, const char *name,
	       size_t max, unsigned flags, struct diag *d)
{
	_cleanup_conf_ struct conf *c = NULL;
	_cleanup_buf_ struct buf copy = {0}; /* with the NUL that libconfig needs */

	if (len > max)
		return complain_large(name, max, d);
	c = conf_new(name);
	buf_add(&copy, text, len);
	if (conf_load(c, copy.p ? copy.p : "", len, NULL, max, flags, d) < 0)
		return -1;
	*ret = TAKE_PTR(c);
	return 0;
}

/* Complains about the -errno of a file that could not be read. Returns -1. */
static int complain_unread(const char *name, size_t max, int r, struct diag *d)
{
	if (r == -EFBIG)
		return complain_large(name, max, d);
	return diag_add_unread_at(d, &(struct diag_place){.file = name},
				  "cannot be read: %s", file_strerror(r));
}

int conf_read_at(struct conf **ret, int dirfd, const char *path, const char *name,
		 size_t max, unsigned flags, struct diag *d)
{
	_cleanup_conf_ struct conf *c = NULL;
	_cleanup_free_ char *text = NULL;
	size_t len = 0;
	int r = flags & CONF_FOREIGN ? file_read_foreign_at(dirfd, path, max, &text, &len)
				     : file_read_at(dirfd, path, max, &text, &len);

	if (r < 0)
		return complain_unread(name, max, r, d);
	c = conf_new(name);
	if (conf_load(c, text, len, dirfd == AT_FDCWD ? path : NULL, max, flags, d) < 0)
		return -1;
	*ret = TAKE_PTR(c);
	return 0;
}

int conf_read_root(struct conf **ret, int rootfd, const char *path, const char *name,
		   size_t max, struct diag *d)
{
	_cleanup_free_ char *text = NULL;
	size_t len = 0;
	int r = root_read(rootfd, path, max, &text, &len);

	if (r < 0)
		return complain_unread(name, max, r, d);
	return conf_parse(ret, text, len, name, max, CONF_NO_INCLUDE, d);
}

void conf_free(struct conf *c)
{
	if (!c)
		return;
	conf_free_blocks(c);
	free(c->name);
	conf_source_done(&c->source);
	free(c);
}

void conf_free_p(struct conf **c)
{
	conf_free(*c);
}

const struct conf_node *conf_root(const struct conf *c)
{
	return c->root;
}

const char *conf_name(const struct conf *c)
{
	return c->name;
}

/* --- nodes ------------------------------------------------------------------------ */

const char *conf_file(const struct conf_node *n)
{
	return n->file;
}

unsigned conf_line(const struct conf_node *n)
{
	return n->line;
}

struct diag_place conf_place(const struct conf_node *n)
{
	return (struct diag_place){n->file, n->line, n->column};
}

const char *conf_key(const struct conf_node *n)
{
	return n->key;
}

static _printf_(4, 0) int complain(const struct conf_node *n, struct diag *d,
				   int (*add)(struct diag *d, const struct diag_place *at,
					      const char *fmt, ...),
				   const char *fmt, va_list ap)
{
	const struct diag_place at = conf_place(n);
	_cleanup_free_ char *msg = NULL;

	if (n->shared && n->complained)
		return -1;
	if (d)
		((struct conf_node *)(uintptr_t)n)->complained = true;
	if (vasprintf(&msg, fmt, ap) < 0)
		abort();
	return add(d, &at, "%s", msg);
}

int conf_complain(const struct conf_node *n, struct diag *d, const char *fmt, ...)
{
	va_list ap;
	int r;

	va_start(ap, fmt);
	r = complain(n, d, diag_add_at, fmt, ap);
	va_end(ap);
	return r;
}

int conf_complain_unread(const struct conf_node *n, struct diag *d, const char *fmt, ...)
{
	va_list ap;
	int r;

	va_start(ap, fmt);
	r = complain(n, d, diag_add_unread_at, fmt, ap);
	va_end(ap);
	return r;
}

size_t conf_len(const struct conf_node *n)
{
	return n && (n->type == CONF_GROUP || n->type == CONF_LIST) ? n->nodes.n : 0;
}

const struct conf_node *conf_at(const struct conf_node *n, size_t i)
{
	return i < conf_len(n) ? n->nodes.v[i] : NULL;
}

const struct conf_node *conf_member(const struct conf_node *n, const char *key)
{
	if (!n || n->type != CONF_GROUP)
		return NULL;
	for (size_t i = 0; i < n->nodes.n; i++)
		if (streq(n->nodes.v[i]->key, key))
			return n->nodes.v[i];
	return NULL;
}

enum conf_type conf_type(const struct conf_node *n)
{
	return n->type;
}

/* --- members ---------------------------------------------------------------------- */

/* Returns 1 and sets *ret when the member has the type, 0 when it is absent, or -1 with a
 * complaint. */
static int conf_get(const struct conf_node *n, const char *key, enum conf_type type,
		    const char *what, const struct conf_node **ret, struct diag *d)
{
	const struct conf_node *m = conf_member(n, key);

	if (!m)
		return 0;
	if (conf_type(m) != type)
		return conf_complain(m, d, "%s: must be %s%s", key, what,
				     conf_type_note(m, type));
	*ret = m;
	return 1;
}

int conf_get_str(const struct conf_node *n, const char *key, const char **ret,
		 struct diag *d)
{
	const struct conf_node *m = NULL;
	int r = conf_get(n, key, CONF_STRING, "a string", &m, d);

	if (r > 0)
		*ret = m->s;
	return r;
}

int conf_get_bool(const struct conf_node *n, const char *key, bool *ret, struct diag *d)
{
	const struct conf_node *m = NULL;
	int r = conf_get(n, key, CONF_BOOL, "true or false", &m, d);

	if (r > 0)
		*ret = m->b;
	return r;
}

int conf_get_int(const struct conf_node *n, const char *key, int min, int max, int *ret,
		 struct diag *d)
{
	const struct conf_node *m = NULL;
	int r = conf_get(n, key, CONF_INT, "a whole number", &m, d);
	int v;

	if (r <= 0)
		return r;
	v = m->i;
	if (v < min || v > max)
		return conf_complain(m, d, "%s: must be %d to %d, not %d", key, min, max,
				     v);
	*ret = v;
	return 1;
}

int conf_get_strv(const struct conf_node *n, const char *key, char ***ret, struct diag *d)
{
	_cleanup_strv_builder_ struct strv_builder v = {0};
	const struct conf_node *m = NULL;
	int r = conf_get(n, key, CONF_LIST, "a list of strings: [ \"...\", ... ]", &m, d);

	if (r <= 0)
		return r;
	for (size_t i = 0; i < conf_len(m); i++) {
		const struct conf_node *at = conf_at(m, i);

		if (conf_type(at) != CONF_STRING)
			r = conf_complain(m, d, "%s: element %zu must be a string", key,
					  i + 1);
		else
			strv_builder_add(&v, at->s);
	}
	if (r > 0) {
		strv_free(*ret);
		*ret = strv_builder_take(&v);
	}
	return r;
}

int conf_get_group(const struct conf_node *n, const char *key,
		   const struct conf_node **ret, struct diag *d)
{
	return conf_get(n, key, CONF_GROUP, "a group: { ... }", ret, d);
}

int conf_get_list(const struct conf_node *n, const char *key,
		  const struct conf_node **ret, struct diag *d)
{
	return conf_get(n, key, CONF_LIST, "a list: ( ... )", ret, d);
}

int conf_str(const struct conf_node *n, const char **ret, struct diag *d)
{
	if (conf_type(n) != CONF_STRING)
		return conf_complain(n, d, "must be a string%s",
				     conf_type_note(n, CONF_STRING));
	*ret = n->s;
	return 0;
}

int conf_bool(const struct conf_node *n, bool *ret, struct diag *d)
{
	if (conf_type(n) != CONF_BOOL)
		return conf_complain(n, d, "must be true or false%s",
				     conf_type_note(n, CONF_BOOL));
	*ret = n->b;
	return 0;
}

int conf_int(const struct conf_node *n, int *ret, struct diag *d)
{
	if (conf_type(n) != CONF_INT)
		return conf_complain(n, d, "must be a whole number%s",
				     conf_type_note(n, CONF_INT));
	*ret = n->i;
	return 0;
}

int conf_complain_unknown(const struct conf_node *n, const char *prefix, const char *near,
			  struct diag *d)
{
	if (!near)
		return conf_complain(n, d, "%sunknown key '%s'", prefix, conf_key(n));
	((struct conf_node *)(uintptr_t)n)->near = near;
	return conf_complain(n, d, "%sunknown key '%s' (did you mean '%s'?)", prefix,
			     conf_key(n), near);
}

bool conf_is_missing(const struct conf_node *group, const char *key)
{
	if (conf_member(group, key))
		return false;
	for (size_t i = 0; i < conf_len(group); i++) {
		const char *near = conf_at(group, i)->near;

		if (near && streq(near, key))
			return false;
	}
	return true;
}

/* Returns the key that another name is taken for, or that is nearest to it, or NULL. */
static const char *key_meant(const char *name, const char *const *keys,
			     const char *const *others)
{
	for (; others && *others; others += 2)
		if (streq(*others, name))
			return others[1];
	return str_nearest(name, keys);
}

int conf_check_keys_of(const struct conf_node *n, const char *prefix,
		       const char *const *keys, const char *const *others, struct diag *d)
{
	int r = 0;

	for (size_t i = 0; i < conf_len(n); i++) {
		const struct conf_node *m = conf_at(n, i);
		size_t k = 0;

		while (keys[k] && !streq(keys[k], conf_key(m)))
			k++;
		if (!keys[k])
			r = conf_complain_unknown(
				m, prefix, key_meant(conf_key(m), keys, others), d);
	}
	return r;
}

int conf_check_keys(const struct conf_node *n, const char *const *keys, struct diag *d)
{
	return conf_check_keys_of(n, "", keys, NULL, d);
}
