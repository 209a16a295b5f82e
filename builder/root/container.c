/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The input is a tar that may have its members in any order. Its headers are read once,
 * which in a plain tar on a disk only seeks from one to the next; an archive that is
 * compressed as a whole is decompressed first, to a file without a name. Each member that
 * is needed is then read from its own place, once. All layers are decompressed to another
 * such file (the spool). Then the archive is written.
 *
 * Everything that is decompressed counts for one limit. A layer that the image has
 * several times, as empty ones are, counts each time, because the new archive contains it
 * each time.
 */
#include "builder/root/container.h"

#include "builder/common/unpack.h"
#include "builder/root/container-json.h"
#include "lib/file.h"
#include "lib/str.h"

#include <ctype.h>

#define TEXT_MAX    (2U << 20)  /* bytes of a manifest or a configuration */
#define TEXTS_MAX   (16U << 20) /* bytes of all of them */
#define MEMBERS_MAX 100000
#define CHUNK       (256 * 1024)
#define DEPTH_MAX   127 /* layers: Docker's limit */
#define INDEX_MAX   4   /* indexes in one another */
#define BLOBS       "blobs/sha256/"

/* A file or symlink of the input. */
struct member {
	char *path, *target; /* normal; target NULL: a file */
	uint64_t at;         /* offset of its header */
};

/* A layer in the spool. */
struct spooled {
	uint64_t at, length;
	char blob[DIGEST_SHA256_LEN]; /* digest of the member's data */
};

struct conversion {
	int fd, scratch;
	const char *name;
	const struct container_name *as;
	int64_t mtime;
	struct archive_limit *limit;
	int plain; /* the input as a plain tar: fd, or the next */
	int unpacked;
	struct member *members; /* sorted by path */
	size_t n_members;
	size_t texts; /* bytes of all texts so far */
	struct container_image image;
	int spool;               /* the uncompressed layers, one after the other */
	uint64_t end;            /* its size */
	struct spooled *spooled; /* for each layer */
	char *layer;             /* the layer being spooled, for messages */
	struct container_archive *out;
};

static int scratch_file(const struct conversion *x, struct err *e)
{
	int fd = openat(x->scratch, ".", O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);

	return fd < 0 ? err_errno(e, errno, "a scratch file") : fd;
}

/* --- members of the input ---------------------------------------------------------- */

/* Copies what is left of `in` to `to`. */
static int copy_data(const struct conversion *x, struct archive_in *in, int to,
		     struct err *e)
{
	_cleanup_free_ char *chunk = xmalloc(CHUNK);
	ssize_t n;

	while ((n = archive_in_read(in, chunk, CHUNK, e)) > 0) {
		int r = write_all(to, chunk, (size_t)n);

		if (r < 0)
			return err_errno(e, r, "%s: a scratch file", x->name);
	}
	return n < 0 ? -1 : 0;
}

/* Decompresses an input that is compressed as a whole. */
static int unpack_input(struct conversion *x, struct err *e)
{
	_cleanup_archive_in_ struct archive_in *in = NULL;
	char head[UNPACK_HEAD];
	ssize_t n = pread(x->fd, head, sizeof(head), 0);

	if (n < 0 || lseek(x->fd, 0, SEEK_SET) < 0)
		return err_errno(e, errno, "%s", x->name);
	x->plain = x->fd;
	if (!unpack_detect(head, (size_t)n))
		return 0;
	x->plain = x->unpacked = scratch_file(x, e);
	if (x->unpacked < 0 || archive_in_open(&in,
					       &(struct archive_source){
						       .name = x->name,
						       .fd = x->fd,
						       .single = true,
						       .limit = x->limit,
					       },
					       e) < 0)
		return -1;
	return copy_data(x, in, x->unpacked, e);
}

/* Opens the plain tar at the offset, which is a header's. */
static int open_at(const struct conversion *x, uint64_t at, struct archive_limit *limit,
		   struct archive_in **ret, struct err *e)
{
	if (lseek(x->plain, (off_t)at, SEEK_SET) < 0)
		return err_errno(e, errno, "%s", x->name);
	return archive_in_open(
		ret,
		&(struct archive_source){.name = x->name, .fd = x->plain, .limit = limit},
		e);
}

/* In skopeo's archives "<id>/layer.tar" is a link to "../<hex>.tar". */
static void add_member(struct conversion *x, const struct entry *entry, uint64_t at)
{
	_cleanup_free_ char *path = archive_path_normal(entry->path), *target = NULL;

	if (entry->type == ENTRY_SYMLINK && str_after(entry->target, "../"))
		target = archive_path_normal(entry->target + 3);
	if (!path || (entry->type != ENTRY_FILE && !target))
		return;
	x->members = xgrow(x->members, x->n_members, sizeof(*x->members));
	x->members[x->n_members++] = (struct member){
		.path = TAKE_PTR(path), .target = TAKE_PTR(target), .at = at};
}

