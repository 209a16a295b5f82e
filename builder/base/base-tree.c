/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Dropped are paths that are made again later (sources, initrd), that mmdebstrap makes
 * itself (/dev), and that belong to the container or machine the tree was: a container's
 * policy-rc.d and apt.conf, a machine's name servers.
 */
#include "builder/base/base-tree.h"

#include "builder/base/base-archive.h"
#include "builder/base/mmdebstrap.h"
#include "builder/common/archive.h"
#include "builder/common/recorded-tempdir.h"
#include "builder/recipe/recipe-parse.h"
#include "lib/file.h"

#include <fnmatch.h>

static const char *const dropped[] = {
	"dev/*",
	"proc/*",
	"sys/*",
	"run/*",
	"tmp/*",
	"var/tmp/*",
	"lost+found",
	"boot/initrd.img-*",
	"boot/lost+found",
	"etc/hostname",
	"etc/resolv.conf",
	"etc/apt/sources.list",
	"etc/apt/sources.list.d/*",
	"etc/apt/apt.conf.d/docker-*",
	"usr/sbin/policy-rc.d",
	"var/lib/apt/lists/*",
	"var/cache/apt/*",
};

static bool is_dropped(const struct entry *entry, const char *path)
{
	if (entry->type >= ENTRY_CHAR)
		return true;
	for (size_t i = 0; i < ARRAY_SIZE(dropped); i++)
		if (fnmatch(dropped[i], path, 0) == 0)
			return true;
	return false;
}

static int copy_entry(struct archive_out *out, struct archive_in *in,
		      const struct entry *entry, const char *name, struct err *e)
{
	_cleanup_free_ char *path = archive_path_normal(entry->path), *target = NULL;
	struct entry copy = *entry;

	if (!path)
		return err_set(e, ERR_FAILED,
			       "%s: member '%s' has '..' in its name: archive refused",
			       name, entry->path);
	if (is_dropped(entry, path))
		return 0;
	if (entry->type == ENTRY_HARDLINK) {
		target = archive_path_normal(entry->target);
		if (!target || entry->target[0] == '/')
			return err_set(e, ERR_FAILED,
				       "%s: member '%s' is a hard link to something "
				       "outside it: archive refused",
				       name, entry->path);
		copy.target = target;
	}
	copy.path = *path ? path : ".";
	if (archive_out_entry(out, &copy, e) < 0)
		return -1;
	return entry->type == ENTRY_FILE ? archive_out_copy(out, in, NULL, e) : 0;
}

static int copy_tree(struct archive_in *in, const char *name, int fd, const char *path,
		     struct err *e)
{
	_cleanup_archive_out_ struct archive_out *out = NULL;
	const struct entry *entry;
	int r;

	if (archive_out_fd(&out, fd, path, e) < 0)
		return -1;
	while ((r = archive_in_next(in, &entry, e)) > 0)
		if (copy_entry(out, in, entry, name, e) < 0)
			return -1;
	/* Read to the end: a program that writes the tar must not fail with EPIPE. */
	if (r < 0 || archive_in_drain(in, e) < 0)
		return -1;
	return archive_out_end(out, e);
}

/* Reads up to the member that is the layer's blob. */
static int find_layer(struct archive_in *outer, const char *layer, const char *name,
		      struct err *e)
{
	const struct entry *entry;
	int r;

	while ((r = archive_in_next(outer, &entry, e)) > 0)
		if (entry->type == ENTRY_FILE && streq(entry->path, layer))
			return 0;
	return r < 0 ? -1
		     : err_set(e, ERR_FAILED, "%s: has no layer sha256:%s", name, layer);
}

/* Writes the tree to the descriptor `to`; `path` is its name for messages. */
static int write_tree(int fd, const char *layer, const char *name, int to,
		      const char *path, struct err *e)
{
	_cleanup_digest_ struct digest *tap = digest_new(DIGEST_SHA256);
	_cleanup_archive_in_ struct archive_in *outer = NULL, *raw = NULL, *in = NULL;
	char got[DIGEST_HEX_MAX];

	if (archive_in_fd(layer ? &outer : &in, fd, name, NULL, e) < 0)
		return -1;
	if (layer && (find_layer(outer, layer, name, e) < 0 ||
		      archive_in_raw(&raw, outer, name, tap, e) < 0 ||
		      archive_in_nested(&in, raw, name, e) < 0))
		return -1;
	if (copy_tree(in, name, to, path, e) < 0)
		return -1;
	if (!layer)
		return 0;
	if (archive_in_drain(raw, e) < 0)
		return -1;
	if (!streq(digest_hex(tap, got), layer))
		return err_set(e, ERR_FAILED,
			       "%s: layer sha256:%s is damaged: its data is sha256:%s",
			       name, layer, got);
	return 0;
}

int base_tree_write(int fd, const char *layer, const char *name, const char *path,
		    struct err *e)
{
	_cleanup_close_ int to =
		open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);

	return to < 0 ? err_errno(e, errno, "%s", path)
		      : write_tree(fd, layer, name, to, path, e);
}

int base_tree_check(int fd, const char *layer, const char *name, struct err *e)
{
	static const char path[] = "/dev/null";
	_cleanup_close_ int to = open(path, O_WRONLY | O_CLOEXEC);

	return to < 0 ? err_errno(e, errno, "%s", path)
		      : write_tree(fd, layer, name, to, path, e);
}

int base_tree_make(const struct base_work *w, base_tree_source *source, struct err *e)
{
	_cleanup_free_ char *note = xasprintf("%s.tree", w->log), *dir = NULL;
	_cleanup_free_ char *path = NULL;
	int r = recorded_tempdir_make(note, "rackstrap-tree", &dir, e);

	if (r < 0)
		return -1;
	path = xasprintf("%s/tree.tar", dir);
	if (chmod(dir, 0755) < 0) /* mmdebstrap may read it as another user */
		r = err_errno(e, errno, "%s", dir);
	else if (source(w, path, e) < 0)
		r = base_source_error(w->r, e);
	else
		r = mmdebstrap_make(w, path, e);
	recorded_tempdir_remove(dir, note);
	return r;
}

/* --- recipe ------------------------------------------------------------------------ */

void base_tree_parse(struct recipe_base *b, const struct conf_node *group, struct diag *d)
{
	_cleanup_free_ char *sum = NULL;

	if (recipe_get_word(group, "url", &b->url, d) > 0 && !recipe_is_url(b->url))
		conf_complain(conf_member(group, "url"), d,
			      "url: must begin with https://, http:// or file:///, not "
			      "'%s'",
			      b->url);
	recipe_get_digest(group, &sum, &b->sum_type, d);
	if (sum ||
	    conf_member(group, "url")) { /* an inherited digest is of another URL */
		free(b->sum);
		b->sum = TAKE_PTR(sum);
	}
	base_archive_parse(b, group, d);
}

void base_tree_describe(const struct recipe_base *b, struct buf *out)
{
	buf_printf(out, "from %s", b->url);
	if (b->sum)
		buf_printf(out, " %s %s", digest_name(b->sum_type), b->sum);
	if (b->layer)
		buf_printf(out, " layer %s", b->layer);
	buf_puts(out, "\n");
	base_archive_describe(b, out);
}
