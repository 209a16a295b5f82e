/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The recipe's templates: each is a file beside the recipe, from which firstboot makes a
 * file on every host of its roles. They are compiled and tried out when the whole recipe
 * is read, because the names that they may use depend on the features of the roles.
 */
#include "builder/recipe/recipe-parse.h"
#include "builder/recipe/template-check.h"
#include "firstboot/model/feature.h"
#include "lib/file.h"

const char *const recipe_template_keys[] = {"path",  "file",  "mode", "format",
					    "roles", "units", NULL};

static void template_done(void *entry)
{
	struct recipe_template *t = entry;

	free(t->path);
	free(t->source);
	free(t->written);
	strv_free(t->roles);
	strv_free(t->units);
	free(t->where);
	free(t->roles_where);
	free(t->units_where);
}

void recipe_templates_done(struct recipe *r)
{
	for (size_t i = 0; i < r->n_templates; i++)
		template_done(&r->templates[i]);
	free(r->templates);
	host_templates_done(&r->compiled);
}

static void parse_format(struct recipe_template *t, const struct conf_node *n,
			 struct diag *d)
{
	_cleanup_free_ char *known = str_list(template_format_name, "or");
	const char *s = NULL;
	int r = conf_get_str(n, "format", &s, d);

	if (r == 0 && conf_is_missing(n, "format"))
		conf_complain(n, d, "template: format: missing: it is %s", known);
	if (r > 0 && template_format_parse(s, &t->format) < 0)
		conf_complain(conf_member(n, "format"), d,
			      "format: there is no format '%.40s': it must be %s", s,
			      known);
}

static void parse_names(struct recipe_template *t, const struct conf_node *n,
			struct diag *d)
{
	const struct conf_node *roles = conf_member(n, "roles"),
			       *units = conf_member(n, "units");

	recipe_set_where(&t->roles_where, roles ? roles : n);
	recipe_set_where(&t->units_where, units ? units : n);
	if (recipe_get_words(n, "roles", &t->roles, d) >= 0 && conf_member(n, "roles") &&
	    strv_len(t->roles) == 0)
		conf_complain(conf_member(n, "roles"), d,
			      "roles: must name a role; leave it out for a file of all "
			      "hosts");
	if (recipe_get_words(n, "units", &t->units, d) < 0)
		return;
	for (size_t i = 0; t->units && t->units[i]; i++)
		if (!recipe_is_unit(t->units[i]))
			recipe_complain_unit(conf_member(n, "units"),
					     "units: ", t->units[i], d);
}

static void parse_template(void *entry, const struct conf_node *n, struct diag *d)
{
	/* Keys of files. */
	static const char *const others[] = {"to", "path", "source", "file", NULL};
	struct recipe_template *t = entry;

	recipe_set_where(&t->where, n);
	(void)!conf_check_keys_of(n, "", recipe_template_keys, others, d);
	if (recipe_get_target(n, "path", &t->path, d) == 0 && conf_is_missing(n, "path"))
		conf_complain(n, d, "template: path: missing: name its path on the host");
	if (recipe_get_text(n, "file", &t->written, d) > 0) {
		size_t before = d->n;

		t->source = recipe_beside(n, t->written);
		recipe_check_file(conf_member(n, "file"), "file", t->source, d);
		t->unread = d->n > before;
	} else if (conf_is_missing(n, "file")) {
		conf_complain(n, d,
			      "template: file: missing: name the template's file beside "
			      "the recipe");
	}
	t->mode = 0644;
	(void)!recipe_get_mode(n, "mode", &t->mode, d);
	parse_format(t, n, d);
	parse_names(t, n, d);
}

void recipe_parse_templates(struct recipe *r, const struct conf_node *root,
			    struct diag *d)
{
	static const struct recipe_list type = {
		.key = "templates",
		.size = sizeof(struct recipe_template),
		.name = offsetof(struct recipe_template, path),
		.where = offsetof(struct recipe_template, where),
		.parse = parse_template,
		.done = template_done,
	};

	r->templates = recipe_lay_list(&type, r->templates, &r->n_templates, root, d);
}

/* --- the whole recipe -------------------------------------------------------------- */

/* Files that firstboot makes itself, and those that it consists of. */
static const char *const own_files[] = {
	"/etc/hostname",
	"/etc/hosts",
	"/etc/machine-id",
	"/etc/resolv.conf",
	"/etc/sysctl.d/90-rackstrap.conf",
	"/root/.ssh/authorized_keys",
	"/usr/sbin/firstboot",
};

/* Folders whose files firstboot makes itself. */
static const char *const own_folders[] = {
	"/etc/systemd/network",
	"/run/rackstrap",
	"/usr/lib/rackstrap",
	"/var/lib/rackstrap",
};

static bool is_below(const char *path, const char *folder)
{
	const char *rest = str_after(path, folder);

	return rest && *rest == '/';
}

