/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reads arbitrary bytes as an archive, each of its files as an archive in it, and all of
 * them as a single file, compressed or not. Checks that no more than the limit comes out
 * of all of them together, that entries are consistent, and that a refusal has a message.
 */
#include "builder/common/archive.h"
#include "test/fuzz/fuzz-file.h"

#define LIMIT     (1U << 20)
#define DEPTH_MAX 3

static void check_entry(const struct entry *x)
{
	demand(x->path && x->path[0] && strlen(x->path) <= ARCHIVE_NAME_MAX, "a name");
	if (x->type == ENTRY_SYMLINK || x->type == ENTRY_HARDLINK)
		demand(x->target && strlen(x->target) <= ARCHIVE_NAME_MAX, "a target");
	demand(x->type == ENTRY_FILE || x->size == 0, "a size of no file");
	demand(x->size <= LIMIT, "a size over the limit");
	demand(*entry_type_name(x->type), "a type without a name");
	free(archive_path_normal(x->path));
}

/* Reads to the end. Returns as archive_in_read(). */
static ssize_t read_data(struct archive_in *in, uint64_t *total, struct err *e)
{
	char chunk[5000];
	ssize_t n;

	while ((n = archive_in_read(in, chunk, sizeof(chunk), e)) > 0) {
		demand((size_t)n <= sizeof(chunk), "more than asked for");
		*total += (uint64_t)n;
		demand(*total <= LIMIT, "data over the limit");
	}
	demand(n == 0 || e->msg[0], "data was refused without an error");
	return n;
}

static void read_archive(const struct archive_source *from, unsigned depth)
{
	_cleanup_archive_in_ struct archive_in *in = NULL;
	const struct entry *entry;
	struct err e = {0};
	uint64_t total = 0;
	int r = archive_in_open(&in, from, &e);

	while (r == 0 && (r = archive_in_next(in, &entry, &e)) > 0) {
		bool file = entry->type == ENTRY_FILE;

		check_entry(entry);
		r = 0;
		if (file && depth < DEPTH_MAX)
			read_archive(&(struct archive_source){.name = "in", .outer = in},
				     depth + 1);
		if (file && read_data(in, &total, &e) < 0)
			r = -1;
	}
	if (r == 0)
		r = archive_in_drain(in, &e);
	demand(r == 0 || e.msg[0], "an archive was refused without an error");
}

static void read_single(int fd)
{
	struct archive_limit limit = {.bytes = LIMIT};
	_cleanup_archive_in_ struct archive_in *in = NULL;
	struct archive_source from = {
		.name = "single", .fd = fd, .single = true, .limit = &limit};
	struct err e = {0};
	uint64_t total = 0;

	if (archive_in_open(&in, &from, &e) < 0)
		demand(e.msg[0], "a file was refused without an error");
	else
		(void)!read_data(in, &total, &e);
	demand(total == limit.used, "not all data was counted");
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	_cleanup_close_ int fd = fuzz_file(data, size);
	struct archive_limit limit = {.bytes = LIMIT};

	demand(lseek(fd, 0, SEEK_SET) == 0, "memfd");
	read_archive(&(struct archive_source){.name = "a", .fd = fd, .limit = &limit}, 0);
	demand(limit.used <= LIMIT, "more than the limit was counted");
	demand(lseek(fd, 0, SEEK_SET) == 0, "memfd");
	read_single(fd);
	return 0;
}
