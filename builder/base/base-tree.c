/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Dropped are paths that are made again later (sources, initrd), that mmdebstrap makes
 * itself (/dev), and that belong to the container or machine the tree was: a container's
 * policy-rc.d and apt.conf, a machine's name servers.
 */
#include "builder/base/base-tree.h"

#include "builder/base/base-archive.h"
#include "builder/base/mmdebstrap.h"
#include "builder/base/tree-names.h"
#include "builder/common/archive.h"
#include "builder/common/leftovers.h"
#include "builder/common/subids.h"
#include "builder/recipe/recipe-parse.h"
#include "lib/file.h"
#include "lib/text.h"

#include <fnmatch.h>

#define STATUS     "var/lib/dpkg/status"
#define STATUS_MAX (64U << 20)

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
	/* written by mmdebstrap and by rackstrap (mmdebstrap.c) */
	"etc/apt/apt.conf.d/99mmdebstrap",
	"etc/dpkg/dpkg.cfg.d/99mmdebstrap",
	"usr/share/initramfs-tools/*/rackstrap",
};

/* Folders in which tools write or delete files. A link there would send them elsewhere,
 * so anything but a folder is refused before a program sees the tree. */
static const char *const folders[] = {
	"",
	"boot",
	"dev",
	"etc",
	"etc/apt",
	"etc/apt/apt.conf.d",
	"etc/apt/preferences.d",
	"etc/apt/sources.list.d",
	"etc/apt/trusted.gpg.d",
	"etc/dpkg",
	"etc/dpkg/dpkg.cfg.d",
	"proc",
	"root",
	"run",
	"sys",
	"tmp",
	"usr",
	"usr/share",
	"usr/share/initramfs-tools",
	"usr/share/initramfs-tools/conf.d",
	"usr/share/initramfs-tools/hooks",
	"usr/share/initramfs-tools/modules.d",
	"var",
	"var/cache",
	"var/cache/apt",
	"var/cache/apt/archives",
	"var/cache/apt/archives/partial",
	"var/lib",
	"var/lib/apt",
	"var/lib/apt/lists",
	"var/lib/dpkg",
	"var/lib/dpkg/info",
	"var/lib/dpkg/triggers",
	"var/lib/dpkg/updates",
	"var/log",
	"var/log/apt",
	"var/tmp",
};

static bool must_be_folder(const char *path)
{
	for (size_t i = 0; i < ARRAY_SIZE(folders); i++)
		if (streq(path, folders[i]))
			return true;
	return false;
}

static bool is_dropped(const struct entry *entry, const char *path)
{
	if (entry->type >= ENTRY_CHAR)
		return true;
	for (size_t i = 0; i < ARRAY_SIZE(dropped); i++)
		if (fnmatch(dropped[i], path, 0) == 0)
			return true;
	return false;
}

/* Checks that the sandbox, in which tar(1) extracts the tree, has the member's ids. */
static int check_ids(const struct entry *entry, const char *name, struct err *e)
{
	bool owner = entry->uid < 0 || entry->uid >= SUBIDS_COUNT;
	int64_t id = owner ? entry->uid : entry->gid;

	if (id >= 0 && id < SUBIDS_COUNT)
		return 0;
	return err_set(e, ERR_FAILED,
		       "%s: member '%s': its %s is %lld: a base can have ids up to %d",
		       name, entry->path, owner ? "owner" : "group", (long long)id,
		       SUBIDS_COUNT - 1);
}

struct copy {
	struct archive_in *in;
	struct archive_out *out;
	const char *name; /* of the archive */
	struct tree_names *names;
};

/* Sets *ret to the normal path of a hard link's file, owned by the caller. */
static int link_target(const struct copy *c, const struct entry *entry, char **ret,
		       struct err *e)
{
	*ret = archive_path_normal(entry->target);
	return *ret && entry->target[0] != '/'
		       ? 0
		       : err_set(e, ERR_FAILED,
				 "%s: member '%s' is a hard link to something outside "
				 "it: archive refused",
				 c->name, entry->path);
}

/* Writes the entry with its real path and that of a hard link's file. */
static int write_entry(const struct copy *c, const struct entry *entry, const char *path,
		       struct err *e)
{
	_cleanup_free_ char *target = NULL, *file = NULL;
	struct entry copy = *entry;
	int r;

	if (check_ids(entry, c->name, e) < 0)
		return -1;
	if (entry->type == ENTRY_HARDLINK && link_target(c, entry, &target, e) < 0)
		return -1;
	r = tree_names_add(c->names, entry, path, target ? target : entry->target, &file,
			   e);
	if (r <= 0)
		return r;
	copy.path = *path ? path : ".";
	if (file)
		copy.target = file;
	if (archive_out_entry(c->out, &copy, e) < 0)
		return -1;
	return entry->type == ENTRY_FILE ? archive_out_copy(c->out, c->in, NULL, e) : 0;
}

static int copy_entry(const struct copy *c, const struct entry *entry, struct err *e)
{
	_cleanup_free_ char *path = archive_path_normal(entry->path), *real = NULL;

	if (!path)
		return err_set(e, ERR_FAILED,
			       "%s: member '%s' has '..' in its name: archive refused",
			       c->name, entry->path);
	if (!is_dropped(entry, path) &&
	    tree_names_resolve(c->names, entry->path, path, &real, e) < 0)
		return -1;
	if (entry->type != ENTRY_DIR && must_be_folder(real ? real : path))
		return err_set(
			e, ERR_FAILED,
			"%s: member '%s' is not a folder, but tools write below it: "
			"archive refused",
			c->name, entry->path);
	if (real && !is_dropped(entry, real))
		return write_entry(c, entry, real, e);
	tree_names_drop(c->names, entry, real ? real : path);
	return 0;
}

