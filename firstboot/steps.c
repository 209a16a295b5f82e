/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Secrets are the first step: a host that lacks one is not configured in part. Files are
 * made next, because all units read them; the role's target is started last, because then
 * the host is complete. Each file is replaced as a whole and only when it
 * differs.
 *
 * Files are replaced one by one, so that after a power cut some are new and some are old
 * (generation.h). The next boot replaces the old ones before any unit reads them.
 */
#include "firstboot/steps.h"
#include "firstboot/feature.h"
#include "firstboot/generation.h"
#include "firstboot/live.h"
#include "firstboot/plan-dirs.h"
#include "firstboot/secrets.h"
#include "lib/file.h"
#include "lib/log.h"
#include "lib/root.h"
#include "lib/run.h"

#define OLD_FILE_MAX (1024 * 1024)

/* --- files ------------------------------------------------------------------------ */

/* Returns 1 when a file begins with PLAN_MARK, so that it may be removed; 0 when it does
 * not or is absent; -errno. */
static int is_ours(int rootfd, const char *path)
{
	_cleanup_free_ char *text = NULL;
	int r = root_read(rootfd, path, OLD_FILE_MAX, &text, NULL);

	if (r == -ENOENT || r == -EFBIG || r == -ENOTDIR || r == -ELOOP || r == -EINVAL)
		return 0;
	return r < 0 ? r : str_after(text, PLAN_MARK "\n") != NULL;
}

/*
 * Returns the path for a fallback: `path` itself, or, when that is a link to below /run,
 * the target of the link. A program that starts later will replace that target by its own
 * file; until then the link must not dangle. Owned by the caller.
 */
static char *fallback_path(int rootfd, const char *path)
{
	_cleanup_free_ char *target = NULL;
	const char *at;

	if (root_readlink(rootfd, path, &target) < 0)
		return xstrdup(path);
	at = target;
	while (str_after(at, "../"))
		at = str_after(at, "../");
	at += *at == '/';
	return xstrdup(str_after(at, "run/") && !strstr(at, "..") ? at : path);
}

/* Returns 1 when the fallback may be written: there is no file, or one with PLAN_MARK; 0
 * when there is another file; -errno. */
static int fallback_is_ours(int rootfd, const char *path)
{
	int r = root_access(rootfd, path);

	if (r == -ENOENT || r == -ENOTDIR || r == -ELOOP)
		return 1;
	return r < 0 ? r : is_ours(rootfd, path);
}

static bool dir_is(int rootfd, const char *path, mode_t mode)
{
	struct stat st;

	return root_stat(rootfd, path, 0, &st) == 0 && S_ISDIR(st.st_mode) &&
	       (st.st_mode & 07777) == mode;
}

/* Returns as file_differs(), for PLAN_FALLBACK. */
static int fallback_differs(int rootfd, const struct plan_file *f)
{
	_cleanup_free_ char *path = fallback_path(rootfd, f->path);
	int r = fallback_is_ours(rootfd, path);

	return r > 0 ? !root_file_is(rootfd, path, f->data, strlen(f->data), f->mode) : r;
}

/* Returns 1 when the file is not as planned, 0 when it is, or -errno. */
static int file_differs(int rootfd, const struct plan_file *f)
{
	switch (f->kind) {
	case PLAN_DIR:
		return !dir_is(rootfd, f->path, f->mode);
	case PLAN_FILE:
		return !root_file_is(rootfd, f->path, f->data, strlen(f->data), f->mode);
	case PLAN_FALLBACK:
		return fallback_differs(rootfd, f);
	case PLAN_REMOVE:
		return f->rendered ? 0 : is_ours(rootfd, f->path); /* remove_rendered() */
	}
	return 0;
}

static int make_dir(int rootfd, const char *path, mode_t mode)
{
	int r = root_mkdir_p(rootfd, path, mode);

	return r < 0 || dir_is(rootfd, path, mode) ? r
						   : root_chmod_dir(rootfd, path, mode);
}

static int write_file(int rootfd, const struct plan_file *f, const char *path)
{
	_cleanup_free_ char *dir = xstrdup(path);
	char *slash = strrchr(dir, '/');
	int r = 0;

	if (slash) {
		*slash = '\0';
		r = root_mkdir_p(rootfd, dir, 0755);
	}
	if (r < 0)
		return r;
	return root_write(rootfd, path, f->data, strlen(f->data), f->mode);
}

static int make_file(int rootfd, const struct plan_file *f)
{
	_cleanup_free_ char *fallback = NULL;

	switch (f->kind) {
	case PLAN_DIR:
		return make_dir(rootfd, f->path, f->mode);
	case PLAN_FILE:
		return write_file(rootfd, f, f->path);
	case PLAN_FALLBACK:
		fallback = fallback_path(rootfd, f->path);
		return write_file(rootfd, f, fallback);
	case PLAN_REMOVE:
		return root_remove(rootfd, f->path);
	}
	return 0;
}

