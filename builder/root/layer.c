/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Items are added in the recipe's order and sorted once by layer_finish(); then look-ups
 * are by binary search. The text of units is read here because unit-links.c needs their
 * [Install] sections.
 */
#include "builder/root/layer.h"
#include "firstboot/model/feature.h"

#include "lib/file.h"

#include <limits.h>

#define UNIT_MAX   (1U << 20)
#define OURS       RECIPE_OWN
#define ROLES_FILE "/" ROLES_PATH
#define IMAGE_FILE "/usr/lib/rackstrap/image.cfg"

struct layer_item *layer_add(struct layer *l, enum entry_type type, const char *to,
			     unsigned mode, const char *origin, const char *where)
{
	_cleanup_free_ char *path = index_resolve(l->base, to, type == ENTRY_DIR);
	struct layer_item *item;

	if (!path || !*path) {
		diag_add(l->d, "%s: %s: symlinks of the base form a loop or lead to '/'",
			 where, to);
		return NULL;
	}
	if (!streq(where, OURS) && recipe_path_refusal(path)) {
		diag_add(l->d, "%s: /%s is %s", where, path, recipe_path_refusal(path));
		return NULL;
	}
	item = layer_find_added(l, path);
	if (item) {
		diag_add(l->d, "%s: /%s is written already (%s)", where, path,
			 item->where);
		return NULL;
	}
	intern(&l->paths, path, NULL);
	l->v = xgrow(l->v, l->n, sizeof(*l->v));
	item = &l->v[l->n++];
	*item = (struct layer_item){
		.path = TAKE_PTR(path),
		.type = type,
		.mode = mode,
		.origin = xstrdup(origin),
		.where = xstrdup(where),
	};
	return item;
}

struct layer_item *layer_add_text(struct layer *l, const char *to, unsigned mode,
				  const char *text, size_t len, const char *origin,
				  const char *where)
{
	struct layer_item *item = layer_add(l, ENTRY_FILE, to, mode, origin, where);

	if (!item)
		return NULL;
	item->source = LAYER_TEXT;
	item->text = xmalloc(len + 1);
	memcpy(item->text, text, len);
	item->text[len] = '\0';
	item->len = len;
	return item;
}

struct layer_item *layer_add_link(struct layer *l, const char *to, const char *target,
				  const char *origin, const char *where)
{
	struct layer_item *item = layer_add(l, ENTRY_SYMLINK, to, 0777, origin, where);

	if (item)
		item->target = xstrdup(target);
	return item;
}

/* --- the recipe -------------------------------------------------------------------- */

static void add_file(struct layer *l, const struct recipe_file *f)
{
	struct layer_item *item;

	switch (f->type) {
	case RECIPE_FILE_SOURCE:
		item = layer_add(l, ENTRY_FILE, f->to, f->mode, f->written, f->where);
		if (item) {
			item->source = LAYER_FILE;
			item->file = xstrdup(f->text);
		}
		break;
	case RECIPE_FILE_CONTENT:
		layer_add_text(l, f->to, f->mode, f->text, strlen(f->text), "recipe",
			       f->where);
		break;
	case RECIPE_FILE_LINK:
		layer_add_link(l, f->to, f->text, "recipe", f->where);
		break;
	case RECIPE_FILE_DIR:
		layer_add(l, ENTRY_DIR, f->to, f->mode, "recipe", f->where);
		break;
	}
}

static void add_unit(struct layer *l, const struct recipe_unit *u)
{
	_cleanup_free_ char *to = xasprintf("%s%s", RECIPE_UNIT_DIR, u->name);
	_cleanup_free_ char *text = NULL;
	size_t len = u->text ? strlen(u->text) : 0;
	int r = u->text ? 0
			: file_read_regular_at(AT_FDCWD, u->source, UNIT_MAX, &text,
					       &len);

	if (u->text)
		layer_add_text(l, to, 0644, u->text, len, u->written, u->where);
	else if (r == -EFBIG)
		diag_add(l->d, "%s: %s: %s", u->where, u->source, file_strerror(r));
	else if (r < 0)
		diag_add_unread(l->d, "%s: %s: %s", u->where, u->source,
				file_strerror(r));
	else
		layer_add_text(l, to, 0644, text, len, u->written, u->where);
}

static void add_members(struct layer *l, const struct input *in, const char *origin,
			const struct recipe_extract *v, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		_cleanup_free_ char *from = xasprintf("%s: %s", origin, v[i].path);
		struct layer_item *item;

		if (!v[i].to) {
			add_members(l, in, from, v[i].v, v[i].n);
			continue;
		}
		item = layer_add(l, ENTRY_FILE, v[i].to, v[i].mode, from, v[i].where);
		if (item) {
			item->source = LAYER_MEMBER;
			item->input = in;
			item->member = &v[i];
		}
	}
}

