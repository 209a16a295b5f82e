/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A key is inserted on the line that the parser gives for the list of keys, behind the
 * bracket. That place is a guess, so the result is parsed again, and used only when every
 * host then has the new key and all the keys it had before.
 */
#include "builder/recipe/config-text.h"
#include "firstboot/model/rack-entry.h"
#include "lib/file.h"
#include "lib/log.h"

#include "pxe/rack-image.h"

#define KEYS "ssh_keys"

/* Replaces the text by its settings, those of the files that it includes, and an entry
 * for each host. */
static int write_out(struct config_text *c, const char *path, struct diag *d)
{
	const struct conf *conf;

	if (c->rack &&
	    (rack_settings_read(&c->settings, path, d) < 0 || c->settings.incomplete))
		return -1;
	if (!c->rack &&
	    conf_read_at(&c->merged, AT_FDCWD, path, path, CONF_MAX, 0, d) < 0)
		return -1;
	conf = c->rack ? rack_settings_flat(&c->settings) : c->merged;
	free(c->text);
	c->text = conf_text(conf);
	c->len = strlen(c->text);
	return 0;
}

/* Removes the settings of a text that was changed since it was written out. */
static void forget_settings(struct config_text *c)
{
	conf_free(c->merged);
	c->merged = NULL;
	rack_settings_done(&c->settings);
}

/* Checks if the text has to be written out. Only one that is right but for its @include
 * is. */
static bool is_compact(const struct config_text *c, size_t max)
{
	_cleanup_conf_ struct conf *conf = NULL;
	_cleanup_diag_ struct diag ignored = {0};

	if (conf_parse(&conf, c->text, c->len, c->name, max, CONF_NO_INCLUDE, &ignored) <
	    0)
		return strstr(c->text, "@include");
	return c->rack && rack_find_compact(conf_root(conf));
}

int config_text_load(struct config_text *c, const char *path, const char *where,
		     struct diag *d)
{
	size_t max = c->rack ? CONF_MAX_RACK : CONF_MAX;
	int r = file_read_at(AT_FDCWD, path, max, &c->text, &c->len);

	c->name = xstrdup(path);
	if (r == -EFBIG)
		return diag_add(d, "%s: larger than %zu bytes", path, max);
	if (r < 0)
		return diag_add_unread(d, "%s%s%s: cannot be read: %s",
				       where ? where : "", where ? ": " : "", path,
				       strerror(-r));
	return is_compact(c, max) ? write_out(c, path, d) : 0;
}

static int parse_host(const struct config_text *c, const struct roles *roles,
		      struct host *h, struct diag *d)
{
	_cleanup_conf_ struct conf *conf = NULL;
	int r;

	host_init(h);
	if (!c->merged &&
	    conf_parse(&conf, c->text, c->len, c->name, CONF_MAX, CONF_NO_INCLUDE, d) < 0)
		return -1;
	r = host_load_conf(h, conf_root(c->merged ? c->merged : conf), "", d);
	host_derive(h, roles);
	return host_check(h, roles, d) < 0 ? -1 : r;
}

static int parse_rack(const struct config_text *c, const struct roles *roles,
		      struct rack *r, struct diag *d)
{
	return c->settings.written ? rack_load_settings(r, &c->settings, roles, false, d)
				   : rack_parse(r, c->text, c->len, c->name,
						CONF_NO_INCLUDE, roles, d);
}

/* Warns about a setting of the hosts of a rack that has no effect on a medium. */
static void warn_of(const struct rack *r, const char *key,
		    char *(*value)(const struct rack_host *h))
{
	const struct rack_host *first = NULL;
	_cleanup_free_ char *others = NULL;
	char where[512];
	size_t n = 0;

	for (size_t i = 0; i < r->n_hosts; i++)
		if (value(&r->hosts[i]) && n++ == 0)
			first = &r->hosts[i];
	if (n > 1)
		others = xasprintf(" and %zu more", n - 1);
	if (first)
		log_warn("%s: host '%s'%s: %s has no effect on a boot medium: see "
			 "local.cfg in rackstrap-build(1)",
			 rack_host_where(first, where, sizeof(where)), first->host.name,
			 others ? others : "", key);
}

