/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The input is a tar whose members are wanted in an order of our own, so it is read once
 * for each: in a plain tar on a disk that is a seek over headers. Layers are uncompressed
 * into one scratch file without a name, then everything is written in one go.
 *
 * Limit: a compressed archive of many layers is decompressed once for each of them.
 */
#include "builder/root/container.h"

#include "builder/root/container-json.h"
#include "lib/file.h"
#include "lib/str.h"

#include <ctype.h>

#define TEXT_MAX  (8U << 20)    /* of a manifest or a configuration */
#define LAYER_MAX (16ULL << 30) /* uncompressed */
#define CHUNK     (256 * 1024)
#define DEPTH_MAX 127 /* layers: Docker's own limit */

struct job {
	int fd, scratch;
	const char *name;
	const struct container_name *as;
	int64_t mtime;
	struct container_plan plan;
	int spool;             /* the layers, one after the other */
	uint64_t *at, *length; /* of each in it */
	struct container *c;
};

/* --- members of the input ---------------------------------------------------------- */

/* Stands at the member's data, with links in the archive followed once. 1, 0, -1. */
static int find(const struct job *j, const char *member, struct archive_in **ret,
		uint64_t *size, struct err *e)
{
	_cleanup_free_ char *want = archive_path_normal(member), *next = NULL;

	for (int follow = 0; want && follow < 2; follow++) {
		_cleanup_archive_in_ struct archive_in *in = NULL;
		const struct entry *entry;
		int r;

		if (lseek(j->fd, 0, SEEK_SET) < 0)
			return err_errno(e, errno, "%s", j->name);
		if (archive_in_fd(&in, j->fd, j->name, NULL, e) < 0)
			return -1;
		while ((r = archive_in_next(in, &entry, e)) > 0) {
			_cleanup_free_ char *path = archive_path_normal(entry->path);

			if (!path || !streq(path, want))
				continue;
			if (entry->type == ENTRY_FILE) {
				*size = entry->size;
				*ret = TAKE_PTR(in);
				return 1;
			}
			/* skopeo's "<id>/layer.tar" is a link to "../<hex>.tar" */
			if (entry->type == ENTRY_SYMLINK &&
			    str_after(entry->target, "../"))
				next = archive_path_normal(entry->target + 3);
			break;
		}
		if (r < 0)
			return -1;
		if (!next)
			return 0;
		free(want);
		want = TAKE_PTR(next);
	}
	return 0;
}

/* 1 and the member's text, 0 when there is none, -1. */
static int read_member(const struct job *j, const char *member, struct buf *b,
		       struct err *e)
{
	_cleanup_archive_in_ struct archive_in *in = NULL;
	_cleanup_free_ char *chunk = xmalloc(CHUNK);
	uint64_t size;
	ssize_t n;
	int r = find(j, member, &in, &size, e);

	if (r <= 0)
		return r;
	while ((n = archive_in_read(in, chunk, CHUNK, e)) > 0) {
		buf_add(b, chunk, (size_t)n);
		if (b->len > TEXT_MAX)
			return err_set(e, ERR_FAILED, "%s: %s: too large", j->name,
				       member);
	}
	if (n == 0 && !b->p)
		buf_puts(b, "");
	return n < 0 ? -1 : 1;
}

static int need_member(const struct job *j, const char *member, struct buf *b,
		       struct err *e)
{
	int r = read_member(j, member, b, e);

	return r ? r : err_set(e, ERR_FAILED, "%s: has no member '%s'", j->name, member);
}

/* --- the plan ---------------------------------------------------------------------- */

static int plan_legacy(struct job *j, struct err *e)
{
	char id[DIGEST_SHA256_LEN], parent[DIGEST_SHA256_LEN];
	_cleanup_buf_ struct buf text = {0};

	if (need_member(j, "repositories", &text, e) < 0)
		return -1;
	if (container_repositories_id(text.p, j->as, id, e) < 0)
		return err_wrap(e, "%s", j->name);
	while (id[0]) {
		_cleanup_free_ char *member = xasprintf("%s/json", id);
		_cleanup_buf_ struct buf json = {0};

		if (need_member(j, member, &json, e) < 0)
			return -1;
		if (container_plan_add_v1(&j->plan, id, json.p, parent, e) < 0)
			return err_wrap(e, "%s", j->name);
		memcpy(id, parent, sizeof(id));
	}
	return 0;
}

