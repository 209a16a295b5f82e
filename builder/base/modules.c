/* SPDX-License-Identifier: Apache-2.0 */
/* A module's name is that of its file without suffix, with '_' for '-'. */
#include "builder/base/modules.h"

#include <fnmatch.h>

#define MODULES_MAX 200000
#define NAMES_MAX   (32U << 20) /* bytes of the names of all modules */

/* Modules with which the boot script mounts the root image. */
static const char *const boot_modules[] = {"loop", "squashfs", "overlay"};

bool module_is_file(const char *path)
{
	return fnmatch("*lib/modules/*/kernel/*.ko*", path, 0) == 0;
}

bool module_is_builtin_list(const char *path)
{
	return fnmatch("*lib/modules/*/modules.builtin", path, 0) == 0;
}

/* Returns the kernel's name of a module, by its path or its name. Owned. */
static char *name_of(const char *path)
{
	const char *slash = strrchr(path, '/');
	char *name = xstrdup(slash ? slash + 1 : path), *dot = strstr(name, ".ko");

	if (dot)
		*dot = '\0';
	for (char *p = name; *p; p++)
		if (*p == '-')
			*p = '_';
	return name;
}

int module_names_add(struct module_names *m, const char *path, struct err *e)
{
	_cleanup_free_ char *name = name_of(path);

	m->bytes += strlen(name);
	if (m->all.n >= MODULES_MAX || m->bytes > NAMES_MAX)
		return err_set(e, ERR_FAILED,
			       "base: has more than %d kernel modules, or more than %u "
			       "MiB of their names: refused",
			       MODULES_MAX, NAMES_MAX >> 20);
	strv_builder_add(&m->all, name);
	return 0;
}

int module_names_add_builtin(struct module_names *m, const char *text, struct err *e)
{
	for (size_t n; text += strspn(text, "\n"), (n = strcspn(text, "\n")) > 0;
	     text += n) {
		_cleanup_free_ char *line = xstrndup(text, n), *name = NULL;

		if (!strstr(line, ".ko"))
			continue;
		if (module_names_add(m, line, e) < 0)
			return -1;
		name = name_of(line);
		strv_builder_add(&m->builtin, name);
	}
	return 0;
}

void module_names_done(struct module_names *m)
{
	strv_builder_done(&m->all);
	strv_builder_done(&m->builtin);
}

static void check_named(const struct module_names *m, const struct recipe *r,
			struct diag *d)
{
	const char *kernel = r->base.kernel ? r->base.kernel : "its kernel";
	char *const *want = r->initramfs.modules;

	for (size_t i = 0; want && want[i]; i++) {
		_cleanup_free_ char *name = name_of(want[i]), *hint = NULL;

		if (strv_has(m->all.v, name))
			continue;
		hint = str_hint(str_nearest(want[i], (const char *const *)m->all.v));
		diag_add(d, "%s: initramfs: %s has no module '%s'%s", r->initramfs.where,
			 kernel, want[i], hint);
	}
}

/* Checks what the boot script needs, where only named modules get into the initrd. */
static void check_boot(const struct module_names *m, const struct recipe *r,
		       struct diag *d)
{
	for (size_t i = 0; i < ARRAY_SIZE(boot_modules); i++)
		if (!strv_has(r->initramfs.modules, boot_modules[i]) &&
		    strv_has(m->all.v, boot_modules[i]) &&
		    !strv_has(m->builtin.v, boot_modules[i]))
			diag_add(d,
				 "%s: initramfs: modules: '%s' is missing, with which "
				 "the boot script mounts the root image",
				 r->initramfs.where, boot_modules[i]);
}

void module_names_check(const struct module_names *m, const struct recipe *r,
			struct diag *d)
{
	if (m->all.n == 0)
		return;
	check_named(m, r, d);
	if (r->initramfs.policy == INITRAMFS_LIST)
		check_boot(m, r, d);
}
