/* SPDX-License-Identifier: Apache-2.0 */
/* Compares files by their digests: a record has no texts. */
#include "firstboot/plan/stale.h"
#include "firstboot/model/feature.h"
#include "firstboot/model/sha256.h"
#include "firstboot/plan/feature.h"
#include "firstboot/plan/plan-files.h"

/* --- the record ------------------------------------------------------------------- */

static char *input(const struct plan_file *f)
{
	char sha256[DIGEST_LEN] = "none";

	if (f->kind == PLAN_FILE || f->kind == PLAN_FALLBACK)
		digest_sha256(f->data, strlen(f->data), sha256);
	return xasprintf("%s %s", f->path, sha256);
}

/* Returns the setting of a feature with its name. Owned by the caller; NULL when it has
 * none. */
static char *setting(const struct plan *p, const struct feature_plan *f)
{
	_cleanup_free_ char *text = NULL;

	if (!f->setting || !(p->features & FEATURE_BIT(f->id)))
		return NULL;
	text = f->setting(p);
	return xasprintf("%s %s", features[f->id]->name, text);
}

void plan_record_make(struct plan_record *ret, const struct plan *p)
{
	struct strv_builder settings = {0}, inputs = {0};

	for (size_t i = 0; feature_plans[i]; i++) {
		_cleanup_free_ char *text = setting(p, feature_plans[i]);

		if (text)
			strv_builder_add(&settings, text);
	}
	for (size_t i = 0; i < p->n_files; i++) {
		_cleanup_free_ char *in = NULL;

		if (p->files[i].kind == PLAN_DIR)
			continue;
		in = input(&p->files[i]);
		strv_builder_add(&inputs, in);
	}
	*ret = (struct plan_record){
		.target = xstrdup(p->target),
		.settings = strv_builder_take(&settings),
		.inputs = strv_builder_take(&inputs),
	};
}

void plan_record_done(struct plan_record *r)
{
	free(r->target);
	strv_free(r->settings);
	strv_free(r->inputs);
	*r = (struct plan_record){0};
}

/* --- differences ------------------------------------------------------------------ */

char **plan_changed_files(const struct plan_record *r, const struct plan *p)
{
	struct strv_builder v = {0};

	for (size_t i = 0; i < p->n_files; i++) {
		_cleanup_free_ char *in = NULL;

		if (p->files[i].kind == PLAN_DIR)
			continue;
		in = input(&p->files[i]);
		if (!strv_has(r->inputs, in))
			strv_builder_add(&v, p->files[i].path);
	}
	return strv_builder_take(&v);
}

/* Returns true when a feature has another setting than the record, or is new. */
static bool settings_changed(const struct plan_record *r, const struct plan *p)
{
	size_t n = 0;

	for (size_t i = 0; feature_plans[i]; i++) {
		_cleanup_free_ char *text = setting(p, feature_plans[i]);

		if (text && !strv_has(r->settings, text))
			return true;
		n += text != NULL;
	}
	return n != strv_len(r->settings);
}

static bool differs(const struct plan_record *r, const struct plan *p, char *const *paths)
{
	return paths || settings_changed(r, p) || !streq(r->target, p->target);
}

bool plan_record_differs(const struct plan_record *r, const struct plan *p)
{
	_cleanup_strv_ char **paths = plan_changed_files(r, p);

	return differs(r, p, paths);
}

/* --- units to restart ------------------------------------------------------------- */

static void add_unit(struct strv_builder *v, const char *unit)
{
	if (!strv_has(v->v, unit))
		strv_builder_add(v, unit);
}

/* Adds networkd when one of its files changed. */
static void add_networkd(struct strv_builder *v, char *const *paths)
{
	for (size_t i = 0; paths && paths[i]; i++)
		if (str_after(paths[i], NETWORK_DIR))
			add_unit(v, "systemd-networkd.service");
}

