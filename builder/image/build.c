/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Inputs, base, plan, one stream, image: each stage ends with a line that says how long
 * it took. Everything is written into one temporary folder (outdir.h), so whatever goes
 * wrong leaves nothing under a final name.
 *
 * The parts (kernel, initrd, root image) are made in a folder "parts" within it; image
 * types make their outputs from them.
 */
#include "builder/image/build.h"

#include "builder/base/base.h"
#include "builder/common/outdir.h"
#include "builder/common/progress.h"
#include "builder/image/image-parts.h"
#include "builder/image/manifest.h"
#include "builder/image/medium.h"
#include "builder/image/spdx.h"
#include "builder/image/summary.h"
#include "builder/root/container-archives.h"
#include "builder/root/initrd.h"
#include "builder/root/root-cache.h"
#include "builder/root/squash.h"
#include "builder/root/unit-links.h"
#include "lib/file.h"
#include "lib/log.h"

#define KERNEL "vmlinuz"
#define INITRD "initrd.img"
#define ROOT   "root.squashfs"
#define PARTS  "parts"

struct job {
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
	int parts; /* descriptor of the folder */
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

static void job_done(struct job *j)
{
	lock_done(&j->lock);
	cache_done(&j->cache);
	inputs_done(&j->inputs);
	container_archives_done(&j->containers);
	base_done(&j->base);
	layer_done(&j->layer);
	index_done(&j->index);
	if (j->parts >= 0)
		close(j->parts);
	outdir_done(&j->out);
	strv_free(j->initrd_paths);
	outputs_done(j->outputs, j->n_outputs);
	free(j->outputs);
}

char *build_lock_path(const struct recipe *r, const char *asked)
{
	return asked ? xstrdup(asked) : xasprintf("%s/recipe.lock", r->dir);
}

int build_lock_read(struct lock *ret, const struct recipe *r, const char *asked,
		    struct diag *d)
{
	_cleanup_free_ char *path = build_lock_path(r, asked);