/* Makes the file as planned. Returns 1 when it was changed, 0 when it was right, or
 * -1. */
static int do_file(int rootfd, const struct plan_file *f, struct err *e)
{
	int r = file_differs(rootfd, f);
	bool differs = r > 0;

	if (differs)
		r = make_file(rootfd, f);
	if (r < 0)
		return root_err(e, r, rootfd, f->path);
	if (differs)
		log_debug("/%s: %s", f->path,
			  f->kind == PLAN_REMOVE ? "removed" : "written");
	return differs;
}

/* Returns true when a file differs or cannot be read; making it then gives the error. */
static bool files_differ(const struct firstboot *fb, const struct plan *p)
{
	for (size_t i = 0; i < p->n_files; i++)
		if (file_differs(fb->rootfd, &p->files[i]) != 0)
			return true;
	return false;
}

/* Makes all files. Stops at the first failure, or with `go_on` continues and reports it
 * at the end. Returns the number of changed files, or -1. */
static int do_files(const struct firstboot *fb, const struct plan *p, bool go_on,
		    struct err *e)
{
	int changed = 0;
	bool failed = false;

	for (size_t i = 0; i < p->n_files; i++) {
		struct err one;
		int r = do_file(fb->rootfd, &p->files[i], failed ? &one : e);

		if (r < 0 && !go_on)
			return -1;
		if (r < 0)
			failed = true;
		else
			changed += r;
	}
	return failed ? -1 : changed;
}

/* Removes temporary files of an interrupted run, beside every file of the plan. */
static int sweep(const struct firstboot *fb, const struct plan *p, struct err *e)
{
	for (size_t i = 0; i < p->n_files; i++) {
		int r = root_sweep(fb->rootfd, p->files[i].path);

		if (r < 0)
			return root_err(e, r, fb->rootfd, p->files[i].path);
	}
	return 0;
}

static bool is_planned(const struct plan *p, const char *path)
{
	for (size_t i = 0; i < p->n_files; i++)
		if (p->files[i].kind == PLAN_FILE && streq(p->files[i].path, path))
			return true;
	return false;
}

/* Removes files that an earlier configuration had from templates. One that was changed
 * since, or that the image has under this name, stays. Returns their number, or -1. */
static int remove_rendered(const struct firstboot *fb, const struct plan *p,
			   const struct generation *g, struct err *e)
{
	int removed = 0;

	for (size_t i = 0; i < g->rendered.n; i++) {
		const char *entry = g->rendered.texts[i], *end = strrchr(entry, ' ');
		size_t len = end ? (size_t)(end - entry) : strlen(entry);
		_cleanup_free_ char *path = xstrndup(entry, len);
		int r;

		if (is_planned(p, path) || !generation_has_rendered(g, fb, path))
			continue;
		r = root_remove(fb->rootfd, path);
		if (r < 0)
			return root_err(e, r, fb->rootfd, path);
		log_debug("/%s: removed", path);
		removed++;
	}
	return removed;
}

/* Removes empty directories that an earlier configuration needed. Returns their number,
 * or -1. */
static int remove_dirs(const struct firstboot *fb, const struct plan *p,
		       const struct generation *g, struct err *e)
{
	_cleanup_intern_ struct intern left = {0};
	int removed = 0;

	plan_dirs_left(&left, p);
	for (size_t i = left.n; i > 0; i--) { /* children first */
		const char *dir = left.texts[i - 1];
		int r = intern_find(&g->dirs, dir, NULL)
				? root_remove_dir(fb->rootfd, dir)
				: 0;

		if (r < 0)
			return root_err(e, r, fb->rootfd, dir);
		if (r > 0)
			log_debug("/%s: removed", dir);
		removed += r;
	}
	return removed;
}

static int step_files(const struct firstboot *fb, const struct plan *p, struct err *e)
{
	_cleanup_generation_ struct generation g = {0};
	int changed, removed, r;

	if (generation_read(&g, fb, p, e) < 0)
		return -1;
	if (g.same && !g.interrupted && !files_differ(fb, p))
		return 0;
	if (g.interrupted && !g.rescue)
		log_warn("an earlier run was interrupted%s: rewriting all files to "
			 "generation %llu",
			 g.other ? " while writing another configuration" : "",
			 (unsigned long long)g.number);
	if (generation_begin(&g, fb, p, e) < 0 || (g.interrupted && sweep(fb, p, e) < 0))
		return -1;
	changed = do_files(fb, p, false, e);
	if (changed < 0)
		return -1;
	r = remove_rendered(fb, p, &g, e);
	if (r < 0)
		return -1;
	changed += r;
	removed = remove_dirs(fb, p, &g, e);
	if (removed < 0 || generation_commit(&g, fb, p, e) < 0)
		return -1;
	return changed + removed;
}