static int read_config(struct job *j, struct err *e)
{
	_cleanup_buf_ struct buf text = {0};
	char hex[DIGEST_HEX_MAX];

	if (need_member(j, j->plan.config_member, &text, e) < 0)
		return -1;
	digest_text(DIGEST_SHA256, text.p, text.len, hex);
	if (j->plan.config_digest[0] && !streq(hex, j->plan.config_digest))
		return err_set(e, ERR_FAILED, "%s: %s is sha256:%s", j->name,
			       j->plan.config_member, hex);
	j->plan.config = buf_take(&text);
	return container_plan_config(&j->plan, e) < 0 ? err_wrap(e, "%s", j->name) : 0;
}

static int make_plan(struct job *j, const char *digest, struct err *e)
{
	_cleanup_buf_ struct buf text = {0};
	int r = read_member(j, "manifest.json", &text, e);

	if (r < 0)
		return -1;
	if (r == 0 && digest) {
		container_refuse_saved(digest, e);
		return err_wrap(e, "%s", j->name);
	}
	if (r == 0)
		r = plan_legacy(j, e);
	else if (container_plan_manifest(&j->plan, text.p, text.len, j->as, digest, e) <
		 0)
		r = err_wrap(e, "%s", j->name);
	else
		r = j->plan.config_member ? read_config(j, e) : 0;
	if (r == 0 && (j->plan.n == 0 || j->plan.n > DEPTH_MAX))
		r = err_set(e, ERR_FAILED, "%s: %zu layers; Docker takes 1 to %d",
			    j->name, j->plan.n, DEPTH_MAX);
	return r;
}

/* --- layers ------------------------------------------------------------------------ */

/* Copies what comes out of `raw` to the spool. */
static int spool_data(struct job *j, size_t i, struct archive_in *raw, struct err *e)
{
	_cleanup_digest_ struct digest *digest = digest_new(DIGEST_SHA256);
	_cleanup_free_ char *chunk = xmalloc(CHUNK);
	struct container_layer *l = &j->plan.v[i];
	char hex[DIGEST_HEX_MAX];
	ssize_t n;

	while ((n = archive_in_read(raw, chunk, CHUNK, e)) > 0) {
		int r = write_all(j->spool, chunk, (size_t)n);

		if (r < 0)
			return err_errno(e, r, "%s: a layer", j->name);
		digest_add(digest, chunk, (size_t)n);
		j->length[i] += (uint64_t)n;
	}
	if (n < 0)
		return -1;
	digest_hex(digest, hex);
	if (l->diff[0] && !streq(hex, l->diff))
		return err_set(e, ERR_FAILED,
			       "%s: layer %s is sha256:%s uncompressed, expected %s",
			       j->name, l->member, hex, l->diff);
	memcpy(l->diff, hex, sizeof(l->diff));
	return 0;
}

static int spool_layer(struct job *j, size_t i, struct err *e)
{
	_cleanup_archive_in_ struct archive_in *in = NULL, *raw = NULL;
	_cleanup_digest_ struct digest *tap = digest_new(DIGEST_SHA256);
	const struct container_layer *l = &j->plan.v[i];
	char hex[DIGEST_HEX_MAX];
	uint64_t size;
	int r = find(j, l->member, &in, &size, e);

	if (r == 0)
		return err_set(e, ERR_FAILED, "%s: has no member '%s'", j->name,
			       l->member);
	if (r < 0 || archive_in_raw(&raw, in, l->member, tap, e) < 0)
		return -1;
	archive_in_limit(raw, LAYER_MAX);
	if (i > 0)
		j->at[i] = j->at[i - 1] + j->length[i - 1];
	if (spool_data(j, i, raw, e) < 0 || archive_in_drain(raw, e) < 0)
		return -1;
	if (l->blob[0] && !streq(digest_hex(tap, hex), l->blob))
		return err_set(e, ERR_FAILED, "%s: layer %s is sha256:%s", j->name,
			       l->member, hex);
	return 0;
}

