/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A disk is in use when it or a partition of it is mounted, is swap space or has a holder
 * (LVM, md, dm-crypt: /sys/block/.../holders), and the same is checked for the holders. A
 * disk under / or another directory of the system, through any number of such layers, is
 * the system disk.
 *
 * Limits: a process that has the device open, such as a virtual machine that uses the
 * disk, is not found here; blockdev_open() fails when it was opened exclusively.
 */
#include "builder/disk/device.h"

#include "builder/disk/device-line.h"
#include "lib/root.h"
#include "lib/str.h"

#define DEPTH_MAX 8 /* layers of holders that are followed */
#define TABLE_MAX (16 << 20)

struct use {
	struct device *d;
	int root;
	char **mounts; /* lines of mountinfo */
	char **swaps;  /* lines of /proc/swaps, with the heading */
	bool system;   /* the use by this system is in d->uses */
};

static char **read_lines(int root, const char *path)
{
	_cleanup_free_ char *text = NULL;

	return root_read(root, path, TABLE_MAX, &text, NULL) < 0 ? NULL
								 : strv_split(text, "\n");
}

static bool is_system_directory(const char *mountpoint)
{
	static const char *const places[] = {"/",    "/usr", "/boot", "/boot/efi",
					     "/efi", "/etc", "/var",  NULL};

	return strv_has((char *const *)places, mountpoint);
}

static bool is_octal(char c)
{
	return c >= '0' && c <= '7';
}

/* Decodes mountinfo's octal escapes, "\040" for a blank (proc(5)), in place. */
static void unescape(char *s)
{
	char *to = s;

	for (; *s; s++) {
		if (s[0] == '\\' && is_octal(s[1]) && s[1] <= '3' && is_octal(s[2]) &&
		    is_octal(s[3])) {
			*to++ = (char)((s[1] - '0') << 6 | (s[2] - '0') << 3 |
				       (s[3] - '0'));
			s += 3;
		} else {
			*to++ = *s;
		}
	}
	*to = '\0';
}

/* Checks whether `path` is the source in a line of mountinfo, which follows " - TYPE ".
 * The device number in the line is not enough: btrfs and others have one of their own. */
static bool has_source(char *const *fields, const char *path)
{
	for (size_t i = 6; fields[i]; i++)
		if (streq(fields[i], "-"))
			return fields[i + 1] && fields[i + 2] &&
			       streq(fields[i + 2], path);
	return false;
}

static void find_mounts(struct use *u, const char *name, const char *number)
{
	_cleanup_free_ char *path = xasprintf("/dev/%s", name);

	for (size_t i = 0; u->mounts && u->mounts[i]; i++) {
		_cleanup_strv_ char **f = strv_split(u->mounts[i], " ");

		if (strv_len(f) < 6 || (!streq(f[2], number) && !has_source(f, path)))
			continue;
		unescape(f[4]);
		if (is_system_directory(f[4]) && !u->system) {
			u->system = true;
			strv_addf(&u->d->uses, "this system runs from it (%s is on %s)",
				  f[4], name);
		} else if (!is_system_directory(f[4])) {
			strv_addf(&u->d->uses, "%s is mounted on %s", name, f[4]);
		}
	}
}

static void find_swaps(struct use *u, const char *name)
{
	for (size_t i = 0; u->swaps && u->swaps[i]; i++) {
		_cleanup_strv_ char **f = strv_split(u->swaps[i], " \t");
		const char *swap = f ? str_after(f[0], "/dev/") : NULL;

		if (swap && streq(swap, name))
			strv_addf(&u->d->uses, "%s is swap space", name);
	}
}

/* Returns "dm-0, device mapper's 'vg-root'", "md0, an md raid1", ...; owned. */
static char *describe_holder(int root, const char *name)
{
	_cleanup_free_ char *dm = device_line(root, "sys/block/%s/dm/name", name);
	_cleanup_free_ char *md = device_line(root, "sys/block/%s/md/level", name);

	if (dm)
		return xasprintf("%s, device mapper's '%s'", name, dm);
	return md ? xasprintf("%s, an md %s", name, md) : xstrdup(name);
}

/*
 * Lists a folder of sysfs. A folder that is absent has no names (a partition may have
 * no holders/, a device may have gone away); one that cannot be read is reported as a
 * use, so that nobody writes to a device whose users are unknown.
 */
static void list_folder(struct use *u, const char *path, char ***ret)
{
	int r = root_names(u->root, path, ret);

	if (r < 0 && r != -ENOENT && r != -ENOTDIR)
		strv_addf(&u->d->uses, "/%s cannot be read (%s)", path, strerror(-r));
}

static void find_in(struct use *u, const char *dir, const char *name, unsigned depth);

static void find_holders(struct use *u, const char *dir, const char *name, unsigned depth)
{
	_cleanup_free_ char *path = xasprintf("%s/holders", dir);
	_cleanup_strv_ char **names = NULL;

	list_folder(u, path, &names);
	for (size_t i = 0; names && names[i]; i++) {
		_cleanup_free_ char *holder = NULL, *what = NULL;

		what = describe_holder(u->root, names[i]);
		strv_addf(&u->d->uses, "%s is part of %s", name, what);
		holder = xasprintf("sys/block/%s", names[i]);
		find_in(u, holder, names[i], depth + 1);
	}
}

/* Adds the uses of the device with the folder `dir`, a disk or a partition, and of its
 * partitions and holders. */
static void find_in(struct use *u, const char *dir, const char *name, unsigned depth)
{
	_cleanup_free_ char *number = device_line(u->root, "%s/dev", dir);
	_cleanup_strv_ char **names = NULL;

	if (depth > DEPTH_MAX)
		return;
	if (number)
		find_mounts(u, name, number);
	find_swaps(u, name);
	find_holders(u, dir, name, depth);
	list_folder(u, dir, &names);
	for (size_t i = 0; names && names[i]; i++) {
		_cleanup_free_ char *part = NULL, *is_part = NULL;

		if (!str_after(names[i], name))
			continue;
		part = xasprintf("%s/%s", dir, names[i]);
		is_part = device_line(u->root, "%s/partition", part);
		if (is_part)
			find_in(u, part, names[i], depth + 1);
	}
}

void device_find_uses(struct device *d, int root)
{
	_cleanup_free_ char *dir = xasprintf("sys/block/%s", d->name);
	struct use u = {.d = d, .root = root};

	u.mounts = read_lines(root, "proc/self/mountinfo");
	u.swaps = read_lines(root, "proc/swaps");
	find_in(&u, dir, d->name, 0);
	strv_free(u.mounts);
	strv_free(u.swaps);
}
