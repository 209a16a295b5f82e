/* SPDX-License-Identifier: Apache-2.0 */
#include "firstboot/cmdline.h"
#include "lib/root.h"

#define CMDLINE_MAX (64 * 1024) /* the kernel's limit is 4 KiB or less */

int cmdline_read(char **ret, const struct firstboot *fb)
{
	int r;

	if (fb->cmdline) {
		*ret = xstrdup(fb->cmdline);
		return 0;
	}
	r = root_read(fb->rootfd, "proc/cmdline", CMDLINE_MAX, ret, NULL);
	if (r == -ENOENT) {
		*ret = xstrdup("");
		return 0;
	}
	return r;
}

char *cmdline_value(const struct firstboot *fb, const char *want)
{
	_cleanup_free_ char *text = NULL;
	char *value = NULL;

	if (cmdline_read(&text, fb) < 0)
		return NULL;
	for (const char *p = text;;) {
		_cleanup_word_ struct cmdline_word w = {0};
		_cleanup_free_ char *key = NULL;

		if (!cmdline_next(&p, &w))
			return value;
		key = cmdline_key(&w);
		if (!key || !streq(key, want) || !w.value)
			continue;
		free(value);
		value = xstrdup(w.value);
	}
}
