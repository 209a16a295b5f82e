/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Runs the stages of a build: inputs, containers, base, plan, parts, images. Each stage
 * ends with a log line that has its duration. Everything is written into one temporary
 * folder (outdir.h), so a build that fails leaves nothing under a final name.
 *
 * The parts (kernel, initrd, root image) are made in the folder "parts" within it; the
 * image types make their outputs from them.
 */
#include "builder/image/build.h"

#include "builder/base/base.h"
#include "builder/common/outdir.h"
#include "builder/common/progress.h"
#include "builder/image/image-parts.h"
#include "builder/image/manifest.h"
#include "builder/image/medium-tree.h"
#include "builder/image/spdx.h"
#include "builder/image/summary.h"
#include "builder/root/container-archives.h"
#include "builder/root/host-needs.h"
#include "builder/root/initrd.h"
#include "builder/root/root-cache.h"
#include "builder/root/squash.h"
#include "builder/root/unit-links.h"
#include "lib/file.h"
#include "lib/interrupt.h"
#include "lib/log.h"

#define KERNEL "vmlinuz"
#define INITRD "initrd.img"
#define ROOT   "root.squashfs"
#define PARTS  "parts"

#define MANIFEST "manifest.json"
#define SPDX     "manifest.spdx.json"
#define SUMS     "SHA256SUMS"

enum { PART_INITRD, PART_ROOT, PART_KERNEL, N_PARTS }; /* sorted by name */
static const char *const part_names[N_PARTS] = {INITRD, ROOT, KERNEL};

struct build_state {
	const struct recipe *r;
	const struct build_options *o;
	struct stages stages;
	struct lock lock;
	struct cache cache;
	struct inputs inputs;
	struct container_archives containers;
	struct base base;
	struct index index;
	struct layer layer;
	struct outdir out;
	int parts; /* descriptor of the folder "parts", or -1 */
	struct output part[N_PARTS];
	char **initrd_paths;
	struct merge_stats stats;
	struct output *outputs;
	size_t n_outputs;
};

static void outputs_done(struct output *v, size_t n)
{
	for (size_t i = 0; i < n; i++)
		free(v[i].path);
}

static void build_state_done(struct build_state *b)
{
	lock_done(&b->lock);
	cache_done(&b->cache);
	inputs_done(&b->inputs);
	container_archives_done(&b->containers);
	base_done(&b->base);
	layer_done(&b->layer);
	index_done(&b->index);
	if (b->parts >= 0)
		close(b->parts);
	outdir_done(&b->out);
	strv_free(b->initrd_paths);
	outputs_done(b->part, N_PARTS);
	outputs_done(b->outputs, b->n_outputs);
	free(b->outputs);
}

char *build_lock_path(const struct recipe *r, const char *option)
{
	return option ? xstrdup(option) : xasprintf("%s/recipe.lock", r->dir);
}

int build_lock_read(struct lock *ret, const struct recipe *r, const char *option,
		    struct diag *d)
{
	_cleanup_free_ char *path = build_lock_path(r, option);

	/* lock_read() takes a file that does not exist for an empty lock. */
	if (option && access(option, R_OK) < 0) {
		diag_add_unread(d, "--lock: %s: %s", option, strerror(errno));
		return -1;
	}
	return lock_read(ret, path, d);
}

/* --- inputs and plan --------------------------------------------------------------- */

static int check_firstboot(const char *path, struct err *e)
{
	struct stat st;

	if (stat(path, &st) < 0)
		return err_errno(e, errno, "firstboot %s (--firstboot names another)",
				 path);
	if (!S_ISREG(st.st_mode))
		return err_set(e, ERR_FAILED, "firstboot %s: not a file", path);
	return 0;
}

/* Checks for the programs of all image types, so that a missing one ends the build at its
 * start and not at its end. */
