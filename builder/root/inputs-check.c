/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Each check does what the build does, and discards the result. Errors that need a base
 * to be found (a missing kernel, conflicting paths) are not found here.
 */
#include "builder/root/inputs-check.h"

#include "builder/base/base.h"
#include "builder/root/container-archives.h"
#include "lib/file.h"

#include <fcntl.h>
#include <unistd.h>

int input_extract(const struct input *in, extract_sink *sink, void *data, struct err *e)
{
	const struct recipe_artifact *a = in->artifact;
	_cleanup_free_ char *title = recipe_artifact_title(a);
	struct archive_limit limit = {.bytes = a->limit,
				      .raise = "key 'limit' of the artifact"};
	const struct extract x = {
		.v = a->v,
		.n = a->n,
		.name = a->url,
		.limit = &limit,
		.sink = sink,
		.data = data,
	};
	_cleanup_close_ int fd = input_open(in, e);
	int r = fd < 0 ? -1 : extract(&x, fd, e);

	return r < 0 ? err_wrap(e, "%s: %s", a->where, title) : 0;
}

/* Reads a member to its end, to find damage and data over the limit. */
static int read_member(_unused_ void *data, _unused_ const struct recipe_extract *x,
		       _unused_ const struct entry *entry, struct archive_in *in,
		       struct err *e)
{
	_cleanup_free_ char *chunk = xmalloc(64 * 1024);
	ssize_t n;

	while ((n = archive_in_read(in, chunk, 64 * 1024, e)) > 0)
		;
	return n < 0 ? -1 : 0;
}

static int check_one(const struct input *in, const struct recipe *r, struct err *e)
{
	_cleanup_close_ int fd = -1;

	if (in->artifact->use == ARTIFACT_CONTAINER ||
	    (in->artifact->use == ARTIFACT_FILES && in->artifact->n == 0))
		return 0;
	if (in->artifact->use != ARTIFACT_BASE)
		return input_extract(in, read_member, NULL, e);
	fd = input_open(in, e);
	return fd < 0 ? -1 : base_check_source(r, fd, e);
}

void inputs_check_members(const struct inputs *in, const struct recipe *r, struct diag *d)
{
	for (size_t i = 0; i < in->n; i++) {
		const struct input *x = &in->v[i];
		struct err one = {0};

		if (x->artifact->use == ARTIFACT_FILES && x->artifact->n > 0 &&
		    x->blob.sha256[0] && check_one(x, r, &one) < 0)
			diag_add_err(d, &one);
	}
}

int inputs_check(const struct inputs *in, const struct recipe *r, const struct cache *c,
		 struct err *e)
{
	_cleanup_diag_ struct diag d = {0};

	for (size_t i = 0; i < in->n; i++) {
		struct err one = {0};

		if (check_one(&in->v[i], r, &one) < 0)
			diag_add_err(&d, &one);
	}
	container_archives_check(r, in, c, &d);
	if (diag_err(&d, e) == 0)
		return 0;
	if (e)
		e->code = ERR_FAILED; /* not ERR_CONFIG: the recipe is valid */
	return -1;
}