static void add_input(struct layer *l, const struct input *in)
{
	const struct recipe_artifact *a = in->artifact;
	struct layer_item *item;

	if (!a->to) {
		add_members(l, in, a->name, a->v, a->n);
		return;
	}
	item = layer_add(l, ENTRY_FILE, a->to, a->mode, a->name, a->where);
	if (item) {
		item->source = LAYER_BLOB;
		item->input = in;
	}
}

/* --- rackstrap's own files --------------------------------------------------------- */

static void append_strv(struct buf *b, const char *key, char *const *v)
{
	buf_printf(b, "\t\t%s = [", key);
	for (size_t i = 0; v && v[i]; i++) {
		buf_puts(b, i > 0 ? ", " : " ");
		conf_quote(b, v[i]);
	}
	buf_puts(b, v && v[0] ? " ];\n" : "];\n");
}

static char *render_roles(const struct roles *roles)
{
	struct buf b = {0};

	buf_puts(&b, "# Written by rackstrap build from the recipe's roles.\nroles = (");
	for (size_t i = 0; i < roles->n; i++) {
		const struct role *role = &roles->v[i];
		_cleanup_strv_ char **names = feature_names(role->features);

		buf_printf(&b, "%s\n\t{\n\t\tname = ", i > 0 ? "," : "");
		conf_quote(&b, role->name);
		buf_puts(&b, ";\n");
		append_strv(&b, "units", role->units);
		append_strv(&b, "ready", role->ready);
		append_strv(&b, "features", names);
		buf_puts(&b, "\t}");
	}
	buf_puts(&b, "\n);\n");
	return buf_take(&b);
}

/* Returns the name of the file with a template's text: the number alone when there is no
 * room for the name of the file that it makes. Owned by the caller. */
static char *template_file(const struct recipe *r, size_t i)
{
	const char *slash = strrchr(r->compiled.v[i].path, '/');
	char *name = xasprintf("%zu-%s", i + 1, slash + 1);

	if (strlen(name) <= NAME_MAX)
		return name;
	free(name);
	return xasprintf("%zu", i + 1);
}

/* Adds the templates and their list. */
static void add_templates(struct layer *l, const struct recipe *r)
{
	_cleanup_buf_ struct buf b = {0};

	buf_puts(&b, "# Written by rackstrap build from the recipe's templates.\n"
		     "templates = (");
	for (size_t i = 0; i < r->compiled.n; i++) {
		const struct host_template *t = &r->compiled.v[i];
		_cleanup_free_ char *name = template_file(r, i);
		_cleanup_free_ char *to = xasprintf("/" TEMPLATES_DIR "/%s", name);

		buf_printf(&b, "%s\n\t{\n\t\tpath = ", i > 0 ? "," : "");
		conf_quote(&b, t->path);
		buf_printf(&b, ";\n\t\tmode = \"%04o\";\n\t\tformat = \"%s\";\n", t->mode,
			   template_format_name(t->format));
		if (t->roles)
			append_strv(&b, "roles", t->roles);
		if (t->units)
			append_strv(&b, "units", t->units);
		buf_puts(&b, "\t\ttext = ");
		conf_quote(&b, name);
		buf_puts(&b, ";\n\t}");
		layer_add_text(l, to, 0644, t->text, strlen(t->text), OURS, OURS);
	}
	buf_puts(&b, "\n);\n");
	if (r->compiled.n > 0)
		layer_add_text(l, "/" TEMPLATES_CFG, 0644, b.p, b.len, OURS, OURS);
}

static char *render_image(const struct recipe *r)
{
	struct buf b = {0};

	buf_puts(&b, "# Written by rackstrap build.\nname = ");
	conf_quote(&b, r->name);
	buf_printf(&b, ";\nepoch = \"%llu\";\n", (unsigned long long)r->epoch);
	return buf_take(&b);
}

static void add_own(struct layer *l, const struct recipe *r, const char *firstboot)
{
	_cleanup_free_ char *roles = render_roles(&r->roles), *image = render_image(r);
	struct layer_item *item;

	item = layer_add(l, ENTRY_FILE, "/usr/sbin/firstboot", 0755, OURS, OURS);
	if (item) {
		item->source = LAYER_FILE;
		item->file = xstrdup(firstboot);
	}
	if (r->roles.n > 0)
		layer_add_text(l, ROLES_FILE, 0644, roles, strlen(roles), OURS, OURS);
	add_templates(l, r);
	layer_add_text(l, IMAGE_FILE, 0644, image, strlen(image), OURS, OURS);
	/* systemd makes a machine id at boot if the file exists and is empty. */
	layer_add_text(l, "/etc/machine-id", 0444, "", 0, OURS, OURS);
}

void layer_add_recipe(struct layer *l, const struct recipe *r, const struct inputs *in,
		      const char *firstboot)
{
	for (size_t i = 0; i < r->n_files; i++)
		add_file(l, &r->files[i]);
	for (size_t i = 0; i < r->n_units; i++)
		add_unit(l, &r->units[i]);
	for (size_t i = 0; i < in->n; i++)
		add_input(l, &in->v[i]);
	add_own(l, r, firstboot);
}

