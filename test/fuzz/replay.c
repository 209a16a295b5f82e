/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Runs a fuzz target over its corpus without a fuzzer, so that every `make check` tests
 * the inputs found earlier. fuzz-NAME reads test/fuzz/corpus/NAME/ (or the files given as
 * arguments) and prints TAP. A target that finds a fault aborts the program.
 */
#include "lib/file.h"
#include "lib/str.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define INPUT_MAX (16 * 1024 * 1024)

static int by_name(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static char **corpus(const char *program)
{
	const char *name = strrchr(program, '/') ? strrchr(program, '/') + 1 : program;
	_cleanup_free_ char *dir = NULL;
	_cleanup_closedir_ DIR *d = NULL;
	struct dirent *entry;
	char **files = NULL;

	if (str_after(name, "fuzz-"))
		name = str_after(name, "fuzz-");
	dir = xasprintf("test/fuzz/corpus/%s", name);
	d = opendir(dir);
	while (d && (entry = readdir(d)))
		if (entry->d_name[0] != '.')
			strv_addf(&files, "%s/%s", dir, entry->d_name);
	if (files)
		qsort(files, strv_len(files), sizeof(*files), by_name);
	return files;
}

int main(int argc, char **argv)
{
	_cleanup_strv_ char **files = argc > 1 ? strv_dup(argv + 1) : corpus(argv[0]);
	size_t n = 0;

	if (!files) {
		fprintf(stderr, "%s: no corpus\n", argv[0]);
		return 1;
	}
	for (; files[n]; n++) {
		_cleanup_free_ char *data = NULL;
		size_t len = 0;

		if (file_read_at(AT_FDCWD, files[n], INPUT_MAX, &data, &len) < 0) {
			printf("not ok %zu - %s cannot be read\n", n + 1, files[n]);
			return 1;
		}
		LLVMFuzzerTestOneInput((const uint8_t *)data, len);
		printf("ok %zu - %s\n", n + 1, files[n]);
		fflush(stdout);
	}
	printf("1..%zu\n", n);
	return 0;
}
