/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Each image is converted to a file without a name in the cache's folder (O_TMPFILE),
 * from which the merge copies it to the root image.
 */
#include "builder/root/container-archives.h"

#include "firstboot/model/conf.h"
#include "lib/file.h"

#define DIR       "/usr/lib/rackstrap/containers"
#define LIST_FILE "/usr/lib/rackstrap/containers.cfg"
#define OURS      "rackstrap"

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

int container_archives_make(struct container_archives *ret, const struct recipe *r,
			    const struct inputs *in, const struct cache *c, struct err *e)
{
	ret->v = xcalloc(r->n_containers + 1, sizeof(*ret->v));
	ret->in = xcalloc(r->n_containers + 1, sizeof(*ret->in));
	for (size_t i = 0; i < r->n_containers; i++) {
		const struct input *from = find_input(&r->containers[i], in);
		struct container_archive *x = &ret->v[i];

		if (make_archive(x, r, i, in, c, e) < 0)
			return -1;
		ret->in[i] = (struct input){
			.artifact = from ? from->artifact : NULL,
			.blob = {.fd = x->fd, .size = x->size},
		};
		ret->bytes += x->size;
		ret->n++;
	}
	return 0;
}

void container_archives_done(struct container_archives *c)
{
	for (size_t i = 0; i < c->n; i++)
		close(c->v[i].fd);
	free(c->v);
	free(c->in);
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
