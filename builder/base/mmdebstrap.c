/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Runs mmdebstrap. Its variant "essential" leaves apt out of the image: an image is
 * replaced as a whole, and nothing is installed on a node. mmdebstrap's hook
 * maybe-merged-usr merges /usr from the start, so that the suite's package usrmerge,
 * which needs perl, is not installed.
 *
 * mmdebstrap runs programs of the tree: maintainer scripts, and the distribution's
 * initramfs-tools, which makes the initrd. It therefore runs in a sandbox as a whole, as
 * root of it (its mode "root"), without network: the packages are in an archive on this
 * machine (debs.h). The configuration of initramfs-tools (a tar laid over the tree) is in
 * place before the kernel package is configured.
 *
 * mmdebstrap writes the tree as a tar into a pipe that base_split() reads, and its
 * messages into a log in the folder of the base. Programs of the base write to that log,
 * too; people read a copy that is harmless on a terminal (base-log.h). mmdebstrap's
 * folder is below $TMPDIR.
 */
#include "builder/base/mmdebstrap.h"

#include "builder/base/base-log.h"
#include "builder/base/base-split.h"
#include "builder/base/deb-files.h"
#include "builder/base/debs.h"
#include "builder/base/hooks.h"
#include "builder/common/archive.h"
#include "builder/common/leftovers.h"
#include "builder/common/progress.h"
#include "builder/common/sandbox.h"
#include "builder/common/space.h"
#include "builder/common/temp-file.h"
#include "lib/dir.h"
#include "lib/file.h"
#include "lib/log.h"
#include "lib/run.h"
#include "lib/text.h"
#include "lib/url.h"
#include "pxe/variables.h"

#include <poll.h>
#include <sys/stat.h>

#define MERGED_USR_HOOK "/usr/share/mmdebstrap/hooks/maybe-merged-usr"
#define INITRAMFS       "usr/share/initramfs-tools"
#define LOG_MAX         (16 << 20) /* bytes at its end that are kept */
#define FOLLOW_MS       100
#define LOG_END         (1 << 20) /* of them, those that are looked at for an error */
#define LOG_LINES       3         /* of the log, in an error */
#define LOG_LINE_MAX    500       /* bytes of each, which leaves room for the rest */

/* mmdebstrap starts apt, dpkg, tar and a filter in Python by their bare names. With the
 * distribution's own folders alone it gets the versions that it is tested with, whatever
 * the operator's PATH has. */
#define SYSTEM_PATH "PATH=/usr/sbin:/usr/bin:/sbin:/bin"

/* --- the overlay for initramfs-tools ----------------------------------------------- */

static int append_file(struct archive_out *out, const char *path, unsigned mode,
		       int64_t mtime, const char *text, struct err *e)
{
	struct entry entry = {.type = ENTRY_FILE,
			      .path = path,
			      .mode = mode,
			      .size = strlen(text),
			      .mtime = mtime};

	if (archive_out_entry(out, &entry, e) < 0)
		return -1;
	return archive_out_data(out, text, strlen(text), e);
}

static char *initramfs_conf(const struct recipe_initramfs *i)
{
	return xasprintf("MODULES=%s\nCOMPRESS=%s\n%s",
			 i->policy == INITRAMFS_MOST ? "most" : "list", i->compress,
			 streq(i->compress, "zstd") ? "COMPRESSLEVEL=19\n" : "");
}

static char *initramfs_modules(const struct recipe_initramfs *i)
{
	struct buf b = {0};

	for (size_t k = 0; i->modules && i->modules[k]; k++)
		buf_printf(&b, "%s\n", i->modules[k]);
	return buf_take(&b);
}

static char *initramfs_hook(const struct recipe_initramfs *i)
{
	_cleanup_free_ char *tools = strv_join(i->tools, " ");
	const struct variable vars[] = {{"tools", tools ? tools : ""}, {NULL, NULL}};
	struct buf b = {0};

	variables_replace(&b, embed_hook_initramfs_tools, vars);
	return buf_take(&b);
}

