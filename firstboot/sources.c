/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The sources of a host's configuration, lowest priority first. host_init() sets the
 * built-in defaults before them.
 */
#include "firstboot/cmdline.h"
#include "firstboot/config-url.h"
#include "firstboot/config.h"
#include "firstboot/model/words.h"
#include "firstboot/rack-source.h"
#include "lib/root.h"
#include "lib/url.h"

#define CMDLINE_NAME "kernel command line"

static int load_state(const struct firstboot *fb, struct host *h, struct diag *d,
		      struct diag *warnings);
static int load_cmdline(const struct firstboot *fb, struct host *h, struct diag *d,
			struct diag *warnings);

static int load_file(const struct firstboot *fb, const char *path, const char *name,
		     struct host *h, struct diag *d)
{
	_cleanup_conf_ struct conf *c = NULL;

	if (root_access(fb->rootfd, path) == -ENOENT)
		return 0;
	if (conf_read_root(&c, fb->rootfd, path, name, CONF_MAX, d) < 0 ||
	    host_load_conf(h, conf_root(c), "", d) < 0)
		return -1;
	return 1;
}

/* Returns true when both hosts have the key, with different values. */
static bool differs(const struct host *a, const struct host *b, enum host_key_id id)
{
	_cleanup_free_ char *x = host_format(a, id), *y = host_format(b, id);

	return a->set[id] && b->set[id] && *x && *y && !streq(x, y);
}

/* Loads all files except that of the state disk. */
static void load_other_files(const struct firstboot *fb, struct host *h)
{
	host_init(h);
	for (size_t i = 0; i < n_sources; i++)
		if (sources[i].load != load_state && sources[i].load != load_cmdline)
			(void)!sources[i].load(fb, h, NULL, NULL);
}

/*
 * Loads the state disk's file, unless another file says that this is another host: every
 * key that the other file does not set would come from a stranger. That happens when a
 * host is renamed, and when the disk was another machine's.
 */
static int load_state(const struct firstboot *fb, struct host *h, struct diag *d,
		      struct diag *warnings)
{
	static const enum host_key_id whose[] = {HOST_NAME, HOST_CLUSTER};
	_cleanup_host_ struct host state = {0}, others = {0};

	if (root_access(fb->rootfd, STATE_CFG) == -ENOENT)
		return 0;
	host_init(&state);
	(void)!load_file(fb, STATE_CFG, STATE_CFG, &state, NULL);
	load_other_files(fb, &others);
	for (size_t i = 0; i < ARRAY_SIZE(whose); i++) {
		_cleanup_free_ char *there = host_format(&state, whose[i]),
				    *here = host_format(&others, whose[i]);
		char where[512];

		if (!differs(&state, &others, whose[i]))
			continue;
		diag_add(warnings,
			 "/" STATE_CFG ":%u: %s is %s, but %s in %s: the file is "
			 "another host's and is not used",
			 state.origin[whose[i]].line, host_key(whose[i])->name, there,
			 here, host_where(&others, whose[i], where, sizeof(where)));
		return 0;
	}
	return load_file(fb, STATE_CFG, "/" STATE_CFG, h, d);
}

static int load_medium_rack(const struct firstboot *fb, struct host *h, struct diag *d,
			    struct diag *warnings)
{
	return rack_source_load(fb, MEDIUM_RACK_CFG, "boot medium's rack.cfg", h, d,
				warnings);
}

static int load_medium_host(const struct firstboot *fb, struct host *h, struct diag *d,
			    struct diag *warnings _unused_)
{
	return load_file(fb, MEDIUM_CFG, "boot medium's host.cfg", h, d);
}

static int load_host_cfg(const struct firstboot *fb, struct host *h, struct diag *d,
			 struct diag *warnings _unused_)
{
	return load_file(fb, HOST_CFG, "host.cfg", h, d);
}

/* Loads the file that apply has fetched, or the last good one. */
static int load_url(const struct firstboot *fb, struct host *h, struct diag *d,
		    struct diag *warnings _unused_)
{
	_cleanup_free_ char *url = config_url(fb), *shown = NULL;
	const char *wrong = url ? word_url_wrong(url) : NULL;
	int r;

	if (!url)
		return 0;
	shown = url_public(url);
	if (wrong)
		return diag_add(d, CMDLINE_NAME ": rackstrap.config: '%s' %s", shown,
				wrong);
	r = load_file(fb, CONFIG_CFG, shown, h, d);
	return r != 0 ? r
		      : diag_add(d,
				 CMDLINE_NAME
				 ": rackstrap.config: nothing was fetched from %s",
				 shown);
}

static int load_cmdline(const struct firstboot *fb, struct host *h, struct diag *d,
			struct diag *warnings _unused_)
{
	_cleanup_free_ char *text = NULL;
	const char *p;
	int r = cmdline_read(&text, fb);

	if (r < 0)
		return diag_add(d, "/proc/cmdline: cannot be read: %s", strerror(-r));
	for (p = text;;) {
		_cleanup_word_ struct cmdline_word w = {0};
		_cleanup_free_ char *key = NULL;

		if (!cmdline_next(&p, &w))
			return r;
		key = cmdline_key(&w);
		if (!key || cmdline_key_is_other(key))
			continue;
		if (host_set(h, key, w.value, CMDLINE_NAME, 0, d) < 0)
			r = -1;
		else if (r == 0)
			r = 1;
	}
}

const struct source sources[] = {
	{"state disk", false, load_state},
	{"boot medium's rack.cfg", true, load_medium_rack},
	{"boot medium's host.cfg", true, load_medium_host},
	{"host.cfg", true, load_host_cfg},
	{"rackstrap.config=", false, load_url},
	{CMDLINE_NAME, true, load_cmdline},
};
const size_t n_sources = ARRAY_SIZE(sources);

void sources_wait(const struct firstboot *fb)
{
	rack_source_wait(fb, MEDIUM_RACK_CFG);
}
