/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reads arbitrary bytes as a root filesystem's tar, as the base types tar and disk do,
 * and as the tar that mmdebstrap writes. Checks that no tree has a device, or a link in
 * place of a folder that tools write to; that no base has something below /boot; and the
 * lines of its lists.
 */
#include "builder/base/base-split.h"
#include "builder/base/base-tree.h"
#include "builder/common/archive.h"
#include "lib/file.h"
#include "test/fuzz/fuzz-file.h"

static char folder[] = "/tmp/fuzz-base.XXXXXX";

static void remove_folder(void)
{
	(void)!rm_rf_at(AT_FDCWD, folder);
}

/* Returns an empty folder. */
static const char *empty_folder(void)
{
	static bool made;

	if (!made)
		demand(mkdtemp(folder) && atexit(remove_folder) == 0, folder);
	else
		demand(rm_rf_at(AT_FDCWD, folder) == 0 && mkdir(folder, 0700) == 0,
		       folder);
	made = true;
	return folder;
}

static void check_entry(const struct entry *x, bool base)
{
	static const char *const folders[] = {"run", "tmp", "etc/apt", "var/lib/dpkg",
					      "var/cache"};
	_cleanup_free_ char *path = archive_path_normal(x->path);

	demand(path != NULL, x->path);
	demand(x->type < ENTRY_CHAR, "a device");
	if (base)
		demand(!str_after(path, "boot/"), path);
	for (size_t i = 0; !base && i < ARRAY_SIZE(folders); i++)
		demand(x->type == ENTRY_DIR || !streq(path, folders[i]), path);
}

/* Checks each entry of a tar that was written. */
static void check_tar(const char *name, bool base)
{
	_cleanup_free_ char *path = xasprintf("%s/%s", folder, name);
	_cleanup_close_ int fd = open(path, O_RDONLY | O_CLOEXEC);
	const struct archive_source from = {.name = name, .fd = fd};
	_cleanup_archive_in_ struct archive_in *in = NULL;
	const struct entry *entry;
	struct err e = {0};
	int r;

	demand(fd >= 0, path);
	demand(archive_in_open(&in, &from, &e) == 0, e.msg);
	while ((r = archive_in_next(in, &entry, &e)) > 0)
		check_entry(entry, base);
	demand(r == 0, e.msg);
}

static void try_tree(int fd)
{
	const struct recipe_base b = {.limit = 1 << 20};
	_cleanup_free_ char *path = xasprintf("%s/tree.tar", empty_folder());
	struct err e = {0};

	if (base_tree_write(fd, &b, "tar", path, &e) < 0)
		demand(e.msg[0], "a tree was refused without an error");
	else
		check_tar("tree.tar", false);
}

static void check_packages(void)
{
	_cleanup_free_ char *path = xasprintf("%s/packages", folder), *text = NULL;
	_cleanup_strv_ char **lines = NULL;

	demand(file_read_at(AT_FDCWD, path, 64 << 20, &text, NULL) == 0, path);
	lines = strv_split(text, "\n");
	for (size_t i = 1; lines && lines[0] && lines[i]; i++)
		demand(strcmp(lines[i - 1], lines[i]) <= 0, "packages are not sorted");
}

static void try_split(int fd)
{
	const struct recipe r = {
		.epoch = 1435622400,
		.base = {.where = (char *)"r.cfg:3", .limit = 1 << 20},
		.initramfs = {.where = (char *)"r.cfg:9"},
	};
	struct err e = {0};
	bool damaged;

	if (base_split(&r, fd, empty_folder(), &damaged, &e) < 0) {
		demand(e.msg[0], "a base was refused without an error");
		return;
	}
	check_tar("root.tar", true);
	check_packages();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	_cleanup_close_ int fd = fuzz_file(data, size);

	try_tree(fd);
	demand(lseek(fd, 0, SEEK_SET) == 0, "lseek");
	try_split(fd);
	return 0;
}
