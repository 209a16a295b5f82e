/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Runs the stages of a build: inputs, containers, base, plan, parts, images. Each stage
 * ends with a log line that has its duration. Everything is written into one temporary
 * folder (outdir.h), so a build that fails leaves nothing under a final name.
 *
 * The parts (kernel, initrd, root image) are made in it if they are outputs themselves,
 * else in the folder "parts" within it. The image types make their outputs from them.
 *
 * When everything that determines the image is as it was, and so are its files
 * (build-record.h), nothing is made.
 */
#include "builder/image/build.h"

#include "builder/common/known-files.h"
#include "builder/image/build-record.h"
#include "builder/image/build-state.h"
#include "builder/image/image-parts.h"
#include "builder/image/medium-tree.h"
#include "builder/image/preflight.h"
#include "builder/image/spdx.h"
#include "builder/image/summary.h"
#include "builder/root/account-names.h"
#include "builder/root/host-needs.h"
#include "builder/root/index-file.h"
#include "builder/root/inputs-check.h"
#include "builder/root/unit-environment.h"
#include "builder/root/unit-links.h"
#include "lib/file.h"
#include "lib/interrupt.h"
#include "lib/log.h"

#define MANIFEST "manifest.json"
#define SPDX     "manifest.spdx.json"
#define SUMS     "SHA256SUMS"

static const char *const list_names[N_LISTS] = {MANIFEST, SPDX, SUMS};

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
	outputs_done(b->lists, N_LISTS);
	known_files_done(&b->known);
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

static int get_inputs(struct build_state *b, struct err *e)
{
	_cleanup_diag_ struct diag d = {0};
	struct inputs_options io = {
		.mirrors = b->o->mirrors, .netrc = b->o->netrc, .offline = b->o->offline};
	char size[PROGRESS_SIZE_LEN];

	if (inputs_get(&b->inputs, b->r, &b->lock, &b->cache, &io, e) < 0)
		return -1;
	stages_end(&b->stages, "inputs: %zu, %s, %zu of them fetched", b->inputs.n,
		   progress_size(b->inputs.bytes, size), b->inputs.fetched);
	if (b->base_made)
		return 0; /* the merge, which comes soon, finds it */
	inputs_check_members(&b->inputs, b->r, &d);
	if (diag_err(&d, e) == 0)
		return 0;
	e->code = ERR_FAILED; /* not ERR_CONFIG: the recipe is valid */
	return -1;
}

static int make_containers(struct build_state *b, struct err *e)
{
	char size[PROGRESS_SIZE_LEN];

	if (b->r->n_containers == 0)
		return 0;
	stages_start("making the containers' archives", NULL);
	if (container_archives_make(&b->containers, b->r, &b->inputs, &b->cache,
				    &b->known, e) < 0)
		return -1;
	stages_end(&b->stages, "containers: %zu, %s", b->containers.n,
		   progress_size(b->containers.bytes, size));
	return 0;
}

static bool needs_text(const char *path, _unused_ void *data)
{
	return unit_links_reads(path) || unit_environment_reads(path) ||
	       merge_plan_reads(path) || account_names_reads(path) ||
	       medium_tree_needs(path);
}

/* Lists the base's entries. Its digest is compared here, not only when it is merged: with
 * a cached root image, files of media still come from it. */
static int read_index(struct build_state *b, struct err *e)
{
	bool known = base_tar_is_known(&b->base);
	_cleanup_digest_ struct digest *tap = known ? NULL : digest_new(DIGEST_SHA256);
	struct digest_stamp stamp;
	int r = digest_stamp_take(&stamp, b->base.tar.fd);

	if (r < 0)
		return err_errno(e, r, "base: root.tar");
	if (known && index_file_read(&b->index, &b->base, needs_text, NULL))
		return 0;
	if (index_read(&b->index, b->base.tar.fd, tap, needs_text, NULL, e) < 0) {
		/* Damage is a better explanation than what it makes of the tar's headers.
		 */
		(void)!base_tar_check(&b->base, NULL, NULL, e);
		return -1;
	}
	if (tap && base_tar_check(&b->base, tap, &stamp, e) < 0)
		return -1;
	index_file_write(&b->index, &b->base);
	return 0;
}

/* Fills the layer over the base. Complaints go to l->d. */
static void add_layer(const struct build_state *b, struct layer *l, struct index *base)
{
	l->base = base;
	layer_add_recipe(l, b->r, &b->inputs, b->o->firstboot);
	container_archives_add(l, b->r, &b->containers);
	unit_links(l, base, b->r);
	layer_finish(l);
	layer_check_templates(l, b->r);
}

/* Plans the root image from a forecast of the base, to find the plan's mistakes before
 * the base is made. */
