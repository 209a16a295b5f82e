/* SPDX-License-Identifier: Apache-2.0 */
/* The list of an image's templates; host-template-names.c has their names and values. */
#include "firstboot/model/host-template.h"
#include "firstboot/model/feature.h"
#include "lib/root.h"

/* --- lists of templates ------------------------------------------------------------ */

void host_templates_done(struct host_templates *t)
{
	for (size_t i = 0; i < t->n; i++) {
		free(t->v[i].path);
		strv_free(t->v[i].roles);
		strv_free(t->v[i].units);
		free(t->v[i].output);
		free(t->v[i].text);
		free(t->v[i].name);
		template_free(t->v[i].compiled);
	}
	free(t->v);
	*t = (struct host_templates){0};
}

struct host_template *host_templates_add(struct host_templates *t,
					 const struct host_template *from)
{
	struct host_template *new;

	t->v = xgrow(t->v, t->n, sizeof(*t->v));
	new = &t->v[t->n++];
	*new = *from;
	new->path = xstrdup(from->path);
	new->roles = strv_dup(from->roles);
	new->units = strv_dup(from->units);
	new->text = xstrdup(from->text);
	new->name = xstrdup(from->name);
	new->compiled = NULL;
	new->output = NULL;
	return new;
}

static int read_entry(struct host_templates *ret, int rootfd, const struct conf_node *n,
		      struct diag *d)
{
	const char *path = NULL, *mode = NULL, *format = NULL, *file = NULL;
	_cleanup_free_ char *at = NULL, *text = NULL;
	_cleanup_strv_ char **roles = NULL, **units = NULL;
	struct host_template t = {0};
	size_t before = d->n, len = 0;
	int r;

	if (conf_get_str(n, "path", &path, d) <= 0 || path[0] != '/' ||
	    conf_get_str(n, "mode", &mode, d) <= 0 || str_to_mode(mode, &t.mode) < 0 ||
	    conf_get_str(n, "format", &format, d) <= 0 ||
	    template_format_parse(format, &t.format) < 0 ||
	    conf_get_str(n, "text", &file, d) <= 0 || strchr(file, '/') ||
	    conf_get_strv(n, "roles", &roles, d) < 0 ||
	    conf_get_strv(n, "units", &units, d) < 0)
		return d->n > before
			       ? -1
			       : conf_complain(
					 n, d,
					 "must be a template: { path = ...; mode = ...; "
					 "format = ...; text = ...; }");
	at = xasprintf(TEMPLATES_DIR "/%s", file);
	r = root_read(rootfd, at, TEMPLATE_MAX, &text, &len);
	if (r < 0)
		return conf_complain(n, d, "/%s: %s", at, strerror(-r));
	if (strlen(text) < len)
		return conf_complain(n, d, "/%s: has a zero byte, and is no text", at);
	t.path = (char *)path;
	t.roles = roles;
	t.units = units;
	t.text = text;
	t.name = (char *)path;
	host_templates_add(ret, &t);
	return 0;
}

int host_templates_read(struct host_templates *ret, int rootfd, struct diag *d)
{
	_cleanup_conf_ struct conf *c = NULL;
	const struct conf_node *list = NULL;
	int r = 0;

	*ret = (struct host_templates){0};
	if (root_access(rootfd, TEMPLATES_CFG) == -ENOENT)
		return 0;
	if (conf_read_root(&c, rootfd, TEMPLATES_CFG, TEMPLATES_CFG, CONF_MAX_IMAGE, d) <
		    0 ||
	    conf_get_list(conf_root(c), "templates", &list, d) < 0)
		return -1;
	for (size_t i = 0; i < conf_len(list); i++)
		if (read_entry(ret, rootfd, conf_at(list, i), d) < 0)
			r = -1;
	return r;
}

bool host_template_is_for(const struct host_template *t, const struct role *role)
{
	return !t->roles || strv_has(t->roles, role->name);
}

/* --- compiling and rendering ------------------------------------------------------- */

static int check_sizes(const struct host_templates *t, const struct roles *roles,
		       struct diag *d)
{
	size_t bytes = 0;

	if (t->n > HOST_TEMPLATES_MAX || (t->n > 0 && roles->n > HOST_TEMPLATES_MAX))
		return diag_add(d,
				"%zu templates and %zu roles are too many: at most %d of "
				"each are allowed",
				t->n, roles->n, HOST_TEMPLATES_MAX);
	for (size_t i = 0; i < t->n; i++)
		bytes += strlen(t->v[i].text);
	if (bytes > HOST_TEMPLATES_TEXT_MAX)
		return diag_add(d,
				"all templates together have %zu bytes: at most %d are "
				"allowed",
				bytes, HOST_TEMPLATES_TEXT_MAX);
	return 0;
}

int host_templates_compile(struct host_templates *t, const struct roles *roles,
			   const struct role *role, struct diag *d)
{
	int r = 0;

	if (check_sizes(t, roles, d) < 0)
		return -1;
	for (size_t i = 0; i < t->n; i++) {
		_cleanup_template_schema_ struct template_schema *s = NULL;

		template_free(t->v[i].compiled);
		t->v[i].compiled = NULL;
		if (role && !host_template_is_for(&t->v[i], role))
			continue;
		s = host_template_schema(&t->v[i], roles);
		if (template_compile(&t->v[i].compiled, t->v[i].text,
				     strlen(t->v[i].text), t->v[i].name, t->v[i].format,
				     s, d) < 0)
			r = -1;
		else
			t->v[i].shared = !template_uses_below(t->v[i].compiled, "host") &&
					 !template_uses_below(t->v[i].compiled, "role");
	}
	return r;
}

const char *host_templates_use_hosts(const struct host_templates *t,
				     const struct role *role)
{
	for (size_t i = 0; i < t->n; i++)
		if (t->v[i].compiled && (!role || host_template_is_for(&t->v[i], role)) &&
		    template_uses_below(t->v[i].compiled, "hosts"))
			return t->v[i].name;
	return NULL;
}

static int render_one(const struct host_template *t, const struct template_values *values,
		      char **ret, struct diag *d)
{
	struct err e;

	if (template_render(t->compiled, values, ret, &e) < 0)
		return diag_add(d, "the template %s", e.msg);
	return 0;
}

int host_templates_render(struct host_templates *t, const struct host *h,
			  const struct roles *roles, struct template_values *values,
			  struct diag *d)
{
	const struct role *role = roles_find(roles, h->role);
	int r = 0;

	host_template_values_set(values, h, roles);
	for (size_t i = 0; i < t->n; i++) {
		struct host_template *one = &t->v[i];

		free(one->output);
		one->output = NULL;
		if (!one->compiled || !host_template_is_for(one, role))
			continue;
		if (render_one(one, values, &one->output, d) < 0)
			r = -1;
	}
	return r;
}

int host_templates_check(const struct host_templates *t, const struct host *h,
			 const struct roles *roles, struct template_values *values,
			 bool *checked, struct diag *d)
{
	const struct role *role = roles_find(roles, h->role);
	int r = 0;

	host_template_values_set(values, h, roles);
	for (size_t i = 0; i < t->n; i++) {
		const struct host_template *one = &t->v[i];
		_cleanup_free_ char *output = NULL;

		if (checked[i] || !one->compiled || !host_template_is_for(one, role))
			continue;
		checked[i] = one->shared;
		if (render_one(one, values, &output, d) < 0)
			r = -1;
	}
	return r;
}
