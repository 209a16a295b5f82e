/* SPDX-License-Identifier: Apache-2.0 */
/*
 * rackstrap new: writes a recipe and a rack file to begin with. A new folder gets its
 * name when both are in it. A folder that exists and is empty stays the same folder,
 * because a shell may be in it: if a write fails, what was written is removed.
 */
#include "builder/commands.h"
#include "builder/common/leftovers.h"
#include "builder/starter.h"
#include "lib/dir.h"
#include "lib/file.h"
#include "lib/out.h"
#include "lib/str.h"
#include "pxe/variables.h"

#include <ctype.h>
#include <fcntl.h>
#include <limits.h>
#include <sys/stat.h>
#include <unistd.h>

#define NAME_MAX_LEN 40 /* of a cluster and an image; with a host's name it fits 63 */

/* A file to write. */
struct starter_file {
	const char *name, *text;
};

static const struct starter_file files[] = {
	{"rack.cfg", embed_starter_rack},
	{"recipe.cfg", embed_starter_recipe},
};

/* Returns the last component of the folder's full path, as a name for image and cluster:
 * other characters than lower-case letters and digits become '-'. Owned. */
static char *name_of(const char *dir)
{
	_cleanup_free_ char *full = realpath(dir, NULL);
	const char *path = full ? full : dir;
	size_t end = strlen(path), begin;
	struct buf b = {0};

	while (end > 0 && path[end - 1] == '/')
		end--;
	for (begin = end; begin > 0 && path[begin - 1] != '/';)
		begin--;
	for (; begin < end && b.len < NAME_MAX_LEN; begin++) {
		char c = (char)tolower((unsigned char)path[begin]);

		if (isascii(c) && isalnum((unsigned char)c))
			buf_add(&b, &c, 1);
		else if (b.len > 0 && b.p[b.len - 1] != '-')
			buf_puts(&b, "-");
	}
	if (b.len > 0 && b.p[b.len - 1] == '-')
		b.p[--b.len] = '\0';
	if (b.len == 0)
		buf_puts(&b, "rack");
	return buf_take(&b);
}

/* Returns the path as a word for a shell. Owned. */
static char *shell_word(const char *path)
{
	static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
				    "0123456789_-./+:,%";
	struct buf b = {0};

	if (path[0] == '-')
		buf_puts(&b, "./");
	if (!path[strspn(path, plain)]) {
		buf_puts(&b, path);
		return buf_take(&b);
	}
	buf_puts(&b, "'");
	for (; *path; path++)
		if (*path == '\'')
			buf_puts(&b, "'\\''");
		else
			buf_add(&b, path, 1);
	buf_puts(&b, "'");
	return buf_take(&b);
}

/* Writes the files to the folder `at`; `dir` is its name for messages. */
static int write_files(int at, const char *dir, const struct variable *vars,
		       struct err *e)
{
	for (size_t i = 0; i < ARRAY_SIZE(files); i++) {
		_cleanup_buf_ struct buf b = {0};
		int r;

		variables_replace(&b, files[i].text, vars);
		r = file_write_at(at, files[i].name, b.p, b.len, 0644);
		if (r == 0)
			continue;
		while (i-- > 0)
			(void)!file_remove_at(at, files[i].name);
		return err_errno(e, r, "%s: nothing was written", dir);
	}
	return 0;
}

static int write_existing(const char *dir, const struct variable *vars, struct err *e)
{
	_cleanup_close_ int at = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (at < 0)
		return err_errno(e, errno, "%s", dir);
	return write_files(at, dir, vars, e);
}

static int write_new(const char *dir, const struct variable *vars, struct err *e)
{
	_cleanup_scratch_ struct scratch s = SCRATCH_INIT;
	_cleanup_free_ char *parent = NULL, *hidden = NULL, *to = NULL, *aside = NULL;
	_cleanup_close_ int at = -1;
	const char *name;
	int r = path_split(dir, &parent, &name);

	if (r == 0)
		r = mkdir_p_at(AT_FDCWD, parent, 0755);
	if (r < 0)
		return err_errno(e, r, "%s", dir);
	hidden = xasprintf(".%.*s", NAME_MAX_LEN, name);
	if (leftovers_make(&s, parent, hidden, e) < 0)
		return -1;
	at = open(s.inside, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (at < 0 || fchmod(at, 0755) < 0)
		return err_errno(e, errno, "%s", s.path);
	if (write_files(at, dir, vars, e) < 0)
		return -1;
	to = scratch_beside(&s, name);
	aside = xasprintf("%s.old", s.path);
	if (mkdir(to, 0755) < 0) /* nobody else's folder is replaced */
		return err_errno(e, errno, "%s", dir);
	r = scratch_publish(&s, to, aside);
	return r < 0 ? err_set(e, ERR_FAILED, "%s: %s", dir, scratch_strerror(r)) : 0;
}

/* Returns 1 for an empty folder, 0 if nothing is there, or -1. */
static int look(const char *dir, struct err *e)
{
	struct stat st;

	for (const char *p = dir; *p; p++)
		if (iscntrl((unsigned char)*p))
			return err_set(e, ERR_USAGE,
				       "new: the folder's name has a control character");
	if (lstat(dir, &st) < 0)
		return errno == ENOENT ? 0 : err_errno(e, errno, "%s", dir);
	if (dir_check_link(dir, false, e) < 0)
		return -1;
	if (stat(dir, &st) < 0)
		return err_errno(e, errno, "%s", dir);
	if (!S_ISDIR(st.st_mode))
		return err_set(e, ERR_FAILED,
			       "%s exists and is not a folder: name another", dir);
	if (!dir_is_empty(dir))
		return err_set(e, ERR_FAILED,
			       "%s exists and is not empty: name a new folder", dir);
	return 1;
}

static int run_new(const struct command_line *line, struct err *e)
{
	_cleanup_free_ char *dir = xstrdup(line->args[0]), *name = NULL, *word = NULL;
	int there;

	for (size_t n = strlen(dir); n > 1 && dir[n - 1] == '/';)
		dir[--n] = '\0';
	there = look(dir, e);
	if (there < 0)
		return -1;
	name = name_of(dir);
	word = shell_word(dir);
	{
		const struct variable vars[] = {
			{"name", name}, {"dir", word}, {NULL, NULL}};

		if ((there ? write_existing(dir, vars, e) : write_new(dir, vars, e)) < 0)
			return -1;
	}
	out_line("%s: recipe.cfg, the image, and rack.cfg, the machines; next:", dir);
	out_line("  rackstrap build %s", word);
	out_line("  rackstrap rack %s/rack.cfg --image out/%s", word, name);
	return 0;
}

const struct command command_new = {
	.name = "new",
	.synopsis = "DIR",
	.summary = "write a recipe and a rack file to begin with",
	.operands = {{.name = "DIR",
		      .kind = ARG_DIR,
		      .help = "the folder to make, or an empty one"}},
	.min_args = 1,
	.max_args = 1,
	.run = run_new,
};
