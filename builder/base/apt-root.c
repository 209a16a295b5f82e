/* SPDX-License-Identifier: Apache-2.0 */
#include "builder/base/apt-root.h"

#include "builder/base/apt.h"
#include "builder/base/hooks.h"
#include "builder/input/mirror.h"
#include "lib/file.h"
#include "lib/run.h"

#include <grp.h>
#include <pwd.h>
#include <sys/stat.h>

#define KEYRING_MAX (4U << 20)
#define ARCH        "amd64"
#define APT_USER    "_apt" /* the user as which apt's own configuration downloads */
#define TEMP        "temp" /* for apt's temporary files, which stay if it is killed */

/* --- the archive and its key ------------------------------------------------------- */

/* Writes TMP/gpgv, the program that apt runs as gpgv, if the suite is archived. */
static int write_gpgv(const struct recipe *r, const char *tmp, struct err *e)
{
	_cleanup_free_ char *path = xasprintf("%s/gpgv", tmp);
	int n = !r->base.archived ? 0
				  : file_write_at(AT_FDCWD, path, embed_hook_gpgv,
						  strlen(embed_hook_gpgv), 0755);

	return n < 0 ? err_errno(e, n, "%s", path) : 0;
}

/* Copies the recipe's keyring into our folder, where apt finds its format by its name.
 * *ret stays NULL without a keyring. */
static int copy_keyring(const struct recipe *r, const char *tmp, char **ret,
			struct err *e)
{
	_cleanup_free_ char *path = NULL, *data = NULL;
	size_t len = 0;
	int n;

	if (!r->base.keyring)
		return 0;
	path = xasprintf("%s/keyring.%s", tmp,
			 str_ends(r->base.keyring, ".asc") ? "asc" : "gpg");
	n = file_read_regular_at(AT_FDCWD, r->base.keyring, KEYRING_MAX, &data, &len);
	if (n < 0)
		return err_set(e, ERR_FAILED, "keyring %s: %s", r->base.keyring,
			       file_strerror(n));
	n = file_write_at(AT_FDCWD, path, data, len, 0644);
	if (n < 0)
		return err_errno(e, n, "%s", path);
	*ret = TAKE_PTR(path);
	return 0;
}

/* Returns the stanzas of `sources`, with mirrors applied and, unless `keyring` is NULL,
 * signed by it. apt uses packages of a file: archive where they are, and would download
 * none: they become copy: archives. Owned. */
static char *make_sources(const struct recipe *r, const char *sources,
			  char *const *mirrors, const char *keyring)
{
	_cleanup_strv_ char **lines = strv_split(sources, "\n");
	struct buf out = {0};

	/* strv_split() drops empty lines: a stanza begins with its first field. */
	for (size_t i = 0; lines && lines[i]; i++) {
		const char *uri = str_after(lines[i], "URIs: ");

		if (str_after(lines[i], "Types: ") && out.len > 0)
			buf_puts(&out, "\n");
		if (uri) {
			_cleanup_free_ char *from = mirror_apply(mirrors, uri);
			const char *path = str_after(from, "file:");

			buf_printf(&out, "URIs: %s%s\n", path ? "copy:" : "",
				   path ? path : from);
		} else {
			buf_printf(&out, "%s\n", lines[i]);
		}
		if (keyring && str_after(lines[i], "Components: "))
			buf_printf(&out, "Signed-By: %s\n%s", keyring,
				   r->base.archived ? "Check-Valid-Until: no\n" : "");
	}
	return buf_take(&out);
}

/* --- the user that downloads ------------------------------------------------------- */

/* A user, and folders that it must be able to read. */
struct reader {
	uid_t uid;
	gid_t gid;
	char *const *folders;
};

/* Becomes the user, in a child. */
static int become(void *arg)
{
	const struct reader *u = arg;

	if (setgroups(1, &u->gid) < 0 || setresgid(u->gid, u->gid, u->gid) < 0 ||
	    setresuid(u->uid, u->uid, u->uid) < 0)
		return -errno;
	for (size_t i = 0; u->folders[i]; i++)
		if (access(u->folders[i], R_OK | X_OK) < 0)
			return -errno;
	return 0;
}

/* Returns a folder of ours, and those of archives on this machine. Owned. */
static char **folders_read(const struct apt_root *x)
{
	_cleanup_strv_ char **lines = strv_split(x->sources, "\n");
	struct strv_builder folders = {0};

	strv_builder_addf(&folders, "%s/none", x->tmp);
	for (size_t i = 0; lines && lines[i]; i++) {
		const char *folder = str_after(lines[i], "URIs: copy:");

		if (folder)
			strv_builder_add(&folders, folder);
	}
	return strv_builder_take(&folders);
}

/*
 * Finds the user that downloads and checks signatures when apt runs as root, and its
 * group. Returns true if there is one that can do it: in a user namespace its id may be
 * missing, and $TMPDIR or a mirror may be in a folder that is closed to it.
 */
static bool find_user(const struct apt_root *x, gid_t *ret_gid)
{
	static const char *const argv[] = {"true", NULL};
	_cleanup_strv_ char **folders = folders_read(x);
	const struct passwd *account = geteuid() == 0 ? getpwnam(APT_USER) : NULL;
	struct reader user = {.folders = folders};
	const struct run r = {.argv = argv, .enter = become, .enter_arg = &user};

	if (!account)
		return false;
	user.uid = account->pw_uid;
	user.gid = account->pw_gid;
	*ret_gid = account->pw_gid;
	return chmod(x->tmp, 0711) == 0 && run(&r, NULL) == 0;
}

/* --- the folder -------------------------------------------------------------------- */

