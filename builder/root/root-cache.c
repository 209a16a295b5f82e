/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Only the last root image of each recipe is kept, so that the cache does not grow with
 * every build. Image and notes are replaced together, as one folder. The notes have the
 * image's digest and end with their own; both are compared at every use, and a damaged
 * image is made again.
 */
#include "builder/root/root-cache.h"

#include "builder/common/leftovers.h"
#include "builder/root/squash.h"
#include "lib/file.h"
#include "lib/log.h"

#include <inttypes.h>
#include <sys/stat.h>

/* Increase this when a change of the program makes another root.squashfs of the same
 * inputs. */
#define ROOT_FORMAT 4
#define ROOT_FILE   "root.squashfs"
#define NOTES       "root.notes"
#define NOTES_MAX   (64U << 20)

/* --- the key ----------------------------------------------------------------------- */

static void append_extract(struct buf *b, const struct recipe_extract *v, size_t n,
			   unsigned depth)
{
	for (size_t i = 0; i < n; i++) {
		buf_printf(b, "%u %s\t%s\n", depth, v[i].path, v[i].to ? v[i].to : "");
		append_extract(b, v[i].v, v[i].n, depth + 1);
	}
}

static int append_item(struct buf *b, const struct layer_item *item,
		       const struct known_digests *k, struct err *e)
{
	char hex[DIGEST_HEX_MAX] = "";
	_cleanup_close_ int fd = -1;
	int r = 0;

	if (item->source == LAYER_TEXT && item->type == ENTRY_FILE) {
		digest_text(DIGEST_SHA256, item->text, item->len, hex);
	} else if (item->source == LAYER_FILE && item->file) {
		fd = file_open_regular_at(AT_FDCWD, item->file);
		r = fd < 0 ? fd : known_digest_file(k, fd, hex, NULL);
	}
	if (r < 0)
		return err_set(e, ERR_FAILED, "%s: %s: %s", item->where, item->file,
			       file_strerror(r));
	buf_printf(b, "item %s\t%d %o %d %s %s\t%s\n", item->path, item->type, item->mode,
		   item->source, hex, item->input ? item->input->blob.sha256 : "",
		   item->target ? item->target : "");
	return 0;
}

/* Appends the units of disable or mask: these remove links of the base, which is not seen
 * in the layer's items. */
static void append_switches(struct buf *b, const char *what,
			    const struct recipe_switches *s)
{
	for (size_t i = 0; i < s->n; i++)
		buf_printf(b, "%s %s\n", what, s->v[i].unit);
}

int root_cache_init(struct root_cache *ret, const struct cache *c, const struct recipe *r,
		    const struct base *base, const struct inputs *in,
		    const struct layer *l, const struct known_digests *k, struct err *e)
{
	const struct recipe_squashfs *s = &r->squashfs;
	_cleanup_buf_ struct buf b = {0};
	char tool[DIGEST_HEX_MAX];

	buf_printf(&b, "format %d " RACKSTRAP_VERSION "\nbase %s\nepoch %" PRIu64 "\n",
		   ROOT_FORMAT, base->tar.sha256, r->epoch);
	buf_printf(&b, "squashfs %s %d %s by %s\n", s->compression, s->level, s->block,
		   digest_program(SQUASH_TOOL, tool));
	for (size_t i = 0; r->exclude && r->exclude[i]; i++)
		buf_printf(&b, "exclude %s\n", r->exclude[i]);
	append_switches(&b, "disable", &r->disable);
	append_switches(&b, "mask", &r->mask);
	for (size_t i = 0; i < in->n; i++) {
		buf_printf(&b, "input %s\n", in->v[i].blob.sha256);
		append_extract(&b, in->v[i].artifact->v, in->v[i].artifact->n, 0);
	}
	for (size_t i = 0; i < l->n; i++)
		if (append_item(&b, &l->v[i], k, e) < 0)
			return -1;
	*ret = (struct root_cache){.cache = c, .r = r};
	digest_text(DIGEST_SHA256, b.p, b.len, ret->key);
	return 0;
}

/* --- reading ----------------------------------------------------------------------- */

static char *dir_path(const struct root_cache *rc)
{
	return xasprintf("root/%s", rc->r->name);
}

/* Sets the folder's time, for `rackstrap cache prune`. */
static void note_use(int dir)
{
	(void)!futimens(dir, NULL);
}

/* Parses a line "item SIZE SHA256 PATH" into the item. Returns false if it is of another
 * path or malformed. */
