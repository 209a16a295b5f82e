/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Walks the image with libsquashfs, which decompresses tables of metadata alone: the
 * files' data is not read. Inodes are read in the order of each folder. mksquashfs writes
 * them in that order, so each block of them is decompressed about once. Folders that are
 * still to be read wait on a stack.
 */
#include "builder/common/squashfs.h"

#include "lib/str.h"

#include <sqfs/compressor.h>
#include <sqfs/dir.h>
#include <sqfs/dir_reader.h>
#include <sqfs/id_table.h>
#include <sqfs/inode.h>
#include <sqfs/io.h>
#include <sqfs/super.h>
#include <sqfs/xattr.h>
#include <sqfs/xattr_reader.h>

#define CAP_XATTR "security.capability"
#define NO_XATTR  0xffffffffU

struct folder {
	char *path;
	sqfs_inode_generic_t *inode;
};

struct walk {
	const char *name;
	squashfs_visit *visit;
	void *data;
	sqfs_file_t *file;
	sqfs_super_t super;
	sqfs_compressor_t *compressor;
	sqfs_id_table_t *ids;
	sqfs_dir_reader_t *dirs;
	sqfs_xattr_reader_t *xattrs;
	struct folder *folders; /* the stack */
	size_t n_folders;

	/* The node that is visited owns these. */
	char *target, *xattr;
	sqfs_xattr_value_t *caps;
};

/* `r` is an error of libsquashfs. */
static int damaged(const struct walk *w, int r, const char *what, struct err *e)
{
	return err_set(e, ERR_FAILED, "%s: %s cannot be read back (libsquashfs: %d)",
		       w->name, what, r);
}

/* --- opening ----------------------------------------------------------------------- */

static int open_compressor(struct walk *w)
{
	sqfs_compressor_config_t config;
	int r = sqfs_compressor_config_init(&config, w->super.compression_id,
					    w->super.block_size,
					    SQFS_COMP_FLAG_UNCOMPRESS);

	if (r == 0)
		r = sqfs_compressor_create(&config, &w->compressor);
	if (r == 0 && (w->super.flags & SQFS_FLAG_COMPRESSOR_OPTIONS))
		r = w->compressor->read_options(w->compressor, w->file);
	return r;
}

static int open_tables(struct walk *w)
{
	int r;

	w->ids = sqfs_id_table_create(0);
	w->dirs = sqfs_dir_reader_create(&w->super, w->compressor, w->file, 0);
	w->xattrs = sqfs_xattr_reader_create(0);
	if (!w->ids || !w->dirs || !w->xattrs)
		abort();
	r = sqfs_id_table_read(w->ids, w->file, &w->super, w->compressor);
	return r ? r
		 : sqfs_xattr_reader_load(w->xattrs, &w->super, w->file, w->compressor);
}

static int open_image(struct walk *w, struct err *e)
{
	int r;

	w->file = sqfs_open_file(w->name, SQFS_FILE_OPEN_READ_ONLY);
	if (!w->file)
		return err_errno(e, errno, "%s", w->name);
	r = sqfs_super_read(&w->super, w->file);
	if (r == 0)
		r = open_compressor(w);
	if (r == 0)
		r = open_tables(w);
	return r == 0 ? 0 : damaged(w, r, "its header", e);
}

static void node_done(struct walk *w)
{
	free(TAKE_PTR(w->target));
	free(TAKE_PTR(w->xattr));
	sqfs_free(TAKE_PTR(w->caps));
}

static void close_image(struct walk *w)
{
	void *const objects[] = {w->xattrs, w->dirs, w->ids, w->compressor, w->file};

	node_done(w);
	for (size_t i = 0; i < w->n_folders; i++) {
		free(w->folders[i].path);
		sqfs_free(w->folders[i].inode);
	}
	free(w->folders);
	for (size_t i = 0; i < ARRAY_SIZE(objects); i++)
		if (objects[i])
			sqfs_destroy(objects[i]);
}

/* --- inodes ------------------------------------------------------------------------ */

/* Sets what inodes of devices have. Linux: new_encode_dev(). */
static void set_device(struct entry *entry, uint32_t device)
{
	entry->major = (device & 0xfff00) >> 8;
	entry->minor = (device & 0xff) | ((device >> 12) & 0xfff00);
}

static enum entry_type type_of(unsigned inode_type)
{
	static const enum entry_type types[] = {
		[SQFS_INODE_DIR] = ENTRY_DIR,       [SQFS_INODE_FILE] = ENTRY_FILE,
		[SQFS_INODE_SLINK] = ENTRY_SYMLINK, [SQFS_INODE_BDEV] = ENTRY_BLOCK,
		[SQFS_INODE_CDEV] = ENTRY_CHAR,     [SQFS_INODE_FIFO] = ENTRY_FIFO,
		[SQFS_INODE_SOCKET] = ENTRY_OTHER,
	};

	/* The extended types follow in the same order. */
	if (inode_type > SQFS_INODE_SOCKET)
		inode_type -= SQFS_INODE_SOCKET;
	return inode_type < ARRAY_SIZE(types) ? types[inode_type] : ENTRY_OTHER;
}