static char *cmdline_of(const struct rack_host *h)
{
	return h->cmdline;
}

static char *state_disk_of(const struct rack_host *h)
{
	return h->state_disk;
}

static void warn(const struct rack *r)
{
	warn_of(r, "cmdline", cmdline_of);
	warn_of(r, "state_disk", state_disk_of);
}

static int refuse_secrets(const struct host *h, const char *of, struct diag *d)
{
	char where[512];

	if (strv_len(h->secrets) == 0)
		return 0;
	return diag_add(d,
			"%s: %ssecrets are not written to a medium: only the boot server "
			"gives them to a host, so boot it by PXE or leave them out",
			host_where(h, HOST_SECRETS, where, sizeof(where)), of);
}

int config_host_refuse_secrets(const struct host *h, struct diag *d)
{
	return refuse_secrets(h, "", d);
}

int config_rack_refuse_secrets(const struct rack *r, struct diag *d)
{
	for (size_t i = 0; i < r->n_hosts; i++) {
		const struct host *h = &r->hosts[i].host;
		_cleanup_free_ char *of = xasprintf("host '%s': ", h->name);

		if (refuse_secrets(h, of, d) < 0)
			return -1;
	}
	return 0;
}

int config_host_check_templates(const struct host *h, const struct roles *roles,
				const struct host_templates *t, struct diag *d)
{
	const struct role *role = roles_find(roles, h->role);
	const char *needs = role ? host_templates_use_hosts(t, role) : NULL;
	_cleanup_free_ bool *checked = xcalloc(t->n + 1, sizeof(*checked));
	_cleanup_template_values_ struct template_values *values = NULL;
	const struct rack_hosts none = {0};
	_cleanup_diag_ struct diag own = {0};
	char where[512];

	if (!role)
		return 0;
	if (needs)
		return diag_add(d,
				"%s: role '%s': the template %s needs the hosts of the "
				"rack: give the medium a rack.cfg",
				host_where(h, HOST_ROLE, where, sizeof(where)), h->role,
				needs);
	values = host_template_values(roles, &none);
	if (host_templates_check(t, h, roles, values, checked, &own) == 0)
		return 0;
	for (size_t i = 0; i < own.n; i++)
		diag_add(d, "%s: %s", host_where(h, HOST_NAME, where, sizeof(where)),
			 own.lines[i]);
	return -1;
}

static int check_host(const struct config_text *c, const struct roles *roles,
		      const struct host_templates *templates, struct diag *d)
{
	_cleanup_host_ struct host h = {0};

	return parse_host(c, roles, &h, d) < 0 || config_host_refuse_secrets(&h, d) < 0 ||
			       config_host_check_templates(&h, roles, templates, d) < 0
		       ? -1
		       : 0;
}

int config_text_check(const struct config_text *c, const struct roles *roles,
		      const struct host_templates *templates, struct diag *d)
{
	_cleanup_rack_ struct rack rack = {0};

	if (!c->rack)
		return check_host(c, roles, templates, d);
	if (parse_rack(c, roles, &rack, d) < 0 ||
	    config_rack_refuse_secrets(&rack, d) < 0 ||
	    rack_check_templates(&rack, roles, templates, d) < 0)
		return -1;
	warn(&rack);
	return 0;
}

/* Returns true when words of the kernel command line have ssh keys, or name a file that
 * may have some. */
static bool may_give_keys(const char *words)
{
	return words && (strstr(words, "rackstrap.ssh_keys=") ||
			 strstr(words, "rackstrap.ssh-keys=") ||
			 strstr(words, "rackstrap.config="));
}

void config_text_warn_keys(const struct config_text *c, const struct roles *roles,
			   const char *cmdline)
{
	_cleanup_rack_ struct rack rack = {0};
	_cleanup_host_ struct host h = {0};
	_cleanup_diag_ struct diag warnings = {0};

	if (may_give_keys(cmdline))
		return;
	if (!c->rack) {
		if (parse_host(c, roles, &h, NULL) == 0 && strv_len(h.ssh_keys) == 0)
			log_warn("%s: no " KEYS ": nobody will be able to log in",
				 c->name);
		return;
	}
	if (parse_rack(c, roles, &rack, NULL) == 0)
		rack_warn_keys(&rack, &warnings);
	log_diag(LOG_LEVEL_WARN, &warnings);
}

