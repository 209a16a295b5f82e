/* SPDX-License-Identifier: Apache-2.0 */
/*
 * print-member LIMIT ARCHIVE MEMBER[!MEMBER...]: prints one member with
 * builder/root/extract.h. Each '!' goes one archive deeper: the name after it is a member
 * of the archive named before it.
 */
#include "builder/root/extract.h"
#include "lib/file.h"
#include "lib/str.h"

static int print(void *data _unused_, const struct recipe_extract *x _unused_,
		 const struct entry *entry _unused_, struct archive_in *in, struct err *e)
{
	char chunk[4096];
	ssize_t n;

	while ((n = archive_in_read(in, chunk, sizeof(chunk), e)) > 0)
		if (fwrite(chunk, 1, (size_t)n, stdout) != (size_t)n)
			return err_errno(e, errno, "standard output");
	return n < 0 ? -1 : 0;
}

int main(int argc, char **argv)
{
	_cleanup_strv_ char **parts = argc == 4 ? strv_split(argv[3], "!") : NULL;
	struct recipe_extract level[8] = {0};
	struct archive_limit limit = {.raise = "LIMIT"};
	struct extract x = {.v = level, .n = 1, .limit = &limit, .sink = print};
	struct err e = {0};
	int fd = argc == 4 ? open(argv[2], O_RDONLY | O_CLOEXEC) : -1;
	size_t n = strv_len(parts);

	if (fd < 0 || n == 0 || n > ARRAY_SIZE(level) ||
	    str_to_size(argv[1], &limit.bytes) < 0)
		return ERR_USAGE;
	x.name = strrchr(argv[2], '/') ? strrchr(argv[2], '/') + 1 : argv[2];
	for (size_t i = 0; i < n; i++)
		level[i] = (struct recipe_extract){
			.path = parts[i],
			.to = i + 1 == n ? parts[i] : NULL,
			.where = (char *)"recipe.cfg:1",
			.v = i + 1 == n ? NULL : &level[i + 1],
			.n = i + 1 < n,
		};
	if (extract(&x, fd, &e) == 0)
		return fflush(stdout) == 0 ? 0 : ERR_FAILED;
	fprintf(stderr, "%s\n", e.msg);
	return (int)e.code;
}
