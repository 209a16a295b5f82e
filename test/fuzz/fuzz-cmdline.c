/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reads arbitrary text as a kernel command line. Splitting it into words reaches the end
 * of the text, and loading it gives a host or complaints, as for host.cfg.
 */
#include "firstboot/config.h"
#include "firstboot/model/cmdline-word.h"
#include "fuzz-plan.h"

#include <fcntl.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Returns a file descriptor of an empty root, so that the command line is the only
 * source. */
static int empty_root(void)
{
	static int fd = -1;
	char dir[] = "/tmp/fuzz-cmdline.XXXXXX";

	if (fd >= 0)
		return fd;
	demand(mkdtemp(dir) != NULL, "no temporary folder");
	fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	demand(fd >= 0 && rmdir(dir) == 0, "the temporary folder");
	return fd;
}

static void split_words(const char *text)
{
	const char *p = text;

	for (;;) {
		_cleanup_word_ struct cmdline_word w = {0};
		_cleanup_free_ char *key = NULL;
		const char *before = p;

		if (!cmdline_next(&p, &w))
			break;
		demand(p > before, "no progress");
		demand(strlen(w.key) + (w.value ? strlen(w.value) : 0) <=
			       (size_t)(p - before),
		       "a word from nowhere");
		key = cmdline_key(&w);
	}
	demand(*p == '\0', "not read to the end");
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	_cleanup_free_ char *text =
		size ? xstrndup((const char *)data, size) : xstrdup("");
	_cleanup_config_ struct config c = {0};
	struct firstboot fb = {.cmdline = text};
	int r;

	split_words(text);
	fb.rootfd = empty_root();
	r = config_load(&c, &fb);
	demand((r < 0) == (c.complaints.n > 0), "a verdict without a reason");
	plan_any(&c.host, r == 0);
	return 0;
}