static int write_overlay(const struct recipe *r, const char *path, struct err *e)
{
	static const char *const dirs[] = {
		"usr",
		"usr/share",
		INITRAMFS,
		INITRAMFS "/conf.d",
		INITRAMFS "/modules.d",
		INITRAMFS "/hooks",
	};
	const int64_t mtime = (int64_t)r->epoch;
	_cleanup_free_ char *conf = initramfs_conf(&r->initramfs);
	_cleanup_free_ char *modules = initramfs_modules(&r->initramfs);
	_cleanup_free_ char *hook = initramfs_hook(&r->initramfs);
	_cleanup_archive_out_ struct archive_out *out = NULL;
	_cleanup_close_ int fd =
		open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);

	if (fd < 0)
		return err_errno(e, errno, "%s", path);
	out = archive_out_new(fd, path);
	for (size_t i = 0; i < ARRAY_SIZE(dirs); i++) {
		struct entry dir = {ENTRY_DIR, dirs[i], .mode = 0755, .mtime = mtime};

		if (archive_out_entry(out, &dir, e) < 0)
			return -1;
	}
	if (append_file(out, INITRAMFS "/conf.d/rackstrap", 0644, mtime, conf, e) < 0 ||
	    append_file(out, INITRAMFS "/modules.d/rackstrap", 0644, mtime, modules, e) <
		    0 ||
	    append_file(out, INITRAMFS "/hooks/rackstrap", 0755, mtime, hook, e) < 0)
		return -1;
	return archive_out_end(out, e);
}

/* --- the command line -------------------------------------------------------------- */

/* Returns the packages to install besides the essential ones: "" without a suite. Owned.
 */
static char *package_list(const struct recipe *r, const char *separator)
{
	_cleanup_strv_ char **packages = strv_dup(r->base.packages);

	if (!r->base.suite)
		return xstrdup("");
	if (r->base.kernel)
		strv_add(&packages, r->base.kernel);
	strv_add(&packages, "initramfs-tools");
	return strv_join(packages, separator);
}

static int write_hook(const char *tmp, const char *name, const char *text, struct err *e)
{
	_cleanup_free_ char *path = xasprintf("%s/%s", tmp, name);
	int n = file_write_at(AT_FDCWD, path, text, strlen(text), 0755);

	return n < 0 ? err_errno(e, n, "%s", path) : 0;
}

/* Writes the hook that installs the packages in a tree. Names of packages are letters,
 * digits and "+-.:" (base-suite.c). */
static int write_install_hook(const struct recipe *r, const char *tmp, struct err *e)
{
	_cleanup_free_ char *packages = package_list(r, " ");
	const struct variable vars[] = {{"packages", packages}, {NULL, NULL}};
	_cleanup_buf_ struct buf install = {0};

	variables_replace(&install, embed_hook_install, vars);
	return write_hook(tmp, "install", install.p, e);
}

static void add_suite(char ***argv, const struct recipe *r, const char *overlay)
{
	_cleanup_free_ char *include = package_list(r, ",");

	strv_add(argv, "--variant=essential");
	strv_addf(argv, "--include=%s", include);
	if (access(MERGED_USR_HOOK, R_OK) == 0)
		strv_add(argv, "--hook-dir=" MERGED_USR_HOOK);
	strv_addf(argv, "--essential-hook=tar-in %s /", overlay);
}

static void add_tree(char ***argv, const struct recipe *r, const char *tmp,
		     const char *tree, const char *overlay)
{
	strv_add(argv, "--variant=custom");
	if (!r->base.suite)
		strv_add(argv, "--skip=update");
	strv_addf(argv, "--setup-hook=tar-in %s /", tree);
	strv_addf(argv, "--setup-hook=tar-in %s /", overlay);
	strv_addf(argv, "--customize-hook=%s/install", tmp);
}

