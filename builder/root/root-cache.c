/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Only the last root image of each recipe is kept, so that the cache does not grow with
 * every build. The notes are replaced after the image. They have its digest, which is
 * checked at every use: after two builds at the same time, or a build killed in between,
 * the next build finds a mismatch and makes the image again.
 */
#include "builder/root/root-cache.h"

#include "builder/root/squash.h"
#include "lib/file.h"
#include "lib/log.h"

#include <inttypes.h>

/* Increase this when a change of the program makes another root.squashfs of the same
 * inputs. */
#define ROOT_FORMAT 2
#define ROOT_FILE   "root.squashfs"
#define NOTES       "notes"
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

static int append_item(struct buf *b, const struct layer_item *item, struct err *e)
{
	char hex[DIGEST_HEX_MAX] = "";
	_cleanup_close_ int fd = -1;
	int r = 0;

	if (item->source == LAYER_TEXT && item->type == ENTRY_FILE) {
		digest_text(DIGEST_SHA256, item->text, item->len, hex);
	} else if (item->source == LAYER_FILE && item->file) {
		fd = file_open_regular_at(AT_FDCWD, item->file);
		r = fd < 0 ? fd : digest_fd(fd, DIGEST_SHA256, hex, NULL);
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
		    const struct layer *l, struct err *e)
{
	const struct recipe_squashfs *s = &r->squashfs;
	_cleanup_buf_ struct buf b = {0};
	char tool[DIGEST_HEX_MAX];

	buf_printf(&b, "format %d " RACKSTRAP_VERSION "\nbase %s\nepoch %" PRIu64 "\n",
		   ROOT_FORMAT, base->tar_sha256, r->epoch);
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
		if (append_item(&b, &l->v[i], e) < 0)
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

/* Parses the lines of format_notes(). Returns false if they are about another root image.
 */
static bool parse_notes(const struct root_cache *rc, char *const *lines, struct layer *l,
			struct merge_stats *stats, const char **ret_sha256)
{
	const char *key, *entries, *bytes;
	size_t at = 4;

	if (strv_len(lines) < 4)
		return false;
	key = str_after(lines[0], "key ");
	*ret_sha256 = str_after(lines[1], "root ");
	entries = str_after(lines[2], "entries ");
	bytes = str_after(lines[3], "bytes ");
	if (!key || !streq(key, rc->key) || !*ret_sha256 || !entries || !bytes ||
	    str_to_u64(entries, UINT64_MAX, &stats->entries) < 0 ||
	    str_to_u64(bytes, UINT64_MAX, &stats->bytes) < 0)
		return false;
	for (size_t i = 0; i < l->n; i++)
		if (l->v[i].type == ENTRY_FILE &&
		    (!lines[at] || !parse_item(&l->v[i], lines[at++])))
			return false;
	return lines[at] == NULL;
}

static int copy_root(int from, int dirfd, const char *name)
{
	_cleanup_close_ int to =
		openat(dirfd, name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);

	return to < 0 ? -errno : copy_fd(from, to);
}

int root_cache_get(const struct root_cache *rc, int dirfd, const char *name,
		   struct layer *l, struct merge_stats *stats, struct err *e)
{
	_cleanup_free_ char *path = dir_path(rc), *text = NULL;
	_cleanup_strv_ char **lines = NULL;
	_cleanup_close_ int dir = -1, root = -1;
	char sha256[DIGEST_HEX_MAX];
	const char *want = NULL;
	int r;

	dir = openat(rc->cache->fd, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (dir < 0 || file_read_foreign_at(dir, NOTES, NOTES_MAX, &text, NULL) < 0)
		return 0;
	lines = strv_split(text, "\n");
	root = file_open_foreign_at(dir, ROOT_FILE);
	if (root < 0 || !parse_notes(rc, lines, l, stats, &want) ||
	    digest_fd(root, DIGEST_SHA256, sha256, NULL) < 0 || !streq(sha256, want))
		return 0;
	r = lseek(root, 0, SEEK_SET) < 0 ? -errno : copy_root(root, dirfd, name);
	return r < 0 ? err_errno(e, r, "%s", name) : 1;
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
	return buf_take(&b);
}

static int store(const struct root_cache *rc, int dirfd, const char *name,
		 const struct layer *l, const struct merge_stats *stats)
{
	_cleanup_free_ char *path = dir_path(rc), *notes = NULL;
	_cleanup_close_ int dir = -1, root = file_open_foreign_at(dirfd, name);
	_cleanup_free_ char *temp = xasprintf("." ROOT_FILE ".%d", (int)getpid());
	char sha256[DIGEST_HEX_MAX];
	int r = root < 0 ? root : digest_fd(root, DIGEST_SHA256, sha256, NULL);

	if (r >= 0)
		r = mkdir_p_at(rc->cache->fd, path, 0755);
	if (r < 0)
		return r;
	dir = openat(rc->cache->fd, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (dir < 0 || lseek(root, 0, SEEK_SET) < 0)
		return -errno;
	rm_rf_at(dir, temp);
	r = copy_root(root, dir, temp);
	if (r >= 0 && renameat(dir, temp, dir, ROOT_FILE) < 0)
		r = -errno;
	if (r < 0) {
		rm_rf_at(dir, temp);
		return r;
	}
	notes = format_notes(rc, sha256, l, stats);
	return file_write_at(dir, NOTES, notes, strlen(notes), 0644);
}

void root_cache_store(const struct root_cache *rc, int dirfd, const char *name,
		      const struct layer *l, const struct merge_stats *stats)
{
	int r = store(rc, dirfd, name, l, stats);

	if (r < 0)
		log_warn("cache %s: could not store the root image: %s", rc->cache->dir,
			 strerror(-r));
}
