/* SPDX-License-Identifier: Apache-2.0 */
/*
 * convert-container SOURCE IMAGE DIGEST OUT [LIMIT]: converts SOURCE (a file, or
 * docker://...) to the archive that is baked in, with builder/input/registry.h and
 * builder/root/container.h. DIGEST is the digest of the registry's manifest, or "-".
 * LIMIT is the largest size of what is fetched, and to which it may unpack. Prints ID,
 * CONFIG and the archive's SHA-256; for docker:// it first prints the SHA-256 of the
 * fetched archive.
 */
#include "builder/input/registry.h"
#include "builder/root/container.h"
#include "lib/file.h"
#include "lib/log.h"
#include "lib/str.h"

static int fetch(const char *url, int dir, uint64_t limit, struct err *e)
{
	struct fetch_file f = {.name = url,
			       .url = url,
			       .dirfd = dir,
			       .path = "fetched",
			       .max_size = limit};

	if (registry_fetch_all(&f, 1, NULL, e) < 0)
		return -1;
	printf("%s\n", f.sha256);
	return 0;
}

static int convert(char **argv, struct err *e)
{
	const char *tmp = getenv("TMPDIR");
	_cleanup_close_ int dir = open(tmp ? tmp : "/tmp", O_RDONLY | O_CLOEXEC);
	bool remote = str_after(argv[1], REGISTRY_SCHEME);
	_cleanup_close_ int in = -1, out = -1;
	struct container_name as;
	struct container_archive c = {0};

	uint64_t limit = 0;

	if (argv[5] && str_to_size(argv[5], &limit) < 0)
		return err_set(e, ERR_USAGE, "not a size: %s", argv[5]);
	if (container_name_parse(argv[2], &as) < 0)
		return err_set(e, ERR_USAGE, "not an image: %s", argv[2]);
	if (remote && fetch(argv[1], dir, limit, e) < 0)
		return -1;
	in = remote ? openat(dir, "fetched", O_RDONLY | O_CLOEXEC)
		    : open(argv[1], O_RDONLY | O_CLOEXEC);
	out = open(argv[4], O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	if (in < 0 || out < 0)
		return err_errno(e, errno, "%s", argv[1]);
	if (container_convert(&c,
			      &(struct container_source){
				      .fd = in,
				      .name = "image",
				      .digest = streq(argv[3], "-") ? NULL : argv[3],
				      .limit = limit,
			      },
			      &as, 1435622400, dir, e) < 0)
		return -1;
	printf("%s\n%s\n%s\n", c.id, c.config, c.sha256);
	if (lseek(c.fd, 0, SEEK_SET) < 0 || copy_fd(c.fd, out) < 0)
		return err_errno(e, errno, "%s", argv[4]);
	close(c.fd);
	return 0;
}

int main(int argc, char **argv)
{
	struct err e = {0};

	log_setup("convert-container", LOG_LEVEL_INFO);
	if (argc != 5 && argc != 6)
		return ERR_USAGE;
	if (convert(argv, &e) == 0)
		return fflush(stdout) == 0 ? 0 : ERR_FAILED;
	fprintf(stderr, "%s\n", e.msg);
	return (int)e.code;
}