/* --- keys -------------------------------------------------------------------------- */

struct insertion {
	size_t at, order;
	char *text;
};

/* The insertions into a text, whose lines and offsets stay those of the old text. */
struct edit {
	const struct config_text *c;
	size_t *lines; /* where each line begins */
	size_t n_lines;
	struct insertion *v;
	size_t n;
};

static void edit_begin(struct edit *ed, const struct config_text *c)
{
	*ed = (struct edit){.c = c};
	for (const char *s = c->text; s; s = s ? s + 1 : NULL) {
		ed->lines = xgrow(ed->lines, ed->n_lines, sizeof(*ed->lines));
		ed->lines[ed->n_lines++] = (size_t)(s - c->text);
		s = strchr(s, '\n');
	}
}

static void edit_done(struct edit *ed)
{
	for (size_t i = 0; i < ed->n; i++)
		free(ed->v[i].text);
	free(ed->v);
	free(ed->lines);
}
#define _cleanup_edit_ _cleanup_(edit_done)

/* Takes over the text of `b`. */
static void insert(struct edit *ed, size_t at, struct buf *b)
{
	ed->v = xgrow(ed->v, ed->n, sizeof(*ed->v));
	ed->v[ed->n] = (struct insertion){.at = at, .order = ed->n, .text = buf_take(b)};
	ed->n++;
}

static int by_place(const void *a, const void *b)
{
	const struct insertion *x = a, *y = b;

	if (x->at != y->at)
		return x->at < y->at ? -1 : 1;
	return (x->order > y->order) - (x->order < y->order);
}

/* Makes the new text. */
static void apply(struct edit *ed, struct config_text *c)
{
	struct buf b = {0};
	size_t at = 0;

	if (ed->n > 0)
		qsort(ed->v, ed->n, sizeof(*ed->v), by_place);
	for (size_t i = 0; i < ed->n; i++) {
		buf_add(&b, c->text + at, ed->v[i].at - at);
		buf_puts(&b, ed->v[i].text);
		at = ed->v[i].at;
	}
	buf_add(&b, c->text + at, c->len - at);
	free(c->text);
	c->len = b.len;
	c->text = buf_take(&b);
	forget_settings(c);
}

/* Sets *ret to the offset behind the first of `brackets` that follows `word` on or after
 * the node's line. */
static int find_behind(const struct edit *ed, const struct conf_node *n, const char *word,
		       const char *brackets, size_t *ret)
{
	unsigned line = conf_line(n);
	const char *text = ed->c->text, *at = NULL;

	if (line > 0 && line <= ed->n_lines)
		at = strstr(text + ed->lines[line - 1], word);

	at = at ? strpbrk(at, brackets) : NULL;
	if (!at)
		return -ENOENT;
	*ret = (size_t)(at + 1 - text);
	return 0;
}

static bool has_key(const struct conf_node *list, const char *key)
{
	for (size_t i = 0; i < conf_len(list); i++) {
		const char *s;

		if (conf_str(conf_at(list, i), &s, NULL) == 0 && streq(s, key))
			return true;
	}
	return false;
}

static int add_to_list(struct edit *ed, const struct conf_node *list, const char *key)
{
	_cleanup_buf_ struct buf b = {0};
	size_t at;

	if (has_key(list, key))
		return 0;
	if (find_behind(ed, list, KEYS, "[(", &at) < 0)
		return -ENOENT;
	buf_puts(&b, " ");
	conf_quote(&b, key);
	buf_puts(&b, conf_len(list) > 0 ? "," : " ");
	insert(ed, at, &b);
	return 0;
}

