/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Every format is written from the raw image, with as much parallelism as leaves its
 * bytes the same on every machine.
 */
#include "builder/common/disk-format.h"

#include "lib/run.h"
#include "lib/str.h"

/* With one coroutine (-m 1) clusters are allocated in order. */
static int write_qcow2(const char *from, const char *to, struct err *e)
{
	const char *const argv[] = {"qemu-img", "convert", "-m", "1", "-f", "raw",
				    "-O",       "qcow2",   from, to,  NULL};

	return run_argv(argv, e);
}

/* The frames do not depend on the number of threads. */
static int write_zst(const char *from, const char *to, struct err *e)
{
	const char *const argv[] = {"zstd", "-q", "-T0", "-3", from, "-o", to, NULL};

	return run_argv(argv, e);
}

const struct tool disk_format_tools[] = {
	{"qemu-img", "qemu-utils"}, {"zstd", "zstd"}, {NULL, NULL}};

const struct disk_format disk_formats[] = {
	{.name = "raw", .suffix = "img", .file_format = "raw"},
	{
		.name = "qcow2",
		.suffix = "qcow2",
		.file_format = "qcow2",
		.tool = &disk_format_tools[0],
		.write = write_qcow2,
	},
	{
		.name = "zst",
		.suffix = "img.zst",
		.file_format = "zstd",
		.tool = &disk_format_tools[1],
		.write = write_zst,
	},
	{.name = NULL},
};

const struct disk_format *disk_format_find(const char *name)
{
	for (const struct disk_format *f = disk_formats; f->name; f++)
		if (streq(f->name, name))
			return f;
	return NULL;
}

const struct disk_format *disk_format_of_file(const char *file_format)
{
	for (const struct disk_format *f = disk_formats; f->name; f++)
		if (streq(f->file_format, file_format))
			return f;
	return NULL;
}

const char *disk_format_name(size_t i)
{
	return i < ARRAY_SIZE(disk_formats) ? disk_formats[i].name : NULL;
}
