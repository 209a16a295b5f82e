/* SPDX-License-Identifier: Apache-2.0 */
/*
 * dpkg prints "Unpacking NAME (VERSION) ..." and "Setting up NAME (VERSION) ...", once
 * each for a package (LC_ALL=C.UTF-8), and mmdebstrap "I: ..." for each of its steps.
 * apt's status descriptor says the same, but programs in the sandbox get no descriptor
 * besides their log. Programs of the base may print such lines as well: they only change
 * what is shown.
 */
#include "builder/base/base-log.h"

#include "builder/common/progress.h"
#include "lib/file.h"
#include "lib/log.h"
#include "lib/str.h"
#include "lib/text.h"

#define COPY_MAX       (16 << 20)
#define NAME_MAX_SHOWN 60

static char *package_progress(size_t n, const struct base_log *l, const char *verb,
			      const char *name)
{
	int len = (int)strcspn(name, " ");

	len = len < NAME_MAX_SHOWN ? len : NAME_MAX_SHOWN;
	if (l->packages < n)
		return xasprintf("%s %.*s", verb, len, name);
	return xasprintf("package %zu of %zu, %s %.*s", n, l->packages, verb, len, name);
}

char *base_log_progress(struct base_log *l, const char *line)
{
	const char *rest;

	if ((rest = str_after(line, "Unpacking ")))
		return package_progress(++l->unpacked, l, "unpacking", rest);
	if ((rest = str_after(line, "Setting up ")))
		return package_progress(++l->set_up, l, "setting up", rest);
	if ((rest = str_after(line, "I: ")) ||
	    (str_after(line, "update-initramfs: ") && (rest = line)))
		return xstrdup(rest);
	return NULL;
}

static void append_copy(struct base_log *l, const char *line)
{
	_cleanup_free_ char *text = xasprintf("%s\n", line);
	size_t len = strlen(text);

	/* The caller replaces the copy by a complete one at the end, so that an error is
	 * reported there. */
	if (l->copy >= 0 && l->copied + len <= COPY_MAX &&
	    write_all(l->copy, text, len) == 0)
		l->copied += len;
}

static void use_line(void *arg, char *line)
{
	_cleanup_free_ char *now = NULL;
	struct base_log *l = arg;

	text_clean(line);
	append_copy(l, line);
	now = base_log_progress(l, line);
	if (now)
		progress_show("making the base: %s", now);
	if (log_get_level() >= LOG_LEVEL_DEBUG) {
		progress_clear();
		log_debug("mmdebstrap: %s", line);
	}
}

void base_log_follow(struct base_log *l)
{
	follow_lines(&l->at, l->raw, false, use_line, l);
	progress_tick();
}
