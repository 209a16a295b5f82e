/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The members of the input are read by container-input.c. All layers are decompressed to
 * a file without a name (the spool). Then the archive is written.
 *
 * Everything that is decompressed counts for one limit. A layer that the image has
 * several times, as empty ones are, counts each time, because the new archive contains it
 * each time.
 */
#include "builder/root/container.h"

#include "builder/common/unpack.h"
#include "builder/root/container-parts.h"
#include "lib/file.h"
#include "lib/str.h"

/* --- layers ------------------------------------------------------------------------ */

/* Copies the uncompressed layer from `raw` to the spool, and sets its digest. */
static int spool_data(struct conversion *x, size_t i, struct archive_in *raw,
		      char diff[static DIGEST_HEX_MAX], struct err *e)
{
	_cleanup_digest_ struct digest *digest = digest_new(DIGEST_SHA256);
	_cleanup_free_ char *chunk = xmalloc(CONTAINER_CHUNK);
	struct spooled *s = &x->spooled[i];
	const struct unpack_type *again;
	ssize_t n;

	while ((n = archive_in_read(raw, chunk, CONTAINER_CHUNK, e)) > 0) {
		int r = write_all(x->spool, chunk, (size_t)n);

		again = s->length == 0 ? unpack_detect(chunk, (size_t)n) : NULL;
		if (again)
			return err_set(e, ERR_FAILED,
				       "%s: layer %s is compressed more than once (%s): "
				       "refused",
				       x->name, x->image.v[i].member, again->name);
		if (r < 0)
			return err_errno(e, r, "%s: a layer", x->name);
		digest_add(digest, chunk, (size_t)n);
		s->length += (uint64_t)n;
	}
	digest_hex(digest, diff);
	return n < 0 ? -1 : 0;
}

/* Decompresses the layer to the end of the spool. */
static int spool_member(struct conversion *x, size_t i, char diff[static DIGEST_HEX_MAX],
			struct err *e)
{
	_cleanup_archive_in_ struct archive_in *in = NULL, *raw = NULL;
	_cleanup_digest_ struct digest *tap = digest_new(DIGEST_SHA256);
	const char *member = x->image.v[i].member;
	char hex[DIGEST_HEX_MAX];
	int r = container_find(x, member, &in, e);

	if (r == 0)
		return err_set(e, ERR_FAILED, "%s: has no member '%s'", x->name, member);
	if (r < 0 || archive_in_open(&raw,
				     &(struct archive_source){
					     .name = x->layer,
					     .outer = in,
					     .single = true,
					     .tap = tap,
					     .limit = x->limit,
				     },
				     e) < 0)
		return -1;
	x->spooled[i].at = x->end;
	if (spool_data(x, i, raw, diff, e) < 0 || archive_in_drain(raw, e) < 0)
		return -1;
	x->end += x->spooled[i].length;
	digest_hex(tap, hex);
	memcpy(x->spooled[i].blob, hex, sizeof(x->spooled[i].blob));
	return 0;
}

/* Returns the layer below `i` that is the same member of the input, or `i`. */
static size_t find_same(const struct conversion *x, size_t i)
{
	size_t k = 0;

	while (k < i && !streq(x->image.v[k].member, x->image.v[i].member))
		k++;
	return k;
}

/* Spools the layer, or uses the spooled data of a lower one, and checks its digests. */
static int spool_layer(struct conversion *x, size_t i, struct err *e)
{
	struct container_layer *l = &x->image.v[i];
	size_t same = find_same(x, i);
	char diff[DIGEST_HEX_MAX];

	x->layer = xasprintf("%s: layer %s", x->name, l->member);
	if (same < i) {
		x->spooled[i] = x->spooled[same];
		memcpy(diff, x->image.v[same].diff, sizeof(x->image.v[same].diff));
		if (archive_limit_bytes(x->limit, x->spooled[i].length, x->layer, NULL,
					e) < 0)
			return -1;
	} else if (spool_member(x, i, diff, e) < 0) {
		return -1;
	}
	if (l->diff[0] && !streq(diff, l->diff))
		return err_set(e, ERR_FAILED, "%s is sha256:%s uncompressed, expected %s",
			       x->layer, diff, l->diff);
	if (l->blob[0] && !streq(x->spooled[i].blob, l->blob))
		return err_set(e, ERR_FAILED, "%s is sha256:%s, expected %s", x->layer,
			       x->spooled[i].blob, l->blob);
	memcpy(l->diff, diff, sizeof(l->diff));
	return 0;
}

static int spool_layers(struct conversion *x, struct err *e)
{
	int r = 0;

	x->spool = container_scratch_file(x, e);
	if (x->spool < 0)
		return -1;
	x->spooled = xcalloc(x->image.n, sizeof(*x->spooled));
	for (size_t i = 0; r == 0 && i < x->image.n; i++) {
		r = spool_layer(x, i, e);
		free(TAKE_PTR(x->layer));
	}
	return r;
}

/* --- the archive ------------------------------------------------------------------- */

