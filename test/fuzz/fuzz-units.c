/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reads arbitrary text as unit files of a base, and as the targets of links in it. Every
 * link that is made is in /etc/systemd/system.
 */
#include "builder/root/unit-environment.h"
#include "builder/root/unit-links.h"
#include "test/fuzz/fuzz-file.h"

#define SYSTEM "usr/lib/systemd/system/"

static void add_entry(struct index *x, enum entry_type type, const char *path,
		      const char *text)
{
	x->v = xgrow(x->v, x->n, sizeof(*x->v));
	x->v[x->n++] = (struct index_entry){
		.path = xstrdup(path),
		.type = type,
		.target = type == ENTRY_SYMLINK ? xstrdup(text) : NULL,
		.text = type == ENTRY_FILE ? xstrdup(text) : NULL,
	};
}

/* Makes a base with two units, whose text is the input, and, with `links`, with symlinks
 * whose target is the input. */
static void make_base(struct index *x, const char *text, bool links)
{
	if (links) {
		add_entry(x, ENTRY_SYMLINK, "etc/systemd/system/a.service", text);
		add_entry(x, ENTRY_SYMLINK, "etc/systemd/system/x.target.wants", text);
		add_entry(x, ENTRY_SYMLINK, "lib", text);
	}
	add_entry(x, ENTRY_FILE, SYSTEM "a.service", text);
	add_entry(x, ENTRY_FILE, SYSTEM "b@.service", text);
	x->sorted = xcalloc(x->n, sizeof(struct index_entry *));
	for (size_t i = 0; i < x->n; i++)
		x->sorted[i] = &x->v[i];
}

static void check_links(const struct layer *l)
{
	for (size_t i = 0; i < l->n; i++) {
		const char *name = str_after(l->v[i].path, "etc/systemd/system/");

		demand(name && *name && *name != '/' && !str_ends(name, "/"),
		       l->v[i].path);
	}
}

/* Checks that a path of EnvironmentFile= is a part of a line. */
static void check_environment(const struct layer *l, const char *unit)
{
	_cleanup_strv_ char **files = NULL, **units = NULL;

	(void)!unit_environment(&files, l->base, l, unit);
	for (size_t i = 0; files && files[i]; i++)
		demand(*files[i] && !strchr(files[i], '\n'), files[i]);
	(void)!unit_follows(&units, l->base, l, unit);
	for (size_t i = 0; units && units[i]; i++)
		demand(*units[i] && !strpbrk(units[i], " \n"), units[i]);
}

static void try_units(const char *text, bool links)
{
	struct recipe_switch enable[] = {
		{.unit = (char *)"a.service", .where = (char *)"r.cfg:1"},
		{.unit = (char *)"b@tty1.service", .where = (char *)"r.cfg:1"}};
	struct recipe_switch mask[] = {
		{.unit = (char *)"c.service", .where = (char *)"r.cfg:2"}};
	const struct recipe r = {.enable = {enable, 2}, .mask = {mask, 1}};
	_cleanup_index_ struct index base = {0};
	_cleanup_diag_ struct diag d = {0};
	struct layer l = {.base = &base, .d = &d};
	_cleanup_free_ char *real = NULL;

	make_base(&base, text, links);
	unit_links(&l, &base, &r);
	if (!links)
		check_links(&l);
	layer_finish(&l);
	check_environment(&l, "a.service");
	check_environment(&l, "b@tty1.service");
	real = index_resolve(&base, text, true);
	demand(!real || (real[0] != '/' && !strstr(real, "//")), "a path is not plain");
	layer_done(&l);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	_cleanup_free_ char *text = xstrndup((const char *)data, size);

	try_units(text, false);
	try_units(text, true);
	return 0;
}