static int check_image_tools(const struct recipe *r, struct err *e)
{
	for (size_t i = 0; i < r->n_images; i++) {
		const struct tool *const *lists = r->images[i]->tools;

		for (; lists && *lists; lists++)
			if (tools_check(*lists, e) < 0)
				return err_wrap(e, "image '%s'", r->images[i]->name);
	}
	return 0;
}

static int get_inputs(struct build_state *b, struct err *e)
{
	_cleanup_diag_ struct diag d = {0};
	struct inputs_options io = {
		.mirrors = b->o->mirrors, .netrc = b->o->netrc, .offline = b->o->offline};
	char size[PROGRESS_SIZE_LEN];

	(void)!build_lock_read(&b->lock, b->r, b->o->lock, &d);
	if (diag_err(&d, e) < 0)
		return -1;
	if (inputs_get(&b->inputs, b->r, &b->lock, &b->cache, &io, e) < 0)
		return -1;
	stages_end(&b->stages, "inputs: %zu, %s, %zu of them fetched", b->inputs.n,
		   progress_size(b->inputs.bytes, size), b->inputs.fetched);
	return 0;
}

static int make_containers(struct build_state *b, struct err *e)
{
	char size[PROGRESS_SIZE_LEN];

	if (b->r->n_containers == 0)
		return 0;
	stages_start("making the containers' archives", NULL);
	if (container_archives_make(&b->containers, b->r, &b->inputs, &b->cache, e) < 0)
		return -1;
	stages_end(&b->stages, "containers: %zu, %s", b->containers.n,
		   progress_size(b->containers.bytes, size));
	return 0;
}

static bool needs_text(const char *path, void *recipe)
{
	return unit_links_reads(path, recipe) || merge_plan_reads(path) ||
	       medium_tree_needs(path);
}

/* Lists the base's entries. Its digest is compared here, not only when it is merged: with
 * a cached root image, files of media still come from it. */
static int read_index(struct build_state *b, struct err *e)
{
	_cleanup_digest_ struct digest *tap =
		base_tar_is_known(&b->base) ? NULL : digest_new(DIGEST_SHA256);
	struct digest_stamp stamp;
	int r = digest_stamp_take(&stamp, b->base.tar.fd);

	if (r < 0)
		return err_errno(e, r, "base: root.tar");
	if (index_read(&b->index, b->base.tar.fd, tap, needs_text, (void *)b->r, e) == 0)
		return tap ? base_tar_check(&b->base, tap, &stamp, e) : 0;
	/* Damage is a better explanation than what it makes of the tar's headers. */
	(void)!base_tar_check(&b->base, NULL, NULL, e);
	return -1;
}

static int get_base(struct build_state *b, struct err *e)
{
	struct base_options bo = {
		.mirrors = b->o->mirrors,
		.netrc = b->o->netrc,
		.lock = &b->lock.base,
		.offline = b->o->offline,
		.refresh = b->o->refresh,
	};

	for (size_t i = 0; i < b->inputs.n; i++)
		if (b->inputs.v[i].artifact->use == ARTIFACT_BASE)
			bo.source = &b->inputs.v[i];

	if (base_get(&b->base, b->r, &b->cache, &bo, e) < 0)
		return -1;
	interrupt_set_kept("the downloads and the base stay in the cache");
	if (read_index(b, e) < 0)
		return -1;
	index_set_owners(&b->index, b->base.owners);
	stages_end(&b->stages, "base: %s, %zu entries", b->base.made ? "made" : "cached",
		   b->index.n);
	return 0;
}

/* Plans the root image. Every mistake of the plan is in the one error. */
static int make_plan(struct build_state *b, struct err *e)
{
	_cleanup_diag_ struct diag d = {0};

	b->layer.base = &b->index;
	b->layer.d = &d;
	layer_add_recipe(&b->layer, b->r, &b->inputs, b->o->firstboot);
	container_archives_add(&b->layer, b->r, &b->containers);
	unit_links(&b->layer, &b->index, b->r);
	layer_finish(&b->layer);
	merge_plan(&b->index, &b->layer, b->r->exclude, &d);
	host_needs_check(&b->layer, &b->index, b->r);
	b->layer.d = NULL;
	return diag_err(&d, e);
}

