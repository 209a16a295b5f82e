/* SPDX-License-Identifier: Apache-2.0 */
/* A line is "SHA256 NAME", as sha256sum(1) writes it; other lines are kept as they are.
 */
#include "builder/disk/image-sums.h"

#include "builder/common/leftovers.h"
#include "lib/file.h"
#include "lib/str.h"

#define SUMS     "SHA256SUMS"
#define SUMS_MAX (1U << 20)

void image_sums_done(struct image_sums *s)
{
	free(s->path);
	free(s->name);
	free(s->text);
	*s = (struct image_sums){0};
}

/* Sets s->at and s->sha256. */
static bool find_line(struct image_sums *s)
{
	for (const char *at = s->text; *at; at += strcspn(at, "\n"), at += *at == '\n') {
		_cleanup_free_ char *hex = xstrndup(at, DIGEST_SHA256_LEN - 1);
		_cleanup_free_ char *line = xasprintf("%s  %s", hex, s->name);
		const char *rest = str_after(at, line);

		if (!rest || (*rest && *rest != '\n') ||
		    !digest_is_hex(hex, DIGEST_SHA256))
			continue;
		s->at = (size_t)(at - s->text);
		memcpy(s->sha256, hex, DIGEST_SHA256_LEN);
		return true;
	}
	return false;
}

bool image_sums_read(struct image_sums *ret, const char *path)
{
	_cleanup_free_ char *real = realpath(path, NULL);
	char *slash = real ? strrchr(real, '/') : NULL;

	*ret = (struct image_sums){0};
	if (!slash)
		return false;
	*slash = '\0';
	return image_sums_read_in(ret, real, slash + 1);
}

bool image_sums_read_in(struct image_sums *ret, const char *parent, const char *name)
{
	_cleanup_image_sums_ struct image_sums s = {0};

	*ret = (struct image_sums){0};
	s.name = xstrdup(name);
	s.path = xasprintf("%s/" SUMS, parent);
	if (file_read_regular_at(AT_FDCWD, s.path, SUMS_MAX, &s.text, NULL) < 0 ||
	    !find_line(&s))
		return false;
	*ret = s;
	s = (struct image_sums){0};
	return true;
}

int image_sums_write(const struct image_sums *s, const char *sha256, struct err *e)
{
	const char *line = s->text + s->at, *rest = line + strcspn(line, "\n");
	_cleanup_buf_ struct buf b = {0};

	buf_add(&b, s->text, s->at);
	if (sha256)
		buf_printf(&b, "%s  %s\n", sha256, s->name);
	buf_puts(&b, rest + (*rest == '\n'));
	return leftovers_write_file(s->path, b.p, b.len, 0644, e);
}