static char **make_argv(const struct recipe *r, const char *tmp, const char *tree,
			const char *overlay, const char *sources)
{
	char **argv = NULL;

	strv_add(&argv, "mmdebstrap");
	strv_add(&argv, "--verbose");
	strv_add(&argv, "--format=tar");
	strv_add(&argv, "--mode=root");
	if (tree)
		add_tree(&argv, r, tmp, tree, overlay);
	else
		add_suite(&argv, r, overlay);
	strv_addf(&argv, "--customize-hook=%s/initrd", tmp);
	strv_add(&argv, "--aptopt=APT::Install-Recommends \"false\"");
	strv_add(&argv, "--aptopt=Acquire::Languages \"none\"");
	/* The sandbox has no other user, and no pseudoterminals. */
	strv_add(&argv, "--aptopt=APT::Sandbox::User \"root\"");
	strv_add(&argv, "--aptopt=Dpkg::Use-Pty \"false\"");
	for (size_t i = 0; r->base.path_exclude && r->base.path_exclude[i]; i++)
		strv_addf(&argv, "--dpkgopt=path-exclude=%s", r->base.path_exclude[i]);
	strv_add(&argv, r->base.suite ? r->base.suite : "");
	strv_add(&argv, "-");
	strv_add(&argv, sources);
	return argv;
}

/* --- running mmdebstrap ------------------------------------------------------------ */

/* The folders and files of a run. */
struct job {
	const struct base_work *w;
	const char *tree; /* or NULL */
	struct sandbox sandbox;
	struct scratch tmp;  /* what the sandbox may read */
	struct scratch debs; /* the archive of the packages, if there is a suite */
	uint64_t installed;  /* bytes that these take, as they say */
};

/* Returns the last LOG_MAX bytes of the file, from the beginning of a line on, without
 * what must not reach a terminal: programs of the base write the file, and as much as
 * they like. Owned. */
static char *read_log(int fd)
{
	char *text = xcalloc(LOG_MAX + 1, 1), *line;
	off_t size = lseek(fd, 0, SEEK_END), at = size > LOG_MAX ? size - LOG_MAX : 0;
	ssize_t n = pread(fd, text, LOG_MAX, at);

	for (ssize_t i = 0; i < n; i++)
		if (text[i] == '\r' || text[i] == '\0')
			text[i] = '\n';
	line = at > 0 ? strchr(text, '\n') : NULL;
	if (line)
		memmove(text, line + 1, strlen(line + 1) + 1);
	text_clean_lines(text);
	return text;
}

/* Returns ": " and the last LOG_LINES lines of the log, joined by "; ". If any lines
 * begin with "E: ", only those count. Returns "" if it is empty. Owned. */
static char *log_tail(const char *text)
{
	_cleanup_strv_ char **lines = strv_split(text, "\n");
	struct buf b = {0};
	size_t n = strv_len(lines), errors = 0, skip;

	for (size_t i = 0; i < n; i++)
		errors += str_after(lines[i], "E: ") != NULL;
	skip = errors ? errors : n;
	skip = skip > LOG_LINES ? skip - LOG_LINES : 0;
	for (size_t i = 0; i < n; i++) {
		if (errors && !str_after(lines[i], "E: "))
			continue;
		if (skip > 0)
			skip--;
		else
			buf_printf(&b, "%s%.*s", b.len > 0 ? "; " : ": ", LOG_LINE_MAX,
				   lines[i]);
	}
	return buf_take(&b);
}

/* `log` is the path of the whole log, or NULL if it could not be written. */
static int tool_error(const char *text, const char *log, struct err *e)
{
	size_t len = strlen(text);
	_cleanup_free_ char *end = xstrdup(len > LOG_END ? text + len - LOG_END : text),
			    *lines = NULL;

	/* The words of strsignal(3) for a program that mmdebstrap or dpkg started. */
	bool large = strstr(e->msg, "larger than the limit") ||
		     strstr(text, "File size limit exceeded");

	url_strip_secrets(end); /* before lines are cut: see lib/err.c */
	lines = log_tail(end);
	return err_set(e, ERR_FAILED, "%s%s (%sthe whole log %s%s)", e->msg, lines,
		       large ? "key 'limit' of the base allows larger files; " : "",
		       log ? "is " : "could not be written", log ? log : "");
}

