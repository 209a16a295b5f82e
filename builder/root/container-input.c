/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The input is a tar that may have its members in any order. Its headers are read once,
 * which in a plain tar on a disk only seeks from one to the next; an archive that is
 * compressed as a whole is decompressed first, to a file without a name. Each member that
 * is needed is then read from its own place, once.
 */
#include "builder/root/container-parts.h"

#include "builder/common/unpack.h"
#include "lib/file.h"
#include "lib/str.h"

#define TEXT_MAX    (2U << 20)  /* bytes of a manifest or a configuration */
#define TEXTS_MAX   (16U << 20) /* bytes of all of them */
#define MEMBERS_MAX 100000
#define INDEX_MAX   4 /* indexes in one another */
#define BLOBS       "blobs/sha256/"

int container_scratch_file(const struct conversion *x, struct err *e)
{
	int fd = openat(x->scratch, ".", O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);

	return fd < 0 ? err_errno(e, errno, "a scratch file") : fd;
}

/* --- members of the input ---------------------------------------------------------- */

/* Copies what is left of `in` to `to`. */
static int copy_data(const struct conversion *x, struct archive_in *in, int to,
		     struct err *e)
{
	_cleanup_free_ char *chunk = xmalloc(CONTAINER_CHUNK);
	ssize_t n;

	while ((n = archive_in_read(in, chunk, CONTAINER_CHUNK, e)) > 0) {
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
	x->plain = x->unpacked = container_scratch_file(x, e);
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

int container_list_members(struct conversion *x, struct err *e)
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

int container_find(const struct conversion *x, const char *path, struct archive_in **ret,
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
	int r = container_find(x, member, &in, e);

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
	while (id[0] && x->image.n <= CONTAINER_DEPTH_MAX) {
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

int container_read_metadata(struct conversion *x, const char *digest, struct err *e)
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
	if (r == 0 && (x->image.n == 0 || x->image.n > CONTAINER_DEPTH_MAX))
		r = err_set(e, ERR_FAILED, "%s: %zu layers; Docker takes 1 to %d",
			    x->name, x->image.n, CONTAINER_DEPTH_MAX);
	return r;
}