static int by_path(const void *a, const void *b)
{
	const struct member *x = a, *y = b;
	int r = strcmp(x->path, y->path);

	return r ? r : (x->at > y->at) - (x->at < y->at);
}

static int list_members(struct conversion *x, struct err *e)
{
	_cleanup_archive_in_ struct archive_in *in = NULL;
	struct archive_limit limit = {.members = MEMBERS_MAX};
	const struct entry *entry;
	int r;

	if (unpack_input(x, e) < 0 || open_at(x, 0, &limit, &in, e) < 0)
		return -1;
	while ((r = archive_in_next(in, &entry, e)) > 0)
		add_member(x, entry, archive_in_at(in));
	if (x->n_members > 0)
		qsort(x->members, x->n_members, sizeof(*x->members), by_path);
	return r;
}

/* Returns the first member of that name, or NULL. */
static const struct member *find_member(const struct conversion *x, const char *path)
{
	size_t from = 0, to = x->n_members;

	while (from < to) {
		size_t mid = from + (to - from) / 2;

		if (strcmp(x->members[mid].path, path) < 0)
			from = mid + 1;
		else
			to = mid;
	}
	return from < x->n_members && streq(x->members[from].path, path)
		       ? &x->members[from]
		       : NULL;
}

/* Opens the input at the member's data, and follows one symlink in the archive. Returns
 * 1, 0 when there is no such member, or -1. */
static int find(const struct conversion *x, const char *path, struct archive_in **ret,
		struct err *e)
{
	_cleanup_archive_in_ struct archive_in *in = NULL;
	_cleanup_free_ char *want = archive_path_normal(path);
	const struct member *m = want ? find_member(x, want) : NULL;
	const struct entry *entry;
	int r;

	if (m && m->target)
		m = find_member(x, m->target);
	if (!m || m->target)
		return 0;
	if (open_at(x, m->at, NULL, &in, e) < 0)
		return -1;
	r = archive_in_next(in, &entry, e);
	if (r == 0 || (r > 0 && entry->type != ENTRY_FILE))
		r = err_set(e, ERR_FAILED, "%s: changed while it was read", x->name);
	if (r > 0)
		*ret = TAKE_PTR(in);
	return r;
}

/* Reads the member's text. Returns 1, 0 when there is no such member, or -1. */
static int read_member(struct conversion *x, const char *member, struct buf *b,
		       struct err *e)
{
	_cleanup_archive_in_ struct archive_in *in = NULL;
	size_t left = TEXTS_MAX - x->texts;
	int r = find(x, member, &in, e);

	if (r <= 0)
		return r;
	r = archive_in_text(in, left < TEXT_MAX ? left : TEXT_MAX, b, e);
	if (r == 0 && left < TEXT_MAX)
		return err_set(e, ERR_FAILED,
			       "%s: %s: has more than %u MiB with those that were read "
			       "before: refused",
			       x->name, member, TEXTS_MAX >> 20);
	if (r == 0)
		return err_set(e, ERR_FAILED, "%s: %s: has more than %u MiB: refused",
			       x->name, member, TEXT_MAX >> 20);
	if (r < 0)
		return -1;
	x->texts += b->len;
	/* The text is used as a string from here on: it must be all that is digested. */
	if (memchr(b->p, '\0', b->len))
		return err_set(e, ERR_FAILED, "%s: %s: has a NUL byte in it", x->name,
			       member);
	return 1;
}

