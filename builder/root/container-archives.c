/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Each image is converted to a file without a name in the cache's folder (O_TMPFILE),
 * from which the merge copies it to the root image.
 */
#include "builder/root/container-archives.h"

#include "builder/common/known-files.h"
#include "firstboot/model/conf.h"
#include "lib/file.h"

#define DIR       "/usr/lib/rackstrap/containers"
#define LIST_FILE "/usr/lib/rackstrap/containers.cfg"
#define OURS      "rackstrap"
#define MEMO_MAX  4096

/* Returns the fetched input of the container, or NULL if it is a file of this machine. */
static const struct input *find_input(const struct recipe_container *c,
				      const struct inputs *in)
{
	_cleanup_free_ char *name = recipe_container_name(c);

	for (size_t i = 0; !c->file && i < in->n; i++)
		if (in->v[i].artifact->use == ARTIFACT_CONTAINER &&
		    streq(in->v[i].artifact->name, name))
			return &in->v[i];
	return NULL;
}

static int convert(struct container_archive *ret, const struct recipe *r,
		   const struct recipe_container *c, const struct input *in,
		   const struct cache *cache, struct err *e)
{
	_cleanup_free_ char *image = xstrdup(c->image);
	_cleanup_close_ int fd = -1;
	struct container_name as;

	if (container_name_parse(image, &as) < 0)
		return err_set(e, ERR_CONFIG, "'%s' is not the name of a container image",
			       c->image);
	if (!in && !c->file)
		return err_set(e, ERR_FAILED, "not fetched");
	fd = in ? input_open(in, e) : file_open_regular_at(AT_FDCWD, c->file);
	if (fd < 0)
		return in ? -1
			  : err_set(e, ERR_FAILED, "%s: %s", c->file, file_strerror(fd));
	return container_convert(ret,
				 &(struct container_source){
					 .fd = fd,
					 .name = c->url ? c->url : c->file,
					 .digest = c->manifest,
					 .limit = c->limit,
				 },
				 &as, (int64_t)r->epoch, cache->fd, e);
}

/* Makes the archive of the recipe's container `i`. */
static int make_archive(struct container_archive *ret, const struct recipe *r, size_t i,
			const struct inputs *in, const struct cache *cache, struct err *e)
{
	const struct recipe_container *c = &r->containers[i];

	if (convert(ret, r, c, find_input(c, in), cache, e) < 0)
		return err_wrap(e, "%s: container '%s'", c->where, c->image);
	return 0;
}

void container_archives_check(const struct recipe *r, const struct inputs *in,
			      const struct cache *c, struct diag *d)
{
	for (size_t i = 0; i < r->n_containers; i++) {
		struct container_archive made;
		struct err one = {0};

		if (make_archive(&made, r, i, in, c, &one) < 0)
			diag_add_err(d, &one);
		else
			close(made.fd);
	}
}

/* --- what is remembered ------------------------------------------------------------ */

/* Computes the digest of the container's input. Returns 0 or -errno. */
static int digest_input(const struct recipe_container *c, const struct input *in,
			const struct known_digests *k, char sha256[static DIGEST_HEX_MAX])
{
	_cleanup_close_ int fd = -1;

	if (in) {
		strcpy(sha256, in->blob.sha256);
		return 0;
	}
	fd = c->file ? file_open_regular_at(AT_FDCWD, c->file) : -EINVAL;
	return fd < 0 ? fd : known_digest_file(k, fd, sha256, NULL);
}

/* Returns the path of the memo of an archive, named by all that determines it; NULL if
 * that cannot be found out. Owned. */
static char *memo_path(const struct recipe *r, const struct recipe_container *c,
		       const struct input *in, const struct known_digests *k)
{
	char input[DIGEST_HEX_MAX], self[KNOWN_DIGEST_LEN], key[DIGEST_HEX_MAX];
	_cleanup_buf_ struct buf b = {0};

	if (digest_input(c, in, k, input) < 0 || known_files_self(k, self) < 0)
		return NULL;
	buf_printf(&b, "by %s\ninput %s\nimage %s\nmanifest %s\n", self, input, c->image,
		   c->manifest ? c->manifest : "");
	buf_printf(&b, "epoch %llu\nlimit %llu\n", (unsigned long long)r->epoch,
		   (unsigned long long)c->limit);
	return xasprintf("containers/%s", digest_text(DIGEST_SHA256, b.p, b.len, key));
}

/* Returns the text of a memo; owned. */
static char *memo_text(const struct container_archive *x)
{
	_cleanup_free_ char *line =
		xasprintf("%llu %s %s %s\n", (unsigned long long)x->size, x->sha256,
			  x->id, x->config);
	char sum[DIGEST_HEX_MAX];

	return xasprintf("%s%s\n", line,
			 digest_text(DIGEST_SHA256, line, strlen(line), sum));
}