/* Adds a list to a group that has none: behind its brace, or at the file's end. */
static int add_list(struct edit *ed, const struct conf_node *group, const char *key)
{
	_cleanup_buf_ struct buf b = {0};
	size_t at = ed->c->len;

	if (group && find_behind(ed, group, conf_key(group), "{", &at) < 0)
		return -ENOENT;
	buf_puts(&b, group ? "\n\t" KEYS " = [ " : "\n" KEYS " = [ ");
	conf_quote(&b, key);
	buf_puts(&b, group ? " ];" : " ];\n");
	insert(ed, at, &b);
	return 0;
}

/* Adds the key to the cluster and to the hosts that have a list of their own. Two lists
 * on one line do no harm: each gets the key. */
static int add_to_rack(struct edit *ed, const struct conf_node *root, const char *key)
{
	const struct conf_node *cluster = conf_member(root, "cluster"),
			       *hosts = conf_member(root, "hosts");
	const struct conf_node *list = cluster ? conf_member(cluster, KEYS) : NULL;
	int r = list ? add_to_list(ed, list, key) : add_list(ed, cluster, key);

	for (size_t i = 0; i < conf_len(hosts) && r == 0; i++) {
		const struct conf_node *own = conf_member(conf_at(hosts, i), KEYS);

		r = own ? add_to_list(ed, own, key) : 0;
	}
	return r;
}

static void add_keys(struct strv_builder *v, const struct host *h)
{
	for (size_t i = 0; h->ssh_keys && h->ssh_keys[i]; i++)
		strv_builder_add(v, h->ssh_keys[i]);
	strv_builder_add(v, "");
}

/* Returns the keys of all hosts, each host's ended by "". Owned by the caller. */
static char **keys_of(const struct config_text *c, const struct roles *roles,
		      struct diag *d)
{
	_cleanup_rack_ struct rack rack = {0};
	_cleanup_host_ struct host h = {0};
	struct strv_builder v = {0};

	if (!c->rack) {
		if (parse_host(c, roles, &h, d) < 0)
			return NULL;
		add_keys(&v, &h);
		return strv_builder_take(&v);
	}
	if (parse_rack(c, roles, &rack, d) < 0)
		return NULL;
	for (size_t i = 0; i < rack.n_hosts; i++)
		add_keys(&v, &rack.hosts[i].host);
	return strv_builder_take(&v);
}

/* Checks, host by host (each ended by ""), that a host has the keys it had, in their
 * order, and `key`. */
static bool only_added(char *const *before, char *const *after, const char *key)
{
	bool has = false;

	if (!before)
		return false;
	for (; *after; after++) {
		has = has || streq(*after, key);
		if (*before && streq(*before, *after)) {
			if (!**after && !has)
				return false;
			if (!**after)
				has = false;
			before++;
		} else if (!streq(*after, key)) {
			return false;
		}
	}
	return !*before;
}

int config_text_add_key(struct config_text *c, const char *key, const struct roles *roles,
			struct diag *d)
{
	_cleanup_strv_ char **before = keys_of(c, roles, d), **after = NULL;
	_cleanup_conf_ struct conf *conf = NULL;
	const struct conf_node *list;
	_cleanup_edit_ struct edit ed = {0};
	int r;

	if (!before || conf_parse(&conf, c->text, c->len, c->name, CONF_MAX_RACK,
				  CONF_NO_INCLUDE, d) < 0)
		return -1;
	list = conf_member(conf_root(conf), KEYS);
	edit_begin(&ed, c);
	if (c->rack)
		r = add_to_rack(&ed, conf_root(conf), key);
	else
		r = list ? add_to_list(&ed, list, key) : add_list(&ed, NULL, key);
	if (r == 0) {
		apply(&ed, c);
		after = keys_of(c, roles, d);
		if (!after)
			return -1;
	}
	if (r < 0 || !only_added(before, after, key))
		return diag_add(d,
				"%s: " KEYS
				": the list is written in a way in which a key "
				"cannot be added: add the key yourself",
				c->name);
	return 0;
}

void config_text_done(struct config_text *c)
{
	free(c->name);
	free(c->text);
	forget_settings(c);
	*c = (struct config_text){0};
}
