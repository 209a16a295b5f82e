/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reads arbitrary bytes as a guest's serial console, at once and while they arrive. Every
 * line is printable ASCII.
 */
#include "builder/rack/rack-console.h"
#include "test/fuzz/fuzz-file.h"

#define FILE_NAME "console"

static void check_line(const char *line)
{
	for (; *line; line++)
		demand(*line >= ' ' && *line <= '~', "a line is not printable");
}

static void read_lines(struct console *c)
{
	char *line;

	while ((line = console_next(c))) {
		check_line(line);
		free(line);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	_cleanup_strv_ char **lines = console_lines((const char *)data, size);
	_cleanup_strv_ char **tail = NULL;
	_cleanup_free_ char *path = NULL;
	struct console c;
	size_t half = size / 2;

	for (size_t i = 0; lines && lines[i]; i++) {
		demand(*lines[i], "an empty line");
		check_line(lines[i]);
	}
	fuzz_folder_make();
	path = xasprintf("%s/" FILE_NAME, fuzz_folder);
	console_open(&c, path);
	fuzz_folder_write(FILE_NAME, data, half, 0);
	read_lines(&c);
	console_turn(&c);
	fuzz_folder_write(FILE_NAME, data + half, size - half, O_APPEND);
	read_lines(&c);
	demand(c.rest.len - c.used <= size, "more is left than there was");
	console_done(&c);
	tail = console_tail(path, 3);
	demand(strv_len(tail) <= 3, "too many lines");
	for (size_t i = 0; tail && tail[i]; i++)
		check_line(tail[i]);
	return 0;
}
