/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Makes the parts. The root image comes from the cache, or the merged tree is streamed
 * into mksquashfs. Each part is digested once; what is an output stays as it is from then
 * on, so that its digest is remembered (known-digest.h).
 */
#include "builder/image/build-state.h"
#include "builder/recipe/image-type.h"
#include "builder/root/initrd.h"
#include "builder/root/root-check.h"
#include "builder/root/squash.h"
#include "lib/file.h"
#include "lib/interrupt.h"

/* Writes the merged tree as a tar to `fd`. The digest of the base's root.tar is computed
 * on the way if it is not remembered. */
static int write_tree(struct build_state *b, struct root_check *check, int fd,
		      struct err *e)
{
	bool known = !b->base.made && base_tar_is_known(&b->base);
	_cleanup_archive_out_ struct archive_out *out = NULL;
	_cleanup_digest_ struct digest *tap = known ? NULL : digest_new(DIGEST_SHA256);
	struct digest_stamp stamp;
	struct merge m = {
		.base = &b->index,
		.tar = b->base.tar.fd,
		.tap = tap,
		.layer = &b->layer,
		.epoch = b->r->epoch,
		.check = check,
	};
	int r = digest_stamp_take(&stamp, b->base.tar.fd);

	if (r < 0)
		return err_errno(e, r, "base: root.tar");
	out = archive_out_new(fd, "root image");
	if (merge(&m, out, &b->stats, e) < 0)
		return -1;
	if ((tap || !digest_stamp_holds(&stamp, b->base.tar.fd)) &&
	    base_tar_check(&b->base, tap, &stamp, e) < 0)
		return -1;
	return archive_out_end(out, e);
}

static int squash_root(struct build_state *b, struct err *e)
{
	_cleanup_free_ char *path =
		xasprintf("%s/%s/%s", b->out.scratch.inside, b->parts_dir, BUILD_ROOT);
	_cleanup_squash_ struct squash s = {.fd = -1};
	_cleanup_root_check_ struct root_check check = {0};

	stages_start("making " BUILD_ROOT, NULL);
	if (container_archives_open(&b->containers, b->r, &b->inputs, &b->cache, e) < 0 ||
	    squash_start(&s, b->r, path, e) < 0)
		return -1;
	if (write_tree(b, &check, s.fd, e) < 0)
		return squash_fail(&s, e);
	if (squash_finish(&s, e) < 0)
		return -1;
	return root_check_image(&check, path, b->r->epoch, e);
}

int build_output_read(const struct build_state *b, int dirfd, const char *path,
		      struct output *ret, struct err *e)
{
	_cleanup_close_ int fd = file_open_foreign_at(dirfd, path);
	struct output out = {0};
	int r = fd < 0 ? fd : known_digest_file(&b->known, fd, out.sha256, &out.size);

	if (r < 0)
		return err_errno(e, r, "%s/%s", b->out.scratch.path, path);
	out.path = xstrdup(path);
	*ret = out;
	return 0;
}

static int make_root(struct build_state *b, struct err *e)
{
	const struct root_cache *rc = &b->root_cache;
	char sha256[DIGEST_HEX_MAX];
	int found = 0;

	if (!b->o->refresh)
		found = root_cache_get(rc, b->parts, BUILD_ROOT, &b->layer, &b->stats,
				       sha256, e);
	if (found < 0 || (found == 0 && squash_root(b, e) < 0))
		return -1;
	if (build_output_read(b, b->parts, BUILD_ROOT, &b->part[PART_ROOT], e) < 0)
		return -1;
	if (found == 0)
		root_cache_store(rc, b->parts, BUILD_ROOT, b->part[PART_ROOT].sha256,
				 &b->layer, &b->stats);
	interrupt_set_kept("the downloads, the base and the root image stay in "
			   "the cache");
	stages_end(&b->stages, "%s: %s%llu entries, %s level %d", BUILD_ROOT,
		   found ? "cached, " : "", (unsigned long long)b->stats.entries,
		   b->r->squashfs.compression, b->r->squashfs.level);
	return 0;
}

static int make_kernel(struct build_state *b, struct err *e)
{
	_cleanup_close_ int fd = openat(b->parts, BUILD_KERNEL,
					O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);

	if (fd < 0)
		return err_errno(e, errno, "%s/%s", b->out.scratch.path, BUILD_KERNEL);
	if (base_copy_file(&b->base.kernel, BUILD_KERNEL, fd, BUILD_KERNEL, e) < 0)
		return -1;
	return build_output_read(b, b->parts, BUILD_KERNEL, &b->part[PART_KERNEL], e);
}

static int make_initrd(struct build_state *b, struct err *e)
{
	if (initrd_write(b->parts, BUILD_INITRD, b->r, &b->base.initrd, &b->initrd_paths,
			 e) < 0)
		return -1;
	return build_output_read(b, b->parts, BUILD_INITRD, &b->part[PART_INITRD], e);
}

/* Makes the folder of the parts and opens it. */
static int begin_parts(struct build_state *b, struct err *e)
{
	b->parts_dir = BUILD_PARTS;
	for (size_t i = 0; i < b->r->n_images; i++)
		if (b->r->images[i]->parts)
			b->parts_dir = ".";
	if (streq(b->parts_dir, BUILD_PARTS) && mkdirat(b->out.fd, BUILD_PARTS, 0755) < 0)
		return err_errno(e, errno, "%s/%s", b->out.scratch.path, BUILD_PARTS);
	b->parts = openat(b->out.fd, b->parts_dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return b->parts < 0
		       ? err_errno(e, errno, "%s/%s", b->out.scratch.path, BUILD_PARTS)
		       : 0;
}

int build_parts(struct build_state *b, struct err *e)
{
	if (outdir_begin(&b->out, b->o->out, b->r->name, e) < 0 ||
	    begin_parts(b, e) < 0 || make_root(b, e) < 0 || make_kernel(b, e) < 0)
		return -1;
	return make_initrd(b, e);
}