/* Adds units of the role that depend on settings of features. */
static void add_features(struct strv_builder *v, const struct plan_record *r,
			 const struct plan *p, char *const *paths)
{
	for (size_t i = 0; feature_plans[i]; i++) {
		const struct feature_plan *f = feature_plans[i];
		_cleanup_free_ char *text = setting(p, f);

		if (f->unit && strv_has(p->units, f->unit) &&
		    ((text && !strv_has(r->settings, text)) ||
		     (f->reads && strv_has(paths, f->reads))))
			add_unit(v, f->unit);
	}
}

/* Adds the units that a changed file names. */
static void add_named(struct strv_builder *v, const struct plan *p, char *const *paths)
{
	for (size_t i = 0; i < p->n_files; i++) {
		char *const *units = p->files[i].units;

		if (!units || !strv_has(paths, p->files[i].path))
			continue;
		for (size_t k = 0; units[k]; k++)
			add_unit(v, units[k]);
	}
}

/* Returns true when the unit reads one of these files (paths below the root). */
static bool reads_one(const struct unit_files *u, char *const *paths)
{
	for (size_t i = 0; paths && paths[i]; i++) {
		_cleanup_free_ char *absolute = xasprintf("/%s", paths[i]);

		if (strv_has(u->files, absolute))
			return true;
	}
	return false;
}

char **plan_stale(const struct plan_record *r, const struct plan *p,
		  const struct unit_files *reads, size_t n)
{
	_cleanup_strv_ char **paths = plan_changed_files(r, p);
	struct strv_builder v = {0};

	if (!differs(r, p, paths))
		return NULL;
	add_networkd(&v, paths);
	add_features(&v, r, p, paths);
	add_named(&v, p, paths);
	for (size_t i = 0; i < n; i++)
		if (strv_has(p->units, reads[i].unit) && reads_one(&reads[i], paths))
			add_unit(&v, reads[i].unit);
	add_unit(&v, "rackstrap-report.service");
	return strv_builder_take(&v);
}

char **plan_boot_files(const struct plan_record *r, const struct plan *p)
{
	_cleanup_strv_ char **paths = plan_changed_files(r, p);
	struct strv_builder v = {0};

	for (size_t i = 0; paths && paths[i]; i++)
		if (str_after(paths[i], NETWORK_DIR) && str_ends(paths[i], ".netdev"))
			strv_builder_add(&v, paths[i]);
	return strv_builder_take(&v);
}

/* --- settings of the running system ------------------------------------------------ */

/* Returns what the function makes of a plan: "" for one without the feature. Owned by the
 * caller. */
static char *text_of(void (*text)(struct buf *b, const struct plan *p),
		     const struct plan *p, enum feature_id id)
{
	_cleanup_buf_ struct buf b = {0};

	if (text && p->features & FEATURE_BIT(id))
		text(&b, p);
	return buf_take(&b);
}

static bool texts_differ(void (*text)(struct buf *b, const struct plan *p),
			 const struct plan *old, const struct plan *new,
			 enum feature_id id)
{
	_cleanup_free_ char *was = text_of(text, old, id), *is = text_of(text, new, id);

	return !streq(was, is);
}

char **plan_changed_features(const struct plan *old, const struct plan *new,
			     char ***ret_remote)
{
	struct strv_builder v = {0}, remote = {0};

	for (size_t i = 0; feature_plans[i]; i++) {
		const struct feature_plan *f = feature_plans[i];

		if (texts_differ(f->text, old, new, f->id))
			strv_builder_add(&v, features[f->id]->name);
		if (texts_differ(f->remote, old, new, f->id))
			strv_builder_add(&remote, features[f->id]->name);
	}
	*ret_remote = strv_builder_take(&remote);
	return strv_builder_take(&v);
}

char **plan_boot_features(const struct plan *old, const struct plan *new)
{
	struct strv_builder v = {0};

	for (size_t i = 0; feature_plans[i]; i++) {
		const struct feature_plan *f = feature_plans[i];

		if (f->keeps && (old->features & new->features) & FEATURE_BIT(f->id) &&
		    f->keeps(old, new))
			strv_builder_add(&v, features[f->id]->name);
	}
	return strv_builder_take(&v);
}
