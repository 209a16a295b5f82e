/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The input is a tar that may have its members in any order. It is read from the
 * beginning for each member; in a plain tar on a disk that only seeks from header to
 * header. All layers are decompressed to one file without a name (the spool). Then the
 * archive is written.
 *
 * Limit: a compressed archive is decompressed once for each of its layers.
 */
#include "builder/root/container.h"

#include "builder/root/container-json.h"
#include "lib/file.h"
#include "lib/str.h"

#include <ctype.h>

#define TEXT_MAX  (8U << 20)    /* bytes of a manifest or a configuration */
#define LAYER_MAX (16ULL << 30) /* bytes of an uncompressed layer */
#define CHUNK     (256 * 1024)
#define DEPTH_MAX 127 /* layers: Docker's limit */

struct conversion {
	int fd, scratch;
	const char *name;
	const struct container_name *as;
	int64_t mtime;
	struct container_image image;
	int spool;             /* the uncompressed layers, one after the other */
	uint64_t *at, *length; /* each layer's offset and size in it */
	struct container_archive *out;
};

/* --- members of the input ---------------------------------------------------------- */

/* Opens the input at the member's data, and follows one symlink in the archive. Returns
 * 1, 0 when there is no such member, or -1. */
static int find(const struct conversion *x, const char *member, struct archive_in **ret,
		uint64_t *size, struct err *e)
{
	_cleanup_free_ char *want = archive_path_normal(member), *next = NULL;

	for (int follow = 0; want && follow < 2; follow++) {
		_cleanup_archive_in_ struct archive_in *in = NULL;
		const struct entry *entry;
		int r;

		if (lseek(x->fd, 0, SEEK_SET) < 0)
			return err_errno(e, errno, "%s", x->name);
		if (archive_in_fd(&in, x->fd, x->name, NULL, e) < 0)
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
			/* In skopeo's archives "<id>/layer.tar" is a link to
			 * "../<hex>.tar". */
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

/* Reads the member's text. Returns 1, 0 when there is no such member, or -1. */
static int read_member(const struct conversion *x, const char *member, struct buf *b,
		       struct err *e)
{
	_cleanup_archive_in_ struct archive_in *in = NULL;
	_cleanup_free_ char *chunk = xmalloc(CHUNK);
	uint64_t size;
	ssize_t n;
	int r = find(x, member, &in, &size, e);

	if (r <= 0)
		return r;
	while ((n = archive_in_read(in, chunk, CHUNK, e)) > 0) {
		buf_add(b, chunk, (size_t)n);
		if (b->len > TEXT_MAX)
			return err_set(e, ERR_FAILED, "%s: %s: too large", x->name,
				       member);
	}
	if (n < 0)
		return -1;
	if (!b->p)
		*b = (struct buf){.p = xstrdup(""), .cap = 1};
	/* The text is used as a string from here on: it must be all that is digested. */
	if (memchr(b->p, '\0', b->len))
		return err_set(e, ERR_FAILED, "%s: %s: has a NUL byte in it", x->name,
			       member);
	return 1;
}

static int need_member(const struct conversion *x, const char *member, struct buf *b,
		       struct err *e)
{
	int r = read_member(x, member, b, e);

	return r ? r : err_set(e, ERR_FAILED, "%s: has no member '%s'", x->name, member);
}

/* --- the image's metadata ----------------------------------------------------------- */

/* Reads the metadata of an archive of Docker before 1.10, which has no manifest.json. */
static int read_v1(struct conversion *x, struct err *e)
{
	char id[DIGEST_SHA256_LEN], parent[DIGEST_SHA256_LEN];
	_cleanup_buf_ struct buf text = {0};

	if (need_member(x, "repositories", &text, e) < 0)
		return -1;
	if (container_repositories_id(text.p, x->as, id, e) < 0)
		return err_wrap(e, "%s", x->name);
	while (id[0]) {
		_cleanup_free_ char *member = xasprintf("%s/json", id);
		_cleanup_buf_ struct buf json = {0};

		if (need_member(x, member, &json, e) < 0)
			return -1;
		if (container_image_add_v1(&x->image, id, json.p, parent, e) < 0)
			return err_wrap(e, "%s", x->name);
		memcpy(id, parent, sizeof(id));
	}
	return 0;
}

static int read_config(struct conversion *x, struct err *e)
{
	_cleanup_buf_ struct buf text = {0};
	char hex[DIGEST_HEX_MAX];

	if (need_member(x, x->image.config_member, &text, e) < 0)
		return -1;
	digest_text(DIGEST_SHA256, text.p, text.len, hex);
	if (x->image.config_digest[0] && !streq(hex, x->image.config_digest))
		return err_set(e, ERR_FAILED, "%s: %s is sha256:%s, expected %s", x->name,
			       x->image.config_member, hex, x->image.config_digest);
	x->image.config = buf_take(&text);
	return container_image_parse_config(&x->image, e) < 0 ? err_wrap(e, "%s", x->name)
							      : 0;
}

static int read_metadata(struct conversion *x, const char *digest, struct err *e)
{
	_cleanup_buf_ struct buf text = {0};
	int r = read_member(x, "manifest.json", &text, e);

	if (r < 0)
		return -1;
	if (r == 0 && digest) {
		container_refuse_saved(digest, e);
		return err_wrap(e, "%s", x->name);
	}
	if (r == 0)
		r = read_v1(x, e);
	else if (container_image_parse_manifest(&x->image, text.p, text.len, x->as,
						digest, e) < 0)
		r = err_wrap(e, "%s", x->name);
	else
		r = x->image.config_member ? read_config(x, e) : 0;
	if (r == 0 && (x->image.n == 0 || x->image.n > DEPTH_MAX))
		r = err_set(e, ERR_FAILED, "%s: %zu layers; Docker takes 1 to %d",
			    x->name, x->image.n, DEPTH_MAX);
	return r;
}

/* --- layers ------------------------------------------------------------------------ */

/* Copies the uncompressed layer from `raw` to the spool, and checks its digest. */
static int spool_data(struct conversion *x, size_t i, struct archive_in *raw,
		      struct err *e)
{
	_cleanup_digest_ struct digest *digest = digest_new(DIGEST_SHA256);
	_cleanup_free_ char *chunk = xmalloc(CHUNK);
	struct container_layer *l = &x->image.v[i];
	char hex[DIGEST_HEX_MAX];
	ssize_t n;

	while ((n = archive_in_read(raw, chunk, CHUNK, e)) > 0) {
		int r = write_all(x->spool, chunk, (size_t)n);

		if (r < 0)
			return err_errno(e, r, "%s: a layer", x->name);
		digest_add(digest, chunk, (size_t)n);
		x->length[i] += (uint64_t)n;
	}
	if (n < 0)
		return -1;
	digest_hex(digest, hex);
	if (l->diff[0] && !streq(hex, l->diff))
		return err_set(e, ERR_FAILED,
			       "%s: layer %s is sha256:%s uncompressed, expected %s",
			       x->name, l->member, hex, l->diff);
	memcpy(l->diff, hex, sizeof(l->diff));
	return 0;
}

static int spool_layer(struct conversion *x, size_t i, struct err *e)
{
	_cleanup_archive_in_ struct archive_in *in = NULL, *raw = NULL;
	_cleanup_digest_ struct digest *tap = digest_new(DIGEST_SHA256);
	const struct container_layer *l = &x->image.v[i];
	char hex[DIGEST_HEX_MAX];
	uint64_t size;
	int r = find(x, l->member, &in, &size, e);

	if (r == 0)
		return err_set(e, ERR_FAILED, "%s: has no member '%s'", x->name,
			       l->member);
	if (r < 0 || archive_in_raw(&raw, in, l->member, tap, e) < 0)
		return -1;
	archive_in_limit(raw, LAYER_MAX);
	if (i > 0)
		x->at[i] = x->at[i - 1] + x->length[i - 1];
	if (spool_data(x, i, raw, e) < 0 || archive_in_drain(raw, e) < 0)
		return -1;
	if (l->blob[0] && !streq(digest_hex(tap, hex), l->blob))
		return err_set(e, ERR_FAILED, "%s: layer %s is sha256:%s, expected %s",
			       x->name, l->member, hex, l->blob);
	return 0;
}

static int spool_layers(struct conversion *x, struct err *e)
{
	x->spool = openat(x->scratch, ".", O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
	if (x->spool < 0)
		return err_errno(e, errno, "a scratch file");
	x->at = xcalloc(x->image.n, sizeof(*x->at));
	x->length = xcalloc(x->image.n, sizeof(*x->length));
	for (size_t i = 0; i < x->image.n; i++)
		if (spool_layer(x, i, e) < 0)
			return -1;
	return 0;
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
	_cleanup_free_ char *chunk = xmalloc(CHUNK);
	uint64_t at = x->at[i], left = x->length[i];

	if (write_header(x, out, ENTRY_FILE, path, left, e) < 0)
		return -1;
	while (left > 0) {
		ssize_t n = pread(x->spool, chunk, left < CHUNK ? (size_t)left : CHUNK,
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
	if (archive_out_fd(&out, x->out->fd, x->name, e) < 0)
		return -1;
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

	if (read_metadata(x, digest, e) < 0 || spool_layers(x, e) < 0)
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

int container_convert(struct container_archive *ret, int fd, const char *name,
		      const struct container_name *as, const char *digest, int64_t mtime,
		      int scratch, struct err *e)
{
	struct container_archive archive = {
		.fd = openat(scratch, ".", O_TMPFILE | O_RDWR | O_CLOEXEC, 0600)};
	struct conversion x = {
		.fd = fd,
		.scratch = scratch,
		.name = name,
		.as = as,
		.mtime = mtime,
		.spool = -1,
		.out = &archive,
	};
	int r = archive.fd < 0 ? err_errno(e, errno, "a scratch file")
			       : convert(&x, digest, e);

	container_image_done(&x.image);
	free(x.at);
	free(x.length);
	if (x.spool >= 0)
		close(x.spool);
	if (r == 0)
		*ret = archive;
	else if (archive.fd >= 0)
		close(archive.fd);
	return r;
}
