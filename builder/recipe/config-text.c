/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A key is inserted on the line that the parser gives for the list of keys, behind the
 * bracket. That place is a guess, so the result is parsed again, and used only when every
 * host then has the new key and all the keys it had before.
 */
#include "builder/recipe/config-text.h"
#include "lib/log.h"

#include "pxe/rack.h"

#define KEYS "ssh_keys"

static int parse_host(const struct config_text *c, const struct roles *roles,
		      struct host *h, struct diag *d)
{
	_cleanup_conf_ struct conf *conf = NULL;
	int r;

	host_init(h);
	if (conf_parse(&conf, c->text, c->len, c->name, CONF_MAX, CONF_NO_INCLUDE, d) < 0)
		return -1;
	r = host_load_conf(h, conf_root(conf), "", d);
	host_derive(h, roles);
	return host_check(h, roles, d) < 0 ? -1 : r;
}

/* Warns about settings of a rack that have no effect on a medium. */
static void warn(const struct rack *r, const char *name)
{
	for (size_t i = 0; i < r->n_hosts; i++) {
		const struct rack_host *h = &r->hosts[i];

		if (h->cmdline || h->state_disk)
			log_warn("%s:%u: host '%s': cmdline and state_disk have no "
				 "effect on "
				 "a boot medium: see local.cfg in rackstrap-build(1)",
				 name, h->line, h->host.name);
	}
}

int config_text_check(const struct config_text *c, const struct roles *roles,
		      struct diag *d)
{
	_cleanup_rack_ struct rack rack = {0};
	_cleanup_host_ struct host h = {0};

	if (!c->rack)
		return parse_host(c, roles, &h, d);
	if (rack_parse(&rack, c->text, c->len, c->name, CONF_NO_INCLUDE, roles, d) < 0)
		return -1;
	warn(&rack, c->name);
	return 0;
}

/* --- keys -------------------------------------------------------------------------- */

/* Returns the beginning of line `line` (from 1), or NULL. */
static const char *line_at(const char *text, unsigned line)
{
	while (--line > 0) {
		text = strchr(text, '\n');
		if (!text)
			return NULL;
		text++;
	}
	return text;
}

static void insert(struct config_text *c, size_t at, const char *what)
{
	struct buf b = {0};

	buf_add(&b, c->text, at);
	buf_puts(&b, what);
	buf_add(&b, c->text + at, c->len - at);
	free(c->text);
	c->len = b.len;
	c->text = buf_take(&b);
}

/* Sets *ret to the offset behind the first of `brackets` that follows `word` on or after
 * the node's line. */
static int find_behind(const struct config_text *c, const struct conf_node *n,
		       const char *word, const char *brackets, size_t *ret)
{
	const char *line = line_at(c->text, conf_line(n));
	const char *at = line ? strstr(line, word) : NULL;

	at = at ? strpbrk(at, brackets) : NULL;
	if (!at)
		return -ENOENT;
	*ret = (size_t)(at + 1 - c->text);
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

static int add_to_list(struct config_text *c, const struct conf_node *list,
		       const char *key)
{
	_cleanup_buf_ struct buf b = {0};
	size_t at;

	if (has_key(list, key))
		return 0;
	if (find_behind(c, list, KEYS, "[(", &at) < 0)
		return -ENOENT;
	buf_puts(&b, " ");
	conf_quote(&b, key);
	buf_puts(&b, conf_len(list) > 0 ? "," : " ");
	insert(c, at, b.p);
	return 0;
}

/* Adds a list to a group that has none: behind its brace, or at the file's end. */
static int add_list(struct config_text *c, const struct conf_node *group, const char *key)
{
	_cleanup_buf_ struct buf b = {0};
	size_t at = c->len;

	if (group && find_behind(c, group, conf_key(group), "{", &at) < 0)
		return -ENOENT;
	buf_puts(&b, group ? "\n\t" KEYS " = [ " : "\n" KEYS " = [ ");
	conf_quote(&b, key);
	buf_puts(&b, group ? " ];" : " ];\n");
	insert(c, at, b.p);
	return 0;
}

/* Adds the key to the hosts from the last to the first, and to the cluster in the order
 * of the file, so that an insertion moves no line that is still to be found. Two lists on
 * one line do no harm: each gets the key. */
static int add_to_rack(struct config_text *c, const struct conf_node *root,
		       const char *key)
{
	const struct conf_node *cluster = conf_member(root, "cluster"),
			       *hosts = conf_member(root, "hosts");
	const struct conf_node *list = cluster ? conf_member(cluster, KEYS) : NULL;
	bool cluster_last = conf_line(cluster) > conf_line(hosts);
	int r = 0;

	for (int pass = 0; pass < 2 && r == 0; pass++) {
		if ((pass == 0) == cluster_last) {
			r = list ? add_to_list(c, list, key) : add_list(c, cluster, key);
			continue;
		}
		for (size_t i = conf_len(hosts); i-- > 0 && r == 0;) {
			const struct conf_node *own =
				conf_member(conf_at(hosts, i), KEYS);

			r = own ? add_to_list(c, own, key) : 0;
		}
	}
	return r;
}

/* Returns the keys of all hosts, each host's ended by "". Owned by the caller. */
static char **keys_of(const struct config_text *c, const struct roles *roles,
		      struct diag *d)
{
	_cleanup_rack_ struct rack rack = {0};
	_cleanup_host_ struct host h = {0};
	char **v = NULL;

	if (!c->rack) {
		if (parse_host(c, roles, &h, d) < 0)
			return NULL;
		strv_extend(&v, h.ssh_keys);
		strv_add(&v, "");
		return v;
	}
	if (rack_parse(&rack, c->text, c->len, c->name, CONF_NO_INCLUDE, roles, d) < 0)
		return NULL;
	for (size_t i = 0; i < rack.n_hosts; i++) {
		strv_extend(&v, rack.hosts[i].host.ssh_keys);
		strv_add(&v, "");
	}
	return v;
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
	int r;

	if (!before || conf_parse(&conf, c->text, c->len, c->name, CONF_MAX_RACK,
				  CONF_NO_INCLUDE, d) < 0)
		return -1;
	list = conf_member(conf_root(conf), KEYS);
	if (c->rack)
		r = add_to_rack(c, conf_root(conf), key);
	else
		r = list ? add_to_list(c, list, key) : add_list(c, NULL, key);
	if (r == 0) {
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
	*c = (struct config_text){0};
}