static bool parse_item(struct layer_item *item, const char *line)
{
	_cleanup_strv_ char **f = strv_split(line, " ");
	const char *path = str_after(line, "item ");

	if (strv_len(f) < 4 || !path || str_to_u64(f[1], UINT64_MAX, &item->size) < 0 ||
	    !digest_is_hex(f[2], DIGEST_SHA256))
		return false;
	path += strlen(f[1]) + 1 + strlen(f[2]) + 1;
	if (!streq(path, item->path))
		return false;
	strcpy(item->sha256, f[2]);
	return true;
}

/* The notes of a root image, in lines. */
struct notes {
	char **lines;
	const char *key, *root_sha256;
	size_t items; /* index of the first line "item" */
};

static void notes_done(struct notes *n)
{
	strv_free(n->lines);
}
#define _cleanup_notes_ _cleanup_(notes_done)

/* Appends the line with the digest of everything before it. */
static void append_digest(struct buf *b)
{
	char sha256[DIGEST_HEX_MAX];

	buf_printf(b, "digest %s\n", digest_text(DIGEST_SHA256, b->p, b->len, sha256));
}

/* Returns true when `text` ends with the line of append_digest(), and removes it. */
static bool check_digest(char *text)
{
	_cleanup_buf_ struct buf b = {0};
	char *line = strstr(text, "\ndigest ");
	bool right;

	if (!line)
		return false;
	buf_add(&b, text, (size_t)(line + 1 - text));
	append_digest(&b);
	right = streq(b.p, text);
	line[1] = '\0';
	return right;
}

/* Reads the notes and the merge's counts. Returns false when they are damaged. */
static bool read_notes(int dir, struct notes *n, struct merge_stats *stats)
{
	_cleanup_free_ char *text = NULL;
	const char *entries, *bytes;

	if (file_read_foreign_at(dir, NOTES, NOTES_MAX, &text, NULL) < 0 ||
	    !check_digest(text))
		return false;
	n->lines = strv_split(text, "\n");
	if (strv_len(n->lines) < 4)
		return false;
	n->key = str_after(n->lines[0], "key ");
	n->root_sha256 = str_after(n->lines[1], "root ");
	entries = str_after(n->lines[2], "entries ");
	bytes = str_after(n->lines[3], "bytes ");
	n->items = 4;
	return n->key && n->root_sha256 && entries && bytes &&
	       str_to_u64(entries, UINT64_MAX, &stats->entries) == 0 &&
	       str_to_u64(bytes, UINT64_MAX, &stats->bytes) == 0;
}

/* Fills in the layer. Returns false when the notes do not have exactly its files. */
static bool parse_items(const struct notes *n, struct layer *l)
{
	size_t at = n->items;

	for (size_t i = 0; i < l->n; i++)
		if (l->v[i].type == ENTRY_FILE &&
		    (!n->lines[at] || !parse_item(&l->v[i], n->lines[at++])))
			return false;
	return n->lines[at] == NULL;
}

