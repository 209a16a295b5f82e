/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Writes the hosts' files. One that the old tree has with the same bytes is linked, so
 * that a rendering writes what has changed only: a new file costs the file system many
 * times what a link costs. The old files are read for that, because the tree must be the
 * same whatever tree stood there before. Scripts that are the same for several hosts are
 * one file with as many names.
 *
 * Nothing is linked from a folder that another user may write to, so that no name in it
 * leads to another file than the one that was read.
 */
#include "lib/dir.h"
#include "lib/file.h"
#include "lib/intern.h"
#include "pxe/tree-parts.h"

#define MODE        0644
#define FOLDERS_MAX 4

/* A folder of the new tree, and the same one of the old tree. */
struct folder {
	char *path;
	int new, old; /* old -1: nothing is linked from there */
};

/* The file of a script that several hosts have. */
struct script {
	const char *path; /* in the new tree, the last one that was made; NULL: none */
	ino_t same;    /* the file of the old tree that was read last and is as it, ... */
	bool has_same; /* ... if there is one */
};

struct writer {
	const struct tree_plan *p;
	int dirfd, old;
	struct folder folders[FOLDERS_MAX];
	size_t n_folders;
	char *read; /* an old file, to be compared */
	size_t read_len;
	bool has_written;        /* a file of the host that is written now */
	struct intern texts;     /* of scripts that hosts may share */
	struct script *scripts;  /* of each text */
	struct strv_builder all; /* paths of scripts */
};

static void writer_done(struct writer *w)
{
	for (size_t i = 0; i < w->n_folders; i++) {
		struct folder *f = &w->folders[i];

		close(f->new);
		if (f->old >= 0)
			close(f->old);
		free(f->path);
	}
	free(w->read);
	intern_done(&w->texts);
	free(w->scripts);
	strv_builder_done(&w->all);
}
#define _cleanup_writer_ _cleanup_(writer_done)

/* Opens a folder of the old tree. Returns -1 if nothing may be linked from it. */
static int open_old(int old, const char *path)
{
	_cleanup_close_ int fd = old < 0 ? -1 : dir_open_nofollow_at(old, path);
	struct stat st;

	return fd < 0 || fstat(fd, &st) < 0 || !file_is_private(&st) ? -1 : TAKE_FD(fd);
}

/* Returns the folder of the tree's file `path`, which is opened at first, or NULL. */
static struct folder *folder_of(struct writer *w, const char *path, struct err *e)
{
	size_t len = (size_t)(strrchr(path, '/') - path);
	struct folder *f = w->folders;
	int fd;

	for (; f < w->folders + w->n_folders; f++)
		if (strncmp(f->path, path, len) == 0 && !f->path[len])
			return f;
	if (w->n_folders == FOLDERS_MAX)
		abort(); /* another folder in the table of loaders */
	*f = (struct folder){.path = xstrndup(path, len)};
	fd = dir_open_nofollow_at(w->dirfd, f->path);
	if (fd < 0) {
		err_errno(e, fd, "%s", f->path);
		free(f->path);
		return NULL;
	}
	f->new = fd;
	f->old = open_old(w->old, f->path);
	w->n_folders++;
	return f;
}

/* Returns true if the file of the old folder begins with the bytes. */
static bool has_bytes(struct writer *w, const struct folder *f, const char *name,
		      const char *data, size_t len)
{
	_cleanup_close_ int fd =
		openat(f->old, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);

	if (fd < 0)
		return false;
	if (w->read_len < len) {
		free(w->read);
		w->read = xmalloc(len);
		w->read_len = len;
	}
	return read(fd, w->read, len) == (ssize_t)len && memcmp(w->read, data, len) == 0;
}

/* Returns true if the old folder's file is as a new one would be. With a script, a file
 * that was found to be so is not read again. */
static bool is_same(struct writer *w, const struct folder *f, const char *name,
		    const char *data, size_t len, struct script *script)
{
	struct stat st;

	if (fstatat(f->old, name, &st, AT_SYMLINK_NOFOLLOW) < 0 || !S_ISREG(st.st_mode) ||
	    !file_is_private(&st) || (st.st_mode & 07777) != MODE ||
	    (uint64_t)st.st_size != len)
		return false;
	if (script && script->has_same && script->same == st.st_ino)
		return true;
	if (!has_bytes(w, f, name, data, len))
		return false;
	if (script) {
		script->same = st.st_ino;
		script->has_same = true;
	}
	return true;
}

/* Returns true if the new tree's file of the script has got another name. It is full of
 * them at some time (EMLINK), and some file systems have no links. */
static bool link_script(const struct writer *w, const struct script *script,
			const char *path)
{
	return script && script->path &&
	       linkat(w->dirfd, script->path, w->dirfd, path, 0) == 0;
}

/* Puts a file into the new tree. `script` is that of its text, or NULL if no other host
 * has it; its path is set to `path`, which must then outlive the writer. */