/* Follows the log until the tar begins, which is when the tree is complete. */
static void follow_log(struct base_log *l, int reader)
{
	struct pollfd p = {.fd = reader, .events = POLLIN};
	int n;

	do {
		base_log_follow(l);
		n = poll(&p, 1, FOLLOW_MS);
	} while (n == 0 || (n < 0 && errno == EINTR));
}

/* Runs mmdebstrap and splits its tar. Sets *ret_failed if mmdebstrap itself failed. */
static int run_and_split(const struct base_work *w, const struct sandbox *s,
			 struct run *run, struct base_log *l, bool *ret_failed,
			 struct err *e)
{
	_cleanup_close_ int reader = -1, writer = -1;
	_cleanup_child_ struct child child = {0};
	struct err split_err = {0};
	bool damaged = false;
	int ends[2], split;

	if (pipe2(ends, O_CLOEXEC) < 0)
		return err_errno(e, errno, "mmdebstrap");
	reader = ends[0];
	writer = ends[1];
	run->out = writer;
	if (sandbox_start(s, run, &child, e) < 0)
		return -1;
	close(TAKE_FD(writer));
	follow_log(l, reader);
	split = base_split(w->r, reader, w->dir, &damaged, &split_err);
	close(TAKE_FD(reader));
	if (split < 0 && !damaged) { /* mmdebstrap is not at fault: stop it */
		run_kill(&child, 10000);
		*e = split_err;
		return -1;
	}
	*ret_failed = run_wait(&child, e) < 0;
	base_log_follow(l);
	if (split < 0 && !*ret_failed)
		*e = split_err;
	return split < 0 || *ret_failed ? -1 : 0;
}

/* Returns the number of packages to install, 0 if there are none or it is unknown. */
static size_t count_packages(const struct job *j)
{
	_cleanup_strv_ char **names = NULL;
	size_t n = 0;

	if (!j->debs.path || dir_names_at(AT_FDCWD, j->debs.path, &names) < 0)
		return 0;
	for (size_t i = 0; names && names[i]; i++)
		n += str_ends(names[i], ".deb");
	return n;
}

/* Starts the log that people read. Without it the base is made nevertheless, and only the
 * end of the work reports why. */
static int open_copy(const char *path)
{
	return file_write_at(AT_FDCWD, path, "", 0, 0644) < 0
		       ? -1
		       : open(path, O_WRONLY | O_APPEND | O_NOFOLLOW | O_CLOEXEC);
}

static int run_mmdebstrap(const struct job *j, char *const *argv, const char *work,
			  struct err *e)
{
	const struct base_work *w = j->w;
	_cleanup_free_ char *epoch =
		xasprintf("SOURCE_DATE_EPOCH=%llu", (unsigned long long)w->r->epoch);
	_cleanup_free_ char *tmpdir = xasprintf("TMPDIR=%s", work);
	const char *const env[] = {epoch,    tmpdir,      SYSTEM_PATH, "LC_ALL=C.UTF-8",
				   "TZ=UTC", "INITRD=No", "HOME=/",    NULL};
	_cleanup_free_ char *raw = xasprintf("%s/log", w->dir), *text = NULL;
	_cleanup_close_ int log =
		open(raw, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	_cleanup_close_ int copy = open_copy(w->log);
	struct base_log follow = {
		.raw = log, .copy = copy, .packages = count_packages(j)};
	struct run run = {.argv = (const char *const *)argv,
			  .env = env,
			  .in = -1,
			  .err = log,
			  .file_max = w->r->base.limit};
	bool failed = false;
	int r, n;

	if (log < 0)
		return err_errno(e, errno, "%s", raw);
	stages_start("making the base", w->log);
	r = run_and_split(w, &j->sandbox, &run, &follow, &failed, e);
	progress_clear();
	text = read_log(log);
	n = file_write_at(AT_FDCWD, w->log, text, strlen(text), 0644);
	if (n == 0 && unlink(raw) < 0)
		n = -errno;
	if (failed)
		return tool_error(text, n == 0 ? w->log : NULL, e);
	return r == 0 && n < 0 ? err_errno(e, n, "%s", w->log) : r;
}

/* Writes what mmdebstrap reads into the temporary folder. */
static int write_files(const struct job *j, const char *list, const char *overlay,
		       const struct buf *sources, struct err *e)
{
	const char *text = sources->p ? sources->p : "# none\n";
	int n;

	if (write_hook(j->tmp.path, "initrd", embed_hook_initrd, e) < 0 ||
	    (j->tree && write_install_hook(j->w->r, j->tmp.path, e) < 0) ||
	    write_overlay(j->w->r, overlay, e) < 0)
		return -1;
	n = file_write_at(AT_FDCWD, list, text, strlen(text), 0644);
	return n < 0 ? err_errno(e, n, "%s", list) : 0;
}

static int make_debs(struct job *j, const char *status, struct buf *sources,
		     struct err *e)
{
	const struct base_work *w = j->w;