/* Copies the root image and digests the copy. Returns 0 or -errno. */
static int copy_root(int from, int dirfd, const char *name,
		     char sha256[static DIGEST_HEX_MAX])
{
	_cleanup_close_ int to =
		openat(dirfd, name, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
	int r = to < 0 ? -errno : copy_fd(from, to);

	if (r == 0 && lseek(to, 0, SEEK_SET) < 0)
		r = -errno;
	return r < 0 ? r : digest_fd(to, DIGEST_SHA256, sha256, NULL);
}

/* Checks, after a copy failed, if reading the file was not the reason. */
static bool is_readable(int fd)
{
	char sha256[DIGEST_HEX_MAX];

	return lseek(fd, 0, SEEK_SET) == 0 &&
	       digest_fd(fd, DIGEST_SHA256, sha256, NULL) == 0;
}

/* Warns, and returns 0. */
static int damaged(const struct root_cache *rc, const char *file)
{
	log_warn("cache %s: root/%s/%s is damaged: the root image is made again",
		 rc->cache->dir, rc->r->name, file);
	return 0;
}

bool root_cache_recall(const struct root_cache *rc, struct layer *l,
		       struct merge_stats *stats, char sha256[static DIGEST_HEX_MAX])
{
	_cleanup_free_ char *path = dir_path(rc);
	_cleanup_notes_ struct notes n = {0};
	_cleanup_close_ int dir =
		openat(rc->cache->fd, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (dir < 0 || !read_notes(dir, &n, stats) || !streq(n.key, rc->key) ||
	    !digest_is_hex(n.root_sha256, DIGEST_SHA256) || !parse_items(&n, l))
		return false;
	strcpy(sha256, n.root_sha256);
	note_use(dir);
	return true;
}

bool root_cache_has(const struct root_cache *rc)
{
	_cleanup_free_ char *path = dir_path(rc);
	_cleanup_notes_ struct notes n = {0};
	struct merge_stats stats;
	_cleanup_close_ int dir =
		openat(rc->cache->fd, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	return dir >= 0 && read_notes(dir, &n, &stats) && streq(n.key, rc->key) &&
	       faccessat(dir, ROOT_FILE, F_OK, 0) == 0;
}

int root_cache_get(const struct root_cache *rc, int dirfd, const char *name,
		   struct layer *l, struct merge_stats *stats,
		   char sha256[static DIGEST_HEX_MAX], struct err *e)
{
	_cleanup_free_ char *path = dir_path(rc);
	_cleanup_notes_ struct notes n = {0};
	_cleanup_close_ int dir = -1, root = -1;
	struct stat st;
	int r;

	dir = openat(rc->cache->fd, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (dir < 0 || fstatat(dir, NOTES, &st, 0) < 0)
		return 0;
	if (!read_notes(dir, &n, stats))
		return damaged(rc, NOTES);
	if (!streq(n.key, rc->key))
		return 0;
	root = file_open_foreign_at(dir, ROOT_FILE);
	if (root < 0 || !parse_items(&n, l))
		return damaged(rc, ROOT_FILE);
	r = copy_root(root, dirfd, name, sha256);
	if (r < 0 && is_readable(root))
		return err_errno(e, r, "%s", name);
	if (r == 0 && streq(sha256, n.root_sha256)) {
		note_use(dir);
		return 1;
	}
	unlinkat(dirfd, name, 0);
	return damaged(rc, ROOT_FILE);
}

/* --- storing ----------------------------------------------------------------------- */

static char *format_notes(const struct root_cache *rc, const char *sha256,
			  const struct layer *l, const struct merge_stats *stats)
{
	struct buf b = {0};

	buf_printf(&b, "key %s\nroot %s\nentries %" PRIu64 "\nbytes %" PRIu64 "\n",
		   rc->key, sha256, stats->entries, stats->bytes);
	for (size_t i = 0; i < l->n; i++)
		if (l->v[i].type == ENTRY_FILE)
			buf_printf(&b, "item %" PRIu64 " %s %s\n", l->v[i].size,
				   l->v[i].sha256, l->v[i].path);
	append_digest(&b);
	return buf_take(&b);
}

/* Writes image and notes to the folder. The image is not synced: when a power cut damages
 * it, its digest differs. */
static int fill(const char *path, int dirfd, const char *name, const char *notes)
{
	_cleanup_close_ int root = file_open_foreign_at(dirfd, name), to = -1;
	_cleanup_close_ int dir = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int r;

	if (root < 0)
		return root;
	if (dir < 0 || fchmod(dir, 0755) < 0)
		return -errno;
	to = openat(dir, ROOT_FILE, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
	r = to < 0 ? -errno : copy_fd(root, to);
	return r < 0 ? r : file_write_at(dir, NOTES, notes, strlen(notes), 0644);
}

static int store(const struct root_cache *rc, int dirfd, const char *name,
		 const char *notes, struct err *e)
{
	_cleanup_free_ char *parent = xasprintf("%s/root", rc->cache->dir);
	_cleanup_free_ char *to = xasprintf("%s/%s", parent, rc->r->name);
	_cleanup_free_ char *hidden = xasprintf(".%s", rc->r->name);
	_cleanup_free_ char *aside = xasprintf("%s/%s.old", parent, hidden);
	_cleanup_scratch_ struct scratch s = SCRATCH_INIT;
	int r = mkdir_p_at(AT_FDCWD, parent, 0755);

	if (r < 0)
		return err_errno(e, r, "%s", parent);
	if (leftovers_make(&s, parent, hidden, e) < 0)
		return -1;
	r = fill(s.path, dirfd, name, notes);
	if (r == 0)
		r = scratch_publish(&s, to, aside);
	return r < 0 ? err_set(e, ERR_FAILED, "%s: %s", to, scratch_strerror(r)) : 0;
}

void root_cache_store(const struct root_cache *rc, int dirfd, const char *name,
		      const char *sha256, const struct layer *l,
		      const struct merge_stats *stats)
{
	_cleanup_free_ char *notes = format_notes(rc, sha256, l, stats);
	struct err e = {0};

	if (store(rc, dirfd, name, notes, &e) < 0)
		log_warn("the root image could not be stored in the cache: %s", e.msg);
}