const char *recipe_template_path_wrong(const char *path)
{
	bool own = false, above = false;

	for (size_t i = 0; i < ARRAY_SIZE(own_files); i++) {
		own |= streq(path, own_files[i]);
		above |= is_below(own_files[i], path);
	}
	for (size_t i = 0; i < ARRAY_SIZE(own_folders); i++) {
		own |= is_below(path, own_folders[i]);
		above |= streq(path, own_folders[i]) || is_below(own_folders[i], path);
	}
	return own     ? "is made by firstboot itself"
	       : above ? "is a folder of files that firstboot makes itself"
		       : NULL;
}

static void complain_no_role(const struct recipe *r, const struct recipe_template *t,
			     const char *name, struct diag *d)
{
	_cleanup_strv_builder_ struct strv_builder names = {0};
	_cleanup_free_ char *hint = NULL;

	for (size_t i = 0; i < r->roles.n; i++)
		strv_builder_add(&names, r->roles.v[i].name);
	if (names.n > 0)
		hint = str_hint(str_nearest(name, (const char *const *)names.v));
	diag_add(d, "%s: template: roles: the recipe has no role '%s'%s", t->roles_where,
		 name, hint ? hint : "");
}

/* Checks the path and roles of a template. Returns true when it can be compiled. */
static bool check_names(const struct recipe *r, const struct recipe_template *t,
			struct diag *d)
{
	const char *refusal = recipe_path_refusal(t->path);
	const char *wrong = refusal ? NULL : recipe_template_path_wrong(t->path);
	bool ok = true;

	if (refusal || wrong) {
		diag_add(d, "%s: template: path: '%s' %s%s", t->where, t->path,
			 refusal ? "is " : "", refusal ? refusal : wrong);
		ok = false;
	}
	for (size_t i = 0; t->roles && t->roles[i]; i++) {
		if (roles_find(&r->roles, t->roles[i]))
			continue;
		complain_no_role(r, t, t->roles[i], d);
		ok = false;
	}
	if (r->roles.n == 0) {
		diag_add(d,
			 "%s: template: only hosts with a role have files from "
			 "templates, and this recipe has no 'roles'",
			 t->where);
		ok = false;
	}
	return ok;
}

/* Reads the template's file and adds it to r->compiled. */
static void add(struct recipe *r, const struct recipe_template *t, struct diag *d)
{
	_cleanup_free_ char *text = NULL;
	struct host_template new = {
		.path = t->path,
		.mode = t->mode,
		.format = t->format,
		.roles = t->roles,
		.units = t->units,
		.name = t->source,
	};
	size_t len = 0;
	int e = file_read_regular_at(AT_FDCWD, t->source, TEMPLATE_MAX, &text, &len);

	if (e < 0) {
		if (e == -EFBIG)
			diag_add(d, "%s: template: %s: is larger than %d KiB", t->where,
				 t->source, TEMPLATE_MAX / 1024);
		else if (!t->unread)
			diag_add_unread(d, "%s: template: %s: %s", t->where, t->source,
					file_strerror(e));
		return;
	}
	if (strlen(text) < len) {
		diag_add(d, "%s: template: %s: has a zero byte, and is no text", t->where,
			 t->source);
		return;
	}
	new.text = text;
	host_templates_add(&r->compiled, &new);
}

static bool has_template(const struct recipe *r, const char *path, const char *role)
{
	for (size_t i = 0; i < r->n_templates; i++) {
		const struct recipe_template *t = &r->templates[i];

		if (t->path && streq(t->path, path) &&
		    (!t->roles || strv_has(t->roles, role)))
			return true;
	}
	return false;
}

/* Complains about features whose file no template makes. */
static void check_feature_files(const struct recipe *r, struct diag *d)
{
	for (size_t i = 0; i < r->roles.n; i++)
		for (size_t k = 0; k < FEATURE_COUNT; k++) {
			const struct role *role = &r->roles.v[i];
			const struct feature *f = features[k];

			if (!role_has(role, f->id) || !f->file ||
			    has_template(r, f->file, role->name))
				continue;
			diag_add(d,
				 "%s: role '%s': feature '%s' needs a template that "
				 "makes %s: add it to 'templates', or leave the feature "
				 "out",
				 r->roles_where, role->name, f->name, f->file);
		}
}

void recipe_check_templates(struct recipe *r, struct diag *d)
{
	check_feature_files(r, d);
	for (size_t i = 0; i < r->n_templates; i++) {
		const struct recipe_template *t = &r->templates[i];

		if (t->path && t->source && check_names(r, t, d))
			add(r, t, d);
	}
	(void)!host_templates_compile(&r->compiled, &r->roles, NULL, d);
	for (size_t i = 0; i < r->compiled.n; i++) {
		const struct host_template *t = &r->compiled.v[i];
		_cleanup_template_schema_ struct template_schema *s = NULL;

		if (!t->compiled)
			continue;
		s = host_template_schema(t, &r->roles);
		(void)!template_check_samples(t->compiled, s, d);
	}
}
