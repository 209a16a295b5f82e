/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The lists are parsed with the rest of the rack file; the files are opened at the end,
 * each once, so that all hosts get the same bytes.
 */
#include "pxe/rack-secrets.h"

#include "firstboot/model/conf-note.h"
#include "firstboot/model/secret-entry.h"
#include "lib/file.h"
#include "pxe/rack-parts.h"

#define TOTAL_MAX (64U << 20) /* bytes of all secrets of a rack */

static void secret_done(struct rack_secret *s)
{
	if (s->data)
		explicit_bzero(s->data, s->len);
	free(s->data);
	free(s->name);
	free(s->path);
	free(s->owner);
	free(s->from);
	strv_free(s->roles);
	*s = (struct rack_secret){0};
}

void rack_secrets_done(struct rack_secrets *s)
{
	for (size_t i = 0; i < s->n; i++)
		secret_done(&s->v[i]);
	free(s->v);
	*s = (struct rack_secrets){0};
}

/* --- the lists -------------------------------------------------------------------- */

/* An element of a list while it is parsed. */
struct element {
	struct loader *l;
	const struct conf_node *group;
	const char *prefix; /* of the list's group */
	struct rack_secret s;
	bool bad;
};

/* Complains about a key of the element, or with `n` NULL about the element. */
static void complain(struct element *el, const struct conf_node *n, const char *fmt, ...)
	_printf_(3, 4);

static void complain(struct element *el, const struct conf_node *n, const char *fmt, ...)
{
	_cleanup_free_ char *msg = NULL;
	va_list ap;

	va_start(ap, fmt);
	if (vasprintf(&msg, fmt, ap) < 0)
		abort();
	va_end(ap);
	el->l->r = conf_complain(n ? n : el->group, el->l->d, "%ssecrets: %s%s%s",
				 el->prefix, n ? conf_key(n) : "", n ? ": " : "", msg);
	el->bad = true;
}

/* Returns a string member, or NULL. Complains when it is no string or empty. */
static const char *text_of(struct element *el, const char *key)
{
	const struct conf_node *n = conf_member(el->group, key);
	const char *s = NULL;

	if (n && (conf_str(n, &s, NULL) < 0 || !*s)) {
		complain(el, n, "must be a string that is not empty%s",
			 conf_type_note(n, CONF_STRING));
		return NULL;
	}
	return s;
}

/* Complains when `wrong` is a mistake of the key's value. */
static void check_value(struct element *el, const char *key, const char *value,
			const char *wrong)
{
	_cleanup_buf_ struct buf b = {0};

	if (!wrong)
		return;
	conf_quote(&b, value);
	complain(el, conf_member(el->group, key), "%.*s %s", (int)b.len, b.p, wrong);
}

static void load_file(struct element *el)
{
	const struct conf_node *n = conf_member(el->group, "file");
	const char *file = text_of(el, "file"), *name = text_of(el, "name"), *slash;

	if (!n && conf_is_missing(el->group, "file"))
		complain(el, NULL, "file is missing: name the file that has the secret");
	if (!file)
		return;
	slash = strrchr(file, '/');
	el->s.path = file_beside(el->s.from, file);
	if (name) {
		check_value(el, "name", name, secret_name_wrong(name));
	} else if (!conf_member(el->group, "name")) {
		name = slash ? slash + 1 : file;
		if (secret_name_wrong(name))
			complain(el, n,
				 "the last part of '%.60s' cannot be the secret's name: "
				 "give it a name, like name = \"munge.key\"",
				 file);
	}
	el->s.name = xstrdup(name);
}

static void load_rights(struct element *el)
{
	const char *owner = text_of(el, "owner"), *mode = text_of(el, "mode");
	struct secret_entry entry = {0};

	el->s.mode = 0400;
	el->s.owner = xstrdup(owner ? owner : "root");
	if (owner)
		check_value(el, "owner", owner, secret_owner_parse(owner, &entry));
	if (mode)
		check_value(el, "mode", mode, secret_mode_parse(mode, &el->s.mode));
}

/* Complains about a role that no host can have. */
static void check_role(struct element *el, const struct conf_node *n, const char *role)
{
	const struct roles *roles = el->l->roles;
	_cleanup_free_ const char **names = xcalloc(roles->n + 1, sizeof(*names));
	_cleanup_free_ char *hint = NULL;
	const char *near;

	if (roles->any || roles_find(roles, role))
		return;
	for (size_t i = 0; i < roles->n; i++)
		names[i] = roles->v[i].name;
	near = str_nearest_name(role, names);
	hint = str_hint(near);
	complain(el, n, "'%.60s' is no role of the image%s", role, hint);
}