/* --- the parts --------------------------------------------------------------------- */

static int write_tree(struct build_state *b, struct root_check *check, int fd,
		      struct err *e)
{
	_cleanup_archive_out_ struct archive_out *out = NULL;
	_cleanup_digest_ struct digest *tap = digest_new(DIGEST_SHA256);
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
	if (merge(&m, out, &b->stats, e) < 0 ||
	    base_tar_check(&b->base, tap, &stamp, e) < 0)
		return -1;
	return archive_out_end(out, e);
}

static int squash_root(struct build_state *b, struct err *e)
{
	_cleanup_free_ char *path =
		xasprintf("%s/%s/%s", b->out.scratch.inside, PARTS, ROOT);
	_cleanup_squash_ struct squash s = {.fd = -1};
	_cleanup_root_check_ struct root_check check = {0};

	stages_start("making " ROOT, NULL);
	if (squash_start(&s, b->r, path, e) < 0)
		return -1;
	if (write_tree(b, &check, s.fd, e) < 0)
		return squash_fail(&s, e);
	if (squash_finish(&s, e) < 0)
		return -1;
	return root_check_image(&check, path, b->r->epoch, e);
}

static int output_read(const struct build_state *b, int dirfd, const char *path,
		       struct output *ret, struct err *e)
{
	_cleanup_close_ int fd = file_open_foreign_at(dirfd, path);
	struct output out = {0};
	int r = fd < 0 ? fd : digest_fd(fd, DIGEST_SHA256, out.sha256, &out.size);

	if (r < 0)
		return err_errno(e, r, "%s/%s", b->out.scratch.path, path);
	out.path = xstrdup(path);
	*ret = out;
	return 0;
}

/* Sets the part with the digest that was computed from its file. */
static int set_part(struct build_state *b, size_t i, const char *sha256, struct err *e)
{
	struct stat st;

	if (fstatat(b->parts, part_names[i], &st, 0) < 0)
		return err_errno(e, errno, "%s", part_names[i]);
	b->part[i] = (struct output){.path = xstrdup(part_names[i]),
				     .size = (uint64_t)st.st_size};
	memcpy(b->part[i].sha256, sha256, DIGEST_SHA256_LEN);
	return 0;
}

static int make_root(struct build_state *b, struct err *e)
{
	char sha256[DIGEST_HEX_MAX];
	struct root_cache rc;
	int found = 0;

	if (root_cache_init(&rc, &b->cache, b->r, &b->base, &b->inputs, &b->layer, e) < 0)
		return -1;
	if (!b->o->refresh)
		found = root_cache_get(&rc, b->parts, ROOT, &b->layer, &b->stats, sha256,
				       e);
	if (found < 0 || (found == 0 && squash_root(b, e) < 0))
		return -1;
	if (found > 0 ? set_part(b, PART_ROOT, sha256, e) < 0
		      : output_read(b, b->parts, ROOT, &b->part[PART_ROOT], e) < 0)
		return -1;
	if (found == 0)
		root_cache_store(&rc, b->parts, ROOT, b->part[PART_ROOT].sha256,
				 &b->layer, &b->stats);
	interrupt_set_kept("the downloads, the base and the root image stay in "
			   "the cache");
	stages_end(&b->stages, "%s: %s%llu entries, %s level %d", ROOT,
		   found ? "cached, " : "", (unsigned long long)b->stats.entries,
		   b->r->squashfs.compression, b->r->squashfs.level);
	return 0;
}

static int make_kernel(struct build_state *b, struct err *e)
{
	_cleanup_close_ int fd =
		openat(b->parts, KERNEL, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);

	if (fd < 0)
		return err_errno(e, errno, "%s/%s", b->out.scratch.path, KERNEL);
	if (base_copy_file(&b->base.kernel, KERNEL, fd, KERNEL, e) < 0)
		return -1;
	return output_read(b, b->parts, KERNEL, &b->part[PART_KERNEL], e);
}