static int forecast(void *state, int fd, struct diag *d, struct err *e)
{
	const struct build_state *b = state;
	_cleanup_index_ struct index index = {0};
	struct layer l = {.base = &index, .d = d};

	if (index_read(&index, fd, NULL, needs_text, NULL, e) < 0)
		return -1;
	unit_links_forecast(&index);
	add_layer(b, &l, &index);
	merge_plan(&index, &l, b->r->exclude, d);
	host_needs_check(&l, &index, b->r, true);
	layer_done(&l);
	return 0;
}

static int get_base(struct build_state *b, struct err *e)
{
	struct base_options bo = {
		.forecast = forecast,
		.forecast_data = b,
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

/* Warns about globs that have no effect: a path may have been written wrongly. */
static void warn_excludes(const struct build_state *b)
{
	char *const *exclude = b->r->exclude;

	for (size_t i = 0; exclude && exclude[i]; i++)
		if (!merge_plan_matches(exclude[i], &b->index))
			log_warn("%s: exclude: '%s' matches nothing in the base",
				 b->r->exclude_where, exclude[i]);
}

/* Plans the root image. Every mistake of the plan is in the one error. */
static int make_plan(struct build_state *b, struct err *e)
{
	_cleanup_diag_ struct diag d = {0};

	b->layer.d = &d;
	add_layer(b, &b->layer, &b->index);
	merge_plan(&b->index, &b->layer, b->r->exclude, &d);
	host_needs_check(&b->layer, &b->index, b->r, false);
	b->layer.d = NULL;
	if (diag_err(&d, e) < 0)
		return -1;
	warn_excludes(b);
	return 0;
}

/* --- the image --------------------------------------------------------------------- */

/* Adds an output with its digest. That of a part is remembered, unless a medium was made
 * of a link to it. */
static int output_add(struct build_state *b, const char *path, struct err *e)
{
	struct output *out = &b->outputs[b->n_outputs];

	if (build_output_read(b, b->out.fd, path, out, e) < 0)
		return -1;
	b->n_outputs++;
	for (size_t i = 0; i < N_PARTS; i++)
		if (streq(b->part[i].path, path) &&
		    !streq(b->part[i].sha256, out->sha256))
			return err_set(e, ERR_FAILED,
				       "%s/%s: changed while the image was made",
				       b->out.scratch.path, path);
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
		.index = &b->index,
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
		.kernel = BUILD_KERNEL,
		.initrd = BUILD_INITRD,
		.root = BUILD_ROOT,
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
	r = streq(b->parts_dir, BUILD_PARTS) ? rm_rf_at(b->out.fd, BUILD_PARTS) : 0;
	return r < 0 ? err_errno(e, r, "%s/%s cannot be removed", b->out.scratch.path,
				 BUILD_PARTS)
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

/* Writes a file beside the outputs, and appends its line of SHA256SUMS to `sums`. */
static int write_list(struct build_state *b, size_t i, const char *text, struct buf *sums,
		      struct err *e)
{
	struct output *list = &b->lists[i];

	*list = (struct output){.path = xstrdup(list_names[i]), .size = strlen(text)};
	digest_text(DIGEST_SHA256, text, strlen(text), list->sha256);
	if (sums)
		buf_printf(sums, "%s  %s\n", list->sha256, list->path);
	return write_text(b, list->path, text, e);
}

static int write_lists(struct build_state *b, const struct manifest *m, struct err *e)
{
	_cleanup_free_ char *manifest = manifest_render(m), *spdx = NULL;
	_cleanup_buf_ struct buf sums = {0};

	for (size_t i = 0; i < b->n_outputs; i++)
		buf_printf(&sums, "%s  %s\n", b->outputs[i].sha256, b->outputs[i].path);
	if (write_list(b, LIST_MANIFEST, manifest, &sums, e) < 0)
		return -1;
	spdx = spdx_render(m, b->lists[LIST_MANIFEST].sha256);
	if (write_list(b, LIST_SPDX, spdx, &sums, e) < 0)
		return -1;
	return write_list(b, LIST_SUMS, sums.p, NULL, e);
}

/* Gives the image its final name, if its folder has all outputs and nothing else. */
static int commit(struct build_state *b, struct err *e)
{
	_cleanup_strv_builder_ struct strv_builder names = {0};

	for (size_t i = 0; i < N_LISTS; i++)
		strv_builder_add(&names, list_names[i]);
	for (size_t i = 0; i < b->n_outputs; i++)
		strv_builder_add(&names, b->outputs[i].path);
	return outdir_commit(&b->out, names.v, e);
}

/* --- nothing changed --------------------------------------------------------------- */

/* Sets the key of the record. `root` is the SHA-256 of the root image. */
static int begin_record(struct build_state *b, struct build_record *rec, const char *root,
			struct err *e)
{
	const char *const parts[] = {b->base.kernel.sha256, b->base.initrd.sha256, root,
				     NULL};
	struct manifest m = manifest_of(b, NULL, 0);

	m.initrd = NULL;
	return build_record_init(rec, &m, &b->known, parts, e);
}

/* Returns 1 when OUT/NAME is what this build would make, with its outputs in b->outputs;
 * 0, or -1. */
static int find_unchanged(struct build_state *b, const char *dir, struct err *e)
{
	_cleanup_build_record_ struct build_record rec = {0};
	char root[DIGEST_HEX_MAX];

	if (root_cache_init(&b->root_cache, &b->cache, b->r, &b->base, &b->inputs,
			    &b->layer, &b->known, e) < 0)
		return -1;
	if (b->o->refresh || b->o->verify ||
	    !root_cache_recall(&b->root_cache, &b->layer, &b->stats, root))
		return 0;
	if (begin_record(b, &rec, root, e) < 0)
		return -1;
	if (!build_record_holds(&rec, &b->cache, dir, &b->known))
		return 0;
	b->outputs = xcalloc(rec.n_outputs + 1, sizeof(*b->outputs));
	for (; b->n_outputs < rec.n_outputs; b->n_outputs++) {
		b->outputs[b->n_outputs] = rec.v[b->n_outputs];
		rec.v[b->n_outputs].path = NULL;
	}
	return 1;
}

/* Records what was made. Errors are ignored, as in build_record_write(). */
static void record(struct build_state *b, const char *dir)
{
	_cleanup_build_record_ struct build_record rec = {0};

	if (begin_record(b, &rec, b->part[PART_ROOT].sha256, NULL) < 0)
		return;
	rec.v = xcalloc(b->n_outputs + N_LISTS, sizeof(*rec.v));
	rec.n_outputs = b->n_outputs;
	for (size_t i = 0; i < b->n_outputs + N_LISTS; i++, rec.n++) {
		rec.v[i] = i < b->n_outputs ? b->outputs[i] : b->lists[i - b->n_outputs];
		rec.v[i].path = xstrdup(rec.v[i].path);
	}
	build_record_write(&rec, &b->cache, dir);
}

/* --- all of it --------------------------------------------------------------------- */

static void print_summary(const struct build_state *b, const char *dir)
{
	struct manifest m = manifest_of(b, b->outputs, b->n_outputs);
	struct summary s = {.dir = dir, .manifest = &m, .base = &b->index};

	if (b->o->json)
		summary_print_json(&s);
	else
		summary_print(&s);
}

/* Checks the room for the image before anything of it is written. A cached root image is
 * copied at once, and on the file system of the cache it may need no room. */
static int check_room(const struct build_state *b, struct err *e)
{
	if (!b->o->refresh && root_cache_has(&b->root_cache))
		return 0;
	return preflight_output(b->r, b->o->out, &b->index, e);
}

static int make(struct build_state *b, const char *dir, struct err *e)
{
	struct manifest m;

	if (check_room(b, e) < 0)
		return -1;
	if (build_parts(b, e) < 0 || make_images(b, e) < 0)
		return -1;
	m = manifest_of(b, b->outputs, b->n_outputs);
	if (write_lists(b, &m, e) < 0 || commit(b, e) < 0)
		return -1;
	record(b, dir);
	stages_end(&b->stages, "%s", dir);
	return 0;
}

static int make_unless_unchanged(struct build_state *b, struct err *e)
{
	_cleanup_free_ char *dir = xasprintf("%s/%s", b->o->out, b->r->name);
	int found = find_unchanged(b, dir, e);

	if (found < 0 || (found == 0 && make(b, dir, e) < 0))
		return -1;
	if (found > 0)
		stages_end(&b->stages, "%s: unchanged", dir);
	print_summary(b, dir);
	return 0;
}

int build(const struct recipe *r, const struct build_options *o, struct err *e)
{
	_cleanup_preflight_ struct preflight pre = PREFLIGHT_INIT;
	_cleanup_(build_state_done) struct build_state b = {
		.r = r,
		.o = o,
		.cache = {.fd = -1},
		.known = KNOWN_FILES_INIT,
		.base = BASE_INIT,
		.out = OUTDIR_INIT,
		.parts = -1,
	};

	stages_begin(&b.stages);
	if (preflight(&pre, r, o, false, e) < 0)
		return -1;
	b.lock = pre.lock;
	b.cache = pre.cache;
	b.base_made = pre.base.made;
	pre = (struct preflight)PREFLIGHT_INIT;
	known_files_open(&b.known, b.cache.dir);
	b.known.verify = o->verify;
	if (get_inputs(&b, e) < 0 || make_containers(&b, e) < 0 || get_base(&b, e) < 0 ||
	    make_plan(&b, e) < 0)
		return -1;
	return make_unless_unchanged(&b, e);
}