static int need_member(struct conversion *x, const char *member, struct buf *b,
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

	int r = read_member(x, "repositories", &text, e);

	if (r == 0)
		return err_set(e, ERR_FAILED,
			       "%s: is no archive of an image: it has neither "
			       "manifest.json nor index.json nor repositories",
			       x->name);
	if (r < 0)
		return -1;
	if (container_repositories_id(text.p, x->as, id, e) < 0)
		return err_wrap(e, "%s", x->name);
	while (id[0] && x->image.n <= DEPTH_MAX) {
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

/* Adds the folder of an OCI layout to the names of its blobs. */
static void add_folder(char **member)
{
	char *path = xasprintf(BLOBS "%s", *member);

	free(*member);
	*member = path;
}

/* Parses the manifest of an OCI layout, whose blobs are named by their digests. */
static int parse_blob(struct conversion *x, const struct buf *text, const char *hex,
		      struct err *e)
{
	_cleanup_free_ char *digest = xasprintf("sha256:%s", hex);

	if (container_image_parse_manifest(&x->image, text->p, text->len, x->as, digest,
					   e) < 0)
		return err_wrap(e, "%s", x->name);
	for (size_t i = 0; i < x->image.n; i++)
		add_folder(&x->image.v[i].member);
	if (x->image.config_member)
		add_folder(&x->image.config_member);
	return x->image.config_member ? read_config(x, e) : 0;
}

/* Reads the blob, and checks that it is what its name says. */
static int read_blob(struct conversion *x, const char *hex, struct buf *text,
		     struct err *e)
{
	_cleanup_free_ char *member = xasprintf(BLOBS "%s", hex);
	char got[DIGEST_HEX_MAX];

	if (need_member(x, member, text, e) < 0)
		return -1;
	if (streq(digest_text(DIGEST_SHA256, text->p, text->len, got), hex))
		return 0;
	return err_set(e, ERR_FAILED, "%s: %s is sha256:%s", x->name, member, got);
}

/* Reads the manifest that an OCI layout's index names, if need be through another index.
 * `digest` must be that of the manifest or of an index. */
static int read_oci(struct conversion *x, const char *index, const char *digest,
		    struct err *e)
{
	_cleanup_buf_ struct buf text = {0};
	char hex[DIGEST_SHA256_LEN] = "";
	bool is_index = true, right = !digest;

	buf_puts(&text, index);
	for (unsigned i = 0; is_index; i++) {
		if (i == INDEX_MAX)
			return err_set(e, ERR_FAILED,
				       "%s: index.json: more than %d indexes in one "
				       "another: refused",
				       x->name, INDEX_MAX);
		if (container_index_find(text.p, i == 0 ? x->as : NULL, hex, &is_index,
					 e) < 0)
			return err_wrap(e, "%s", x->name);
		right = right || streq(hex, digest + strlen("sha256:"));
		buf_done(&text);
		text = (struct buf){0};
		if (read_blob(x, hex, &text, e) < 0)
			return -1;
	}
	if (!right)
		return err_set(e, ERR_FAILED,
			       "%s: its manifest is sha256:%s, expected %s", x->name, hex,
			       digest);
	return parse_blob(x, &text, hex, e);
}

static int parse_manifest(struct conversion *x, const struct buf *text,
			  const char *digest, struct err *e)
{
	if (container_image_parse_manifest(&x->image, text->p, text->len, x->as, digest,
					   e) < 0)
		return err_wrap(e, "%s", x->name);
	return x->image.config_member ? read_config(x, e) : 0;
}

/* Looks for the metadata. Docker 25 and later write an OCI layout that has a
 * manifest.json, too. */
static int read_metadata(struct conversion *x, const char *digest, struct err *e)
{
	_cleanup_buf_ struct buf text = {0}, index = {0};
	int r = read_member(x, "manifest.json", &text, e), oci = 0;

	if (r == 0 || (r > 0 && digest))
		oci = read_member(x, "index.json", &index, e);
	if (r < 0 || oci < 0)
		return -1;
	if (oci > 0) {
		r = read_oci(x, index.p, digest, e);
	} else if (r > 0) {
		r = parse_manifest(x, &text, digest, e);
	} else if (digest) {
		container_refuse_saved(digest, e);
		return err_wrap(e, "%s", x->name);
	} else {
		r = read_v1(x, e);
	}
	if (r == 0 && (x->image.n == 0 || x->image.n > DEPTH_MAX))
		r = err_set(e, ERR_FAILED, "%s: %zu layers; Docker takes 1 to %d",
			    x->name, x->image.n, DEPTH_MAX);
	return r;
}

/* --- layers ------------------------------------------------------------------------ */

/* Copies the uncompressed layer from `raw` to the spool, and sets its digest. */
static int spool_data(struct conversion *x, size_t i, struct archive_in *raw,
		      char diff[static DIGEST_HEX_MAX], struct err *e)
{
	_cleanup_digest_ struct digest *digest = digest_new(DIGEST_SHA256);
	_cleanup_free_ char *chunk = xmalloc(CHUNK);
	struct spooled *s = &x->spooled[i];
	const struct unpack_type *again;
	ssize_t n;

	while ((n = archive_in_read(raw, chunk, CHUNK, e)) > 0) {
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
	int r = find(x, member, &in, e);

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

	x->spool = scratch_file(x, e);
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
	_cleanup_free_ char *chunk = xmalloc(CHUNK);
	uint64_t at = x->spooled[i].at, left = x->spooled[i].length;

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

	if (list_members(x, e) < 0 || read_metadata(x, digest, e) < 0 ||
	    spool_layers(x, e) < 0)
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
	int r = archive.fd = scratch_file(&x, e);

	if (r >= 0)
		r = convert(&x, from->digest, e);
	conversion_done(&x);
	if (r == 0)
		*ret = archive;
	else if (archive.fd >= 0)
		close(archive.fd);
	return r;
}
