/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The records tell whether an earlier run finished. Whether a file is right is always
 * decided by reading that file, so that after the loss of a record all files are compared
 * again and nothing else is lost.
 */
#include "firstboot/generation.h"
#include "firstboot/model/conf.h"
#include "firstboot/plan-dirs.h"
#include "lib/root.h"

#define RECORD_MAX (8 * CONF_MAX) /* a quoted configuration and the other keys */

struct record {
	bool there;  /* the file exists, readable or not */
	bool rescue; /* written in rescue mode (apply.c) */
	char *digest;
	char **dirs, **rendered;
	uint64_t number;
};

static void record_done(struct record *r)
{
	free(r->digest);
	strv_free(r->dirs);
	strv_free(r->rendered);
	*r = (struct record){0};
}
#define _cleanup_record_ _cleanup_(record_done)

static void record_read(struct record *ret, const struct firstboot *fb, const char *path)
{
	_cleanup_conf_ struct conf *c = NULL;
	_cleanup_diag_ struct diag d = {0};
	const char *text;
	struct stat st;

	*ret = (struct record){0};
	if (root_stat(fb->rootfd, path, AT_SYMLINK_NOFOLLOW, &st) < 0)
		return;
	ret->there = true;
	if (conf_read_root(&c, fb->rootfd, path, path, RECORD_MAX, &d) < 0)
		return;
	(void)!conf_get_strv(conf_root(c), "directories", &ret->dirs, NULL);
	(void)!conf_get_strv(conf_root(c), "rendered", &ret->rendered, NULL);
	if (conf_get_str(conf_root(c), "plan_sha256", &text, NULL) > 0)
		ret->digest = xstrdup(text);
	if (conf_get_str(conf_root(c), "generation", &text, NULL) > 0 &&
	    str_to_u64(text, UINT64_MAX - 1, &ret->number) < 0)
		ret->number = 0;
	ret->rescue = ret->digest && !conf_member(conf_root(c), "configuration");
}

static int sweep(const struct firstboot *fb)
{
	int r = root_sweep(fb->rootfd, GENERATION_CFG);

	return r < 0 ? r : root_sweep(fb->rootfd, PROGRESS_CFG);
}

static void add_all(struct intern *in, char *const *more)
{
	for (size_t i = 0; more && more[i]; i++)
		intern(in, more[i], NULL);
}

void generation_done(struct generation *g)
{
	intern_done(&g->dirs);
	intern_done(&g->rendered);
	*g = (struct generation){0};
}

int generation_read(struct generation *ret, const struct firstboot *fb,
		    const struct plan *p, struct err *e)
{
	_cleanup_record_ struct record complete = {0}, progress = {0};
	_cleanup_free_ char *text = plan_text(p);
	int r = sweep(fb);

	*ret = (struct generation){0};
	if (r < 0)
		return root_err(e, r, fb->rootfd, STATE_DIR);
	digest_sha256(text, strlen(text), ret->digest);
	record_read(&complete, fb, GENERATION_CFG);
	record_read(&progress, fb, PROGRESS_CFG);
	ret->same = complete.digest && streq(complete.digest, ret->digest);
	ret->interrupted = progress.there;
	ret->rescue = progress.rescue;
	ret->other = progress.there &&
		     !(progress.digest && streq(progress.digest, ret->digest));
	ret->number = complete.number + (ret->same ? 0 : 1);
	add_all(&ret->dirs, complete.dirs);
	add_all(&ret->dirs, progress.dirs);
	add_all(&ret->rendered, complete.rendered);
	add_all(&ret->rendered, progress.rendered);
	return 0;
}

/* Writes PROGRESS_CFG unless it is as wanted. Returns 0 or -errno. */
static int write_progress(const struct generation *g, const struct firstboot *fb,
			  const struct plan *p)
{
	_cleanup_buf_ struct buf b = {0};
	char sha256[DIGEST_LEN];
	int r;

	buf_printf(&b, "generation = \"%llu\";\nplan_sha256 = \"%s\";\n",
		   (unsigned long long)g->number, g->digest);
	if (g->dirs.n > 0)
		conf_append_strv(&b, "directories", g->dirs.texts);
	if (g->rendered.n > 0)
		conf_append_strv(&b, "rendered", g->rendered.texts);
	if (p->config) {
		digest_sha256(p->config, strlen(p->config), sha256);
		buf_printf(&b, "config_sha256 = \"%s\";\nconfiguration : {\n%s};\n",
			   sha256, p->config);
	}
	r = root_mkdir_p(fb->rootfd, STATE_DIR, 0755);
	if (r == 0)
		r = root_update(fb->rootfd, PROGRESS_CFG, b.p, b.len, 0600);
	return r < 0 ? r : 0;
}

/* Returns the entry of the record for these bytes. Owned by the caller. */
static char *rendered_entry(const char *path, const char *data, size_t len)
{
	char sha256[DIGEST_LEN];

	digest_sha256(data, len, sha256);
	return xasprintf("%s %s", path, sha256);
}

static void add_rendered(struct intern *in, const struct plan *p)
{
	for (size_t i = 0; i < p->n_files; i++) {
		const struct plan_file *f = &p->files[i];
		_cleanup_free_ char *entry = NULL;

		if (!f->rendered || f->kind != PLAN_FILE)
			continue;
		entry = rendered_entry(f->path, f->data, strlen(f->data));
		intern(in, entry, NULL);
	}
}

bool generation_has_rendered(const struct generation *g, const struct firstboot *fb,
			     const char *path)
{
	_cleanup_free_ char *text = NULL, *entry = NULL;
	size_t len;

	if (root_read(fb->rootfd, path, TEMPLATE_OUTPUT_MAX, &text, &len) < 0)
		return false;
	entry = rendered_entry(path, text, len);
	return intern_find(&g->rendered, entry, NULL);
}

int generation_begin(struct generation *g, const struct firstboot *fb,
		     const struct plan *p, struct err *e)
{
	_cleanup_intern_ struct intern needed = {0};
	struct intern dirs = {0};
	int r;

	plan_dirs(&needed, p);
	for (size_t i = 0; i < needed.n; i++)
		if (intern_find(&g->dirs, needed.texts[i], NULL) ||
		    root_access(fb->rootfd, needed.texts[i]) == -ENOENT)
			intern(&dirs, needed.texts[i], NULL);
	add_all(&dirs, g->dirs.texts);
	intern_done(&g->dirs);
	g->dirs = dirs;
	add_rendered(&g->rendered, p);
	r = write_progress(g, fb, p);
	return r < 0 ? root_err(e, r, fb->rootfd, PROGRESS_CFG) : 0;
}

int generation_commit(struct generation *g, const struct firstboot *fb,
		      const struct plan *p, struct err *e)
{
	_cleanup_intern_ struct intern needed = {0};
	struct intern dirs = {0};
	int r;

	plan_dirs(&needed, p);
	for (size_t i = 0; i < needed.n; i++)
		if (intern_find(&g->dirs, needed.texts[i], NULL))
			intern(&dirs, needed.texts[i], NULL);
	intern_done(&g->dirs);
	g->dirs = dirs;
	intern_done(&g->rendered);
	add_rendered(&g->rendered, p);
	r = write_progress(g, fb, p);
	if (r == 0)
		r = root_rename(fb->rootfd, PROGRESS_CFG, GENERATION_NAME);
	return r < 0 ? root_err(e, r, fb->rootfd, GENERATION_CFG) : 0;
}

uint64_t generation_number(const struct firstboot *fb)
{
	_cleanup_record_ struct record complete = {0};

	record_read(&complete, fb, GENERATION_CFG);
	return complete.number;
}
