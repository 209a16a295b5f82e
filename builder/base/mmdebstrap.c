/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Runs mmdebstrap, as root or in a user namespace. Its variant "essential" leaves apt out
 * of the image: an image is replaced as a whole, and nothing is installed on a node.
 * mmdebstrap's hook maybe-merged-usr merges /usr from the start, so that the suite's
 * package usrmerge, which needs perl, is not installed.
 *
 * The distribution's initramfs-tools makes the initrd inside the tree. Its configuration
 * (a tar laid over the tree) is in place before the kernel package is configured.
 *
 * mmdebstrap writes the tree as a tar into a pipe that base_split() reads, and its
 * messages into a log. It works in a folder of ours below $TMPDIR, which the ids that a
 * user namespace maps must be able to enter. The file <log>.tmp holds that folder's path:
 * when a build is killed, the next one removes the folder.
 */
#include "builder/base/mmdebstrap.h"

#include "builder/base/apt.h"
#include "builder/base/base-split.h"
#include "builder/base/hooks.h"
#include "builder/common/archive.h"
#include "builder/common/progress.h"
#include "builder/common/recorded-tempdir.h"
#include "builder/input/mirror.h"
#include "lib/file.h"
#include "lib/log.h"
#include "lib/run.h"
#include "pxe/template.h"

#include <sys/stat.h>

#define MERGED_USR_HOOK "/usr/share/mmdebstrap/hooks/maybe-merged-usr"
#define INITRAMFS       "usr/share/initramfs-tools"
#define LOG_MAX         (64U << 20)
#define LOG_LINES       3 /* of the log, in an error */
#define KEYRING_MAX     (4U << 20)

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
	const struct template_var vars[] = {{"tools", tools ? tools : ""}, {NULL, NULL}};
	struct buf b = {0};

	template_render(&b, embed_hook_initramfs_tools, vars);
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
	if (archive_out_fd(&out, fd, path, e) < 0)
		return -1;
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

/* --- the archive and its key ------------------------------------------------------- */

int mmdebstrap_write_gpgv(const struct recipe *r, const char *tmp, struct err *e)
{
	_cleanup_free_ char *path = xasprintf("%s/gpgv", tmp);
	int n = !r->base.archived ? 0
				  : file_write_at(AT_FDCWD, path, embed_hook_gpgv,
						  strlen(embed_hook_gpgv), 0755);

	return n < 0 ? err_errno(e, n, "%s", path) : 0;
}

/* The copy is in our folder, where the user that apt verifies as can read it. */
int mmdebstrap_copy_keyring(const struct recipe *r, const char *tmp, char **ret,
			    struct err *e)
{
	_cleanup_free_ char *path = NULL, *data = NULL;
	size_t len = 0;
	int n;

	if (!r->base.keyring)
		return 0;
	path = xasprintf("%s/keyring.%s", tmp,
			 str_ends(r->base.keyring, ".asc") ? "asc" : "gpg");
	n = file_read_at(AT_FDCWD, r->base.keyring, KEYRING_MAX, &data, &len);
	if (n >= 0)
		n = file_write_at(AT_FDCWD, path, data, len, 0644);
	if (n < 0)
		return err_errno(e, n, "keyring %s", r->base.keyring);
	*ret = TAKE_PTR(path);
	return 0;
}

/* --- the command line -------------------------------------------------------------- */

void mmdebstrap_append_sources(struct buf *out, const struct recipe *r,
			       const char *sources, char *const *mirrors,
			       const char *keyring)
{
	_cleanup_strv_ char **lines = strv_split(sources, "\n");

	/* strv_split() drops empty lines: a stanza begins with its first field. */
	for (size_t i = 0; lines && lines[i]; i++) {
		const char *uri = str_after(lines[i], "URIs: ");

		if (str_after(lines[i], "Types: ") && out->len > 0)
			buf_puts(out, "\n");
		if (uri) {
			_cleanup_free_ char *from = mirror_apply(mirrors, uri);

			buf_printf(out, "URIs: %s\n", from);
		} else {
			buf_printf(out, "%s\n", lines[i]);
		}
		if (keyring && str_after(lines[i], "Components: "))
			buf_printf(out, "Signed-By: %s\n%s", keyring,
				   r->base.archived ? "Check-Valid-Until: no\n" : "");
	}
}

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
	const struct template_var vars[] = {{"packages", packages}, {NULL, NULL}};
	_cleanup_buf_ struct buf install = {0};

	template_render(&install, embed_hook_install, vars);
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
	_cleanup_strv_ char **options = apt_options();
	char **argv = NULL;

	strv_add(&argv, "mmdebstrap");
	strv_add(&argv, "--verbose");
	strv_add(&argv, "--format=tar");
	if (geteuid() != 0)
		strv_add(&argv, "--mode=unshare");
	if (tree)
		add_tree(&argv, r, tmp, tree, overlay);
	else
		add_suite(&argv, r, overlay);
	strv_addf(&argv, "--customize-hook=%s/initrd", tmp);
	strv_add(&argv, "--aptopt=APT::Install-Recommends \"false\"");
	strv_add(&argv, "--aptopt=Acquire::Languages \"none\"");
	for (size_t i = 0; options && options[i]; i++)
		strv_addf(&argv, "--aptopt=%s", options[i]);
	if (r->base.archived)
		strv_addf(&argv, "--aptopt=APT::Key::GPGVCommand \"%s/gpgv\"", tmp);
	for (size_t i = 0; r->base.path_exclude && r->base.path_exclude[i]; i++)
		strv_addf(&argv, "--dpkgopt=path-exclude=%s", r->base.path_exclude[i]);
	strv_add(&argv, r->base.suite ? r->base.suite : "");
	strv_add(&argv, "-");
	strv_add(&argv, sources);
	return argv;
}