static void load_roles(struct element *el, bool is_host)
{
	const struct conf_node *n = conf_member(el->group, "roles");

	if (!n)
		return;
	if (is_host) {
		complain(el, n, "the secret is for this host: leave the key out");
		return;
	}
	if (conf_get_strv(el->group, "roles", &el->s.roles, NULL) < 0 || !el->s.roles) {
		complain(el, n,
			 "must be a list of roles, like [ \"master\" ]; leave it "
			 "out for a secret of all hosts");
		return;
	}
	for (size_t i = 0; el->s.roles[i]; i++)
		check_role(el, n, el->s.roles[i]);
}

static int check_keys(struct element *el, const char *const *keys)
{
	static const char *const others[] = {"user", "owner", NULL};
	_cleanup_free_ char *prefix = xasprintf("%ssecrets: ", el->prefix);

	return conf_check_keys_of(el->group, prefix, keys, others, el->l->d);
}

/* Parses element `i` of a list into el->s. */
static void load_element(struct element *el, size_t i, bool is_host)
{
	static const char *const keys[] = {"name",  "file", "owner", "mode",
					   "roles", "seal", NULL};

	if (conf_type(el->group) != CONF_GROUP) {
		complain(el, NULL,
			 "element %zu must be a group: { file = ...; owner = ...; }",
			 i + 1);
		return;
	}
	if (check_keys(el, keys) < 0) {
		el->l->r = -1;
		el->bad = true;
	}
	if (conf_member(el->group, "seal"))
		complain(el, conf_member(el->group, "seal"),
			 "is reserved: a secret cannot be sealed to a host's key yet");
	load_file(el);
	load_rights(el);
	load_roles(el, is_host);
}

/* Returns the secret of that name among those from `first` on, or NULL. */
static const struct rack_secret *find(const struct rack_secrets *s, size_t first,
				      size_t end, const char *name)
{
	for (size_t i = first; i < end; i++)
		if (streq(s->v[i].name, name))
			return &s->v[i];
	return NULL;
}

/* Moves a secret that is right to the rack's. */
static void add(struct rack_secrets *all, size_t first, struct element *el)
{
	const struct rack_secret *same =
		el->s.name ? find(all, first, all->n, el->s.name) : NULL;
	char place[512];

	if (same && !el->bad)
		complain(el, NULL, "'%s' is also the name of the secret in %s",
			 el->s.name,
			 other_place(same->from, same->line, el->s.from, place,
				     sizeof(place)));
	if (el->bad) {
		secret_done(&el->s);
		return;
	}
	all->v = xgrow(all->v, all->n, sizeof(*all->v));
	all->v[all->n++] = el->s;
}

/* Parses the list of a group. */
static void load_list(struct loader *l, const struct conf_node *group, const char *prefix,
		      bool is_host)
{
	struct rack_secrets *all = &l->rack->secrets;
	const struct conf_node *list = conf_member(group, "secrets");
	size_t first = all->n;

	if (!list)
		return;
	if (conf_type(list) != CONF_LIST || conf_len(list) > SECRETS_MAX) {
		l->r = conf_complain(list, l->d,
				     "%ssecrets: must be a list of at most %d groups: "
				     "( { file = ...; owner = ...; }, ... )",
				     prefix, SECRETS_MAX);
		return;
	}
	for (size_t i = 0; i < conf_len(list); i++) {
		struct element el = {.l = l, .group = conf_at(list, i), .prefix = prefix};

		el.s.from = xstrdup(conf_file(el.group));
		el.s.line = conf_line(el.group);
		load_element(&el, i, is_host);
		add(all, first, &el);
	}
}

void rack_load_secrets(struct loader *l)
{
	load_list(l, l->cluster, "cluster: ", false);
	l->rack->secrets.n_common = l->rack->secrets.n;
}

/* --- a host's --------------------------------------------------------------------- */

static void give(struct rack_host *h, const struct rack_secrets *all, size_t i,
		 struct strv_builder *entries)
{
	const struct rack_secret *s = &all->v[i];

	h->secrets = xgrow(h->secrets, h->n_secrets, sizeof(*h->secrets));
	h->secrets[h->n_secrets++] = i;
	strv_builder_addf(entries, "%s %s %04o", s->name, s->owner, (unsigned)s->mode);
}