static int make_initrd(struct build_state *b, struct err *e)
{
	if (initrd_write(b->parts, INITRD, b->r, &b->base.initrd, &b->initrd_paths, e) <
	    0)
		return -1;
	return output_read(b, b->parts, INITRD, &b->part[PART_INITRD], e);
}

static int make_parts(struct build_state *b, struct err *e)
{
	const char *out;

	if (outdir_begin(&b->out, b->o->out, b->r->name, e) < 0)
		return -1;
	out = b->out.scratch.path;
	if (mkdirat(b->out.fd, PARTS, 0755) < 0)
		return err_errno(e, errno, "%s/%s", out, PARTS);
	b->parts = openat(b->out.fd, PARTS, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (b->parts < 0)
		return err_errno(e, errno, "%s/%s", out, PARTS);
	return make_root(b, e) < 0 || make_kernel(b, e) < 0 || make_initrd(b, e) < 0 ? -1
										     : 0;
}

/* --- the image --------------------------------------------------------------------- */

/* Adds an output with its digest. The digest of a part is known already. */
static int output_add(struct build_state *b, const char *path, struct err *e)
{
	struct output *out = &b->outputs[b->n_outputs];

	for (size_t i = 0; i < N_PARTS; i++)
		if (streq(b->part[i].path, path)) {
			*out = b->part[i];
			out->path = xstrdup(path);
			b->n_outputs++;
			return 0;
		}
	if (output_read(b, b->out.fd, path, out, e) < 0)
		return -1;
	b->n_outputs++;
	return 0;
}

static struct manifest manifest_of(const struct build_state *b,
				   const struct output *outputs, size_t n)
{
	return (struct manifest){
		.r = b->r,
		.base = &b->base,
		.inputs = &b->inputs,
		.lock = &b->lock.base,
		.layer = &b->layer,
		.stats = &b->stats,
		.outputs = outputs,
		.n_outputs = n,
		.initrd = b->initrd_paths,
	};
}

static int write_images(struct build_state *b, char ***paths, struct err *e)
{
	struct manifest m = manifest_of(b, b->part, N_PARTS);
	_cleanup_free_ char *manifest = manifest_render(&m);
	struct image_parts parts = {
		.r = b->r,
		.dirfd = b->parts,
		.kernel = KERNEL,
		.initrd = INITRD,
		.root = ROOT,
		.root_sha256 = b->part[PART_ROOT].sha256,
		.base = &b->index,
		.manifest = manifest,
		.outfd = b->out.fd,
		/* An absolute path: mtools and qemu-img take the text before a ':' for a
		 * drive or a protocol. */
		.outdir = b->out.scratch.inside,
	};

	for (size_t i = 0; i < b->r->n_images; i++) {
		const struct image_type *type = b->r->images[i];
		_cleanup_free_ char *stage = xasprintf("making image '%s'", type->name);

		if (type->medium)
			stages_start(stage, NULL);
		else
			stages_name(stage);
		if (type->write(&parts, paths, e) < 0)
			return err_wrap(e, "image '%s'", type->name);
		stages_end(&b->stages, "image '%s'", type->name);
	}
	return 0;
}

static int remove_parts(struct build_state *b, struct err *e)
{
	int r;

	close(TAKE_FD(b->parts));
	r = rm_rf_at(b->out.fd, PARTS);
	return r < 0 ? err_errno(e, r, "%s/%s cannot be removed", b->out.scratch.path,
				 PARTS)
		     : 0;
}

/* Makes the images. The manifest inside a disk or an ISO lists only the three parts as
 * outputs: it cannot have the digest of the image that it is in. */
static int make_images(struct build_state *b, struct err *e)
{
	_cleanup_strv_ char **paths = NULL;

	if (write_images(b, &paths, e) < 0 || remove_parts(b, e) < 0)
		return -1;
	strv_sort(paths);
	b->outputs = xcalloc(strv_len(paths) + 1, sizeof(*b->outputs));
	for (size_t i = 0; paths && paths[i]; i++)
		if (output_add(b, paths[i], e) < 0)
			return -1;
	return 0;
}

static int write_text(struct build_state *b, const char *name, const char *text,
		      struct err *e)
{
	int r = file_write_at(b->out.fd, name, text, strlen(text), 0644);

	return r < 0 ? err_errno(e, r, "%s/%s", b->out.scratch.path, name) : 0;
}

/* Writes a file beside the outputs and appends its line of SHA256SUMS to `sums`. */
static int write_list(struct build_state *b, const char *name, const char *text,
		      struct buf *sums, char sha256[static DIGEST_HEX_MAX], struct err *e)
{
	digest_text(DIGEST_SHA256, text, strlen(text), sha256);
	buf_printf(sums, "%s  %s\n", sha256, name);
	return write_text(b, name, text, e);
}

static int write_lists(struct build_state *b, const struct manifest *m, struct err *e)
{
	_cleanup_free_ char *manifest = manifest_render(m), *spdx = NULL;
	_cleanup_buf_ struct buf sums = {0};
	char sha256[DIGEST_HEX_MAX];

	for (size_t i = 0; i < b->n_outputs; i++)
		buf_printf(&sums, "%s  %s\n", b->outputs[i].sha256, b->outputs[i].path);
	if (write_list(b, MANIFEST, manifest, &sums, sha256, e) < 0)
		return -1;
	spdx = spdx_render(m, sha256);
	if (write_list(b, SPDX, spdx, &sums, sha256, e) < 0)
		return -1;
	return write_text(b, SUMS, sums.p, e);
}

/* Gives the image its final name, if its folder has all outputs and nothing else. */
static int commit(struct build_state *b, struct err *e)
{
	_cleanup_strv_builder_ struct strv_builder names = {0};

	strv_builder_add(&names, MANIFEST);
	strv_builder_add(&names, SPDX);
	strv_builder_add(&names, SUMS);
	for (size_t i = 0; i < b->n_outputs; i++)
		strv_builder_add(&names, b->outputs[i].path);
	return outdir_commit(&b->out, names.v, e);
}

static int finish(struct build_state *b, struct err *e)
{
	_cleanup_free_ char *dir = xasprintf("%s/%s", b->o->out, b->r->name);
	struct manifest m = manifest_of(b, b->outputs, b->n_outputs);
	struct summary s = {.dir = dir, .manifest = &m, .base = &b->index};

	if (write_lists(b, &m, e) < 0 || commit(b, e) < 0)
		return -1;
	stages_end(&b->stages, "%s", dir);
	if (b->o->json)
		summary_print_json(&s);
	else
		summary_print(&s);
	return 0;
}

int build(const struct recipe *r, const struct build_options *o, struct err *e)
{
	static const struct tool tools[] = {{SQUASH_TOOL, SQUASH_PACKAGE}, {0}};
	_cleanup_(build_state_done) struct build_state b = {
		.r = r,
		.o = o,
		.cache = {.fd = -1},
		.base = BASE_INIT,
		.out = OUTDIR_INIT,
		.parts = -1,
	};

	stages_begin(&b.stages);
	if (outdir_check(o->out, r->name, e) < 0 ||
	    check_firstboot(o->firstboot, e) < 0 || tools_check(tools, e) < 0 ||
	    check_image_tools(r, e) < 0 || cache_open(&b.cache, o->cache, e) < 0)
		return -1;
	b.cache.verify = o->verify;
	if (get_inputs(&b, e) < 0 || make_containers(&b, e) < 0 || get_base(&b, e) < 0 ||
	    make_plan(&b, e) < 0 || make_parts(&b, e) < 0 || make_images(&b, e) < 0)
		return -1;
	return finish(&b, e);
}