/* --- the complete layer ------------------------------------------------------------ */

static int by_path(const void *a, const void *b)
{
	return strcmp(((const struct layer_item *)a)->path,
		      ((const struct layer_item *)b)->path);
}

struct layer_item *layer_find(const struct layer *l, const char *path)
{
	struct layer_item key = {.path = (char *)path};

	return l->n ? bsearch(&key, l->v, l->n, sizeof(*l->v), by_path) : NULL;
}

struct layer_item *layer_find_added(const struct layer *l, const char *path)
{
	size_t i;

	return intern_find(&l->paths, path, &i) ? &l->v[i] : NULL;
}

/* Adds the missing parents of item `at`. Copies its strings first, because adding moves
 * the items. */
static void add_parents(struct layer *l, size_t at)
{
	_cleanup_free_ char *path = xstrdup(l->v[at].path);
	_cleanup_free_ char *where = xstrdup(l->v[at].where);
	char *slash;

	while ((slash = strrchr(path, '/'))) {
		*slash = '\0';
		if (!index_find(l->base, path) && !layer_find_added(l, path)) {
			struct layer_item *item =
				layer_add(l, ENTRY_DIR, path, 0755, where, where);

			if (item)
				item->implied = true;
		}
	}
}

static void check_parents(const struct layer *l, const struct layer_item *item)
{
	_cleanup_free_ char *path = xstrdup(item->path);
	char *slash;

	while ((slash = strrchr(path, '/'))) {
		const struct layer_item *ours;
		const struct index_entry *base;

		*slash = '\0';
		ours = layer_find(l, path);
		base = ours ? NULL : index_find(l->base, path);
		if (ours && ours->type != ENTRY_DIR)
			diag_add(l->d, "%s: /%s cannot be inside /%s, which is a %s (%s)",
				 item->where, item->path, path,
				 entry_type_name(ours->type), ours->where);
		else if (base && base->type != ENTRY_DIR)
			diag_add(
				l->d,
				"%s: /%s cannot be inside /%s, which is a %s in the base",
				item->where, item->path, path,
				entry_type_name(base->type));
	}
}

static void check_item(const struct layer *l, const struct layer_item *item)
{
	const struct index_entry *base = index_find(l->base, item->path);

	check_parents(l, item);
	if (base && base->type == ENTRY_DIR && item->type != ENTRY_DIR)
		diag_add(l->d, "%s: /%s is a directory in the base", item->where,
			 item->path);
}

void layer_finish(struct layer *l)
{
	size_t n = l->n;

	for (size_t i = 0; i < n; i++)
		add_parents(l, i);
	if (l->n > 0)
		qsort(l->v, l->n, sizeof(*l->v), by_path);
	for (size_t i = 0; i < l->n; i++)
		check_item(l, &l->v[i]);
}

/* Checks that firstboot can make the file of a template in the image. */
static void check_template(const struct layer *l, const struct recipe_template *t)
{
	_cleanup_free_ char *path = index_resolve(l->base, t->path, false);
	const struct layer_item file = {
		.path = path, .type = ENTRY_FILE, .where = t->where};
	const struct layer_item *ours = path ? layer_find(l, path) : NULL;
	_cleanup_free_ char *full = xasprintf("/%s", path ? path : "");
	/* The recipe's check has seen the path as it is written. */
	const char *wrong =
		streq(full, t->path) ? NULL : recipe_template_path_wrong(full);

	if (!path || !*path)
		diag_add(l->d, "%s: %s: symlinks of the base form a loop or lead to '/'",
			 t->where, t->path);
	else if (wrong)
		diag_add(l->d, "%s: %s: %s %s", t->where, t->path, full, wrong);
	else if (ours)
		diag_add(l->d, "%s: /%s is a %s already (%s)", t->where, path,
			 entry_type_name(ours->type), ours->where);
	else
		check_item(l, &file);
}

void layer_check_templates(const struct layer *l, const struct recipe *r)
{
	for (size_t i = 0; i < r->n_templates; i++) {
		const struct recipe_template *t = &r->templates[i];

		check_template(l, t);
		for (size_t k = 0; k < r->n_templates; k++) {
			const char *rest = str_after(t->path, r->templates[k].path);

			if (rest && *rest == '/')
				diag_add(l->d,
					 "%s: %s cannot be inside %s, which is the file "
					 "of a template (%s)",
					 t->where, t->path, r->templates[k].path,
					 r->templates[k].where);
		}
	}
}

void layer_done(struct layer *l)
{
	for (size_t i = 0; i < l->n; i++) {
		free(l->v[i].path);
		free(l->v[i].target);
		free(l->v[i].text);
		free(l->v[i].file);
		free(l->v[i].origin);
		free(l->v[i].where);
	}
	free(l->v);
	intern_done(&l->paths);
	*l = (struct layer){0};
}