void rack_load_host_secrets(struct loader *l, const struct conf_node *group,
			    const char *prefix, struct rack_host *h)
{
	const struct rack_secrets *all = &l->rack->secrets;
	const struct conf_node *n = conf_member(group, "secrets");
	_cleanup_strv_builder_ struct strv_builder entries = {0};
	_cleanup_free_ char *text = NULL;
	size_t own = all->n;

	load_list(l, group, prefix, true);
	for (size_t i = 0; i < all->n_common; i++) {
		const struct rack_secret *s = &all->v[i];
		bool is_for =
			!s->roles || (h->host.role && strv_has(s->roles, h->host.role));

		if (is_for && !find(all, own, all->n, s->name))
			give(h, all, i, &entries);
	}
	for (size_t i = own; i < all->n; i++)
		give(h, all, i, &entries);
	if (h->n_secrets == 0)
		return;
	if (!n)
		n = conf_member(l->cluster, "secrets");
	text = strv_join(entries.v, ",");
	if (host_set(&h->host, "secrets", text, conf_file(n), conf_line(n), l->d) < 0)
		l->r = -1;
}

void rack_warn_secrets(const struct rack *r, struct diag *d)
{
	_cleanup_free_ bool *used = xcalloc(r->secrets.n + 1, sizeof(*used));

	for (size_t i = 0; i < r->n_hosts; i++)
		for (size_t k = 0; k < r->hosts[i].n_secrets; k++)
			used[r->hosts[i].secrets[k]] = true;
	for (size_t i = 0; i < r->secrets.n_common; i++)
		if (!used[i])
			diag_add_at(d,
				    &(struct diag_place){.file = r->secrets.v[i].from,
							 .line = r->secrets.v[i].line},
				    "no host gets the secret '%s'", r->secrets.v[i].name);
}

/* --- the files -------------------------------------------------------------------- */

int rack_secret_complain(const struct rack_secret *s, struct diag *d, const char *fmt,
			 ...)
{
	_cleanup_free_ char *msg = NULL;
	va_list ap;

	va_start(ap, fmt);
	if (vasprintf(&msg, fmt, ap) < 0)
		abort();
	va_end(ap);
	return diag_add_at(d, &(struct diag_place){.file = s->from, .line = s->line},
			   "secrets: '%s': %s", s->name, msg);
}

static int complain_unread(const struct rack_secret *s, struct diag *d, int r)
{
	return diag_add_unread_at(
		d, &(struct diag_place){.file = s->from, .line = s->line},
		"secrets: '%s': %s: %s%s", s->name, s->path, strerror(-r),
		r == -ENOENT ? ": make it, or correct 'file'" : "");
}

/* Checks a file by its attributes. */
static int check_file(const struct rack_secret *s, const struct stat *st, struct diag *d)
{
	if (st->st_size == 0)
		return rack_secret_complain(s, d, "%s is empty", s->path);
	if (st->st_size > SECRET_SIZE_MAX)
		return rack_secret_complain(
			s, d, "%s has %llu bytes, at most %d are allowed", s->path,
			(unsigned long long)st->st_size, SECRET_SIZE_MAX);
	if (st->st_mode & 07)
		return rack_secret_complain(
			s, d,
			"%s is open to all users of this machine (mode %04o): take the "
			"rights of others from it (chmod o=)",
			s->path, (unsigned)st->st_mode & 07777);
	return 0;
}

static int read_secret(struct rack_secret *s, struct diag *d)
{
	_cleanup_close_ int fd = file_open_regular_at(AT_FDCWD, s->path);
	struct stat st;
	int r = fd < 0 ? fd : 0;

	if (r == -EINVAL)
		return rack_secret_complain(s, d, "%s %s", s->path, file_strerror(r));
	if (r == 0 && fstat(fd, &st) < 0)
		r = -errno;
	if (r < 0)
		return complain_unread(s, d, r);
	if (check_file(s, &st, d) < 0)
		return -1;
	r = file_read_fd(fd, SECRET_SIZE_MAX, &s->data, &s->len);
	if (r < 0)
		return complain_unread(s, d, r);
	return s->len == 0 ? rack_secret_complain(s, d, "%s is empty", s->path) : 0;
}

int rack_read_secrets(struct rack_secrets *s, struct diag *d)
{
	size_t total = 0;
	int r = 0;

	for (size_t i = 0; i < s->n; i++) {
		if (read_secret(&s->v[i], d) < 0)
			r = -1;
		total += s->v[i].len;
		if (total > TOTAL_MAX)
			return rack_secret_complain(&s->v[i], d,
						    "%s is too much: all secrets of a "
						    "rack may have 64 MiB",
						    s->v[i].path);
	}
	return r;
}