static int copy_tree(struct archive_in *in, const char *name, int fd, const char *path,
		     struct err *e)
{
	_cleanup_archive_out_ struct archive_out *out = archive_out_new(fd, path);
	_cleanup_tree_names_ struct tree_names *names = tree_names_new(name);
	const struct copy c = {.in = in, .out = out, .name = name, .names = names};
	const struct entry *entry;
	int r;

	while ((r = archive_in_next(in, &entry, e)) > 0)
		if (copy_entry(&c, entry, e) < 0)
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
static int write_tree(int fd, const struct recipe_base *b, const char *name, int to,
		      const char *path, struct err *e)
{
	_cleanup_digest_ struct digest *tap = digest_new(DIGEST_SHA256);
	_cleanup_archive_in_ struct archive_in *outer = NULL, *in = NULL;
	struct archive_limit limit = base_limit(b);
	struct archive_source from = {.name = name, .fd = fd, .limit = &limit};
	const char *layer = b->layer ? str_after(b->layer, "sha256:") : NULL;
	char got[DIGEST_HEX_MAX];

	if (layer) {
		if (archive_in_open(&outer, &from, e) < 0 ||
		    find_layer(outer, layer, name, e) < 0)
			return -1;
		from.outer = outer;
		from.tap = tap;
	}
	if (archive_in_open(&in, &from, e) < 0 || copy_tree(in, name, to, path, e) < 0)
		return -1;
	if (layer && !streq(digest_hex(tap, got), layer))
		return err_set(e, ERR_FAILED,
			       "%s: layer sha256:%s is damaged: its data is sha256:%s",
			       name, layer, got);
	return 0;
}

struct archive_limit base_limit(const struct recipe_base *b)
{
	return (struct archive_limit){.bytes = b->limit,
				      .raise = "key 'limit' of the base"};
}

int base_tree_write(int fd, const struct recipe_base *b, const char *name,
		    const char *path, struct err *e)
{
	_cleanup_close_ int to =
		open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);

	return to < 0 ? err_errno(e, errno, "%s", path)
		      : write_tree(fd, b, name, to, path, e);
}

int base_tree_check(int fd, const struct recipe_base *b, const char *name, struct err *e)
{
	static const char path[] = "/dev/null";
	_cleanup_close_ int to = open(path, O_WRONLY | O_CLOEXEC);

	return to < 0 ? err_errno(e, errno, "%s", path)
		      : write_tree(fd, b, name, to, path, e);
}

/* Writes dpkg's status file of the tree, a tar that base_tree_write() made, to `to`; an
 * empty one if the tree has none. */
static int write_status(const char *tree, const char *to, struct err *e)
{
	_cleanup_close_ int fd = file_open_foreign_at(AT_FDCWD, tree);
	_cleanup_archive_in_ struct archive_in *in = NULL;
	_cleanup_buf_ struct buf b = {0};
	const struct entry *entry;
	char chunk[32 * 1024];
	ssize_t n = 0;
	int r;

	if (fd < 0)
		return err_set(e, ERR_FAILED, "%s: %s", tree, file_strerror(fd));
	if (archive_in_open(&in, &(struct archive_source){.name = "the tree", .fd = fd},
			    e) < 0)
		return -1;
	while ((r = archive_in_next(in, &entry, e)) > 0) {
		if (entry->type != ENTRY_FILE || !streq(entry->path, STATUS))
			continue;
		b.len = 0; /* a later member replaces this one */
		while ((n = archive_in_read(in, chunk, sizeof(chunk), e)) > 0) {
			if (b.len + (size_t)n > STATUS_MAX)
				return err_set(e, ERR_FAILED,
					       STATUS ": has more than %u MiB: refused",
					       STATUS_MAX >> 20);
			buf_add(&b, chunk, (size_t)n);
		}
		if (n < 0)
			return -1;
	}
	if (r < 0)
		return -1;
	r = file_write_at(AT_FDCWD, to, b.p ? b.p : "", b.len, 0644);
	return r < 0 ? err_errno(e, r, "%s", to) : 0;
}

static int make_base(const struct base_work *w, base_tree_source *source, const char *dir,
		     struct err *e)
{
	_cleanup_free_ char *tree = xasprintf("%s/tree.tar", dir);
	_cleanup_free_ char *status = xasprintf("%s/status", dir);
	const bool resolve = w->r->base.suite && !w->lock;

	if (source(w, tree, e) < 0 || (resolve && write_status(tree, status, e) < 0))
		return base_source_error(w->r, e);
	return mmdebstrap_make(w, tree, resolve ? status : NULL, e);
}

int base_tree_make(const struct base_work *w, base_tree_source *source, struct err *e)
{
	_cleanup_scratch_ struct scratch s = SCRATCH_INIT;

	return leftovers_make(&s, NULL, "tree", e) < 0 ? -1
						       : make_base(w, source, s.path, e);
}

/* --- recipe ------------------------------------------------------------------------ */

void base_tree_parse(struct recipe_base *b, const struct conf_node *group, struct diag *d)
{
	_cleanup_free_ char *sum = NULL;

	(void)!recipe_get_url(group, &b->url, &b->source, d);
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
	text_append(out, "from %s", b->url);
	if (b->sum)
		text_append(out, " %s %s", digest_name(b->sum_type), b->sum);
	if (b->layer)
		text_append(out, " layer %s", b->layer);
	buf_puts(out, "\n");
	base_archive_describe(b, out);
}