int steps_files(const struct firstboot *fb, const struct plan *p, struct err *e)
{
	_cleanup_generation_ struct generation g = {0};
	bool noted = generation_read(&g, fb, p, e) == 0 &&
		     (!g.interrupted || sweep(fb, p, e) == 0) &&
		     generation_begin(&g, fb, p, e) == 0;
	struct err files;
	int changed = do_files(fb, p, true, &files);

	if (changed < 0)
		return err_set(e, files.code, "%s", files.msg);
	return noted ? changed : -1;
}

/* --- the running system ----------------------------------------------------------- */

static int step_hostname(const struct firstboot *fb _unused_, const struct plan *p,
			 struct err *e)
{
	char now[256] = "";

	if (gethostname(now, sizeof(now) - 1) == 0 && streq(now, p->hostname))
		return 0;
	if (sethostname(p->hostname, strlen(p->hostname)) < 0)
		return err_errno(e, errno, "hostname");
	return 1;
}

/*
 * Stops the target of another role, and waits for it, before the settings of its
 * features are removed. The targets conflict, but when systemd 252 stops one and starts
 * the other in one transaction, it stops the units of both roles and drops their start,
 * because the new target only wants them.
 */
static int step_leave(const struct firstboot *fb, const struct plan *p, struct err *e)
{
	_cleanup_live_ struct live l = {0};

	live_read(&l, fb);
	if (!l.there || streq(l.record.target, p->target))
		return 0;
	const char *const argv[] = {"systemctl", "stop", l.record.target, NULL};

	return run_argv(argv, e) < 0 ? -1 : 1;
}

/* Returns true when the host had another role in this boot. */
static bool role_changed(const struct firstboot *fb, const struct plan *p)
{
	_cleanup_live_ struct live l = {0};

	live_read(&l, fb);
	return l.there && !streq(l.record.target, p->target);
}

static int step_features(const struct firstboot *fb, const struct plan *p, struct err *e)
{
	bool another = role_changed(fb, p);
	int changed = 0;

	for (size_t i = 0; feature_codes[i]; i++) {
		const struct feature_code *code = feature_codes[i];
		bool has = p->features & FEATURE_BIT(code->id);
		int r = 0;

		if (has && code->apply)
			r = code->apply(fb, p, e);
		else if (!has && another && code->remove)
			r = code->remove(e);
		if (r < 0)
			return -1;
		changed += r;
	}
	return changed;
}

/* Warns about settings that networkd does not change on a running host. */
static void warn_boot_files(const struct firstboot *fb, const struct live *l,
			    const struct plan *p)
{
	_cleanup_strv_ char **paths = plan_boot_files(&l->record, p);
	_cleanup_free_ char *names = paths ? strv_join(paths, " /") : NULL;

	if (names)
		console_line(fb,
			     "boot this host again: /%s changed, which networkd "
			     "applies to new devices only",
			     names);
}

/* Restarts units whose settings changed. Uses try-restart, which does not start a unit
 * that does not run. */
static int step_restart(const struct firstboot *fb, const struct plan *p, struct err *e)
{
	_cleanup_strv_ char **argv = NULL, **units = NULL;
	_cleanup_live_ struct live l = {0};
	_cleanup_free_ char *names = NULL;

	live_read(&l, fb);
	if (!l.there)
		return 0;
	warn_boot_files(fb, &l, p);
	if (live_stale(&units, &l, p, e) < 0)
		return -1;
	if (!units)
		return 0;
	names = strv_join(units, " ");
	log_info("restarting units whose settings changed: %s", names);
	strv_add(&argv, "systemctl");
	strv_add(&argv, "try-restart");
	strv_add(&argv, "--no-block");
	strv_extend(&argv, units);
	return run_argv((const char *const *)argv, e) < 0 ? -1 : (int)strv_len(units);
}

/* Starts the target without waiting: its units are ordered after the unit of this
 * program. */
static int step_start(const struct firstboot *fb, const struct plan *p, struct err *e)
{
	const char *const argv[] = {"systemctl", "start", "--no-block", p->target, NULL};

	return run_argv(argv, e) < 0 ? -1 : live_write(fb, p, e);
}

const struct step steps[] = {
	{"secrets", false, secrets_apply}, {"files", false, step_files},
	{"hostname", true, step_hostname}, {"leave", true, step_leave},
	{"features", true, step_features}, {"restart", true, step_restart},
	{"start", true, step_start},
};
const size_t n_steps = ARRAY_SIZE(steps);

int steps_run(const struct firstboot *fb, const struct plan *p, struct err *e)
{
	int changed = 0;

	for (size_t i = 0; i < n_steps; i++) {
		uint64_t start = now_ms();
		int r;

		if (steps[i].live && !fb->live)
			continue;
		r = steps[i].run(fb, p, e);
		if (r < 0)
			return -1;
		changed += r;
		log_debug("%s: %d changed, %u ms", steps[i].name, r,
			  (unsigned)(now_ms() - start));
	}
	return changed;
}