static int write_header(const struct conversion *x, struct archive_out *out,
			enum entry_type type, const char *path, uint64_t size,
			struct err *e)
{
	return archive_out_entry(out,
				 &(struct entry){.type = type,
						 .path = path,
						 .mode = type == ENTRY_DIR ? 0755 : 0644,
						 .size = size,
						 .mtime = x->mtime},
				 e);
}

static int write_text(const struct conversion *x, struct archive_out *out,
		      const char *path, const char *text, struct err *e)
{
	if (write_header(x, out, ENTRY_FILE, path, strlen(text), e) < 0)
		return -1;
	return archive_out_data(out, text, strlen(text), e);
}

static int write_spooled(const struct conversion *x, struct archive_out *out,
			 const char *path, size_t i, struct err *e)
{
	_cleanup_free_ char *chunk = xmalloc(CONTAINER_CHUNK);
	uint64_t at = x->spooled[i].at, left = x->spooled[i].length;

	if (write_header(x, out, ENTRY_FILE, path, left, e) < 0)
		return -1;
	while (left > 0) {
		ssize_t n = pread(x->spool, chunk,
				  left < CONTAINER_CHUNK ? (size_t)left : CONTAINER_CHUNK,
				  (off_t)at);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return err_errno(e, n < 0 ? errno : EIO, "a scratch file");
		if (archive_out_data(out, chunk, (size_t)n, e) < 0)
			return -1;
		at += (uint64_t)n;
		left -= (uint64_t)n;
	}
	return 0;
}

static int write_layer(const struct conversion *x, struct archive_out *out, size_t i,
		       struct err *e)
{
	const struct container_layer *l = &x->image.v[i];
	_cleanup_free_ char *version = xasprintf("%s/VERSION", l->id);
	_cleanup_free_ char *json = xasprintf("%s/json", l->id);
	_cleanup_free_ char *tar = xasprintf("%s/layer.tar", l->id);

	if (write_header(x, out, ENTRY_DIR, l->id, 0, e) < 0 ||
	    write_text(x, out, version, "1.0", e) < 0 ||
	    write_text(x, out, json, l->json, e) < 0)
		return -1;
	return write_spooled(x, out, tar, i, e);
}

static int write_archive(struct conversion *x, struct err *e)
{
	_cleanup_archive_out_ struct archive_out *out = NULL;
	_cleanup_free_ char *name = NULL, *manifest = NULL, *repositories = NULL;
	char hex[DIGEST_HEX_MAX];

	digest_text(DIGEST_SHA256, x->image.config, strlen(x->image.config), hex);
	memcpy(x->out->config, hex, sizeof(x->out->config));
	memcpy(x->out->id, x->image.v[x->image.n - 1].id, sizeof(x->out->id));
	name = xasprintf("%s.json", hex);
	manifest = container_manifest(&x->image, x->as, hex);
	repositories = container_repositories(&x->image, x->as);
	out = archive_out_new(x->out->fd, x->name);
	for (size_t i = 0; i < x->image.n; i++)
		if (write_layer(x, out, i, e) < 0)
			return -1;
	if (write_text(x, out, name, x->image.config, e) < 0 ||
	    write_text(x, out, "manifest.json", manifest, e) < 0 ||
	    write_text(x, out, "repositories", repositories, e) < 0)
		return -1;
	return archive_out_end(out, e);
}

static int convert(struct conversion *x, const char *digest, struct err *e)
{
	int r;

	if (container_list_members(x, e) < 0 ||
	    container_read_metadata(x, digest, e) < 0 || spool_layers(x, e) < 0)
		return -1;
	if (container_image_complete(&x->image, e) < 0)
		return err_wrap(e, "%s", x->name);
	if (write_archive(x, e) < 0)
		return -1;
	r = lseek(x->out->fd, 0, SEEK_SET) < 0
		    ? -errno
		    : digest_fd(x->out->fd, DIGEST_SHA256, x->out->sha256, &x->out->size);
	return r < 0 ? err_errno(e, r, "%s", x->name) : 0;
}

static void conversion_done(struct conversion *x)
{
	for (size_t i = 0; i < x->n_members; i++) {
		free(x->members[i].path);
		free(x->members[i].target);
	}
	free(x->members);
	free(x->spooled);
	container_image_done(&x->image);
	if (x->unpacked >= 0)
		close(x->unpacked);
	if (x->spool >= 0)
		close(x->spool);
}

int container_convert(struct container_archive *ret, const struct container_source *from,
		      const struct container_name *as, int64_t mtime, int scratch,
		      struct err *e)
{
	struct container_archive archive = {0};
	struct archive_limit limit = {.bytes = from->limit,
				      .raise = "key 'limit' of the container"};
	struct conversion x = {
		.fd = from->fd,
		.scratch = scratch,
		.name = from->name,
		.as = as,
		.mtime = mtime,
		.limit = &limit,
		.unpacked = -1,
		.spool = -1,
		.out = &archive,
	};
	int r = archive.fd = container_scratch_file(&x, e);

	if (r >= 0)
		r = convert(&x, from->digest, e);
	conversion_done(&x);
	if (r == 0)
		*ret = archive;
	else if (archive.fd >= 0)
		close(archive.fd);
	return r;
}
