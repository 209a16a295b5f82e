/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Compares files by their content in the plan: the files step has written them by then.
 */
#include "firstboot/live.h"
#include "firstboot/feature.h"
#include "firstboot/model/conf.h"
#include "firstboot/model/feature.h"
#include "firstboot/model/sha256.h"
#include "firstboot/plan-files.h"
#include "firstboot/state.h"
#include "firstboot/units.h"
#include "lib/root.h"

#define LIVE_MAX (4 * CONF_MAX)

void live_read(struct live *ret, const struct firstboot *fb)
{
	_cleanup_conf_ struct conf *c = NULL;
	_cleanup_diag_ struct diag d = {0};
	const char *target = NULL;

	*ret = (struct live){0};
	if (root_access(fb->rootfd, LIVE_CFG) < 0 ||
	    conf_read_root(&c, fb->rootfd, LIVE_CFG, LIVE_CFG, LIVE_MAX, &d) < 0)
		return;
	(void)!conf_get_str(conf_root(c), "target", &target, NULL);
	(void)!conf_get_strv(conf_root(c), "settings", &ret->settings, NULL);
	(void)!conf_get_strv(conf_root(c), "inputs", &ret->inputs, NULL);
	ret->there = target != NULL;
	ret->target = xstrdup(target);
}

void live_done(struct live *l)
{
	free(l->target);
	strv_free(l->settings);
	strv_free(l->inputs);
	*l = (struct live){0};
}

static char *input(const struct plan_file *f)
{
	char sha256[DIGEST_LEN] = "none";

	if (f->kind == PLAN_FILE || f->kind == PLAN_FALLBACK)
		digest_sha256(f->data, strlen(f->data), sha256);
	return xasprintf("%s %s", f->path, sha256);
}

/* Returns the setting of a feature with its name. Owned by the caller; NULL when it has
 * none. */
static char *setting(const struct plan *p, const struct feature_code *code)
{
	_cleanup_free_ char *text = NULL;

	if (!code->setting || !(p->features & FEATURE_BIT(code->id)))
		return NULL;
	text = code->setting(p);
	return xasprintf("%s %s", features[code->id]->name, text);
}

int live_write(const struct firstboot *fb, const struct plan *p, struct err *e)
{
	_cleanup_buf_ struct buf b = {0};
	const char *comma = "";

	buf_puts(&b, "target = ");
	conf_quote(&b, p->target);
	buf_puts(&b, ";\nsettings = [");
	for (size_t i = 0; feature_codes[i]; i++) {
		_cleanup_free_ char *text = setting(p, feature_codes[i]);

		if (!text)
			continue;
		buf_printf(&b, "%s ", comma);
		conf_quote(&b, text);
		comma = ",";
	}
	buf_puts(&b, " ];\ninputs = [");
	comma = "";
	for (size_t i = 0; i < p->n_files; i++) {
		_cleanup_free_ char *in = NULL;

		if (p->files[i].kind == PLAN_DIR)
			continue;
		in = input(&p->files[i]);
		buf_printf(&b, "%s\n\t", comma);
		conf_quote(&b, in);
		comma = ",";
	}
	buf_puts(&b, " ];\n");
	return run_file_write(fb, LIVE_CFG, b.p, 0600, e);
}

/* --- units to restart --------------------------------------------------------------- */

static void add_unit(char ***v, const char *unit)
{
	if (!strv_has(*v, unit))
		strv_add(v, unit);
}

static char **changed_paths(const struct live *l, const struct plan *p)
{
	char **v = NULL;

	for (size_t i = 0; i < p->n_files; i++) {
		_cleanup_free_ char *in = NULL;

		if (p->files[i].kind == PLAN_DIR)
			continue;
		in = input(&p->files[i]);
		if (!strv_has(l->inputs, in))
			strv_add(&v, p->files[i].path);
	}
	return v;
}

/* Adds networkd when one of its files changed. */
static void add_networkd(char ***v, char *const *paths)
{
	for (size_t i = 0; paths && paths[i]; i++)
		if (str_after(paths[i], NETWORK_DIR))
			add_unit(v, "systemd-networkd.service");
}

/* Adds units of the role that depend on settings of features. */
static void add_features(char ***v, const struct live *l, const struct plan *p,
			 char *const *paths)
{
	for (size_t i = 0; feature_codes[i]; i++) {
		const struct feature_code *code = feature_codes[i];
		_cleanup_free_ char *text = setting(p, code);

		if (code->unit && strv_has(p->units, code->unit) &&
		    ((text && !strv_has(l->settings, text)) ||
		     (code->reads && strv_has(paths, code->reads))))
			add_unit(v, code->unit);
	}
}

/* Adds the units that a changed file names. */
static void add_named(char ***v, const struct plan *p, char *const *paths)
{
	for (size_t i = 0; i < p->n_files; i++) {
		char *const *units = p->files[i].units;

		if (!units || !strv_has(paths, p->files[i].path))
			continue;
		for (size_t k = 0; units[k]; k++)
			add_unit(v, units[k]);
	}
}

/* Returns true when a feature has another setting than the record, or is new. */
static bool settings_changed(const struct live *l, const struct plan *p)
{
	size_t n = 0;

	for (size_t i = 0; feature_codes[i]; i++) {
		_cleanup_free_ char *text = setting(p, feature_codes[i]);

		if (text && !strv_has(l->settings, text))
			return true;
		n += text != NULL;
	}
	return n != strv_len(l->settings);
}

/* Returns true when the unit reads one of these files (paths below the root). */
static bool reads_one(const struct unit *u, char *const *paths)
{
	for (size_t i = 0; paths && paths[i]; i++) {
		_cleanup_free_ char *absolute = xasprintf("/%s", paths[i]);

		if (strv_has(u->environment, absolute))
			return true;
	}
	return false;
}

int live_stale(char ***ret, const struct live *l, const struct plan *p, struct err *e)
{
	_cleanup_strv_ char **paths = changed_paths(l, p), **v = NULL;
	_cleanup_units_ struct units u = {0};

	*ret = NULL;
	if (!paths && !settings_changed(l, p) && streq(l->target, p->target))
		return 0;
	if (units_query(&u, p->units, e) < 0)
		return -1;
	add_networkd(&v, paths);
	add_features(&v, l, p, paths);
	add_named(&v, p, paths);
	for (size_t i = 0; i < u.n; i++)
		if (reads_one(&u.v[i], paths))
			add_unit(&v, u.v[i].name);
	add_unit(&v, "rackstrap-report.service");
	*ret = TAKE_PTR(v);
	return 0;
}
