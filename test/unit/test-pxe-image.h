/* SPDX-License-Identifier: Apache-2.0 */
/* A small image and a scratch folder, for the tests of pxe/. */
#pragma once

#include "lib/file.h"
#include "lib/json.h"
#include "pxe/image.h"
#include "test-roles.h"

#include "test-tempdir.h"

#define KERNEL_TEXT "not a kernel\n"
#define INITRD_TEXT "not an initrd, and not a multiple of four\n"
#define ROOT_TEXT   "not a squashfs\n"
#define SHA_OF(c)   c c c c c c c c c c c c c c c c

static inline void write_text(const char *dir, const char *name, const char *text)
{
	_cleanup_free_ char *path = xasprintf("%s/%s", dir, name);

	if (file_write_at(AT_FDCWD, path, text, strlen(text), 0644) < 0)
		abort();
}

static inline char *read_text(const char *dir, const char *name)
{
	_cleanup_free_ char *path = xasprintf("%s/%s", dir, name);
	char *text = NULL;

	return file_read_at(AT_FDCWD, path, 64 << 20, &text, NULL) < 0 ? NULL : text;
}

static inline char *make_scratch(void)
{
	char *dir = NULL;

	if (tempdir_make(getenv("TMPDIR") ? getenv("TMPDIR") : "/tmp", "rackstrap-test",
			 &dir) < 0)
		abort();
	return dir;
}

static inline void manifest_output(struct json *j, const char *path, uint64_t size,
				   const char *sha256)
{
	json_open(j, NULL, '{');
	json_str(j, "path", path);
	json_u64(j, "size", size);
	json_str(j, "sha256", sha256);
	json_close(j, '}');
}

static inline void manifest_role(struct json *j, const struct role *r)
{
	_cleanup_strv_ char **names = feature_names(r->features);

	json_open(j, NULL, '{');
	json_str(j, "name", r->name);
	json_strv(j, "units", r->units);
	json_strv(j, "ready", r->ready);
	json_strv(j, "features", names);
	json_close(j, '}');
}

/* Returns the manifest of an image with the roles of a text (test-roles.h). */
static inline char *manifest_of_roles(const char *text)
{
	static char *const standins[] = {(char *)"kubelet", NULL};
	_cleanup_roles_ struct roles roles = {0};
	_cleanup_json_ struct json j = {0};

	roles_of_text(&roles, text);
	json_open(&j, NULL, '{');
	json_u64(&j, "format", 1);
	json_str(&j, "name", "tiny");
	json_str(&j, "summary", "of no use");
	json_u64(&j, "epoch", 1435622400);
	json_str(&j, "cmdline", "net.ifnames=0 quiet");
	json_strv(&j, "standins", standins);
	json_open(&j, "roles", '[');
	for (size_t i = 0; i < roles.n; i++)
		manifest_role(&j, &roles.v[i]);
	json_close(&j, ']');
	json_open(&j, "outputs", '[');
	manifest_output(&j, "vmlinuz", strlen(KERNEL_TEXT), SHA_OF("0123"));
	manifest_output(&j, "initrd.img", strlen(INITRD_TEXT), SHA_OF("4567"));
	manifest_output(&j, "root.squashfs", strlen(ROOT_TEXT), SHA_OF("89ab"));
	json_close(&j, ']');
	json_close(&j, '}');
	return json_take(&j);
}

static inline char *manifest_text(void)
{
	return manifest_of_roles(ROLES_2015);
}

/* Makes the image DIR/image with these roles. Returns its path, owned by the caller. */
static inline char *image_make_with(const char *dir, const char *roles)
{
	_cleanup_free_ char *manifest = manifest_of_roles(roles);
	char *image = xasprintf("%s/image", dir);

	if (mkdir(image, 0755) < 0)
		abort();
	write_text(image, "vmlinuz", KERNEL_TEXT);
	write_text(image, "initrd.img", INITRD_TEXT);
	write_text(image, "root.squashfs", ROOT_TEXT);
	write_text(image, "manifest.json", manifest);
	return image;
}

static inline char *image_make(const char *dir)
{
	return image_make_with(dir, ROLES_2015);
}