/* Sets everything of the archive but its file. Returns false if it is not remembered. */
static bool recall(struct container_archive *ret, const struct cache *c, const char *memo)
{
	struct container_archive x = {.fd = -1};
	_cleanup_free_ char *text = NULL, *want = NULL;
	_cleanup_strv_ char **f = NULL;

	if (c->verify || file_read_foreign_at(c->fd, memo, MEMO_MAX, &text, NULL) < 0)
		return false;
	f = strv_split(text, " \n");
	if (strv_len(f) != 5 || str_to_u64(f[0], UINT64_MAX, &x.size) < 0)
		return false;
	snprintf(x.sha256, sizeof(x.sha256), "%s", f[1]);
	snprintf(x.id, sizeof(x.id), "%s", f[2]);
	snprintf(x.config, sizeof(x.config), "%s", f[3]);
	want = memo_text(&x);
	if (!streq(text, want))
		return false;
	(void)!utimensat(c->fd, memo, NULL, 0); /* used now */
	*ret = x;
	return true;
}

static void remember(const struct container_archive *x, const struct cache *c,
		     const char *memo)
{
	_cleanup_free_ char *text = memo_text(x);

	if (mkdir_p_at(c->fd, "containers", 0755) == 0)
		(void)!file_write_at(c->fd, memo, text, strlen(text), 0644);
}

/* --- all of them ------------------------------------------------------------------- */

int container_archives_make(struct container_archives *ret, const struct recipe *r,
			    const struct inputs *in, const struct cache *c,
			    const struct known_digests *k, struct err *e)
{
	ret->v = xcalloc(r->n_containers + 1, sizeof(*ret->v));
	ret->in = xcalloc(r->n_containers + 1, sizeof(*ret->in));
	ret->memos = xcalloc(r->n_containers + 1, sizeof(*ret->memos));
	for (size_t i = 0; i < r->n_containers; i++) {
		const struct input *from = find_input(&r->containers[i], in);
		struct container_archive *x = &ret->v[i];
		char *memo = memo_path(r, &r->containers[i], from, k);

		ret->memos[i] = memo;
		if (!memo || !recall(x, c, memo)) {
			if (make_archive(x, r, i, in, c, e) < 0) {
				free(TAKE_PTR(ret->memos[i]));
				return -1;
			}
			if (memo)
				remember(x, c, memo);
		}
		ret->in[i] = (struct input){
			.artifact = from ? from->artifact : NULL,
			.blob = {.fd = x->fd, .size = x->size},
		};
		ret->bytes += x->size;
		ret->n++;
	}
	return 0;
}

int container_archives_open(struct container_archives *a, const struct recipe *r,
			    const struct inputs *in, const struct cache *c, struct err *e)
{
	for (size_t i = 0; i < a->n; i++) {
		struct container_archive was = a->v[i];

		if (was.fd >= 0)
			continue;
		if (make_archive(&a->v[i], r, i, in, c, e) < 0) {
			a->v[i].fd = -1;
			return -1;
		}
		a->in[i].blob.fd = a->v[i].fd;
		if (streq(was.sha256, a->v[i].sha256))
			continue;
		unlinkat(c->fd, a->memos[i], 0);
		return err_set(e, ERR_FAILED,
			       "%s: container '%s': became another archive than before: "
			       "run again",
			       r->containers[i].where, r->containers[i].image);
	}
	return 0;
}

void container_archives_done(struct container_archives *c)
{
	for (size_t i = 0; i < c->n; i++) {
		if (c->v[i].fd >= 0)
			close(c->v[i].fd);
		free(c->memos[i]);
	}
	free(c->v);
	free(c->in);
	free(c->memos);
	*c = (struct container_archives){0};
}

/* Returns the archive's path: for "calico/node:v0.4.8", DIR/calico_node_v0.4.8.tar.
 * Owned.
 */
static char *file_of(const char *image)
{
	_cleanup_free_ char *name = xstrdup(image);

	for (char *p = name; *p; p++)
		if (*p == '/' || *p == ':')
			*p = '_';
	return xasprintf(DIR "/%s.tar", name);
}

static void append_key(struct buf *b, const char *key, const char *value)
{
	buf_printf(b, "\n\t\t%s = ", key);
	conf_quote(b, value);
	buf_puts(b, ";");
}

void container_archives_add(struct layer *l, const struct recipe *r,
			    const struct container_archives *c)
{
	_cleanup_buf_ struct buf b = {0};

	if (c->n == 0)
		return;
	buf_puts(&b, "# Written by rackstrap build from the recipe's containers.\n"
		     "containers = (");
	for (size_t i = 0; i < c->n; i++) {
		const struct recipe_container *x = &r->containers[i];
		_cleanup_free_ char *file = file_of(x->image);
		_cleanup_free_ char *origin = recipe_container_name(x);
		struct layer_item *item =
			layer_add(l, ENTRY_FILE, file, 0644, origin, x->where);

		if (item) {
			item->source = LAYER_BLOB;
			item->input = &c->in[i];
		}
		buf_printf(&b, "%s\n\t{", i > 0 ? "," : "");
		append_key(&b, "image", x->image);
		append_key(&b, "file", file);
		append_key(&b, "sha256", c->v[i].sha256);
		append_key(&b, "id", c->v[i].id);
		append_key(&b, "config", c->v[i].config);
		buf_puts(&b, "\n\t}");
	}
	buf_puts(&b, "\n);\n");
	layer_add_text(l, LIST_FILE, 0644, b.p, b.len, OURS, OURS);
}