static int write_conf(const struct apt_root *x, const struct recipe *r, const char *list,
		      const char *status, struct err *e)
{
	_cleanup_strv_ char **options = apt_options();
	_cleanup_free_ char *path = xasprintf("%s/apt.conf", x->tmp);
	_cleanup_buf_ struct buf b = {0};
	gid_t gid = 0;
	bool found = find_user(x, &gid);
	int n;

	buf_printf(&b,
		   "Dir::Etc::Parts \"%s/none\";\nDir::Etc::Main \"%s/none.conf\";\n"
		   "Dir::Etc::PreferencesParts \"%s/none\";\n"
		   "Dir::Etc::Preferences \"%s/none.conf\";\n"
		   "Dir::Etc::SourceParts \"%s/none\";\nDir::Etc::SourceList \"%s\";\n"
		   "Dir::State \"%s/state\";\nDir::State::Status \"%s\";\n"
		   "Dir::Cache \"%s/cache\";\n",
		   x->tmp, x->tmp, x->tmp, x->tmp, x->tmp, list, x->tmp, status, x->tmp);
	buf_puts(&b, "APT::Architecture \"" ARCH "\";\nAPT::Architectures \"" ARCH
		     "\";\nAPT::Install-Recommends \"false\";\n"
		     "Acquire::Languages \"none\";\n"
		     "Acquire::GzipIndexes \"false\";\n"
		     /* apt itself is not essential, as in mmdebstrap */
		     "pkgCacheGen::ForceEssential \",\";\n");
	buf_printf(&b, "APT::Sandbox::User \"%s\";\n", found ? APT_USER : "root");
	if (r->base.archived)
		buf_printf(&b, "APT::Key::GPGVCommand \"%s/gpgv\";\n", x->tmp);
	for (size_t i = 0; options && options[i]; i++)
		buf_printf(&b, "%s\n", options[i]);
	/* It may have a proxy's password. */
	n = file_write_at(AT_FDCWD, path, b.p, b.len, 0640);
	if (n == 0 && found && chown(path, 0, gid) < 0)
		n = -errno;
	return n < 0 ? err_errno(e, n, "%s", path) : 0;
}

static int make_folders(const struct apt_root *x, struct err *e)
{
	static const char *const folders[] = {"none", "state/lists/partial",
					      "cache/archives/partial", TEMP};
	_cleanup_free_ char *status = xasprintf("%s/status", x->tmp);
	_cleanup_free_ char *temp = xasprintf("%s/" TEMP, x->tmp);
	int r;

	for (size_t i = 0; i < ARRAY_SIZE(folders); i++) {
		_cleanup_free_ char *path = xasprintf("%s/%s", x->tmp, folders[i]);

		r = mkdir_p_at(AT_FDCWD, path, 0755);
		if (r < 0)
			return err_errno(e, r, "%s", path);
	}
	if (chmod(temp, 01777) < 0)
		return err_errno(e, errno, "%s", temp);
	r = file_write_at(AT_FDCWD, status, "", 0, 0644);
	return r < 0 ? err_errno(e, r, "%s", status) : 0;
}

static int prepare(struct apt_root *x, const struct recipe *r, const char *sources,
		   char *const *mirrors, const char *status, struct err *e)
{
	_cleanup_free_ char *list = NULL, *keyring = NULL, *none = NULL;
	int n;

	if (leftovers_make(&x->scratch, NULL, "apt", e) < 0)
		return -1;
	x->tmp = x->scratch.path;
	list = xasprintf("%s/base.sources", x->tmp);
	none = xasprintf("%s/status", x->tmp);
	x->env = xasprintf("APT_CONFIG=%s/apt.conf", x->tmp);
	if (make_folders(x, e) < 0 || write_gpgv(r, x->tmp, e) < 0 ||
	    copy_keyring(r, x->tmp, &keyring, e) < 0)
		return -1;
	x->sources = make_sources(r, sources, mirrors, keyring);
	n = file_write_at(AT_FDCWD, list, x->sources, strlen(x->sources), 0644);
	return n < 0 ? err_errno(e, n, "%s", list)
		     : write_conf(x, r, list, status ? status : none, e);
}

int apt_root_open(struct apt_root *ret, const struct recipe *r, const char *sources,
		  char *const *mirrors, const char *status, struct err *e)
{
	_cleanup_apt_root_ struct apt_root x = APT_ROOT_INIT;

	if (tools_check(apt_tools, e) < 0 ||
	    prepare(&x, r, sources, mirrors, status, e) < 0)
		return -1;
	*ret = x;
	x = (struct apt_root)APT_ROOT_INIT;
	return 0;
}

void apt_root_done(struct apt_root *x)
{
	scratch_done(&x->scratch);
	free(x->env);
	free(x->sources);
	*x = (struct apt_root)APT_ROOT_INIT;
}

/* Says so if a method of apt reached the limit: apt itself names the signal only. */
static int explain(uint64_t file_max, struct err *e)
{
	if (e &&
	    (strstr(e->msg, "received signal 25") || strstr(e->msg, "File too large")))
		return err_wrap(e,
				"a file of the archive is larger than %llu MiB: refused",
				(unsigned long long)(file_max >> 20));
	return -1;
}

int apt_root_run(const struct apt_root *x, const char *const *argv, uint64_t file_max,
		 char **ret, struct err *e)
{
	_cleanup_free_ char *temp = xasprintf("TMPDIR=%s/" TEMP, x->tmp);
	const char *const env[] = {x->env, temp, "LC_ALL=C", NULL};
	struct run run = {.argv = argv, .env = env, .file_max = file_max};

	return run_capture(&run, ret, NULL, e) < 0 ? explain(file_max, e) : 0;
}