static int spool_layers(struct job *j, struct err *e)
{
	j->spool = openat(j->scratch, ".", O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
	if (j->spool < 0)
		return err_errno(e, errno, "a scratch file");
	j->at = xcalloc(j->plan.n, sizeof(*j->at));
	j->length = xcalloc(j->plan.n, sizeof(*j->length));
	for (size_t i = 0; i < j->plan.n; i++)
		if (spool_layer(j, i, e) < 0)
			return -1;
	return 0;
}

/* --- the archive ------------------------------------------------------------------- */

static int put(const struct job *j, struct archive_out *out, enum entry_type type,
	       const char *path, uint64_t size, struct err *e)
{
	return archive_out_entry(out,
				 &(struct entry){.type = type,
						 .path = path,
						 .mode = type == ENTRY_DIR ? 0755 : 0644,
						 .size = size,
						 .mtime = j->mtime},
				 e);
}

static int put_text(const struct job *j, struct archive_out *out, const char *path,
		    const char *text, struct err *e)
{
	if (put(j, out, ENTRY_FILE, path, strlen(text), e) < 0)
		return -1;
	return archive_out_data(out, text, strlen(text), e);
}

static int put_spooled(const struct job *j, struct archive_out *out, const char *path,
		       size_t i, struct err *e)
{
	_cleanup_free_ char *chunk = xmalloc(CHUNK);
	uint64_t at = j->at[i], left = j->length[i];

	if (put(j, out, ENTRY_FILE, path, left, e) < 0)
		return -1;
	while (left > 0) {
		ssize_t n = pread(j->spool, chunk, left < CHUNK ? (size_t)left : CHUNK,
				  (off_t)at);

		if (n <= 0)
			return err_errno(e, n < 0 ? errno : EIO, "a scratch file");
		if (archive_out_data(out, chunk, (size_t)n, e) < 0)
			return -1;
		at += (uint64_t)n;
		left -= (uint64_t)n;
	}
	return 0;
}

static int put_layer(const struct job *j, struct archive_out *out, size_t i,
		     struct err *e)
{
	const struct container_layer *l = &j->plan.v[i];
	_cleanup_free_ char *version = xasprintf("%s/VERSION", l->id);
	_cleanup_free_ char *json = xasprintf("%s/json", l->id);
	_cleanup_free_ char *tar = xasprintf("%s/layer.tar", l->id);

	if (put(j, out, ENTRY_DIR, l->id, 0, e) < 0 ||
	    put_text(j, out, version, "1.0", e) < 0 ||
	    put_text(j, out, json, l->json, e) < 0)
		return -1;
	return put_spooled(j, out, tar, i, e);
}

static int write_archive(struct job *j, struct err *e)
{
	_cleanup_archive_out_ struct archive_out *out = NULL;
	_cleanup_free_ char *name = NULL, *manifest = NULL, *repositories = NULL;
	char hex[DIGEST_HEX_MAX];

	digest_text(DIGEST_SHA256, j->plan.config, strlen(j->plan.config), hex);
	memcpy(j->c->config, hex, sizeof(j->c->config));
	memcpy(j->c->id, j->plan.v[j->plan.n - 1].id, sizeof(j->c->id));
	name = xasprintf("%s.json", hex);
	manifest = container_manifest(&j->plan, j->as, hex);
	repositories = container_repositories(&j->plan, j->as);
	if (archive_out_fd(&out, j->c->fd, j->name, e) < 0)
		return -1;
	for (size_t i = 0; i < j->plan.n; i++)
		if (put_layer(j, out, i, e) < 0)
			return -1;
	if (put_text(j, out, name, j->plan.config, e) < 0 ||
	    put_text(j, out, "manifest.json", manifest, e) < 0 ||
	    put_text(j, out, "repositories", repositories, e) < 0)
		return -1;
	return archive_out_end(out, e);
}

static int convert(struct job *j, const char *digest, struct err *e)
{
	int r;

	if (make_plan(j, digest, e) < 0 || spool_layers(j, e) < 0)
		return -1;
	if (container_plan_finish(&j->plan, e) < 0)
		return err_wrap(e, "%s", j->name);
	if (write_archive(j, e) < 0)
		return -1;
	r = lseek(j->c->fd, 0, SEEK_SET) < 0
		    ? -errno
		    : digest_fd(j->c->fd, DIGEST_SHA256, j->c->sha256, &j->c->size);
	return r < 0 ? err_errno(e, r, "%s", j->name) : 0;
}

int container_convert(struct container *ret, int fd, const char *name,
		      const struct container_name *as, const char *digest, int64_t mtime,
		      int scratch, struct err *e)
{
	struct container c = {
		.fd = openat(scratch, ".", O_TMPFILE | O_RDWR | O_CLOEXEC, 0600)};
	struct job j = {
		.fd = fd,
		.scratch = scratch,
		.name = name,
		.as = as,
		.mtime = mtime,
		.spool = -1,
		.c = &c,
	};
	int r = c.fd < 0 ? err_errno(e, errno, "a scratch file") : convert(&j, digest, e);

	container_plan_done(&j.plan);
	free(j.at);
	free(j.length);
	if (j.spool >= 0)
		close(j.spool);
	if (r == 0)
		*ret = c;
	else if (c.fd >= 0)
		close(c.fd);
	return r;
}