	/* To lock_read, none is an empty one. */
	if (asked && access(asked, R_OK) < 0) {
		diag_add(d, "--lock: %s: %s", asked, strerror(errno));
		return -1;
	}
	return lock_read(ret, path, d);
}

/* --- what goes in ------------------------------------------------------------------ */

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

/* A build does not find out at its end that a tool is missing. */
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

static int get_inputs(struct job *j, struct err *e)
{
	_cleanup_diag_ struct diag d = {0};
	struct inputs_options io = {.mirrors = j->o->mirrors, .offline = j->o->offline};
	char size[PROGRESS_SIZE_LEN];

	(void)!build_lock_read(&j->lock, j->r, j->o->lock, &d);
	if (diag_err(&d, e) < 0)
		return -1;
	if (inputs_get(&j->inputs, j->r, &j->lock, &j->cache, &io, e) < 0)
		return -1;
	stages_end(&j->stages, "inputs: %zu, %s, %zu of them fetched", j->inputs.n,
		   progress_size(j->inputs.bytes, size), j->inputs.fetched);
	return 0;
}

static int make_containers(struct job *j, struct err *e)
{
	char size[PROGRESS_SIZE_LEN];

	if (j->r->n_containers == 0)
		return 0;
	if (container_archives_make(&j->containers, j->r, &j->inputs, &j->cache, e) < 0)
		return -1;
	stages_end(&j->stages, "containers: %zu, %s", j->containers.n,
		   progress_size(j->containers.bytes, size));
	return 0;
}

static bool want_text(const char *path, void *recipe)
{
	return unit_links_reads(path, recipe) || merge_plan_reads(path) ||
	       medium_want(path);
}

static int get_base(struct job *j, struct err *e)
{
	struct base_options bo = {
		.mirrors = j->o->mirrors,
		.lock = &j->lock.base,
		.offline = j->o->offline,
		.refresh = j->o->refresh,
	};

	for (size_t i = 0; i < j->inputs.n; i++)
		if (j->inputs.v[i].artifact->use == ARTIFACT_BASE)
			bo.source = &j->inputs.v[i].blob;

	if (base_get(&j->base, j->r, &j->cache, &bo, e) < 0)
		return -1;
	if (index_read(&j->index, j->base.tar, want_text, (void *)j->r, e) < 0)
		return -1;
	index_set_owners(&j->index, j->base.owners);
	stages_end(&j->stages, "base: %s, %zu entries", j->base.made ? "made" : "cached",
		   j->index.n);
	return 0;
}

/* All that can be wrong about what goes where, at once. */
static int make_plan(struct job *j, struct err *e)
{
	_cleanup_diag_ struct diag d = {0};

	j->layer.base = &j->index;
	j->layer.d = &d;
	layer_add_recipe(&j->layer, j->r, &j->inputs, j->o->firstboot);
	container_archives_add(&j->layer, j->r, &j->containers);
	unit_links(&j->layer, &j->index, j->r);
	layer_finish(&j->layer);
	merge_plan(&j->index, &j->layer, j->r->exclude, &d);
	j->layer.d = NULL;
	return diag_err(&d, e);
}

/* --- the parts --------------------------------------------------------------------- */

static int write_tree(struct job *j, int fd, struct err *e)
{
	_cleanup_archive_out_ struct archive_out *out = NULL;
	struct merge m = {
		.base = &j->index,
		.tar = j->base.tar,
		.tar_sha256 = j->base.tar_sha256,
		.layer = &j->layer,
		.epoch = j->r->epoch,
	};

	if (archive_out_fd(&out, fd, "root image", e) < 0 ||
	    merge(&m, out, &j->stats, e) < 0)
		return -1;
	return archive_out_end(out, e);
}

static int squash_root(struct job *j, struct err *e)
{
	_cleanup_free_ char *path = xasprintf("%s/%s/%s", j->out.path, PARTS, ROOT);
	_cleanup_squash_ struct squash s = {.fd = -1};

	if (squash_start(&s, j->r, path, e) < 0)
		return -1;
	if (write_tree(j, s.fd, e) < 0)
		return squash_fail(&s, e);
	return squash_finish(&s, e);
}

static int make_root(struct job *j, struct err *e)
{
	struct root_cache rc;
	int found;

	if (root_cache_init(&rc, &j->cache, j->r, &j->base, &j->inputs, &j->layer, e) < 0)
		return -1;
	found = j->o->refresh
			? 0
			: root_cache_get(&rc, j->parts, ROOT, &j->layer, &j->stats, e);
	if (found < 0)
		return -1;
	if (found == 0) {
		if (squash_root(j, e) < 0)
			return -1;
		root_cache_store(&rc, j->parts, ROOT, &j->layer, &j->stats);
	}
	stages_end(&j->stages, "%s: %s%llu entries, %s level %d", ROOT,
		   found ? "cached, " : "", (unsigned long long)j->stats.entries,
		   j->r->squashfs.compression, j->r->squashfs.level);
	return 0;
}

static int make_kernel(struct job *j, struct err *e)
{
	_cleanup_close_ int fd =
		openat(j->parts, KERNEL, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
	int r = fd < 0 ? -errno : 0;

	if (r == 0 && lseek(j->base.kernel, 0, SEEK_SET) < 0)
		r = -errno;
	if (r == 0)
		r = copy_fd(j->base.kernel, fd);
	return r < 0 ? err_errno(e, r, "%s/%s", j->out.path, KERNEL) : 0;
}

static int make_parts(struct job *j, struct err *e)
{
	if (outdir_begin(&j->out, j->o->out, j->r->name, e) < 0)
		return -1;
	if (mkdirat(j->out.fd, PARTS, 0755) < 0)
		return err_errno(e, errno, "%s/%s", j->out.path, PARTS);
	j->parts = openat(j->out.fd, PARTS, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (j->parts < 0)
		return err_errno(e, errno, "%s/%s", j->out.path, PARTS);
	if (make_root(j, e) < 0 || make_kernel(j, e) < 0)
		return -1;
	return initrd_write(j->parts, INITRD, j->r, j->base.initrd, &j->initrd_paths, e);
}

/* --- the image --------------------------------------------------------------------- */

static int by_text(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static int output_read(const struct job *j, int dirfd, const char *path,
		       struct output *ret, struct err *e)
{
	_cleanup_close_ int fd = openat(dirfd, path, O_RDONLY | O_CLOEXEC);
	struct output out = {0};
	int r = fd < 0 ? -errno : digest_fd(fd, DIGEST_SHA256, out.sha256, &out.size);

	if (r < 0)
		return err_errno(e, r, "%s/%s", j->out.path, path);
	out.path = xstrdup(path);
	*ret = out;
	return 0;
}

/* An output that is a part as it was is not read again. */
static int output_add(struct job *j, const char *path, const struct output *parts,
		      size_t n_parts, struct err *e)
{
	struct output *out = &j->outputs[j->n_outputs];

	for (size_t i = 0; i < n_parts; i++)
		if (streq(parts[i].path, path)) {
			*out = parts[i];
			out->path = xstrdup(path);
			j->n_outputs++;
			return 0;
		}
	if (output_read(j, j->out.fd, path, out, e) < 0)
		return -1;
	j->n_outputs++;
	return 0;
}

static struct manifest manifest_of(const struct job *j, const struct output *outputs,
				   size_t n)
{
	return (struct manifest){
		.r = j->r,
		.base = &j->base,
		.inputs = &j->inputs,
		.lock = &j->lock.base,
		.layer = &j->layer,
		.stats = &j->stats,
		.outputs = outputs,
		.n_outputs = n,
		.initrd = j->initrd_paths,
	};
}

static int write_images(struct job *j, const char *manifest, const char *root_sha256,
			char ***paths, struct err *e)
{
	/* mtools and qemu-img take what is before a ':' for a drive or a protocol. */
	_cleanup_free_ char *outdir = realpath(j->out.path, NULL);
	struct image_parts parts = {
		.r = j->r,
		.dirfd = j->parts,
		.kernel = KERNEL,
		.initrd = INITRD,
		.root = ROOT,
		.root_sha256 = root_sha256,
		.base = &j->index,
		.manifest = manifest,
		.outfd = j->out.fd,
		.outdir = outdir,
	};

	if (!outdir)
		return err_errno(e, errno, "%s", j->out.path);

	for (size_t i = 0; i < j->r->n_images; i++) {
		const struct image_type *type = j->r->images[i];

		if (type->write(&parts, paths, e) < 0)
			return err_wrap(e, "image '%s'", type->name);
		stages_end(&j->stages, "image '%s'", type->name);
	}
	return 0;
}

/* What media carry as their manifest is that of the parts alone: a manifest cannot have
 * the digest of what it is in. */
static int make_images(struct job *j, struct err *e)
{
	static const char *const names[] = {INITRD, ROOT, KERNEL}; /* sorted */
	struct output parts[ARRAY_SIZE(names)] = {0};
	struct manifest m = manifest_of(j, parts, ARRAY_SIZE(parts));
	_cleanup_free_ char *manifest = NULL;
	_cleanup_strv_ char **paths = NULL;
	int r = 0;

	for (size_t i = 0; i < ARRAY_SIZE(names) && r == 0; i++)
		r = output_read(j, j->parts, names[i], &parts[i], e);
	if (r == 0) {
		manifest = manifest_render(&m);
		r = write_images(j, manifest, parts[1].sha256, &paths, e);
	}
	close(TAKE_FD(j->parts));
	rm_rf_at(j->out.fd, PARTS);
	if (r == 0 && paths) {
		qsort(paths, strv_len(paths), sizeof(*paths), by_text);
		j->outputs = xcalloc(strv_len(paths), sizeof(*j->outputs));
	}
	for (size_t i = 0; r == 0 && paths && paths[i]; i++)
		r = output_add(j, paths[i], parts, ARRAY_SIZE(parts), e);
	outputs_done(parts, ARRAY_SIZE(parts));
	return r;
}

static int write_text(struct job *j, const char *name, const char *text, struct err *e)
{
	int r = file_write_at(j->out.fd, name, text, strlen(text), 0644);

	return r < 0 ? err_errno(e, r, "%s/%s", j->out.path, name) : 0;
}

/* Writes a file beside the outputs, and a line for it. */
static int write_list(struct job *j, const char *name, const char *text, struct buf *sums,
		      char sha256[static DIGEST_HEX_MAX], struct err *e)
{
	digest_text(DIGEST_SHA256, text, strlen(text), sha256);
	buf_printf(sums, "%s  %s\n", sha256, name);
	return write_text(j, name, text, e);
}

static int write_lists(struct job *j, const struct manifest *m, struct err *e)
{
	_cleanup_free_ char *manifest = manifest_render(m), *spdx = NULL;
	_cleanup_buf_ struct buf sums = {0};
	char sha256[DIGEST_HEX_MAX];

	for (size_t i = 0; i < j->n_outputs; i++)
		buf_printf(&sums, "%s  %s\n", j->outputs[i].sha256, j->outputs[i].path);
	if (write_list(j, "manifest.json", manifest, &sums, sha256, e) < 0)
		return -1;
	spdx = spdx_render(m, sha256);
	if (write_list(j, "manifest.spdx.json", spdx, &sums, sha256, e) < 0)
		return -1;
	return write_text(j, "SHA256SUMS", sums.p, e);
}

static int finish(struct job *j, struct err *e)
{
	_cleanup_free_ char *dir = xasprintf("%s/%s", j->o->out, j->r->name);
	struct manifest m = manifest_of(j, j->outputs, j->n_outputs);
	struct summary s = {.dir = dir, .manifest = &m, .base = &j->index};

	if (write_lists(j, &m, e) < 0 || outdir_commit(&j->out, e) < 0)
		return -1;
	stages_end(&j->stages, "%s", dir);
	if (j->o->json)
		summary_print_json(&s);
	else
		summary_print(&s);
	return 0;
}

int build(const struct recipe *r, const struct build_options *o, struct err *e)
{
	static const struct tool tools[] = {{SQUASH_TOOL, SQUASH_PACKAGE}, {0}};
	_cleanup_(job_done) struct job j = {
		.r = r,
		.o = o,
		.cache = {.fd = -1},
		.base = {.tar = -1, .kernel = -1, .initrd = -1},
		.out = {.fd = -1, .lock = -1},
		.parts = -1,
	};

	stages_begin(&j.stages);
	umask(022); /* what is made here is for others to read */
	if (outdir_check(o->out, r->name, e) < 0 ||
	    check_firstboot(o->firstboot, e) < 0 || tools_check(tools, e) < 0 ||
	    check_image_tools(r, e) < 0 || cache_open(&j.cache, o->cache, e) < 0 ||
	    get_inputs(&j, e) < 0 || make_containers(&j, e) < 0 || get_base(&j, e) < 0 ||
	    make_plan(&j, e) < 0 || make_parts(&j, e) < 0 || make_images(&j, e) < 0)
		return -1;
	return finish(&j, e);
}
