/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reads arbitrary bytes as every fact about a disk: those that the disk itself tells
 * (vendor, model, serial number, page 0x80), udev's database, the mounts and the swaps. A
 * serial number can be typed.
 */
#include "builder/disk/device.h"
#include "test/fuzz/fuzz-file.h"

#define INPUT "input"

/* Makes a file below fuzz_folder: a hard link to the input. */
static void link_input(const char *path)
{
	_cleanup_free_ char *from = xasprintf("%s/" INPUT, fuzz_folder);
	_cleanup_free_ char *to = xasprintf("%s/%s", fuzz_folder, path), *dir = NULL;
	const char *name;

	demand(path_split(to, &dir, &name) == 0 && mkdir_p_at(AT_FDCWD, dir, 0700) == 0 &&
		       link(from, to) == 0,
	       path);
}

static void make_machine(void)
{
	static const char *const facts[] = {
		"sys/block/sda/device/vendor",
		"sys/block/sda/device/model",
		"sys/block/sda/device/vpd_pg80",
		"sys/block/sda/queue/logical_block_size",
		"sys/block/sdb/device/name",
		"sys/block/sdb/device/serial",
		"sys/block/sdb/removable",
		"sys/block/sdb/dev",
		"sys/block/sdc/size",
		"sys/block/loop0/loop/backing_file",
		"run/udev/data/b8:0",
		"run/udev/data/b8:1",
		"proc/self/mountinfo",
		"proc/swaps",
	};

	fuzz_folder_write(INPUT, "", 0, 0);
	for (size_t i = 0; i < ARRAY_SIZE(facts); i++)
		link_input(facts[i]);
	fuzz_folder_write("sys/block/sda/dev", "8:0\n", 4, 0);
	fuzz_folder_write("sys/block/sda/size", "100\n", 4, 0);
	fuzz_folder_write("sys/block/sdb/size", "100\n", 4, 0);
	fuzz_folder_write("sys/block/loop0/size", "100\n", 4, 0);
}

static void check_device(const struct device *d, int root)
{
	const char *s = device_token(d);

	demand(*s, "an empty token");
	for (; *s; s++)
		demand(*s > ' ' && *s < 0x7f, "a token that cannot be typed");
	demand(d->sector > 0, "no sector size");
	free(device_label(d, root, 1));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	_cleanup_devices_ struct devices all = {0};
	_cleanup_close_ int root = -1;
	struct err e = {0};

	if (fuzz_folder_make())
		make_machine();
	fuzz_folder_write(INPUT, data, size, 0);
	root = open(fuzz_folder, O_PATH | O_DIRECTORY | O_CLOEXEC);
	demand(root >= 0, fuzz_folder);
	if (devices_read(&all, root, &e) < 0)
		demand(e.msg[0], "refused without an error");
	for (size_t i = 0; i < all.n; i++)
		check_device(&all.v[i], root);
	return 0;
}