/* Sets what is particular to a type. */
static void set_type(struct walk *w, struct squashfs_node *node,
		     const sqfs_inode_generic_t *i)
{
	struct entry *entry = &node->entry;
	bool extended = i->base.type > SQFS_INODE_SOCKET;
	sqfs_u64 size = 0;

	entry->type = type_of(i->base.type);
	node->links = 1;
	switch (entry->type) {
	case ENTRY_FILE:
		(void)sqfs_inode_get_file_size(i, &size);
		entry->size = size;
		node->links = extended ? i->data.file_ext.nlink : 1;
		break;
	case ENTRY_SYMLINK: /* target_size is at the same place in both kinds */
		w->target = xstrndup((const char *)i->extra, i->data.slink.target_size);
		entry->target = w->target;
		break;
	case ENTRY_CHAR:
	case ENTRY_BLOCK:
		set_device(entry, i->data.dev.devno);
		break;
	case ENTRY_DIR:
	case ENTRY_HARDLINK:
	case ENTRY_FIFO:
	case ENTRY_OTHER:
		break;
	}
}

/* Reads one extended attribute. */
static int read_xattr(struct walk *w, struct squashfs_node *node)
{
	_cleanup_free_ char *name = NULL;
	sqfs_xattr_entry_t *key = NULL;
	sqfs_xattr_value_t *value = NULL;
	int r = sqfs_xattr_reader_read_key(w->xattrs, &key);

	if (r == 0)
		r = sqfs_xattr_reader_read_value(w->xattrs, key, &value);
	if (r == 0)
		name = xstrdup((const char *)key->key);
	sqfs_free(key);
	if (r != 0)
		return r;
	if (streq(name, CAP_XATTR) && !w->caps) {
		w->caps = value;
		node->entry.caps = value->value;
		node->entry.n_caps = value->size;
		return 0;
	}
	sqfs_free(value);
	free(w->xattr);
	node->xattr = w->xattr = TAKE_PTR(name);
	return 0;
}

static int set_xattrs(struct walk *w, struct squashfs_node *node,
		      const sqfs_inode_generic_t *i)
{
	sqfs_xattr_id_t id;
	sqfs_u32 index;
	int r = sqfs_inode_get_xattr_index(i, &index);

	if (r != 0 || index == NO_XATTR)
		return r;
	r = sqfs_xattr_reader_get_desc(w->xattrs, index, &id);
	if (r == 0)
		r = sqfs_xattr_reader_seek_kv(w->xattrs, &id);
	for (sqfs_u32 k = 0; r == 0 && k < id.count; k++)
		r = read_xattr(w, node);
	return r;
}

/* Fills in the node and gives it to the visitor. */
static int visit(struct walk *w, const char *path, const sqfs_inode_generic_t *i,
		 struct err *e)
{
	struct squashfs_node node = {
		.entry = {.path = path,
			  .mode = i->base.mode & 07777,
			  .mtime = i->base.mod_time},
		.inode = i->base.inode_number,
	};
	sqfs_u32 uid = 0, gid = 0;
	int r = sqfs_id_table_index_to_id(w->ids, i->base.uid_idx, &uid);

	node_done(w);
	if (r == 0)
		r = sqfs_id_table_index_to_id(w->ids, i->base.gid_idx, &gid);
	node.entry.uid = uid;
	node.entry.gid = gid;
	set_type(w, &node, i);
	if (r == 0)
		r = set_xattrs(w, &node, i);
	return r == 0 ? w->visit(w->data, &node, e) : damaged(w, r, path, e);
}

/* --- folders ----------------------------------------------------------------------- */

/* Takes over path and inode. */
static void push(struct walk *w, char *path, sqfs_inode_generic_t *inode)
{
	w->folders = xgrow(w->folders, w->n_folders, sizeof(*w->folders));
	w->folders[w->n_folders++] = (struct folder){path, inode};
}

static int read_entry(struct walk *w, const struct folder *f,
		      const sqfs_dir_entry_t *entry, struct err *e)
{
	_cleanup_free_ char *path = xasprintf("%s%s%.*s", f->path, *f->path ? "/" : "",
					      entry->size + 1, (const char *)entry->name);
	sqfs_inode_generic_t *inode = NULL;
	int r = sqfs_dir_reader_get_inode(w->dirs, &inode);

	if (r != 0)
		return damaged(w, r, path, e);
	r = visit(w, path, inode, e);
	if (r == 0 && type_of(inode->base.type) == ENTRY_DIR)
		push(w, TAKE_PTR(path), TAKE_PTR(inode));
	sqfs_free(inode);
	return r;
}

static int read_folder(struct walk *w, const struct folder *f, struct err *e)
{
	int r = sqfs_dir_reader_open_dir(w->dirs, f->inode, 0);

	while (r == 0) {
		sqfs_dir_entry_t *entry = NULL;

		r = sqfs_dir_reader_read(w->dirs, &entry);
		if (r == 0 && read_entry(w, f, entry, e) < 0) {
			sqfs_free(entry);
			return -1;
		}
		sqfs_free(entry);
	}
	return r < 0 ? damaged(w, r, f->path, e) : 0;
}

static int walk(struct walk *w, struct err *e)
{
	sqfs_inode_generic_t *root = NULL;
	int r = sqfs_dir_reader_get_root_inode(w->dirs, &root);

	if (r != 0)
		return damaged(w, r, "its top", e);
	push(w, xstrdup(""), root);
	r = visit(w, "", root, e);
	while (r == 0 && w->n_folders > 0) {
		struct folder f = w->folders[--w->n_folders];

		r = read_folder(w, &f, e);
		free(f.path);
		sqfs_free(f.inode);
	}
	return r;
}

int squashfs_walk(const char *path, squashfs_visit *visit_node, void *data, struct err *e)
{
	struct walk w = {.name = path, .visit = visit_node, .data = data};
	int r = open_image(&w, e) < 0 ? -1 : walk(&w, e);

	close_image(&w);
	return r;
}