	if (!w->r->base.suite)
		return 0; /* nothing is installed */
	if (w->lock)
		return debs_repo(w->lock, w->r, w->c, &j->debs, sources, &j->installed,
				 e);
	return debs_repo_now(w->r, w->sources, w->mirrors, status, &j->debs, sources,
			     &j->installed, e);
}

/* Checks what is known now that the packages are there: room, and their files. */
static int check_debs(const struct job *j, struct err *e)
{
	const uint64_t tree = j->installed;
	const struct space_need needs[] = {
		{temp_dir(), "the tree of the base ($TMPDIR)", tree},
		{j->w->dir, "the base (--cache)", tree},
	};
	_cleanup_diag_ struct diag d = {0};

	/* Paths that are left out may be most of it. */
	if (!j->w->r->base.path_exclude)
		space_check(needs, ARRAY_SIZE(needs), &d);
	if (diag_err(&d, e) < 0) {
		e->code = ERR_UNABLE;
		return -1;
	}
	return deb_files_check(j->w, j->debs.path, j->tree, e);
}

static int run_job(struct job *j, const char *status, struct err *e)
{
	_cleanup_free_ char *list = NULL, *overlay = NULL, *work = NULL;
	_cleanup_buf_ struct buf sources = {0};
	_cleanup_strv_ char **argv = NULL;
	struct sandbox *s = &j->sandbox;

	if (make_debs(j, status, &sources, e) < 0 ||
	    (j->debs.path && check_debs(j, e) < 0) ||
	    leftovers_make(&j->tmp, NULL, "base", e) < 0)
		return -1;
	/* The sandbox's ids read the files in it. */
	if (chmod(j->tmp.path, 0755) < 0)
		return err_errno(e, errno, "%s", j->tmp.path);
	list = xasprintf("%s/base.sources", j->tmp.path);
	overlay = xasprintf("%s/overlay.tar", j->tmp.path);
	work = xasprintf("%s/work", j->tmp.path);
	if (write_files(j, list, overlay, &sources, e) < 0)
		return -1;
	argv = make_argv(j->w->r, j->tmp.path, j->tree, overlay, list);
	sandbox_add_program(s, argv[0]);
	sandbox_add(s, j->tmp.path);
	if (j->tree)
		sandbox_add(s, j->tree);
	if (j->debs.path)
		sandbox_add(s, j->debs.path);
	if (sandbox_make_folder(s, work, e) < 0)
		return -1;
	return run_mmdebstrap(j, argv, work, e);
}

int mmdebstrap_make(const struct base_work *w, const char *tree, const char *status,
		    struct err *e)
{
	struct job j = {
		.w = w,
		.tree = tree,
		.sandbox = SANDBOX_NONE,
		.tmp = SCRATCH_INIT,
		.debs = SCRATCH_INIT,
	};
	int r;

	if (sandbox_open(&j.sandbox, e) < 0)
		return -1;
	r = run_job(&j, status, e);
	scratch_done(&j.debs);
	if (j.tmp.path)
		sandbox_remove(&j.sandbox, j.tmp.path);
	scratch_done(&j.tmp);
	sandbox_done(&j.sandbox);
	return r;
}