/* --- the temporary folder ---------------------------------------------------------- */

/* Removes the folder. Files with ids other than ours can only be removed in a user
 * namespace that maps those ids. */
static void remove_tree(const char *path)
{
	const char *const argv[] = {"mmdebstrap", "--unshare-helper",  "rm",
				    "-rf",        "--one-file-system", path,
				    NULL};

	if (rm_rf_at(AT_FDCWD, path) < 0 && geteuid() != 0)
		(void)!run_argv(argv, NULL);
	rm_rf_at(AT_FDCWD, path);
}

static void remove_leftover(const char *note)
{
	_cleanup_free_ char *path = NULL;

	if (file_read_at(AT_FDCWD, note, PATH_MAX, &path, NULL) == 0 && path[0] == '/') {
		log_debug("removing the leftover of a killed build: %s", path);
		remove_tree(path);
	}
	unlink(note);
}

static int make_tmp(const char *note, char **ret, struct err *e)
{
	remove_leftover(note);
	if (recorded_tempdir_make(note, "rackstrap-base", ret, e) < 0)
		return -1;
	return chmod(*ret, 0755) < 0 ? err_errno(e, errno, "%s", *ret) : 0;
}

/* --- running mmdebstrap ------------------------------------------------------------ */

/* Returns ": " and the last LOG_LINES lines of the log, joined by "; ". If any lines
 * begin with "E: ", only those count. Returns "" without a log. Owned. */
static char *log_tail(const char *log)
{
	_cleanup_free_ char *text = NULL;
	_cleanup_strv_ char **lines = NULL;
	struct buf b = {0};
	size_t n, errors = 0, skip;

	if (file_read_at(AT_FDCWD, log, LOG_MAX, &text, NULL) < 0)
		return xstrdup("");
	lines = strv_split(text, "\n");
	n = strv_len(lines);
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
			buf_printf(&b, "%s%s", b.len > 0 ? "; " : ": ", lines[i]);
	}
	return buf_take(&b);
}

static int tool_error(const char *log, struct err *e)
{
	_cleanup_free_ char *lines = log_tail(log);

	return err_set(e, ERR_FAILED, "%s%s (the whole log is %s)", e->msg, lines, log);
}

static int run_mmdebstrap(const struct base_work *w, char *const *argv, const char *tmp,
			  struct err *e)
{
	const struct recipe *r = w->r;
	const char *log = w->log;
	_cleanup_free_ char *epoch =
		xasprintf("SOURCE_DATE_EPOCH=%llu", (unsigned long long)r->epoch);
	_cleanup_free_ char *tmpdir = xasprintf("TMPDIR=%s", tmp);
	const char *const env[] = {epoch,    tmpdir,      SYSTEM_PATH, "LC_ALL=C.UTF-8",
				   "TZ=UTC", "INITRD=No", NULL};
	_cleanup_close_ int logfd = -1, reader = -1, writer = -1;
	_cleanup_child_ struct child child = {0};
	struct run run = {.argv = (const char *const *)argv, .env = env, .in = -1};
	struct err split_err = {0};
	bool damaged = false;
	int ends[2], split;

	logfd = open(log, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	if (logfd < 0 || pipe2(ends, O_CLOEXEC) < 0)
		return err_errno(e, errno, "%s", log);
	reader = ends[0];
	writer = ends[1];
	run.out = writer;
	run.err = logfd;
	if (run_start(&run, &child, e) < 0)
		return -1;
	close(TAKE_FD(writer));
	split = base_split(r, reader, w->dir, &damaged, &split_err);
	close(TAKE_FD(reader));
	if (split < 0 && !damaged) { /* mmdebstrap is not at fault: stop it */
		run_kill(&child, 10000);
		*e = split_err;
		return -1;
	}
	if (run_wait(&child, e) < 0)
		return tool_error(log, e);
	if (split < 0)
		*e = split_err;
	return split;
}

int mmdebstrap_make(const struct base_work *w, const char *tree, struct err *e)
{
	const struct recipe *r = w->r;
	_cleanup_free_ char *note = xasprintf("%s.tmp", w->log), *tmp = NULL;
	_cleanup_free_ char *keyring = NULL;
	_cleanup_buf_ struct buf text = {0};
	_cleanup_free_ char *list = NULL, *overlay = NULL;
	_cleanup_strv_ char **argv = NULL;
	int n, result;

	if (make_tmp(note, &tmp, e) < 0)
		return -1;
	list = xasprintf("%s/base.sources", tmp);
	overlay = xasprintf("%s/overlay.tar", tmp);
	result = mmdebstrap_copy_keyring(r, tmp, &keyring, e);
	if (result == 0)
		result = mmdebstrap_write_gpgv(r, tmp, e);
	if (result == 0)
		result = write_hook(tmp, "initrd", embed_hook_initrd, e);
	if (result == 0 && tree)
		result = write_install_hook(r, tmp, e);
	if (result == 0) {
		mmdebstrap_append_sources(&text, r, w->sources, w->mirrors, keyring);
		if (!text.p)
			buf_puts(&text, "# none\n");
		n = file_write_at(AT_FDCWD, list, text.p, text.len, 0644);
		result = n < 0 ? err_errno(e, n, "%s", list)
			       : write_overlay(r, overlay, e);
	}
	if (result == 0) {
		argv = make_argv(r, tmp, tree, overlay, list);
		result = run_mmdebstrap(w, argv, tmp, e);
	}
	remove_tree(tmp);
	unlink(note);
	return result;
}