static int put_file(struct writer *w, const char *path, const char *data, size_t len,
		    struct script *script, struct err *e)
{
	const char *name = strrchr(path, '/') + 1;
	const struct folder *f = folder_of(w, path, e);
	_cleanup_close_ int fd = -1;
	int r;

	if (!f)
		return -1;
	/* Written, too, where links do not work or a file has too many. */
	if (f->old >= 0 && is_same(w, f, name, data, len, script) &&
	    linkat(f->old, name, f->new, name, 0) == 0) {
		if (script)
			script->path = path;
		return 0;
	}
	w->has_written = true;
	if (link_script(w, script, path))
		return 0;
	if (script)
		script->path = path;
	fd = tree_create(f->new, name, MODE, e);
	if (fd < 0)
		return err_wrap(e, "%s", f->path);
	r = write_all(fd, data, len);
	return r < 0 ? err_errno(e, r, "%s", path) : 0;
}

/* Makes a symlink, or another link to that of the old tree. */
static int put_symlink(struct writer *w, const char *path, const char *target,
		       struct err *e)
{
	const char *name = strrchr(path, '/') + 1;
	const struct folder *f = folder_of(w, path, e);
	char was[64];
	ssize_t n;

	if (!f)
		return -1;
	n = f->old < 0 ? -1 : readlinkat(f->old, name, was, sizeof(was));
	if (n == (ssize_t)strlen(target) && memcmp(was, target, (size_t)n) == 0 &&
	    linkat(f->old, name, f->new, name, 0) == 0)
		return 0;
	w->has_written = true;
	return symlinkat(target, f->new, name) < 0 ? err_errno(e, errno, "%s", path) : 0;
}

/* Returns the script of the text. It stays valid until the next call. */
static struct script *script_of(struct writer *w, const char *text)
{
	bool is_new;
	size_t i = intern(&w->texts, text, &is_new);

	if (is_new) {
		w->scripts = xgrow(w->scripts, i, sizeof(*w->scripts));
		w->scripts[i] = (struct script){.path = NULL};
	}
	return &w->scripts[i];
}

static int put_scripts(struct writer *w, struct mac mac, const struct tree_host_texts *t,
		       struct err *e)
{
	for (size_t i = 0; pxe_loaders[i].name; i++) {
		_cleanup_free_ char *path =
			host_file_path(&pxe_loaders[i].host_file, mac, '-');
		const char *text = t->scripts[i], *kept = path;
		struct script *script = NULL;

		if (pxe_loaders[i].shares) {
			script = script_of(w, text);
			strv_builder_add(&w->all, path);
			kept = w->all.v[w->all.n - 1];
		}
		if (put_file(w, kept, text, strlen(text), script, e) < 0)
			return -1;
	}
	return 0;
}

static int put_host_texts(struct writer *w, const struct rack_host *h,
			  const struct tree_host_texts *t, struct err *e)
{
	struct mac mac = h->host.mac;
	_cleanup_free_ char *cpio = host_file_path(&host_cpio_file, mac, '-');
	_cleanup_free_ char *rack = host_file_path(&host_rack_file, mac, '-');
	_cleanup_buf_ struct buf archive = {0};

	if (put_scripts(w, mac, t, e) < 0)
		return -1;
	if (tree_host_cpio(w->p, h, t->host_cfg, &archive, e) < 0)
		return err_wrap(e, "%s", cpio);
	if (put_file(w, cpio, archive.p, archive.len, NULL, e) < 0)
		return -1;
	return tree_wants_rack(w->p, &h->host) ? put_symlink(w, rack, TREE_RACK_CPIO, e)
					       : 0;
}

static int put_host(struct writer *w, const struct rack_host *h, struct err *e)
{
	struct tree_host_texts t;
	int r;

	if (tree_host_texts(w->p, h, &t, e) < 0)
		return -1;
	r = put_host_texts(w, h, &t, e);
	tree_host_texts_done(&t);
	return r;
}

static int put_rack(struct writer *w, struct err *e)
{
	_cleanup_buf_ struct buf archive = {0};

	if (!host_templates_use_hosts(&w->p->image->templates, NULL))
		return 0;
	if (tree_rack_cpio(w->p, &archive, e) < 0)
		return err_wrap(e, TREE_RACK_CPIO);
	return put_file(w, TREE_HOSTS "/" TREE_RACK_CPIO, archive.p, archive.len, NULL,
			e);
}

int tree_hosts_write(int dirfd, int old, const struct tree_plan *p,
		     struct tree_counts *ret, struct err *e)
{
	_cleanup_writer_ struct writer w = {.p = p, .dirfd = dirfd, .old = old};
	struct tree_counts counts = {0};

	if (put_rack(&w, e) < 0)
		return -1;
	for (size_t i = 0; i < p->rack->n_hosts; i++) {
		w.has_written = false;
		if (put_host(&w, &p->rack->hosts[i], e) < 0)
			return -1;
		if (w.has_written)
			counts.written++;
		else
			counts.kept++;
	}
	*ret = counts;
	return 0;
}
