/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The places a host's configuration can come from, lowest priority first. A row more is a
 * source more. The built-in defaults are host_init's.
 */
#include "cmdline.h"
#include "config.h"
#include "lib/file.h"

#define CMDLINE_NAME "kernel command line"
#define CMDLINE_MAX  (64 * 1024) /* the kernel's own limit is 4 KiB or less */

/* What the boot loader handed over or the boot medium held: the initramfs keeps it. */
static int load_host_cfg(const struct firstboot *fb, struct host *h, struct diag *d)
{
	_cleanup_conf_ struct conf *c = NULL;

	if (faccessat(fb->rootfd, HOST_CFG, F_OK, 0) < 0 && errno == ENOENT)
		return 0;
	if (conf_read_at(&c, fb->rootfd, HOST_CFG, "host.cfg", CONF_MAX, CONF_NO_INCLUDE,
			 d) < 0 ||
	    host_load_conf(h, conf_root(c), "", d) < 0)
		return -1;
	return 1;
}

/* Words that are for the boot script or the loader and say nothing about the host. */
static bool not_a_setting(const char *key)
{
	static const char *const others[] = {"root_sha256", "state", "root", "debug",
					     NULL};

	for (size_t i = 0; others[i]; i++)
		if (streq(key, others[i]))
			return true;
	return false;
}

static int set_word(struct host *h, const struct cmdline_word *w, const char *key,
		    struct diag *d)
{
	if (w->value)
		return host_set(h, key, w->value, CMDLINE_NAME, 0, d);
	/* As for the kernel's own parameters, a switch alone means on. */
	for (size_t i = 0; i < HOST_KEY_COUNT; i++)
		if (streq(host_keys[i].name, key) && host_keys[i].type == HOST_T_BOOL)
			return host_set(h, key, "true", CMDLINE_NAME, 0, d);
	return host_set(h, key, "", CMDLINE_NAME, 0, d);
}

static int load_cmdline(const struct firstboot *fb, struct host *h, struct diag *d)
{
	_cleanup_free_ char *text = xstrdup(fb->cmdline);
	const char *p;
	int r = 0;

	if (!text) {
		int err = file_read_at(fb->rootfd, "proc/cmdline", CMDLINE_MAX, &text,
				       NULL);

		if (err == -ENOENT)
			return 0;
		if (err < 0)
			return diag_add(d, "/proc/cmdline: cannot be read: %s",
					strerror(-err));
	}
	for (p = text;;) {
		_cleanup_word_ struct cmdline_word w = {0};
		_cleanup_free_ char *key = NULL;

		if (!cmdline_next(&p, &w))
			return r;
		key = cmdline_key(&w);
		if (!key || not_a_setting(key))
			continue;
		if (set_word(h, &w, key, d) < 0)
			r = -1;
		else if (r == 0)
			r = 1;
	}
}

const struct source sources[] = {
	{"host.cfg", load_host_cfg},
	{CMDLINE_NAME, load_cmdline},
};
const size_t n_sources = ARRAY_SIZE(sources);
